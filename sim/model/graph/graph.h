// SPDX-License-Identifier: Apache-2.0
// A model as values and the operators between them. Operators name what is computed, never what a model uses
// it for: executing or compiling a graph needs no architecture.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "numerics/format.h"

namespace tokencycle::model {

// A weight as stored: rows x cols (n x k), row-major, in its file format. Data stays in the mapped file; it
// is empty when the file's tensor data is absent.
struct Weight {
  std::string name;
  Format format = Format::f32;
  std::uint32_t rows = 0, cols = 0;
  std::uint64_t offset = 0;  // within GgufFile::tensor_data()
  std::span<const std::byte> data;
  std::uint32_t experts = 1;  // so many matrices of rows x cols, one behind the other
  std::uint64_t stride = 0;   // bytes from one of them to the next where other rows lie between; else 0
  std::uint64_t matrix_bytes() const { return rows * row_bytes(format, cols); }
  std::uint64_t matrix_stride() const { return stride != 0 ? stride : matrix_bytes(); }
  // One of them. Without data it has none.
  Weight expert(std::uint32_t e) const {
    Weight one = *this;
    one.experts = 1;
    one.stride = 0;
    one.offset += e * matrix_stride();
    if (!data.empty()) one.data = data.subspan(e * matrix_stride(), matrix_bytes());
    return one;
  }
  std::span<const std::byte> row(std::uint32_t r) const {
    const std::uint64_t n = row_bytes(format, cols);
    return data.subspan(r * n, n);
  }
  // Rows [first, first + count) as a weight, of each matrix: parts of what the file stores as one.
  Weight slice(std::uint32_t first, std::uint32_t count) const;
  // The same of a row's values, in a plain format.
  Weight columns(std::uint32_t first, std::uint32_t count) const;
};

using ValueId = std::uint32_t;
inline constexpr ValueId kNoValue = 0xffff'ffffu;

enum class ValueKind : std::uint8_t {
  input,       // what the host writes before a step: token ids (u32), or rows in the format that they meet
  constant,    // a rotary table: cos and sin of each position
  activation,  // fp32 result of an operator; of top_k u32, whose bits lie where fp32 would
  state,       // kept from step to step: rows of positions in the format of the KV cache, its own as fp32
};

// What the rows of a value are.
enum class RowsOf : std::uint8_t {
  tokens,     // of this step
  outputs,    // those tokens of this step whose result is wanted: the last one, or all
  positions,  // all up to this step's last (state), all of the context (constant)
  own,        // of a state, as many as Value::count, whatever the position
};

struct Value {
  ValueKind kind = ValueKind::activation;
  RowsOf rows = RowsOf::tokens;
  std::uint32_t cols = 0;
  std::string name;
  Format format = Format::f32;  // input: of its rows in DRAM
  std::string region;           // state: those of one region lie together in memory
  std::uint32_t count = 0;      // of rows of its own
};

enum class OperatorKind : std::uint8_t {
  gather_rows,    // row ids[t] of the weight, as fp32                                  inputs: ids
  position_rows,  // row p of the weight, p the token's position, as fp32             inputs: ids
  linear,         // x * weight (+ bias)                                                inputs: x
  norm,           // each group of columns alone, times the gain                        inputs: x
  map,            // f(x), element by element                                           inputs: x
  zip,            // f(x, y), element by element                                        inputs: x, y
  rotary,         // heads rotated by the angles of their positions                     inputs: x, table
  append,         // rows of this step behind those of a state; no output               inputs: x, state
  // softmax(q K^T * scale) V over positions of the states, causal or over all of them. With a weight, one
  // value for each query head: its exponential counts in the softmax's sum (a sink). inputs: q, K, V
  attention,
  softmax,    // of each row                                                        inputs: x
  top_k,      // places of the largest of each row, in falling order (u32)          inputs: x
  take,       // x at the places                                                    inputs: x, places
  normalize,  // each row divided by its sum                                        inputs: x
  // For each place e of a row: x times matrix e of the weight, the results side by side. x is one row for all
  // places, or has a part for each. Row e of the bias is added to it.               inputs: x, places
  expert_linear,
  // The parts of x side by side, each times its factor, added in their order.        inputs: x, factors
  weighted_sum,
  // Of each column, the last rows up to this one times the weight's row of the column, the latest row times
  // its last value. Rows before this step are in the state, which then has the latest.  inputs: x, state
  convolution,
  zip_row,  // f(x, the weight's row), element by element; the row may be one value for all   inputs: x
  // Per head a state S of dim x dim: S = S * decay; d = (v - S k) * beta; S = S + d k^T; the result is S q.
  //                                                             inputs: q, k, v, decay, beta, state
  delta_rule,
  columns,  // of each group of columns some that lie together                                inputs: x
  join,     // of each group the first columns from x, the others from y                      inputs: x, y
  // Part e of x times matrix e of the weight, for each of them, the results side by side.        inputs: x
  part_linear,
  // Of groups of columns, those with the largest sums of their two largest values stay; the values of the
  // others become much less than all.                                                        inputs: x
  keep_groups,
  // One step of an LSTM or a GRU: x are the products of the layer's input with their bias, the weight
  // multiplies the state's row h, which becomes the result.                                  inputs: x, state
  cell,
  take_row,     // the weight's row at the places                                       inputs: places
  scale_parts,  // the parts of x side by side, each times its factor                   inputs: x, factors
  read_rows,    // rows that the host wrote, fp32 as they are                                   inputs: rows
};
inline constexpr int kOperatorKinds = static_cast<int>(OperatorKind::read_rows) + 1;
std::string_view name_of(OperatorKind kind);

enum class MapFunction : std::uint8_t {
  silu,
  gelu_tanh,
  tanh,
  scale,
  sigmoid,
  exp,
  softplus,
  add,      // Operator::scalar
  minimum,  // of x and Operator::scalar
  maximum,
};  // scale: times Operator::scalar
enum class ZipFunction : std::uint8_t { add, mul };
enum class RopePairs : std::uint8_t { adjacent, split };  // (2i, 2i+1), or (i, i + rotate/2)

enum class NormKind : std::uint8_t {
  rms,       // x / sqrt(mean(x^2) + epsilon) * gain
  layer,     // (x - mean) / sqrt(variance + epsilon) * gain + bias
  centered,  // the same without a bias
};
// A norm of `columns` values at a time; gain and bias have as many. Of the kind rms the gain may be missing.
struct NormShape {
  NormKind kind = NormKind::rms;
  std::uint32_t columns = 0;
  float epsilon = 0;
};
// The angles of a rotary table: pair i of a head turns by rates[i] from one position to the next. cos and sin
// are multiplied by `magnitude`.
struct RotaryTable {
  std::vector<double> rates;
  double magnitude = 1.0;
};
struct RotaryShape {
  std::uint32_t head = 0, rotate = 0;  // elements of a head, and how many of them are rotated (even)
  RopePairs pairs = RopePairs::adjacent;
};
// Of each `group` columns those of [first, first + count). Of join: the first `first` and `count` others.
struct ColumnsShape {
  std::uint32_t group = 0, first = 0, count = 0;
};
// `count` groups of columns that lie together, of which `kept` stay; more where their sums are equal.
struct GroupsShape {
  std::uint32_t count = 0, kept = 0;
};
inline constexpr float kGroupPenalty = 1e30f;  // for what a group's sum lacks
// v: heads x dim columns; q and k: key_heads x dim, head h has those of key head h modulo key_heads. decay
// and beta: heads columns. Row j of a head's state is S's row for element j of v.
struct DeltaShape {
  std::uint32_t heads = 0, key_heads = 0, dim = 0;
};
// lstm: columns of x and rows of the weight are the gates i, f, o and the candidate g, `width` each; the
// state's rows are h and c. With z = x + W h: c = sigmoid(f) * c + sigmoid(i) * tanh(g), h = sigmoid(o) *
// tanh(c). gru: r, u and n; the state's row is h, and W h has the bias in it. r and u are sigmoids of x + W
// h; n = tanh(x + r * W h), h = n + (h - n) * u. The first token has no state: it is what h = c = 0 gives.
enum class CellKind : std::uint8_t { lstm, gru };
struct CellShape {
  CellKind kind = CellKind::lstm;
  std::uint32_t width = 0;
  std::uint32_t gates() const { return kind == CellKind::lstm ? 4 : 3; }
  std::uint32_t state_rows() const { return kind == CellKind::lstm ? 2 : 1; }
};
// q: heads x head_dim columns; keys and values: kv_heads x head_dim, and kv_heads divides heads. With a
// value_dim there is one KV head, and values are the first so many columns of the rows of keys.
struct AttentionShape {
  std::uint32_t heads = 0, kv_heads = 0, head_dim = 0;
  float scale = 0;
  float cap = 0;             // not 0: scores are cap * tanh(scores / cap), behind the scale
  std::uint32_t window = 0;  // not 0: a token sees so many positions at most, itself the last
  std::uint32_t value_dim = 0;
  bool causal = true;  // false: a row sees all of the step, which is the whole input then
  std::uint32_t result_dim() const { return value_dim != 0 ? value_dim : head_dim; }  // of a query head
};

// One step of the graph, executed in order. The name is the same in traces, results and errors. Rows of
// `outputs` made from rows of `tokens` are made from those rows alone.
struct Operator {
  OperatorKind kind = OperatorKind::linear;
  std::string name;  // "embedding", "blk.0.attn_norm", "blk.0.attn_q", ..., "output_norm", "output"
  int layer = -1;
  std::vector<ValueId> inputs;
  ValueId output = kNoValue;
  const Weight* weight = nullptr;  // gather_rows, position_rows: table; linear: matrix; norm: gain
  const Weight* bias = nullptr;    // linear: one row, or none; norm: of the kind layer; expert_linear: a row
                                   // each; cell: of a gru
  std::uint32_t output_columns = 0;  // fp32 values a token that the operator leaves (reference taps)
  MapFunction map = MapFunction::silu;
  float scalar = 0;                    // of the map
  ZipFunction zip = ZipFunction::add;  // of zip and zip_row
  NormShape norm{};
  RotaryShape rotary{};
  AttentionShape attention{};
  ColumnsShape columns{};
  DeltaShape delta{};
  GroupsShape groups{};
  CellShape cell{};
};

// Whether an operator multiplies its first input with the matrix, or with some matrices, of its weight.
inline bool multiplies(const Operator& op) {
  return op.kind == OperatorKind::linear || op.kind == OperatorKind::expert_linear ||
         op.kind == OperatorKind::part_linear;
}

// Whether an operator multiplies anything with its weight: its first input, or the state of a cell.
inline bool has_matrix(const Operator& op) {
  return multiplies(op) || op.kind == OperatorKind::cell;
}

struct Graph {
  std::vector<Value> values;
  std::vector<Operator> operators;               // in the order of execution
  std::deque<Weight> weights;                    // in the order in which they are first used
  ValueId result = kNoValue;                     // logits
  std::map<ValueId, RotaryTable> rotary_tables;  // of the constants

  // What the host writes before a step. Throws std::out_of_range where there is no such value.
  ValueId input() const;
  // Whether rows see those behind them: an encoder, whose input is one step.
  bool bidirectional() const;
  const Value& output_of(const Operator& op) const { return values[op.output]; }
  // The operator of this name. Throws std::out_of_range.
  const Operator& find(std::string_view name) const;
  // The operators that read a value, ascending.
  std::vector<std::uint32_t> readers(ValueId value) const;
};

// Checks once that shapes agree and that every value is made before it is read. Throws ModelError, which
// names the operator.
void verify(const Graph& graph);

// Throws ConfigurationError where a head of keys and values is no whole number of blocks of the cache's
// format.
void check_cache(const Graph& graph, Format kv_format);

}  // namespace tokencycle::model
