// SPDX-License-Identifier: Apache-2.0
// The operators of the reference as plain loops, each exactly as numerics/README.md defines it. Private to
// sim/model; the machine has its own, so that a comparison of the two means something.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/graph/graph.h"

namespace tokencycle::model {

// linear.cpp
// y[n] = sum over k of x[k] * weight[n][k] for every row n; x: weight.cols values, y: weight.rows values.
// x is first encoded in the activation format of the weight's format.
void multiply(const Weight& weight, std::span<const float> x, std::span<float> y);

// The same of rows [row][cols] of a block format that lie `stride` bytes apart from `first` on, with an
// encoded x.
struct BlockRows {
  Format format;
  std::uint32_t cols;
  const std::byte* first;
  std::uint64_t stride;
};
void multiply_blocks(const BlockRows& rows, const std::byte* x_row, std::span<float> y);

// The float product of two rows of equal length, in groups of 32; b's elements lie `stride` apart.
float grouped_dot(std::span<const float> row, const float* b, std::size_t stride);

// x as it comes back from format f: encoded, then decoded.
std::vector<float> rounded_to(Format f, std::span<const float> x);

// The only row of a gain or bias.
std::vector<float> decoded_row(const Weight& weight);

// norm.cpp
// y[i] = (x[i] / rms(x)) * gain[i]; gain is a row of x.size() values, or null: 1.
void rms_norm(std::span<const float> x, const Weight* gain, float epsilon, std::span<float> y);
// The same of x[i] - mean(x).
void centered_norm(std::span<const float> x, const Weight& gain, float epsilon, std::span<float> y);
// y[i] = ((x[i] - mean(x)) / deviation(x)) * gain[i] + bias[i]
void layer_norm(std::span<const float> x, const Weight& gain, const Weight& bias, float epsilon,
                std::span<float> y);

// elementwise.cpp: y may be x.
void map(MapFunction f, float scalar, std::span<const float> x, std::span<float> y);
void add(std::span<const float> a, std::span<const float> b, std::span<float> y);
void mul(std::span<const float> a, std::span<const float> b, std::span<float> y);
// y[i] = f(x[i], row[i]), or f(x[i], row[0]).
void zip_row(ZipFunction f, std::span<const float> x, std::span<const float> row, std::span<float> y);
// Of each group, columns of x, then columns of y.
void join(const ColumnsShape& shape, std::span<const float> x, std::span<const float> y, std::span<float> z);
// Of each group of x, the columns of the shape.
void columns(const ColumnsShape& shape, std::span<const float> x, std::span<float> y);

// experts.cpp
// Places of the largest values, in falling order, of equal ones the earlier first; as the bits of u32.
void top_k(std::span<const float> x, std::span<float> places);
// A group's value is the sum of its two largest, and what it lacks to the value of the last group that stays
// is its penalty, times 1e30: y = x + penalty.
void keep_groups(const GroupsShape& shape, std::span<const float> x, std::span<float> y);
std::uint32_t place_at(std::span<const float> places, std::size_t i);
// y[i] = x[i] / sum of x.
void normalize(std::span<const float> x, std::span<float> y);
// Matrix places[s] of the weight times x, or part s of it, plus that row of the bias, if there is one, for
// each s: results side by side.
void multiply_experts(const Weight& weight, const Weight* bias, std::span<const float> x,
                      std::span<const float> places, std::span<float> y);
// Each part of x times its own matrix.
void multiply_parts(const Weight& weight, std::span<const float> x, std::span<float> y);
// Part s of x times factors[s]; y may be x.
void scale_parts(std::span<const float> x, std::span<const float> factors, std::span<float> y);
// y = sum over s, ascending, of part s of x times factors[s].
void weighted_sum(std::span<const float> x, std::span<const float> factors, std::span<float> y);

// recurrent.cpp
// y[c] = sum over the rows, the earliest first, of rows[.][c] times a value of weight[c]: the last row's is
// the last. `rows`: at most weight.cols rows of y.size() fp32 values.
void convolution(const Weight& weight, std::span<const std::byte> rows, std::span<float> y);

// One token of the delta rule; `state`: [heads][dim][dim] fp32, or empty before the first token, which makes
// it.
struct DeltaInputs {
  std::span<const float> q, k, v, decay, beta;
};
void delta_rule(const DeltaShape& shape, const DeltaInputs& in, std::vector<std::byte>& state,
                std::span<float> y);

// One token of a cell; `state`: its rows in fp32, or empty before the first token, which makes it.
void cell(const CellShape& shape, const Weight& weight, const Weight* bias, std::span<const float> x,
          std::vector<std::byte>& state, std::span<float> y);

// rotary.cpp
// Rotates each head of `heads` (a multiple of shape.head values) in place by one position's angles:
// table[rotate / 2][2] holds (cos, sin).
void rotate(const RotaryShape& shape, std::span<const float> table, std::span<float> heads);

// attention.cpp
// Softmax of x[i] * scale, in place; at least one value.
void softmax(std::span<float> x, float scale);
// Softmax of x[i] and one more value, whose probability is dropped.
void softmax_beside(std::span<float> x, float sink);

// o = softmax(q K^T * scale) V for one token, the last position. q, o: [heads][head_dim]; keys, values:
// [position][kv_heads][head_dim] as the cache holds them, in `cache`. Queries and probabilities are rounded
// to what keys and values meet. Positions before the window have probability +0. `sinks`: one for each head,
// or none.
void attention(const AttentionShape& shape, std::span<const float> sinks, Format cache,
               std::span<const float> q, std::span<const std::byte> keys, std::span<const std::byte> values,
               std::span<float> o);

}  // namespace tokencycle::model
