// SPDX-License-Identifier: Apache-2.0
// The memory controller of one channel: queues, scheduling, pages, refresh. It gives commands to DramBanks.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "config/dram/system.h"
#include "memory/dram/banks.h"
#include "memory/dram/hit_stream.h"
#include "memory/dram/listener.h"
#include "memory/dram/policy/page.h"
#include "memory/dram/policy/refresh.h"
#include "memory/dram/policy/scheduler.h"
#include "memory/dram/queue.h"

namespace tokencycle::memory {

// Clock t, in this order: requests accepted before t are seen; refreshes due at t are; then each command bus
// takes at most one command. First come requests whose row has been opened for them, then refreshes (while
// one waits no other request is begun), then the queue of the current direction. Time is advanced in leaps
// from one command to the next: `advance` to a clock gives the same commands however often it is called
// before.
class DramController {
 public:
  DramController(const config::DramSystem& system, DramListener& listener);
  DramController(const DramController&) = delete;
  DramController& operator=(const DramController&) = delete;

  // Requests to this bank that the queue takes now.
  std::uint32_t room(bool write, std::uint32_t bank) const {
    const DramQueue& queue = write ? writes_ : reads_;
    return (write ? system_.write_queue : system_.read_queue) -
           (queue_of_bank_ ? queue.of(bank).size : queue.size() + (write ? 0 : stream_.size()));
  }
  bool has_queues_of_banks() const { return queue_of_bank_; }
  bool has_room(bool write, std::uint32_t bank) const { return room(write, bank) != 0; }
  // The same for requests to any bank.
  std::uint32_t room(bool write) const {
    return write ? system_.write_queue - used(writes_) : system_.read_queue - used(reads_) - stream_.size();
  }
  bool has_room(bool write) const { return room(write) != 0; }
  // A request that arrives in `now`, seen from the next clock on. Not before the last advance.
  void accept(Clock now, const DramRequest& request);
  // Gives all commands up to and including `until`.
  void advance(Clock until) {
    if (next_event() <= until) advance_by_events(until);
  }
  // The same as accept() for each of these reads and advance() to the command of the last, if they can be
  // served at once and that is not behind `until`; false, and nothing done, otherwise.
  bool serve_train(Clock now, std::span<const DramRequest> reads, Clock until);
  static constexpr std::size_t kLongestTrain = 16;  // bursts
  // A clock before which nothing will be commanded or completed if nothing is accepted; kNoClock: never.
  Clock next_event() const { return std::min(wake_, next_refresh_); }
  bool streaming() const { return streaming_; }
  // The clock of the next command, an RD, if that is certain as long as nothing is accepted; kNoClock
  // otherwise.
  Clock next_streamed() const {
    return streaming_ && stream_.next() < next_refresh_ ? stream_.next() : kNoClock;
  }
  std::uint32_t waiting_writes() const { return waiting_writes_; }
  // True if a write to the request's burst waits.
  bool has_write(const DramRequest& request) const;
  std::uint32_t waiting() const {
    return reads_.size() + stream_.size() + writes_.size() + activated_.size();
  }
  // Requests that wait: reads, writes, and those that have left these for the queue of activated rows.
  struct Depths {
    std::uint32_t reads = 0, writes = 0, activated = 0;
    bool operator==(const Depths&) const = default;
    template <class Archive>
    void serialize(Archive& state) {
      state(reads, writes, activated);
    }
  };
  Depths depths() const { return {reads_.size() + stream_.size(), writes_.size(), activated_.size()}; }
  // DramBanks::change_by() of the command given last.
  DramSpan change_by(const DramCommandRecord& r) const {
    return banks_.change_by(r.command, r.bank, r.clock);
  }
  const DramCounters& counters() const { return counters_; }
  // Of each bank of the channel.
  const std::vector<DramBankCounters>& banks() const { return bank_counters_; }
  // Clocks before `until` in which a row was open, and in which a refresh kept a bank from being activated,
  // each summed over the banks (DramBanks says where they begin and end). `until`: not before the last
  // advance.
  std::uint64_t open_bank_clocks(Clock until) const { return banks_.open_clocks(until); }
  std::uint64_t refreshing_bank_clocks(Clock until) const { return banks_.refreshing_clocks(until); }

  template <class Archive>
  void serialize(Archive& state) {
    if (streaming_) end_stream();
    state(banks_, entries_, free_, reads_, writes_, activated_, refreshes_, next_refresh_, halves_, writing_,
          transferred_, wrote_, direction_set_, wake_, now_, bus_, start_);
    scheduler_->serialize(state);
    refresh_->serialize(state);
    state(choices_, transfers_, chosen_, directions_, bus_free_, wait_, counters_, bank_counters_,
          waiting_writes_);
    for (Half& half : halves_) serialize_queue(state, half.queue);
    for (Choice& choice : choices_) serialize_queue(state, choice.queue);
    for (Choice& choice : transfers_) serialize_queue(state, choice.queue);
  }

 private:
  // The command that a bus gives next; at kNoClock: none.
  struct Choice {
    Clock at = kNoClock, arrived = kNoClock;
    DramCommand command = DramCommand::activate;
    std::uint32_t entry = kNoEntry, bank = 0;
    DramQueue* queue = nullptr;  // serialize_queue()
    template <class Archive>
    void serialize(Archive& state) {
      state(at, arrived, command, entry, bank);
    }
  };

  // When the reads of a train are given if nothing keeps them apart but each other: it depends on their banks
  // alone, and is kept for the last train of each first bank.
  struct TrainPattern {
    std::size_t count = 0;
    std::array<std::uint32_t, kLongestTrain> banks{};  // by read
    std::array<std::uint8_t, kLongestTrain> order{};   // the n-th to be given
    std::array<std::uint32_t, kLongestTrain> after{};  // clocks to its command
    bool is_of(std::span<const DramRequest> reads) const {
      return reads.size() == count &&
             std::equal(reads.begin(), reads.end(), banks.begin(),
                        [](const DramRequest& r, std::uint32_t bank) { return r.bank == bank; });
    }
  };

  // A request whose activation has begun. Its second part comes soon, and before anything else changes.
  struct Half {
    std::uint32_t entry = kNoEntry;
    DramQueue* queue = nullptr;  // serialize_queue()
    Clock since = 0;
    template <class Archive>
    void serialize(Archive& state) {
      state(entry, since);
    }
  };
  // Which of the queues it is, as a number.
  template <class Archive>
  void serialize_queue(Archive& state, DramQueue*& queue) {
    const std::array<DramQueue*, 4> queues{nullptr, &reads_, &writes_, &activated_};
    auto number = static_cast<std::uint8_t>(std::find(queues.begin(), queues.end(), queue) - queues.begin());
    state(number);
    queue = queues.at(number);
  }
  const config::DramCommandUse& use_of(DramCommand c) const {
    return device_.commands[static_cast<std::size_t>(c)];
  }
  bool carries_transfers(std::uint32_t bus) const { return (transfer_buses_ >> bus & 1) != 0; }
  // Places taken of the queue, or of the bank's queue that is fullest.
  std::uint32_t used(const DramQueue& queue) const { return queue_of_bank_ ? queue.fullest() : queue.size(); }
  void recount(std::uint32_t bank);
  bool forward_or_coalesce(Clock now, const DramRequest& request);

  void advance_by_events(Clock until);
  void tick(Clock t);
  // choice.cpp: which command comes next.
  void choose(std::uint32_t bus, Clock t);
  bool takes_train(Clock first, std::span<const DramRequest> reads) const;  // train.cpp
  void put_in_order(std::span<DramTransfer> train) const;
  void give_train(std::span<const DramTransfer> train, Clock first);
  bool runs_hits() const;
  void run_hits(Clock until);
  void choose_run(Clock t);
  bool begin_stream();  // stream.cpp
  void end_stream();
  bool join_stream(Clock now, const DramRequest& request);
  void run_stream(Clock until);
  void choose_opened(Choice& best);
  void choose_hits(DramQueue& queue, std::size_t word, std::uint64_t banks, Choice& best);
  void choose_first(std::size_t word, std::uint64_t banks, DramQueue::First DramQueue::List::*kind,
                    Choice& first) const;
  void choose_from(DramQueue& queue, Choice& best);
  void choose_row_commands(DramQueue& queue, std::size_t word, Choice& best);
  void choose_refresh(Choice& best);
  void consider_entry(DramQueue& queue, std::uint32_t entry, Choice& best);
  void consider_all(DramQueue& queue, std::size_t word, std::uint64_t banks, DramCommand command,
                    Choice& best);
  void consider_activation(DramQueue& queue, std::uint32_t entry, Choice& best);
  void consider_conflict(DramQueue& queue, std::uint32_t entry, Choice& best);
  void consider_hit(DramQueue& queue, std::uint32_t entry, Choice& best);
  void consider(DramQueue& queue, std::uint32_t entry, DramCommand command, Choice& best);
  // The sooner command wins, of equals the one for the older request, then that for the lower bank.
  static void take(const Choice& c, Choice& best) {
    if (c.at > best.at) return;
    if (c.at == best.at) {
      if (c.arrived > best.arrived || (c.arrived == best.arrived && c.bank >= best.bank)) return;
    }
    best = c;
  }
  void note_transfer(DramQueue& queue, std::uint32_t entry, DramCommand command, Clock at);
  DramCommand transfer_of(const DramEntry& e) const;
  bool refresh_pressing() const;
  bool next_direction() const;
  void set_direction();
  bool leaves_choices(const DramQueue& queue, bool first_of_kind, Clock now);

  void give(const Choice& choice);
  void give_refresh(const Choice& choice);
  void note_first_command(DramEntry& entry, DramCommand command);
  void finish_transfer(const Choice& choice);
  void due_refreshes();
  void skip_idle_refreshes(Clock until);

  // wait.cpp
  void note_wait(Clock t, DramWait wait);
  DramWait wait_at(Clock t) const;
  DramWait wait_of(const Choice& choice, Clock t) const;
  DramWait opening(const Choice& choice) const;

  const config::DramSystem system_;
  const config::DramDevice& device_;
  const bool queue_of_bank_;
  DramListener& listener_;
  const std::unique_ptr<policy::PagePolicy> page_;
  DramBanks banks_;
  std::vector<DramEntry> entries_;
  std::vector<std::uint32_t> free_;
  DramQueue reads_, writes_, activated_;
  const std::unique_ptr<policy::Scheduler> scheduler_;
  const std::unique_ptr<policy::Refresh> refresh_;
  std::vector<policy::Scheduler::Banks> selected_;  // by the scheduler, for the choice under way
  std::deque<std::uint32_t> refreshes_;             // due, as policy::Refresh names them
  Clock next_refresh_;                              // refresh_->next()
  std::vector<Half> halves_;
  Clock finish_activation_ = 0;  // clocks after a first part behind which nothing comes before the second
  bool writing_ = false;
  bool transferred_ = false, wrote_ = false;  // the last transfer
  Clock direction_set_ = kNoClock;            // the clock for which the direction was decided last
  Clock wake_ = kNoClock;
  Clock now_ = 0;          // of the tick under way
  std::uint32_t bus_ = 0;  // that is being decided
  Clock start_ = 0;        // the first clock in which it can take a command
  std::array<Choice, 2> choices_{};
  std::array<Choice, 2> transfers_{};  // the first whose row is open; `at`: the transfer, `command`: the next
  std::uint32_t chosen_ = 0;           // buses whose choice still stands, a bit each
  std::array<bool, 2> directions_{};   // in which they were chosen
  std::array<Clock, 2> bus_free_{};
  DramWait wait_ = DramWait::nothing;
  const bool tells_waits_, two_part_, data_clock_, auto_precharge_, transfers_first_, serves_all_hits_;
  const bool plain_transfers_;  // RD or WR alone, whatever else waits: no data clock, no RDA or WRA
  const bool serves_trains_, serves_streams_;
  std::uint32_t transfer_buses_ = 0;  // that take a transfer's command, a bit each
  std::uint32_t waiting_writes_ = 0;  // in the queues of writes and of opened requests
  DramCounters counters_;
  std::vector<DramBankCounters> bank_counters_;
  std::vector<TrainPattern> patterns_;  // by bank; derived, not part of the state
  // While streaming_, all requests that wait: reads of open rows. The state is that without it.
  HitStream stream_;
  bool streaming_ = false;
  Clock first_tick_ = kNoClock;          // the first clock that sees what came to an empty stream
  std::vector<std::uint32_t> streamed_;  // entries on their way there
};

}  // namespace tokencycle::memory
