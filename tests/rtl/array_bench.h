// SPDX-License-Identifier: Apache-2.0
// The arrays of array_ws.sv and array_os.sv under Verilator, with the inputs that the register models get.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "proof/drive.h"
#include "proof/slow.h"

namespace tokencycle::rtl {

// Bits [first, first + width) of a port, however wide Verilator makes it: little-endian in memory.
template <class Port>
void set_bits(Port& port, std::size_t first, std::size_t width, std::uint32_t value) {
  auto* bytes = reinterpret_cast<unsigned char*>(&port);
  for (std::size_t i = first; i < first + width; ++i, value >>= 1) {
    const auto mask = static_cast<unsigned char>(1u << i % 8);
    bytes[i / 8] = static_cast<unsigned char>((value & 1u) != 0 ? bytes[i / 8] | mask : bytes[i / 8] & ~mask);
  }
}
template <class Port>
std::uint32_t get_bits(const Port& port, std::size_t first, std::size_t width) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&port);
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    value |= static_cast<std::uint32_t>(bytes[(first + i) / 8] >> (first + i) % 8 & 1u) << i;
  }
  return value;
}
template <class Port>
void clear(Port& port) {
  std::memset(&port, 0, sizeof port);
}

// What leaves each column is, in order, row after row of pass after pass; the accumulator memory is here.
class SumsBelow {
 public:
  explicit SumsBelow(const proof::Trial& trial);
  // `bits` leave column c in `cycle`. Arrays of rows (`adds`) leave it to the memory to add to the old total.
  void leave(std::uint64_t cycle, std::uint32_t c, std::uint32_t bits, bool adds);
  void fault(const std::string& what) { run_.fault = what; }
  // The total at row m and column c of the pass.
  std::uint32_t total(const proof::Wave& wave, std::uint32_t m, std::uint32_t c) const;
  const std::vector<proof::Wave>& waves() const { return waves_; }
  bool complete() const;
  proof::SlowRun take() { return std::move(run_); }

 private:
  struct Next {
    std::size_t pass = 0;
    std::uint32_t row = 0;
  };
  const proof::Trial& trial_;
  std::vector<proof::Wave> waves_;
  std::vector<Next> next_;  // by column
  proof::SlowRun run_;
};

// The hardware has stopped when it has shown nothing new for so long.
inline constexpr std::uint64_t kQuietCycles = 200;

template <class Model>
void edge(Model& model) {
  model.clock = 0;
  model.eval();
  model.clock = 1;
  model.eval();
}

// Model: class of array_ws.sv, of the trial's size.
template <class Model>
proof::SlowRun run_ws(const proof::Trial& trial, std::span<const std::uint64_t> starts) {
  const config::Matrix& m = trial.matrix();
  const test::SystolicRegisters wires({m.rows, m.columns, 0, 1});
  const auto stimulus = proof::drive_systolic(trial, wires, starts);
  auto model = std::make_unique<Model>();
  model->reset = 1;
  edge(*model);
  model->reset = 0;
  SumsBelow below(trial);
  const std::uint64_t end = stimulus.rbegin()->first + kQuietCycles;
  for (std::uint64_t cycle = 0; cycle < end && !below.complete(); ++cycle) {
    for (std::uint32_t c = 0; c < m.columns; ++c) {
      if (get_bits(model->sum_valid, c, 1) != 0)
        below.leave(cycle, c, get_bits(model->sum, 32 * c, 32), true);
    }
    clear(model->moving_valid);
    clear(model->moving_swap);
    clear(model->tile_last);
    const auto found = stimulus.find(cycle);
    if (found != stimulus.end()) {
      for (std::uint32_t k = 0; k < m.rows; ++k) {
        const auto& moving = found->second.left[k];
        if (!moving) continue;
        set_bits(model->moving_valid, k, 1, 1);
        set_bits(model->moving_swap, k, 1, moving->control.swap ? 1 : 0);
        set_bits(model->moving, 8 * k, 8, moving->operand.bits);
      }
      for (std::uint32_t c = 0; c < m.columns; ++c) {
        const auto& word = found->second.tile_top[c];
        if (!word) continue;
        set_bits(model->tile, 8 * c, 8, word->operand.bits);
        set_bits(model->tile_last, c, 1, word->last ? 1 : 0);
      }
    }
    edge(*model);
  }
  return below.take();
}

// Model: class of array_os.sv, of the trial's size.
template <class Model>
proof::SlowRun run_os(const proof::Trial& trial, std::span<const std::uint64_t> starts) {
  const config::Matrix& shape = trial.matrix();
  const test::OutputRegisters wires({shape.rows, shape.columns, 0, 1});
  const auto stimulus = proof::drive_output(trial, wires, starts);
  auto model = std::make_unique<Model>();
  model->reset = 1;
  edge(*model);
  model->reset = 0;
  SumsBelow below(trial);
  const std::uint64_t end = stimulus.rbegin()->first + kQuietCycles;
  for (std::uint64_t cycle = 0; cycle < end && !below.complete(); ++cycle) {
    for (std::uint32_t n = 0; n < shape.columns; ++n) {
      if (get_bits(model->sum_valid, n, 1) != 0)
        below.leave(cycle, n, get_bits(model->sum, 32 * n, 32), false);
      if (get_bits(model->conflict, n, 1) != 0) below.fault("two cells drive one bus");
    }
    clear(model->x_valid);
    const auto found = stimulus.find(cycle);
    if (found != stimulus.end()) {
      for (std::uint32_t m = 0; m < shape.rows; ++m) {
        const auto& x = found->second.left[m];
        if (!x) continue;
        set_bits(model->x_valid, m, 1, 1);
        set_bits(model->x_first, m, 1, x->control.k == 0 ? 1 : 0);
        set_bits(model->x_last, m, 1, x->control.last ? 1 : 0);
        set_bits(model->x_used, m, 1, m < x->control.rows ? 1 : 0);
        set_bits(model->x, 8 * m, 8, x->operand.bits);
      }
      for (std::uint32_t n = 0; n < shape.columns; ++n) {
        if (found->second.top[n]) set_bits(model->w, 8 * n, 8, found->second.top[n]->operand.bits);
      }
    }
    // Old totals for the cells whose first step this is.
    clear(model->old);
    for (const proof::Wave& wave : below.waves()) {
      const std::uint64_t start = starts[wave.number];
      if (!wave.work->accumulate || cycle < start) continue;
      for (std::uint32_t n = 0; n < wave.work->cols && start + n <= cycle; ++n) {
        const std::uint64_t m = cycle - start - n;
        if (m >= wave.work->rows) continue;
        set_bits(model->old, 32 * n, 32, below.total(wave, static_cast<std::uint32_t>(m), n));
      }
    }
    edge(*model);
  }
  return below.take();
}

}  // namespace tokencycle::rtl
