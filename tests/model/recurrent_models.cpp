// SPDX-License-Identifier: Apache-2.0
// Models whose layers keep rows of their own: are these the right numbers, and is every other model of such a
// family refused by name?
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "base/error.h"
#include "model/config_json.h"
#include "model/graph/builder.h"
#include "model/reference/math.h"
#include "model/reference/reference.h"
#include "refusal.h"
#include "support/config_json_writer.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using namespace tokencycle::model;
using Catch::Contains;
using test::GgufWriter;
using test::refusal;
using test::SyntheticModel;

namespace {

const SyntheticModel kLfm2 = {.layers = 3,
                              .tied = true,
                              .architecture = "lfm2",
                              .sizes = {{"shortconv.l_cache", 3}},
                              .layer_kv_heads = {0, 2, 0}};

std::string config_refusal(const nlohmann::json& changes, const SyntheticModel& spec = kLfm2) {
  nlohmann::json config = test::config_json_of(spec);
  for (const auto& [key, value] : changes.items()) config[key] = value;
  try {
    const LlamaModel model(read_config_json(test::write_config_json(config).path()));
  } catch (const ModelError& error) {
    return error.what();
  }
  return "accepted";
}

// Replaces a key, or removes it.
template <class Put>
auto replaced(const std::string& key, Put put) {
  return [=](GgufWriter& writer) {
    writer.remove(key);
    put(writer, key);
  };
}
auto without(const std::string& key) {
  return replaced(key, [](GgufWriter&, const std::string&) {});
}
auto number(const std::string& key, std::uint32_t value) {
  return replaced(key, [value](GgufWriter& w, const std::string& k) { w.u32(k, value); });
}
auto numbers(const std::string& key, const std::vector<std::int32_t>& values) {
  return replaced(key, [values](GgufWriter& w, const std::string& k) { w.i32_array(k, values); });
}

const SyntheticModel& family(const std::string& architecture, bool experts = false) {
  static const std::vector<SyntheticModel> kModels = test::family_models();
  return *std::find_if(kModels.begin(), kModels.end(), [&](const SyntheticModel& m) {
    return m.architecture == architecture && (m.experts != 0) == experts;
  });
}
const SyntheticModel& mixture(const std::string& architecture) {
  return family(architecture, true);
}

}  // namespace

TEST_CASE("a convolution is the sum of the last rows, each times its tap, whatever is kept of them") {
  constexpr std::uint32_t kColumns = 5, kTaps = 4, kTokens = 9;
  std::mt19937 random(3);
  std::vector<float> weights(kColumns * kTaps), x(kColumns * kTokens);
  for (float& w : weights) w = static_cast<float>(random() % 64) / 8.0f - 4.0f;  // exact in any order
  for (float& v : x) v = static_cast<float>(random() % 64) / 8.0f - 4.0f;
  Weight weight{"w", Format::f32, kColumns, kTaps, 0, std::as_bytes(std::span(weights))};
  for (std::uint32_t t = 0; t < kTokens; ++t) {
    const std::uint32_t first = t + 1 < kTaps ? 0 : t + 1 - kTaps;
    std::vector<float> y(kColumns);
    convolution(weight, std::as_bytes(std::span(x).subspan(first * kColumns, (t + 1 - first) * kColumns)), y);
    for (std::uint32_t c = 0; c < kColumns; ++c) {
      float sum = 0;
      for (std::uint32_t back = 0; back < kTaps && back <= t; ++back)
        sum += x[(t - back) * kColumns + c] * weights[c * kTaps + kTaps - 1 - back];
      CHECK(y[c] == sum);
    }
  }
}

TEST_CASE("a recurrent model starts anew behind a reset") {
  const auto model = test::make_synthetic_model(kLfm2);
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
  reference.reset();
  CHECK(logits() == first);
}

TEST_CASE("a state of another size, or one that grows, holds no convolution's rows") {
  const auto built = [](std::uint32_t rows, std::uint32_t columns, bool cache) {
    class Tensors final : public TensorSource {
     public:
      Weight matrix(const std::string& name, std::uint32_t rows, std::uint32_t cols) override {
        return {name, Format::f32, rows, cols, 0, {}};
      }
      Weight matrices(const std::string& name, std::uint32_t, std::uint32_t rows,
                      std::uint32_t cols) override {
        return matrix(name, rows, cols);
      }
      Weight vector(const std::string& name, std::uint32_t cols) override { return matrix(name, 1, cols); }
      Weight kernel(const std::string& name, std::uint32_t rows, std::uint32_t cols) override {
        return matrix(name, rows, cols);
      }
      bool has(const std::string& name) const override { return !name.ends_with(".scale"); }
    } tensors;
    Graph graph;
    GraphBuilder b(graph, tensors);
    const ValueId x = b.gather_rows("x", b.token_ids(), b.matrix("table", 10, 64));
    const ValueId state = cache ? b.state("rows", "rows", columns) : b.recurrent_state("rows", rows, columns);
    b.set_result(b.linear("logits", b.convolution("conv", x, state, 4), 10));
    verify(graph);
  };
  built(3, 64, false);
  CHECK_THROWS_WITH(built(4, 64, false), Contains("'conv' (convolution)") && Contains("rows of the state"));
  CHECK_THROWS_WITH(built(3, 32, false), Contains("columns of state and input"));
  CHECK_THROWS_WITH(built(3, 64, true), Contains("no such state"));
}

TEST_CASE("files of LFM 2 that say something else are refused by the key") {
  const auto heads = [](const std::vector<std::int32_t>& values) {
    return numbers("lfm2.attention.head_count_kv", values);
  };
  CHECK_THAT(refusal(kLfm2, without("lfm2.shortconv.l_cache")),
             Contains("'lfm2.shortconv.l_cache'") && Contains("missing"));
  for (const std::uint32_t taps : {0u, 1u, 65u, 0xffff'ffffu})
    CHECK_THAT(refusal(kLfm2, number("lfm2.shortconv.l_cache", taps)),
               Contains("'lfm2.shortconv.l_cache' is"));
  CHECK_THAT(refusal(kLfm2, number("lfm2.shortconv.l_cache", 4)), Contains("'blk.0.shortconv.conv.weight'"));
  CHECK_THAT(refusal(kLfm2, heads({0, 0, 0})), Contains("cannot share 0 key-value heads"));
  CHECK_THAT(refusal(kLfm2, heads({0, -2, 0})), Contains("head_count_kv' has -2"));
  CHECK_THAT(refusal(kLfm2, heads({0, 3, 0})), Contains("cannot share 3"));
  CHECK_THAT(refusal(kLfm2, heads({0, 2})), Contains("array of 2 values"));
  CHECK_THAT(refusal(kLfm2, heads({1, 2, 0})), Contains("is 2 in one layer and 1 in layer 0"));
  CHECK_THAT(refusal(kLfm2, heads({2, 2, 0})), Contains("'blk.0.attn_q.weight' is missing"));
  CHECK_THAT(refusal(kLfm2, heads({0, 5000, 0})), Contains("head_count_kv' is 5000"));
  CHECK_THAT(refusal(kLfm2, number("lfm2.expert_count", 8)), Contains("experts are not supported"));
}

TEST_CASE("a config.json of LFM 2 as it is published is read, and what is not built is refused") {
  // The keys of LiquidAI/LFM2-1.2B.
  const auto published = nlohmann::json::parse(R"({
    "architectures": ["Lfm2ForCausalLM"], "block_auto_adjust_ff_dim": true, "block_dim": 2048,
    "block_ff_dim": 12288, "block_ffn_dim_multiplier": 1.0, "block_mlp_init_scale": 1.0,
    "block_multiple_of": 256, "block_norm_eps": 1e-05, "block_out_init_scale": 1.0,
    "block_use_swiglu": true, "block_use_xavier_init": true, "bos_token_id": 1, "conv_L_cache": 3,
    "conv_bias": false, "conv_dim": 2048, "conv_dim_out": 2048, "conv_use_xavier_init": true,
    "eos_token_id": 7, "full_attn_idxs": [2, 5, 8, 10, 12, 14], "hidden_size": 2048,
    "initializer_range": 0.02, "max_position_embeddings": 128000, "model_type": "lfm2", "norm_eps": 1e-05,
    "num_attention_heads": 32, "num_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8,
    "pad_token_id": 0, "rope_theta": 1000000.0, "torch_dtype": "bfloat16",
    "transformers_version": "4.54.0.dev0", "use_cache": true, "use_pos_enc": true, "vocab_size": 65536})");
  const LlamaModel model(read_config_json(test::write_config_json(published).path()));
  const Hyperparameters& s = model.shape();
  CHECK(s.feed_forward == 8192);
  CHECK(s.taps == 3);
  CHECK(s.tied_output);
  CHECK(s.kv_heads == 8);
  for (std::uint32_t i = 0; i < 16; ++i)
    CHECK(s.recurrent(i) == !(i == 2 || i == 5 || i == 8 || i == 10 || i == 12 || i == 14));

  CHECK(config_refusal({}) == "accepted");
  CHECK_THAT(config_refusal({{"conv_bias", true}}), Contains("/conv_bias is true"));
  CHECK_THAT(config_refusal({{"conv_L_cache", 1}}), Contains("/conv_L_cache is 1"));
  CHECK_THAT(config_refusal({{"conv_L_cache", 0}}), Contains("/conv_L_cache is 0"));
  CHECK_THAT(config_refusal({{"conv_dim", 32}}), Contains("/conv_dim is 32"));
  CHECK_THAT(config_refusal({{"num_heads", 8}}), Contains("/num_heads is 8"));
  CHECK_THAT(config_refusal({{"use_pos_enc", false}}), Contains("/use_pos_enc is false"));
  CHECK_THAT(config_refusal({{"layer_types", {"conv", "conv", "conv"}}}), Contains("a layer of attention"));
  CHECK_THAT(config_refusal({{"layer_types", {"conv", "sliding_attention", "conv"}}}),
             Contains("full_attention and conv"));
  CHECK_THAT(config_refusal({{"layer_types", nullptr}, {"full_attn_idxs", {3}}}), Contains("layers 0 .. 2"));
  CHECK_THAT(config_refusal({{"block_ffn_dim_multiplier", 1e30}}), Contains("block_ffn_dim_multiplier"));
}

TEST_CASE("the delta rule is its definition in binary64") {
  const DeltaShape shape{4, 2, 8};
  std::mt19937 random(5);
  const auto values = [&](std::size_t n, float from, float to) {
    std::vector<float> v(n);
    for (float& x : v) x = from + (to - from) * static_cast<float>(random() % 4096) / 4096.0f;
    return v;
  };
  std::vector<std::byte> state;
  std::vector<double> truth(4 * 8 * 8, 0.0);
  for (int t = 0; t < 20; ++t) {
    const auto q = values(16, -1, 1), k = values(16, -0.4f, 0.4f), v = values(32, -1, 1);
    const auto decay = values(4, 0.5f, 1), beta = values(4, 0, 1);
    std::vector<float> y(32);
    delta_rule(shape, {q, k, v, decay, beta}, state, y);
    for (std::size_t h = 0; h < 4; ++h) {
      for (std::size_t j = 0; j < 8; ++j) {
        double* const row = &truth[(h * 8 + j) * 8];
        double seen = 0, wanted = 0;
        for (std::size_t i = 0; i < 8; ++i) seen += (row[i] *= double{decay[h]}) * double{k[h % 2 * 8 + i]};
        const double delta = (double{v[h * 8 + j]} - seen) * double{beta[h]};
        for (std::size_t i = 0; i < 8; ++i) {
          row[i] += double{k[h % 2 * 8 + i]} * delta;
          wanted += row[i] * double{q[h % 2 * 8 + i]};
        }
        CHECK(std::abs(double{y[h * 8 + j]} - wanted) < 1e-5);
      }
    }
  }
}

TEST_CASE("columns are taken of each group, and a row is met by every row") {
  std::vector<float> y(4);
  columns({3, 1, 2}, std::vector<float>{0, 1, 2, 3, 4, 5}, y);
  CHECK(y == std::vector<float>{1, 2, 4, 5});
  zip_row(ZipFunction::mul, std::vector<float>{1, 2, 3, 4}, std::vector<float>{2}, y);
  CHECK(y == std::vector<float>{2, 4, 6, 8});
  zip_row(ZipFunction::add, std::vector<float>{1, 2, 3, 4}, std::vector<float>{1, 0, -1, 3}, y);
  CHECK(y == std::vector<float>{2, 2, 2, 7});
}

TEST_CASE("files of Qwen 3.5 that say something else are refused by the key") {
  const SyntheticModel& spec = family("qwen35");
  for (const std::string key : {"ssm.conv_kernel", "ssm.state_size", "ssm.group_count", "ssm.time_step_rank",
                                "ssm.inner_size", "rope.dimension_sections"}) {
    CHECK_THAT(refusal(spec, without("qwen35." + key)),
               Contains("'qwen35." + key + "'") && Contains("missing"));
    if (key == "rope.dimension_sections") continue;
    for (const std::uint32_t value : {0u, 0xffff'ffffu})
      CHECK_THAT(refusal(spec, number("qwen35." + key, value)), Contains("'qwen35." + key + "' is"));
  }
  CHECK_THAT(refusal(spec, number("qwen35.ssm.conv_kernel", 1)), Contains("at least 2"));
  CHECK_THAT(refusal(spec, number("qwen35.ssm.group_count", 3)), Contains("cannot share 3 key heads"));
  CHECK_THAT(refusal(spec, number("qwen35.ssm.inner_size", 32)),
             Contains("inner_size' is 32, but supported is 64"));
  CHECK_THAT(refusal(spec, number("qwen35.full_attention_interval", 0)),
             Contains("full_attention_interval' is 0"));
  CHECK_THAT(refusal(spec, number("qwen35.full_attention_interval", 2)),
             Contains("'blk.1.attn_q.weight' is missing"));
  CHECK_THAT(refusal(spec, numbers("qwen35.attention.recurrent_layers", {1, 1})), Contains("has 2 values"));
  CHECK_THAT(refusal(spec, numbers("qwen35.rope.dimension_sections", {1, 1, 0, 2})), Contains("interleave"));
  CHECK_THAT(refusal(spec, numbers("qwen35.rope.dimension_sections", {0, 0, 0, 0})), Contains("interleave"));
  CHECK_THAT(refusal(spec, number("qwen35.nextn_predict_layers", 5)), Contains("nextn_predict_layers' is 5"));
  CHECK_THAT(refusal(spec, number("qwen35.expert_count", 8)), Contains("experts are not supported"));
  CHECK_THAT(refusal(spec, number("qwen35.nextn_predict_layers", 1)), Contains("accepted"));
}

TEST_CASE("files of Gemma 4 that say something else are refused by the key") {
  const SyntheticModel& spec = family("gemma4");
  for (const std::string key :
       {"attention.sliding_window_pattern", "attention.sliding_window", "attention.key_length_swa",
        "attention.value_length_swa", "embedding_length_per_layer_input"}) {
    CHECK_THAT(refusal(spec, without("gemma4." + key)),
               Contains("'gemma4." + key + "'") && Contains("missing"));
  }
  CHECK_THAT(refusal(spec, number("gemma4.attention.key_length_swa", 0)), Contains("key_length_swa' is 0"));
  CHECK_THAT(refusal(spec, number("gemma4.attention.value_length_swa", 8)), Contains("differ"));
  CHECK_THAT(refusal(spec, number("gemma4.rope.dimension_count_swa", 34)),
             Contains("dimension_count_swa' is 34"));
  CHECK_THAT(refusal(spec, number("gemma4.embedding_length_per_layer_input", 0xffff'ffff)),
             Contains("embedding_length_per_layer_input' is"));
  CHECK_THAT(refusal(spec, number("gemma4.embedding_length_per_layer_input", 0)),
             Contains("belong to no operator"));
  CHECK_THAT(refusal(spec, number("gemma4.attention.shared_kv_layers", 7)),
             Contains("shared_kv_layers' is 7"));
  CHECK_THAT(refusal(spec, number("gemma4.attention.shared_kv_layers", 5)), Contains("at least two"));
  CHECK_THAT(refusal(spec, number("gemma4.attention.shared_kv_layers", 2)), Contains("other heads"));
  CHECK_THAT(refusal(spec, numbers("gemma4.feed_forward_length", {96, 96, 0, 96, 96, 96})),
             Contains("feed_forward_length' is 0"));
  CHECK_THAT(refusal(spec, numbers("gemma4.attention.sliding_window_pattern", {1, 0})),
             Contains("has 2 values"));
  CHECK_THAT(refusal(spec, number("gemma4.expert_count", 8)),
             Contains("gemma4.expert_used_count") && Contains("missing"));
}

TEST_CASE("what experts of Gemma 4, Qwen 3.5 and LFM 2 need is named where it is missing") {
  const auto missing = [](const SyntheticModel& spec, const std::string& tensor) {
    CHECK_THAT(refusal(spec, [&](GgufWriter& w) { REQUIRE(w.remove_tensor(tensor)); }),
               Contains("tensor '" + tensor + "' is missing"));
  };
  const SyntheticModel& gemma = mixture("gemma4");
  for (const std::string tensor : {"ffn_gate_inp.weight", "ffn_gate_inp.scale", "ffn_down_exps.weight",
                                   "pre_ffw_norm_2.weight", "post_ffw_norm_1.weight"})
    missing(gemma, "blk.1." + tensor);
  missing(mixture("qwen35moe"), "blk.3.ffn_gate_inp_shexp.weight");
  missing(mixture("lfm2moe"), "blk.2.exp_probs_b.bias");
  missing(mixture("lfm2moe"), "blk.0.ffn_up.weight");
  CHECK_THAT(refusal(gemma, without("gemma4.expert_feed_forward_length")),
             Contains("gemma4.expert_feed_forward_length") && Contains("missing"));
  CHECK_THAT(refusal(gemma, number("gemma4.expert_gating_func", 2)), Contains("expert_gating_func' is 2"));
  CHECK_THAT(refusal(mixture("lfm2moe"), number("lfm2moe.expert_gating_func", 3)),
             Contains("expert_gating_func' is 3"));
  CHECK_THAT(refusal(mixture("lfm2moe"), number("lfm2moe.shortconv.l_cache", 1)),
             Contains("'lfm2moe.shortconv.l_cache' is 1"));
  CHECK_THAT(refusal(mixture("lfm2moe"), number("lfm2moe.attention.sliding_window", 8)),
             Contains("'lfm2moe.attention.sliding_window' is 8"));
  CHECK_THAT(refusal(mixture("qwen35moe"), number("qwen35moe.expert_used_count", 9)),
             Contains("expert_used_count' is 9"));
  CHECK_THAT(refusal(mixture("qwen35moe"), without("qwen35moe.expert_shared_feed_forward_length")),
             Contains("ffn_gate_shexp") && Contains("has shape"));  // that of layers without experts
  CHECK(refusal(mixture("qwen35moe"), without("qwen35moe.feed_forward_length")) == "accepted");
  CHECK(refusal(mixture("qwen35moe"), numbers("qwen35moe.expert_used_count", {3, 3, 3, 3})) == "accepted");
}

TEST_CASE("config.json of Gemma 4 and Qwen 3.5: what is not built is refused by its key") {
  const SyntheticModel &gemma = family("gemma4"), &qwen = family("qwen35");
  CHECK(config_refusal({}, gemma) == "accepted");
  CHECK(config_refusal({}, qwen) == "accepted");
  CHECK_THAT(config_refusal({{"enable_moe_block", true}}, gemma), Contains("/num_experts is missing"));
  for (const char* family : {"gemma4", "qwen35moe", "lfm2moe"})
    CHECK(config_refusal({}, mixture(family)) == "accepted");
  CHECK_THAT(config_refusal({{"use_expert_bias", false}}, mixture("lfm2moe")),
             Contains("/use_expert_bias is false"));
  CHECK_THAT(config_refusal({{"routed_scaling_factor", 2.0}}, mixture("lfm2moe")),
             Contains("/routed_scaling_factor is 2"));
  CHECK_THAT(config_refusal({{"norm_topk_prob", false}}, mixture("qwen35moe")),
             Contains("/norm_topk_prob is false"));
  CHECK_THAT(config_refusal({{"top_k_experts", 9}}, mixture("gemma4")), Contains("/top_k_experts is 9"));
  CHECK_THAT(config_refusal({{"use_bidirectional_attention", "all"}}, gemma),
             Contains("use_bidirectional_attention"));
  CHECK_THAT(config_refusal({{"num_global_key_value_heads", 2}}, gemma),
             Contains("num_global_key_value_heads is 2"));
  CHECK_THAT(config_refusal({{"vocab_size_per_layer_input", 8}}, gemma),
             Contains("vocab_size_per_layer_input is 8"));
  CHECK_THAT(config_refusal({{"per_layer_config", {{"0", {{"head_dim", 8}}}}}}, gemma),
             Contains("per_layer_config"));
  CHECK_THAT(config_refusal({{"num_kv_shared_layers", 7}}, gemma), Contains("num_kv_shared_layers is 7"));
  CHECK_THAT(config_refusal({{"attn_output_gate", false}}, qwen), Contains("/attn_output_gate is false"));
  CHECK_THAT(config_refusal({{"linear_value_head_dim", 8}}, qwen), Contains("linear_value_head_dim is 8"));
  CHECK_THAT(config_refusal({{"linear_num_value_heads", 3}}, qwen), Contains("linear_num_value_heads is 3"));
  CHECK_THAT(config_refusal({{"linear_conv_kernel_dim", 1}}, qwen), Contains("linear_conv_kernel_dim is 1"));
  CHECK_THAT(config_refusal({{"layer_types", {"conv"}}}, qwen), Contains("/layer_types"));
}
