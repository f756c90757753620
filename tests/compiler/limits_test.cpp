// SPDX-License-Identifier: Apache-2.0
// Blocked at N - 1, ready at N: the smallest memories that will do, and refusals by name.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <regex>

#include "base/error.h"
#include "session.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using compiler::Compiler;
using test::CompilerSession;
using test::MachineShape;

namespace {

// The message of the error that compiling for the machine ends with; empty when it compiles.
template <class Kind = ConfigurationError>
std::string refusal(const model::LlamaModel& model, const config::Machine& machine,
                    const compiler::Options& options = {}) {
  try {
    const Compiler compiler(model, machine, options);
  } catch (const Kind& e) {
    return e.what();
  }
  return {};
}

std::uint32_t number_after(const std::string& text, const std::string& what) {
  std::smatch found;
  REQUIRE(std::regex_search(text, found, std::regex(what + "(\\d+)")));
  return static_cast<std::uint32_t>(std::stoul(found[1]));
}

bool names(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the refusal of a small scratchpad names the size that will do") {
  const auto model = test::make_synthetic_model(
      GENERATE(test::SyntheticModel{},
               test::SyntheticModel{.width = 96, .heads = 3, .kv_heads = 3, .matrices = Format::q8_0},
               test::SyntheticModel{.heads = 8,
                                    .kv_heads = 1,
                                    .feed_forward = 350,
                                    .context = 150,
                                    .matrices = Format::q4_0,
                                    .norms = Format::f16}));
  const Format kv = GENERATE(Format::f16, Format::f32);
  MachineShape shape{8, 8, 1, 4};
  const std::string message = refusal(*model, test::make_machine(shape), {kv, 0, 0});
  REQUIRE(names(message, "scratchpad has 1.0 KiB"));
  const std::uint32_t enough = number_after(message, "capacity_kib to at least ");
  INFO(message);

  shape.scratchpad_kib = enough - 1;
  CHECK(names(refusal(*model, test::make_machine(shape), {kv, 0, 0}), fmt::format("at least {}", enough)));
  shape.scratchpad_kib = enough;
  CompilerSession session(*model, test::make_machine(shape), {kv, 0, 0});
  for (std::uint32_t t = 0; t < model->shape().context; ++t) {
    const std::uint32_t token = t * 31 % model->shape().vocabulary;
    REQUIRE(session.step({&token, 1}) == "");
  }
  const std::uint32_t token = 0;
  CHECK_THROWS_AS(session.compiler().compile(compiler::one_sequence(model->shape().context, 1)),
                  SimulationError);
  CHECK_THROWS_AS(session.step({&token, 1}), SimulationError);
}

TEST_CASE("a small accumulator memory narrows tiles down to one column") {
  const auto model = test::make_synthetic_model({.heads = 8, .kv_heads = 1, .context = 64});
  config::Machine machine = test::make_machine({8, 8, 64, 1});
  machine.accumulator.capacity_bytes = 63;
  CHECK(names(refusal(*model, machine), "need 64 bytes: set /accumulator/capacity_kib to at least 1"));
  machine.accumulator.capacity_bytes = GENERATE(64, 100, 200, 1000);
  CompilerSession session(*model, machine);
  for (std::uint32_t t = 0; t < 40; ++t) REQUIRE(session.step({&t, 1}) == "");
}

TEST_CASE("a machine without a multiplier type is refused with the tensor that needs it") {
  const auto model = test::make_synthetic_model({.matrices = Format::q8_0, .embedding = Format::f16});
  const auto lacking = [](MultiplyType type) {
    config::Machine machine = test::make_machine({});
    machine.matrix.cycles_per_row[static_cast<std::size_t>(type)] = 0;
    return machine;
  };
  const std::string weight = refusal(*model, lacking(MultiplyType::int8));
  CHECK(names(weight, "tensor 'blk.0.attn_q.weight' of operator 'blk.0.attn_q' is q8_0"));
  CHECK(names(weight, "/matrix/cycles_per_row/int8"));
  CHECK(names(refusal(*model, lacking(MultiplyType::fp16)), "operator 'output' is f16"));
  CHECK(names(refusal(*model, lacking(MultiplyType::fp32), {Format::f32, 0, 0}), "the KV cache"));
  CHECK(refusal(*model, lacking(MultiplyType::fp32)).empty());
}

TEST_CASE("shapes beyond the fields of instructions are refused") {
  const config::Machine machine = test::make_machine({});
  const auto wide = test::make_synthetic_model({.heads = 1, .kv_heads = 1, .head_dim = 4096});
  CHECK(refusal(*wide, machine) == "a head has 4096 elements; the rotary instruction takes at most 4095");
  const auto refusal_of_scores = [&](std::uint32_t context) {
    return refusal(*test::make_synthetic_model({.heads = 8, .kv_heads = 1, .context = context}), machine);
  };
  constexpr std::uint32_t kPositions = 1 << 19;  // 8 heads of 4 bytes each: a row of 2^24
  CHECK(names(refusal_of_scores(kPositions), "attention's scores"));
  CHECK(names(refusal_of_scores(kPositions),
              "takes 16777216 bytes per row; an instruction's stride is at most"));
  CHECK(!names(refusal_of_scores(kPositions - 1), "attention's scores"));
}

TEST_CASE("contexts, caches and DRAM that cannot be are refused") {
  const auto model = test::make_synthetic_model({.context = 128});
  const config::Machine machine = test::make_machine({});
  CHECK(names(refusal<UsageError>(*model, machine, {Format::f16, 129, 0}), "at most 128"));
  CHECK(names(refusal<UsageError>(*model, machine, {Format::q4_1, 0, 0}), "KV cache in q4_1"));
  MachineShape small;
  small.dram_bytes = 100'000;
  CHECK(names(refusal(*model, test::make_machine(small)), "the DRAM has 97.7 KiB"));
}

TEST_CASE("a batch leaves the ring its share and obeys the option") {
  const auto model = test::make_synthetic_model({.context = 128});
  const auto limit = [&](std::uint32_t kib, std::uint32_t most) {
    return Compiler(*model, test::make_machine({8, 8, kib, 64}), {Format::f16, 0, most}).batch_limit();
  };
  CHECK(limit(1024, 0) == 128);
  CHECK(limit(1024, 7) == 7);
  const std::uint32_t middle = limit(128, 0);
  CHECK((middle > 1 && middle < 128));
  CHECK(limit(64, 0) < middle);
  const Compiler compiler(*model, test::make_machine({}), {Format::f16, 100, 10});
  CHECK(compiler.context() == 100);
  CHECK_THROWS_AS(compiler.compile(compiler::one_sequence(0, 11)), SimulationError);
  CHECK_THROWS_AS(compiler.compile(compiler::one_sequence(0, 0, 0)), SimulationError);
  CHECK_THROWS_AS(compiler.compile(compiler::one_sequence(91, 10)), SimulationError);
}
