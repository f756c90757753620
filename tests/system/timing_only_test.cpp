// SPDX-License-Identifier: Apache-2.0
// Is it the right cycle without values? A run that computes nothing has the events of the run that computes
// everything, for the same tokens: with the weights left out, cut off, or described by a config.json.
#include <catch2/catch.hpp>
#include <random>

#include "model/config_json.h"
#include "support/config_json_writer.h"
#include "support/synthetic_model.h"
#include "trial.h"

using namespace tokencycle;
using Json = nlohmann::json;
using test::SyntheticModel;

namespace {

constexpr std::size_t kPrompt = 9, kGenerated = 3;

// Everything counted in a run.
struct Account {
  std::string events, programs;
  std::uint64_t cycles = 0;
  std::vector<observe::Stack> stacks;
  std::vector<std::vector<observe::OperatorUse>> operators;
  std::vector<std::uint64_t> units, counters;
};

Account account_of(const model::LlamaModel& model, const config::Machine& machine, machine::Values values,
                   std::span<const model::TokenId> tokens, const host::InferenceOptions& base = {}) {
  host::InferenceOptions options = base;
  options.values = values;
  host::Inference inference(model, machine, options);
  std::vector<host::StepReport> steps = inference.evaluate(tokens.first(kPrompt), false);
  for (std::size_t i = kPrompt; i < tokens.size(); ++i) {
    for (host::StepReport& s : inference.evaluate(tokens.subspan(i, 1), false)) steps.push_back(std::move(s));
  }
  CHECK(steps.back().logits.empty() == (values == machine::Values::absent));
  Account a{inference.event_digest(), inference.program_digest(), 0, {}, {}, {}, {}};
  for (const host::StepReport& s : steps) {
    a.cycles += s.execution.end.value - s.execution.start.value;
    a.stacks.push_back(s.stack);
    a.operators.push_back(s.operators);
  }
  for (std::size_t u = 0; u < inference.units().units().size(); ++u) {
    for (int state = 0; state < observe::kStates; ++state) {
      a.units.push_back(
          inference.units().cycles(static_cast<observe::UnitId>(u), static_cast<observe::State>(state)));
    }
  }
  machine::Accelerator& m = inference.accelerator();
  a.counters = {m.multiplications(),
                m.vector_elements(),
                m.instructions(),
                m.edges(),
                m.traffic(memory::Requester::load, false).used_bytes,
                m.traffic(memory::Requester::store, true).used_bytes};
  return a;
}

void check_equal(const Account& a, const Account& b) {
  CHECK(a.cycles == b.cycles);
  CHECK(a.events == b.events);
  CHECK(a.programs == b.programs);
  CHECK(a.stacks == b.stacks);
  CHECK(a.units == b.units);
  CHECK(a.counters == b.counters);
  REQUIRE(a.operators.size() == b.operators.size());
  for (std::size_t s = 0; s < a.operators.size(); ++s) {
    REQUIRE(a.operators[s].size() == b.operators[s].size());
    for (std::size_t i = 0; i < a.operators[s].size(); ++i) {
      CHECK(a.operators[s][i].cycles == b.operators[s][i].cycles);
      CHECK(a.operators[s][i].instructions == b.operators[s][i].instructions);
    }
  }
}

// The model with and without its values.
struct Pair {
  explicit Pair(const SyntheticModel& spec) : Pair(test::write_synthetic_model(spec)) {}
  explicit Pair(const test::TemporaryFile& file)
      : with(model::GgufFile(file.path())),
        without(model::GgufFile(file.path(), model::TensorData::absent)) {}
  model::LlamaModel with, without;
};

void check_pair(const Pair& pair, const config::Machine& machine,
                const host::InferenceOptions& options = {}) {
  const auto tokens = test::random_tokens(kPrompt + kGenerated, pair.with.shape().vocabulary);
  check_equal(account_of(pair.with, machine, machine::Values::computed, tokens, options),
              account_of(pair.without, machine, machine::Values::absent, tokens, options));
}

// Changes to edge.json or, with ideal memory, edge-ideal.json that keep it able to run the model.
Json random_changes(std::mt19937_64& random, bool ideal) {
  const auto number = [&random](std::uint32_t least, std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
  };
  const std::uint32_t rows = number(3, 40);
  Json dram = {{"latency_ns", number(0, 80)}, {"requests_in_flight", number(1, 64)}};
  if (ideal) {
    dram["channels"] = number(1, 8);
    dram["channel_gb_per_s"] = number(1, 40);
  } else {
    static constexpr const char* kSchedulers[] = {"fcfs", "fr-fcfs", "fr-fcfs-row-hit"};
    static constexpr const char* kPages[] = {"open", "closed", "adaptive"};
    dram["system"] = {{"channels", number(1, 8)},
                      {"mapping", nullptr},
                      {"scheduler", kSchedulers[number(0, 2)]},
                      {"page_policy", kPages[number(0, 2)]},
                      {"read_queue", number(1, 16)},
                      {"write_queue", number(1, 16)}};
  }
  return {{"matrix",
           {{"rows", rows},
            {"columns", number(3, 40)},
            {"double_buffered", number(0, 1) == 1},
            {"back_to_back", number(0, 1) == 1},
            {"group_buffer_rows", rows < 32 ? number(4, 32) : 0},
            {"scale_latency_cycles", number(0, 5)}}},
          {"scratchpad", {{"read_latency_cycles", number(1, 5)}, {"separate_write_port", number(0, 1) == 1}}},
          {"dispatch", {{"queue_depth", number(1, 6)}}},
          {"scoreboard", {{"entries", number(1, 20)}}},
          {"writeback", {{"ports", number(1, 3)}}},
          {"vector", {{"lanes", 1u << number(0, 4)}}},
          {"dma", {{"load_bursts_in_flight", number(1, 40)}, {"store_bursts_in_flight", number(1, 9)}}},
          {"dram", dram}};
}

}  // namespace

TEST_CASE("every machine of configs/ takes the same cycles without values in every format") {
  const Format format =
      GENERATE(Format::f32, Format::f16, Format::bf16, Format::q8_0, Format::q4_0, Format::q4_1);
  CAPTURE(name_of(format));
  const Pair pair({.feed_forward = 172, .matrices = format, .norms = Format::f16, .rope_factors = true});
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    check_pair(pair, test::machine(name));
  }
}

TEST_CASE("random machines take the same cycles without values, with either clocking") {
  const std::uint64_t seed = GENERATE(range(1, 13));
  CAPTURE(seed);
  const Pair pair({.layers = 1, .kv_heads = 1, .matrices = seed % 2 == 0 ? Format::q8_0 : Format::f16});
  host::InferenceOptions options;
  options.compile.kv_format = seed % 3 == 0 ? Format::f32 : Format::f16;
  options.compile.max_batch = static_cast<std::uint32_t>(seed % 5);
  if (seed % 4 == 0) options.clocking = machine::Clocking::every_edge;
  std::mt19937_64 random(seed);
  for (const bool ideal : {false, true}) {
    CAPTURE(ideal);
    check_pair(pair, test::machine(ideal ? "edge-ideal" : "edge", random_changes(random, ideal)), options);
  }
}

TEST_CASE("the tokens' rows decide about cycles, and do so without values") {
  // Rows of 102 bytes: in bursts of 32 they take four or five, by their number.
  const Pair pair({.layers = 1, .width = 96, .matrices = Format::q8_0});
  const config::Machine machine = test::machine("tiny");
  std::vector<std::uint64_t> cycles;
  for (const model::TokenId id : {0u, 5u}) {
    CAPTURE(id);
    const std::vector<model::TokenId> tokens(kPrompt, id);
    const Account with = account_of(pair.with, machine, machine::Values::computed, tokens);
    check_equal(with, account_of(pair.without, machine, machine::Values::absent, tokens));
    cycles.push_back(with.cycles);
  }
  CHECK(cycles.front() < cycles.back());
}

TEST_CASE(
    "experts that are given take the cycles of the run whose routers chose them, drawn ones their own") {
  const Pair pair({.matrices = Format::q8_0, .architecture = "olmoe", .experts = 8, .experts_used = 2});
  const auto tokens = test::random_tokens(kPrompt + kGenerated, pair.with.shape().vocabulary);
  const config::Machine machine = test::machine("edge");
  host::Inference chooses(pair.with, machine, {.compile = {}});
  chooses.evaluate(tokens, false);
  CHECK(chooses.experts_source() == "the routers'");
  const std::vector<std::uint32_t> chosen = chooses.experts();
  REQUIRE(chosen.size() == tokens.size() * pair.with.shape().layers * 2);
  const auto without = [&](const host::InferenceOptions& options) {
    host::Inference inference(pair.without, machine, options);
    inference.evaluate(tokens, false);
    return std::pair(inference.event_digest(), inference.experts());
  };
  const machine::Values absent = machine::Values::absent;
  for (const auto clocking : {machine::Clocking::gated, machine::Clocking::every_edge}) {
    CHECK(without({.compile = {}, .clocking = clocking, .values = absent, .experts = chosen}) ==
          std::pair(chooses.event_digest(), chosen));
  }
  const auto drawn = without({.compile = {}, .values = absent, .expert_seed = 1}),
             again = without({.compile = {}, .values = absent, .expert_seed = 1}),
             other = without({.compile = {}, .values = absent, .expert_seed = 2});
  CHECK(drawn == again);
  CHECK(drawn.second != other.second);
  CHECK(drawn.first != other.first);
  for (std::size_t i = 0; i < drawn.second.size(); i += 2) {
    CHECK(drawn.second[i] < 8);
    CHECK(drawn.second[i] != drawn.second[i + 1]);
  }
  std::vector<std::uint32_t> few(chosen.begin(), chosen.end() - 1);
  CHECK_THROWS_WITH(without({.compile = {}, .values = absent, .experts = few}),
                    Catch::Contains("the run needs more"));
}

TEST_CASE("a config.json takes the cycles of the GGUF file of the same shape") {
  const Format format =
      GENERATE(Format::f32, Format::f16, Format::bf16, Format::q8_0, Format::q4_0, Format::q4_1);
  const bool tied = GENERATE(false, true);
  CAPTURE(name_of(format), tied);
  const SyntheticModel spec = {
      .kv_heads = 1, .head_dim = 32, .matrices = format, .tied = tied, .rope_scale = 2};
  const auto file = test::write_synthetic_model(spec);
  const model::LlamaModel gguf{model::GgufFile(file.path())};
  const auto config = test::write_config_json(test::config_json_of(spec));
  const model::LlamaModel shape(model::read_config_json(config.path(), format));
  const auto tokens = test::random_tokens(kPrompt + kGenerated, spec.vocabulary);
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    const config::Machine machine = test::machine(name);
    check_equal(account_of(gguf, machine, machine::Values::computed, tokens),
                account_of(shape, machine, machine::Values::absent, tokens));
  }
}

TEST_CASE("without values nothing is kept in DRAM but what the host wrote") {
  const Pair pair({.matrices = Format::q8_0});
  const auto tokens = test::random_tokens(kPrompt, pair.with.shape().vocabulary);
  for (const machine::Values values : {machine::Values::computed, machine::Values::absent}) {
    const bool computed = values == machine::Values::computed;
    CAPTURE(computed);
    host::InferenceOptions options;
    options.values = values;
    host::Inference inference(computed ? pair.with : pair.without, test::machine("edge"), options);
    inference.evaluate(tokens, false);
    const compiler::DramLayout& layout = inference.compiler().layout();
    const memory::DramStorage& dram = inference.accelerator().dram();
    CHECK(dram.written(layout.program));
    CHECK(dram.written(layout.token_ids));
    CHECK_FALSE(dram.written(layout.weights));
    CHECK(dram.written(layout.regions.at("keys")) == computed);
    CHECK(dram.written(layout.regions.at("values")) == computed);
    CHECK(dram.written(layout.logits) == computed);
  }
}
