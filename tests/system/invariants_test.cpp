// SPDX-License-Identifier: Apache-2.0
// Is every cycle and every byte accounted for? Sums that must come out on every machine of configs/.
#include <catch2/catch.hpp>
#include <numeric>

#include "isa/encoding.h"
#include "support/synthetic_model.h"
#include "trial.h"

using namespace tokencycle;

namespace {

// What a program asks for, counted from its words alone: a word in loops counts as often as they run it.
struct Demand {
  std::uint64_t instructions = 0, load_bytes = 0, store_bytes = 0, multiply_accumulates = 0;
};

Demand demand_of(std::span<const isa::Word> words) {
  Demand sum;
  std::vector<std::pair<std::size_t, std::uint64_t>> loops;  // end of the body, count
  for (std::size_t at = 0; at < words.size(); ++at) {
    while (!loops.empty() && at >= loops.back().first) loops.pop_back();
    std::uint64_t times = 1;
    for (const auto& [end, count] : loops) times *= count;
    const isa::Instruction i = isa::decode(words[at]);
    const std::uint64_t elements = times * i.rows * i.cols;
    sum.instructions += times;
    if (i.op == isa::Opcode::loop) loops.emplace_back(at + 1 + i.length, i.count);
    if (i.op == isa::Opcode::load || i.op == isa::Opcode::gather) sum.load_bytes += elements;
    if (i.op == isa::Opcode::store) sum.store_bytes += elements * block_bytes(i.dst_format);
    if (i.op == isa::Opcode::multiply || i.op == isa::Opcode::matmul)
      sum.multiply_accumulates += elements * i.depth;
  }
  return sum;
}

// Bytes of the weights that one step reads at least once: all but the embedding table's other rows.
std::uint64_t weight_bytes(const model::LlamaModel& model) {
  std::uint64_t sum = 0;
  for (const model::Operator& op : model.graph().operators) {
    if (op.weight != nullptr && op.kind != model::OperatorKind::gather_rows) sum += op.weight->data.size();
  }
  return sum;
}

// Follows every instruction and the order of time.
class Auditor : public observe::Observer {
 public:
  void on_event(const observe::Event& event) override {
    in_order = in_order && event.cycle >= last_;
    last_ = event.cycle;
    ++events;
  }
  void on_retired(const observe::InstructionRecord& r) override {
    ++retired;
    ascending = ascending && r.fetched < r.decoded && r.decoded <= r.dispatched &&
                r.dispatched <= r.started && r.started <= r.finished && r.finished <= r.written_back;
    last_retirement = r.written_back;
  }
  std::uint64_t events = 0, retired = 0;
  bool in_order = true, ascending = true;
  Cycle last_retirement;

 private:
  Cycle last_;
};

std::uint64_t sum_of(const observe::Stack& stack) {
  return std::accumulate(stack.begin(), stack.end(), std::uint64_t{0});
}

std::uint64_t sum_of(const std::vector<observe::OperatorUse>& uses) {
  std::uint64_t sum = 0;
  for (const observe::OperatorUse& use : uses) sum += use.cycles;
  return sum;
}

}  // namespace

TEST_CASE("stacks, operators and units' states each sum to the cycles, and steps follow without a gap") {
  const Format format = GENERATE(Format::f16, Format::q8_0);
  const auto model = test::make_synthetic_model({.feed_forward = 172, .matrices = format});
  const auto tokens = test::random_tokens(20, model->shape().vocabulary);
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name_of(format), name);
    host::Inference inference(*model, test::machine(name), {});
    const test::Trial trial = test::evaluate(inference, tokens, 16);
    Cycle next(1);
    for (const host::StepReport& step : trial.steps) {
      CHECK(step.execution.start == next);
      next = step.execution.end;
      const std::uint64_t cycles = step.execution.end.value - step.execution.start.value;
      CHECK(sum_of(step.stack) == cycles);
      CHECK(sum_of(step.operators) == cycles);
      REQUIRE(step.operators.size() == model->graph().operators.size());
      // No operator is free: embedding, rotation, norms and the output head are instructions, too.
      for (std::size_t i = 0; i < step.operators.size(); ++i) {
        CAPTURE(model->graph().operators[i].name);
        CHECK(step.operators[i].instructions > 0);
      }
      CHECK(step.operators.front().cycles > 0);
      CHECK(step.operators.back().cycles > 0);
    }
    for (std::size_t u = 0; u < inference.units().units().size(); ++u) {
      const auto unit = static_cast<observe::UnitId>(u);
      CAPTURE(observe::name_of(unit));
      std::uint64_t sum = 0;
      for (int s = 0; s < observe::kStates; ++s) {
        sum += inference.units().cycles(unit, static_cast<observe::State>(s));
      }
      CHECK(sum == trial.cycles());
    }
  }
}

TEST_CASE("the bytes, words and products counted are those that the programs ask for") {
  const auto model = test::make_synthetic_model({.feed_forward = 172, .matrices = Format::q8_0});
  const auto tokens = test::random_tokens(24, model->shape().vocabulary);
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    const config::Machine machine = test::machine(name);
    host::Inference inference(*model, machine, {});
    const test::Trial trial = test::evaluate(inference, tokens, 22);
    Demand sum;
    std::uint32_t position = 0;
    for (const host::StepReport& step : trial.steps) {
      const Demand d = demand_of(inference.compiler()
                                     .compile(compiler::one_sequence(position, step.tokens, step.tokens))
                                     .program.words);
      sum.instructions += d.instructions;
      sum.load_bytes += d.load_bytes;
      sum.store_bytes += d.store_bytes;
      sum.multiply_accumulates += d.multiply_accumulates;
      position += step.tokens;
      CHECK(d.load_bytes >= weight_bytes(*model));
    }
    machine::Accelerator& a = inference.accelerator();
    using memory::Requester;
    CHECK(a.traffic(Requester::load, false).used_bytes == sum.load_bytes);
    CHECK(a.traffic(Requester::store, true).used_bytes == sum.store_bytes);
    CHECK(a.instructions() == sum.instructions);
    CHECK(a.multiplications() == sum.multiply_accumulates);
    for (const auto& t : {a.traffic(Requester::load, false), a.traffic(Requester::store, true),
                          a.traffic(Requester::fetch, false)}) {
      CHECK(t.moved_bytes == t.bursts * machine.dram.burst_bytes);
      CHECK(t.moved_bytes >= t.used_bytes);
      CHECK(t.bursts > 0);
    }
  }
}

TEST_CASE("subscribers see every instruction's life in order, and change no cycle") {
  const auto model = test::make_synthetic_model({.matrices = Format::q4_0});
  const auto tokens = test::random_tokens(9, model->shape().vocabulary);
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    host::Inference alone(*model, test::machine(name), {});
    host::Inference watched(*model, test::machine(name), {});
    Auditor auditor;
    watched.accelerator().events().subscribe(auditor);
    const test::Trial a = test::evaluate(alone, tokens, 7), b = test::evaluate(watched, tokens, 7);
    CHECK(a.cycles() == b.cycles());
    CHECK(alone.event_digest() == watched.event_digest());
    CHECK(alone.program_digest() == watched.program_digest());
    CHECK(auditor.events == watched.events());
    CHECK(auditor.retired == watched.accelerator().instructions());
    CHECK(auditor.in_order);
    CHECK(auditor.ascending);
    CHECK(auditor.last_retirement + 1 == b.steps.back().execution.end);  // the halt
  }
}

TEST_CASE("two machines in one process, stepped in turn, do not know of each other") {
  const auto model = test::make_synthetic_model({.matrices = Format::q8_0});
  const auto tokens = test::random_tokens(5, model->shape().vocabulary);
  host::Inference alone(*model, test::machine("edge"), {});
  const test::Trial expected = test::evaluate(alone, tokens, 2);
  host::Inference one(*model, test::machine("edge"), {});
  host::Inference other(*model, test::machine("gemmini"),
                        {.compile = {}, .clocking = machine::Clocking::every_edge});
  for (std::size_t i = 0; i < tokens.size(); i += (i == 0 ? 2 : 1)) {
    const auto part = std::span(tokens).subspan(i, i == 0 ? 2 : 1);
    one.evaluate(part, true);
    other.evaluate(part, true);
  }
  CHECK(one.event_digest() == alone.event_digest());
  CHECK(other.event_digest() != alone.event_digest());
  CHECK(expected.logits.size() == tokens.size());
}
