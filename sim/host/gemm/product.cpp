// SPDX-License-Identifier: Apache-2.0
#include "host/gemm/product.h"

#include <fmt/format.h>

#include "base/error.h"

namespace tokencycle::host {

void check_product(const config::Machine& machine, const GemmType& type, const GemmShape& shape) {
  const MultiplyType needed = multiply_type(type.w);
  if (machine.matrix.cycles_per_row[static_cast<std::size_t>(needed)] == 0) {
    throw ConfigurationError(
        fmt::format("machine '{}': --dtype {} needs {} multipliers, which the machine lacks; add "
                    "/matrix/cycles_per_row/{} to the configuration, or choose another type",
                    machine.name, type.name, name_of(needed), name_of(needed)));
  }
  if (is_scaled(type.w) && shape.k % cut_elements(type.w) != 0) {
    throw UsageError(
        fmt::format("-K is {}; with --dtype {} it must be a multiple of {}, the length of a block", shape.k,
                    type.name, cut_elements(type.w)));
  }
  if (static_cast<double>(shape.m) * shape.n * shape.k >= 0x1p62) {
    throw UsageError(fmt::format("-M {} -N {} -K {}: 2^62 multiplications or more; make one of them smaller",
                                 shape.m, shape.n, shape.k));
  }
}

model::Graph graph_of(const GemmType& type, const GemmShape& shape) {
  model::Graph graph;
  graph.weights.push_back({"W", type.w, shape.n, shape.k, 0, {}});
  model::Value x, y;
  x.kind = model::ValueKind::input;
  x.cols = shape.k;
  x.name = "X";
  x.format = type.x;
  y.cols = shape.n;
  y.name = "Y";
  graph.values = {x, y};
  model::Operator product;
  product.name = "product";
  product.inputs = {0};
  product.output = graph.result = 1;
  product.weight = &graph.weights.front();
  product.output_columns = shape.n;
  graph.operators.push_back(product);
  model::verify(graph);
  return graph;
}

namespace {

// Checked before anything is sized by it.
model::Graph checked_graph(const config::Machine& machine, const GemmType& type, const GemmShape& shape) {
  check_product(machine, type, shape);
  return graph_of(type, shape);
}

compiler::Options options() {
  compiler::Options options;
  options.reserve_program = false;  // there is one step
  return options;
}

}  // namespace

Product::Product(const config::Machine& machine, const GemmType& type, const GemmShape& shape)
    : shape_(shape),
      graph_(checked_graph(machine, type, shape)),
      compiler_(compiler::Source{&graph_, shape.n * row_bytes(type.w, shape.k), shape.m}, machine,
                options()) {}

}  // namespace tokencycle::host
