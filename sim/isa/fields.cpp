// SPDX-License-Identifier: Apache-2.0
#include "isa/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "isa/vector/function.h"

namespace tokencycle::isa {

namespace {

static_assert(std::is_standard_layout_v<Instruction> && std::is_trivially_copyable_v<Instruction>,
              "fields are read and written at their offsets");

template <class Member>
constexpr FieldInfo field(std::string_view name, std::uint8_t first_bit, std::uint8_t bits, FieldKind kind,
                          std::size_t offset) {
  static_assert(sizeof(Member) == 1 || sizeof(Member) == 4 || sizeof(Member) == 8);
  return {name,          first_bit,
          bits,          std::is_signed_v<Member> && !std::is_floating_point_v<Member>,
          kind,          static_cast<std::uint16_t>(offset),
          sizeof(Member)};
}

constexpr FieldInfo step_register(std::string_view name, std::uint8_t first_bit, std::size_t i) {
  return field<std::uint8_t>(name, first_bit, 4, FieldKind::step_register,
                             offsetof(Instruction, steps) + i * sizeof(LoopStep) + offsetof(LoopStep, reg));
}
constexpr FieldInfo step_bytes(std::string_view name, std::uint8_t first_bit, std::size_t i) {
  return field<std::int32_t>(name, first_bit, 32, FieldKind::step_bytes,
                             offsetof(Instruction, steps) + i * sizeof(LoopStep) + offsetof(LoopStep, bytes));
}

using Kind = FieldKind;
using u8 = std::uint8_t;
using u32 = std::uint32_t;

// In the order of enum Field: name, first bit, bits. Fields whose bits overlap never occur together: the DRAM
// operand with the second operand and what follows it, the scalar with b's stride, and so on (`tokencycle
// explain instructions`).
constexpr std::array<FieldInfo, kFields> kFieldTable = {{
    field<LocalAddress>("dst", 51, 32, Kind::local, offsetof(Instruction, dst)),
    field<u8>("dst_reg", 83, 4, Kind::address_register, offsetof(Instruction, dst_reg)),
    field<u32>("dst_stride", 87, 24, Kind::number, offsetof(Instruction, dst_stride)),
    field<LocalAddress>("a", 111, 32, Kind::local, offsetof(Instruction, a)),
    field<u8>("a_reg", 143, 4, Kind::address_register, offsetof(Instruction, a_reg)),
    field<u32>("a_stride", 147, 24, Kind::number, offsetof(Instruction, a_stride)),
    field<LocalAddress>("b", 171, 32, Kind::local, offsetof(Instruction, b)),
    field<u8>("b_reg", 203, 4, Kind::address_register, offsetof(Instruction, b_reg)),
    field<u32>("b_stride", 207, 24, Kind::number, offsetof(Instruction, b_stride)),
    field<Format>("a_format", 232, 6, Kind::format, offsetof(Instruction, a_format)),
    field<Format>("b_format", 232, 6, Kind::format, offsetof(Instruction, b_format)),
    field<Format>("dst_format", 250, 6, Kind::format, offsetof(Instruction, dst_format)),
    field<DramAddress>("dram", 171, 48, Kind::dram, offsetof(Instruction, dram)),
    field<u8>("dram_reg", 219, 4, Kind::address_register, offsetof(Instruction, dram_reg)),
    field<u32>("dram_stride", 223, 32, Kind::number, offsetof(Instruction, dram_stride)),
    field<u32>("table_rows", 147, 24, Kind::number, offsetof(Instruction, table_rows)),
    field<u32>("rows", 11, 16, Kind::number, offsetof(Instruction, rows)),
    field<u32>("cols", 27, 24, Kind::number, offsetof(Instruction, cols)),
    field<u32>("depth", 238, 16, Kind::number, offsetof(Instruction, depth)),
    field<u32>("k_offset", 171, 8, Kind::number, offsetof(Instruction, k_offset)),
    field<TileOrder>("order", 255, 1, Kind::order, offsetof(Instruction, order)),
    field<bool>("swap", 179, 1, Kind::flag, offsetof(Instruction, swap)),
    field<bool>("accumulate", 254, 1, Kind::flag, offsetof(Instruction, accumulate)),
    field<bool>("open", 180, 1, Kind::flag, offsetof(Instruction, open)),
    field<bool>("close", 181, 1, Kind::flag, offsetof(Instruction, close)),
    field<bool>("transposed", 182, 1, Kind::flag, offsetof(Instruction, transposed)),
    field<bool>("per_row", 241, 1, Kind::flag, offsetof(Instruction, per_row)),
    field<u32>("extent", 232, 24, Kind::number, offsetof(Instruction, extent)),
    field<float>("scalar", 207, 32, Kind::scalar, offsetof(Instruction, scalar)),
    field<u32>("valid", 171, 24, Kind::number, offsetof(Instruction, valid)),
    field<bool>("causal", 240, 1, Kind::flag, offsetof(Instruction, causal)),
    field<u32>("head", 232, 12, Kind::number, offsetof(Instruction, head)),
    field<u32>("rotate", 244, 12, Kind::number, offsetof(Instruction, rotate)),
    field<RotaryPairs>("pairs", 231, 1, Kind::pairs, offsetof(Instruction, pairs)),
    field<u32>("count", 11, 24, Kind::number, offsetof(Instruction, count)),
    field<u32>("length", 35, 16, Kind::loop_length, offsetof(Instruction, length)),
    step_register("step 0 register", 51, 0),
    step_bytes("step 0 bytes", 55, 0),
    step_register("step 1 register", 147, 1),
    step_bytes("step 1 bytes", 151, 1),
    step_register("step 2 register", 183, 2),
    step_bytes("step 2 bytes", 187, 2),
    step_register("step 3 register", 219, 3),
    step_bytes("step 3 bytes", 223, 3),
    field<u8>("reg", 11, 4, Kind::target_register, offsetof(Instruction, reg)),
    field<std::int64_t>("value", 171, 48, Kind::target_value, offsetof(Instruction, value)),
    field<u8>("units", 11, 8, Kind::units, offsetof(Instruction, units)),
    field<u8>("semaphore", 19, 4, Kind::number, offsetof(Instruction, semaphore)),
    field<u8>("times", 143, 4, Kind::register_number, offsetof(Instruction, times)),
    field<std::uint64_t>("word_stride", 51, 48, Kind::number, offsetof(Instruction, word_stride)),
    field<u8>("link", 171, 4, Kind::number, offsetof(Instruction, link)),
}};

using F = Field;

constexpr FieldSet kSums = set_of(F::depth, F::accumulate);
constexpr FieldSet kTileRow = set_of(F::a_format, F::k_offset);
constexpr FieldSet kSteps = set_of(F::step0_reg, F::step0_bytes, F::step1_reg, F::step1_bytes, F::step2_reg,
                                   F::step2_bytes, F::step3_reg, F::step3_bytes);

// Everything outside of the vector unit. Ascending opcodes.
constexpr OpcodeRow kOtherRows[] = {
    {Opcode::nop, "nop", 0},
    {Opcode::halt, "halt", 0},
    {Opcode::fence, "fence", set_of(F::units)},
    {Opcode::loop, "loop", set_of(F::count, F::length, F::times) | kSteps},
    {Opcode::set_address, "set_address", set_of(F::reg, F::value)},
    {Opcode::add_address, "add_address", set_of(F::reg, F::value)},
    {Opcode::signal, "signal", set_of(F::units, F::semaphore)},
    {Opcode::wait, "wait", set_of(F::semaphore)},
    {Opcode::read_address, "read_address",
     set_of(F::reg, F::value, F::a, F::a_reg, F::word_stride, F::extent)},
    {Opcode::load, "load", kRows | kDst | kDram},
    {Opcode::gather, "gather", kRows | kDst | kDram | set_of(F::a, F::a_reg, F::table_rows)},
    {Opcode::store, "store", kRows | kA | kDram | set_of(F::a_format, F::dst_format)},
    {Opcode::send, "send", kRows | kA | set_of(F::link)},
    {Opcode::receive, "receive", kRows | kDst | set_of(F::link)},
    {Opcode::preload, "preload", kRows | kA | kTileRow | set_of(F::order)},
    {Opcode::multiply, "multiply",
     kRows | kDst | kA | kTileRow | kSums | set_of(F::swap, F::open, F::close, F::transposed)},
    {Opcode::matmul, "matmul", kRows | kDst | kA | kB | kSums | set_of(F::b_format, F::order)},
};

// A store has no dst, and its DRAM operand lies where formats lie elsewhere. A softmax with a second operand
// has no stride of it.
std::uint8_t first_bit(Opcode op, Field f) {
  if (op == Opcode::store && f == F::a_format) return kFieldTable[static_cast<std::size_t>(F::dst)].first_bit;
  if (op == Opcode::store && f == F::dst_format) {
    return kFieldTable[static_cast<std::size_t>(F::dst)].first_bit + 6;
  }
  if (op == Opcode::softmax_sink && f == F::valid)
    return kFieldTable[static_cast<std::size_t>(F::b_stride)].first_bit;
  return kFieldTable[static_cast<std::size_t>(f)].first_bit;
}

Layout layout(const OpcodeRow& row) {
  Layout made;
  std::array<bool, kWordBytes * 8> used{};
  std::fill_n(used.begin(), kOpcodeBits, true);
  for (int n = 0; n < kFields; ++n) {
    if ((row.fields >> n & 1) == 0) continue;
    const auto f = static_cast<Field>(n);
    const PlacedField placed{f, first_bit(row.op, f), kFieldTable[static_cast<std::size_t>(n)].bits};
    made.placed.at(made.count++) = placed;
    for (std::uint32_t b = placed.first_bit; b < std::uint32_t{placed.first_bit} + placed.bits; ++b) {
      if (used.at(b)) throw std::logic_error(fmt::format("{}: two fields at bit {}", row.name, b));
      used[b] = true;
    }
  }
  for (std::size_t b = 0; b < used.size(); ++b) {
    if (!used[b]) made.unused[b / 64] |= std::uint64_t{1} << (b % 64);
  }
  return made;
}

// All opcodes of this version with their layouts, made from the rows once.
struct Opcodes {
  std::vector<OpcodeRow> rows;
  std::vector<Opcode> list;
  std::vector<Layout> layouts;
  std::array<std::int16_t, kOpcodeCodes> row_of{};  // -1: no such opcode

  Opcodes() : rows(std::begin(kOtherRows), std::end(kOtherRows)) {
    for (const VectorFunction& f : vector_functions()) rows.push_back({f.op, f.name, f.fields()});
    row_of.fill(-1);
    for (const OpcodeRow& row : rows) {
      row_of.at(static_cast<std::size_t>(row.op)) = static_cast<std::int16_t>(list.size());
      list.push_back(row.op);
      layouts.push_back(layout(row));
    }
  }
};
const Opcodes& all() {
  static const Opcodes kAll;
  return kAll;
}

}  // namespace

std::span<const OpcodeRow> opcode_rows() {
  return all().rows;
}

std::span<const Opcode> opcodes() {
  return all().list;
}

bool exists(Opcode op) {
  const auto code = static_cast<std::size_t>(op);
  return code < kOpcodeCodes && all().row_of[code] >= 0;
}

std::string_view name_of(Opcode op) {
  return exists(op) ? all().rows[static_cast<std::size_t>(all().row_of[static_cast<std::size_t>(op)])].name
                    : "unknown";
}

const FieldInfo& info_of(Field f) {
  return kFieldTable[static_cast<std::size_t>(f)];
}

const Layout& layout_of(Opcode op) {
  return all().layouts[static_cast<std::size_t>(all().row_of[static_cast<std::size_t>(op)])];
}

std::uint64_t get_field(const Instruction& instruction, Field f) {
  const FieldInfo& info = info_of(f);
  const auto* at = reinterpret_cast<const std::byte*>(&instruction) + info.offset;
  if (info.size == 1) return std::to_integer<std::uint64_t>(*at);
  std::uint64_t value = 0;
  if (info.size == 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, at, 4);
    value = info.is_signed ? static_cast<std::uint64_t>(static_cast<std::int32_t>(word)) : word;
  } else {
    std::memcpy(&value, at, 8);
  }
  return value;
}

void set_field(Instruction& instruction, Field f, std::uint64_t value) {
  const FieldInfo& info = info_of(f);
  auto* at = reinterpret_cast<std::byte*>(&instruction) + info.offset;
  if (info.size == 1) {
    *at = static_cast<std::byte>(value);
  } else if (info.size == 4) {
    const auto word = static_cast<std::uint32_t>(value);
    std::memcpy(at, &word, 4);
  } else {
    std::memcpy(at, &value, 8);
  }
}

}  // namespace tokencycle::isa
