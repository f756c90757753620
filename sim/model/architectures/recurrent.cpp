// SPDX-License-Identifier: Apache-2.0
// LSTM and GRU language models: embedding, layers of cells, and a linear that gives the logits. Names and
// keys of their files are this project's own (models/README.md); of the gates' order and formulas see
// CellShape.
#include "model/architectures/parts.h"

namespace tokencycle::model {
namespace {

void build(GraphBuilder& g, const Hyperparameters& s, CellKind kind) {
  const CellShape shape{kind, s.width};
  const ValueId ids = g.token_ids();
  std::vector<ValueId> states;
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    g.set_layer(static_cast<int>(i));
    states.push_back(g.recurrent_state("cell_rows", shape.state_rows(), s.width));
  }
  g.set_layer(-1);
  const Weight& embedding = g.matrix("token_embd", s.vocabulary, s.width);
  ValueId x = g.gather_rows("embedding", ids, embedding);
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    g.set_layer(static_cast<int>(i));
    x = g.linear("cell_input", x, shape.gates() * s.width, Bias::always);
    x = g.cell("cell_state", x, states[i], shape);
  }
  g.set_layer(-1);
  const ValueId logits =
      s.tied_output ? g.linear("output", x, embedding) : g.linear("output", x, s.vocabulary);
  g.outputs_only(logits);
  g.set_result(logits);
}

}  // namespace

void build_lstm(GraphBuilder& g, const Hyperparameters& s) {
  build(g, s, CellKind::lstm);
}

void build_gru(GraphBuilder& g, const Hyperparameters& s) {
  build(g, s, CellKind::gru);
}

}  // namespace tokencycle::model
