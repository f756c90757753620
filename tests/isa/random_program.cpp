// SPDX-License-Identifier: Apache-2.0
#include "random_program.h"

#include <algorithm>
#include <cmath>

#include "isa/vector/function.h"

namespace tokencycle::isa::test {

namespace {

Format pick(Random& random, std::initializer_list<Format> list) {
  return list.begin()[number(random, 0, list.size() - 1)];
}

Format pick(Random& random, const FormatSet& set) {
  while (true) {
    const auto f = static_cast<Format>(random() % kFormats);
    if (set.has(f)) return f;
  }
}

constexpr std::initializer_list<Format> kStored = {Format::f32, Format::f16, Format::bf16};
constexpr std::initializer_list<Format> kMultiplied = {Format::f32,  Format::f16, Format::bf16, Format::q8_0,
                                                       Format::q4_0, Format::i8,  Format::i4};
constexpr std::initializer_list<Format> kByK = {Format::f32, Format::f16, Format::bf16, Format::i8,
                                                Format::i4};
constexpr std::initializer_list<Format> kPlain = {Format::f32, Format::f16, Format::bf16, Format::u8,
                                                  Format::u32};

// The largest number of columns up to `cols`, or the smallest, that both formats of a convert have blocks
// for.
std::uint32_t whole_blocks(const Instruction& i, std::uint32_t cols) {
  const std::uint32_t unit = std::max(block_elements(i.a_format), block_elements(i.dst_format));
  return std::max(cols / unit * unit, unit);
}

void fill(Random& random, Instruction& i) {
  for (const PlacedField& p : layout_of(i.op).fields()) {
    const FieldInfo& info = info_of(p.field);
    std::uint64_t value = random() & (~std::uint64_t{0} >> (64 - info.bits));
    const bool small = info.bits > 4 && info.kind == FieldKind::number && random() % 2 == 0;
    if (small) value %= 70;
    if (info.is_signed && info.bits < 64 && (value >> (info.bits - 1)) != 0) {
      value |= ~std::uint64_t{0} << info.bits;
    }
    set_field(i, p.field, value);
  }
}

LocalAddress scratchpad(LocalAddress any) {
  return LocalAddress::scratchpad(any.byte());
}

void obey_rules(Random& random, Instruction& i) {
  const Unit unit = unit_of(i.op);
  if (unit != Unit::front_end) {
    i.rows = std::max(i.rows, 1u);
    i.cols = std::max(i.cols, 1u);
  }
  if (i.op != Opcode::multiply && i.op != Opcode::matmul) i.dst = scratchpad(i.dst);
  i.b = scratchpad(i.b);
  if (unit == Unit::load || unit == Unit::matrix || i.op == Opcode::send) i.a = scratchpad(i.a);
  if (!std::isfinite(i.scalar)) i.scalar = -0.0f;
  if (class_of(i.op) == Class::move && i.op > Opcode::rotary) i.extent = std::max(i.extent, 1u);
  if (unit == Unit::vector) {
    i.a_format = pick(random, vector_function(i.op).a_formats);
    i.dst_format = pick(random, vector_function(i.op).dst_formats);
  }
  switch (i.op) {
    case Opcode::fence:
      i.units = static_cast<std::uint8_t>(number(random, 1, 15) << 1);
      break;
    case Opcode::signal:
      i.units = static_cast<std::uint8_t>(number(random, 0, 15) << 1);
      break;
    case Opcode::loop: {
      i.count = std::max(i.count, 1u);
      i.length = std::max(i.length, 1u);
      const std::size_t used = number(random, 0, i.steps.size());
      for (std::size_t s = 0; s < i.steps.size(); ++s) {
        if (s < used) {
          i.steps[s].reg = static_cast<std::uint8_t>(number(random, 1, 15));
        } else {
          i.steps[s] = {};
        }
      }
      break;
    }
    case Opcode::set_address:
    case Opcode::add_address:
      i.reg = static_cast<std::uint8_t>(number(random, 1, 15));
      break;
    case Opcode::read_address:
      i.reg = static_cast<std::uint8_t>(number(random, 1, 15));
      i.a = scratchpad(i.a);
      i.extent = std::max(i.extent, 1u);
      i.word_stride %= ((std::uint64_t{1} << 48) - 1) / std::max(i.extent - 1, 1u) + 1;
      break;
    case Opcode::gather:
      i.table_rows = std::max(i.table_rows, 1u);
      break;
    case Opcode::store:
      i.a_format = pick(random, kPlain);
      i.dst_format = i.a_format == Format::f32 ? pick(random, kStored) : i.a_format;
      break;
    case Opcode::preload:
      i.a_format = pick(random, i.order == TileOrder::nk ? kMultiplied : kByK);
      if (i.order == TileOrder::kn) i.k_offset %= kPlainGroup;
      if (i.a_format == Format::i4) i.k_offset &= ~1u;
      break;
    case Opcode::multiply:
      i.a_format = pick(random, kMultiplied);
      if (i.a_format == Format::i4) i.k_offset &= ~1u;
      i.depth = std::max(i.depth, 1u);
      i.dst = LocalAddress::accumulator(i.dst.byte());
      break;
    case Opcode::matmul:
      i.b_format = pick(random, i.order == TileOrder::nk ? kMultiplied : kByK);
      i.depth = std::max(i.depth, 1u);
      i.dst = LocalAddress::accumulator(i.dst.byte());
      break;
    case Opcode::convert:
      i.cols = whole_blocks(i, i.cols);
      break;
    case Opcode::top_k:
      i.depth = static_cast<std::uint32_t>(number(random, 1, std::min(i.cols, 0xffffu)));
      break;
    case Opcode::softmax:
    case Opcode::softmax_sink:
      i.valid = std::max(i.valid, 1u);
      break;
    case Opcode::rotary:
      i.head = std::max(i.head, 2u);
      i.rotate = static_cast<std::uint32_t>(number(random, 1, i.head / 2)) * 2;
      i.cols = static_cast<std::uint32_t>(number(random, 1, 4095)) * i.head;
      break;
    default:
      break;
  }
  if (i.a_format != Format::f32) i.a = scratchpad(i.a);
}

std::string random_name(Random& random) {
  std::string name;
  const bool any_bytes = random() % 4 == 0;
  for (std::uint64_t n = number(random, any_bytes ? 0 : 1, 12); n > 0; --n) {
    name += any_bytes ? static_cast<char>(number(random, 0, 255)) : "abc.09_-/:"[number(random, 0, 9)];
  }
  return name;
}

void add_words(Random& random, Program& program, std::uint32_t words) {
  std::vector<std::uint32_t> ends;
  for (std::uint32_t w = 0; w < words; ++w) {
    while (!ends.empty() && ends.back() <= w) ends.pop_back();
    const std::uint32_t room = (ends.empty() ? words : ends.back()) - w - 1;
    auto op = opcodes()[number(random, 0, opcodes().size() - 1)];
    if (random() % 6 == 0) op = Opcode::loop;
    if (op == Opcode::loop && (room == 0 || ends.size() == kLoopDepth)) op = Opcode::nop;
    Instruction i = random_instruction(random, op);
    if (op == Opcode::loop) {
      i.length = static_cast<std::uint32_t>(number(random, 1, random() % 2 == 0 ? room : std::min(room, 3u)));
      ends.push_back(w + 1 + i.length);
    }
    program.words.push_back(encode(i));
  }
}

void add_sections(Random& random, Program& program, std::uint32_t words) {
  for (std::uint64_t n = number(random, 0, 6); n > 0; --n) {
    const OperatorName op{random_name(random), static_cast<int>(number(random, 0, 3)) - 1};
    if (std::find(program.operators.begin(), program.operators.end(), op) == program.operators.end()) {
      program.operators.push_back(op);
    }
  }
  if (program.operators.empty()) return;
  for (std::uint32_t w = 0; w <= words;) {
    const auto count = static_cast<std::uint32_t>(number(random, 0, std::min(words - w, 5u)));
    const auto id = static_cast<std::uint32_t>(number(random, 0, program.operators.size() - 1));
    if (random() % 3 != 0) program.sections.push_back({w, count, id});
    w += std::max(count, static_cast<std::uint32_t>(number(random, 0, 2)));
    if (random() % 8 == 0) break;
  }
}

}  // namespace

std::uint64_t number(Random& random, std::uint64_t least, std::uint64_t most) {
  return std::uniform_int_distribution<std::uint64_t>(least, most)(random);
}

Instruction random_instruction(Random& random, Opcode op) {
  Instruction i;
  i.op = op;
  fill(random, i);
  obey_rules(random, i);
  return i;
}

Program random_program(Random& random, std::uint32_t words) {
  Program program;
  if (random() % 2 == 0) program.machine = random_name(random);
  words = static_cast<std::uint32_t>(number(random, 0, words));
  add_words(random, program, words);
  add_sections(random, program, words);
  for (std::uint64_t n = number(random, 0, 3); n > 0; --n) {
    DataSegment segment{DramAddress(random() >> 17), {}};
    segment.bytes.resize(number(random, 0, 100));
    for (std::byte& b : segment.bytes) b = static_cast<std::byte>(random());
    program.data.push_back(std::move(segment));
  }
  return program;
}

}  // namespace tokencycle::isa::test
