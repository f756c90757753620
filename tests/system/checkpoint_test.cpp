// SPDX-License-Identifier: Apache-2.0
// Does a run go on from its state as if nothing had happened? After each step the state is written, read into
// a new machine, and that one continues to the end.
#include <catch2/catch.hpp>
#include <sstream>

#include "base/state_archives.h"
#include "support/command_memory.h"
#include "support/synthetic_model.h"
#include "trial.h"

using namespace tokencycle;
using Json = nlohmann::json;

namespace {

std::string state_of(host::Inference& inference) {
  std::ostringstream out;
  StateWriter writer(out);
  writer(inference);
  return out.str();
}

// The prompt, then the others one by one; logits of each.
test::Logits finish(host::Inference& inference, std::span<const model::TokenId> tokens, std::size_t prompt,
                    std::size_t evaluated) {
  test::Logits logits;
  for (std::size_t done = evaluated; done < tokens.size();) {
    const auto next = done == 0 ? tokens.first(prompt) : tokens.subspan(done, 1);
    const std::vector<host::StepReport> steps = inference.evaluate(next, false);
    for (const std::vector<float>& row : steps.back().logits) logits.push_back(row);
    done += next.size();
  }
  return logits;
}

struct Moment {
  std::size_t evaluated = 0;  // tokens of evaluate() calls that had ended
  std::string state;
};

// The uninterrupted run, with its state after each step, and from each of them a run of its own.
void check_each_step(const model::LlamaModel& model, const config::Machine& machine,
                     host::InferenceOptions options, std::size_t prompt = 7, std::size_t more = 3) {
  const auto tokens = test::random_tokens(prompt + more, model.shape().vocabulary);
  options.compile.max_batch = 4;  // a prompt of two steps
  std::vector<Moment> moments;
  host::Inference* running = nullptr;
  host::InferenceOptions watched = options;
  watched.on_step = [&](const host::StepReport&) {
    const std::size_t position = running->position();
    moments.push_back({position <= prompt ? 0 : position - 1, state_of(*running)});
  };
  host::Inference whole(model, machine, watched);
  running = &whole;
  const test::Logits logits = finish(whole, tokens, prompt, 0);
  const std::string end = state_of(whole);
  REQUIRE(moments.size() > more + 1);

  for (std::size_t m = 0; m < moments.size(); ++m) {
    CAPTURE(m);
    host::Inference resumed(model, machine, options);
    std::istringstream in(moments[m].state);
    StateReader reader(in);
    reader(resumed);
    const test::Logits rest = finish(resumed, tokens, prompt, moments[m].evaluated);
    const auto skipped = static_cast<std::ptrdiff_t>(logits.size() - rest.size());
    CHECK(test::difference({logits.begin() + skipped, logits.end()}, rest) == "");
    CHECK(resumed.event_digest() == whole.event_digest());
    CHECK(resumed.program_digest() == whole.program_digest());
    CHECK(resumed.events() == whole.events());
    // Whatever else the machine and its observers hold.
    CHECK((state_of(resumed) == end));
  }
}

}  // namespace

TEST_CASE("a run continues from the state after any step, on every machine of configs/") {
  const auto model = test::make_synthetic_model({.feed_forward = 172, .matrices = Format::q8_0});
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    check_each_step(*model, test::machine(name), {.compile = {}, .record = host::RecordOptions{}});
  }
}

TEST_CASE("a run continues from a recurrent state") {
  const auto model = test::make_synthetic_model({.layers = 3,
                                                 .matrices = Format::q8_0,
                                                 .architecture = "lfm2",
                                                 .sizes = {{"shortconv.l_cache", 4}},
                                                 .layer_kv_heads = {0, 2, 0}});
  check_each_step(*model, test::machine("edge"), {.compile = {}, .check = true});
  for (const test::SyntheticModel& spec : test::family_models()) {
    if (spec.architecture != "qwen35") continue;
    check_each_step(*test::make_synthetic_model(spec), test::machine("edge"), {.compile = {}, .check = true});
  }
}

TEST_CASE("a run continues from the state after any step, on every memory of configs/dram") {
  const auto model = test::small_model();
  const std::string preset = GENERATE(from_range(test::dram_presets()));
  CAPTURE(preset);
  check_each_step(*model, test::machine_with_memory(preset), {});
}

TEST_CASE("a run continues from the state after any step, by every policy of the memory") {
  const auto model = test::small_model();
  const Json system =
      GENERATE(Json{{"page_policy", "closed"}, {"scheduler", "fcfs"}},
               Json{{"page_policy", "adaptive"}, {"scheduler", "fr-fcfs-cap"}}, Json{{"refresh", "none"}});
  CAPTURE(system.dump());
  check_each_step(*model, test::machine_with_memory("ddr4-3200", system), {});
}

TEST_CASE("a run continues from the state after any step, with every clocking, without values, and checked") {
  const auto model = test::small_model();
  const config::Machine machine = test::machine("edge");
  check_each_step(*model, machine, {.compile = {}, .clocking = machine::Clocking::every_edge});
  check_each_step(*model, machine, {.compile = {}, .values = machine::Values::absent});
  check_each_step(*model, machine, {.compile = {}, .check = true});
}

TEST_CASE("a state that lacks its end is refused") {
  const auto model = test::small_model();
  const config::Machine machine = test::machine("tiny");
  host::Inference inference(*model, machine, {});
  (void)inference.evaluate(test::random_tokens(2, model->shape().vocabulary), false);
  const std::string state = state_of(inference);
  host::Inference other(*model, machine, {});
  std::istringstream in(state.substr(0, state.size() - 1));
  StateReader reader(in);
  CHECK_THROWS_AS(reader(other), cereal::Exception);
}
