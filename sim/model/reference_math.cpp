// SPDX-License-Identifier: Apache-2.0
#include "model/reference_math.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "numerics/blocks.h"
#include "numerics/reduce.h"
#include "numerics/scalar.h"

namespace tokencycle::model {
namespace {

// One block of q8_0 or q4_0, unpacked: value i is scale * q[i].
struct IntegerBlock {
  float scale = 0;
  std::int8_t q[kBlock];
};

IntegerBlock unpack(Format f, const std::byte* bytes) {
  IntegerBlock block;
  std::uint16_t scale = 0;
  std::memcpy(&scale, bytes, sizeof scale);
  block.scale = f32_from_f16(scale);
  bytes += sizeof scale;
  if (f == Format::q8_0) {
    std::memcpy(block.q, bytes, kBlock);
    return block;
  }
  for (std::uint32_t j = 0; j < kBlock / 2; ++j) {  // q4_0
    const int pair = std::to_integer<int>(bytes[j]);
    block.q[j] = static_cast<std::int8_t>((pair & 15) - 8);
    block.q[j + kBlock / 2] = static_cast<std::int8_t>((pair >> 4) - 8);
  }
  return block;
}

std::vector<IntegerBlock> unpack_row(Format f, std::span<const std::byte> row) {
  std::vector<IntegerBlock> blocks;
  for (std::size_t i = 0; i < row.size(); i += block_bytes(f)) blocks.push_back(unpack(f, row.data() + i));
  return blocks;
}

void multiply_integers(const Weight& weight, std::span<const std::byte> x_row, std::span<float> y) {
  const std::vector<IntegerBlock> x = unpack_row(Format::q8_0, x_row);
  for (std::uint32_t n = 0; n < weight.rows; ++n) {
    const std::span<const std::byte> row = weight.row(n);
    float acc = 0.0f;
    for (std::size_t b = 0; b < x.size(); ++b) {
      const IntegerBlock w = unpack(weight.format, row.data() + b * block_bytes(weight.format));
      std::int32_t sum = 0;
      for (std::uint32_t i = 0; i < kBlock; ++i) sum += x[b].q[i] * w.q[i];
      acc = acc + (x[b].scale * w.scale) * static_cast<float>(sum);
    }
    y[n] = acc;
  }
}

void multiply_floats(const Weight& weight, std::span<const float> x, std::span<float> y) {
  std::vector<float> w(weight.cols);
  for (std::uint32_t n = 0; n < weight.rows; ++n) {
    decode_row(weight.format, weight.row(n), 0, w);
    y[n] = grouped_dot(x, w.data(), 1);
  }
}

}  // namespace

float grouped_dot(std::span<const float> row, const float* b, std::size_t stride) {
  const float* a = row.data();  // without the bounds checks of debug builds, where this loop is all the time
  float acc = 0.0f;
  for (std::size_t first = 0; first < row.size(); first += kBlock) {
    const std::size_t end = std::min<std::size_t>(first + kBlock, row.size());
    float sum = 0.0f;
    for (std::size_t k = first; k < end; ++k) sum = sum + a[k] * b[k * stride];
    acc = acc + sum;
  }
  return acc;
}

void multiply(const Weight& weight, std::span<const float> x, std::span<float> y) {
  const Format f = activation_format(weight.format);
  if (f != Format::q8_0) return multiply_floats(weight, rounded_to(f, x), y);
  std::vector<std::byte> row(row_bytes(f, x.size()));
  encode_row(f, x, row);
  multiply_integers(weight, row, y);
}

void rms_norm(std::span<const float> x, const Weight& gain, float epsilon, std::span<float> y) {
  std::vector<float> squares(x.size()), g(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) squares[i] = x[i] * x[i];
  decode_row(gain.format, gain.row(0), 0, g);
  const float mean = pairwise_sum(squares) / static_cast<float>(x.size());
  const float r = 1.0f / std::sqrt(mean + epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = (x[i] * r) * g[i];
}

void rotate(const Hyperparameters& shape, std::span<const float> table, std::span<float> heads) {
  const bool adjacent = shape.rope_pairs == RopePairs::adjacent;
  const std::size_t pairs = shape.rope_dims / 2;
  for (std::size_t head = 0; head < heads.size(); head += shape.head_dim) {
    for (std::size_t i = 0; i < pairs; ++i) {
      float& first = heads[head + (adjacent ? 2 * i : i)];
      float& second = heads[head + (adjacent ? 2 * i + 1 : i + pairs)];
      const float a = first, b = second;
      const float c = table[2 * i], s = table[2 * i + 1];
      first = a * c - b * s;
      second = a * s + b * c;
    }
  }
}

void softmax(std::span<float> x, float scale) {
  for (float& value : x) value = value * scale;
  const float largest = *std::max_element(x.begin(), x.end());
  for (float& value : x) value = exp_f32(value - largest);
  const float sum = pairwise_sum(x);
  for (float& value : x) value = value / sum;
}

std::vector<float> rounded_to(Format f, std::span<const float> x) {
  std::vector<std::byte> row(row_bytes(f, x.size()));
  std::vector<float> back(x.size());
  encode_row(f, x, row);
  decode_row(f, row, 0, back);
  return back;
}

}  // namespace tokencycle::model
