// SPDX-License-Identifier: Apache-2.0
// Between the requesters (the cores' fetch, store and load units) and DRAM: arbitration, and the tight loop
// that advances all of them lazily up to the cycle that is needed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "memory/dram/dram.h"

namespace tokencycle::memory {

// A unit that asks DRAM for bursts. All calls come from Interconnect::advance, in order of time.
class BurstSource {
 public:
  virtual ~BurstSource() = default;
  // The cycle from which the next burst could be issued; kNever when nothing is to be issued.
  virtual Cycle next_issue() const = 0;
  virtual const Burst& head() const = 0;  // the burst that issue() would take
  virtual void issued(Cycle now) = 0;     // the head was accepted
  virtual void completed(Cycle now, const Burst& burst) = 0;
  virtual void data_state_changed(Cycle now, observe::State state) = 0;  // Dram::data_state()

  // `flag` is set when next_issue() or head() changes by something else than the calls above.
  void raise(bool& flag) { changed_ = &flag; }

 protected:
  void note_change() {
    if (changed_ != nullptr) *changed_ = true;
  }

 private:
  bool* changed_ = nullptr;
};

// A unit at the interconnect.
struct Attachment {
  BurstSource* unit = nullptr;
  Requester requester = Requester::fetch;
  std::uint8_t core = 0;
};

struct TrafficCounters {
  std::uint64_t bursts = 0;            // accepted by DRAM
  std::uint64_t used_bytes = 0;        // bytes of them that the program asked for
  std::uint64_t moved_bytes = 0;       // bursts x burst size
  std::uint64_t room_wait_cycles = 0;  // of the requester's next burst, for a place in DRAM's queues

  template <class Archive>
  void serialize(Archive& state) {
    state(bursts, used_bytes, moved_bytes, room_wait_cycles);
  }
};

// Cycle by cycle: first data-bus changes and completions of that cycle, then the units (outside), then
// issues. A channel accepts one burst a cycle; among requesters their kinds decide, among those of a kind the
// one that was served least recently goes first. So for a unit
// that acts at cycle t, everything that arrives at or before t has arrived and nothing of t has been issued
// yet: the same answer whether advance() is called every cycle or once in a thousand.
class Interconnect {
 public:
  Interconnect(std::unique_ptr<Dram> dram, const config::Machine& machine, observe::EventHub& hub);

  // All sources, before time begins; kinds in their order of priority.
  void attach(std::vector<Attachment> sources);

  // Completions up to and including `until`, issues before it. A source may lower `until` meanwhile, but not
  // below the cycle that it is told: the advance then ends there.
  void advance(const Cycle& until);

  // Up to this cycle, not including it, nothing happens unless a unit wants something else; as far as it is
  // known.
  Cycle quiet_until() const { return asked_anew_ ? Cycle() : due_; }

  std::optional<DramUse> dram_use(std::uint32_t channel, Cycle cycle) {
    asked_anew_ = true;  // the answer may bring DRAM's next step forward
    return dram_->use(channel, cycle);
  }
  DramQueues queues(std::uint32_t channel) {
    catch_up();
    asked_anew_ = true;
    return dram_->queues(channel);
  }
  observe::State state(std::uint32_t channel) const { return dram_->state(channel); }
  std::uint32_t burst_bytes() const { return burst_bytes_; }
  const TrafficCounters& counters(Requester requester, bool write, std::uint8_t core = 0) const;
  template <class Archive>
  void serialize(Archive& state) {
    if constexpr (!Archive::is_loading::value) catch_up();
    state(wishes_, channel_next_, time_, served_, counters_);
    dram_->serialize(state);
    due_ = {};
    asked_anew_ = true;
  }

 private:
  struct Candidate {
    Cycle cycle = kNever;
    std::size_t source = 0;
    Cycle room = {};  // from which DRAM has room for it
  };
  struct Wish {  // what a source wants next; asked again only when it may have changed
    Cycle cycle = kNever;
    DramAddress address;        // of the head
    std::uint32_t channel = 0;  // that it goes to
    Cycle refused = kNever;     // since when DRAM has no room for it
    std::uint64_t served = 0;   // number of the source's last burst among all

    template <class Archive>
    void serialize(Archive& state) {
      state(cycle, address, channel, refused, served);
    }
  };
  std::uint32_t channel_of(DramAddress address) const {
    return channel_next_.size() == 1 ? 0 : dram_->channel_of(address);
  }
  bool ask(std::size_t source);  // whether it wants something else now
  // DRAM is not told of time that passes while nothing is due.
  void catch_up() {
    if (time_ < due_) dram_->advance(time_);
  }
  Candidate next_issue();
  bool goes_first(std::size_t source, Cycle cycle, const Candidate& best) const;
  bool has_room(std::size_t source);
  std::optional<std::size_t> only_wish() const;
  Candidate next_of(std::size_t source);
  void note_room(std::size_t source, bool write, Cycle room);
  TrafficCounters& counter(std::size_t source, bool write) { return counters_[source * 2 + (write ? 1 : 0)]; }
  void issue(const Candidate& candidate);
  bool complete();  // whether its source wants something else now
  void change_bus(Cycle now);
  void report(observe::EventKind kind, Cycle cycle, std::uint32_t channel, const Burst& burst);

  std::unique_ptr<Dram> dram_;
  observe::EventHub& hub_;
  std::vector<Attachment> sources_;
  std::vector<Wish> wishes_;         // by source
  std::vector<Cycle> channel_next_;  // first cycle in which the channel accepts again
  Cycle time_;                       // nothing before it can be issued any more
  Candidate next_;                   // what is issued next, as far as it is known
  Cycle due_;               // up to it, not including, nothing happens unless a source changes its wish
  bool asked_anew_ = true;  // a source did, or something else may have changed due_
  std::uint32_t burst_bytes_;
  std::uint64_t served_ = 0;               // bursts so far
  bool refused_ = false;                   // a source that was asked for the issue found no room
  std::vector<TrafficCounters> counters_;  // of a source's reads, then of its writes
};

}  // namespace tokencycle::memory
