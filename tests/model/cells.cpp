// SPDX-License-Identifier: Apache-2.0
// LSTM and GRU: are the cells PyTorch's, and is a file that says something else refused by name?
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "model/graph/builder.h"
#include "model/reference/math.h"
#include "model/reference/reference.h"
#include "refusal.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using namespace tokencycle::model;
using Catch::Contains;
using test::GgufWriter;
using test::refusal;
using test::SyntheticModel;

namespace {

nlohmann::json vectors() {
  std::ifstream file(TOKENCYCLE_SOURCE_DIR "/tests/golden/cell_vectors.json");
  return nlohmann::json::parse(file);
}

}  // namespace

TEST_CASE("a cell is PyTorch's, token after token") {
  for (const nlohmann::json& c : vectors()) {
    const std::string kind = c["kind"];
    const CellShape shape{kind == "lstm" ? CellKind::lstm : CellKind::gru, c["width"]};
    const std::uint32_t rows = shape.gates() * shape.width;
    const auto weights = c["weight"].get<std::vector<float>>(), x = c["x"].get<std::vector<float>>();
    const auto bias_row = c["bias"].get<std::vector<float>>(), h = c["h"].get<std::vector<float>>();
    const Weight weight{"w", Format::f32, rows, shape.width, 0, std::as_bytes(std::span(weights))};
    const Weight bias{"b", Format::f32, 1, rows, 0, std::as_bytes(std::span(bias_row))};
    std::vector<std::byte> state;
    std::vector<float> y(shape.width);
    REQUIRE(h.size() == 7 * y.size());
    for (std::size_t t = 0; t < 7; ++t) {
      const auto row = std::span(x).subspan(t * rows, rows);
      cell(shape, weight, bias_row.empty() ? nullptr : &bias, row, state, y);
      CHECK(state.size() == shape.state_rows() * shape.width * sizeof(float));
      for (std::size_t i = 0; i < y.size(); ++i) {
        CAPTURE(kind, t, i);
        CHECK(y[i] == Approx(h[t * y.size() + i]).margin(2e-6));
      }
    }
  }
}

TEST_CASE("a model of cells starts anew behind a reset, and has a state of one size") {
  const auto model = test::make_synthetic_model({.layers = 2, .tied = true, .architecture = "lstm"});
  Reference reference(*model, Format::f16);
  const auto logits = [&] {
    std::vector<float> last;
    for (const TokenId token : {5u, 17u, 290u, 8u}) {
      const auto row = reference.step(token);
      last.assign(row.begin(), row.end());
    }
    return last;
  };
  const std::vector<float> first = logits();
  CHECK(logits() != first);  // what came before counts
  reference.reset();
  CHECK(logits() == first);
}

TEST_CASE("files of LSTM and GRU that say something else are refused by name") {
  const std::string kind = GENERATE("lstm", "gru");
  const SyntheticModel spec = {.layers = 2, .tied = true, .architecture = kind};
  const auto without = [](const std::string& tensor) {
    return [tensor](GgufWriter& w) { REQUIRE(w.remove_tensor(tensor)); };
  };
  CHECK(refusal(spec, [](GgufWriter&) {}) == "accepted");
  for (const std::string part : {"cell_input.weight", "cell_input.bias", "cell_state.weight"})
    CHECK_THAT(refusal(spec, without("blk.1." + part)), Contains("'blk.1." + part + "' is missing"));
  for (const std::string key : {"block_count", "embedding_length", "context_length"}) {
    CHECK_THAT(refusal(spec, [&](GgufWriter& w) { REQUIRE(w.remove(kind + "." + key)); }),
               Contains("'" + kind + "." + key + "'") && Contains("missing"));
  }
  CHECK_THAT(refusal(spec, [&](GgufWriter& w) { w.u32(kind + ".attention.head_count", 4); }),
             Contains("attention.head_count' is 4"));
  const std::string bias = "blk.0.cell_state.bias";
  if (kind == "gru") {
    CHECK_THAT(refusal(spec, without(bias)), Contains("'" + bias + "' is missing"));
    return;
  }
  CHECK_THAT(
      refusal(spec, [&](GgufWriter& w) { w.tensor(bias, {256}, Format::f32, std::vector<float>(256)); }),
      Contains("'" + bias + "'"));
}

TEST_CASE("a state, an input or a weight of another size is no cell's") {
  class Tensors final : public TensorSource {
   public:
    Weight matrix(const std::string& name, std::uint32_t rows, std::uint32_t cols) override {
      return {name, Format::f32, rows, cols, 0, {}};
    }
    Weight matrices(const std::string& name, std::uint32_t, std::uint32_t rows, std::uint32_t cols) override {
      return matrix(name, rows, cols);
    }
    Weight vector(const std::string& name, std::uint32_t cols) override { return matrix(name, 1, cols); }
    Weight kernel(const std::string& name, std::uint32_t rows, std::uint32_t cols) override {
      return matrix(name, rows, cols);
    }
    bool has(const std::string& name) const override { return !name.ends_with(".scale"); }
  } tensors;
  const auto built = [&](std::uint32_t columns, std::uint32_t rows, CellShape shape) {
    Graph graph;
    GraphBuilder b(graph, tensors);
    const ValueId x = b.gather_rows("x", b.token_ids(), b.matrix("table", 10, columns));
    b.set_result(b.linear("logits", b.cell("cell", x, b.recurrent_state("rows", rows, 64), shape), 10));
    verify(graph);
  };
  built(256, 2, {CellKind::lstm, 64});
  built(192, 1, {CellKind::gru, 64});
  CHECK_THROWS_WITH(built(192, 2, {CellKind::lstm, 64}), Contains("'cell' (cell)") && Contains("its input"));
  CHECK_THROWS_WITH(built(256, 1, {CellKind::lstm, 64}), Contains("rows of the state"));
  CHECK_THROWS_WITH(built(96, 1, {CellKind::gru, 32}), Contains("columns of the state"));
}
