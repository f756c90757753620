// SPDX-License-Identifier: Apache-2.0
// Does a config.json describe the model that its converted file holds, and is every wrong one refused with
// its place, its value and what to do?
#include <catch2/catch.hpp>

#include "base/error.h"
#include "model/config_json.h"
#include "support/config_json_writer.h"

using namespace tokencycle;
using namespace tokencycle::model;
using Catch::Contains;
using Json = nlohmann::json;
using test::SyntheticModel;

namespace {

GgufFile read(const Json& config, std::optional<Format> weights = std::nullopt) {
  return read_config_json(test::write_config_json(config).path(), weights);
}

GgufFile read_text(std::string_view text) {
  return read_config_json(test::TemporaryFile(std::as_bytes(std::span(text)), ".json").path());
}

Json changed(const Json& changes) {
  Json config = test::config_json_of({});
  for (const auto& [key, value] : changes.items()) config[key] = value;  // null stays: a key may be null
  return config;
}

void check_refused(const Json& changes, const std::vector<std::string>& parts) {
  CAPTURE(changes.dump());
  std::string message;
  try {
    const LlamaModel model(read(changed(changes)));
  } catch (const ModelError& error) {
    message = error.what();
  }
  CHECK_THAT(message, Contains(".json: "));
  for (const std::string& part : parts) CHECK_THAT(message, Contains(part));
}

void check_same_shape(const Hyperparameters& a, const Hyperparameters& b) {
  CHECK(a.architecture == b.architecture);
  CHECK(a.layers == b.layers);
  CHECK(a.width == b.width);
  CHECK(a.heads == b.heads);
  CHECK(a.kv_heads == b.kv_heads);
  CHECK(a.head_dim == b.head_dim);
  CHECK(a.feed_forward == b.feed_forward);
  CHECK(a.vocabulary == b.vocabulary);
  CHECK(a.context == b.context);
  CHECK(a.norm_epsilon == b.norm_epsilon);
  CHECK(a.rope_base == b.rope_base);
  CHECK(a.rope_scale == b.rope_scale);
  CHECK(a.rope_dims == b.rope_dims);
  CHECK(a.rope_pairs == b.rope_pairs);
  CHECK(a.tied_output == b.tied_output);
}

}  // namespace

TEST_CASE("a config.json has the shapes, formats and places of the GGUF file of the same model") {
  const Format format =
      GENERATE(Format::f32, Format::f16, Format::bf16, Format::q8_0, Format::q4_0, Format::q4_1);
  const SyntheticModel spec = GENERATE(SyntheticModel{}, SyntheticModel{.kv_heads = 4, .tied = true},
                                       SyntheticModel{.head_dim = 32, .rope_base = 5e5f, .rope_scale = 4});
  CAPTURE(name_of(format));
  SyntheticModel stored = spec;
  stored.matrices = format;
  const auto gguf = test::make_synthetic_model(stored);
  const LlamaModel shape(read(test::config_json_of(spec), format));
  check_same_shape(shape.shape(), gguf->shape());
  CHECK(shape.file().data() == TensorData::absent);
  CHECK(shape.file().data_bytes() == gguf->file().data_bytes());
  REQUIRE(shape.graph().operators.size() == gguf->graph().operators.size());
  for (std::size_t i = 0; i < shape.graph().operators.size(); ++i) {
    const Weight* a = shape.graph().operators[i].weight;
    const Weight* b = gguf->graph().operators[i].weight;
    REQUIRE((a == nullptr) == (b == nullptr));
    if (a == nullptr) continue;
    CHECK(a->name == b->name);
    CHECK(a->format == b->format);
    CHECK(a->offset == b->offset);
    CHECK(a->rows == b->rows);
    CHECK(a->cols == b->cols);
  }
}

TEST_CASE("the format of the weights is what torch_dtype or the caller says, and gains are f32") {
  const auto format = [](const Json& changes, std::optional<Format> weights = std::nullopt) {
    const LlamaModel model(read(changed(changes), weights));
    const Graph& graph = model.graph();
    CHECK(graph.find("output_norm").weight->format == Format::f32);
    CHECK(graph.find("embedding").weight->format == graph.find("blk.0.ffn_down").weight->format);
    return model.matrix_format();
  };
  CHECK(format({}) == Format::bf16);
  CHECK(format({{"torch_dtype", "float16"}}) == Format::f16);
  CHECK(format({{"torch_dtype", "float32"}}) == Format::f32);
  CHECK(format({{"torch_dtype", nullptr}, {"dtype", "float16"}}) == Format::f16);
  CHECK(format({{"torch_dtype", "float16"}}, Format::q4_0) == Format::q4_0);
  CHECK(format({{"quantization_config", {{"quant_method", "awq"}}}}, Format::q4_0) == Format::q4_0);
  check_refused({{"torch_dtype", "float8"}}, {"/torch_dtype is \"float8\"", "bfloat16", "--weights"});
  check_refused({{"torch_dtype", nullptr}}, {"/torch_dtype is missing", "--weights"});
  check_refused({{"torch_dtype", 16}}, {"/torch_dtype is 16", "must be a string"});
  check_refused({{"quantization_config", {{"quant_method", "awq"}}}},
                {"/quantization_config", "awq", "--weights"});
  CHECK_THROWS_WITH(read(changed({{"intermediate_size", 100}}), Format::q8_0),
                    Contains("/intermediate_size is 100") && Contains("blocks of 32") && Contains("f16"));
}

TEST_CASE("keys that are absent or null take the defaults of the library that writes them") {
  Json config = test::config_json_of({});
  for (const char* key : {"num_key_value_heads", "rope_theta", "tie_word_embeddings", "hidden_act"})
    config.erase(key);
  config["rope_scaling"] = nullptr;
  config["sliding_window"] = nullptr;
  config["head_dim"] = nullptr;
  const LlamaModel model(read(config));
  CHECK(model.shape().kv_heads == 4);
  CHECK(model.shape().head_dim == 16);
  CHECK(model.shape().rope_base == 10000.0);
  CHECK(model.shape().rope_scale == 1.0);
  CHECK_FALSE(model.shape().tied_output);
  config["architectures"] = {"MistralForCausalLM"};
  CHECK_THROWS_WITH(read(config), Contains("/num_key_value_heads is missing"));
  config["num_key_value_heads"] = 2;
  CHECK(LlamaModel(read(config)).shape().kv_heads == 2);
}

TEST_CASE(
    "rotary scaling: linear divides, llama3 is a table in the file, newer files keep it with the base") {
  const auto shape = [](const Json& changes) { return LlamaModel(read(changed(changes))).shape(); };
  CHECK(shape({{"rope_scaling", {{"type", "linear"}, {"factor", 2.5}}}}).rope_scale == 2.5);
  CHECK(shape({{"rope_scaling", {{"rope_type", "default"}}}}).rope_scale == 1.0);
  const Json newer = {{"rope_theta", 1e6}, {"rope_type", "linear"}, {"factor", 8.0}};
  CHECK(shape({{"rope_parameters", newer}}).rope_base == 1e6);
  CHECK(shape({{"rope_parameters", newer}}).rope_scale == 8.0);
  const Json llama3 = {{"rope_type", "llama3"},
                       {"factor", 8.0},
                       {"low_freq_factor", 1.0},
                       {"high_freq_factor", 4.0},
                       {"original_max_position_embeddings", 64}};
  const GgufFile file = read(changed({{"rope_scaling", llama3}}));
  REQUIRE(file.find_tensor("rope_freqs.weight") != nullptr);
  CHECK(file.find_tensor("rope_freqs.weight")->elements() == 8);
  CHECK(shape({{"rope_scaling", llama3}}).rope_scale == 1.0);

  CHECK(shape({{"rope_scaling", {{"type", "yarn"}, {"factor", 4.0}}}}).rope_scaling == RopeScaling::yarn);
  CHECK(shape({{"rope_scaling", {{"type", "dynamic"}, {"factor", 4.0}}}}).rope_scale == 1.0);
  const Json nested = {{"full_attention", newer}};
  CHECK(shape({{"rope_parameters", nested}}).rope_scale == 8.0);
  const Json eight(std::vector<double>(8, 1.5));
  const Json longrope = {{"type", "longrope"}, {"short_factor", eight}, {"long_factor", eight}};
  CHECK(read(changed({{"rope_scaling", longrope}})).find_tensor("rope_factors_long.weight") != nullptr);

  check_refused({{"rope_scaling", {{"type", "ntk"}, {"factor", 4.0}}}},
                {"/rope_scaling/type is \"ntk\"", "default, linear, dynamic"});
  check_refused({{"rope_scaling", {{"type", "linear"}, {"factor", 4.0}, {"twist", 2}}}},
                {"/rope_scaling/twist is 2", "remove the key"});
  check_refused({{"rope_parameters", {{"rope_type", "default"}, {"partial_rotary_factor", 0.5}}}},
                {"/rope_parameters/partial_rotary_factor is 0.5"});
  check_refused({{"rope_scaling", {{"type", "longrope"}, {"short_factor", eight}, {"long_factor", {1.0}}}}},
                {"/rope_scaling/long_factor is [1.0]", "8 numbers"});
  check_refused({{"rope_scaling", {{"type", "linear"}}}}, {"/rope_scaling/factor is missing", "above 0"});
  check_refused({{"rope_scaling", {{"type", "linear"}, {"factor", 0}}}}, {"/rope_scaling/factor is 0"});
  check_refused({{"rope_scaling", "linear"}}, {"/rope_scaling is \"linear\"", "an object or null"});
  Json half = llama3;
  half.erase("low_freq_factor");
  check_refused({{"rope_scaling", half}}, {"/rope_scaling/low_freq_factor is missing"});
}

TEST_CASE("models whose graph is another one are refused by name") {
  check_refused({{"architectures", {"MambaForCausalLM"}}},
                {"/architectures is [\"MambaForCausalLM\"]", "LlamaForCausalLM, LLaMAForCausalLM"});
  check_refused({{"architectures", nullptr}, {"model_type", nullptr}}, {"/architectures is missing"});
  check_refused({{"architectures", {"LlamaForCausalLM", "MistralForCausalLM"}}}, {"/architectures"});
  check_refused({{"architectures", "LlamaForCausalLM"}}, {"/architectures", "array of strings"});
  check_refused({{"mlp_bias", 1}}, {"/mlp_bias is 1", "true or false"});
  check_refused({{"hidden_act", "gelu"}}, {"/hidden_act is \"gelu\"", "silu"});
  check_refused({{"sliding_window", 100}}, {"/sliding_window is 100", "not known"});
  check_refused({{"num_local_experts", 8}}, {"/num_local_experts is 8"});
  check_refused({{"partial_rotary_factor", 0.5}}, {"/partial_rotary_factor is 0.5"});
}

TEST_CASE("a text model's part, its type instead of a name, and other spellings are read") {
  Json config = test::config_json_of({});
  config["architectures"] = {"LLaMAForCausalLM"};
  config["hidden_act"] = "swish";
  CHECK(LlamaModel(read(config)).shape().architecture == "llama");
  config["architectures"] = nullptr;
  config["model_type"] = "mistral";
  config["sliding_window"] = 16;
  const LlamaModel mistral(read(config));
  CHECK(mistral.shape().window == 16);
  CHECK(mistral.graph().find("blk.1.attention").attention.window == 16);

  Json gemma = test::config_json_of({.head_dim = 16, .tied = true, .architecture = "gemma3"});
  gemma.erase("architectures");
  gemma.erase("torch_dtype");
  gemma["model_type"] = "gemma3_text";
  const Json whole = {{"architectures", {"Gemma3ForConditionalGeneration"}},
                      {"model_type", "gemma3"},
                      {"torch_dtype", "bfloat16"},
                      {"vision_config", {{"hidden_size", 1152}}},
                      {"text_config", gemma}};
  const LlamaModel model(read(whole));
  CHECK(model.shape().architecture == "gemma3");
  CHECK(model.shape().local_layers == std::vector<bool>{true, true});
  CHECK(model.shape().local_rope_base == 10000.0);
  gemma["strange"] = 1;
  Json wrong = whole;
  wrong["text_config"] = gemma;
  CHECK_THROWS_WITH(read(wrong), Contains("/text_config/strange is 1"));
}

TEST_CASE("keys that transformers 5 writes, and those of single families, are read or refused by value") {
  Json gemma = test::config_json_of({.layers = 6, .head_dim = 16, .tied = true, .architecture = "gemma3"});
  gemma.erase("rope_theta");
  gemma["rope_parameters"] = {
      {"full_attention", {{"rope_type", "linear"}, {"factor", 8.0}, {"rope_theta", 1e6}}},
      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 500.0}}}};
  gemma["layer_types"] = {"sliding_attention", "sliding_attention", "full_attention",
                          "sliding_attention", "sliding_attention", "full_attention"};
  gemma["sliding_window"] = 32;
  gemma["use_bidirectional_attention"] = false;
  gemma["query_pre_attn_scalar"] = 16;
  const LlamaModel model(read(gemma));
  CHECK(model.shape().local_layers == std::vector<bool>{true, true, false, true, true, false});
  CHECK(model.shape().rope_base == 1e6);
  CHECK(model.shape().rope_scale == 8.0);
  CHECK(model.shape().local_rope_base == 500.0);
  CHECK(model.graph().rotary_tables.size() == 2);
  const auto refused = [](Json config, const char* key, const Json& value, const std::string& message) {
    config[key] = value;
    CHECK_THROWS_WITH(read(config), Contains(std::string("/") + key) && Contains(message));
  };
  refused(gemma, "query_pre_attn_scalar", 200, "supported is 16");
  refused(gemma, "use_bidirectional_attention", true, "supported is false");
  refused(gemma, "layer_types", {"full_attention"}, "6 layers");
  refused(gemma, "hidden_act", "relu", "gelu_pytorch_tanh");
  refused(test::config_json_of({.layers = 5, .architecture = "smollm3"}), "no_rope_layers", {1, 1, 0, 1, 1},
          "after every three");
  const Json oss = test::config_json_of({.architecture = "gpt-oss",
                                         .sizes = {{"attention.sliding_window", 8}},
                                         .experts = 4,
                                         .experts_used = 2});
  CHECK(LlamaModel(read(oss)).shape().local_layers == std::vector<bool>{true, false});
  const test::TemporaryFile file = test::write_config_json(oss);
  Format mxfp4 = Format::f32;
  REQUIRE(format_from_name("mxfp4", mxfp4));
  const GgufFile mixture = read_config_json(file.path(), mxfp4);
  CHECK(mixture.find_tensor("blk.0.ffn_up_exps.weight")->format == mxfp4);
  CHECK(mixture.find_tensor("blk.0.attn_q.weight")->format == Format::q8_0);
  CHECK(mixture.find_tensor("output.weight")->format == Format::q8_0);
  CHECK(mixture.find_tensor("blk.0.ffn_gate_inp.weight")->format == Format::f32);
  refused(oss, "swiglu_limit", 6.0, "supported is 7");
  refused(oss, "attention_bias", false, "supported is true");
  refused(oss, "experts_per_token", 3, "num_experts_per_tok is 2");
  refused(oss, "num_experts_per_tok", 5, "allowed: 1 to 4");
  refused(test::config_json_of({.kv_heads = 4, .architecture = "stablelm"}), "qk_layernorm", true,
          "supported is false");
  refused(test::config_json_of({.kv_heads = 4, .architecture = "gptneox"}), "rotary_pct", 0.2, "even number");
  Json command = test::config_json_of({.tied = true, .architecture = "command-r"});
  command.erase("logit_scale");
  command["model_max_length"] = 4096;
  CHECK(LlamaModel(read(command)).shape().logit_scale == 0.0625f);
  CHECK(LlamaModel(read(command)).shape().context == 4096);
  refused(command, "use_qk_norm", true, "supported is false");
  refused(command, "num_hidden_layers", 64, "allowed: 1 to 63");
  refused(command, "tie_word_embeddings", false, "supported is true");
}

TEST_CASE("sizes out of range are refused with the range") {
  for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                          "vocab_size", "max_position_embeddings"}) {
    const std::string path = std::string("/") + key + " is ";
    check_refused({{key, nullptr}}, {path + "missing", "1 .. "});
    check_refused({{key, 0}}, {path + "0", "1 .. "});
    check_refused({{key, -4}}, {path + "-4", "1 .. "});
    check_refused({{key, 64.0}}, {path + "64.0", "whole number"});
    check_refused({{key, "64"}}, {path + "\"64\""});
    check_refused({{key, Json::array({64})}}, {path + "[64]"});
    check_refused({{key, 18446744073709551615u}}, {path + "18446744073709551615"});
  }
  check_refused({{"rms_norm_eps", 0}}, {"/rms_norm_eps is 0", "above 0"});
  check_refused({{"rms_norm_eps", 1e-60}}, {"/rms_norm_eps", "finite as fp32"});
  check_refused({{"rms_norm_eps", nullptr}}, {"/rms_norm_eps is missing"});
  check_refused({{"rope_theta", 1e300}}, {"/rope_theta"});
  check_refused({{"num_key_value_heads", 3}}, {"/num_key_value_heads is 3", "must divide the 4 heads"});
  check_refused({{"num_attention_heads", 5}, {"num_key_value_heads", 5}},
                {"/head_dim is missing", "5 heads"});
  check_refused({{"head_dim", 15}}, {"/head_dim is 15", "even"});
  check_refused({{"head_dim", 5000}}, {"/head_dim is 5000", "1 .. 4096"});
  check_refused({{"max_position_embeddings", 2147483648u}}, {"/max_position_embeddings", "1 .. 1073741824"});
}

TEST_CASE("what is no JSON object, or too long, too deep or ambiguous, is refused") {
  CHECK_THROWS_WITH(read_text("{\"hidden_size\": }"), Contains("byte 17") && Contains("not JSON"));
  CHECK_THROWS_WITH(read_text(""), Contains("not JSON"));
  CHECK_THROWS_WITH(read_text("[1]"), Contains("no JSON object"));
  CHECK_THROWS_WITH(read_text("{\"a\": 1, \"a\": 2}"), Contains("'a' is given twice"));
  CHECK_THROWS_WITH(read_text("{\"a\": 1e999}"), Contains("binary64"));
  CHECK_THROWS_WITH(read_text(std::string(100'000, '[')), Contains("nested deeper than 16"));
  CHECK_THROWS_WITH(read_text("{\"a\": " + std::string(30, '[')), Contains("nested deeper than 16"));
  CHECK_THROWS_WITH(read_text("{\"a\": \"" + std::string(1 << 20, 'x') + "\"}"), Contains("longer than"));
  CHECK_THROWS_AS(read_text("{\"a\": \"\xff\"}"), ModelError);
  CHECK_THROWS_AS(read_config_json("/nonexistent/config.json"), IoError);
  CHECK_THROWS_AS(read_config_json(std::filesystem::temp_directory_path()), IoError);
}
