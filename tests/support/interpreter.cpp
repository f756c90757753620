// SPDX-License-Identifier: Apache-2.0
#include "support/interpreter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "numerics/blocks.h"

namespace tokencycle::test {

using isa::Instruction;
using isa::LocalAddress;
using isa::Opcode;

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
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

void Interpreter::place(std::span<const isa::DataSegment> data) {
  for (const isa::DataSegment& d : data) {
    std::copy(d.bytes.begin(), d.bytes.end(), dram_at(d.address.value, d.bytes.size()));
  }
}

void Interpreter::run(std::span<const isa::Word> words, const Retired& retired) {
  registers_ = {};
  semaphores_ = {};
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
      const std::int64_t count = i.times == 0 ? i.count : registers_[i.times];
      if (count < 0 || count > i.count) fail(fmt::format("a loop of {} times, {} at most", count, i.count));
      for (std::int64_t n = 0; n < count && !halted_; ++n) {
        block(words, w + 1, w + 1 + i.length, depth + 1, retired);
        if (n + 1 == count) break;
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
    case Opcode::read_address: {
      std::uint32_t word = 0;
      std::memcpy(&word, local_at(i.a, 0, 4), 4);
      if (word >= i.extent) fail(fmt::format("word {} of {}", word, i.extent));
      registers_[i.reg] = i.value + static_cast<std::int64_t>(word * i.word_stride);
      return;
    }
    case Opcode::signal:
      ++semaphores_[i.semaphore];
      return;
    case Opcode::wait:
      if (semaphores_[i.semaphore]-- == 0) fail(fmt::format("nothing signals semaphore {}", i.semaphore));
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
    case Opcode::matmul:
      return matmul(i);
    case Opcode::send:
    case Opcode::receive:
      fail("there are no links");
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
    if (index >= i.table_rows) fail(fmt::format("index {} of {} rows", index, i.table_rows));
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

}  // namespace tokencycle::test
