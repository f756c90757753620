// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/step_time.h"

#include <algorithm>
#include <vector>

#include "compiler/tile/estimate.h"
#include "isa/encoding.h"
#include "isa/vector/function.h"

namespace tokencycle::compiler {
namespace {

using isa::Instruction;
using isa::Opcode;

class StepTime {
 public:
  explicit StepTime(const config::Machine& machine)
      : m_(machine), bytes_per_cycle_(machine.peak_dram_gb_per_s() / machine.clock_ghz) {}

  double of(const isa::Program& program) {
    std::vector<Use> uses(program.operators.size() + 1);  // the last: of no operator
    std::vector<std::uint32_t> owner(program.words.size(), static_cast<std::uint32_t>(uses.size() - 1));
    for (const isa::Section& s : program.sections)
      std::fill_n(owner.begin() + s.first, s.count, s.operator_id);
    struct Loop {
      std::size_t end;
      double times;
    };
    std::vector<Loop> loops{{program.words.size(), 1}};
    for (std::size_t w = 0; w < program.words.size(); ++w) {
      while (loops.size() > 1 && loops.back().end <= w) loops.pop_back();
      const Instruction i = isa::decode(program.words[w]);
      if (i.op == Opcode::loop) {
        loops.push_back({w + 1 + i.length, loops.back().times * i.count});
      } else {
        add(i, loops.back().times, uses[owner[w]]);
      }
    }
    double sum = 0;
    for (const Use& u : uses) sum += std::max(u.units, u.dram);
    return sum;
  }

 private:
  struct Use {
    double units = 0, dram = 0;  // cycles
  };

  void add(const Instruction& i, double times, Use& use) {
    switch (isa::unit_of(i.op)) {
      case isa::Unit::load:
      case isa::Unit::store:
        use.dram += times * transfer(i);
        return;
      case isa::Unit::matrix:
        use.units += times * matrix(i);
        return;
      case isa::Unit::vector:
        use.units += times * vector(i);
        return;
      case isa::Unit::front_end:
        return;
    }
  }

  double transfer(const Instruction& i) const {
    const double row = i.op == Opcode::store ? static_cast<double>(row_bytes(i.dst_format, i.cols)) : i.cols;
    return i.rows * row / bytes_per_cycle_;
  }

  static double accesses(Format f, std::uint32_t elements, std::uint32_t port) {
    return static_cast<double>(ceil_div(row_part(f, 0, elements).bytes, port));
  }
  // Of the operand with the fewer bits, as the array has it; some formats of activations are no weights.
  double step(Format a, Format b) const {
    const auto bits = [](Format f) { return double{1} * block_bytes(f) / block_elements(f); };
    const bool first = kModelFormats.has(a) && (!kModelFormats.has(b) || bits(a) <= bits(b));
    return m_.matrix.cycles_per_row[static_cast<std::size_t>(multiply_type(first ? a : b))];
  }
  double wave() const { return double{1} * m_.matrix.rows + m_.matrix.columns; }

  // A preload's time counts where it is longer than the pass under way.
  double matrix(const Instruction& i) {
    const config::Matrix& a = m_.matrix;
    if (i.op == Opcode::matmul) {
      return i.depth * step(i.b_format, i.b_format) + (a.back_to_back ? 0 : wave());
    }
    if (i.op == Opcode::preload) {
      tile_ = i.a_format;
      const bool rows_of_n = i.order == isa::TileOrder::nk;
      preload_ = (rows_of_n ? i.cols : i.rows) *
                 accesses(i.a_format, rows_of_n ? i.rows : i.cols, a.stationary_port_bytes);
      return 0;
    }
    const double entered =
        i.rows * std::max(step(i.a_format, tile_), accesses(i.a_format, i.depth, a.moving_port_bytes));
    const double preload = i.swap ? preload_ : 0;
    if (!a.double_buffered) return entered + preload + wave();
    return std::max(entered, preload) + kDisturbed * std::min(entered, preload) +
           (a.back_to_back ? 0 : wave());
  }

  double vector(const Instruction& i) const {
    const double beats = static_cast<double>(ceil_div(i.cols, m_.vector.lanes));
    double row = 0, result = 0;  // cycles of a row; from the last beat of a pass to a value of the row
    for (const isa::VectorPass& pass : isa::passes_of(i)) {
      double interval = pass.reads_b ? 2 : 1, latency = m_.scratchpad.read_latency_cycles;
      for (const isa::LaneFunction f : pass.chain()) {
        interval = std::max<double>(interval, m_.vector.cost(f).cycles_per_beat);
        latency += m_.vector.cost(f).latency_cycles;
      }
      row += beats * interval + result;
      result = pass.writes ? 0 : latency;
    }
    return i.rows * row * (isa::vector_function(i.op).repeated ? i.depth : 1);
  }

  const config::Machine& m_;
  double bytes_per_cycle_;
  double preload_ = 0;  // of the newest tile
  Format tile_ = Format::f32;
};

}  // namespace

double estimated_cycles(const isa::Program& program, const config::Machine& machine) {
  return StepTime(machine).of(program);
}

}  // namespace tokencycle::compiler
