// SPDX-License-Identifier: Apache-2.0
// Does the verifier refuse a graph that cannot be executed, by the operator's name?
#include <catch2/catch.hpp>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/graph/builder.h"

using namespace tokencycle;
using namespace tokencycle::model;
using Catch::Contains;

namespace {

class AnyTensor : public TensorSource {
 public:
  Weight matrix(const std::string& name, std::uint32_t rows, std::uint32_t cols) override {
    return {name, Format::f32, rows, cols, 0, {}};
  }
  Weight matrices(const std::string& name, std::uint32_t experts, std::uint32_t rows,
                  std::uint32_t cols) override {
    return {name, Format::f32, rows, cols, 0, {}, experts};
  }
  Weight vector(const std::string& name, std::uint32_t cols) override { return matrix(name, 1, cols); }
  Weight kernel(const std::string& name, std::uint32_t rows, std::uint32_t cols) override {
    return matrix(name, rows, cols);
  }
  bool has(const std::string& name) const override { return !name.ends_with(".scale"); }
};

// x (64) -> a (32) and b (64); a graph that is sound.
struct Small {
  Graph graph;
  AnyTensor tensors;
  GraphBuilder builder{graph, tensors};
  ValueId x = kNoValue, a = kNoValue, b = kNoValue;

  Small() {
    x = builder.gather_rows("x", builder.token_ids(), builder.matrix("table", 10, 64));
    a = builder.linear("a", x, 32);
    b = builder.zip("b", ZipFunction::add, builder.linear("c", a, 64), x);
    builder.set_result(builder.linear("logits", b, 10));
  }
};

}  // namespace

TEST_CASE("experts take places of a top_k, as many as they are, and parts that fit") {
  const auto built = [](std::uint32_t experts, bool parts) {
    Graph graph;
    AnyTensor tensors;
    GraphBuilder b(graph, tensors);
    const ValueId x = b.gather_rows("x", b.token_ids(), b.matrix("table", 10, 64));
    const ValueId scores = b.softmax("scores", b.linear("router", x, 8));
    const ValueId places = b.top_k("places", scores, 2);
    const ValueId y = b.expert_linear("y", x, places, experts, 32, parts);
    const ValueId weights = b.take("weights", scores, places);
    b.set_result(b.weighted_sum("sum", y, weights));
    verify(graph);
  };
  built(8, false);
  built(8, true);  // half of x for each of the two places
  CHECK_THROWS_WITH(built(7, false), Contains("what the places are of"));
}

TEST_CASE("factors of experts are one for each of them, and of parts of one size") {
  class ScaledTensors final : public AnyTensor {
    bool has(const std::string&) const override { return true; }
  };
  const auto built = [](std::uint32_t experts, std::uint32_t used) {
    Graph graph;
    ScaledTensors tensors;
    GraphBuilder b(graph, tensors);
    const ValueId x = b.gather_rows("x", b.token_ids(), b.matrix("table", 10, 64));
    const ValueId places = b.top_k("places", b.linear("router", x, b.matrix("router", 8, 64)), used);
    b.set_result(b.scale_parts("scaled", x, b.expert_scales("y", places, experts)));
    verify(graph);
    return graph.find("y_scales").weight->name;
  };
  CHECK(built(8, 2) == "y.scale");
  CHECK_THROWS_WITH(built(7, 2), Contains("'y_scales' (take_row)") && Contains("what the places are of"));
  CHECK_THROWS_WITH(built(8, 3), Contains("'scaled' (scale_parts)") && Contains("no part holds"));
}

TEST_CASE("rows of each expert's matrix lie as far apart as the matrices") {
  const std::vector<float> values(3 * 6 * 4);
  const auto bytes = std::as_bytes(std::span(values));
  const Weight whole{"w", Format::f32, 6, 4, 100, bytes, 3};
  const Weight part = whole.slice(2, 3);
  for (std::uint32_t e = 0; e < 3; ++e) {
    const Weight one = part.expert(e);
    const std::size_t first = (e * 6 + 2) * 4 * sizeof(float);
    CHECK(one.rows == 3);
    CHECK(one.offset == 100 + first);
    CHECK(one.data.data() == bytes.data() + first);
    CHECK(one.data.size() == 3 * 4 * sizeof(float));
  }
}

TEST_CASE("a sound graph is accepted") {
  Small small;
  CHECK_NOTHROW(verify(small.graph));
  CHECK(small.graph.find("c").weight->name == "c.weight");
  CHECK(small.graph.readers(small.x) == std::vector<std::uint32_t>{1, 3});
}

TEST_CASE("columns that do not agree are refused") {
  Small small;
  small.builder.zip("sum", ZipFunction::add, small.x, small.a);
  CHECK_THROWS_WITH(verify(small.graph), Contains("'sum' (zip)") && Contains("64 against 32"));
}

TEST_CASE("a value that is read before it is made is refused") {
  Small small;
  std::swap(small.graph.operators[1], small.graph.operators[2]);
  CHECK_THROWS_WITH(verify(small.graph), Contains("'c' (linear)") && Contains("no operator before it makes"));
}

TEST_CASE("a weight, a gain, heads and states of another size are refused") {
  Small small;
  SECTION("weight") {
    small.builder.linear("wrong", small.a, small.builder.matrix("m", 8, 64));
    CHECK_THROWS_WITH(verify(small.graph), Contains("'wrong' (linear)"));
  }
  SECTION("groups of a norm") {
    small.builder.norm("wrong", small.a, {NormKind::rms, 24, 1e-5f});
    CHECK_THROWS_WITH(verify(small.graph), Contains("'wrong' (norm)"));
  }
  SECTION("rotated part") {
    small.builder.rotary("wrong", small.a, small.builder.rotary_table({std::vector<double>(6), 1.0}),
                         {16, 8, RopePairs::split});
    CHECK_THROWS_WITH(verify(small.graph), Contains("'wrong' (rotary)"));
  }
  SECTION("state") {
    small.builder.append("wrong", small.x, small.builder.state("keys", "keys", 32));
    CHECK_THROWS_WITH(verify(small.graph), Contains("'wrong' (append)"));
  }
  SECTION("sinks beside scores that are scaled, and of other heads") {
    const ValueId keys = small.builder.state("keys", "keys", 64), values = small.builder.state("v", "v", 64);
    small.builder.attention("wrong", small.x, keys, values, {4, 4, 16, 0.25f}, "sinks");
    CHECK_THROWS_WITH(verify(small.graph), Contains("'wrong' (attention)") && Contains("beside sinks"));
    small.graph.operators.back().attention.scale = 1.0f;
    CHECK_NOTHROW(verify(small.graph));
    small.graph.weights.back().cols = 3;
    CHECK_THROWS_WITH(verify(small.graph), Contains("sinks and query heads"));
  }
  SECTION("values that are no part of the keys") {
    const ValueId keys = small.builder.state("keys", "keys", 64), other = small.builder.state("v", "v", 64);
    small.builder.attention("wrong", small.x, keys, other, {1, 1, 64, 0.25f, 0, 0, 32});
    CHECK_THROWS_WITH(verify(small.graph),
                      Contains("'wrong' (attention)") && Contains("no part of its keys"));
  }
  SECTION("groups that are joined") {
    small.builder.join("wrong", small.x, small.x, 2);
    CHECK_NOTHROW(verify(small.graph));
    small.graph.operators.back().columns.count = 16;
    CHECK_THROWS_WITH(verify(small.graph), Contains("'wrong' (join)"));
  }
  SECTION("parts of a linear") {
    small.builder.part_linear("wrong", small.x, 4, 8);
    CHECK_NOTHROW(verify(small.graph));
    small.graph.weights.back().experts = 3;
    CHECK_THROWS_WITH(verify(small.graph), Contains("'wrong' (part_linear)"));
  }
  SECTION("query heads") {
    const ValueId keys = small.builder.state("keys", "keys", 48), values = small.builder.state("v", "v", 48);
    small.builder.attention("wrong", small.x, keys, values, {4, 3, 16, 0.25f});
    CHECK_THROWS_WITH(verify(small.graph), Contains("'wrong' (attention)") && Contains("unevenly"));
  }
}

TEST_CASE("a graph needs a result") {
  Small small;
  small.builder.set_result(kNoValue);
  CHECK_THROWS_AS(verify(small.graph), ModelError);
}
