// SPDX-License-Identifier: Apache-2.0
// Is every model that would compute something else refused by name?
#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "base/error.h"
#include "model/architecture.h"
#include "model/gguf/limits.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using namespace tokencycle::model;
using namespace tokencycle::test;
using Catch::Contains;

namespace {

// The message with which the changed model is refused, without the file's name.
template <class Change>
std::string refusal(Change change, const SyntheticModel& spec = {}) {
  GgufWriter writer = synthetic_gguf(spec);
  change(writer);
  const TemporaryFile file(writer.bytes());
  try {
    const LlamaModel model(GgufFile(file.path()));
  } catch (const ModelError& error) {
    const std::string message = error.what();
    CHECK_THAT(message, Catch::StartsWith(file.path().string() + ": "));
    return message.substr(file.path().string().size() + 2);
  }
  FAIL("the model was accepted");
  return {};
}

// Replaces an unsigned key.
auto with(std::string key, std::uint32_t value) {
  return [key, value](GgufWriter& writer) {
    writer.remove(key);
    writer.u32(key, value);
  };
}

auto with_float(std::string key, float value) {
  return [key, value](GgufWriter& writer) {
    writer.remove(key);
    writer.f32(key, value);
  };
}

auto with_string(std::string key, std::string value) {
  return [key, value](GgufWriter& writer) {
    writer.remove(key);
    writer.string(key, value);
  };
}

// Replaces a tensor by one of zeros.
auto with_tensor(std::string name, std::vector<std::uint64_t> shape, std::uint32_t type,
                 std::uint64_t bytes) {
  return [=](GgufWriter& writer) {
    writer.remove_tensor(name);
    writer.tensor(name, shape, type, std::vector<std::byte>(bytes));
  };
}

}  // namespace

TEST_CASE("a required key that is missing is named") {
  const std::string key = GENERATE("general.architecture", "llama.block_count", "llama.embedding_length",
                                   "llama.context_length", "llama.feed_forward_length",
                                   "llama.attention.head_count", "llama.attention.layer_norm_rms_epsilon");
  const std::string message = refusal([&](GgufWriter& writer) { REQUIRE(writer.remove(key)); });
  CHECK_THAT(message, Contains("'" + key + "'") && Contains("missing") && Contains("convert"));
}

TEST_CASE("a size outside its limits is refused with the range") {
  const auto [key, limit] = GENERATE(table<std::string, std::uint32_t>({
      {"llama.block_count", kMaxLayers},
      {"llama.embedding_length", kMaxWidth},
      {"llama.context_length", kMaxContext},
      {"llama.feed_forward_length", kMaxFeedForward},
      {"llama.attention.head_count", kMaxHeads},
      {"llama.attention.head_count_kv", kMaxHeads},
      {"llama.attention.key_length", kMaxHeadDim},
      {"llama.attention.value_length", kMaxHeadDim},
      {"llama.rope.dimension_count", kMaxHeadDim},
  }));
  for (const std::uint32_t value : {0u, limit + 1, 0xffffffffu}) {
    CHECK_THAT(refusal(with(key, value)), Contains("'" + key + "' is " + std::to_string(value)) &&
                                              Contains("from 1 to " + std::to_string(limit)));
  }
}

TEST_CASE("the context is bounded by the rotary table's memory") {
  SyntheticModel spec;
  spec.head_dim = 256;
  CHECK_THAT(refusal(with("llama.context_length", 1u << 20), spec),
             Contains("1048576 positions and 256 dimensions takes 1024 MiB") &&
                 Contains("limit of 64 for a file of this size"));
}

TEST_CASE("heads that do not fit together are refused") {
  CHECK_THAT(refusal(with("llama.attention.head_count_kv", 3)),
             Contains("4 query heads") && Contains("3 key-value"));
  CHECK_THAT(refusal(with("llama.attention.head_count_kv", 8)), Contains("8 key-value"));
  CHECK_THAT(refusal(with("llama.attention.head_count", 6)), Contains("64 cannot be divided among 6 heads"));
  CHECK_THAT(refusal(with("llama.attention.key_length", 8)),
             Contains("key_length 8") && Contains("value_length 16"));
  CHECK_THAT(refusal(with("llama.attention.value_length", 8)), Contains("differ"));
  CHECK_THAT(refusal([](GgufWriter& writer) {
               writer.remove("llama.attention.head_count_kv");
               writer.u32_array("llama.attention.head_count_kv", {2, 4});
             }),
             Contains("2 in layer 0 and 4 in layer 1"));
  CHECK_THAT(refusal([](GgufWriter& writer) {
               writer.remove("llama.attention.head_count_kv");
               writer.i32_array("llama.attention.head_count_kv", {2, 2, 2});
             }),
             Contains("array of 3 values, but should be 2 integers"));
  CHECK_THAT(refusal([](GgufWriter& writer) {
               writer.remove("llama.attention.head_count");
               writer.f32_array("llama.attention.head_count", {4, 4});
             }),
             Contains("integers"));
}

TEST_CASE("rotary embeddings of an unknown kind are refused") {
  CHECK_THAT(refusal(with_string("llama.rope.scaling.type", "dynamic")),
             Contains("'dynamic'") && Contains("'linear', 'yarn'"));
  CHECK_THAT(refusal(with("llama.rope.dimension_count", 7)), Contains("is 7, but should be even"));
  CHECK_THAT(refusal(with("llama.rope.dimension_count", 18)), Contains("at most the head dimension 16"));
  CHECK_THAT(refusal(with_float("llama.rope.scaling.factor", -2.0f)),
             Contains("is -2, but should be positive"));
  CHECK_THAT(refusal(with_float("llama.rope.freq_base", 0.0f)), Contains("'llama.rope.freq_base' is 0"));
  SyntheticModel spec;
  spec.rope_factors = true;
  CHECK_THAT(refusal(with_tensor("rope_freqs.weight", {8}, 0, 32), spec),
             Contains("value 0 of tensor 'rope_freqs.weight' is 0"));
  CHECK_THAT(refusal(with_tensor("rope_freqs.weight", {8}, 1, 16), spec), Contains("should be F32"));
  CHECK_THAT(refusal(with_tensor("rope_freqs.weight", {16}, 0, 64), spec), Contains("asks for 8 x 1"));
}

TEST_CASE("a norm's epsilon is positive and finite") {
  for (const float value :
       {0.0f, -1.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    CHECK_THAT(refusal(with_float("llama.attention.layer_norm_rms_epsilon", value)),
               Contains("positive and finite"));
  }
  CHECK_THAT(refusal(with_string("llama.attention.layer_norm_rms_epsilon", "1e-5")),
             Contains("floating-point"));
}

TEST_CASE("other kinds of models are refused by name") {
  CHECK_THAT(refusal(with_string("general.architecture", "qwen2moe")),
             Contains("'qwen2moe'") && Contains("'llama'"));
  CHECK_THAT(refusal(with_string("general.type", "adapter")), Contains("'adapter'"));
  CHECK_THAT(refusal(with("llama.expert_count", 8)), Contains("'llama.expert_used_count'"));
  CHECK_THAT(refusal([](GgufWriter& writer) {
               writer.u32("llama.expert_count", 4).u32("llama.expert_used_count", 5);
             }),
             Contains("'llama.expert_used_count' is 5, but should be from 1 to 4"));
  CHECK_THAT(refusal([](GgufWriter& writer) {
               writer.u32("llama.expert_count", 4).u32("llama.expert_used_count", 2);
             }),
             Contains("'blk.0.ffn_gate_inp.weight'"));
  CHECK_THAT(refusal([](GgufWriter& writer) {
               writer.u32("llama.expert_count", 4).u32("llama.expert_used_count", 2);
               writer.u32("llama.expert_gating_func", 2);
             }),
             Contains("'llama.expert_gating_func' is 2") && Contains("softmax"));
  CHECK_THAT(refusal([](GgufWriter& writer) { writer.boolean("llama.attention.causal", false); }),
             Contains("causal"));
  for (const std::string key :
       {"attention.scale", "attention.clamp_kqv", "logit_scale", "residual_scale", "embedding_scale"}) {
    CHECK_THAT(refusal(with_float("llama." + key, 0.25f)), Contains("'llama." + key + "' is 0.25"));
  }
  CHECK_THAT(refusal(with("llama.attention.new_kind", 3)), Contains("'llama.attention.new_kind' is 3"));
}

TEST_CASE("tensors are checked by name, shape and type") {
  const std::string name = "blk.1.ffn_down.weight";
  CHECK_THAT(refusal([&](GgufWriter& writer) { writer.remove_tensor(name); }),
             Contains("'" + name + "' is missing"));
  CHECK_THAT(refusal(with_tensor(name, {64, 96}, 0, 64 * 96 * 4)),
             Contains("has shape 64 x 96") && Contains("asks for 96 x 64"));
  CHECK_THAT(refusal(with_tensor(name, {96, 64, 2}, 1, 64 * 96 * 4)), Contains("has shape 96 x 64 x 2"));
  CHECK_THAT(refusal(with_tensor(name, {96, 64}, 31, 64 * 96 / 32 * 18)),
             Contains("'" + name + "'") && Contains("stored as Q4_0_4_4") && Contains("llama-quantize") &&
                 Contains("Q8_0"));
  CHECK_THAT(refusal(with_tensor("blk.0.attn_norm.weight", {64}, 8, 68)),
             Contains("stored as q8_0") && Contains("gain"));
  CHECK_THAT(refusal(with_tensor("token_embd.weight", {32, 300}, 0, 32 * 300 * 4)),
             Contains("asks for 64 x 300"));
  CHECK_THAT(refusal(with_tensor("token_embd.weight", {64, 200}, 0, 64 * 200 * 4)),
             Contains("'tokenizer.ggml.tokens' has 300 entries") && Contains("200 rows"));
  CHECK_THAT(refusal([](GgufWriter& writer) { writer.remove_tensor("token_embd.weight"); }),
             Contains("token_embd.weight"));
}

TEST_CASE("what gpt-oss needs is named where it is missing or another") {
  const SyntheticModel spec = {.architecture = "gpt-oss",
                               .biases = true,
                               .sizes = {{"attention.sliding_window", 8}},
                               .experts = 4,
                               .experts_used = 2};
  const auto message = [&](auto change) { return refusal(change, spec); };
  const std::string tensor =
      GENERATE("blk.1.attn_sinks.weight", "blk.0.attn_output.bias", "blk.0.ffn_gate_inp.bias",
               "blk.1.ffn_down_exps.bias", "blk.1.post_attention_norm.weight");
  CHECK_THAT(message([&](GgufWriter& w) { REQUIRE(w.remove_tensor(tensor)); }),
             Contains("tensor '" + tensor + "' is missing"));
  CHECK_THAT(message(with_tensor("blk.1.attn_sinks.weight", {5}, 0, 20)), Contains("has shape 5"));
  CHECK_THAT(message(with_tensor("blk.1.attn_sinks.weight", {4}, 1, 8)), Contains("should be F32"));
  CHECK_THAT(message(with_tensor("blk.0.ffn_up_exps.bias", {96, 3}, 0, 96 * 3 * 4)),
             Contains("has shape 96 x 3"));
  CHECK_THAT(message(with_tensor("blk.0.ffn_up_exps.bias", {96, 4}, 1, 96 * 4 * 2)),
             Contains("should be F32"));
  CHECK_THAT(message(with("gpt-oss.expert_gating_func", 2)),
             Contains("'gpt-oss.expert_gating_func' is 2") && Contains("3, softmax of the chosen"));
  CHECK_THAT(message(with("gpt-oss.attention.sliding_window", 0)), Contains("sliding_window' is 0"));
  CHECK_THAT(message([](GgufWriter& w) { w.remove("gpt-oss.attention.sliding_window"); }),
             Contains("sliding_window") && Contains("missing"));
  CHECK_THAT(message(with("gpt-oss.rope.dimension_count", 8)), Contains("dimension_count' is 8"));
  CHECK_THAT(message(with_float("gpt-oss.rope.freq_base_swa", 500.0f)), Contains("freq_base_swa' is 500"));
  CHECK_THAT(message(with("gpt-oss.attention.key_length", 0)), Contains("key_length' is 0"));
  CHECK_THAT(message(with("gpt-oss.expert_used_count", 5)), Contains("expert_used_count' is 5"));
  CHECK_THAT(message(with("gpt-oss.expert_count", 0)), Contains("expert_count' is 0"));
}

TEST_CASE("models of Command R that norm queries and keys, or have an output table, are refused by name") {
  const SyntheticModel spec{.tied = true, .architecture = "command-r"};
  CHECK_THAT(refusal(with("command-r.block_count", 64), spec),
             Contains("'command-r.block_count' is 64") && Contains("norm queries and keys"));
  CHECK_THAT(refusal(with_tensor("output.weight", {64, 300}, 0, 64 * 300 * 4), spec),
             Contains("tensor 'output.weight'") && Contains("embedding table"));
  CHECK_THAT(refusal(with_tensor("blk.0.attn_norm.bias", {64}, 0, 256), spec),
             Contains("'blk.0.attn_norm.bias'"));
}

TEST_CASE("what latent attention needs is named where it is missing or does not agree") {
  const auto all = family_models();
  const SyntheticModel spec =
      *std::find_if(all.begin(), all.end(), [](const auto& m) { return m.architecture == "deepseek2"; });
  const auto message = [&](auto change) { return refusal(change, spec); };
  const std::string tensor =
      GENERATE("blk.0.attn_k_b.weight", "blk.2.attn_v_b.weight", "blk.1.attn_kv_a_norm.weight",
               "blk.0.ffn_gate.weight", "blk.1.ffn_up_shexp.weight");
  CHECK_THAT(message([&](GgufWriter& w) { REQUIRE(w.remove_tensor(tensor)); }),
             Contains("tensor '" + tensor + "' is missing"));
  const std::string key =
      GENERATE("attention.kv_lora_rank", "attention.key_length", "attention.value_length_mla",
               "expert_shared_count", "rope.dimension_count");
  CHECK_THAT(message([&](GgufWriter& w) { REQUIRE(w.remove("deepseek2." + key)); }),
             Contains("deepseek2." + key) && Contains("missing"));
  CHECK_THAT(message(with("deepseek2." + key, 0)), Contains("deepseek2." + key + "' is 0"));
  CHECK_THAT(message([](GgufWriter& w) { w.remove("deepseek2.attention.key_length_mla"); }),
             Contains("key_length_mla' is missing") && Contains("attn_kv_b"));
  CHECK_THAT(message(with("deepseek2.attention.key_length_mla", 16)),
             Contains("above rope.dimension_count, 16"));
  CHECK_THAT(message(with("deepseek2.attention.key_length", 47)),
             Contains("key_length' is 47") && Contains("48"));
  CHECK_THAT(message(with("deepseek2.attention.value_length", 48)),
             Contains("value_length' is 48") && Contains("32"));
  CHECK_THAT(message(with("deepseek2.attention.head_count_kv", 4)), Contains("head_count_kv' is 4"));
  const auto groups = [&](std::uint32_t count, std::uint32_t used) {
    return message([=](GgufWriter& w) {
      w.u32("deepseek2.expert_group_count", count).u32("deepseek2.expert_group_used_count", used);
    });
  };
  CHECK_THAT(groups(4, 2), Contains("expert_group_count' is 4"));  // of 6 experts
  CHECK_THAT(groups(2, 3), Contains("expert_group_count' is 2"));
  CHECK_THAT(groups(6, 3), Contains("groups of two and more"));
  CHECK_THAT(groups(3, 1), Contains("the 3 that a token has"));
  CHECK_THAT(message(with("deepseek2.expert_group_count", 2)), Contains("expert_group_used_count"));
  CHECK_THAT(message(with("deepseek2.expert_gating_func", 3)), Contains("expert_gating_func' is 3"));
  CHECK_THAT(message(with_string("deepseek2.rope.scaling.type", "linear")), Contains("'yarn'"));
  CHECK_THAT(message(with("deepseek2.expert_shared_count", 1u << 10)), Contains("has shape"));
}

TEST_CASE("a factor of a linear's result is one value in f32, and of experts one for each") {
  CHECK_THAT(refusal(with_tensor("blk.0.attn_q.scale", {2}, 0, 8)),
             Contains("'blk.0.attn_q.scale'") && Contains("has shape 2"));
  CHECK_THAT(refusal(with_tensor("blk.0.attn_q.scale", {1}, 1, 2)),
             Contains("'blk.0.attn_q.scale'") && Contains("should be F32"));
  CHECK_THAT(refusal(with_tensor("blk.0.ffn_up_exps.scale", {3}, 0, 12), {.experts = 4, .experts_used = 2}),
             Contains("'blk.0.ffn_up_exps.scale'") && Contains("has shape 3"));
}

TEST_CASE("tensors that no operator uses are refused by name") {
  CHECK_THAT(refusal(with_tensor("blk.0.attn_q.twist", {1}, 0, 4)),
             Contains("1 tensor(s)") && Contains("'blk.0.attn_q.twist'"));
  const std::string many = refusal([](GgufWriter& writer) {
    for (const char c : std::string("abcdefg"))
      writer.tensor(std::string(1, c), {1}, 24, std::vector<std::byte>(1));
  });
  CHECK_THAT(many, Contains("7 tensor(s)") && Contains("'a', 'b', 'c', 'd', 'e', ...") && !Contains("'f'"));
}

TEST_CASE("a tensor of a type without support is only refused where it is used") {
  GgufWriter writer = synthetic_gguf({});
  with_tensor("blk.0.ffn_up.weight", {64, 96}, 28, 64 * 96 * 8)(writer);
  const TemporaryFile file(writer.bytes());
  GgufFile opened(file.path());
  CHECK(opened.find_tensor("blk.0.ffn_up.weight")->type_name == "F64");
  CHECK_THROWS_WITH(LlamaModel(std::move(opened)), Contains("stored as F64"));
}

TEST_CASE("trailing dimensions of one make no difference") {
  GgufWriter writer = synthetic_gguf({});
  with_tensor("output_norm.weight", {64, 1, 1}, 0, 256)(writer);
  const TemporaryFile file(writer.bytes());
  CHECK(LlamaModel(GgufFile(file.path())).graph().find("output_norm").weight->cols == 64);
}

TEST_CASE("a name that is no text is made one") {
  GgufWriter writer = synthetic_gguf({});
  writer.remove("general.name");
  writer.string("general.name", "a\x1b[31m\xff\xc3\xa9\xc2\x85" + std::string(1000, 'x'));
  const TemporaryFile file(writer.bytes());
  const std::string name = LlamaModel(GgufFile(file.path())).shape().name;
  CHECK_THAT(name, Catch::StartsWith("a [31m\xef\xbf\xbd\xc3\xa9 xx"));
  CHECK(name.size() == 256);
}
