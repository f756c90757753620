// SPDX-License-Identifier: Apache-2.0
// Is it the right number with several sequences a step? Each has the bits that it has alone, whatever shares
// its steps.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "session.h"
#include "support/synthetic_model.h"
#include "support/trials.h"

using namespace tokencycle;
using test::CompilerSession;
using test::SyntheticModel;
using Part = CompilerSession::Part;

namespace {

compiler::Options of_sequences(std::uint32_t sequences, std::uint32_t context = 0) {
  compiler::Options options;
  options.context = context;
  options.sequences = sequences;
  return options;
}

}  // namespace

TEST_CASE("each architecture gives each of three sequences the bits that it has alone") {
  SyntheticModel spec = GENERATE(from_range(test::family_models()));
  spec.matrices = GENERATE(Format::f32, Format::q8_0);
  CAPTURE(spec.architecture, spec.rope_scaling, name_of(spec.matrices));
  static std::uint32_t combination = 0;
  if (!test::is_tried(combination++)) return;
  const auto model = test::make_synthetic_model(spec);
  CompilerSession session(*model, test::make_machine({32, 32, 512, 64}), of_sequences(3));
  REQUIRE(session.shared_step({{1, {5, 9, 4, 7}}}, 1) == "");
  REQUIRE(session.shared_step({{0, {11}}, {2, {6}}}, 2) == "");
  REQUIRE(session.shared_step({{0, {3}}, {1, {8}}, {2, {12}}}, 3) == "");
  // A part of one prompt beside tokens of others, in any order; no logits of the part.
  REQUIRE(session.shared_step({{2, {40, 41, 42}}, {1, {43}}, {0, {44}}}, 2) == "");
  REQUIRE(session.shared_step({{2, {1}}, {0, {2}}}, 0) == "");
  REQUIRE(session.shared_step({{1, {21}}, {0, {22}}, {2, {23}}}, 3) == "");
}

TEST_CASE("windows, panels and narrow memories make no difference between sequences") {
  SyntheticModel spec;
  spec.width = 128;  // heads of 32: whole blocks of the cache's formats
  spec.matrices = Format::q8_0;
  const auto kv = GENERATE(Format::f16, Format::q8_0, Format::f32);
  const auto shape = GENERATE(test::MachineShape{16, 16, 64, 8}, test::MachineShape{8, 4, 48, 4});
  CAPTURE(name_of(kv), test::to_string(shape));
  const auto model = test::make_synthetic_model(spec);
  compiler::Options options = of_sequences(2, 96);
  options.kv_format = kv;
  CompilerSession session(*model, test::make_machine(shape), options);
  for (std::uint32_t t = 0; t < 40; ++t) REQUIRE(session.shared_step({{1, {t}}}, 1) == "");
  for (std::uint32_t t = 0; t < 3; ++t) REQUIRE(session.shared_step({{1, {t + 50}}, {0, {t}}}, 2) == "");
}

TEST_CASE("states of sequences lie apart in DRAM, and one sequence has the layout of before") {
  const auto model = test::make_synthetic_model({});
  const config::Machine machine = test::make_machine({});
  const compiler::Compiler one(*model, machine, of_sequences(1, 64)),
      four(*model, machine, of_sequences(4, 64));
  std::uint64_t states = 0;
  for (model::ValueId v = 0; v < model->graph().values.size(); ++v) {
    const model::Value& value = model->graph().values[v];
    const std::uint64_t bytes =
        value.kind == model::ValueKind::state ? row_bytes(Format::f16, value.cols) * 64 : 0;
    CHECK(one.layout().sequence_bytes[v] == bytes);
    CHECK(four.layout().sequence_bytes[v] == bytes);
    states += bytes;
  }
  const std::uint64_t more = four.layout().token_ids.value - one.layout().token_ids.value;
  CHECK(more >= 3 * states);
  CHECK(more < 3 * states + 4096 * model->graph().values.size());
}

TEST_CASE("what no step of several sequences can be is refused") {
  const auto model = test::make_synthetic_model({});
  const config::Machine machine = test::make_machine({16, 16, 64, 64});
  CHECK_THROWS_AS(compiler::Compiler(*model, machine, of_sequences(0)), UsageError);
  // The largest number that is named is one that works.
  std::uint32_t most = 1;
  try {
    const compiler::Compiler compiler(*model, machine, of_sequences(100'000, 64));
    FAIL("100,000 sequences in 64 KiB");
  } catch (const ConfigurationError& error) {
    const std::string message = error.what(), before = "at most ";
    most = static_cast<std::uint32_t>(std::stoul(message.substr(message.find(before) + before.size())));
  }
  CHECK(most > 1);
  const compiler::Compiler compiler(*model, machine, of_sequences(most, 64));
  compiler::Step step{{}, most};
  for (std::uint32_t s = 0; s < most; ++s) step.segments.push_back({s, 63, 1});
  CHECK(!compiler.compile(step).program.words.empty());
  CHECK_THROWS_AS(compiler::Compiler(*model, machine, of_sequences(most + 1, 64)), ConfigurationError);
  CHECK_THROWS_AS(compiler.compile({{{most, 0, 1}}, 1}), SimulationError);          // no such sequence
  CHECK_THROWS_AS(compiler.compile({{{0, 0, 1}, {0, 1, 1}}, 2}), SimulationError);  // twice
  CHECK_THROWS_AS(compiler.compile({{{0, 0, 1}, {1, 64, 1}}, 2}), SimulationError);
  CHECK_THROWS_AS(compiler.compile({{{0, 0, 1}, {1, 0, 1}}, 3}), SimulationError);
}
