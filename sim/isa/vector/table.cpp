// SPDX-License-Identifier: Apache-2.0
// The functions of the vector unit, one row each. A function's number within its class is for ever: programs
// on disk hold it. sim/isa/README.md says how to add one.
#include <algorithm>
#include <functional>

#include "isa/vector/rows.h"
#include "numerics/activation.h"
#include "numerics/scalar.h"

namespace tokencycle::isa {

namespace {

constexpr std::uint32_t kSinkBytes = 4;  // of a second operand of one value a row

using L = LaneFunction;
using Chain = std::initializer_list<LaneFunction>;

constexpr VectorPass pass(Chain chain, bool reads_b, bool writes) {
  VectorPass p;
  for (const LaneFunction f : chain) p.functions[p.count++] = f;
  p.reads_b = reads_b;
  p.writes = writes;
  return p;
}
constexpr VectorPass writes(Chain chain) {
  return pass(chain, false, true);
}
constexpr VectorPass writes_with_b(Chain chain) {
  return pass(chain, true, true);
}
constexpr VectorPass value(Chain chain) {  // ends in a value for the row
  return pass(chain, false, false);
}

constexpr FieldSet kScalar = set_of(Field::scalar);
constexpr FieldSet kPerRow = set_of(Field::per_row);

struct Larger {
  float operator()(float a, float b) const { return std::max(a, b); }
};
struct Smaller {
  float operator()(float a, float b) const { return std::min(a, b); }
};

// Ascending opcodes.
constexpr VectorFunction kTable[] = {
    // map: dst = f(a), element by element
    {.op = Opcode::copy, .name = "copy", .compute = copy_row, .passes = {writes({L::copy})}},
    {.op = Opcode::convert,
     .name = "convert",
     .compute = copy_row,
     .passes = {writes({L::convert})},
     .a_formats = kDecodedFormats,
     .dst_formats = kEncodedFormats,
     .check = check_convert,
     .block_passes = {value({L::reduce}),
                      writes({L::mul, L::quantize})}},  // a block's largest value comes first
    {.op = Opcode::scale,
     .name = "scale",
     .compute = scale_row,
     .passes = {writes({L::mul})},
     .more = kScalar},
    {.op = Opcode::silu,
     .name = "silu",
     .compute = map_row<silu_f32>,
     .passes = {writes({L::exp, L::add, L::divide})}},
    {.op = opcode(Class::map, 4), .name = "relu", .compute = map_row<relu_f32>, .passes = {writes({L::add})}},
    {.op = opcode(Class::map, 5),
     .name = "sigmoid",
     .compute = map_row<sigmoid_f32>,
     .passes = {writes({L::exp, L::add, L::divide})}},
    {.op = opcode(Class::map, 6),  // the polynomial for small values is no longer than this way
     .name = "tanh",
     .compute = map_row<tanh_f32>,
     .passes = {writes({L::mul, L::exp, L::add, L::divide, L::add})}},
    {.op = opcode(Class::map, 7),  // z, t, eight steps of the polynomial, tail, value
     .name = "gelu",
     .compute = map_row<gelu_f32>,
     .passes = {writes({L::mul, L::mul, L::add, L::divide, L::mul, L::add, L::mul, L::add, L::mul,
                        L::add, L::mul, L::add, L::mul,    L::add, L::mul, L::add, L::mul, L::add,
                        L::mul, L::add, L::mul, L::exp,    L::mul, L::add, L::mul})}},
    {.op = opcode(Class::map, 8),
     .name = "gelu_tanh",
     .compute = map_row<gelu_tanh_f32>,
     .passes = {writes({L::mul, L::mul, L::add, L::mul, L::exp, L::add, L::divide})}},
    {.op = opcode(Class::map, 9), .name = "square", .compute = square_row, .passes = {writes({L::mul})}},
    {.op = opcode(Class::map, 10),  // the divider takes roots
     .name = "sqrt",
     .compute = sqrt_row,
     .passes = {writes({L::divide})}},
    {.op = opcode(Class::map, 11),
     .name = "rsqrt",
     .compute = rsqrt_row,
     .passes = {writes({L::divide, L::divide})}},
    {.op = opcode(Class::map, 12),
     .name = "add_scalar",
     .compute = scalar_row<std::plus<float>>,
     .passes = {writes({L::add})},
     .more = kScalar},
    {.op = opcode(Class::map, 13),
     .name = "max_scalar",
     .compute = scalar_row<Larger>,
     .passes = {writes({L::add})},
     .more = kScalar},
    {.op = opcode(Class::map, 14),
     .name = "min_scalar",
     .compute = scalar_row<Smaller>,
     .passes = {writes({L::add})},
     .more = kScalar},
    {.op = opcode(Class::map, 15), .name = "exp", .compute = map_row<exp_f32>, .passes = {writes({L::exp})}},
    {.op = opcode(Class::map, 16),  // e, s, its square, seven steps of the polynomial, product, sum
     .name = "softplus",
     .compute = map_row<softplus_f32>,
     .passes = {writes({L::exp, L::add, L::divide, L::mul, L::mul, L::add, L::mul, L::add, L::mul, L::add,
                        L::mul, L::add, L::mul,    L::add, L::mul, L::add, L::mul, L::add, L::mul, L::add})}},

    // zip: dst = f(a, b), element by element
    {.op = Opcode::add,
     .name = "add",
     .compute = zip_row<std::plus<float>>,
     .passes = {writes_with_b({L::add})},
     .second = Second::rows,
     .more = kPerRow},
    {.op = Opcode::mul,
     .name = "mul",
     .compute = zip_row<std::multiplies<float>>,
     .passes = {writes_with_b({L::mul})},
     .second = Second::rows,
     .more = kPerRow},
    {.op = opcode(Class::zip, 2),
     .name = "sub",
     .compute = zip_row<std::minus<float>>,
     .passes = {writes_with_b({L::add})},
     .second = Second::rows,
     .more = kPerRow},
    {.op = opcode(Class::zip, 3),
     .name = "div",
     .compute = zip_row<std::divides<float>>,
     .passes = {writes_with_b({L::divide})},
     .second = Second::rows,
     .more = kPerRow},
    {.op = opcode(Class::zip, 4),
     .name = "max",
     .compute = zip_row<Larger>,
     .passes = {writes_with_b({L::add})},
     .second = Second::rows,
     .more = kPerRow},
    {.op = opcode(Class::zip, 5),
     .name = "min",
     .compute = zip_row<Smaller>,
     .passes = {writes_with_b({L::add})},
     .second = Second::rows,
     .more = kPerRow},

    // reduce: one f32 a row
    {.op = Opcode::reduce_sum,
     .name = "reduce_sum",
     .compute = sum_row,
     .passes = {value({L::reduce})},
     .result = Result::one},
    {.op = Opcode::reduce_max,
     .name = "reduce_max",
     .compute = max_row,
     .passes = {value({L::reduce})},
     .result = Result::one},

    {.op = opcode(Class::reduce, 2),
     .name = "reduce_min",
     .compute = min_row,
     .passes = {value({L::reduce})},
     .result = Result::one},
    {.op = opcode(Class::reduce, 3),
     .name = "reduce_mean",
     .compute = mean_row,
     .passes = {value({L::reduce, L::divide})},
     .result = Result::one},

    // norm: a row scaled by values of the row, then by a gain
    {.op = Opcode::rms_norm,
     .name = "rms_norm",
     .compute = rms_norm_row,
     .passes = {value({L::mul, L::reduce}), writes_with_b({L::divide, L::mul, L::mul})},
     .second = Second::one_row,
     .more = kScalar},

    {.op = opcode(Class::norm, 1),  // mean, variance, result
     .name = "layer_norm",
     .compute = layer_norm_row,
     .passes = {value({L::reduce, L::divide}), value({L::add, L::mul, L::reduce}),
                writes_with_b({L::divide, L::add, L::mul, L::mul, L::add})},
     .second = Second::row_pair,
     .more = kScalar},

    // softmax. The exponentials are computed twice rather than kept: a row may be longer than any register
    // file.
    {.op = Opcode::softmax,
     .name = "softmax",
     .compute = softmax_row,
     .passes = {value({L::mul, L::reduce}), value({L::mul, L::add, L::exp, L::reduce}),
                writes({L::mul, L::add, L::exp, L::divide, L::convert})},
     .more = kScalar | set_of(Field::valid, Field::causal),
     .dst_formats = kRealFormats,
     .check = check_softmax},

    {.op = Opcode::softmax_sink,  // the sink is there from the first pass on
     .name = "softmax_sink",
     .compute = softmax_sink_row,
     .passes = {pass({L::reduce}, true, false), value({L::add, L::exp, L::reduce}),
                writes({L::add, L::exp, L::divide, L::convert})},
     .second = Second::value,
     .more = set_of(Field::valid, Field::causal, Field::per_row),
     .dst_formats = kRealFormats,
     .check = check_softmax},

    // select: a place in each row
    {.op = Opcode::argmax,
     .name = "argmax",
     .compute = argmax_row,
     .passes = {value({L::reduce})},
     .result = Result::one},

    {.op = Opcode::top_k,  // a search for each of the places
     .name = "top_k",
     .compute = top_k_row,
     .passes = {value({L::reduce})},
     .result = Result::several,
     .more = set_of(Field::depth),
     .check = check_top_k,
     .repeated = true},

    // move: elements to other places
    {.op = Opcode::transpose,
     .name = "transpose",
     .passes = {writes({L::copy})},
     .result = Result::turned,
     .a_formats = kRealFormats},
    {.op = Opcode::rotary,
     .name = "rotary",
     .compute = rotary_row,
     .passes = {writes_with_b({L::rotary})},
     .second = Second::angles,
     .more = set_of(Field::head, Field::rotate, Field::pairs),
     .check = check_rotary},
    {.op = opcode(Class::move, 2),
     .name = "take",
     .passes = {writes_with_b({L::copy})},
     .second = Second::indices,
     .more = set_of(Field::extent),
     .check = check_extent,
     .indexed = Indexed::a_elements},
    {.op = opcode(Class::move, 3),
     .name = "take_rows",
     .passes = {writes_with_b({L::copy})},
     .second = Second::index,
     .more = set_of(Field::extent),
     .check = check_extent,
     .indexed = Indexed::a_rows},
    {.op = opcode(Class::move, 4),
     .name = "put_rows",
     .passes = {writes_with_b({L::copy})},
     .second = Second::index,
     .more = set_of(Field::extent),
     .check = check_extent,
     .indexed = Indexed::dst_rows},
    {.op = opcode(Class::move, 5),
     .name = "add_rows",
     .passes = {writes_with_b({L::add})},
     .second = Second::index,
     .more = set_of(Field::extent),
     .check = check_extent,
     .indexed = Indexed::dst_sums},
};

// Row numbers by opcode; kNone where there is no row.
constexpr std::uint8_t kNone = 0xff;
constexpr auto kRowOf = [] {
  std::array<std::uint8_t, kOpcodeCodes> rows{};
  rows.fill(kNone);
  std::uint8_t row = 0;
  for (const VectorFunction& f : kTable) rows[static_cast<std::size_t>(f.op)] = row++;
  return rows;
}();

}  // namespace

FieldSet VectorFunction::fields() const {
  FieldSet set = kRows | kDst | kA | more;
  if (second == Second::one_row || second == Second::row_pair || second == Second::value) {
    set |= set_of(Field::b, Field::b_reg);
  } else if (second != Second::none) {
    set |= kB;
  }
  if (a_formats != kF32Alone) set |= set_of(Field::a_format);
  if (dst_formats != kF32Alone) set |= set_of(Field::dst_format);
  return set;
}

std::span<const VectorFunction> vector_functions() {
  return kTable;
}

const VectorFunction& vector_function(Opcode op) {
  return kTable[kRowOf[static_cast<std::size_t>(op)]];
}

std::span<const VectorPass> passes_of(const Instruction& i) {
  const VectorFunction& f = vector_function(i.op);
  return f.block_passes.count != 0 && block_elements(i.dst_format) > 1 ? f.block_passes.all()
                                                                       : f.passes.all();
}

std::uint64_t second_columns(const Instruction& i) {
  switch (vector_function(i.op).second) {
    case Second::none:
      return 0;
    case Second::rows:
      return i.per_row ? 1 : i.cols;
    case Second::one_row:
      return i.cols;
    case Second::row_pair:
      return std::uint64_t{2} * i.cols;
    case Second::angles:
      return i.rotate;
    case Second::indices:
      return i.cols;
    case Second::index:
    case Second::value:
      return 1;
  }
  return 0;
}

std::uint64_t second_rows(const Instruction& i) {
  const Second second = vector_function(i.op).second;
  const bool one = second == Second::one_row || second == Second::row_pair;
  return one || (second == Second::value && !i.per_row) ? 1 : i.rows;
}

std::uint32_t second_stride(const Instruction& i) {
  if (vector_function(i.op).second != Second::value) return i.b_stride;
  return i.per_row ? kSinkBytes : 0;
}

std::uint64_t first_rows(const Instruction& i) {
  return vector_function(i.op).indexed == Indexed::a_rows ? i.extent : i.rows;
}

std::uint64_t first_columns(const Instruction& i) {
  return vector_function(i.op).indexed == Indexed::a_elements ? i.extent : i.cols;
}

std::uint64_t result_columns(const Instruction& i) {
  switch (vector_function(i.op).result) {
    case Result::one:
      return 1;
    case Result::several:
      return i.depth;
    default:
      return i.cols;
  }
}

std::uint64_t result_rows(const Instruction& i) {
  const VectorFunction& f = vector_function(i.op);
  if (f.indexed == Indexed::dst_rows || f.indexed == Indexed::dst_sums) return i.extent;
  return f.result == Result::turned ? i.cols : i.rows;
}

std::uint64_t result_row_bytes(const Instruction& i) {
  return vector_function(i.op).result == Result::turned ? row_bytes(i.a_format, i.rows)
                                                        : row_bytes(i.dst_format, result_columns(i));
}

}  // namespace tokencycle::isa
