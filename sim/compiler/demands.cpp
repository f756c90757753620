// SPDX-License-Identifier: Apache-2.0
#include "compiler/demands.h"

#include <algorithm>

namespace tokencycle::compiler {
namespace {

void count_projection(Demands& d, const model::Weight& w, FormatSet& input) {
  input.add(activation_format(w.format));
  const std::uint32_t cut = std::min(w.cols, cut_elements(w.format));
  d.smallest_rectangle = std::max(d.smallest_rectangle, static_cast<std::uint32_t>(row_bytes(w.format, cut)));
  const std::uint64_t tile = std::min(d.columns, w.rows) * row_bytes(w.format, w.cols);
  d.widest_tile = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::max<std::uint64_t>(d.widest_tile, tile), 1u << 30));
}

void count_gain(Demands& d, const model::Weight& w) {
  d.gain_bytes = std::max(d.gain_bytes, static_cast<std::uint32_t>(row_bytes(w.format, w.cols)));
  d.gains_converted |= w.format != Format::f32;
}

// A weight that moves through the array has no tiles; so many of its rows make a pass worth its preload.
constexpr std::uint32_t kMovingRows = 64;

std::uint32_t chunk_columns(const config::Matrix& m) {
  switch (m.dataflow) {
    case config::Dataflow::weight_stationary:
    case config::Dataflow::output_stationary:
      return m.tiling.n == 0 ? m.columns : std::min(m.columns, m.tiling.n);
    case config::Dataflow::input_stationary:
    case config::Dataflow::dot_product:
      break;
  }
  return kMovingRows;
}

}  // namespace

Demands demands_of(const model::LlamaModel& model, const config::Machine& machine, Format kv_format) {
  Demands d;
  d.shape = model.shape();
  d.kv_format = kv_format;
  d.group = d.shape.heads / d.shape.kv_heads;
  d.columns = chunk_columns(machine.matrix);
  const std::uint32_t forced = machine.matrix.tiling.k;
  const std::uint32_t pass = forced == 0 ? machine.matrix.rows : std::min(machine.matrix.rows, forced);
  d.pass_rows = pass;
  d.accumulator_half = machine.accumulator.capacity_bytes / 8;
  d.embedding_format = model.embedding().format;
  d.embedding_row_bytes = static_cast<std::uint32_t>(row_bytes(d.embedding_format, d.shape.width));
  for (std::uint32_t i = 0; i < d.shape.layers; ++i) {
    const model::LayerWeights& l = model.layer(i);
    for (const model::Weight* w : {&l.attn_q, &l.attn_k, &l.attn_v})
      count_projection(d, *w, d.attention_input);
    count_projection(d, l.attn_output, d.attention_result);
    for (const model::Weight* w : {&l.ffn_gate, &l.ffn_up}) count_projection(d, *w, d.feed_input);
    count_projection(d, l.ffn_down, d.feed_result);
    d.feed_cut = std::max(d.feed_cut, cut_elements(l.ffn_down.format));
    count_gain(d, l.attn_norm);
    count_gain(d, l.ffn_norm);
  }
  count_gain(d, model.output_norm());
  count_projection(d, model.output(), d.head_input);
  return d;
}

}  // namespace tokencycle::compiler
