// SPDX-License-Identifier: Apache-2.0
// Does a tiling of rows in DRAM fit the memories that it is made for, and is what none fits refused?
#include <catch2/catch.hpp>

#include <random>

#include "base/error.h"
#include "compiler/compiler.h"
#include "compiler/passes/plan.h"
#include "compiler/tile/tiling.h"

using namespace tokencycle;
using compiler::Stays;
using compiler::StoredMatrix;
using compiler::Tiling;

namespace {

using Random = std::mt19937;
std::uint32_t number(Random& random, std::uint32_t least, std::uint32_t most) {
  return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
}

config::Machine edge() {
  return config::read_machine(TOKENCYCLE_SOURCE_DIR "/configs/edge.json");
}

config::Machine random_machine(Random& random) {
  static constexpr std::uint32_t kSides[] = {2, 3, 8, 16, 32, 33, 70};
  config::Machine m = edge();
  m.matrix.rows = kSides[number(random, 0, std::size(kSides) - 1)];
  m.matrix.columns = kSides[number(random, 0, std::size(kSides) - 1)];
  m.matrix.dataflow = static_cast<config::Dataflow>(number(random, 0, config::kDataflows - 1));
  m.matrix.group_buffer_rows = number(random, 1, 20);
  m.scratchpad.capacity_bytes = 1024 * number(random, 8, 256);
  m.accumulator.capacity_bytes = 1024 * number(random, 1, 64);
  return m;
}

struct Operands {
  StoredMatrix x, w;
};

Operands random_operands(Random& random) {
  static constexpr Format kWeights[] = {Format::i8, Format::i4, Format::f16, Format::f32, Format::q4_0};
  const Format w = kWeights[number(random, 0, std::size(kWeights) - 1)];
  const std::uint32_t k = is_scaled(w) ? 32 * number(random, 1, 30) : number(random, 1, 900);
  return {{{}, activation_format(w), number(random, 1, 500), k}, {{}, w, number(random, 1, 500), k}};
}

// Bytes that a chunk of both operands, or of the one that streams, takes in the ring.
std::uint64_t ring_bytes(const Tiling& t, const Operands& o) {
  const std::uint64_t x = t.stays == Stays::x ? 0 : t.rows * row_bytes(o.x.format, t.depth);
  const std::uint64_t w = t.stays == Stays::w ? 0 : t.cols * row_bytes(o.w.format, t.depth);
  return t.kept_bytes + x + w;
}

}  // namespace

TEST_CASE("a tiling's block fits half the accumulator memory, and its operands fit the ring") {
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    const config::Machine machine = random_machine(random);
    const Operands o = random_operands(random);
    const std::uint32_t ring = machine.scratchpad.capacity_bytes;
    const auto tiling = compiler::tile_streamed(machine, o.x, o.w, ring);
    CAPTURE(config::to_json(machine), name_of(o.w.format), o.x.rows, o.w.rows, o.w.cols);
    CHECK(tiling.has_value() == (compiler::smallest_streamed(machine, o.x, o.w) <= ring));
    if (!tiling) continue;
    CHECK((tiling->rows >= 1 && tiling->rows <= o.x.rows));
    CHECK((tiling->cols >= 1 && tiling->cols <= o.w.rows));
    CHECK(std::uint64_t{tiling->rows} * tiling->cols * 4 <= machine.accumulator.capacity_bytes / 2);
    CHECK(ring_bytes(*tiling, o) <= ring);
    const std::uint32_t cut = is_integer(o.w.format) ? block_elements(o.w.format) : cut_elements(o.w.format);
    CHECK((tiling->depth == o.w.cols || tiling->depth % cut == 0));
  }
}

TEST_CASE("the smallest ring is enough, and a smaller one is not") {
  Random random(2);
  for (int i = 0; i < 100; ++i) {
    const config::Machine machine = random_machine(random);
    const Operands o = random_operands(random);
    CAPTURE(config::to_json(machine), name_of(o.w.format), o.x.rows, o.w.rows, o.w.cols);
    const std::uint64_t least = compiler::smallest_streamed(machine, o.x, o.w);
    CHECK(compiler::tile_streamed(machine, o.x, o.w, least));
    CHECK_FALSE(compiler::tile_streamed(machine, o.x, o.w, least - compiler::kAlignment));
  }
}

namespace {

// A chain of linears from rows that the host writes.
model::Graph chain(Format format, std::uint32_t linears) {
  model::Graph graph;
  model::Value rows;
  rows.kind = model::ValueKind::input;
  rows.cols = 64;
  rows.format = activation_format(format);
  graph.values.push_back(rows);
  for (std::uint32_t i = 0; i < linears; ++i) {
    graph.weights.push_back({"w", format, 64, 64, 0, {}});
    model::Value sums;
    sums.cols = 64;
    graph.values.push_back(sums);
    model::Operator op;
    op.name = "linear" + std::to_string(i);
    op.inputs = {i};
    op.output = graph.result = i + 1;
    op.weight = &graph.weights.back();
    op.output_columns = 64;
    graph.operators.push_back(op);
  }
  return graph;
}

std::string refusal(const config::Machine& machine, const model::Graph& graph) {
  try {
    compiler::Compiler({&graph, 64 * 64 * 4, 8}, machine, {});
  } catch (const ConfigurationError& refused) {
    return refused.what();
  }
  return "";
}

}  // namespace

TEST_CASE("rows in DRAM are compiled in a graph of one node, others are refused by name") {
  const model::Graph one = chain(Format::f16, 1), two = chain(Format::f16, 2);
  CHECK(refusal(edge(), one).empty());
  CHECK_THAT(refusal(edge(), two), Catch::Contains("'linear0'") && Catch::Contains("graph of its own"));
}

TEST_CASE("integers that lie two a byte need an array of two rows") {
  config::Machine machine = edge();
  machine.matrix.rows = 1;
  CHECK_THAT(refusal(machine, chain(Format::i4, 1)),
             Catch::Contains("/matrix/rows") && Catch::Contains("at least 2"));
  CHECK(refusal(machine, chain(Format::i8, 1)).empty());
  machine.matrix.rows = 2;
  CHECK(refusal(machine, chain(Format::i4, 1)).empty());
}
