// SPDX-License-Identifier: Apache-2.0
// The vector unit's values against the definitions of numerics/README.md, written down as plain loops.
#include "machine/vector/functions.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <random>

#include "isa/encoding.h"
#include "numerics/activation.h"
#include "numerics/blocks.h"
#include "numerics/scalar.h"

using namespace tokencycle;
using namespace tokencycle::machine;
using isa::Instruction;
using isa::Opcode;

namespace {

using Random = std::mt19937;
using Values = std::vector<float>;

std::uint32_t number(Random& random, std::uint32_t least, std::uint32_t most) {
  return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
}

Values random_values(Random& random, std::size_t n) {
  Values values(n);
  for (float& v : values) v = std::uniform_real_distribution<float>(-4, 4)(random);
  return values;
}

// Neighbouring pairs, level by level; an odd last element passes through.
float pairwise(Values v) {
  while (v.size() > 1) {
    Values next;
    for (std::size_t i = 0; i + 1 < v.size(); i += 2) next.push_back(v[i] + v[i + 1]);
    if (v.size() % 2 == 1) next.push_back(v.back());
    v = next;
  }
  return v[0];
}

// rows x columns fp32 values, `gap` unused values between the rows.
struct Operand {
  std::size_t rows, columns, gap;
  Values values;
  Operand(Random& random, std::size_t r, std::size_t c)
      : rows(r), columns(c), gap(random() % 3), values(random_values(random, r * (c + gap))) {}
  std::uint32_t stride() const { return static_cast<std::uint32_t>((columns + gap) * 4); }
  Values row(std::size_t r) const {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(r * (columns + gap));
    return Values(begin, begin + static_cast<std::ptrdiff_t>(columns));
  }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(values)); }
};

Instruction instruction(Opcode op, const Operand& a) {
  Instruction i;
  i.op = op;
  i.rows = static_cast<std::uint32_t>(a.rows);
  i.cols = static_cast<std::uint32_t>(a.columns);
  i.a_stride = a.stride();
  return i;
}

Values executed(const Instruction& i, std::span<const std::byte> a, std::span<const std::byte> b = {}) {
  std::vector<std::byte> result;
  execute_vector(i, {a, b}, result);
  REQUIRE(result.size() == isa::result_rows(i) * isa::result_row_bytes(i));
  Values values(result.size() / 4);
  std::memcpy(values.data(), result.data(), values.size() * 4);
  return values;
}

bool same_bits(const Values& a, const Values& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * 4) == 0;
}

void append(Values& all, const Values& row) {
  all.insert(all.end(), row.begin(), row.end());
}

}  // namespace

TEST_CASE("element by element: add, mul, scale, copy, silu") {
  Random random(1);
  for (int round = 0; round < 40; ++round) {
    const Operand a(random, number(random, 1, 5), number(random, 1, 70));
    const Operand b(random, a.rows, a.columns);
    const bool repeat = round % 3 == 0;  // b_stride 0 repeats one row
    for (const Opcode op : {Opcode::add, Opcode::mul, Opcode::scale, Opcode::copy, Opcode::silu}) {
      Instruction i = instruction(op, a);
      i.b_stride = repeat ? 0 : b.stride();
      i.scalar = -1.7f;
      Values expected;
      for (std::size_t r = 0; r < a.rows; ++r) {
        const Values x = a.row(r), y = b.row(repeat ? 0 : r);
        for (std::size_t c = 0; c < a.columns; ++c) {
          switch (op) {
            case Opcode::add:
              expected.push_back(x[c] + y[c]);
              break;
            case Opcode::mul:
              expected.push_back(x[c] * y[c]);
              break;
            case Opcode::scale:
              expected.push_back(x[c] * i.scalar);
              break;
            case Opcode::silu:
              expected.push_back(x[c] / (1.0f + exp_f32(-x[c])));
              break;
            default:
              expected.push_back(x[c]);
              break;
          }
        }
      }
      const bool binary = op == Opcode::add || op == Opcode::mul;
      INFO(isa::name_of(op) << ", round " << round);
      CHECK(same_bits(executed(i, a.bytes(), binary ? b.bytes() : std::span<const std::byte>{}), expected));
    }
  }
}

TEST_CASE("rms_norm: a pairwise sum of squares, a reciprocal root, two products") {
  Random random(2);
  for (int round = 0; round < 40; ++round) {
    const Operand a(random, number(random, 1, 4), number(random, 1, 100));
    const Operand gain(random, 1, a.columns);
    Instruction i = instruction(Opcode::rms_norm, a);
    i.scalar = 1e-5f;
    Values expected;
    for (std::size_t r = 0; r < a.rows; ++r) {
      const Values x = a.row(r), g = gain.row(0);
      Values squares;
      for (const float v : x) squares.push_back(v * v);
      const float inverse = 1.0f / std::sqrt(pairwise(squares) / static_cast<float>(x.size()) + 1e-5f);
      for (std::size_t c = 0; c < x.size(); ++c) expected.push_back((x[c] * inverse) * g[c]);
    }
    CHECK(same_bits(executed(i, a.bytes(), gain.bytes()), expected));
  }
}

TEST_CASE("softmax over the valid columns, one more in each row when causal, +0 behind them") {
  Random random(3);
  for (int round = 0; round < 60; ++round) {
    const Operand a(random, number(random, 1, 5), number(random, 1, 40));
    Instruction i = instruction(Opcode::softmax, a);
    i.scalar = 0.3f;
    i.valid = number(random, 1, 45);
    i.causal = round % 2 == 0;
    Values expected;
    for (std::uint32_t r = 0; r < a.rows; ++r) {
      const std::size_t v = std::min<std::size_t>(a.columns, i.valid + (i.causal ? r : 0));
      const Values x = a.row(r);
      float largest = -INFINITY;
      for (std::size_t c = 0; c < v; ++c) largest = std::max(largest, x[c] * i.scalar);
      Values e;
      for (std::size_t c = 0; c < v; ++c) e.push_back(exp_f32(x[c] * i.scalar - largest));
      const float sum = pairwise(e);
      for (float& y : e) y = y / sum;
      e.resize(a.columns, 0.0f);
      append(expected, e);
    }
    CHECK(same_bits(executed(i, a.bytes()), expected));
    // Narrow results are the same numbers, rounded once.
    for (const Format f : {Format::f16, Format::bf16}) {
      i.dst_format = f;
      std::vector<std::byte> result, narrow(a.rows * a.columns * 2);
      execute_vector(i, {a.bytes(), {}}, result);
      encode_row(f, expected, narrow);
      CHECK(result == narrow);
    }
  }
}

TEST_CASE("softmax_sink: the sum has the sink in it, of all rows or of each row") {
  Random random(31);
  for (int round = 0; round < 60; ++round) {
    const Operand a(random, number(random, 1, 5), number(random, 1, 40));
    const Values sinks = random_values(random, a.rows);
    Instruction i = instruction(Opcode::softmax_sink, a);
    i.valid = number(random, 1, 45);
    i.causal = round % 2 == 0;
    i.per_row = round % 3 == 0;
    Values expected;
    for (std::uint32_t r = 0; r < a.rows; ++r) {
      const std::size_t v = std::min<std::size_t>(a.columns, i.valid + (i.causal ? r : 0));
      const float sink = sinks[i.per_row ? r : 0];
      const Values x = a.row(r);
      float largest = sink;
      for (std::size_t c = 0; c < v; ++c) largest = std::max(largest, x[c]);
      Values e;
      for (std::size_t c = 0; c < v; ++c) e.push_back(exp_f32(x[c] - largest));
      const float sum = pairwise(e) + exp_f32(sink - largest);
      for (float& y : e) y = y / sum;
      e.resize(a.columns, 0.0f);
      append(expected, e);
    }
    CHECK(same_bits(executed(i, a.bytes(), std::as_bytes(std::span(sinks))), expected));
  }
}

TEST_CASE("rotary turns adjacent or split pairs of every head and copies the rest") {
  Random random(4);
  for (int round = 0; round < 60; ++round) {
    const std::uint32_t head = number(random, 2, 12), rotate = 2 * number(random, 1, head / 2);
    const Operand a(random, number(random, 1, 3), std::size_t{head} * number(random, 1, 4));
    const Operand table(random, a.rows, rotate);
    Instruction i = instruction(Opcode::rotary, a);
    i.head = head;
    i.rotate = rotate;
    i.b_stride = table.stride();
    i.pairs = round % 2 == 0 ? isa::RotaryPairs::adjacent : isa::RotaryPairs::split;
    Values expected;
    for (std::size_t r = 0; r < a.rows; ++r) {
      Values y = a.row(r);
      const Values x = y, t = table.row(r);
      for (std::size_t h = 0; h < a.columns; h += head) {
        for (std::size_t n = 0; n < rotate / 2; ++n) {
          const std::size_t p = h + (round % 2 == 0 ? 2 * n : n), q = round % 2 == 0 ? p + 1 : p + rotate / 2;
          y[p] = x[p] * t[2 * n] - x[q] * t[2 * n + 1];
          y[q] = x[p] * t[2 * n + 1] + x[q] * t[2 * n];
        }
      }
      append(expected, y);
    }
    CHECK(same_bits(executed(i, a.bytes(), table.bytes()), expected));
  }
}

TEST_CASE("convert is decode and encode, row by row, between all formats") {
  Random random(5);
  constexpr Format kFormats[] = {Format::f32,  Format::f16,  Format::bf16, Format::q8_0,
                                 Format::q4_0, Format::q8_1, Format::q4_1};
  for (const Format from : kFormats) {
    for (const Format to : kFormats) {
      const std::uint32_t rows = 3, columns = 96, gap = 10;
      const auto from_row = static_cast<std::uint32_t>(row_bytes(from, columns));
      const std::size_t to_row = row_bytes(to, columns);
      std::vector<std::byte> a((from_row + gap) * rows), expected(to_row * rows), result;
      for (std::size_t r = 0; r < rows; ++r) {
        const auto row = std::span(a).subspan(r * (from_row + gap), from_row);
        encode_row(from, random_values(random, columns), row);
        Values values(columns);
        decode_row(from, row, 0, values);
        encode_row(to, values, std::span(expected).subspan(r * to_row, to_row));
      }
      Instruction i;
      i.op = Opcode::convert;
      i.rows = rows;
      i.cols = columns;
      i.a_stride = from_row + gap;
      i.a_format = from;
      i.dst_format = to;
      execute_vector(i, {a, {}}, result);
      INFO(name_of(from) << " to " << name_of(to));
      CHECK(result == expected);
      if (from == to && block_elements(from) == 1) {
        CHECK(std::memcmp(result.data(), a.data(), from_row) == 0);
      }
    }
  }
}

TEST_CASE("transpose moves elements of four or two bytes without looking at them") {
  Random random(6);
  for (const Format f : {Format::f32, Format::f16, Format::bf16}) {
    const std::size_t size = block_bytes(f), rows = 5, columns = 7, stride = columns * size + 3;
    std::vector<std::byte> a(stride * rows), result;
    for (std::byte& b : a) b = static_cast<std::byte>(random());
    Instruction i;
    i.op = Opcode::transpose;
    i.rows = rows;
    i.cols = columns;
    i.a_stride = static_cast<std::uint32_t>(stride);
    i.a_format = f;
    CHECK(isa::result_rows(i) == columns);
    CHECK(isa::result_row_bytes(i) == rows * size);
    execute_vector(i, {a, {}}, result);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        CHECK(std::memcmp(result.data() + (c * rows + r) * size, a.data() + r * stride + c * size, size) ==
              0);
      }
    }
  }
}

TEST_CASE("reductions: the pairwise sum, the maximum, the first place of the maximum") {
  Random random(7);
  for (int round = 0; round < 40; ++round) {
    Operand a(random, number(random, 1, 4), number(random, 1, 90));
    if (round % 2 == 0) {  // maxima that occur more than once
      for (float& v : a.values) v = std::floor(v);
    }
    Values sums, maxima;
    std::vector<std::uint32_t> places;
    for (std::size_t r = 0; r < a.rows; ++r) {
      const Values x = a.row(r);
      sums.push_back(pairwise(x));
      std::size_t best = 0;
      for (std::size_t c = 0; c < x.size(); ++c) best = x[c] > x[best] ? c : best;
      maxima.push_back(x[best]);
      places.push_back(static_cast<std::uint32_t>(best));
    }
    CHECK(same_bits(executed(instruction(Opcode::reduce_sum, a), a.bytes()), sums));
    CHECK(same_bits(executed(instruction(Opcode::reduce_max, a), a.bytes()), maxima));
    const Values found = executed(instruction(Opcode::argmax, a), a.bytes());
    CHECK(std::memcmp(found.data(), places.data(), places.size() * 4) == 0);
  }
}

TEST_CASE("functions of one and of two operands are their expressions, element by element") {
  using Expression = float (*)(float a, float b, float s);
  const std::pair<const char*, Expression> functions[] = {
      {"relu", [](float a, float, float) { return a < 0 ? 0.0f : a; }},
      {"sigmoid", [](float a, float, float) { return 1.0f / (1.0f + exp_f32(-a)); }},
      {"tanh", [](float a, float, float) { return tanh_f32(a); }},
      {"gelu", [](float a, float, float) { return gelu_f32(a); }},
      {"gelu_tanh", [](float a, float, float) { return gelu_tanh_f32(a); }},
      {"exp", [](float a, float, float) { return exp_f32(a); }},
      {"softplus", [](float a, float, float) { return softplus_f32(a); }},
      {"square", [](float a, float, float) { return a * a; }},
      {"sqrt", [](float a, float, float) { return std::sqrt(a); }},
      {"rsqrt", [](float a, float, float) { return 1.0f / std::sqrt(a); }},
      {"add_scalar", [](float a, float, float s) { return a + s; }},
      {"max_scalar", [](float a, float, float s) { return a < s ? s : a; }},
      {"min_scalar", [](float a, float, float s) { return s < a ? s : a; }},
      {"add", [](float a, float b, float) { return a + b; }},
      {"mul", [](float a, float b, float) { return a * b; }},
      {"sub", [](float a, float b, float) { return a - b; }},
      {"div", [](float a, float b, float) { return a / b; }},
      {"max", [](float a, float b, float) { return a < b ? b : a; }},
      {"min", [](float a, float b, float) { return b < a ? b : a; }},
  };
  Random random(21);
  for (const auto& [name, expression] : functions) {
    Opcode op{};
    REQUIRE(isa::opcode_from_name(name, op));
    for (const bool per_row : {false, true}) {
      const bool two = isa::class_of(op) == isa::Class::zip;
      if (per_row && !two) continue;
      const Operand a(random, number(random, 1, 4), number(random, 1, 40)), b(random, a.rows, a.columns);
      Instruction i = instruction(op, a);
      i.b_stride = two ? b.stride() : 0;
      i.per_row = per_row;
      const bool scalar = (isa::vector_function(op).more & isa::set_of(isa::Field::scalar)) != 0;
      i.scalar = scalar ? 0.25f : 0.0f;
      Values wanted;
      for (std::size_t r = 0; r < a.rows; ++r) {
        for (std::size_t c = 0; c < a.columns; ++c) {
          wanted.push_back(expression(a.row(r)[c], b.row(r)[per_row ? 0 : c], 0.25f));
        }
      }
      INFO(name);
      isa::encode(i);
      CHECK(same_bits(executed(i, a.bytes(), two ? b.bytes() : std::span<const std::byte>()), wanted));
    }
  }
}

TEST_CASE("minimum, mean and layer norm are their definitions") {
  Random random(22);
  for (int round = 0; round < 20; ++round) {
    const Operand a(random, number(random, 1, 4), number(random, 1, 70)), b(random, 1, 2 * a.columns);
    const auto n = static_cast<float>(a.columns);
    Values least, means, norms;
    for (std::size_t r = 0; r < a.rows; ++r) {
      const Values x = a.row(r);
      least.push_back(*std::min_element(x.begin(), x.end()));
      const float mean = pairwise(x) / n;
      means.push_back(mean);
      Values squares;
      for (const float v : x) squares.push_back((v - mean) * (v - mean));
      const float scale = 1.0f / std::sqrt(pairwise(squares) / n + 1e-5f);
      for (std::size_t c = 0; c < x.size(); ++c) {
        norms.push_back(((x[c] - mean) * scale) * b.values[c] + b.values[a.columns + c]);
      }
    }
    CHECK(same_bits(executed(instruction(isa::opcode(isa::Class::reduce, 2), a), a.bytes()), least));
    CHECK(same_bits(executed(instruction(isa::opcode(isa::Class::reduce, 3), a), a.bytes()), means));
    Instruction norm = instruction(isa::opcode(isa::Class::norm, 1), a);
    norm.scalar = 1e-5f;
    CHECK(same_bits(executed(norm, a.bytes(), b.bytes()), norms));
  }
}

namespace {

std::vector<std::byte> bytes_of(const std::vector<std::uint32_t>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

Instruction by_index(unsigned function, std::uint32_t rows, std::uint32_t cols, std::uint32_t extent) {
  Instruction i;
  i.op = isa::opcode(isa::Class::move, function);
  i.rows = rows;
  i.cols = cols;
  i.extent = extent;
  i.a_stride = i.dst_stride = 4 * cols;
  i.b_stride = 4;
  return i;
}

}  // namespace

TEST_CASE("top-k names the largest, of equal ones the first") {
  const Values x = {1, 7, 3, 7, -2, 9, 9};
  Instruction i;
  i.op = isa::opcode(isa::Class::select, 1);
  i.rows = 1;
  i.cols = 7;
  i.depth = 5;
  std::vector<std::byte> result;
  execute_vector(i, {std::as_bytes(std::span(x)), {}}, result);
  CHECK(result == bytes_of({5, 6, 1, 3, 2}));
}

TEST_CASE("elements and rows are taken, put and added by index") {
  const Values table = {0, 1, 10, 11, 20, 21, 30, 31};  // four rows of two
  const auto memory = std::as_bytes(std::span(table));
  CHECK(executed(by_index(3, 3, 2, 4), memory, bytes_of({3, 0, 3})) == Values{30, 31, 0, 1, 30, 31});
  Instruction take = by_index(2, 2, 3, 4);  // two rows of four elements
  take.a_stride = 16;
  take.b_stride = 12;
  std::vector<std::byte> result;
  execute_vector(take, {memory, bytes_of({3, 0, 0, 2, 1, 3})}, result);
  CHECK(result == [] {
    const Values wanted = {11, 0, 0, 30, 21, 31};
    const auto bytes = std::as_bytes(std::span(wanted));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  }());
  const std::vector<std::byte> places = bytes_of({2, 0, 2});
  const Instruction put = by_index(4, 3, 2, 4);
  execute_vector(put, {memory, places}, result);
  CHECK(std::memcmp(result.data(), table.data(), 24) == 0);
  CHECK(rows_of_result(put, places) == std::vector<std::uint32_t>{2, 0, 2});
  // The third row adds to what the first one left.
  const Values before = {100, 100, 200, 200, 300, 300, 400, 400};
  const Instruction add = by_index(5, 3, 2, 4);
  execute_vector(add, {memory, places, std::as_bytes(std::span(before))}, result);
  const Values sums = {300, 301, 110, 111, 320, 322};
  CHECK(std::memcmp(result.data(), sums.data(), 24) == 0);
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(rows_of_result(put, bytes_of({2, 4, 2})),
                    Contains("row 1: index 4 where the extent is 4"));
  CHECK_THROWS_WITH(
      execute_vector(add, {memory, bytes_of({2, 0, 9}), std::as_bytes(std::span(before))}, result),
      Contains("row 2: index 9 where the extent is 4"));
}
