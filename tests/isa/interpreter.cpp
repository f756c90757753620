// SPDX-License-Identifier: Apache-2.0
#include "interpreter.h"

#include <cstring>
#include <span>
#include <stdexcept>

namespace tokencycle::isa::test {

namespace {

// The bytes [at, at + count) of a memory, or std::out_of_range.
template <class Memory>
auto bytes_of(Memory& memory, std::uint64_t at, std::uint64_t count) {
  if (at > memory.size() || count > memory.size() - at) throw std::out_of_range("beyond the memory");
  return std::span(memory).subspan(at, count);
}

template <class Memory>
float load_f32(const Memory& memory, std::uint64_t at) {
  float value = 0;
  std::memcpy(&value, bytes_of(memory, at, sizeof value).data(), sizeof value);
  return value;
}

}  // namespace

float Interpreter::dram_f32(std::size_t address) const {
  return load_f32(dram_, address);
}
float Interpreter::scratchpad_f32(std::size_t address) const {
  return load_f32(scratchpad_, address);
}

void Interpreter::run(const Program& program) {
  for (const DataSegment& d : program.data) {
    std::memcpy(bytes_of(dram_, d.address.value, d.bytes.size()).data(), d.bytes.data(), d.bytes.size());
  }
  run_body(program, 0, program.words.size());
  if (!halted_) throw std::out_of_range("past the last word");
}

void Interpreter::run_body(const Program& program, std::size_t first, std::size_t end) {
  for (std::size_t w = first; w < end && !halted_; ++w) {
    const Instruction i = decode(program.words[w]);
    ++executed_;
    if (i.op == Opcode::loop) {
      run_loop(program, w, i);
      w += i.length;
    } else {
      execute(i);
    }
  }
}

void Interpreter::run_loop(const Program& program, std::size_t word, const Instruction& loop) {
  std::int64_t saved[kAddressRegisters];
  std::memcpy(saved, registers_, sizeof saved);
  for (std::uint32_t n = 0; n < loop.count; ++n) {
    run_body(program, word + 1, word + 1 + loop.length);
    if (n + 1 == loop.count) break;
    for (const LoopStep& s : loop.steps) registers_[s.reg] += s.bytes;
  }
  for (const LoopStep& s : loop.steps) registers_[s.reg] = saved[s.reg];
}

void Interpreter::execute(Instruction i) {
  const auto moved = [&](LocalAddress a, std::uint8_t reg) {
    return a + static_cast<std::uint32_t>(registers_[reg]);
  };
  i.dst = moved(i.dst, i.dst_reg);
  i.a = moved(i.a, i.a_reg);
  i.dram = i.dram + static_cast<std::uint64_t>(registers_[i.dram_reg]);
  switch (i.op) {
    case Opcode::nop:
    case Opcode::fence:
      return;
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
      for (std::uint64_t r = 0; r < i.rows; ++r) {
        const auto from = bytes_of(dram_, i.dram.value + r * i.dram_stride, i.cols);
        std::memcpy(bytes_of(scratchpad_, i.dst.byte() + r * i.dst_stride, i.cols).data(), from.data(),
                    i.cols);
      }
      return;
    case Opcode::store:
      if (!i.a.in_accumulator()) break;
      for (std::uint64_t r = 0; r < i.rows; ++r) {
        for (std::uint64_t c = 0; c < i.cols; ++c) {
          const float value = accumulator_.at((i.a.byte() + r * i.a_stride) / 4 + c);
          std::memcpy(bytes_of(dram_, i.dram.value + r * i.dram_stride + 4 * c, 4).data(), &value, 4);
        }
      }
      return;
    case Opcode::preload:
      return preload(i);
    case Opcode::multiply:
      return multiply(i);
    default:
      break;
  }
  throw std::invalid_argument("not interpreted: " + disassemble(i));
}

void Interpreter::preload(const Instruction& i) {
  if (i.a_format != Format::f32) throw std::invalid_argument("only fp32 is interpreted");
  shadow_.assign(i.rows, std::vector<float>(i.cols));
  for (std::uint64_t k = 0; k < i.rows; ++k) {
    for (std::uint64_t n = 0; n < i.cols; ++n) {
      shadow_[k][n] = i.order == TileOrder::nk
                          ? scratchpad_f32(i.a.byte() + n * i.a_stride + 4 * (i.k_offset + k))
                          : scratchpad_f32(i.a.byte() + k * i.a_stride + 4 * n);
    }
  }
}

void Interpreter::multiply(const Instruction& i) {
  if (i.swap) active_ = shadow_;
  group_sum_.resize(i.rows, std::vector<float>(i.cols));
  for (std::uint64_t m = 0; m < i.rows; ++m) {
    for (std::uint64_t n = 0; n < i.cols; ++n) {
      float sum = i.open ? 0.0f : group_sum_.at(m).at(n);
      float& accumulator = accumulator_.at((i.dst.byte() + m * i.dst_stride) / 4 + n);
      float total = i.accumulate ? accumulator : 0.0f;
      bool folded = i.close;
      for (std::uint64_t k = 0; k < i.depth; ++k) {
        if (k > 0 && (i.k_offset + k) % kBlock == 0) {
          total += sum;
          sum = 0;
          folded = true;
        }
        sum += scratchpad_f32(i.a.byte() + m * i.a_stride + 4 * (i.k_offset + k)) * active_.at(k).at(n);
      }
      if (i.close) {
        total += sum;
      } else {
        group_sum_[m].resize(i.cols);
        group_sum_[m][n] = sum;
      }
      if (folded) accumulator = total;
    }
  }
}

}  // namespace tokencycle::isa::test
