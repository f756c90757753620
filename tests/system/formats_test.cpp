// SPDX-License-Identifier: Apache-2.0
// Is it the right number in every row of the table of number formats, on every array, with groups that take
// several passes and passes that have several groups?
#include <algorithm>
#include <catch2/catch.hpp>

#include "base/error.h"
#include "support/synthetic_model.h"
#include "support/trials.h"
#include "trial.h"

using namespace tokencycle;
using Json = nlohmann::json;

namespace {

// One layer whose rows are whole blocks of every format.
std::unique_ptr<model::LlamaModel> model_in(Format format) {
  return test::make_synthetic_model({.layers = 1,
                                     .width = 256,
                                     .heads = 4,
                                     .kv_heads = 2,
                                     .feed_forward = 512,
                                     .vocabulary = 77,
                                     .matrices = format,
                                     .tokenizer = test::SyntheticTokenizer::none});
}

void check_equal(const model::LlamaModel& model, const config::Machine& machine,
                 machine::Clocking clocking = machine::Clocking::gated) {
  const auto tokens = test::random_tokens(5, model.shape().vocabulary);
  host::Inference inference(model, machine, {.compile = {}, .clocking = clocking, .check = true});
  const test::Trial trial = test::evaluate(inference, tokens, 4);
  CHECK(test::difference(trial.logits, test::evaluate(model, Format::f16, tokens)) == "");
}

}  // namespace

TEST_CASE("every weight format of the table equals the reference on every kind of array") {
  const auto code = GENERATE(range(0, kFormats));
  const auto format = static_cast<Format>(code);
  if (!kModelFormats.has(format)) return;
  CAPTURE(name_of(format));
  const auto model = model_in(format);
  const auto& operators = model->graph().operators;
  REQUIRE(std::any_of(operators.begin(), operators.end(), [&](const model::Operator& op) {
    return op.weight != nullptr && op.weight->format == format;
  }));
  static std::uint32_t combination = 0;
  for (const char* name :
       {"edge", "edge-os", "edge-is", "edge-dot", "edge-ideal", "gemmini", "tiny", "cloud"}) {
    if (!test::is_tried(combination++)) continue;
    CAPTURE(name);
    check_equal(*model, test::machine(name));
  }
}

TEST_CASE("every weight format equals the reference on arrays of any height") {
  const auto code = GENERATE(range(0, kFormats));
  const auto format = static_cast<Format>(code);
  if (!kModelFormats.has(format)) return;
  const std::uint32_t rows = GENERATE(5u, 16u, 48u, 100u, 256u);
  const std::string dataflow = GENERATE("weight-stationary", "input-stationary");
  CAPTURE(name_of(format), rows, dataflow);
  static std::uint32_t combination = 0;
  if (!test::is_tried(combination++)) return;
  const Json changes = {
      {"matrix", {{"rows", rows}, {"columns", 20}, {"dataflow", dataflow}, {"group_buffer_rows", 16}}}};
  check_equal(*model_in(format), test::machine("edge-ideal", changes));
}

TEST_CASE(
    "every format of the KV cache equals the reference on every machine, in batches and single tokens") {
  const auto code = GENERATE(range(0, kFormats));
  const auto format = static_cast<Format>(code);
  if (!kCacheFormats.has(format)) return;
  const auto model = test::make_synthetic_model({.layers = 2,
                                                 .width = 128,
                                                 .heads = 4,
                                                 .kv_heads = 2,
                                                 .feed_forward = 96,
                                                 .vocabulary = 77,
                                                 .matrices = Format::q8_0,
                                                 .tokenizer = test::SyntheticTokenizer::none});
  const auto tokens = test::random_tokens(45, model->shape().vocabulary);
  const test::Logits expected = test::evaluate(*model, format, tokens);
  for (const char* name :
       {"edge", "edge-os", "edge-is", "edge-dot", "edge-ideal", "gemmini", "tiny", "cloud"}) {
    for (const machine::Clocking clocking : {machine::Clocking::gated, machine::Clocking::every_edge}) {
      CAPTURE(name_of(format), name);
      if (clocking == machine::Clocking::every_edge && std::string_view(name) != "tiny") continue;
      static std::uint32_t combination = 0;
      if (!test::is_tried(combination++)) continue;
      host::Inference inference(*model, test::machine(name),
                                {.compile = {.kv_format = format}, .clocking = clocking, .check = true});
      CHECK(test::difference(test::evaluate(inference, tokens, 40).logits, expected) == "");
    }
  }
}

TEST_CASE(
    "a cache in blocks refuses heads that are no whole blocks, and machines without what it multiplies") {
  const auto model = test::make_synthetic_model({.width = 64, .heads = 4, .kv_heads = 2});
  const auto machine = test::machine("edge");
  CHECK_THROWS_WITH(
      compiler::Compiler(*model, machine, {.kv_format = Format::q8_0}),
      Catch::Contains("q8_0 has blocks of 32") && Catch::Contains("has 16") && Catch::Contains("--kv-type"));
  CHECK_THROWS_WITH(model::Reference(*model, Format::q4_0), Catch::Contains("blocks of 32"));
  CHECK_THROWS_WITH(compiler::Compiler(*model, machine, {.kv_format = Format::q8_1}),
                    Catch::Contains("allowed: f32"));
  const auto wide = test::make_synthetic_model({.width = 64, .heads = 2, .kv_heads = 2});
  const auto no_halves = test::machine("edge", {{"matrix", {{"cycles_per_row", {{"fp16", nullptr}}}}}});
  CHECK_THROWS_WITH(compiler::Compiler(*wide, no_halves, {.kv_format = Format::q8_0}),
                    Catch::Contains("takes of values in q8_0") && Catch::Contains("fp16"));
}

TEST_CASE("a machine without the multipliers of a format refuses the model by name") {
  for (const FormatRow& r : kFormatTable) {
    if (r.ggml < 0 || !r.as_weight) continue;
    Format format{};
    REQUIRE(format_from_name(r.name, format));
    if (is_real(format)) continue;
    const std::string type(name_of(r.as_weight->multipliers));
    const auto machine = test::machine("edge", {{"matrix", {{"cycles_per_row", {{type, nullptr}}}}}});
    CHECK_THROWS_WITH(compiler::Compiler(*model_in(format), machine, {}),
                      Catch::Contains(std::string(r.name)) && Catch::Contains(type));
  }
}

TEST_CASE("caches of every format serve every family, with prompts longer than the windows") {
  test::SyntheticModel spec = GENERATE(from_range(test::family_models()));
  const bool latent = spec.architecture == "deepseek2";  // whose rows have a size of their own
  if (!latent) spec.head_dim = 32;                       // a block
  spec.matrices = Format::f16;
  const auto model = test::make_synthetic_model(spec);
  if (latent && model->shape().latent.rank % 32 != 0) return;
  if (latent && model->shape().head_dim % 32 != 0) {
    CHECK_THROWS_WITH(model::Reference(*model, Format::q8_0), Catch::Contains("blocks of 32"));
    return;
  }
  const auto tokens = test::random_tokens(24, model->shape().vocabulary);
  // Blocks of a recurrent state and latent rows of f32 need more room than the smallest machine has.
  const Json room = {{"scratchpad", {{"capacity_kib", 64}}}};
  const config::Machine machine =
      test::machine("tiny", spec.architecture == "qwen35" || latent ? room : Json::object());
  for (int f = 0; f < kFormats; ++f) {
    const auto format = static_cast<Format>(f);
    if (!kCacheFormats.has(format)) continue;
    static std::uint32_t combination = 0;
    if (!test::is_tried(combination++)) continue;
    CAPTURE(spec.architecture, name_of(format));
    host::Inference inference(*model, machine, {.compile = {.kv_format = format}, .check = true});
    CHECK(test::difference(test::evaluate(inference, tokens, 20).logits,
                           test::evaluate(*model, format, tokens)) == "");
  }
}
