// SPDX-License-Identifier: Apache-2.0
// Two results side by side, operator by operator and instruction by instruction: what accounts for the
// difference of their cycles.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "explore/result/document.h"

namespace tokencycle::explore {

// Cycles of the first result and of the second one.
struct Pair {
  std::uint64_t a = 0, b = 0;
  std::int64_t difference() const { return static_cast<std::int64_t>(b) - static_cast<std::int64_t>(a); }
  Pair& operator+=(const Pair& more) {
    a += more.a;
    b += more.b;
    return *this;
  }
  bool operator==(const Pair&) const = default;
};
using PairStack = std::array<Pair, observe::kCauses>;

// Instructions of one kind in an operator; their cycles sum to the operator's.
struct AlignedKind {
  std::string instruction;
  Pair count, cycles;
  PairStack stack{};
};

// An operator of the same name and layer in one phase; 0 where a result does not have it.
struct AlignedOperator {
  std::string name;
  std::int64_t layer = -1;
  std::string phase;  // "prefill", "decode"
  Pair cycles;
  PairStack stack{};
  std::vector<AlignedKind> kinds;
};

// The n-th instruction of a kind in an operator of one token. Its cycles are its share of its operator's time
// (observe/analysis/operator_cycles.h); none where a result has fewer of them.
struct AlignedInstruction {
  std::size_t op = 0;  // index into InstructionAlignment::operators
  std::string instruction;
  std::uint64_t number = 0;  // from 1
  std::optional<std::uint64_t> a, b;
  std::int64_t difference() const {
    return static_cast<std::int64_t>(b.value_or(0)) - static_cast<std::int64_t>(a.value_or(0));
  }
};
struct InstructionAlignment {
  std::uint64_t token = 0;
  Pair cycles;                                                  // of the token: what the instructions sum to
  std::vector<std::pair<std::string, std::int64_t>> operators;  // name, layer
  std::vector<AlignedInstruction>
      instructions;  // in the order of decoding, of the first result where it can be
};

struct Alignment {
  std::string a, b;  // names that distinguish the results
  std::vector<std::string> warnings;
  Pair prefill, decode, prefill_tokens, decode_tokens;  // tokens: of the prompt; generated after the first
  std::vector<AlignedOperator> operators;               // prefill, then decode, each in the graph's order
  std::optional<InstructionAlignment> instructions;
  std::string no_instructions;  // or why there are none
};

// Throws IoError for a result without operators' stacks or that was interrupted, with its name and the
// remedy.
Alignment align(const Result& a, const Result& b);

// Shares of a token's instructions in the order of Pipeline::rows, and what follows the last one. Nothing
// where the rows are not all, or the token took several steps.
struct InstructionShares {
  std::vector<std::uint64_t> rows;
  std::uint64_t rest = 0;
};
std::optional<InstructionShares> instruction_shares(const Pipeline& pipeline);

// For people: what differs most, layers together, with a line for all that is not shown.
std::string alignment_text(const Alignment& alignment);
// Schema "tokencycle-alignment-1"; the records are in "differences".
nlohmann::ordered_json alignment_json(const Alignment& alignment);

}  // namespace tokencycle::explore
