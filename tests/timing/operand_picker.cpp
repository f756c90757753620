// SPDX-License-Identifier: Apache-2.0
#include "timing/operand_picker.h"

#include <algorithm>
#include <cstring>

#include "numerics/scalar.h"

namespace tokencycle::timing {

using isa::Instruction;
using isa::LocalAddress;
using isa::Opcode;

namespace {

constexpr Format kAreaFormats[] = {Format::f32,  Format::f16,  Format::bf16, Format::q8_0, Format::q4_0,
                                   Format::q8_1, Format::q4_1, Format::i8,   Format::i4,   Format::u32};
// Parts of a memory in thirty-seconds, in the order of kAreaFormats; the last one is for the gaps.
constexpr std::uint32_t kShares[] = {9, 5, 4, 3, 2, 2, 2, 2, 1, 1};
constexpr std::uint32_t kFirstRegister[] = {1, 6, 10, 13, isa::kAddressRegisters};  // by loop depth

Areas share_out(Random& random, std::uint32_t capacity) {
  Areas areas;
  std::uint32_t base = number(random, 0, 7);
  for (std::size_t f = 0; f < std::size(kAreaFormats); ++f) {
    const std::uint32_t bytes = capacity / 32 * kShares[f];
    areas.push_back({kAreaFormats[f], base, bytes / block_bytes(kAreaFormats[f])});
    base += areas.back().bytes() + number(random, 0, 7);
  }
  return areas;
}

}  // namespace

OperandPicker::OperandPicker(Random& random, const config::Machine& machine)
    : random_(random),
      dram_(share_out(random, kDataBytes)),
      scratchpad_(share_out(random, machine.scratchpad.capacity_bytes)),
      accumulator_{{Format::f32, 0, machine.accumulator.capacity_bytes / 16 * 3},
                   {Format::u32, machine.accumulator.capacity_bytes / 4 * 3,
                    machine.accumulator.capacity_bytes / 16}} {}

Format OperandPicker::any_format() {
  return kAreaFormats[number(random_, 0, std::size(kAreaFormats) - 1)];
}
Format OperandPicker::matrix_format() {
  return kAreaFormats[number(random_, 0, 8)];
}
Format OperandPicker::number_format() {
  return kAreaFormats[number(random_, 0, 6)];
}
Format OperandPicker::plain_format() {
  return kAreaFormats[number(random_, 0, 2)];
}

std::uint32_t OperandPicker::stride(Format f, std::uint32_t bytes, bool repeats) {
  const std::uint32_t unit = block_bytes(f), units = bytes / unit;
  if (repeats && one_in(random_, 4)) return unit * number(random_, 0, units);
  return unit * (units + (one_in(random_, 2) ? 0 : number(random_, 1, 5)));
}

const Area& OperandPicker::area(const Areas& areas, Format f) {
  return *std::find_if(areas.begin(), areas.end(), [&](const Area& a) { return a.format == f; });
}

std::optional<OperandPicker::Place> OperandPicker::place(const Areas& areas, Format f, std::uint64_t bytes) {
  const Area& a = area(areas, f);
  const std::uint32_t unit = block_bytes(f);
  std::vector<std::uint8_t> usable = {0, 0};
  for (std::uint8_t r = 1; r < isa::kAddressRegisters; ++r) {
    if (registers_[r].known && registers_[r].unit % unit == 0) usable.push_back(r);
  }
  const std::uint8_t reg = usable[number(random_, 0, static_cast<std::uint32_t>(usable.size()) - 1)];
  const std::uint64_t needed = bytes + registers_[reg].largest;
  if (needed > a.bytes()) return {};
  const auto free_units = static_cast<std::uint32_t>((a.bytes() - needed) / unit);
  // Often the same few places: hazards are what programs are about.
  const std::uint32_t first =
      one_in(random_, 2) ? number(random_, 0, std::min(free_units, 3u)) : number(random_, 0, free_units);
  return Place{a.base + first * unit, reg};
}

bool OperandPicker::local(Format f, std::uint32_t rows, std::uint32_t stride, std::uint32_t bytes,
                          LocalAddress& at, std::uint8_t& reg) {
  const auto p = place(scratchpad_, f, std::uint64_t{rows - 1} * stride + bytes);
  if (!p) return false;
  at = LocalAddress::scratchpad(p->address);
  reg = p->reg;
  return true;
}

bool OperandPicker::in_accumulator(Format sums, std::uint32_t rows, std::uint32_t stride, std::uint32_t bytes,
                                   LocalAddress& at, std::uint8_t& reg) {
  const auto p = place(accumulator_, sums, std::uint64_t{rows - 1} * stride + bytes);
  if (!p) return false;
  at = LocalAddress::accumulator(p->address);
  reg = p->reg;
  return true;
}

bool OperandPicker::readable(Format f, std::uint32_t rows, std::uint32_t stride, std::uint32_t bytes,
                             LocalAddress& at, std::uint8_t& reg) {
  if (f == Format::f32 && one_in(random_, 2)) return in_accumulator(f, rows, stride, bytes, at, reg);
  return local(f, rows, stride, bytes, at, reg);
}

bool OperandPicker::in_dram(Format f, std::uint32_t rows, std::uint32_t stride, std::uint32_t bytes,
                            Instruction& i) {
  const auto p = place(dram_, f, std::uint64_t{rows - 1} * stride + bytes);
  if (!p) return false;
  i.dram = DramAddress(p->address);
  i.dram_reg = p->reg;
  return true;
}

isa::Range OperandPicker::span_of(LocalAddress at, std::uint8_t reg, std::uint32_t rows, std::uint32_t stride,
                                  std::uint32_t bytes) const {
  const Register& r = registers_[reg];
  return {at.in_accumulator() ? isa::Space::accumulator : isa::Space::scratchpad,
          std::uint64_t{at.byte()} + r.least,
          std::uint64_t{at.byte()} + r.largest + std::uint64_t{rows - 1} * stride + bytes};
}

void OperandPicker::begin_block(std::uint32_t depth) {
  for (std::uint32_t r = kFirstRegister[depth]; r < isa::kAddressRegisters; ++r) registers_[r] = {};
}

OperandPicker::Register* OperandPicker::free_register(std::uint32_t depth, std::uint8_t& reg) {
  reg = static_cast<std::uint8_t>(number(random_, kFirstRegister[depth], kFirstRegister[depth + 1] - 1));
  return registers_[reg].stepped ? nullptr : &registers_[reg];
}

std::vector<Instruction> OperandPicker::read_register(std::uint32_t depth) {
  Instruction read = instruction(Opcode::read_address);
  Register* const r = free_register(depth, read.reg);
  if (r == nullptr || !local(Format::u32, 1, 4, 4, read.a, read.a_reg)) return {};
  r->known = true;
  r->unit = block_bytes(any_format());
  r->least = r->unit * number(random_, 0, 4);
  read.value = r->least;
  read.word_stride = r->unit * number(random_, 0, 2);
  read.extent = kLargestIndex + 1;
  r->largest = r->least + static_cast<std::uint32_t>(read.word_stride) * kLargestIndex;
  return {read};
}

std::optional<Instruction> OperandPicker::read_count(std::uint32_t depth) {
  Instruction read = instruction(Opcode::read_address);
  Register* const r = free_register(depth, read.reg);
  if (r == nullptr || !local(Format::u32, 1, 4, 4, read.a, read.a_reg)) return {};
  *r = {};  // no address
  read.word_stride = 1;
  read.extent = kLargestIndex + 1;
  return read;
}

std::vector<Instruction> OperandPicker::set_register(std::uint32_t depth) {
  std::uint8_t reg = 0;
  if (free_register(depth, reg) == nullptr) return {};
  Register& r = registers_[reg];
  r.known = true;
  r.unit = block_bytes(any_format());
  r.least = r.largest = r.unit * number(random_, 0, 8);
  Instruction set = instruction(Opcode::set_address);
  set.reg = reg;
  set.value = r.least;
  if (one_in(random_, 2)) return {set};
  Instruction add = instruction(Opcode::add_address);
  add.reg = reg;
  add.value = static_cast<std::int64_t>(number(random_, 0, 1000)) - 500;
  set.value -= add.value;
  return {set, add};
}

std::optional<isa::LoopStep> OperandPicker::step_register(std::uint32_t count) {
  std::vector<std::uint8_t> usable;
  for (std::uint8_t r = 1; r < isa::kAddressRegisters; ++r) {
    if (registers_[r].known && !registers_[r].stepped) usable.push_back(r);
  }
  if (usable.empty()) return {};
  const std::uint8_t reg = usable[number(random_, 0, static_cast<std::uint32_t>(usable.size()) - 1)];
  Register& r = registers_[reg];
  const std::uint32_t step = r.unit * number(random_, 1, 3), steps = count - 1;
  r.stepped = true;
  r.before = r.least;
  if (r.least >= step * steps && one_in(random_, 2)) {
    r.least -= step * steps;
    return isa::LoopStep{reg, -static_cast<std::int32_t>(step)};
  }
  r.largest += step * steps;
  return isa::LoopStep{reg, static_cast<std::int32_t>(step)};
}

void OperandPicker::end_steps(const Instruction& loop) {
  for (const isa::LoopStep& s : loop.steps) {
    Register& r = registers_[s.reg];
    if (s.reg == 0) continue;
    r.stepped = false;
    r.least = r.largest = r.before;
  }
}

namespace {

template <class T>
void put(std::vector<std::byte>& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

}  // namespace

std::vector<isa::DataSegment> OperandPicker::random_data() {
  std::vector<isa::DataSegment> data;
  const auto real = [&](float least, float most) {
    return std::uniform_real_distribution<float>(least, most)(random_);
  };
  for (const Area& a : dram_) {
    isa::DataSegment segment{DramAddress(a.base), std::vector<std::byte>(a.bytes())};
    const std::uint32_t size = block_bytes(a.format);
    for (std::uint32_t at = 0; at < a.bytes(); at += size) {
      if (a.format == Format::f32) {
        put(segment.bytes, at, real(-2, 2));
      } else if (a.format == Format::u32) {
        put(segment.bytes, at, number(random_, 0, kLargestIndex));
      } else if (a.format == Format::bf16) {
        put(segment.bytes, at, bf16_from_f32(real(-2, 2)));
      } else if (a.format == Format::f16) {
        put(segment.bytes, at, f16_from_f32(real(-2, 2)));
      } else {
        for (std::uint32_t b = 0; b < size; ++b) segment.bytes[at + b] = static_cast<std::byte>(random_());
        if (!in_blocks(a.format)) continue;
        put(segment.bytes, at, f16_from_f32(real(-0.1f, 0.1f)));
        if (row_of(a.format).offset != Offset::none) put(segment.bytes, at + 2, f16_from_f32(real(-1, 1)));
      }
    }
    data.push_back(std::move(segment));
  }
  return data;
}

}  // namespace tokencycle::timing
