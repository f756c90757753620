// SPDX-License-Identifier: Apache-2.0
// Is it the right number? Each rule of fusion changes how operators are emitted and no bit of a result.
#include <catch2/catch.hpp>
#include <numeric>

#include "compiler/passes/fuse.h"
#include "session.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using compiler::Fusion;
using compiler::FusionSet;
using compiler::Stage;

namespace {

std::size_t count(const std::vector<Stage>& stages, Stage::Kind kind) {
  return static_cast<std::size_t>(
      std::count_if(stages.begin(), stages.end(), [kind](const Stage& s) { return s.kind == kind; }));
}

// Every operator is in one stage, and no stage reads what a later one makes.
void check_order(const model::Graph& graph, const std::vector<Stage>& stages) {
  std::vector<std::size_t> stage_of(graph.operators.size(), stages.size());
  for (std::size_t s = 0; s < stages.size(); ++s) {
    for (const std::uint32_t i : stages[s].operators) {
      CHECK(stage_of[i] == stages.size());
      stage_of[i] = s;
    }
  }
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    REQUIRE(stage_of[i] < stages.size());
    if (graph.operators[i].output == model::kNoValue) continue;
    for (const std::uint32_t reader : graph.readers(graph.operators[i].output))
      CHECK(stage_of[i] <= stage_of[reader]);
  }
}

FusionSet none() {
  FusionSet set = FusionSet::all();
  for (int i = 0; i < compiler::kFusions; ++i) set = set.without(static_cast<Fusion>(i));
  return set;
}

}  // namespace

TEST_CASE("each rule takes its operators together, and nothing else does") {
  const auto model = test::make_synthetic_model({});  // two layers
  const model::Graph& graph = model->graph();
  const auto separate = compiler::fuse(graph, none());
  check_order(graph, separate);
  CHECK(separate.size() == graph.operators.size());
  const auto all = compiler::fuse(graph, FusionSet::all());
  check_order(graph, all);
  CHECK(all.size() == 1 + 2 * 10 + 2);

  const auto without = [&](Fusion f) {
    const auto stages = compiler::fuse(graph, FusionSet::all().without(f));
    check_order(graph, stages);
    return stages;
  };
  CHECK(count(all, Stage::Kind::zip) == 0);
  CHECK(count(without(Fusion::residual_sink), Stage::Kind::zip) == 4);
  CHECK(count(all, Stage::Kind::gated) == 2);
  CHECK(count(without(Fusion::gated_blocks), Stage::Kind::gated) == 0);
  CHECK(count(without(Fusion::gated_blocks), Stage::Kind::map) == 2);
  CHECK(count(all, Stage::Kind::rotary) == 2);
  CHECK(count(without(Fusion::rotary_group), Stage::Kind::rotary) == 4);
  CHECK(count(all, Stage::Kind::append) == 0);
  CHECK(count(without(Fusion::append_attention), Stage::Kind::append) == 4);
}

TEST_CASE("without any one rule, and without all of them, programs give the reference's bits") {
  const int rule = GENERATE(range(0, compiler::kFusions + 1));  // the last: all
  const Format format = GENERATE(Format::f32, Format::q8_0);
  compiler::Options options;
  options.fusions = rule == compiler::kFusions ? none() : FusionSet::all().without(static_cast<Fusion>(rule));
  test::SyntheticModel spec;
  spec.matrices = format;
  spec.norms = Format::f16;
  const auto model = test::make_synthetic_model(spec);
  const auto shape = GENERATE(test::MachineShape{16, 16, 256, 64}, test::MachineShape{32, 8, 96, 4});
  CAPTURE(rule, name_of(format), test::to_string(shape));
  test::CompilerSession session(*model, test::make_machine(shape), options);
  std::vector<std::uint32_t> tokens(24);
  std::iota(tokens.begin(), tokens.end(), 7u);
  std::size_t at = 0;
  while (at < 20) {
    const std::size_t batch = std::min<std::size_t>(session.compiler().batch_limit(), 20 - at);
    REQUIRE(session.step({tokens.data() + at, batch}, at == 0) == "");
    at += batch;
  }
  for (; at < tokens.size(); ++at) REQUIRE(session.step({tokens.data() + at, 1}) == "");
}
