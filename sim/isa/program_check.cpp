// SPDX-License-Identifier: Apache-2.0
#include "isa/program_check.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/error.h"

namespace tokencycle::isa {

namespace {

// The ends of the loop bodies that the current word lies in, innermost last.
class LoopNest {
 public:
  // What is wrong with a loop at `word` whose body ends before word `end`; empty when nothing is.
  std::string enter(std::size_t word, std::size_t end, std::size_t words) {
    while (depth_ > 0 && ends_[depth_ - 1] <= word) --depth_;
    if (end > words) {
      return fmt::format("loop: the body ends at word {}, but the program has {} words", end, words);
    }
    if (depth_ > 0 && end > ends_[depth_ - 1]) {
      return fmt::format("loop: the body ends at word {}, beyond the enclosing body's end at word {}", end,
                         ends_[depth_ - 1]);
    }
    if (depth_ == ends_.size()) {
      return fmt::format("loop: nested more than {} deep", ends_.size());
    }
    ends_[depth_++] = end;
    return {};
  }

 private:
  std::array<std::size_t, kLoopDepth> ends_{};
  std::size_t depth_ = 0;
};

std::optional<Fault> word_fault(const Program& program) {
  LoopNest nest;
  for (std::size_t w = 0; w < program.words.size(); ++w) {
    try {
      const Instruction instruction = decode(program.words[w]);
      if (instruction.op != Opcode::loop) continue;
      std::string what = nest.enter(w, w + 1 + instruction.length, program.words.size());
      if (!what.empty()) return Fault{Part::word, w, std::move(what)};
    } catch (const ProgramError& error) {
      return Fault{Part::word, w, error.what()};
    }
  }
  return std::nullopt;
}

std::optional<Fault> operator_fault(const Program& program) {
  std::map<std::pair<std::string_view, int>, std::size_t> seen;
  for (std::size_t i = 0; i < program.operators.size(); ++i) {
    const OperatorName& op = program.operators[i];
    if (op.layer < -1) {
      return Fault{Part::operator_name, i, fmt::format("layer is {}; allowed: -1 (none) or more", op.layer)};
    }
    const auto [earlier, is_new] = seen.try_emplace({op.name, op.layer}, i);
    if (!is_new) {
      return Fault{
          Part::operator_name, i,
          fmt::format("\"{}\" (layer {}) is already operator {}", op.name, op.layer, earlier->second)};
    }
  }
  return std::nullopt;
}

std::optional<Fault> section_fault(const Program& program) {
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < program.sections.size(); ++i) {
    const Section& s = program.sections[i];
    if (s.first < end) {
      return Fault{Part::section, i,
                   fmt::format("first word is {}, but the section before ends at {}", s.first, end)};
    }
    end = std::uint64_t{s.first} + s.count;
    if (end > program.words.size()) {
      return Fault{
          Part::section, i,
          fmt::format("words {} .. {} exceed the program's {} words", s.first, end, program.words.size())};
    }
    if (s.operator_id >= program.operators.size()) {
      return Fault{Part::section, i,
                   fmt::format("operator is {}, but the program names {} operators", s.operator_id,
                               program.operators.size())};
    }
  }
  return std::nullopt;
}

std::optional<Fault> data_fault(const Program& program) {
  for (std::size_t i = 0; i < program.data.size(); ++i) {
    const DataSegment& d = program.data[i];
    if (d.address.value <= kDramEnd && d.bytes.size() <= kDramEnd - d.address.value) continue;
    return Fault{
        Part::data, i,
        fmt::format("{} bytes at {:#x} exceed the 48-bit DRAM addresses", d.bytes.size(), d.address.value)};
  }
  return std::nullopt;
}

}  // namespace

std::string place_of(const Fault& fault) {
  constexpr std::array<std::string_view, 4> kNames = {"word", "operator", "section", "data segment"};
  return fmt::format("{} {}", kNames[static_cast<std::size_t>(fault.part)], fault.index);
}

std::optional<Fault> find_fault(const Program& program) {
  for (auto* check : {word_fault, operator_fault, section_fault, data_fault}) {
    if (std::optional<Fault> fault = check(program)) return fault;
  }
  return std::nullopt;
}

}  // namespace tokencycle::isa
