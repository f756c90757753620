// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/refuse.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "compiler/passes/batch.h"
#include "compiler/passes/plan.h"
#include "compiler/tile/tiling.h"

namespace tokencycle::compiler {
namespace {

constexpr std::uint64_t kStrideLimit = 1u << 24;  // bytes between rows in local memory, and columns
constexpr std::uint64_t kHeadLimit = 1u << 12;    // elements of a head that rotary can name

std::uint64_t kib(std::uint64_t bytes) {
  return ceil_div(bytes, 1024);
}

void need_type(const config::Machine& machine, Format format, const std::string& what,
               const std::string& remedy) {
  const MultiplyType type = multiply_type(format);
  if (machine.matrix.cycles_per_row[static_cast<std::size_t>(type)] != 0) return;
  throw ConfigurationError(
      fmt::format("machine '{}': {} is {} and needs {} multipliers, which the machine lacks; add "
                  "/matrix/cycles_per_row/{} to the configuration, or {}",
                  machine.name, what, name_of(format), name_of(type), name_of(type), remedy));
}

void need_row(std::uint64_t bytes, const std::string& what) {
  if (bytes < kStrideLimit) return;
  throw ConfigurationError(
      fmt::format("{} takes {} bytes per row; an instruction's stride is at most {} bytes; "
                  "take a smaller --context, or a model of narrower rows",
                  what, bytes, kStrideLimit - 1));
}

// The only linear of a graph whose rows are in DRAM.
struct Streams {
  StoredMatrix x, w;
  std::optional<Tiling> tiling;
};

Streams streams_of(const Demands& d, const config::Machine& machine, std::uint32_t rows) {
  const model::Operator& op = d.graph->operators[0];
  const StoredMatrix x{{}, d.graph->values[op.inputs[0]].format, rows, op.weight->cols};
  const StoredMatrix w{{}, op.weight->format, op.weight->rows, op.weight->cols};
  return {x, w, tile_streamed(machine, x, w, machine.scratchpad.capacity_bytes)};
}

}  // namespace

void refuse_missing_types(const model::Graph& graph, const config::Machine& machine, Format kv_format) {
  for (const model::Operator& op : graph.operators) {
    if (has_matrix(op)) {
      need_type(machine, op.weight->format,
                fmt::format("tensor '{}' of operator '{}'", op.weight->name, op.name),
                "convert the model to another format");
    }
  }
  for (const model::Operator& op : graph.operators) {
    if (op.kind != model::OperatorKind::attention) continue;
    const char* remedy = "choose another format of the KV cache";
    need_type(machine, kv_format, fmt::format("the KV cache, which operator '{}' multiplies,", op.name),
              remedy);
    if (value_format(kv_format) == kv_format) continue;
    need_type(machine, value_format(kv_format),
              fmt::format("what operator '{}' takes of values in {}", op.name, name_of(kv_format)), remedy);
  }
}

void refuse_graph(const model::Graph& graph) {
  for (const model::Operator& op : graph.operators) {
    if (op.kind != model::OperatorKind::linear || graph.operators.size() == 1) continue;
    if (graph.values[op.inputs[0]].kind != model::ValueKind::input) continue;
    throw ConfigurationError(
        fmt::format("operator '{}' reads rows that the host writes to DRAM, and is not the only one of its "
                    "graph; compile "
                    "it as a graph of its own",
                    op.name));
  }
  for (const model::Operator& op : graph.operators) {
    const bool biased = op.kind == model::OperatorKind::linear && op.bias != nullptr;
    if (biased && graph.values[op.output].rows == model::RowsOf::outputs) {
      throw ConfigurationError(fmt::format(
          "operator '{}' adds '{}' to the logits, which go to DRAM as they are; use a model without it",
          op.name, op.bias->name));
    }
    if (biased && op.bias->format != Format::f32) {
      throw ConfigurationError(
          fmt::format("tensor '{}' of operator '{}' is {}, but a bias must be f32; convert the model again",
                      op.bias->name, op.name, name_of(op.bias->format)));
    }
  }
}

void refuse_thin_arrays(const model::Graph& graph, const config::Machine& machine) {
  for (const model::Operator& op : graph.operators) {
    if (op.kind != model::OperatorKind::linear || !is_integer(op.weight->format)) continue;
    const Mapping map = map_product(machine.matrix, op.weight->format, isa::TileOrder::nk, op.weight->cols);
    const std::uint32_t together = block_elements(op.weight->format);
    if (map.pass >= together || op.weight->cols <= map.pass) continue;
    throw ConfigurationError(
        fmt::format("machine '{}': {} values lie {} a byte, and a pass takes {}: set /matrix/rows and "
                    "/matrix/tiling/k to at least {}",
                    machine.name, name_of(op.weight->format), together, map.pass, together));
  }
}

void refuse_large_shapes(const Demands& d, std::uint32_t context) {
  for (const model::Operator& op : d.graph->operators) {
    if (op.output == d.graph->result) continue;  // goes to DRAM
    need_row(std::uint64_t{op.output_columns} * 4, fmt::format("the result of operator '{}'", op.name));
  }
  if (d.attentions.front().heads != 0) {
    need_row(std::uint64_t{d.largest_group()} * context * 4,
             "attention's scores (context x query heads of a KV head)");
  }
  for (const model::Operator& op : d.graph->operators) {
    if (op.kind != model::OperatorKind::rotary || op.rotary.head < kHeadLimit) continue;
    throw ConfigurationError(fmt::format("a head has {} elements; the rotary instruction takes at most {}",
                                         op.rotary.head, kHeadLimit - 1));
  }
}

void refuse_small_memories(const Demands& d, const config::Machine& machine, std::uint32_t context) {
  const std::uint64_t sums = smallest_accumulator(d), bytes = smallest_scratchpad(d, context);
  if (machine.accumulator.capacity_bytes < sums) {
    throw ConfigurationError(fmt::format(
        "machine '{}': the accumulator memory has {}; two halves for {} query heads of a KV head need {}: "
        "set "
        "/accumulator/capacity_kib to at least {}",
        machine.name, bytes_text(machine.accumulator.capacity_bytes), d.largest_group(), bytes_text(sums),
        kib(sums)));
  }
  if (machine.scratchpad.capacity_bytes >= bytes) return;
  throw ConfigurationError(fmt::format(
      "machine '{}': the scratchpad has {}; one token of this model with a context of {} positions needs {}: "
      "set /scratchpad/capacity_kib to at least {}, or choose a smaller --context",
      machine.name, bytes_text(machine.scratchpad.capacity_bytes), context, bytes_text(bytes), kib(bytes)));
}

void refuse_many_sequences(const Demands& d, const config::Machine& machine, const Options& options) {
  if (options.sequences == 1) return;
  if (options.sequences == 0) throw UsageError("--sequences is 0; it must be at least 1");
  const std::uint32_t most = most_sequences(d, machine, options);
  if (options.sequences <= most) return;
  throw ConfigurationError(fmt::format(
      "machine '{}': --sequences is {}, and the scratchpad of {} and the accumulator memory of {} hold a "
      "token "
      "of at most {} sequences of this model with a context of {}; raise /scratchpad/capacity_kib or "
      "/accumulator/capacity_kib, or choose a smaller --context or fewer sequences",
      machine.name, options.sequences, bytes_text(machine.scratchpad.capacity_bytes),
      bytes_text(machine.accumulator.capacity_bytes), most, options.context));
}

void refuse_streams(const Demands& d, const config::Machine& machine, std::uint32_t rows) {
  if (!d.streamed) return;
  const Streams s = streams_of(d, machine, rows);
  if (s.tiling) return;
  throw ConfigurationError(fmt::format(
      "machine '{}': the scratchpad of {} (/scratchpad/capacity_kib) holds no tile and moving row of this "
      "product; it must have at least {} KiB",
      machine.name, bytes_text(machine.scratchpad.capacity_bytes),
      kib(smallest_streamed(machine, s.x, s.w))));
}

void refuse_long_programs(const Demands& d, const config::Machine& machine, std::uint32_t rows) {
  if (!d.streamed) return;
  const Streams s = streams_of(d, machine, rows);
  constexpr std::uint64_t kMostChunks = 4u << 20;  // about 2 GiB of words on the host
  const std::uint64_t chunks = ceil_div(s.x.rows, s.tiling->rows) * ceil_div(s.w.rows, s.tiling->cols) *
                               ceil_div(s.w.cols, s.tiling->depth);
  if (chunks <= kMostChunks) return;
  throw ConfigurationError(
      fmt::format("machine '{}': the product takes {} chunks of operands, and a program may have {}; raise "
                  "/scratchpad/capacity_kib and /accumulator/capacity_kib, or use --array-alone",
                  machine.name, with_separators(chunks), with_separators(kMostChunks)));
}

void refuse_small_dram(const Demands& d, const DramLayout& layout, const config::Machine& machine) {
  if (layout.end <= machine.dram.capacity_bytes) return;
  if (d.streamed) {
    throw ConfigurationError(fmt::format(
        "machine '{}': operands, result and program take {} ({} bytes more), and the DRAM has {}; {}, "
        "or use --array-alone, which needs no memory",
        machine.name, bytes_text(layout.end), with_separators(layout.end - machine.dram.capacity_bytes),
        bytes_text(machine.dram.capacity_bytes), config::larger_dram_text(machine, layout.end)));
  }
  throw ConfigurationError(fmt::format(
      "machine '{}': the DRAM has {}; weights, KV cache, logits and program need {} ({} bytes more): "
      "{}, or choose a smaller --context or --batch",
      machine.name, bytes_text(machine.dram.capacity_bytes), bytes_text(layout.end),
      with_separators(layout.end - machine.dram.capacity_bytes),
      config::larger_dram_text(machine, layout.end)));
}

}  // namespace tokencycle::compiler
