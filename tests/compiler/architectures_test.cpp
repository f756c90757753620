// SPDX-License-Identifier: Apache-2.0
// Is it the right number? Every architecture gives the reference's bits, and its config.json the GGUF file's
// graph.
#include <catch2/catch.hpp>
#include <numeric>

#include "model/config_json.h"
#include "session.h"
#include "support/config_json_writer.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using test::SyntheticModel;

namespace {

SyntheticModel random_model(const std::string& architecture, Format matrices) {
  SyntheticModel spec;
  spec.architecture = architecture;
  spec.matrices = matrices;
  spec.norms = matrices == Format::f16 ? Format::f16 : Format::f32;
  spec.head_dim = architecture == "qwen3" ? 24 : 0;
  spec.tied = architecture == "qwen3";
  return spec;
}

}  // namespace

TEST_CASE("each architecture gives the reference's bits in prefill and decode") {
  const std::string architecture = GENERATE("llama", "qwen2", "qwen3");
  const Format format = GENERATE(Format::f32, Format::f16, Format::q8_0);
  const auto shape = GENERATE(test::MachineShape{32, 32, 512, 64}, test::MachineShape{8, 16, 64, 8});
  CAPTURE(architecture, name_of(format), test::to_string(shape));
  const auto model = test::make_synthetic_model(random_model(architecture, format));
  CHECK(model->shape().architecture == architecture);
  CHECK(model->shape().rope_pairs ==
        (architecture == "llama" ? model::RopePairs::adjacent : model::RopePairs::split));
  test::CompilerSession session(*model, test::make_machine(shape));
  std::vector<std::uint32_t> tokens(16);
  std::iota(tokens.begin(), tokens.end(), 11u);
  std::size_t at = 0;
  while (at < 13) {
    const std::size_t batch = std::min<std::size_t>(session.compiler().batch_limit(), 13 - at);
    REQUIRE(session.step({tokens.data() + at, batch}, at == 0) == "");
    at += batch;
  }
  for (; at < tokens.size(); ++at) REQUIRE(session.step({tokens.data() + at, 1}) == "");
}

TEST_CASE("a config.json has the graph and the tensors of the GGUF file") {
  const std::string architecture = GENERATE("llama", "qwen2", "qwen3");
  const SyntheticModel spec = random_model(architecture, Format::f16);
  const auto gguf = test::make_synthetic_model(spec);
  const test::TemporaryFile config = test::write_config_json(test::config_json_of(spec));
  const model::LlamaModel shape(model::read_config_json(config.path(), Format::f16));
  CHECK(shape.shape().architecture == architecture);
  REQUIRE(shape.graph().operators.size() == gguf->graph().operators.size());
  for (std::size_t i = 0; i < gguf->graph().operators.size(); ++i) {
    const model::Operator &a = shape.graph().operators[i], &b = gguf->graph().operators[i];
    CHECK(a.name == b.name);
    CHECK(a.inputs == b.inputs);
    CHECK(a.output_columns == b.output_columns);
    CHECK((a.bias == nullptr) == (b.bias == nullptr));
    if (b.weight != nullptr) CHECK(a.weight->name == b.weight->name);
  }
  REQUIRE(shape.file().tensors().size() == gguf->file().tensors().size());
}
