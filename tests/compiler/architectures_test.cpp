// SPDX-License-Identifier: Apache-2.0
// Is it the right number? Every architecture gives the reference's bits, and its config.json the GGUF file's
// graph.
#include <catch2/catch.hpp>
#include <numeric>

#include "model/config_json.h"
#include "session.h"
#include "support/config_json_writer.h"
#include "support/synthetic_model.h"
#include "support/trials.h"

using namespace tokencycle;
using test::SyntheticModel;

TEST_CASE("each architecture gives the reference's bits in prefill and decode") {
  SyntheticModel spec = GENERATE(from_range(test::family_models()));
  spec.matrices = GENERATE(Format::f32, Format::q8_0);
  spec.norms = spec.matrices == Format::q8_0 ? Format::f16 : Format::f32;
  const auto shape = GENERATE(test::MachineShape{32, 32, 512, 64}, test::MachineShape{8, 16, 64, 8});
  CAPTURE(spec.architecture, spec.rope_scaling, name_of(spec.matrices), test::to_string(shape));
  static std::uint32_t combination = 0;
  if (!test::is_tried(combination++)) return;
  const auto model = test::make_synthetic_model(spec);
  CHECK(model->shape().architecture == spec.architecture);
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

TEST_CASE("a convolution of more columns than are done at once, in steps of 1 to 4 tokens") {
  const auto model = test::make_synthetic_model({.layers = 2,
                                                 .width = 1120,
                                                 .architecture = "lfm2",
                                                 .sizes = {{"shortconv.l_cache", GENERATE(2, 4)}},
                                                 .layer_kv_heads = {0, 2}});
  test::CompilerSession session(*model, test::make_machine({32, 32, 512, 64}));
  const std::vector<std::uint32_t> tokens = {5, 11, 290, 17, 8, 33, 120, 64, 9, 250, 77, 41};
  std::size_t at = 0;
  for (const std::size_t batch : {1, 2, 1, 4, 3, 1}) {
    REQUIRE(session.compiler().batch_limit() >= batch);
    REQUIRE(session.step({tokens.data() + at, batch}, true) == "");
    at += batch;
  }
}

TEST_CASE("a config.json has the graph and the tensors of the GGUF file") {
  SyntheticModel spec = GENERATE(from_range(test::family_models()));
  if (test::has_cells(spec)) return;
  spec.scales = false;  // no key says that a file has them
  spec.matrices = Format::f16;
  const auto gguf = test::make_synthetic_model(spec);
  const test::TemporaryFile config = test::write_config_json(test::config_json_of(spec));
  const model::LlamaModel shape(model::read_config_json(config.path(), Format::f16));
  CAPTURE(spec.architecture, spec.rope_scaling);
  CHECK(shape.shape().architecture == spec.architecture);
  CHECK(shape.shape().experts == spec.experts);
  CHECK(shape.shape().experts_used == spec.experts_used);
  REQUIRE(shape.graph().operators.size() == gguf->graph().operators.size());
  for (std::size_t i = 0; i < gguf->graph().operators.size(); ++i) {
    const model::Operator &a = shape.graph().operators[i], &b = gguf->graph().operators[i];
    CHECK(a.name == b.name);
    CHECK(a.inputs == b.inputs);
    CHECK(a.output_columns == b.output_columns);
    CHECK((a.bias == nullptr) == (b.bias == nullptr));
    CHECK(a.scalar == b.scalar);
    CHECK(a.attention.window == b.attention.window);
    CHECK(a.attention.scale == b.attention.scale);
    CHECK(a.attention.cap == b.attention.cap);
    CHECK(a.rotary.rotate == b.rotary.rotate);
    if (b.weight != nullptr) CHECK(a.weight->name == b.weight->name);
  }
  REQUIRE(shape.file().tensors().size() == gguf->file().tensors().size());
}
