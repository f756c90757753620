// SPDX-License-Identifier: Apache-2.0
// What is known of iterations: from which state, with which words, to which state, and all that is reported
// on the way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "machine/fast_forward/state_words.h"
#include "machine/matrix/matrix.h"
#include "memory/scratchpad.h"
#include "observe/event.h"

namespace tokencycle::machine {

// One thing that happens in an iteration. Cycles and instructions count from its beginning.
struct Happening {
  enum class Kind : std::uint8_t {
    state,        // event: a unit changes its state
    decoded,      // event
    started,      // event
    finished,     // event
    stage,        // event: another stage of an instruction
    left_decode,  // event.number: the instruction
    retired,      // event.number: the instruction; event.value: its record's place in Iteration::records
  };
  observe::Event event;
  Kind kind = Kind::state;
};

struct Iteration {
  std::uint64_t cycles = 0, edges = 0;
  std::vector<Happening> happenings;
  std::vector<observe::InstructionRecord> records;
  memory::PortCounters stationary, moving;
  Matrix::Work work;
  std::uint32_t end_state = 0;
};

class Memo {
 public:
  // The number of a state; the same for equal words.
  std::uint32_t number_of(const StateWords& words);
  const StateWords& state(std::uint32_t number) const { return *states_[number]; }

  const Iteration* find(std::uint32_t state, std::span<const std::uint64_t> signature) const;
  void add(std::uint32_t state, std::span<const std::uint64_t> signature, Iteration iteration);
  // True when it holds as much as it may: what comes next has to begin from nothing.
  bool full() const { return held_ > kMostHeld; }
  void clear();

 private:
  // Words of states and signatures and happenings together: some 40 MB.
  static constexpr std::size_t kMostHeld = 1'000'000;
  struct KeyView {
    std::uint32_t state;
    std::span<const std::uint64_t> signature;
  };
  struct Key {
    std::uint32_t state = 0;
    std::vector<std::uint64_t> signature;
  };
  static std::uint64_t hash_of(std::span<const std::uint64_t> words, std::uint64_t seed);
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Key& k) const { return hash_of(k.signature, k.state); }
    std::size_t operator()(const KeyView& k) const { return hash_of(k.signature, k.state); }
    std::size_t operator()(const StateWords& words) const { return hash_of(words, 0); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const {
      return a.state == b.state && a.signature == b.signature;
    }
    bool operator()(const Key& a, const KeyView& b) const {
      return a.state == b.state && std::ranges::equal(a.signature, b.signature);
    }
    bool operator()(const KeyView& a, const Key& b) const { return (*this)(b, a); }
  };

  std::unordered_map<StateWords, std::uint32_t, Hash> numbers_;
  std::vector<const StateWords*> states_;
  std::unordered_map<Key, Iteration, Hash, Equal> iterations_;
  std::size_t held_ = 0;
};

}  // namespace tokencycle::machine
