// SPDX-License-Identifier: Apache-2.0
// One matrix product Y[m][n] = sum over k of X[m][k] * W[k][n] as a graph of one node.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "compiler/compiler.h"

namespace tokencycle::host {

struct GemmShape {
  std::uint32_t m = 1, n = 1, k = 1;  // each 1 .. kLongestSide
  std::uint64_t multiplications() const { return std::uint64_t{m} * n * k; }
};
inline constexpr std::uint32_t kLongestSide = (1u << 24) - 1;

// What is multiplied; the sums are int32 for plain integers, else fp32.
struct GemmType {
  std::string_view name;
  Format x, w;
  bool integer_sums() const { return is_integer(w); }
};
inline constexpr std::array<GemmType, 7> kGemmTypes = {{{"int8", Format::i8, Format::i8},
                                                        {"int4", Format::i8, Format::i4},
                                                        {"fp16", Format::f16, Format::f16},
                                                        {"bf16", Format::bf16, Format::bf16},
                                                        {"fp32", Format::f32, Format::f32},
                                                        {"q8_0", Format::q8_0, Format::q8_0},
                                                        {"q4_0", Format::q8_0, Format::q4_0}}};

// Throws ConfigurationError when the machine lacks the multiplier type, UsageError when k is no multiple of
// 32 for a block format or the product has 2^62 multiplications or more.
void check_product(const config::Machine& machine, const GemmType& type, const GemmShape& shape);

// A linear whose input X [m][k] and weight W [n][k] lie in DRAM row by row, and so does its result.
model::Graph graph_of(const GemmType& type, const GemmShape& shape);

// The graph and its compiler; a step of `shape.m` rows is the product.
class Product {
 public:
  // Throws what check_product() and compiler::Compiler throw.
  Product(const config::Machine& machine, const GemmType& type, const GemmShape& shape);
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  // W is at layout().weights, X at layout().values[0], Y at layout().logits, the program at layout().program.
  const compiler::DramLayout& layout() const { return compiler_.layout(); }
  compiler::CompiledStep compile() const { return compiler_.compile(compiler::one_sequence(0, shape_.m)); }

 private:
  GemmShape shape_;
  model::Graph graph_;
  compiler::Compiler compiler_;
};

}  // namespace tokencycle::host
