// SPDX-License-Identifier: Apache-2.0
#include "isa/rules.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "base/error.h"
#include "isa/vector/rows.h"

namespace tokencycle::isa {

namespace {

constexpr FormatSet kStored = formats_where(
    [](const FormatRow& r) { return r.numbers == Numbers::real || r.numbers == Numbers::data; });
// Either operand of a product may be the one that lies in the array.
constexpr FormatSet kMultiplied = [] {
  FormatSet set = kWeightFormats;
  for (const FormatRow& r : kFormatTable) {
    if (r.as_weight) set.add(r.as_weight->activations);
  }
  return set;
}();

[[noreturn]] void refuse(const Instruction& i, const std::string& what) {
  throw ProgramError(fmt::format("{}: {}", name_of(i.op), what));
}

[[noreturn]] void refuse_format(const Instruction& i, std::string_view field, Format value, FormatSet set) {
  const auto raw = static_cast<unsigned>(value);
  const std::string shown =
      raw < kFormats ? std::string(name_of(value)) : fmt::format("unknown format {}", raw);
  refuse(i, fmt::format("{} is {}; allowed: {}", field, shown, set.names()));
}

void in_set(const Instruction& i, std::string_view field, Format value, FormatSet set) {
  if (!set.has(value)) refuse_format(i, field, value, set);
}

void at_least(const Instruction& i, std::string_view field, std::uint32_t value, std::uint32_t least) {
  if (value < least) refuse(i, fmt::format("{} is {}; it must be at least {}", field, value, least));
}

void in_scratchpad(const Instruction& i, std::string_view field, LocalAddress address) {
  if (!address.in_accumulator()) return;
  refuse(i, fmt::format("{} is in the accumulator memory (a:{:#x}); it must be in the scratchpad (s:)", field,
                        address.byte()));
}

// The accumulator memory holds fp32 sums; the vector unit reads nothing else there.
void f32_in_accumulator(const Instruction& i, Format format) {
  if (!i.a.in_accumulator() || format == Format::f32) return;
  refuse(i,
         fmt::format("a is in the accumulator memory, which holds f32, but a_format is {}", name_of(format)));
}

void finite_scalar(const Instruction& i) {
  if (!std::isfinite(i.scalar)) refuse(i, fmt::format("scalar is {}; it must be finite", i.scalar));
}

void check_fence(const Instruction& i) {
  constexpr unsigned kAllowed = 0b11110;  // load, store, matrix, vector
  const bool empty = i.units == 0 && i.op == Opcode::fence;
  if (empty || (i.units & ~kAllowed) != 0) {
    refuse(i,
           fmt::format("units is {:#x}; it must be a non-empty set of load (0x2), store (0x4), matrix (0x8) "
                       "and vector (0x10)",
                       i.units));
  }
}

void check_loop(const Instruction& i) {
  at_least(i, "count", i.count, 1);
  at_least(i, "length", i.length, 1);
  bool ended = false;
  for (std::size_t s = 0; s < i.steps.size(); ++s) {
    const LoopStep& step = i.steps[s];
    if (step.reg == 0 && step.bytes != 0) {
      refuse(i, fmt::format("step {} adds {} to r0, which is always zero; use r1 .. r15", s, step.bytes));
    }
    if (step.reg != 0 && ended)
      refuse(i, fmt::format("step {} follows an unused step; fill steps from 0", s));
    ended = step.reg == 0;
  }
}

void check_address(const Instruction& i) {
  if (i.reg == 0) refuse(i, "the register is r0, which is always zero; allowed: r1 .. r15");
}

void check_read_address(const Instruction& i) {
  check_address(i);
  in_scratchpad(i, "a", i.a);
  at_least(i, "extent", i.extent, 1);
  constexpr std::uint64_t kDramEnd = std::uint64_t{1} << 48;
  if (i.extent > 1 && i.word_stride > (kDramEnd - 1) / (i.extent - 1)) {
    refuse(i, fmt::format("word_stride is {}; with words up to {} (extent - 1) it leads beyond the 48-bit "
                          "addresses",
                          i.word_stride, i.extent - 1));
  }
}

void check_store(const Instruction& i) {
  in_set(i, "a_format", i.a_format, kStored);
  in_set(i, "dst_format", i.dst_format, kStored);
  if (i.a_format != Format::u32) f32_in_accumulator(i, i.a_format);  // u32: int32 sums as they are
  const bool narrows =
      i.a_format == Format::f32 && (i.dst_format == Format::f16 || i.dst_format == Format::bf16);
  if (i.a_format != i.dst_format && !narrows) {
    refuse(i,
           fmt::format("dst_format is {} and a_format {}; store converts only f32 to f16 or bf16 (the vector "
                       "unit's convert does the others)",
                       name_of(i.dst_format), name_of(i.a_format)));
  }
}

// Blocks lie along k; rows of k are for the others.
void plain_in_order_kn(const Instruction& i, std::string_view field, Format format) {
  if (i.order == TileOrder::nk || !is_scaled(format)) return;
  refuse(i, fmt::format("{} is {} and order kn; a block format needs order nk", field, name_of(format)));
}

// i4 lies two a byte, so that a row can begin at even elements only.
void whole_bytes(const Instruction& i, Format format) {
  if (i.k_offset % 2 == 0 || format != Format::i4) return;
  refuse(i, fmt::format("k_offset is {}; i4 lies two a byte and needs an even one", i.k_offset));
}

void sums_in_accumulator(const Instruction& i) {
  if (i.dst.in_accumulator()) return;
  refuse(i, fmt::format("dst is in the scratchpad (s:{:#x}); it must be in the accumulator memory (a:)",
                        i.dst.byte()));
}

void check_preload(const Instruction& i) {
  in_scratchpad(i, "a", i.a);
  in_set(i, "a_format", i.a_format, kMultiplied);
  plain_in_order_kn(i, "a_format", i.a_format);
  if (i.order == TileOrder::nk) return whole_bytes(i, i.a_format);
  if (i.k_offset >= kPlainGroup) {
    refuse(i, fmt::format("k_offset is {}; with order kn it is a position within the group, 0 .. {}",
                          i.k_offset, kPlainGroup - 1));
  }
}

void check_multiply(const Instruction& i) {
  in_scratchpad(i, "a", i.a);
  in_set(i, "a_format", i.a_format, kMultiplied);
  whole_bytes(i, i.a_format);
  at_least(i, "depth", i.depth, 1);
  sums_in_accumulator(i);
}

void check_matmul(const Instruction& i) {
  in_scratchpad(i, "a", i.a);
  in_scratchpad(i, "b", i.b);
  in_set(i, "b_format", i.b_format, kWeightFormats);
  plain_in_order_kn(i, "b_format", i.b_format);
  at_least(i, "depth", i.depth, 1);
  sums_in_accumulator(i);
}

void check_vector(const Instruction& i) {
  const VectorFunction& f = vector_function(i.op);
  in_scratchpad(i, "dst", i.dst);
  in_scratchpad(i, "b", i.b);
  if (f.a_formats != kF32Alone) in_set(i, "a_format", i.a_format, f.a_formats);
  if (f.dst_formats != kF32Alone) in_set(i, "dst_format", i.dst_format, f.dst_formats);
  f32_in_accumulator(i, i.a_format);
  finite_scalar(i);
  if (f.check != nullptr) f.check(i);
}

}  // namespace

void check_convert(const Instruction& i) {
  for (const Format f : {i.a_format, i.dst_format}) {
    if (i.cols % block_elements(f) == 0) continue;
    refuse(i, fmt::format("cols is {}; {} needs a multiple of {}", i.cols, name_of(f), block_elements(f)));
  }
}

void check_softmax(const Instruction& i) {
  at_least(i, "valid", i.valid, 1);
}

void check_top_k(const Instruction& i) {
  at_least(i, "depth", i.depth, 1);
  if (i.depth > i.cols) refuse(i, fmt::format("depth is {}; a row has {} places (cols)", i.depth, i.cols));
}

void check_extent(const Instruction& i) {
  at_least(i, "extent", i.extent, 1);
}

void check_rotary(const Instruction& i) {
  at_least(i, "head", i.head, 2);
  if (i.rotate < 2 || i.rotate % 2 != 0 || i.rotate > i.head) {
    refuse(i, fmt::format("rotate is {}; it must be even, 2 .. head ({})", i.rotate, i.head));
  }
  if (i.cols % i.head != 0) {
    refuse(i, fmt::format("cols is {}; it must be a multiple of head ({})", i.cols, i.head));
  }
}

void check_rules(const Instruction& i) {
  const Unit unit = unit_of(i.op);
  if (unit != Unit::front_end) {
    at_least(i, "rows", i.rows, 1);
    at_least(i, "cols", i.cols, 1);
  }
  if (unit == Unit::vector) return check_vector(i);
  switch (i.op) {
    case Opcode::fence:
    case Opcode::signal:
      return check_fence(i);
    case Opcode::loop:
      return check_loop(i);
    case Opcode::set_address:
    case Opcode::add_address:
      return check_address(i);
    case Opcode::read_address:
      return check_read_address(i);
    case Opcode::gather:
      at_least(i, "table_rows", i.table_rows, 1);
      in_scratchpad(i, "a", i.a);
      return in_scratchpad(i, "dst", i.dst);
    case Opcode::send:
      return in_scratchpad(i, "a", i.a);
    case Opcode::load:
    case Opcode::receive:
      return in_scratchpad(i, "dst", i.dst);
    case Opcode::store:
      return check_store(i);
    case Opcode::preload:
      return check_preload(i);
    case Opcode::multiply:
      return check_multiply(i);
    case Opcode::matmul:
      return check_matmul(i);
    default:
      return;
  }
}

}  // namespace tokencycle::isa
