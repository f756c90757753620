// SPDX-License-Identifier: Apache-2.0
// The whole machine on every memory of configs/dram: the same values, each cycle accounted for, and the same
// cycles whoever looks.
#include <catch2/catch.hpp>
#include <numeric>

#include "base/error.h"
#include "model/config_json.h"
#include "support/command_memory.h"
#include "support/config_json_writer.h"
#include "support/synthetic_model.h"
#include "trial.h"

using namespace tokencycle;
using Json = nlohmann::json;

namespace {

constexpr std::size_t kPrompt = 5, kGenerated = 2;

std::uint64_t sum_of(const observe::Stack& stack) {
  return std::accumulate(stack.begin(), stack.end(), std::uint64_t{0});
}

std::uint64_t cycles(host::Inference& inference, observe::UnitId unit, observe::State state) {
  return inference.units().cycles(unit, state);
}

void check_accounts(const config::Machine& machine, host::Inference& inference, const test::Trial& trial) {
  for (const host::StepReport& step : trial.steps) {
    CHECK(sum_of(step.stack) == step.execution.end.value - step.execution.start.value);
  }
  for (std::size_t u = 0; u < inference.units().units().size(); ++u) {
    const auto unit = static_cast<observe::UnitId>(u);
    CAPTURE(observe::name_of(unit));
    std::uint64_t sum = 0;
    for (int s = 0; s < observe::kStates; ++s) sum += cycles(inference, unit, static_cast<observe::State>(s));
    CHECK(sum == trial.cycles());
  }
  const config::DramDevice& device = machine.dram.system->device;
  std::uint64_t moved = 0, asked = 0;
  for (std::uint32_t c = 0; c < machine.dram.channels; ++c) {
    CAPTURE(c);
    const memory::DramCounters counters = inference.accelerator().dram_use(c).value().counters;
    const std::uint64_t bursts = counters.reads + counters.writes - counters.forwarded - counters.coalesced;
    // No bus is faster than its peak.
    const double busy_ns =
        static_cast<double>(cycles(inference, observe::channel_id(c), observe::State::busy)) /
        machine.clock_ghz;
    CHECK(busy_ns * device.peak_gb_per_s() * 1.000001 >= static_cast<double>(bursts * device.burst_bytes));
    moved += (counters.reads + counters.writes) * device.burst_bytes;
  }
  using memory::Requester;
  const machine::Accelerator& a = inference.accelerator();
  for (const memory::TrafficCounters& t :
       {a.traffic(Requester::fetch, false), a.traffic(Requester::load, false),
        a.traffic(Requester::store, true)}) {
    asked += t.moved_bytes;
  }
  CHECK(moved == asked);
}

void check_machine(const model::LlamaModel& model, const config::Machine& machine) {
  const auto tokens = test::random_tokens(kPrompt + kGenerated, model.shape().vocabulary);
  host::Inference gated(model, machine, {.compile = {}, .check = true});
  host::Inference every_edge(model, machine, {.compile = {}, .clocking = machine::Clocking::every_edge});
  host::Inference timing(model, machine, {.compile = {}, .values = machine::Values::absent});
  const test::Trial a = test::evaluate(gated, tokens, kPrompt);
  const test::Trial b = test::evaluate(every_edge, tokens, kPrompt);
  const test::Trial c = test::evaluate(timing, tokens, kPrompt);
  CHECK(test::difference(a.logits, test::evaluate(model, Format::f16, tokens)) == "");
  CHECK(gated.event_digest() == every_edge.event_digest());
  CHECK(gated.event_digest() == timing.event_digest());
  CHECK(a.cycles() == b.cycles());
  CHECK(a.cycles() == c.cycles());
  CHECK(gated.accelerator().edges() < every_edge.accelerator().edges());
  check_accounts(machine, gated, a);
}

}  // namespace

TEST_CASE(
    "every memory of configs/dram gives the reference's values, and the same cycles with either clock") {
  const std::string preset = GENERATE(from_range(test::dram_presets()));
  CAPTURE(preset);
  const auto model = test::small_model();
  check_machine(*model, test::machine_with_memory(preset));
}

TEST_CASE("requests of several bursts, channels with XOR, any scheduler, pages and refresh do the same") {
  const auto [preset, system, dram] = GENERATE(table<std::string, Json, Json>({
      {"ddr4-2400",
       {{"channels", 2},
        {"xor", {{{"field", "bank"}, {"with", "row"}}, {{"field", "channel"}, {"with", "row"}}}},
        {"scheduler", "fr-fcfs-cap"},
        {"row_hit_cap", 2},
        {"page_policy", "closed"}},
       {{"burst_bytes", 128}}},
      {"ddr5-6400", {{"refresh", "per-bank"}, {"postpone", 2}, {"page_policy", "adaptive"}}, Json::object()},
      {"lpddr5-6400",
       {{"channels", 2}, {"refresh", "per-bank"}, {"scheduler", "fcfs"}, {"read_queue", 2}},
       {{"burst_bytes", 64}}},
      {"hbm3-6400", {{"channels", 4}, {"refresh", "none"}, {"page_policy", "closed"}}, {{"burst_bytes", 64}}},
      {"gddr6-16000",
       {{"channels", 2}, {"read_queue", 4}, {"write_queue", 4}, {"activated_queue", 1}},
       {{"burst_bytes", 128}, {"requests_in_flight", 3}}},
  }));
  CAPTURE(preset, system.dump());
  const auto model = test::small_model();
  check_machine(*model, test::machine_with_memory(preset, system, dram));
}

TEST_CASE("a slower memory takes more cycles, and says why") {
  const auto model = test::small_model();
  const auto tokens = test::random_tokens(kPrompt + kGenerated, model->shape().vocabulary);
  const auto run = [&](const config::Machine& machine) {
    host::Inference inference(*model, machine, {});
    const std::uint64_t taken = test::evaluate(inference, tokens, kPrompt).cycles();
    std::uint64_t conflicts = 0;
    for (std::uint32_t c = 0; c < machine.dram.channels; ++c) {
      conflicts += cycles(inference, observe::channel_id(c), observe::State::row_conflict);
    }
    return std::pair(taken, conflicts);
  };
  // Neighbouring bursts in different rows of one bank, one request at a time: each closes the row before.
  const Json one_bank = {{"mapping", {"row", "column", "bank_group", "bank"}}};
  const auto [plain, some] =
      run(test::machine_with_memory("ddr4-2400", Json::object(), {{"requests_in_flight", 1}}));
  const auto [slow, many] =
      run(test::machine_with_memory("ddr4-2400", one_bank, {{"requests_in_flight", 1}}));
  CHECK(slow > plain);
  CHECK(many > 10 * some);
}

TEST_CASE("a model that is larger than the devices is refused with both sizes and what to do") {
  // A shape alone: 32 layers of width 4096 in f16 are 13 GiB, a channel of LPDDR4 has 1 GiB.
  const test::SyntheticModel spec = {.layers = 32,
                                     .width = 4096,
                                     .heads = 32,
                                     .kv_heads = 32,
                                     .feed_forward = 11008,
                                     .vocabulary = 32000,
                                     .matrices = Format::f16};
  const auto file = test::write_config_json(test::config_json_of(spec));
  const model::LlamaModel model(model::read_config_json(file.path(), Format::f16));
  const auto edge_with = [](std::uint32_t channels) {
    return test::machine(
        "edge", {{"dram",
                  {{"system", {{"preset", "lpddr4-3200"}, {"channels", channels}, {"mapping", nullptr}}},
                   {"channel_gb_per_s", 6.4}}},
                 {"scratchpad", {{"capacity_kib", 8192}}}});
  };
  CHECK_THROWS_WITH(compiler::Compiler(model, edge_with(8), {}),
                    Catch::StartsWith("machine 'edge': the DRAM has 8.0 GiB") &&
                        Catch::Contains("bytes more)") &&
                        Catch::Contains("or choose a smaller --context or --batch"));
  CHECK_THROWS_AS(compiler::Compiler(model, edge_with(8), {}), ConfigurationError);
  CHECK_NOTHROW(compiler::Compiler(model, edge_with(16), {}));
}
