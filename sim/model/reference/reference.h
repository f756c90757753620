// SPDX-License-Identifier: Apache-2.0
// The golden truth: the same graph with the same numerics as plain loops, one token at a time.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/state.h"
#include "model/architecture.h"
#include "model/tokenizer/tokenizer.h"

namespace tokencycle::model {

// A tap sees each operator's result for the current token: fp32, op.output_columns values.
using ReferenceTap =
    std::function<void(const Operator& op, std::uint32_t position, std::span<const float> result)>;

// May change the places that a top-k chose among the values: where two are nearly equal, another program's
// choice is as good.
using ReferenceChooser = std::function<void(const Operator& op, std::uint32_t position,
                                            std::span<const float> values, std::span<float> places)>;

// Interprets a graph: one row of each value, the states as they grow.
class Reference {
 public:
  // kv_format: one of kCacheFormats. Throws ConfigurationError for others, and as check_cache().
  Reference(const LlamaModel& model, Format kv_format);

  // Evaluates one token at the next position and returns its logits (vocabulary values, valid until the
  // next call). Throws SimulationError naming the limit when the context is full.
  std::span<const float> step(TokenId token);
  // Of an encoder: all rows of its input at once, [row][columns] in the input value's format, operator by
  // operator, each for every row; returns the result of each row. Throws SimulationError for more rows than
  // the context has.
  std::vector<std::vector<float>> encode(std::span<const std::byte> rows);
  void reset();  // empties the states
  std::uint32_t position() const { return position_; }
  template <class Archive>
  void serialize(Archive& state) {
    state(position_);
    for (std::vector<std::byte>& rows : states_) serialize_bytes(state, rows);
  }
  void set_tap(ReferenceTap tap) { tap_ = std::move(tap); }
  void set_chooser(ReferenceChooser chooser) { chooser_ = std::move(chooser); }

 private:
  // `input`: the row of this token.
  void execute(const Operator& op, std::span<const std::byte> input);
  void show(const Operator& op) const;  // its result to the tap
  void norm(const Operator& op);
  void append(const Operator& op);
  void attend(const Operator& op);
  void convolve(const Operator& op);
  std::span<const float> in(const Operator& op, std::size_t i) const { return values_[op.inputs[i]]; }
  std::span<const float> table_row(ValueId table) const;  // [pairs][2] of the position
  std::vector<std::byte>& state(ValueId value) { return states_[state_of_[value]]; }

  const LlamaModel& model_;
  const Graph& graph_;
  Format kv_format_;
  std::uint32_t position_ = 0;
  ReferenceTap tap_;
  ReferenceChooser chooser_;
  std::vector<std::vector<float>> values_;  // by ValueId: the row of the current token
  std::vector<std::size_t> state_of_;       // by ValueId: which of the states
  // [position][columns] in the format of the KV cache; [row][columns] fp32 of rows of their own, none at
  // first
  std::vector<std::vector<std::byte>> states_;
};

// exp(mean negative log-likelihood) over windows of `window` tokens as llama-perplexity defines it: windows
// without overlap, the first token of each replaced by BOS, the second half scored (positions window/2 + 1 ..
// window - 1).
struct Perplexity {
  double value = 0;
  std::uint64_t scored_tokens = 0, windows = 0;
};
// `evaluate` maps the tokens of one window to the logits of each position (row i predicts token i + 1);
// rows before window/2 may be empty. Throws ModelError when the text is shorter than one window.
using WindowEvaluator = std::function<std::vector<std::vector<float>>(std::span<const TokenId> window)>;
Perplexity perplexity(const Tokenizer& tokenizer, std::string_view text, std::uint32_t window,
                      const WindowEvaluator& evaluate);

// Negative natural log-likelihood of `token` under softmax(logits), in binary64.
double negative_log_likelihood(std::span<const float> logits, TokenId token);

}  // namespace tokencycle::model
