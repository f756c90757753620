// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/layout.h"

#include <algorithm>

namespace tokencycle::compiler {
namespace {

constexpr std::uint64_t kPage = 4096;  // regions start at multiples of it, and so at bursts and DRAM rows

class Regions {
 public:
  DramAddress add(std::uint64_t bytes) {
    const DramAddress at(next_);
    next_ = round_up(next_ + bytes, kPage);
    return at;
  }
  std::uint64_t end() const { return next_; }

 private:
  std::uint64_t next_ = 0;
};

std::uint64_t state_bytes(const model::Value& v, const Options& options) {
  if (v.rows == model::RowsOf::own) return std::uint64_t{v.count} * v.cols * 4;
  return options.context * row_bytes(options.kv_format, v.cols);
}

}  // namespace

DramLayout assign_layout(const Source& source, const Options& options, std::uint32_t batch) {
  DramLayout l;
  Regions regions;
  const model::Graph& graph = *source.graph;
  const std::uint64_t context = options.context;
  l.weights = regions.add(source.weight_bytes);
  std::vector<std::pair<std::string, std::uint64_t>> names;  // regions of states in the order of the graph
  for (const model::Value& v : graph.values) {
    if (v.kind != model::ValueKind::state) continue;
    auto at = std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.first == v.region; });
    if (at == names.end()) at = names.insert(names.end(), {v.region, 0});
    at->second += options.sequences * state_bytes(v, options);
  }
  l.values.resize(graph.values.size());
  l.sequence_bytes.resize(graph.values.size());
  for (const auto& [constant, table] : graph.rotary_tables) {
    l.values[constant] = regions.add(context * graph.values[constant].cols * 4);
  }
  for (const auto& [name, bytes] : names) l.regions[name] = regions.add(bytes);
  std::map<std::string, DramAddress> next = l.regions;
  for (model::ValueId id = 0; id < graph.values.size(); ++id) {
    const model::Value& v = graph.values[id];
    if (v.kind != model::ValueKind::state) continue;
    l.values[id] = next[v.region];
    l.sequence_bytes[id] = state_bytes(v, options);
    next[v.region] = next[v.region] + options.sequences * state_bytes(v, options);
  }
  for (model::ValueId v = 0; v < graph.values.size(); ++v) {
    if (graph.values[v].kind != model::ValueKind::input) continue;
    l.values[v] = regions.add(batch * row_bytes(graph.values[v].format, graph.values[v].cols));
    if (graph.values[v].format == Format::u32) l.token_ids = l.values[v];
  }
  l.logits = regions.add(std::uint64_t{batch} * graph.values[graph.result].cols * 4);
  l.program = DramAddress(regions.end());
  l.end = regions.end();
  return l;
}

void place_program(DramLayout& layout, std::uint64_t program_bytes) {
  layout.program_bytes = round_up(program_bytes, kPage);
  layout.end = layout.program.value + layout.program_bytes;
}

}  // namespace tokencycle::compiler
