// SPDX-License-Identifier: Apache-2.0
// Real files load with the right shape.
#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "model/architecture.h"

using namespace tokencycle;
using namespace tokencycle::model;

namespace {

const std::filesystem::path kModels = std::filesystem::path(TOKENCYCLE_SOURCE_DIR) / "../shared/models";

void check_stories(const LlamaModel& model) {
  const Hyperparameters& shape = model.shape();
  CHECK(shape.architecture == "llama");
  CHECK(shape.layers == 5);
  CHECK(shape.width == 64);
  CHECK(shape.heads == 8);
  CHECK(shape.kv_heads == 4);
  CHECK(shape.head_dim == 8);
  CHECK(shape.feed_forward == 172);
  CHECK(shape.vocabulary == 512);
  CHECK(shape.context == 512);
  CHECK(shape.rope_dims == 8);
  CHECK(shape.rope_base == 10000.0);
  CHECK(shape.rope_scale == 1.0);
  CHECK(shape.norm_epsilon == 1e-5f);
  CHECK_FALSE(shape.tied_output);
  CHECK(model.graph().operators.size() == 1 + 5 * 18 + 2);
}

}  // namespace

Format named(const char* name) {
  Format format{};
  REQUIRE(format_from_name(name, format));
  return format;
}

TEST_CASE("the 260 K-parameter story models load with their shape") {
  if (!std::filesystem::exists(kModels)) {
    WARN("skipped: no shared models beside the project");
    return;
  }
  const std::pair<std::string, Format> files[] = {{"f32", Format::f32},   {"f16", Format::f16},
                                                  {"q8_0", Format::q8_0}, {"q4_0", Format::q4_0},
                                                  {"q6_k", Format::q8_0}, {"q4_k_m", named("q5_0")}};
  for (const auto& [name, format] : files) {
    INFO(name);
    const LlamaModel model(GgufFile(kModels / ("stories260K-" + name + ".gguf")));
    check_stories(model);
    CHECK(model.graph().find("blk.4.attn_q").weight->format == format);
    CHECK(model.graph().find("blk.4.ffn_down").weight->format ==
          (format == Format::f32 ? Format::f32 : Format::f16));
    CHECK(model.graph().find("blk.0.attn_norm").weight->format == Format::f32);
  }
}

TEST_CASE("a vocabulary without weights opens as a file and is refused as a model") {
  if (!std::filesystem::exists(kModels)) {
    WARN("skipped: no shared models beside the project");
    return;
  }
  GgufFile file(kModels / "vocab/ggml-vocab-llama-spm.gguf");
  CHECK(file.tensors().empty());
  CHECK(file.tensor_data().empty());
  CHECK(file.get_array("tokenizer.ggml.tokens")->strings.size() == 32000);
  CHECK_THROWS_WITH(LlamaModel(std::move(file)), Catch::Contains("token_embd.weight"));
}
