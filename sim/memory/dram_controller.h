// SPDX-License-Identifier: Apache-2.0
// The memory controller of one channel: queues, scheduling, pages, refresh. It gives commands to DramBanks.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "config/dram_system.h"
#include "memory/dram_banks.h"

namespace tokencycle::memory {

// One burst for the controller.
struct DramRequest {
  std::uint64_t id = 0;  // the caller's; equal addresses are recognised by bank, row and column
  bool write = false;
  std::uint32_t bank = 0, row = 0, column = 0;  // bank of the channel; column: burst of the row
};

// A command as given, by its first clock.
struct DramCommandRecord {
  Clock clock = 0;
  DramCommand command = DramCommand::activate;
  std::uint32_t bank = 0, row = 0, column = 0;
};

class DramListener {
 public:
  virtual ~DramListener() = default;
  // Reads: their last data; writes: their command, from which on the data is the memory's.
  virtual void completed(std::uint64_t id, Clock clock) = 0;
  virtual void commanded(const DramCommandRecord&) {}
  // Whether commanded() must hear of every refresh, also when a long idle time is skipped.
  virtual bool wants_commands() const { return false; }
};

struct DramCounters {
  std::uint64_t reads = 0, writes = 0, forwarded = 0, coalesced = 0;
  std::uint64_t hits = 0, misses = 0, conflicts = 0;  // of requests, by the first command given for them
  std::uint64_t turnarounds = 0;                      // changes between reading and writing
  std::array<std::uint64_t, config::kDramCommands> commands{};
};

// Clock t, in this order: requests accepted before t are seen; refreshes due at t are; then each command bus
// takes at most one command. First come requests whose row has been opened for them, then refreshes (while
// one waits no other request is begun), then the queue of the current direction. Time is advanced in leaps
// from one command to the next: `advance` to a clock gives the same commands however often it is called
// before.
class DramController {
 public:
  DramController(const config::DramSystem& system, DramListener& listener);

  bool has_room(bool write) const {
    return write ? writes_.size < system_.write_queue : reads_.size < system_.read_queue;
  }
  // A request that arrives in `now`, seen from the next clock on. Not before the last advance.
  void accept(Clock now, const DramRequest& request);
  // Gives all commands up to and including `until`.
  void advance(Clock until);
  // A clock before which nothing will be commanded or completed if nothing is accepted; kNoClock: never.
  Clock next_event() const { return std::min(wake_, refreshing() ? next_refresh_ : kNoClock); }
  std::uint32_t waiting() const { return reads_.size + writes_.size + activated_.size; }
  const DramCounters& counters() const { return counters_; }

 private:
  static constexpr std::uint32_t kNone = ~0u;
  struct Entry {
    DramRequest request;
    Clock arrived = 0;
    std::uint32_t next = kNone, previous = kNone;  // in its bank's list, oldest first
    bool begun = false;                            // a command was given for it
  };
  struct List {
    std::uint32_t head = kNone, tail = kNone, size = 0;
    std::uint32_t hits = 0;  // entries for the open row
  };
  struct Queue {
    std::vector<List> banks;
    std::vector<std::uint64_t> waiting;  // banks with entries, a bit each
    std::uint32_t size = 0;
  };
  // The command that a bus gives next; at kNoClock: none.
  struct Choice {
    Clock at = kNoClock, arrived = kNoClock;
    DramCommand command = DramCommand::activate;
    std::uint32_t entry = kNone, bank = 0;
    Queue* queue = nullptr;
  };

  // A request whose activation has begun. Its second part comes soon, and before anything else changes.
  struct Half {
    std::uint32_t entry;
    Queue* queue;
    Clock since;
  };
  Clock finish_activation_ =
      0;  // clocks after a first part behind which nothing else comes before the second
  bool refreshing() const { return system_.refresh != config::DramRefresh::none; }
  const config::DramCommandUse& use_of(DramCommand c) const {
    return device_.commands[static_cast<std::size_t>(c)];
  }
  void insert(Queue& queue, std::uint32_t entry);
  void remove(Queue& queue, std::uint32_t entry);
  void recount(std::uint32_t bank);
  bool forward_or_coalesce(Clock now, const DramRequest& request);

  void tick(Clock t);
  void choose(std::uint32_t bus, Clock t);
  void choose_from(Queue& queue, Choice& best) const;
  void choose_refresh(Choice& best) const;
  void consider_oldest(Queue& queue, Choice& best) const;
  void consider_bank(Queue& queue, std::uint32_t bank, Choice& best) const;
  void consider_entry(Queue& queue, std::uint32_t entry, Choice& best) const;
  void consider_hit(Queue& queue, std::uint32_t entry, Choice& best) const;
  void consider(Queue& queue, std::uint32_t entry, DramCommand command, Clock earliest, Choice& best) const;
  Clock start_of(Clock earliest) const;
  bool hits_are_capped(const Queue& queue, std::uint32_t hit, std::uint32_t conflict) const;
  DramCommand transfer_of(const Entry& e) const;
  void set_direction();
  void give(const Choice& choice);
  void give_refresh(const Choice& choice);
  void note_first_command(Entry& entry, DramCommand command);
  void finish_transfer(const Choice& choice);
  bool refresh_pressing() const;
  void due_refreshes();
  void skip_idle_refreshes(Clock until);

  const config::DramSystem system_;
  const config::DramDevice& device_;
  DramListener& listener_;
  DramBanks banks_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  Queue reads_, writes_, activated_;
  std::vector<std::uint32_t> hits_past_;  // of each bank: hits since an older request to another row waits
  std::deque<std::uint32_t> refreshes_;   // due, as bank (the first of its rank for all-bank refresh)
  Clock next_refresh_ = kNoClock;
  std::uint32_t refresh_turn_ = 0;  // per-bank: which bank of each rank comes next
  std::vector<Half> halves_;
  bool writing_ = false;
  bool direction_set_ = false;  // in this tick
  Clock wake_ = kNoClock;
  Clock now_ = 0;          // of the tick under way
  std::uint32_t bus_ = 0;  // that is being decided
  std::array<Choice, 2> choices_{};
  std::uint32_t chosen_ = 0;  // buses whose choice still stands, a bit each
  std::array<Clock, 2> bus_free_{};
  DramCounters counters_;
};

}  // namespace tokencycle::memory
