// SPDX-License-Identifier: Apache-2.0
// Makes a graph operator by operator. A builder of an architecture says with it, at once, which tensors the
// architecture has and what is computed with them: there is no second list.
#pragma once

#include <string>
#include <string_view>

#include "model/graph/graph.h"

namespace tokencycle::model {

// Where tensors come from: a file that has them, or a directory that is made as they are asked for. Names are
// GGUF's, with ".weight" or ".bias".
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  virtual Weight matrix(const std::string& name, std::uint32_t rows, std::uint32_t cols) = 0;
  // `experts` matrices of rows x cols in one tensor.
  virtual Weight matrices(const std::string& name, std::uint32_t experts, std::uint32_t rows,
                          std::uint32_t cols) = 0;
  virtual Weight vector(const std::string& name, std::uint32_t cols) = 0;  // a gain or bias: a plain format
  // A matrix in f32, which no converter stores otherwise.
  virtual Weight kernel(const std::string& name, std::uint32_t rows, std::uint32_t cols) = 0;
  virtual bool has(const std::string& name) const = 0;  // of what a model may lack
};

// Whether a linear adds "<name>.bias".
enum class Bias : std::uint8_t { none, always, where_present };

class GraphBuilder {
 public:
  GraphBuilder(Graph& graph, TensorSource& tensors) : graph_(graph), tensors_(tensors) {}

  // Whether the model has this tensor of the layer, of those that it may lack.
  bool has(std::string_view tensor) const { return tensors_.has(full_name(tensor)); }

  // Names that follow are "blk.<layer>.<name>"; -1: the name alone.
  void set_layer(int layer) { layer_ = layer; }

  // The matrix "<name>.weight".
  const Weight& matrix(std::string_view name, std::uint32_t rows, std::uint32_t cols);

  ValueId token_ids();
  ValueId rotary_table(const RotaryTable& table);
  ValueId state(std::string_view name, std::string region, std::uint32_t cols);
  // A state of so many rows, whatever the position.
  ValueId recurrent_state(std::string_view name, std::uint32_t rows, std::uint32_t cols);

  // fp32 rows that the host writes, and the same in the graph.
  ValueId input_rows(std::string_view name, std::uint32_t cols);
  ValueId read_rows(std::string_view name, ValueId rows);

  ValueId gather_rows(std::string_view name, ValueId ids, const Weight& table);
  ValueId position_rows(std::string_view name, ValueId ids, const Weight& table);
  ValueId linear(std::string_view name, ValueId x, const Weight& weight);
  // With the matrix "<name>.weight" of so many rows, "<name>.scale", a factor of the result, where the model
  // has it, and, if asked for, "<name>.bias", which is added to the product. (Of feed-forward layers
  // llama.cpp multiplies the sum, and says itself that this is wrong.)
  ValueId linear(std::string_view name, ValueId x, std::uint32_t rows, Bias bias = Bias::none);
  // One linear for each of `parts`, whose rows lie one behind the other in "<tensor>.weight" and
  // "<tensor>.bias"; "<tensor>.scale" is the factor of all.
  struct Part {
    std::string_view name;
    std::uint32_t rows = 0;
  };
  std::vector<ValueId> linears(std::string_view tensor, ValueId x, const std::vector<Part>& parts,
                               Bias bias = Bias::none);
  // With the gain "<name>.weight" and, of the kind layer, "<name>.bias"; `shape.columns` 0: the whole row.
  ValueId norm(std::string_view name, ValueId x, NormShape shape);
  // The same of the kind rms without a gain.
  ValueId plain_norm(std::string_view name, ValueId x, NormShape shape);
  ValueId map(std::string_view name, MapFunction f, ValueId x, float scalar = 0);
  ValueId zip(std::string_view name, ZipFunction f, ValueId x, ValueId y);
  // With the tensor of this name (its whole name behind the layer's) of so many values.
  ValueId zip_row(std::string_view name, ZipFunction f, ValueId x, std::string_view tensor,
                  std::uint32_t values);
  // Of inputs q, k, v, decay, beta and the state.
  ValueId delta_rule(std::string_view name, const std::vector<ValueId>& inputs, const DeltaShape& shape);
  ValueId columns(std::string_view name, ValueId x, const ColumnsShape& shape);
  // Of each of `groups` groups the columns of x, then those of y.
  ValueId join(std::string_view name, ValueId x, ValueId y, std::uint32_t groups);
  // With the tensor "<name>.weight" of a matrix of so many rows for each of `parts` parts of x.
  ValueId part_linear(std::string_view name, ValueId x, std::uint32_t parts, std::uint32_t rows);
  ValueId rotary(std::string_view name, ValueId x, ValueId table, const RotaryShape& shape);
  void append(std::string_view name, ValueId x, ValueId state);
  // `sinks`: a tensor "<sinks>.weight" with a value for each query head.
  ValueId attention(std::string_view name, ValueId q, ValueId keys, ValueId values,
                    const AttentionShape& shape, std::string_view sinks = {});
  ValueId softmax(std::string_view name, ValueId x);
  ValueId top_k(std::string_view name, ValueId x, std::uint32_t count);
  ValueId keep_groups(std::string_view name, ValueId x, const GroupsShape& shape);
  ValueId take(std::string_view name, ValueId x, ValueId places);
  ValueId normalize(std::string_view name, ValueId x);
  // With the tensor "<name>.weight" of `experts` matrices of so many rows and, if asked for, "<name>.bias"
  // with a row for each; x is a row for all places, or, with `parts`, has one for each.
  ValueId expert_linear(std::string_view name, ValueId x, ValueId places, std::uint32_t experts,
                        std::uint32_t rows, bool parts = false, Bias bias = Bias::none);
  // One of them for each of `parts`, whose rows lie one behind the other in each matrix of "<tensor>.weight".
  std::vector<ValueId> expert_linears(std::string_view tensor, ValueId x, ValueId places,
                                      std::uint32_t experts, const std::vector<Part>& parts);
  // Of the factors "<tensor>.scale" of the experts' results those of the places; kNoValue where there are
  // none.
  ValueId expert_scales(std::string_view tensor, ValueId places, std::uint32_t experts);
  ValueId scale_parts(std::string_view name, ValueId x, ValueId factors);
  ValueId weighted_sum(std::string_view name, ValueId x, ValueId factors);
  // With "<name>.weight", which has `taps` values for each column of x; the state has a row less.
  ValueId convolution(std::string_view name, ValueId x, ValueId state, std::uint32_t taps);
  // With "<name>.weight" and, of a GRU, "<name>.bias" (F32).
  ValueId cell(std::string_view name, ValueId x, ValueId state, const CellShape& shape);

  // Of the value that was just made, only the rows whose result is wanted.
  void outputs_only(ValueId value) { graph_.values[value].rows = RowsOf::outputs; }
  void set_result(ValueId value) { graph_.result = value; }

 private:
  std::string full_name(std::string_view name) const;
  ValueId zip_row(std::string_view name, ZipFunction f, ValueId x, const Weight& row);
  ValueId expert_linear(std::string_view name, ValueId x, ValueId places, const Weight& weight);
  // The result y of the linear that was just made, times the factor and plus the bias, if there are any.
  ValueId finish_linear(std::string_view name, ValueId y, const Weight* scale, const Weight* bias);
  // "<tensor>.scale", null where there is none.
  const Weight* scale_of(std::string_view tensor);
  // "<name>.bias" of so many values, null where there is none.
  const Weight* bias_of(std::string_view name, std::uint32_t rows, Bias bias);
  ValueId add_value(ValueKind kind, RowsOf rows, std::uint32_t cols, std::string name);
  Operator& add(OperatorKind kind, std::string_view name, std::vector<ValueId> inputs, std::uint32_t cols);
  std::uint32_t cols(ValueId v) const { return graph_.values[v].cols; }

  Graph& graph_;
  TensorSource& tensors_;
  int layer_ = -1;
};

}  // namespace tokencycle::model
