// SPDX-License-Identifier: Apache-2.0
// Does the reference execute the whole graph rightly, for every shape of attention and format of weights?
#include "model/reference/reference.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "base/error.h"
#include "model/textbook.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using namespace tokencycle::model;
using test::decoded;
using test::Row;
using test::SyntheticModel;
using test::Textbook;

namespace {

const std::vector<TokenId> kTokens = {1, 17, 290, 3, 3, 250, 99, 42, 7, 120};

std::vector<float> logits_after(Reference& reference, const std::vector<TokenId>& tokens) {
  std::span<const float> logits;
  for (const TokenId token : tokens) logits = reference.step(token);
  return {logits.begin(), logits.end()};
}

std::vector<float> run(const LlamaModel& model, Format kv_format,
                       const std::vector<TokenId>& tokens = kTokens) {
  Reference reference(model, kv_format);
  return logits_after(reference, tokens);
}

// The root of the mean square difference over the root of the mean square of `truth`.
double relative_difference(const std::vector<float>& values, const Row& truth) {
  REQUIRE(values.size() == truth.size());
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    difference += (values[i] - truth[i]) * (values[i] - truth[i]);
    size += truth[i] * truth[i];
  }
  return std::sqrt(difference / size);
}

}  // namespace

TEST_CASE("fp32 logits agree with a textbook transformer for every kind of attention") {
  const auto [heads, kv_heads] =
      GENERATE(std::pair{4u, 4u}, std::pair{4u, 2u}, std::pair{4u, 1u}, std::pair{6u, 3u});
  const bool tied = GENERATE(true, false);
  SyntheticModel spec;
  spec.heads = heads;
  spec.kv_heads = kv_heads;
  spec.width = 16 * heads;
  spec.tied = tied;
  const auto model = test::make_synthetic_model(spec);
  CAPTURE(heads, kv_heads, tied);
  REQUIRE(relative_difference(run(*model, Format::f32), Textbook(*model).logits(kTokens)) < 2e-6);
}

TEST_CASE("both rotary pairings, a partial rotation, other bases and scales agree with the textbook") {
  const RopePairs pairs = GENERATE(RopePairs::adjacent, RopePairs::split);
  SyntheticModel spec;
  spec.head_dim = 24;
  spec.rope_dims = 16;
  spec.rope_base = 5000.0f;
  spec.rope_scale = 2.0f;
  const test::TemporaryFile file = test::write_synthetic_model(spec);
  const LlamaModel model(GgufFile(file.path()), pairs);
  REQUIRE(relative_difference(run(model, Format::f32), Textbook(model).logits(kTokens)) < 2e-6);
}

TEST_CASE("biases of the projections and norms of the heads agree with the textbook") {
  SyntheticModel spec;
  spec.architecture = GENERATE("qwen2", "qwen3");
  spec.head_dim = 24;
  const auto model = test::make_synthetic_model(spec);
  CAPTURE(spec.architecture);
  REQUIRE(relative_difference(run(*model, Format::f32), Textbook(*model).logits(kTokens)) < 4e-6);
}

TEST_CASE("experts, their weights and norms of whole rows agree with the textbook") {
  SyntheticModel spec;
  spec.architecture = GENERATE("llama", "qwen3moe", "olmoe");
  spec.experts = 8;
  spec.experts_used = GENERATE(1u, 3u, 8u);
  const auto model = test::make_synthetic_model(spec);
  CAPTURE(spec.architecture, spec.experts_used);
  REQUIRE(relative_difference(run(*model, Format::f32), Textbook(*model).logits(kTokens)) < 4e-6);
}

TEST_CASE("the two rotary pairings are different models") {
  const test::TemporaryFile file = test::write_synthetic_model({});
  const LlamaModel adjacent(GgufFile(file.path()), RopePairs::adjacent);
  const LlamaModel split(GgufFile(file.path()), RopePairs::split);
  REQUIRE(relative_difference(run(adjacent, Format::f32), Textbook(split).logits(kTokens)) > 1e-3);
}

TEST_CASE("each weight format stays within the error of its activations and cache") {
  // An activation is off by 2^-12 (f16), 2^-9 (bf16) or 1/254 of its block's largest value (q8_0) at most.
  const auto [format, limit] =
      GENERATE(std::pair{Format::f32, 1e-3}, std::pair{Format::f16, 2e-3}, std::pair{Format::bf16, 1e-2},
               std::pair{Format::q8_0, 4e-2}, std::pair{Format::q4_0, 4e-2}, std::pair{Format::q4_1, 4e-2});
  SyntheticModel spec;
  spec.matrices = format;
  const auto model = test::make_synthetic_model(spec);
  const double difference = relative_difference(run(*model, Format::f16), Textbook(*model).logits(kTokens));
  CAPTURE(name_of(format), difference);
  REQUIRE(difference < limit);
  REQUIRE(difference > 1e-6);  // the formats' roundings did take place
}

TEST_CASE("an f16 cache changes the logits a little") {
  const auto model = test::make_synthetic_model({});
  const auto half = run(*model, Format::f16), full = run(*model, Format::f32);
  REQUIRE(half != full);
  REQUIRE(relative_difference(half, Row(full.begin(), full.end())) < 1e-3);
}

TEST_CASE("a context longer than one group of positions agrees with the textbook") {
  SyntheticModel spec;
  spec.context = 80;
  const auto model = test::make_synthetic_model(spec);
  std::vector<TokenId> tokens;
  for (TokenId i = 0; i < 75; ++i) tokens.push_back(i * 37 % 300);
  REQUIRE(relative_difference(run(*model, Format::f32, tokens), Textbook(*model).logits(tokens)) < 2e-6);
}

TEST_CASE("the same tokens give the same bits, also after reset") {
  SyntheticModel spec;
  spec.matrices = Format::q8_0;
  const auto model = test::make_synthetic_model(spec);
  const auto expected = run(*model, Format::f16);
  Reference reference(*model, Format::f16);
  logits_after(reference, {5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  reference.reset();
  REQUIRE(reference.position() == 0);
  REQUIRE(logits_after(reference, kTokens) == expected);
  REQUIRE(reference.position() == kTokens.size());
}

TEST_CASE("the tap sees every operator of the graph in order, with its width") {
  const auto model = test::make_synthetic_model({});
  Reference reference(*model, Format::f16);
  reference.step(1);
  std::size_t next = 0;
  std::vector<float> embedding, output;
  reference.set_tap([&](const Operator& op, std::uint32_t position, std::span<const float> result) {
    REQUIRE(&op == &model->graph().operators.at(next++));
    REQUIRE(position == 1);
    REQUIRE(result.size() == op.output_columns);
    if (op.kind == OperatorKind::gather_rows) embedding.assign(result.begin(), result.end());
    if (op.name == "output") output.assign(result.begin(), result.end());
  });
  const auto logits = reference.step(7);
  REQUIRE(next == model->graph().operators.size());
  const Row row = decoded(test::weight_of(*model, "embedding"), 7);
  REQUIRE(std::equal(embedding.begin(), embedding.end(), row.begin(), row.end()));
  REQUIRE(std::equal(output.begin(), output.end(), logits.begin(), logits.end()));
}

TEST_CASE("a tap that stops a step leaves the reference where it was") {
  const auto model = test::make_synthetic_model({});
  const auto expected = run(*model, Format::f16, {1, 2});
  Reference reference(*model, Format::f16);
  reference.step(1);
  reference.set_tap([](const Operator& op, std::uint32_t, std::span<const float>) {
    if (op.name == "blk.1.attn_output") throw SimulationError("stop");
  });
  REQUIRE_THROWS_AS(reference.step(9), SimulationError);
  reference.set_tap({});
  REQUIRE(reference.position() == 1);
  REQUIRE(logits_after(reference, {2}) == expected);
}

TEST_CASE("a full context is refused and names its limit") {
  SyntheticModel spec;
  spec.context = 4;
  const auto model = test::make_synthetic_model(spec);
  Reference reference(*model, Format::f16);
  logits_after(reference, {1, 2, 3, 4});
  REQUIRE_THROWS_WITH(reference.step(5), Catch::Contains("the context of 4 positions is full"));
  REQUIRE_THROWS_AS(reference.step(5), SimulationError);
  reference.reset();
  REQUIRE_NOTHROW(reference.step(5));
}

TEST_CASE("tokens outside the vocabulary and caches of other formats are refused") {
  const auto model = test::make_synthetic_model({});
  Reference reference(*model, Format::f16);
  REQUIRE_THROWS_WITH(reference.step(300), Catch::Contains("token 300") && Catch::Contains("0 to 299"));
  REQUIRE(reference.position() == 0);
  REQUIRE_THROWS_AS(Reference(*model, Format::q8_0), ConfigurationError);
  REQUIRE_THROWS_WITH(Reference(*model, Format::u8), Catch::Contains("not u8"));
}

TEST_CASE("a factor multiplies the product of its matrix, and no bias") {
  const auto logits = [](const SyntheticModel& spec, auto change) {
    test::GgufWriter writer = test::synthetic_gguf(spec);
    change(writer);
    const test::TemporaryFile file(writer.bytes());
    return run(LlamaModel(GgufFile(file.path())), Format::f16);
  };
  const auto factor = [](std::string name, float value) {
    return [=](test::GgufWriter& w) { w.tensor(name, {1}, Format::f32, std::vector<float>{value}); };
  };
  std::vector<float> twice = logits({}, [](const auto&) {});
  for (float& value : twice) value = 2 * value;
  CHECK(logits({}, factor("output.scale", 2.0f)) == twice);
  // One tensor and one bias for queries, keys and values.
  const SyntheticModel fused{.kv_heads = 4, .tied = true, .architecture = "gpt2"};
  const auto zeros = [](test::GgufWriter& w) {
    REQUIRE(w.remove_tensor("blk.0.attn_qkv.weight"));
    w.tensor("blk.0.attn_qkv.weight", {64, 192}, Format::f32, std::vector<float>(64 * 192));
  };
  CHECK(logits(fused, factor("blk.0.attn_qkv.scale", 0.0f)) == logits(fused, zeros));
  CHECK(logits(fused, zeros) != logits(fused, [](const auto&) {}));
}
