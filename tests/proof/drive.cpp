// SPDX-License-Identifier: Apache-2.0
#include "proof/drive.h"

#include <fmt/format.h>

#include <algorithm>

#include "proof/decode_registers.h"

namespace tokencycle::proof {

using test::Operand;

namespace {

std::span<const std::byte> line_at(const std::vector<std::byte>& memory, isa::LocalAddress a,
                                   std::uint32_t stride, std::uint32_t line) {
  return std::span(memory).subspan(a.byte() + std::size_t{line} * stride);
}

// Rows that share a segment with row k of the array: the scale of any element of them is the group's.
std::uint32_t within(std::uint32_t k, std::uint32_t depth) {
  return std::min(k, depth - 1);
}

// Elements outside are zero, but the segment's last row carries its group's scale all the same.
Operand padded(const config::Matrix& m, std::uint32_t group, std::uint32_t k, std::uint32_t depth,
               auto&& element_of) {
  const bool last_row = (k + 1) % group == 0 || k + 1 == m.rows;
  const std::uint32_t first_of_segment = k / group * group;
  Operand word;
  if (k < depth) word.bits = element_of(k).bits;
  if (last_row && first_of_segment < depth) {
    const Operand last = element_of(within(k, depth));
    word.scale = last.scale;
    word.offset = last.offset;
  }
  return word;
}

template <class Wire, class Value>
void put(std::uint64_t cycle, Wire& wire, const Value& value) {
  if (wire) throw test::RegisterFault(fmt::format("cycle {}: two values enter on one wire", cycle));
  wire = value;
}

template <class Registers>
typename Registers::Inputs& at(Stimulus<Registers>& stimulus, const Registers& array, std::uint64_t cycle) {
  return stimulus.try_emplace(cycle, array.no_inputs()).first->second;
}

}  // namespace

Operand tile_word(const Trial& trial, const isa::Instruction& preload, std::uint32_t k, std::uint32_t c) {
  if (c >= preload.cols) return {};
  return padded(trial.matrix(), group_of(preload.a_format), k, preload.rows, [&](std::uint32_t row) {
    if (preload.order == isa::TileOrder::kn) {
      return element(preload.a_format, line_at(trial.stationary, preload.a, preload.a_stride, row), c);
    }
    return element(preload.a_format, line_at(trial.stationary, preload.a, preload.a_stride, c),
                   preload.k_offset + row);
  });
}

Operand moving_word(const Trial& trial, const Wave& wave, std::uint32_t m, std::uint32_t k) {
  const isa::Instruction& multiply = *wave.work;
  const auto line = line_at(trial.moving, multiply.a, multiply.a_stride, m);
  return padded(trial.matrix(), wave.group, k, multiply.depth,
                [&](std::uint32_t row) { return element(multiply.a_format, line, multiply.k_offset + row); });
}

test::RowControl row_control(const Trial& trial, const Wave& wave, std::size_t pass, std::uint32_t m) {
  const isa::Instruction& i = *wave.work;
  test::RowControl control;
  control.kind = wave.kind;
  control.swap = i.swap && m == 0;
  control.open = i.open;
  control.accumulate = i.accumulate;
  control.group = static_cast<std::uint8_t>(wave.group);
  control.segments = static_cast<std::uint8_t>(wave.segments);
  control.closing = static_cast<std::uint8_t>(wave.closing);
  control.step = static_cast<std::uint16_t>(wave.step);
  control.pass = static_cast<std::uint32_t>(pass);
  control.row = m;
  control.columns = i.cols;
  control.destination = wave.region(trial) * kRegionRows + m;
  return control;
}

// Behind the start of the instruction: when moving row m enters, when line i of a tile does.
std::vector<std::uint64_t> row_arrivals(const Trial& trial, const Wave& wave) {
  const isa::Instruction& i = *wave.work;
  return decoded_in(trial.matrix(), i.a_format, {i.rows, i.depth, wave.step});
}
std::vector<std::uint64_t> line_arrivals(const Trial& trial, const isa::Instruction& preload) {
  const bool kn = preload.order == isa::TileOrder::kn;
  return decoded_in(trial.matrix(), preload.a_format,
                    {kn ? preload.rows : preload.cols, kn ? preload.cols : preload.rows, 1});
}

namespace {

// A tile's lines come in last first, skewed one cycle a cell, and always as many as the array has. Lines that
// the decode stage delays are collected before the chain, which then shifts them in without a gap.
void drive_tile(const Trial& trial, const test::SystolicRegisters& array, const isa::Instruction& preload,
                std::uint64_t start, Stimulus<test::SystolicRegisters>& stimulus) {
  const config::Matrix& m = trial.matrix();
  const bool kn = preload.order == isa::TileOrder::kn;
  const std::uint32_t lines = kn ? m.rows : m.columns, length = kn ? m.columns : m.rows;
  const std::uint64_t last = line_arrivals(trial, preload).back();
  const std::uint64_t first_line =
      decoded_in(m, preload.a_format, {1, kn ? preload.cols : preload.rows, 1}).back();
  start += std::max<std::uint64_t>(last, lines - 1 + first_line) - (lines - 1);
  for (std::uint32_t j = 0; j < lines; ++j) {
    const std::uint32_t line = lines - 1 - j;
    for (std::uint32_t i = 0; i < length; ++i) {
      auto& inputs = at(stimulus, array, start + j + i);
      const test::SystolicRegisters::TileWord word{
          kn ? tile_word(trial, preload, line, i) : tile_word(trial, preload, i, line), line == 0};
      put(start + j + i, kn ? inputs.tile_top[i] : inputs.tile_left[i], word);
    }
  }
}

}  // namespace

Stimulus<test::SystolicRegisters> drive_systolic(const Trial& trial, const test::SystolicRegisters& array,
                                                 std::span<const std::uint64_t> starts) {
  Stimulus<test::SystolicRegisters> stimulus;
  for (std::size_t i = 0; i < trial.program.size(); ++i) {
    if (trial.program[i].op == isa::Opcode::preload) {
      drive_tile(trial, array, trial.program[i], starts[i], stimulus);
    }
  }
  const std::vector<Wave> waves = waves_of(trial);
  for (std::size_t pass = 0; pass < waves.size(); ++pass) {
    const Wave& wave = waves[pass];
    const std::vector<std::uint64_t> arrivals = row_arrivals(trial, wave);
    for (std::uint32_t m = 0; m < wave.work->rows; ++m) {
      const test::RowControl control = row_control(trial, wave, pass, m);
      for (std::uint32_t k = 0; k < trial.matrix().rows; ++k) {
        const std::uint64_t cycle = starts[wave.number] + arrivals[m] + std::uint64_t{k} * wave.step;
        put(cycle, at(stimulus, array, cycle).left[k],
            test::SystolicRegisters::Moving{moving_word(trial, wave, m, k), control});
      }
    }
  }
  return stimulus;
}

Stimulus<test::OutputRegisters> drive_output(const Trial& trial, const test::OutputRegisters& array,
                                             std::span<const std::uint64_t> starts) {
  Stimulus<test::OutputRegisters> stimulus;
  const std::vector<Wave> waves = waves_of(trial);
  for (std::size_t pass = 0; pass < waves.size(); ++pass) {
    const Wave& wave = waves[pass];
    const isa::Instruction& i = *wave.work;
    const Format a_format = activation_format(i.b_format);
    const bool kn = i.order == isa::TileOrder::kn;
    for (std::uint32_t k = 0; k < i.depth; ++k) {
      const bool last = k + 1 == i.depth;
      const test::OutputRegisters::Control control{
          wave.kind,
          static_cast<std::uint16_t>(wave.step),
          static_cast<std::uint32_t>(pass),
          k,
          last,
          wave.kind != test::Kind::integer && (k + 1) % wave.group == 0,
          i.accumulate,
          i.rows,
          i.cols,
          wave.region(trial) * kRegionRows};
      const auto enter = [&](std::uint32_t place, auto side, const Operand& operand) {
        const std::uint64_t cycle = starts[wave.number] + std::uint64_t{k + place} * wave.step;
        put(cycle, (at(stimulus, array, cycle).*side)[place],
            test::OutputRegisters::Element{operand, control});
      };
      for (std::uint32_t m = 0; m < trial.matrix().rows; ++m) {
        enter(m, &test::OutputRegisters::Inputs::left,
              m < i.rows ? element(a_format, line_at(trial.moving, i.a, i.a_stride, m), k) : Operand{});
      }
      for (std::uint32_t n = 0; n < trial.matrix().columns; ++n) {
        enter(n, &test::OutputRegisters::Inputs::top,
              n >= i.cols
                  ? Operand{}
                  : element(i.b_format, line_at(trial.stationary, i.b, i.b_stride, kn ? k : n), kn ? n : k));
      }
    }
  }
  return stimulus;
}

Stimulus<test::DotRegisters> drive_dot(const Trial& trial, std::span<const std::uint64_t> starts) {
  Stimulus<test::DotRegisters> stimulus;
  const config::Matrix& matrix = trial.matrix();
  for (std::size_t p = 0; p < trial.program.size(); ++p) {
    const isa::Instruction& i = trial.program[p];
    if (i.op != isa::Opcode::preload) continue;
    const bool nk = i.order == isa::TileOrder::nk;
    const std::vector<std::uint64_t> arrivals = line_arrivals(trial, i);
    for (std::uint32_t line = 0; line < (nk ? i.cols : i.rows); ++line) {
      test::DotRegisters::TileLine words{nk, line, {}};
      for (std::uint32_t e = 0; e < (nk ? matrix.rows : matrix.columns); ++e) {
        words.words.push_back(nk ? tile_word(trial, i, e, line) : tile_word(trial, i, line, e));
      }
      const std::uint64_t cycle = starts[p] + arrivals[line];
      put(cycle, stimulus[cycle].line, words);
    }
  }
  const std::vector<Wave> waves = waves_of(trial);
  for (std::size_t pass = 0; pass < waves.size(); ++pass) {
    const std::vector<std::uint64_t> arrivals = row_arrivals(trial, waves[pass]);
    for (std::uint32_t m = 0; m < waves[pass].work->rows; ++m) {
      test::DotRegisters::MovingRow row{
          row_control(trial, waves[pass], pass, m), {}, waves[pass].work->depth};
      for (std::uint32_t k = 0; k < matrix.rows; ++k) {
        row.elements.push_back(moving_word(trial, waves[pass], m, k));
      }
      const std::uint64_t cycle = starts[waves[pass].number] + arrivals[m];
      put(cycle, stimulus[cycle].row, row);
    }
  }
  return stimulus;
}

}  // namespace tokencycle::proof
