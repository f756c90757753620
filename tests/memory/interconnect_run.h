// SPDX-License-Identifier: Apache-2.0
// Requesters at the interconnect that ask for a list of bursts, and everything that happens to them.
#pragma once

#include <array>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "memory/interconnect.h"

namespace tokencycle::test {

using memory::Burst;
using memory::Requester;

struct Note {
  char what;  // issued, completed, bus
  Cycle cycle;
  std::uint64_t address;
  bool operator==(const Note&) const = default;
};

// Asks for a fixed list of bursts, each from a cycle on and a gap after the one before; writes down what
// happens.
class ListSource : public memory::BurstSource {
 public:
  struct Wish {
    std::uint64_t from, gap;
    Burst burst;
  };
  explicit ListSource(std::deque<Wish> wishes);

  Cycle next_issue() const override { return wishes_.empty() ? kNever : next_; }
  const Burst& head() const override { return wishes_.front().burst; }
  void issued(Cycle now) override;
  void completed(Cycle now, const Burst& burst) override;
  void data_state_changed(Cycle now, observe::State state) override {
    notes.push_back({'b', now, static_cast<std::uint64_t>(state)});
  }

  std::vector<Note> notes;
  Cycle* lowers = nullptr;  // set to the cycle of each completion, as a unit does that asks for an edge

 private:
  void step(std::uint64_t now) {
    if (!wishes_.empty()) next_ = Cycle(std::max(now, wishes_.front().from));
  }
  std::deque<Wish> wishes_;
  std::vector<Cycle> issued_;  // by tag
  std::uint32_t tags_ = 0;
  Cycle next_;
};

Burst burst_of(Requester requester, std::uint64_t address, bool write = false);  // 64 bytes

using Wishes = std::array<std::deque<ListSource::Wish>, memory::kRequesters>;
// Bursts of up to 64 bytes in the first 4 KiB, dense and with pauses.
Wishes random_wishes(std::mt19937& random, std::uint32_t request_bytes = 64);

struct Outcome {
  std::array<std::vector<Note>, memory::kRequesters> notes;
  std::string digest;                                          // of all events
  std::array<std::uint64_t, memory::kRequesters> room_wait{};  // cycles, of both directions
  std::vector<std::uint64_t> counted;                          // DramUse of each channel, at the end
  bool operator==(const Outcome&) const = default;
};

// Advances at the given cycles.
Outcome run(const config::Machine& m, const Wishes& wishes, const std::vector<std::uint64_t>& cycles);
// The same while somebody hears of every command and of the queues: nothing is done later than in its cycle.
Outcome run_heard(const config::Machine& m, const Wishes& wishes, const std::vector<std::uint64_t>& cycles);
// At any cycle up to `end`: every burst that is complete asks for a stop there, as a unit does.
Outcome run_with_stops(const config::Machine& m, const Wishes& wishes, Cycle end);

// With ideal memory and bursts of 64 bytes, 1 GHz.
config::Machine ideal_machine(std::uint32_t channels, double gb_per_s, double latency_ns,
                              std::uint32_t in_flight);

}  // namespace tokencycle::test
