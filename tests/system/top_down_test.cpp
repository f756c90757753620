// SPDX-License-Identifier: Apache-2.0
// From a token down to kinds of instructions, on whole runs: do cycles, causes and work sum at every level,
// and is no operator faster than the machine?
#include <catch2/catch.hpp>
#include <numeric>

#include "support/synthetic_model.h"
#include "trial.h"

using namespace tokencycle;
using observe::OperatorUse;
using observe::Stack;

namespace {

std::uint64_t sum_of(const Stack& stack) {
  return std::accumulate(stack.begin(), stack.end(), std::uint64_t{0});
}

// A step's stack is the sum of its operators', an operator's that of its kinds of instructions.
void check_levels(const host::StepReport& step, const std::vector<model::Operator>& graph) {
  Stack of_operators{};
  for (std::size_t i = 0; i < step.operators.size(); ++i) {
    CAPTURE(graph[i].name);
    const OperatorUse& use = step.operators[i];
    OperatorUse of_kinds;
    for (const observe::KindUse& kind : use.kinds) {
      of_kinds.cycles += kind.cycles;
      of_kinds.instructions += kind.count;
      observe::add_to(of_kinds.stack, kind.stack);
      CHECK(sum_of(kind.stack) == kind.cycles);
    }
    CHECK(of_kinds.cycles == use.cycles);
    CHECK(of_kinds.instructions == use.instructions);
    CHECK(of_kinds.stack == use.stack);
    CHECK(use.span_cycles > 0);
    observe::add_to(of_operators, use.stack);
  }
  CHECK(of_operators == step.stack);
}

// What the instructions did is what the units counted.
void check_work(const std::vector<host::StepReport>& steps, machine::Accelerator& a) {
  observe::OperatorWork sum;
  for (const host::StepReport& step : steps) {
    for (const OperatorUse& use : step.operators) sum.add(use.work);
  }
  CHECK(sum.loaded_bytes == a.traffic(memory::Requester::load, false).moved_bytes);
  CHECK(sum.stored_bytes == a.traffic(memory::Requester::store, true).moved_bytes);
  CHECK(sum.multiply_accumulates == a.multiplications());
  CHECK(sum.vector_elements == a.vector_elements());
  std::uint64_t port_bytes = 0;
  for (int p = 0; p < memory::kPorts; ++p) port_bytes += a.port(static_cast<memory::Port>(p)).bytes;
  CHECK(sum.scratchpad_bytes == port_bytes);
}

// No operator's rate over its span exceeds a peak of the machine.
void check_roofs(const host::StepReport& step, const std::vector<model::Operator>& graph,
                 const config::Machine& machine) {
  const double bytes_a_cycle = machine.peak_dram_gb_per_s() / machine.clock_ghz;
  const double cells = static_cast<double>(machine.matrix.rows) * machine.matrix.columns;
  for (std::size_t i = 0; i < step.operators.size(); ++i) {
    const observe::OperatorWork& work = step.operators[i].work;
    const auto span = static_cast<double>(step.operators[i].span_cycles);
    CAPTURE(graph[i].name, span, work.loaded_bytes, work.stored_bytes, work.cell_cycles,
            work.vector_elements);
    CHECK(static_cast<double>(work.cell_cycles) / cells <= span);
    CHECK(static_cast<double>(work.loaded_bytes + work.stored_bytes) / bytes_a_cycle <= span);
    CHECK(static_cast<double>(work.vector_elements) / machine.vector.lanes <= span);
  }
}

void check_all(host::Inference& inference, const test::Trial& trial, const model::LlamaModel& model) {
  for (const host::StepReport& step : trial.steps) {
    REQUIRE(step.operators.size() == model.graph().operators.size());
    check_levels(step, model.graph().operators);
    check_roofs(step, model.graph().operators, inference.accelerator().machine());
  }
  check_work(trial.steps, inference.accelerator());
}

host::InferenceOptions recording() {
  host::InferenceOptions options;
  options.values = machine::Values::absent;
  options.record.emplace();
  return options;
}

const char* const kBundledModel = "/models/austen-2.9m-q8_0.gguf";

}  // namespace

TEST_CASE(
    "tokens, operators and kinds of instructions sum, and no operator is above its roofs: all machines") {
  const Format format = GENERATE(Format::f16, Format::q8_0);
  const auto model = test::make_synthetic_model({.feed_forward = 172, .matrices = format});
  const auto tokens = test::random_tokens(36, model->shape().vocabulary);
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name_of(format), name);
    host::Inference inference(*model, test::machine(name), recording());
    check_all(inference, test::evaluate(inference, tokens, 32), *model);
  }
}

TEST_CASE("the same holds for the bundled model, in prefill and decode") {
  const model::LlamaModel model{model::GgufFile(std::string(TOKENCYCLE_SOURCE_DIR) + kBundledModel)};
  const auto tokens = test::random_tokens(18, model.shape().vocabulary);
  for (const char* name : {"tiny", "edge", "edge-os"}) {
    CAPTURE(name);
    host::Inference inference(model, test::machine(name), recording());
    check_all(inference, test::evaluate(inference, tokens, 16), model);
  }
}

TEST_CASE("a timeline sums to the units' and memory's counts under both clockings, and changes no event") {
  const auto model = test::make_synthetic_model({.matrices = Format::q8_0});
  const auto tokens = test::random_tokens(9, model->shape().vocabulary);
  host::InferenceOptions options = recording();
  options.record.reset();
  host::Inference plain(*model, test::machine("edge"), options);
  test::evaluate(plain, tokens, 6);
  options.record.emplace();
  host::Inference gated(*model, test::machine("edge"), options);
  options.clocking = machine::Clocking::every_edge;
  host::Inference every_edge(*model, test::machine("edge"), options);
  const test::Trial trial = test::evaluate(gated, tokens, 6);
  test::evaluate(every_edge, tokens, 6);
  CHECK(gated.event_digest() == plain.event_digest());

  const auto series = gated.timeline()->series(gated.end());
  const auto same = every_edge.timeline()->series(every_edge.end());
  REQUIRE(series.size() == same.size());
  machine::Accelerator& a = gated.accelerator();
  Stack causes{};
  for (const host::StepReport& step : trial.steps) observe::add_to(causes, step.stack);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const observe::Timeline::Series& s = series[i];
    CAPTURE(s.name);
    CHECK(s.values == same[i].values);
    const std::uint64_t sum = std::accumulate(s.values.begin(), s.values.end(), std::uint64_t{0});
    if (s.name == "dram.read_bytes") {
      CHECK(sum == a.traffic(memory::Requester::load, false).moved_bytes +
                       a.traffic(memory::Requester::fetch, false).moved_bytes);
    } else if (s.name == "dram.write_bytes") {
      CHECK(sum == a.traffic(memory::Requester::store, true).moved_bytes);
    } else if (s.name == "matrix0.busy") {
      CHECK(sum == gated.units().cycles(observe::UnitId::matrix, observe::State::busy));
    } else if (s.name == "cause.vector") {
      CHECK(sum == causes[static_cast<std::size_t>(observe::Cause::vector)]);
    }
  }
  REQUIRE(gated.pipeline()->any());
  CHECK(gated.pipeline()->rows().size() == gated.pipeline()->instructions());
}
