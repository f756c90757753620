// SPDX-License-Identifier: Apache-2.0
#include "support/interpreter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "numerics/blocks.h"
#include "numerics/scalar.h"

namespace tokencycle::test {

using isa::Instruction;
using isa::LocalAddress;
using isa::Opcode;
using isa::TileOrder;

// Elements of an encoded row as the multipliers see them.
struct Interpreter::Elements {
  std::vector<float> values;  // numbers, or the quantized integers
  std::vector<float> scales;  // of each block; empty for plain formats
};

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
}

bool is_block(Format f) {
  return block_elements(f) != 1;
}

std::uint16_t u16_at(const std::byte* p) {
  std::uint16_t v = 0;
  std::memcpy(&v, p, 2);
  return v;
}

// One value of a row of blocks without its scale, and the scale.
float quantized(Format f, const std::byte* row, std::uint32_t element, float& scale) {
  const std::byte* b = row + element / kBlock * block_bytes(f);
  scale = f32_from_f16(u16_at(b));
  const std::uint32_t j = element % kBlock;
  if (f == Format::q8_0) return static_cast<float>(static_cast<std::int8_t>(b[2 + j]));
  const auto pair = std::to_integer<int>(b[2 + j % 16]);
  return static_cast<float>((j < 16 ? pair & 15 : pair >> 4) - 8);
}

}  // namespace

Interpreter::Interpreter(std::uint64_t dram_bytes, std::uint32_t scratchpad_bytes,
                         std::uint32_t accumulator_bytes)
    : dram(dram_bytes), scratchpad(scratchpad_bytes), accumulator(accumulator_bytes) {}

std::byte* Interpreter::dram_at(std::uint64_t at, std::uint64_t bytes) {
  if (at > dram.size() || bytes > dram.size() - at)
    fail(fmt::format("{} bytes at {:#x} leave the DRAM", bytes, at));
  return dram.data() + at;
}

std::byte* Interpreter::local_at(LocalAddress at, std::uint64_t offset, std::uint64_t bytes) {
  std::vector<std::byte>& memory = at.in_accumulator() ? accumulator : scratchpad;
  const std::uint64_t begin = at.byte() + offset;
  if (begin > memory.size() || bytes > memory.size() - begin) {
    fail(fmt::format("{} bytes at {:#x} leave the {}", bytes, begin,
                     at.in_accumulator() ? "accumulator" : "scratchpad"));
  }
  return memory.data() + begin;
}

std::vector<float> Interpreter::read_row(LocalAddress at, std::uint64_t offset, Format f,
                                         std::uint32_t cols) {
  std::vector<float> values(cols);
  const std::uint64_t bytes = row_bytes(f, cols);
  decode_row(f, {local_at(at, offset, bytes), bytes}, 0, values);
  return values;
}

// The instruction with its registers added to its addresses.
Instruction Interpreter::resolved(Instruction i) const {
  const auto local = [this](LocalAddress at, std::uint8_t reg) {
    const auto byte = static_cast<std::uint32_t>(static_cast<std::int64_t>(at.byte()) + registers_[reg]);
    return at.in_accumulator() ? LocalAddress::accumulator(byte) : LocalAddress::scratchpad(byte);
  };
  i.dst = local(i.dst, i.dst_reg);
  i.a = local(i.a, i.a_reg);
  i.b = local(i.b, i.b_reg);
  i.dram = DramAddress(i.dram.value + static_cast<std::uint64_t>(registers_[i.dram_reg]));
  return i;
}

void Interpreter::run(std::span<const isa::Word> words, const Retired& retired) {
  registers_ = {};
  halted_ = false;
  try {
    block(words, 0, static_cast<std::uint32_t>(words.size()), 0, retired);
    if (!halted_) fail("the program ends without halt");
  } catch (const std::exception& e) {
    throw std::runtime_error(fmt::format("word {}: {}", word_, e.what()));
  }
}

void Interpreter::block(std::span<const isa::Word> words, std::uint32_t first, std::uint32_t end,
                        std::uint32_t depth, const Retired& retired) {
  if (end > words.size() || depth > isa::kLoopDepth) fail("a loop leaves the program or nests too deeply");
  for (std::uint32_t w = first; w < end && !halted_; ++w) {
    word_ = w;
    const Instruction i = isa::decode(words[w]);
    ++counts_.instructions;
    if (i.op == Opcode::loop) {
      if (w + i.length >= end) fail("a loop's body leaves the block around it");
      const auto saved = registers_;
      for (std::uint32_t n = 0; n < i.count && !halted_; ++n) {
        block(words, w + 1, w + 1 + i.length, depth + 1, retired);
        if (n + 1 == i.count) break;
        for (const isa::LoopStep& s : i.steps) {
          if (s.reg != 0) registers_[s.reg] += s.bytes;
        }
      }
      for (const isa::LoopStep& s : i.steps) registers_[s.reg] = saved[s.reg];
      w += i.length;
      continue;
    }
    execute(resolved(i));
    if (retired) retired(w);
  }
}

void Interpreter::execute(const Instruction& i) {
  switch (i.op) {
    case Opcode::halt:
      halted_ = true;
      return;
    case Opcode::set_address:
      registers_[i.reg] = i.value;
      return;
    case Opcode::add_address:
      registers_[i.reg] += i.value;
      return;
    case Opcode::load:
      return load(i);
    case Opcode::gather:
      return gather(i);
    case Opcode::store:
      return store(i);
    case Opcode::preload:
      return preload(i);
    case Opcode::multiply:
      return multiply(i);
    case Opcode::nop:
    case Opcode::fence:
    case Opcode::loop:
      return;
    default:
      return vector_operation(i);
  }
}

void Interpreter::load(const Instruction& i) {
  for (std::uint64_t r = 0; r < i.rows; ++r) {
    std::memcpy(local_at(i.dst, r * i.dst_stride, i.cols), dram_at(i.dram.value + r * i.dram_stride, i.cols),
                i.cols);
  }
  counts_.loaded_bytes += std::uint64_t{i.rows} * i.cols;
}

void Interpreter::gather(const Instruction& i) {
  for (std::uint64_t r = 0; r < i.rows; ++r) {
    std::uint32_t index = 0;
    std::memcpy(&index, local_at(i.a, 4 * r, 4), 4);
    std::memcpy(local_at(i.dst, r * i.dst_stride, i.cols),
                dram_at(i.dram.value + std::uint64_t{index} * i.dram_stride, i.cols), i.cols);
  }
  counts_.loaded_bytes += std::uint64_t{i.rows} * i.cols;
}

void Interpreter::store(const Instruction& i) {
  const std::uint64_t from = std::uint64_t{i.cols} * block_bytes(i.a_format);
  const std::uint64_t to = std::uint64_t{i.cols} * block_bytes(i.dst_format);
  for (std::uint64_t r = 0; r < i.rows; ++r) {
    std::byte* out = dram_at(i.dram.value + r * i.dram_stride, to);
    if (i.a_format == i.dst_format) {
      std::memcpy(out, local_at(i.a, r * i.a_stride, from), from);
    } else {
      encode_row(i.dst_format, read_row(i.a, r * i.a_stride, i.a_format, i.cols), {out, to});
    }
  }
  counts_.stored_bytes += to * i.rows;
}

void Interpreter::preload(const Instruction& i) {
  Tile t{i.a_format, i.rows, i.cols, i.k_offset, {}, {}};
  t.values.resize(std::size_t{i.rows} * i.cols);
  t.scales.resize(is_block(i.a_format) ? (i.rows / kBlock + 2) * std::size_t{i.cols} : 0);
  const bool by_k = i.order == TileOrder::kn;
  const std::uint32_t lines = by_k ? i.rows : i.cols, length = by_k ? i.cols : i.rows;
  for (std::uint32_t line = 0; line < lines; ++line) {
    const Elements e = elements(i, std::uint64_t{line} * i.a_stride, by_k ? 0 : i.k_offset, length);
    for (std::uint32_t j = 0; j < length; ++j) {
      t.values[by_k ? std::size_t{line} * i.cols + j : std::size_t{j} * i.cols + line] = e.values[j];
    }
    for (std::size_t g = 0; g < e.scales.size(); ++g) t.scales[g * i.cols + line] = e.scales[g];
  }
  shadow_ = std::move(t);
  ++counts_.preloads;
}

// Elements [first, first + count) of the encoded row `offset` bytes behind a.
Interpreter::Elements Interpreter::elements(const Instruction& i, std::uint64_t offset, std::uint32_t first,
                                            std::uint32_t count) {
  Elements e;
  if (!is_block(i.a_format)) {
    e.values = read_row(i.a, offset + std::uint64_t{first} * block_bytes(i.a_format), i.a_format, count);
    return e;
  }
  const std::byte* row = local_at(i.a, offset, row_bytes(i.a_format, round_up(first + count, kBlock)));
  e.values.resize(count);
  e.scales.resize((first + count - 1) / kBlock - first / kBlock + 1);
  for (std::uint32_t k = 0; k < count; ++k) {
    e.values[k] = quantized(i.a_format, row, first + k, e.scales[(first + k) / kBlock - first / kBlock]);
  }
  return e;
}

void Interpreter::multiply(const Instruction& i) {
  if (i.swap) active_ = shadow_;
  const Tile& t = active_;
  if (i.depth > t.rows || i.cols > t.cols || i.k_offset % kBlock != t.k_offset % kBlock)
    fail("the tile does not fit the pass");
  if (i.a_format != activation_format(t.format))
    fail("the moving operand's format does not go with the tile's");
  if (!i.open && (open_rows_ != i.rows || open_cols_ != i.cols))
    fail("a pass continues sums that are not there");
  if (i.open) group_sums_.assign(std::size_t{i.rows} * i.cols, 0.0f);
  for (std::uint32_t m = 0; m < i.rows; ++m) {
    const Elements x = elements(i, std::uint64_t{m} * i.a_stride, i.k_offset, i.depth);
    for (std::uint32_t n = 0; n < i.cols; ++n) {
      std::byte* sum_bytes = local_at(i.dst, std::uint64_t{m} * i.dst_stride + 4 * std::uint64_t{n}, 4);
      float total = 0.0f;
      if (i.accumulate) std::memcpy(&total, sum_bytes, 4);
      bool folded = false;
      float sum = group_sums_[std::size_t{m} * i.cols + n];
      const auto fold = [&](std::uint32_t k) {  // the group of the pass's element k
        const std::uint32_t g = (i.k_offset % kBlock + k) / kBlock;
        total = total + (x.scales.empty() ? sum : x.scales[g] * t.scales[std::size_t{g} * t.cols + n] * sum);
        folded = true;
        sum = 0.0f;
      };
      for (std::uint32_t k = 0; k < i.depth; ++k) {
        if (k > 0 && (i.k_offset + k) % kBlock == 0) fold(k - 1);
        sum = sum + x.values[k] * t.values[std::size_t{k} * t.cols + n];
      }
      if (i.close) fold(i.depth - 1);
      group_sums_[std::size_t{m} * i.cols + n] = sum;
      if (folded) std::memcpy(sum_bytes, &total, 4);
    }
  }
  open_rows_ = i.close ? 0 : i.rows;
  open_cols_ = i.close ? 0 : i.cols;
  ++counts_.multiplies;
}

}  // namespace tokencycle::test
