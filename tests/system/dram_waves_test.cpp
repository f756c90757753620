// SPDX-License-Identifier: Apache-2.0
// DRAM's commands in the whole machine: the same whoever looks and however time advances, and the waves show
// them, the queues and the banks as an account of the commands alone has them.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "host/traces.h"
#include "support/command_memory.h"
#include "support/synthetic_model.h"
#include "support/vcd_reader.h"
#include "trial.h"

using namespace tokencycle;
using config::DramCommand;
using observe::Event;
using observe::EventKind;
using Json = nlohmann::json;

namespace {

// The smallest machine of configs/ with one of these devices. `ghz` 0: a cycle is a clock of the memory.
config::Machine machine_with(const std::string& preset, double ghz, const Json& system = Json::object()) {
  const config::DramDevice device = config::read_dram_device(test::kConfigs / "dram" / (preset + ".json"));
  Json dram = {{"model", "commands"},
               {"channels", nullptr},
               {"capacity_mib", nullptr},
               {"system", {{"preset", preset}}},
               {"channel_gb_per_s", device.data_rate_mt_s * 1e-3 * device.channel_bits / 8},
               {"burst_bytes", device.burst_bytes},
               {"requests_in_flight", 16}};
  dram["system"].merge_patch(system);
  const double clock_ghz = ghz > 0 ? ghz : 1000.0 / static_cast<double>(device.tck_ps);
  return test::machine("tiny", {{"clock_ghz", clock_ghz}, {"dram", dram}});
}

class Recorder : public observe::Observer {
 public:
  std::uint32_t interests() const override { return observe::kAlways | observe::kOnRequest; }
  void on_event(const Event& e) override {
    if (e.cycle < last) FAIL("an event of cycle " << e.cycle.value << " after one of " << last.value);
    last = e.cycle;
    if ((observe::kOnRequest >> static_cast<unsigned>(e.kind) & 1) != 0) events.push_back(e);
  }
  std::vector<Event> events;
  Cycle last;
};

bool equal(const Event& a, const Event& b) {
  return a.cycle == b.cycle && a.number == b.number && a.value == b.value && a.pc == b.pc &&
         a.kind == b.kind && a.unit == b.unit && a.detail == b.detail;
}

struct Looked {
  std::string digest;
  std::vector<Event> events;
  std::vector<std::array<std::uint64_t, config::kDramCommands>> counted;  // of each channel
  Cycle end;
};

// A prompt of two tokens and one token more, without values.
Looked look(const config::Machine& machine, machine::Clocking clocking, bool record,
            host::Traces* traces = nullptr) {
  const auto model = test::make_synthetic_model({.layers = 1, .matrices = Format::q8_0});
  const auto tokens = test::random_tokens(3, model->shape().vocabulary);
  host::Inference inference(
      *model, machine,
      {.compile = {}, .clocking = clocking, .values = machine::Values::absent, .traces = traces});
  Recorder recorder;
  if (record) inference.accelerator().events().subscribe(recorder);
  Looked looked;
  looked.end = test::evaluate(inference, tokens, 2).steps.back().execution.end;
  looked.digest = inference.event_digest();
  for (std::uint32_t c = 0; c < machine.dram.channels; ++c) {
    if (const auto use = inference.accelerator().dram_use(c))
      looked.counted.push_back(use->counters.commands);
  }
  looked.events = std::move(recorder.events);
  if (traces != nullptr) traces->close(looked.end);
  return looked;
}

// The waves of a run, and its events.
struct Waved {
  test::VcdDump dump;
  Looked run;
};
Waved waves_of(const config::Machine& machine) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("tokencycle_dram_" + std::to_string(::getpid()) + ".vcd");
  host::TraceRequest request;
  request.files = {path.string()};
  request.max_bytes = 1u << 30;
  host::Traces traces(request, "a model", machine);
  Waved waved;
  waved.run = look(machine, machine::Clocking::gated, true, &traces);
  std::ifstream in(path, std::ios::binary);
  waved.dump = test::read_vcd({std::istreambuf_iterator<char>(in), {}});
  std::filesystem::remove(path);
  return waved;
}

std::uint64_t number(const std::string& digits) {
  return std::stoull(digits, nullptr, 2);
}

bool is_transfer(DramCommand c) {
  return c == DramCommand::read || c == DramCommand::read_auto || c == DramCommand::write ||
         c == DramCommand::write_auto;
}

// States of the banks of channel 0 in each cycle, painted command by command: what a command begins lasts to
// the end of the run, unless a later one paints over it. A cycle is a clock.
class Painted {
 public:
  Painted(const config::DramDevice& device, std::uint64_t end)
      : d_(device), states_(device.banks_of_channel(), std::vector<char>(end, 'c')) {}

  void command(const Event& e) {
    const std::uint64_t now = e.cycle.value, rank = e.pc / d_.banks_of_rank() * d_.banks_of_rank();
    switch (static_cast<DramCommand>(e.detail)) {
      case DramCommand::activate:
        activated_[e.pc] = now;
        return paint(e.pc, now, of("nRCD"), 'o', 'O');
      case DramCommand::precharge:
        return paint(e.pc, now, of("nRP"), 'p', 'c');
      case DramCommand::read_auto:
        return paint(e.pc, std::max(now + of("nRTP"), activated_[e.pc] + of("nRAS")), of("nRP"), 'p', 'c');
      case DramCommand::write_auto:
        return paint(e.pc, std::max(now + of("nCWL") + of("nBL") + of("nWR"), activated_[e.pc] + of("nRAS")),
                     of("nRP"), 'p', 'c');
      case DramCommand::precharge_all:
        for (std::uint64_t b = rank; b < rank + d_.banks_of_rank(); ++b) {
          if (states_[b].back() == 'O') paint(b, now, of("nRP"), 'p', 'c');
        }
        return;
      case DramCommand::refresh_all:
        for (std::uint64_t b = rank; b < rank + d_.banks_of_rank(); ++b) paint(b, now, of("nRFC"), 'r', 'c');
        return;
      default:
        REQUIRE(is_transfer(static_cast<DramCommand>(e.detail)));
    }
  }
  std::string at(std::uint64_t bank, std::uint64_t cycle) const {
    static const std::map<char, std::string> kNames = {
        {'c', "closed"}, {'o', "opening"}, {'O', "open"}, {'p', "closing"}, {'r', "refreshing"}};
    return kNames.at(states_[bank][cycle]);
  }

 private:
  std::uint64_t of(const char* name) const { return d_.clocks.at(name); }
  void paint(std::uint64_t bank, std::uint64_t from, std::uint64_t clocks, char during, char after) {
    std::vector<char>& s = states_[bank];
    for (std::uint64_t c = from; c < s.size(); ++c) s[c] = c < from + clocks ? during : after;
  }
  const config::DramDevice& d_;
  std::vector<std::vector<char>> states_;
  std::map<std::uint64_t, std::uint64_t> activated_;  // by bank
};

}  // namespace

TEST_CASE("commands and queues are told alike with either clock, in order of time, and change nothing") {
  const auto [preset, ghz, system] = GENERATE(table<std::string, double, Json>({
      {"ddr4-2400", 0.05, {{"channels", 2}}},
      {"ddr5-6400", 0.5, {{"refresh", "per-bank"}, {"postpone", 2}, {"page_policy", "adaptive"}}},
      {"hbm2-2000", 2.5, {{"channels", 4}, {"page_policy", "closed"}}},
      {"lpddr5-6400", 1.0, {{"channels", 2}, {"refresh", "per-bank"}, {"read_queue", 4}}},
  }));
  CAPTURE(preset);
  const config::Machine machine = machine_with(preset, ghz, system);
  const Looked alone = look(machine, machine::Clocking::gated, false);
  const Looked gated = look(machine, machine::Clocking::gated, true);
  const Looked edges = look(machine, machine::Clocking::every_edge, true);
  CHECK(alone.digest == gated.digest);
  CHECK(alone.digest == edges.digest);
  CHECK(alone.counted == gated.counted);
  REQUIRE(gated.events.size() > 1000);
  REQUIRE(gated.events.size() == edges.events.size());
  for (std::size_t i = 0; i < gated.events.size(); ++i) {
    CAPTURE(i);
    REQUIRE(equal(gated.events[i], edges.events[i]));
  }
  auto told = gated.counted;
  for (auto& channel : told) channel.fill(0);
  for (const Event& e : gated.events) {
    if (e.kind == EventKind::dram_command)
      ++told[static_cast<std::size_t>(e.unit) - observe::kFirstChannel][e.detail];
  }
  CHECK(told == gated.counted);
}

TEST_CASE("the waves show each bank's state and row in every cycle as the commands leave them") {
  const std::string pages = GENERATE("open", "closed");
  CAPTURE(pages);
  const config::Machine machine = machine_with("ddr4-2400", 0, {{"page_policy", pages}});
  const config::DramDevice& device = machine.dram.system->device;
  const Waved w = waves_of(machine);
  Painted painted(device, w.run.end.value);
  std::map<std::uint32_t, std::map<std::uint64_t, std::uint64_t>> rows;  // bank, cycle
  std::set<DramCommand> seen;
  for (const Event& e : w.run.events) {
    if (e.kind != EventKind::dram_command) continue;
    painted.command(e);
    seen.insert(static_cast<DramCommand>(e.detail));
    if (static_cast<DramCommand>(e.detail) == DramCommand::activate)
      rows[e.pc][e.cycle.value] = e.number & 0xffff'ffff;
  }
  CHECK(seen.count(DramCommand::refresh_all) == 1);
  CHECK(seen.count(DramCommand::read_auto) == (pages == "closed" ? 1 : 0));
  std::uint64_t open = 0;
  std::set<std::uint64_t> opened;
  for (std::uint32_t b = 0; b < device.banks_of_channel(); ++b) {
    const std::string scope = "dram.channel0.rank" + std::to_string(b / device.banks_of_rank()) + ".group" +
                              std::to_string(b / device.banks % device.bank_groups) + ".bank" +
                              std::to_string(b % device.banks);
    const test::VcdSignal &state = w.dump.signals.at(scope + ".state"),
                          &row = w.dump.signals.at(scope + ".row");
    for (std::uint64_t cycle = 1; cycle < w.run.end.value; ++cycle) {
      INFO(scope << " cycle " << cycle);
      REQUIRE(state.at(cycle) == painted.at(b, cycle));
      open += state.at(cycle) == "open";
    }
    for (const auto& [cycle, value] : rows[b]) {
      REQUIRE(number(row.at(cycle)) == value);
      opened.insert(value);
    }
  }
  CHECK(open > 1000);
  CHECK(opened.size() > 1);
}

TEST_CASE("the waves show the last command of a cycle and its place, none without one, and count them all") {
  // A cycle has one clock of the memory, or twelve, or a third of one and two command buses.
  const auto [preset, ghz] =
      GENERATE(table<std::string, double>({{"ddr4-2400", 0}, {"ddr4-2400", 0.1}, {"hbm2-2000", 3.0}}));
  CAPTURE(preset, ghz);
  const config::Machine machine = machine_with(preset, ghz, {{"channels", 2}});
  const Waved w = waves_of(machine);
  for (std::uint32_t c = 0; c < 2; ++c) {
    const std::string scope = name_of(observe::channel_id(c));
    const auto at = [&](const char* name, std::uint64_t cycle) {
      return w.dump.signals.at(scope + name).at(cycle);
    };
    std::map<std::uint64_t, const Event*> last;  // by cycle
    const Event* queues = nullptr;
    std::uint64_t commands = 0;
    for (const Event& e : w.run.events) {
      if (e.unit != observe::channel_id(c)) continue;
      if (e.kind == EventKind::dram_queues) {
        queues = &e;
        continue;
      }
      last[e.cycle.value] = &e;
      ++commands;
    }
    std::uint64_t with = 0;
    for (std::uint64_t cycle = 1; cycle < w.run.end.value; ++cycle) {
      INFO(scope << " cycle " << cycle);
      const auto found = last.find(cycle);
      if (found == last.end()) {
        REQUIRE(at(".command", cycle) == "none");
        continue;
      }
      ++with;
      const Event& e = *found->second;
      const auto command = static_cast<DramCommand>(e.detail);
      REQUIRE(at(".command", cycle) == config::name_of(command));
      REQUIRE(number(at(".bank", cycle)) == e.pc);
      if (!is_transfer(command)) continue;
      REQUIRE(number(at(".row", cycle)) == (e.number & 0xffff'ffff));
      REQUIRE(number(at(".column", cycle)) == e.number >> 32);
    }
    CHECK(with > 500);
    CHECK((with < commands) == (ghz != 0));
    CHECK(number(at(".commands", w.dump.last)) == commands);
    REQUIRE(queues != nullptr);
    CHECK(number(at(".read_queue", w.dump.last)) == (queues->number & 0xffff'ffff));
    CHECK(number(at(".write_queue", w.dump.last)) == queues->number >> 32);
    CHECK(number(at(".activated_queue", w.dump.last)) == queues->value);
    CHECK(w.dump.signals.at(scope + ".read_queue").changes.size() > 100);
  }
}

TEST_CASE("ideal memory has no commands, and its waves no such signals") {
  const config::Machine machine = test::machine("tiny");
  REQUIRE(!machine.dram.system);
  const Waved w = waves_of(machine);
  CHECK(w.run.events.empty());
  CHECK(w.dump.signals.count("dram.channel0.state") == 1);
  CHECK(w.dump.signals.count("dram.channel0.command") == 0);
  CHECK(w.dump.signals.count("dram.channel0.rank0.group0.bank0.state") == 0);
}
