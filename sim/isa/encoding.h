// SPDX-License-Identifier: Apache-2.0
// Instruction words: one table of fields an opcode drives encoder, decoder, assembler and disassembler.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "isa/instruction.h"

namespace tokencycle::isa {

using Word = std::array<std::byte, kWordBytes>;

// Packs an instruction. Throws ProgramError naming opcode, field, value and range when a field does not fit,
// is not one that the opcode has, or breaks a rule of rules.cpp (rows >= 1, even rotate, ...).
Word encode(const Instruction& instruction);

// The opcode that a word's bits say, whether it exists or not.
Opcode opcode_of(const Word& word);

// Unpacks a word. Throws ProgramError for an unknown opcode, a non-zero unused bit or a value out of range.
Instruction decode(const Word& word);

// Byte ranges that an instruction touches, for hazard checks and bounds: conservative intervals.
enum class Space : std::uint8_t { scratchpad = 0, accumulator = 1, dram = 2 };
enum class Operand : std::uint8_t { dst = 0, a = 1, b = 2, dram = 3 };
inline constexpr int kOperands = 4;
struct Range {
  Space space = Space::scratchpad;
  std::uint64_t begin = 0, end = 0;  // [begin, end), bytes
  Operand operand = Operand::dst;    // whose address it moves with
  bool overlaps(const Range& o) const { return space == o.space && begin < o.end && o.begin < end; }
};

// Up to four reads and two writes of one instruction.
struct Footprint {
  std::array<Range, 4> reads{};
  std::array<Range, 2> writes{};
  int read_count = 0, write_count = 0;
  std::span<const Range> read_ranges() const { return {reads.data(), static_cast<std::size_t>(read_count)}; }
  std::span<const Range> write_ranges() const {
    return {writes.data(), static_cast<std::size_t>(write_count)};
  }
  // What the footprint becomes when so many bytes are added to the instruction's addresses, by Operand.
  void move(const std::array<std::int64_t, kOperands>& bytes) {
    const auto move_range = [&bytes](Range& r) {
      const auto by = static_cast<std::uint64_t>(bytes[static_cast<std::size_t>(r.operand)]);
      r.begin += by;
      r.end += by;
    };
    for (int i = 0; i < read_count; ++i) move_range(reads[static_cast<std::size_t>(i)]);
    for (int i = 0; i < write_count; ++i) move_range(writes[static_cast<std::size_t>(i)]);
  }
};

// The footprint of an instruction. Which rows a gather reads depends on data: its whole table is reported, so
// that it orders after every store into the table.
Footprint footprint(const Instruction& instruction);

}  // namespace tokencycle::isa
