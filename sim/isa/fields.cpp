// SPDX-License-Identifier: Apache-2.0
#include "isa/fields.h"

#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <type_traits>

namespace tokencycle::isa {

namespace {

static_assert(std::is_standard_layout_v<Instruction> && std::is_trivially_copyable_v<Instruction>,
              "fields are read and written at their offsets");

template <class Member>
constexpr FieldInfo field(std::string_view name, std::uint8_t bits, FieldKind kind, std::size_t offset) {
  static_assert(sizeof(Member) == 1 || sizeof(Member) == 4 || sizeof(Member) == 8);
  return {name,
          bits,
          std::is_signed_v<Member> && !std::is_floating_point_v<Member>,
          kind,
          static_cast<std::uint16_t>(offset),
          sizeof(Member)};
}

constexpr FieldInfo step_register(std::string_view name, std::size_t i) {
  return field<std::uint8_t>(name, 4, FieldKind::step_register,
                             offsetof(Instruction, steps) + i * sizeof(LoopStep) + offsetof(LoopStep, reg));
}
constexpr FieldInfo step_bytes(std::string_view name, std::size_t i) {
  return field<std::int32_t>(name, 32, FieldKind::step_bytes,
                             offsetof(Instruction, steps) + i * sizeof(LoopStep) + offsetof(LoopStep, bytes));
}

using Kind = FieldKind;
using u8 = std::uint8_t;
using u32 = std::uint32_t;

// In the order of enum Field. Widths are the same in every opcode.
constexpr std::array<FieldInfo, kFields> kFieldTable = {{
    field<LocalAddress>("dst", 32, Kind::local, offsetof(Instruction, dst)),
    field<u8>("dst_reg", 4, Kind::address_register, offsetof(Instruction, dst_reg)),
    field<u32>("dst_stride", 24, Kind::number, offsetof(Instruction, dst_stride)),
    field<LocalAddress>("a", 32, Kind::local, offsetof(Instruction, a)),
    field<u8>("a_reg", 4, Kind::address_register, offsetof(Instruction, a_reg)),
    field<u32>("a_stride", 24, Kind::number, offsetof(Instruction, a_stride)),
    field<LocalAddress>("b", 32, Kind::local, offsetof(Instruction, b)),
    field<u8>("b_reg", 4, Kind::address_register, offsetof(Instruction, b_reg)),
    field<u32>("b_stride", 24, Kind::number, offsetof(Instruction, b_stride)),
    field<Format>("a_format", 4, Kind::format, offsetof(Instruction, a_format)),
    field<Format>("b_format", 4, Kind::format, offsetof(Instruction, b_format)),
    field<Format>("dst_format", 4, Kind::format, offsetof(Instruction, dst_format)),
    field<DramAddress>("dram", 48, Kind::dram, offsetof(Instruction, dram)),
    field<u8>("dram_reg", 4, Kind::address_register, offsetof(Instruction, dram_reg)),
    field<u32>("dram_stride", 32, Kind::number, offsetof(Instruction, dram_stride)),
    field<u32>("rows", 16, Kind::number, offsetof(Instruction, rows)),
    field<u32>("cols", 24, Kind::number, offsetof(Instruction, cols)),
    field<u32>("depth", 16, Kind::number, offsetof(Instruction, depth)),
    field<u32>("k_offset", 8, Kind::number, offsetof(Instruction, k_offset)),
    field<TileOrder>("order", 1, Kind::order, offsetof(Instruction, order)),
    field<bool>("swap", 1, Kind::flag, offsetof(Instruction, swap)),
    field<bool>("accumulate", 1, Kind::flag, offsetof(Instruction, accumulate)),
    field<bool>("open", 1, Kind::flag, offsetof(Instruction, open)),
    field<bool>("close", 1, Kind::flag, offsetof(Instruction, close)),
    field<bool>("transposed", 1, Kind::flag, offsetof(Instruction, transposed)),
    field<float>("scalar", 32, Kind::scalar, offsetof(Instruction, scalar)),
    field<u32>("valid", 24, Kind::number, offsetof(Instruction, valid)),
    field<bool>("causal", 1, Kind::flag, offsetof(Instruction, causal)),
    field<u32>("head", 12, Kind::number, offsetof(Instruction, head)),
    field<u32>("rotate", 12, Kind::number, offsetof(Instruction, rotate)),
    field<RotaryPairs>("pairs", 1, Kind::pairs, offsetof(Instruction, pairs)),
    field<u32>("count", 24, Kind::number, offsetof(Instruction, count)),
    field<u32>("length", 16, Kind::loop_length, offsetof(Instruction, length)),
    step_register("step 0 register", 0),
    step_bytes("step 0 bytes", 0),
    step_register("step 1 register", 1),
    step_bytes("step 1 bytes", 1),
    step_register("step 2 register", 2),
    step_bytes("step 2 bytes", 2),
    step_register("step 3 register", 3),
    step_bytes("step 3 bytes", 3),
    field<u8>("reg", 4, Kind::target_register, offsetof(Instruction, reg)),
    field<std::int64_t>("value", 48, Kind::target_value, offsetof(Instruction, value)),
    field<u8>("units", 8, Kind::units, offsetof(Instruction, units)),
}};

constexpr Layout pack(std::initializer_list<Field> fields) {
  Layout layout;
  std::uint32_t bit = kOpcodeBits;
  for (const Field f : fields) {
    const std::uint8_t bits = kFieldTable[static_cast<std::size_t>(f)].bits;
    layout.placed[layout.count++] = {f, static_cast<std::uint8_t>(bit), bits};
    bit += bits;
  }
  if (bit > kWordBytes * 8) throw "the fields of an opcode exceed the word";  // refused by the compiler
  for (std::uint32_t b = bit; b < kWordBytes * 8; ++b) layout.unused[b / 64] |= std::uint64_t{1} << (b % 64);
  return layout;
}

using enum Field;

constexpr Layout kElementwise = pack({dst, dst_reg, dst_stride, rows, cols, a, a_reg, a_stride});

// In the order of enum Opcode.
constexpr std::array<Layout, kOpcodes> kLayouts = {
    /* nop */ pack({}),
    /* halt */ pack({}),
    /* fence */ pack({units}),
    /* loop */
    pack({count, length, step0_reg, step0_bytes, step1_reg, step1_bytes, step2_reg, step2_bytes, step3_reg,
          step3_bytes}),
    /* set_address */ pack({reg, value}),
    /* add_address */ pack({reg, value}),
    /* load */ pack({dst, dst_reg, dst_stride, dram, dram_reg, dram_stride, rows, cols}),
    /* gather */ pack({dst, dst_reg, dst_stride, dram, dram_reg, dram_stride, rows, cols, a, a_reg}),
    /* store */
    pack({a, a_reg, a_stride, dram, dram_reg, dram_stride, rows, cols, a_format, dst_format}),
    /* preload */ pack({a, a_reg, a_stride, a_format, order, k_offset, rows, cols}),
    /* multiply */
    pack({a, a_reg, a_stride, a_format, k_offset, dst, dst_reg, dst_stride, rows, cols, depth, swap,
          accumulate, open, close, transposed}),
    /* add */ pack({dst, dst_reg, dst_stride, rows, cols, a, a_reg, a_stride, b, b_reg, b_stride}),
    /* mul */ pack({dst, dst_reg, dst_stride, rows, cols, a, a_reg, a_stride, b, b_reg, b_stride}),
    /* scale */ pack({dst, dst_reg, dst_stride, rows, cols, a, a_reg, a_stride, scalar}),
    /* copy */ kElementwise,
    /* convert */ pack({dst, dst_reg, dst_stride, rows, cols, a, a_reg, a_stride, a_format, dst_format}),
    /* silu */ kElementwise,
    /* rms_norm */ pack({dst, dst_reg, dst_stride, rows, cols, a, a_reg, a_stride, b, b_reg, scalar}),
    /* softmax */
    pack({dst, dst_reg, dst_stride, rows, cols, a, a_reg, a_stride, scalar, valid, causal, dst_format}),
    /* rotary */
    pack({dst, dst_reg, dst_stride, rows, cols, a, a_reg, a_stride, b, b_reg, b_stride, head, rotate, pairs}),
    /* transpose */ pack({dst, dst_reg, dst_stride, rows, cols, a, a_reg, a_stride, a_format}),
    /* reduce_sum */ kElementwise,
    /* reduce_max */ kElementwise,
    /* argmax */ kElementwise,
    /* matmul */
    pack({a, a_reg, a_stride, b, b_reg, b_stride, b_format, order, dst, dst_reg, dst_stride, rows, cols,
          depth, accumulate}),
};

}  // namespace

const FieldInfo& info_of(Field f) {
  return kFieldTable[static_cast<std::size_t>(f)];
}

const Layout& layout_of(Opcode op) {
  return kLayouts[static_cast<std::size_t>(op)];
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
