// SPDX-License-Identifier: Apache-2.0
// Does a sound model become the right shape, weights, graph and rotary table?
#include <catch2/catch.hpp>
#include <cmath>

#include "model/architecture.h"
#include "numerics/blocks.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using namespace tokencycle::model;
using namespace tokencycle::test;

namespace {

void check_weight(const LlamaModel& model, const Weight& weight, std::string_view name, std::uint32_t rows,
                  std::uint32_t cols) {
  INFO(name);
  const GgufTensor* tensor = model.file().find_tensor(name);
  REQUIRE(tensor != nullptr);
  CHECK(weight.name == name);
  CHECK(weight.rows == rows);
  CHECK(weight.cols == cols);
  CHECK(weight.format == tensor->format);
  CHECK(weight.data.data() == tensor->data.data());
  CHECK(weight.data.size() == rows * row_bytes(weight.format, cols));
  CHECK(model.file().tensor_data().data() + weight.offset == weight.data.data());
  CHECK(weight.row(rows - 1).data() + row_bytes(weight.format, cols) ==
        weight.data.data() + weight.data.size());
}

// The model whose metadata was changed by `change`.
template <class Change>
LlamaModel changed(const SyntheticModel& spec, Change change) {
  GgufWriter writer = synthetic_gguf(spec);
  change(writer);
  const TemporaryFile file(writer.bytes());
  return LlamaModel(GgufFile(file.path()));
}

}  // namespace

TEST_CASE("weights are found with their shapes, in every format") {
  const Format format =
      GENERATE(Format::f32, Format::f16, Format::bf16, Format::q8_0, Format::q4_0, Format::q4_1);
  SyntheticModel spec;
  spec.matrices = format;
  spec.norms = block_elements(format) == 1 ? format : Format::f32;
  spec.feed_forward = 172;  // rows of ffn_down are no multiple of a block
  spec.head_dim = 24;
  const auto model = make_synthetic_model(spec);
  const auto check = [&](const std::string& op, std::string_view tensor, std::uint32_t rows,
                         std::uint32_t cols) {
    check_weight(*model, *model->graph().find(op).weight, tensor, rows, cols);
  };
  check("embedding", "token_embd.weight", 300, 64);
  check("output_norm", "output_norm.weight", 1, 64);
  check("output", "output.weight", 300, 64);
  check("blk.1.attn_norm", "blk.1.attn_norm.weight", 1, 64);
  check("blk.1.attn_q", "blk.1.attn_q.weight", 96, 64);
  check("blk.1.attn_k", "blk.1.attn_k.weight", 48, 64);
  check("blk.1.attn_v", "blk.1.attn_v.weight", 48, 64);
  check("blk.1.attn_output", "blk.1.attn_output.weight", 64, 96);
  check("blk.1.ffn_norm", "blk.1.ffn_norm.weight", 1, 64);
  check("blk.1.ffn_gate", "blk.1.ffn_gate.weight", 172, 64);
  check("blk.1.ffn_up", "blk.1.ffn_up.weight", 172, 64);
  check("blk.1.ffn_down", "blk.1.ffn_down.weight", 64, 172);
  const Weight& query = *model->graph().find("blk.1.attn_q").weight;
  CHECK(query.format == format);
  CHECK(model->graph().find("blk.1.ffn_down").weight->format ==
        (block_elements(format) == 1 ? format : Format::f16));

  // The values are those of a network, not zeros.
  std::vector<float> row(64);
  decode_row(query.format, query.row(3), 0, row);
  double squares = 0;
  for (const float value : row) squares += static_cast<double>(value) * value;
  CHECK(squares == Approx(1.0).margin(0.5));
}

TEST_CASE("the graph lists the operators in the order of execution") {
  SyntheticModel spec;
  spec.tied = GENERATE(false, true);
  const auto model = make_synthetic_model(spec);
  struct Expected {
    OperatorKind kind;
    std::string name, weight;
    std::uint32_t columns;
  };
  std::vector<Expected> expected = {{OperatorKind::gather_rows, "embedding", "token_embd.weight", 64}};
  for (std::uint32_t i = 0; i < 2; ++i) {
    const std::string p = "blk." + std::to_string(i) + ".";
    expected.insert(expected.end(), {{OperatorKind::norm, p + "attn_norm", p + "attn_norm.weight", 64},
                                     {OperatorKind::linear, p + "attn_q", p + "attn_q.weight", 64},
                                     {OperatorKind::linear, p + "attn_k", p + "attn_k.weight", 32},
                                     {OperatorKind::linear, p + "attn_v", p + "attn_v.weight", 32},
                                     {OperatorKind::rotary, p + "rope_q", "", 64},
                                     {OperatorKind::rotary, p + "rope_k", "", 32},
                                     {OperatorKind::append, p + "cache_k", "", 0},
                                     {OperatorKind::append, p + "cache_v", "", 0},
                                     {OperatorKind::attention, p + "attention", "", 64},
                                     {OperatorKind::linear, p + "attn_output", p + "attn_output.weight", 64},
                                     {OperatorKind::zip, p + "attn_residual", "", 64},
                                     {OperatorKind::norm, p + "ffn_norm", p + "ffn_norm.weight", 64},
                                     {OperatorKind::linear, p + "ffn_gate", p + "ffn_gate.weight", 96},
                                     {OperatorKind::linear, p + "ffn_up", p + "ffn_up.weight", 96},
                                     {OperatorKind::map, p + "ffn_silu", "", 96},
                                     {OperatorKind::zip, p + "ffn_act", "", 96},
                                     {OperatorKind::linear, p + "ffn_down", p + "ffn_down.weight", 64},
                                     {OperatorKind::zip, p + "ffn_residual", "", 64}});
  }
  expected.push_back({OperatorKind::norm, "output_norm", "output_norm.weight", 64});
  expected.push_back(
      {OperatorKind::linear, "output", spec.tied ? "token_embd.weight" : "output.weight", 300});
  REQUIRE(model->graph().operators.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Operator& op = model->graph().operators[i];
    INFO(expected[i].name);
    CHECK(op.kind == expected[i].kind);
    CHECK(op.name == expected[i].name);
    CHECK((op.weight == nullptr ? "" : op.weight->name) == expected[i].weight);
    CHECK(op.output_columns == expected[i].columns);
    CHECK(op.layer == (i == 0 || i + 2 >= expected.size() ? -1 : static_cast<int>((i - 1) / 18)));
  }
  CHECK(model->shape().tied_output == spec.tied);
  CHECK((model->graph().find("output").weight == model->graph().find("embedding").weight) == spec.tied);
}

TEST_CASE("absent optional keys have the defaults of the format") {
  SyntheticModel spec;
  const LlamaModel model = changed(spec, [](GgufWriter& writer) {
    REQUIRE(writer.remove("llama.attention.head_count_kv"));
    REQUIRE(writer.remove("llama.rope.freq_base"));
    REQUIRE(writer.remove("general.name"));
    for (const std::string layer : {"0", "1"}) {  // as many key and value heads as query heads
      for (const std::string part : {"attn_k", "attn_v"}) {
        const std::string name = "blk." + layer + "." + part + ".weight";
        REQUIRE(writer.remove_tensor(name));
        writer.tensor(name, {64, 64}, Format::f32, std::vector<float>(64 * 64));
      }
    }
  });
  CHECK(model.shape().kv_heads == 4);
  CHECK(model.shape().head_dim == 16);
  CHECK(model.shape().rope_dims == 16);
  CHECK(model.shape().rope_base == 10000.0);
  CHECK(model.shape().rope_scale == 1.0);
  CHECK(model.shape().name.empty());
  CHECK(model.shape().rope_pairs == RopePairs::adjacent);
}

TEST_CASE("optional keys are read, whatever their integer type and order") {
  SyntheticModel spec;
  spec.head_dim = 32;
  spec.rope_dims = 8;
  spec.rope_base = 500000.0f;
  const LlamaModel model = changed(spec, [](GgufWriter& writer) {
    REQUIRE(writer.remove("llama.block_count"));
    REQUIRE(writer.remove("llama.attention.head_count"));
    REQUIRE(writer.remove("llama.attention.head_count_kv"));
    writer.i32_array("llama.attention.head_count_kv", {2, 2}).u32_array("llama.attention.head_count", {4, 4});
    writer.u64("llama.block_count", 2).u32("llama.expert_count", 0).string("general.type", "model");
  });
  CHECK(model.shape().layers == 2);
  CHECK(model.shape().heads == 4);
  CHECK(model.shape().kv_heads == 2);
  CHECK(model.shape().head_dim == 32);
  CHECK(model.shape().query_width(0) == 128);
  CHECK(model.shape().kv_width(0) == 64);
  CHECK(model.shape().rope_dims == 8);
  CHECK(model.shape().rope_base == 500000.0);
}

TEST_CASE("the pairing of rotary elements can be overridden") {
  const TemporaryFile file = write_synthetic_model({});
  CHECK(LlamaModel(GgufFile(file.path()), RopePairs::split).shape().rope_pairs == RopePairs::split);
}

TEST_CASE("linear scaling is read from either key, and none means none") {
  const auto scale = [](const char* type, const char* key) {
    return changed({},
                   [&](GgufWriter& writer) {
                     if (type != nullptr) writer.string("llama.rope.scaling.type", type);
                     writer.f32(key, 4.0f);
                   })
        .shape()
        .rope_scale;
  };
  CHECK(scale("linear", "llama.rope.scaling.factor") == 4.0);
  CHECK(scale(nullptr, "llama.rope.scaling.factor") == 4.0);
  CHECK(scale(nullptr, "llama.rope.scale_linear") == 4.0);
  CHECK(scale("none", "llama.rope.scaling.factor") == 1.0);
}

TEST_CASE("the rotary table holds cos and sin of each position's angles") {
  SyntheticModel spec;
  spec.rope_dims = 12;
  spec.context = 50;
  spec.rope_base = 1000.0f;
  spec.rope_scale = GENERATE(1.0f, 3.0f);
  spec.rope_factors = GENERATE(false, true);
  const auto model = make_synthetic_model(spec);
  const std::vector<float>& table = model->rotary_table(model->graph().rotary_tables.begin()->first);
  REQUIRE(table.size() == 50 * 12);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(table[2 * i] == 1.0f);
    CHECK(table[2 * i + 1] == 0.0f);
    const double factor = spec.rope_factors ? 1.0 + static_cast<double>(i) : 1.0;
    const double theta = std::pow(1000.0, -static_cast<double>(i) / 6.0) / factor / spec.rope_scale;
    for (const std::size_t p : {1u, 7u, 49u}) {
      CHECK(table[p * 12 + 2 * i] == Approx(std::cos(static_cast<double>(p) * theta)).margin(1e-7));
      CHECK(table[p * 12 + 2 * i + 1] == Approx(std::sin(static_cast<double>(p) * theta)).margin(1e-7));
    }
  }
}

TEST_CASE("a seed fixes every byte of a synthetic model") {
  SyntheticModel spec;
  spec.tokenizer = SyntheticTokenizer::gpt2;
  const auto bytes = synthetic_gguf(spec).bytes();
  CHECK(bytes == synthetic_gguf(spec).bytes());
  spec.seed = 2;
  CHECK(bytes != synthetic_gguf(spec).bytes());
}
