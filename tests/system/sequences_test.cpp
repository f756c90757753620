// SPDX-License-Identifier: Apache-2.0
// Is it the right number, and the right cycle, with several sequences a step on the machine? Logits are those
// of each sequence alone, events those of both clockings and of a run without values, and all cycles are
// accounted for.
#include <catch2/catch.hpp>
#include <numeric>

#include "base/state_archives.h"
#include "support/synthetic_model.h"
#include "support/trials.h"
#include "trial.h"

using namespace tokencycle;

namespace {

constexpr std::uint32_t kSequences = 3, kMore = 3;

using Tokens = std::vector<std::vector<model::TokenId>>;

// Prompts of 5, 1 and 3 tokens, each with as many behind it.
Tokens tokens_of(const model::LlamaModel& model) {
  Tokens tokens;
  for (const std::uint32_t prompt : {5u, 1u, 3u})
    tokens.push_back(test::random_tokens(prompt + kMore, model.shape().vocabulary));
  return tokens;
}

struct Outcome {
  std::vector<test::Logits> logits;  // by sequence: of the prompt's last token and those behind it
  std::vector<host::StepReport> steps;
};

// The prompts, then a token of each a step; the second sequence ends a step earlier.
Outcome run(host::Inference& inference, const Tokens& tokens, std::uint32_t done = 0) {
  Outcome outcome;
  outcome.logits.resize(kSequences);
  for (std::uint32_t t = done; t <= kMore; ++t) {
    std::vector<host::SequenceTokens> parts;
    for (std::uint32_t s = 0; s < kSequences; ++s) {
      const std::size_t prompt = tokens[s].size() - kMore;
      if (t == kMore && s == 1) continue;
      const std::span<const model::TokenId> all(tokens[s]);
      parts.push_back({s, t == 0 ? all.first(prompt) : all.subspan(prompt + t - 1, 1)});
    }
    for (host::StepReport& step : inference.evaluate(parts, false)) {
      for (std::uint32_t s = 0; s < kSequences; ++s) {
        if (const std::vector<float>* logits = step.logits_after(s)) outcome.logits[s].push_back(*logits);
      }
      outcome.steps.push_back(std::move(step));
    }
  }
  return outcome;
}

test::Logits alone(const model::LlamaModel& model, const Tokens& tokens, std::uint32_t sequence) {
  const std::size_t ends = sequence == 1 ? 1 : 0, prompt = tokens[sequence].size() - kMore;
  const test::Logits all =
      test::evaluate(model, Format::f16, std::span(tokens[sequence]).first(tokens[sequence].size() - ends));
  return {all.begin() + static_cast<std::ptrdiff_t>(prompt - 1), all.end()};
}

host::InferenceOptions of_three() {
  host::InferenceOptions options;
  options.compile.sequences = kSequences;
  options.compile.max_batch = 4;
  return options;
}

}  // namespace

TEST_CASE("several sequences have the logits of each alone, on every machine of configs/") {
  const auto model = test::make_synthetic_model({.matrices = Format::q8_0});
  const Tokens tokens = tokens_of(*model);
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    host::InferenceOptions options = of_three();
    options.check = true;
    host::Inference inference(*model, test::machine(name), options);
    const Outcome outcome = run(inference, tokens);
    for (std::uint32_t s = 0; s < kSequences; ++s)
      CHECK(test::difference(outcome.logits[s], alone(*model, tokens, s)) == "");
    Cycle next(1);
    for (const host::StepReport& step : outcome.steps) {
      CHECK(step.execution.start == next);
      next = step.execution.end;
      const std::uint64_t cycles = next.value - step.execution.start.value;
      CHECK(std::accumulate(step.stack.begin(), step.stack.end(), std::uint64_t{0}) == cycles);
    }
  }
}

TEST_CASE(
    "every family decodes several sequences, with the same events in both clockings and without values") {
  test::SyntheticModel spec = GENERATE(from_range(test::family_models()));
  spec.matrices = Format::q8_0;
  CAPTURE(spec.architecture, spec.rope_scaling);
  static std::uint32_t combination = 0;
  if (!test::is_tried(combination++)) return;
  const auto model = test::make_synthetic_model(spec);
  const Tokens tokens = tokens_of(*model);
  std::vector<std::uint32_t> experts;
  const auto events = [&](machine::Clocking clocking, machine::Values values) {
    host::InferenceOptions options = of_three();
    options.clocking = clocking;
    options.values = values;
    options.experts = experts;
    options.check = values == machine::Values::computed;
    host::Inference inference(*model, test::machine("edge"), options);
    run(inference, tokens);
    experts = inference.experts();
    return inference.event_digest();
  };
  const std::string gated = events(machine::Clocking::gated, machine::Values::computed);
  CHECK(events(machine::Clocking::every_edge, machine::Values::computed) == gated);
  CHECK(events(machine::Clocking::gated, machine::Values::absent) == gated);
}

TEST_CASE("steps behind positions that nothing has computed take as long as behind a prompt") {
  const auto model = test::make_synthetic_model({.matrices = Format::q8_0});
  const auto tokens = test::random_tokens(12, model->shape().vocabulary);
  host::InferenceOptions options;
  options.values = machine::Values::absent;
  host::Inference whole(*model, test::machine("edge-ideal"), options);
  whole.evaluate(std::span(tokens).first(9), false);
  options.position = 9;
  host::Inference skips(*model, test::machine("edge-ideal"), options);
  CHECK(skips.evaluated() == 0);
  for (std::size_t t = 9; t < tokens.size(); ++t) {
    const auto cycles = [&](host::Inference& inference) {
      const machine::Execution done =
          inference.evaluate(std::span(tokens).subspan(t, 1), false).front().execution;
      return static_cast<double>(done.end.value - done.start.value);
    };
    // The clocks of machine and memory meet at another phase; a position less is 0.5 %.
    const double expected = cycles(whole);
    CHECK(cycles(skips) == Approx(expected).epsilon(0.003));
  }
  CHECK(skips.evaluated() == 3);
}

TEST_CASE("a run of several sequences continues from the state after any step") {
  const auto model = test::make_synthetic_model({.matrices = Format::q8_0});
  const Tokens tokens = tokens_of(*model);
  std::vector<std::string> states;  // after each step
  host::Inference* running = nullptr;
  const auto state_of = [](host::Inference& inference) {
    std::ostringstream out;
    StateWriter writer(out);
    writer(inference);
    return out.str();
  };
  host::InferenceOptions watched = of_three();
  watched.on_step = [&](const host::StepReport&) { states.push_back(state_of(*running)); };
  host::Inference whole(*model, test::machine("tiny"), watched);
  running = &whole;
  run(whole, tokens);
  REQUIRE(states.size() > 3 + kMore);  // steps of the prompts, then shared ones
  for (std::size_t i = 0; i < states.size(); ++i) {
    const std::size_t prompts = states.size() - kMore;
    const auto ended = static_cast<std::uint32_t>(i < prompts ? 0 : i + 1 - prompts);  // evaluate() calls
    CAPTURE(i);
    host::Inference resumed(*model, test::machine("tiny"), of_three());
    std::istringstream in(states[i]);
    StateReader reader(in);
    reader(resumed);
    run(resumed, tokens, ended);
    CHECK(resumed.event_digest() == whole.event_digest());
    CHECK((state_of(resumed) == state_of(whole)));
  }
}
