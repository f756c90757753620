// SPDX-License-Identifier: Apache-2.0
#include "host/gemm/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "base/error.h"
#include "numerics/blocks.h"
#include "numerics/scalar.h"

namespace tokencycle::host {

namespace {

// SplitMix64: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  std::byte byte() { return static_cast<std::byte>(next() >> 56); }
  // In [-1, 1), a multiple of 2^-23.
  float number() { return static_cast<float>(static_cast<std::int64_t>(next()) >> 40) * 0x1p-23f; }

 private:
  std::uint64_t state_;
};

void random_row(Random& random, Format f, std::span<std::byte> row) {
  const std::uint32_t unit = block_bytes(f);
  for (std::size_t at = 0; at < row.size(); at += unit) {
    std::byte* p = row.data() + at;
    if (f == Format::f32) {
      const float x = random.number();
      std::memcpy(p, &x, sizeof x);
    } else if (f == Format::f16 || f == Format::bf16) {
      const float x = random.number();
      const std::uint16_t bits = f == Format::f16 ? f16_from_f32(x) : bf16_from_f32(x);
      std::memcpy(p, &bits, sizeof bits);
    } else {
      for (std::uint32_t i = 0; i < unit; ++i) p[i] = random.byte();
      if (!is_scaled(f)) continue;
      const std::uint16_t scale = f16_from_f32(random.number() * 0x1p-6f);
      std::memcpy(p, &scale, sizeof scale);
    }
  }
}

GemmOperand random_operand(Random& random, Format f, std::uint32_t rows, std::uint32_t k) {
  GemmOperand operand{f, rows, k, std::vector<std::byte>(rows * row_bytes(f, k))};
  const std::size_t bytes = row_bytes(f, k);
  for (std::uint32_t r = 0; r < rows; ++r) {
    random_row(random, f, std::span(operand.bytes).subspan(r * bytes, bytes));
  }
  return operand;
}

// The q of a row as integers, and the scales of its groups.
void integers_of(const GemmOperand& operand, std::uint32_t r, std::uint32_t group, std::int8_t* out,
                 GroupScale* scales) {
  if (is_integer(operand.format)) return integers_of_row(operand.format, operand.row(r), 0, operand.k, out);
  unpack_row(operand.format, operand.row(r), 0, operand.k, group, out, scales);
}

}  // namespace

GemmValues::GemmValues(const GemmType& type, const GemmShape& shape, std::uint64_t seed)
    : type_(type), shape_(shape) {
  Random random(seed);
  x_ = random_operand(random, type.x, shape.m, shape.k);
  w_ = random_operand(random, type.w, shape.n, shape.k);
}

void GemmValues::place(const compiler::DramLayout& layout, memory::DramStorage& dram) const {
  dram.map(layout.values[0], x_.bytes);
  dram.map(layout.weights, w_.bytes);
}

void GemmValues::decode_weights() {
  const std::size_t k = shape_.k, n = shape_.n;
  if (!is_real(type_.w)) {
    integers_.resize(n * k);
    const std::uint32_t group = group_elements(type_.w);
    const std::size_t groups = type_.integer_sums() ? 0 : k / group;
    scales_.resize(n * groups);
    for (std::uint32_t r = 0; r < n; ++r) {
      integers_of(w_, r, group, integers_.data() + r * k, scales_.data() + r * groups);
    }
    return;
  }
  floats_.resize(n * k);
  std::vector<float> row(k);
  for (std::uint32_t r = 0; r < n; ++r) {
    decode_row(type_.w, {w_.row(r), row_bytes(type_.w, k)}, 0, row);
    for (std::size_t i = 0; i < k; ++i) floats_[i * n + r] = row[i];
  }
}

void GemmValues::integer_row(std::uint32_t m, std::vector<std::uint32_t>& out) const {
  std::vector<std::int8_t> x(shape_.k);
  integers_of(x_, m, 0, x.data(), nullptr);
  for (std::uint32_t n = 0; n < shape_.n; ++n) {
    const std::int8_t* w = integers_.data() + std::size_t{n} * shape_.k;
    std::uint32_t sum = 0;  // int32 modulo 2^32
    for (std::uint32_t k = 0; k < shape_.k; ++k) sum += static_cast<std::uint32_t>(int{x[k]} * w[k]);
    out[n] = sum;
  }
}

void GemmValues::block_row(std::uint32_t m, std::vector<std::uint32_t>& out) const {
  const std::uint32_t group = group_elements(type_.w), groups = shape_.k / group;
  std::vector<std::int8_t> x(shape_.k);
  std::vector<GroupScale> scales(groups);
  integers_of(x_, m, group, x.data(), scales.data());
  for (std::uint32_t n = 0; n < shape_.n; ++n) {
    const std::int8_t* w = integers_.data() + std::size_t{n} * shape_.k;
    const GroupScale* d = scales_.data() + std::size_t{n} * groups;
    float total = 0.0f;
    for (std::uint32_t g = 0; g < groups; ++g) {
      std::int32_t sum = 0;
      for (std::uint32_t k = g * group; k < (g + 1) * group; ++k) sum += int{x[k]} * w[k];
      total += group_term(scales[g], d[g], sum, row_of(type_.w).offset == Offset::minimum);
    }
    out[n] = std::bit_cast<std::uint32_t>(total);
  }
}

void GemmValues::float_row(std::uint32_t m, std::vector<std::uint32_t>& out) const {
  std::vector<float> x(shape_.k), sums(shape_.n), totals(shape_.n);
  decode_row(type_.x, {x_.row(m), row_bytes(type_.x, shape_.k)}, 0, x);
  for (std::uint32_t begin = 0; begin < shape_.k; begin += kPlainGroup) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (std::uint32_t k = begin; k < std::min(shape_.k, begin + kPlainGroup); ++k) {
      const float* w = floats_.data() + std::size_t{k} * shape_.n;
      for (std::uint32_t n = 0; n < shape_.n; ++n) sums[n] += x[k] * w[n];
    }
    for (std::uint32_t n = 0; n < shape_.n; ++n) totals[n] += sums[n];
  }
  std::transform(totals.begin(), totals.end(), out.begin(), std::bit_cast<std::uint32_t, float>);
}

std::vector<std::uint32_t> GemmValues::expected_row(std::uint32_t m) {
  if (integers_.empty() && floats_.empty()) decode_weights();
  std::vector<std::uint32_t> row(shape_.n);
  if (type_.integer_sums()) {
    integer_row(m, row);
  } else if (floats_.empty()) {
    block_row(m, row);
  } else {
    float_row(m, row);
  }
  return row;
}

void GemmValues::check(const memory::DramStorage& dram, DramAddress sums) {
  std::vector<std::uint32_t> machine(shape_.n);
  for (std::uint32_t m = 0; m < shape_.m; ++m) {
    dram.read(sums + std::uint64_t{m} * shape_.n * 4, std::as_writable_bytes(std::span(machine)));
    const std::vector<std::uint32_t> expected = expected_row(m);
    const auto [got, want] = std::mismatch(machine.begin(), machine.end(), expected.begin());
    if (got == machine.end()) continue;
    const auto shown = [this](std::uint32_t bits) {
      return type_.integer_sums() ? fmt::format("{}", static_cast<std::int32_t>(bits))
                                  : fmt::format("{:.9g} ({:#010x})", std::bit_cast<float>(bits), bits);
    };
    throw CheckError(fmt::format(
        "Y[{}][{}] of {} x {} x {} ({}) differs: the machine has {}, the reference {}. This is a fault in "
        "the simulator or "
        "its compiler; please report it with this command",
        m, got - machine.begin(), shape_.m, shape_.n, shape_.k, type_.name, shown(*got), shown(*want)));
  }
}

}  // namespace tokencycle::host
