// SPDX-License-Identifier: Apache-2.0
// Energy of whole runs: do parts and operators sum, are they counts times prices, does a technology change
// nothing else, and do the laws hold that every machine obeys?
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "host/result/machine_energy.h"
#include "support/trials.h"

namespace tokencycle {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::array<const char*, 3> kBounds = {"low", "typical", "high"};
constexpr std::array<const char*, 2> kPhases = {"prefill", "decode"};

// The result of a run for cycles alone.
Json run(const std::string& machine, std::string more) {
  if (more.find("-n ") == std::string::npos) more += " -n 3";
  const auto file = std::filesystem::temp_directory_path() /
                    ("tokencycle_energy_test." + std::to_string(::getpid()) + ".json");
  const std::string command = std::string(TOKENCYCLE_BINARY) + " run --timing-only --prompt-tokens 9 -q -c " +
                              machine + " --result " + file.string() + " " + more;
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
  std::ifstream in(file);
  const Json result = Json::parse(in);
  std::filesystem::remove(file);
  return result;
}

Json with_technology(const std::string& machine, const std::string& technology,
                     const std::string& more = "") {
  return run(machine, "--technology " + technology + " " + more);
}

std::uint64_t loaded(const Json& result) {
  std::uint64_t bytes = 0;
  for (const char* phase : kPhases) bytes += result["phases"][phase]["loaded_bytes"].get<std::uint64_t>();
  return bytes;
}

double part(const Json& result, const char* name) {
  return result["energy"]["machine"]["parts"][name]["typical"].get<double>();
}

}  // namespace

TEST_CASE("energies sum exactly: parts, operators and phases, each bound") {
  for (const char* machine : {"edge", "edge-os", "edge-ideal", "cloud", "tiny"}) {
    const Json result = with_technology(machine, "16nm");
    const Json& whole = result["energy"]["machine"];
    for (const char* bound : kBounds) {
      std::uint64_t parts = 0;
      std::map<std::string, std::uint64_t> sums;
      for (const auto& [name, value] : whole["parts"].items()) parts += value[bound].get<std::uint64_t>();
      CHECK(parts == whole["total"][bound]);
      for (const Json& op : result["operators"]) {
        for (const char* phase : kPhases) {
          std::uint64_t of_operator = 0;
          for (const auto& [name, value] : op[phase]["energy"]["parts"].items()) {
            of_operator += value[bound].get<std::uint64_t>();
            sums[name] += value[bound].get<std::uint64_t>();
          }
          CHECK(of_operator == op[phase]["energy"]["total"][bound]);
        }
      }
      for (const auto& [name, value] : whole["parts"].items()) CHECK(sums[name] == value[bound]);
    }
    if (result["energy"]["dram"].is_object()) {
      const Json& dram = result["energy"]["dram"];
      for (const char* bound : kBounds) {
        const double wanted = dram["total_pj"].get<double>() * dram["range"][bound].get<double>();
        // Each phase is rounded once.
        CHECK(whole["parts"]["dram"][bound].get<double>() == Approx(wanted).margin(1.1));
      }
    } else {
      CHECK(part(result, "dram") == 0);
    }
    CHECK(whole["total"]["low"] < whole["total"]["typical"]);
    CHECK(whole["total"]["typical"] < whole["total"]["high"]);
  }
}

TEST_CASE("energies by cause sum exactly, and waits take no more than time alone takes") {
  for (const char* machine : {"edge", "edge-ideal", "cloud", "gemmini"}) {
    const Json result = with_technology(machine, "16nm");
    const Json& whole = result["energy"]["machine"];
    for (const char* bound : kBounds) {
      std::uint64_t all = 0;
      std::map<std::string, std::uint64_t> sums;
      for (const auto& [cause, value] : whole["causes"].items()) all += value[bound].get<std::uint64_t>();
      CHECK(all == whole["total"][bound]);
      for (const Json& op : result["operators"]) {
        for (const char* phase : kPhases) {
          std::uint64_t of_operator = 0;
          for (const auto& [cause, value] : op[phase]["energy"]["causes"].items()) {
            of_operator += value[bound].get<std::uint64_t>();
            sums[cause] += value[bound].get<std::uint64_t>();
          }
          CHECK(of_operator == op[phase]["energy"]["total"][bound]);
        }
      }
      for (const auto& [cause, value] : whole["causes"].items()) CHECK(sums[cause] == value[bound]);
    }
    // In preload nothing but time passes: leakage, and the standby of DRAM with its open banks.
    const auto typical = [&](const Json& of) { return of["typical"].get<double>(); };
    double share = typical(whole["parts"]["leakage"]);
    if (const Json& dram = result["energy"]["dram"]; dram.is_object()) {
      const double of_time = dram["standby_pj"].get<double>() + dram["open_bank_pj"].get<double>();
      share += of_time * dram["range"]["typical"].get<double>();
    }
    // Which operator has the standby follows its bytes, so that no single share of the cycles is wanted here.
    if (result["stack"]["preload"] != 0) {
      CHECK(typical(whole["causes"]["preload"]) > 0);
      CHECK(typical(whole["causes"]["preload"]) < share);
    }
  }
}

TEST_CASE("an operator's energy is its counts times the prices of its events") {
  config::Prices p;
  p.product = {{{1, 2, 3}, {0, 0, 1}, {4, 5, 6}, {0, 0, 1}, {0, 0, 1}}};
  p.lane[static_cast<std::size_t>(isa::LaneFunction::exp)] = {10, 20, 30};
  p.scratchpad_byte = {1, 1.5, 2};
  p.wire_byte = {0.25, 0.5, 1};
  p.sum = {7, 8, 9};
  p.instruction = {100, 200, 300};
  p.interface_byte = {2, 4, 8};
  p.leakage_cycle = {0.5, 1, 50};
  observe::OperatorUse use;
  use.cycles = 1001;
  use.instructions = 3;
  use.work.products = {10, 0, 20, 0, 0};
  use.work.sums = 5;
  use.work.lane_elements[static_cast<std::size_t>(isa::LaneFunction::exp)] = 6;
  use.work.scratchpad_bytes = 7;
  use.work.loaded_bytes = 64;
  use.work.stored_bytes = 32;
  const host::EnergyStack stack = host::energy_of(use, p);
  const auto of = [&stack](host::EnergyPart part) { return stack[static_cast<std::size_t>(part)]; };
  using Part = host::EnergyPart;
  CHECK(of(Part::matrix) == host::Picojoules{10 * 1 + 20 * 4, 10 * 2 + 20 * 5, 10 * 3 + 20 * 6});
  CHECK(of(Part::accumulator) == host::Picojoules{35, 40, 45});
  CHECK(of(Part::scratchpad) == host::Picojoules{7, 11, 14});  // 10.5 rounds away from 0
  CHECK(of(Part::wires) == host::Picojoules{2, 4, 7});
  CHECK(of(Part::vector) == host::Picojoules{60, 120, 180});
  CHECK(of(Part::control) == host::Picojoules{300, 600, 900});
  const std::uint64_t bytes = 64 + 32 + 3 * 32;
  CHECK(of(Part::dram_interface) == host::Picojoules{2 * bytes, 4 * bytes, 8 * bytes});
  CHECK(of(Part::leakage) == host::Picojoules{501, 1001, 50050});
  CHECK(of(Part::dram) == host::Picojoules{});
}

TEST_CASE("a technology adds to a result and changes nothing in it") {
  Json with = with_technology("edge", "7nm");
  const Json without = run("edge", "");
  CHECK(with["technology"]["node_nm"] == 7);
  CHECK(with["technology"]["sources"].size() > 10);
  with.erase("technology");
  with.erase("area");
  with["energy"].erase("machine");
  for (Json& op : with["operators"]) {
    for (const char* phase : kPhases) op[phase].erase("energy");
  }
  Json expected = without;
  for (Json* json : {&with, &expected}) json->erase("host");
  CHECK(with == expected);
}

TEST_CASE("a machine may name its technology, and one that is not there or wrong is refused") {
  const Json by_key = run("edge", "--set /technology=7nm"), by_option = with_technology("edge", "7nm");
  CHECK(by_key["technology"] == by_option["technology"]);
  CHECK(by_key["energy"] == by_option["energy"]);
  CHECK(with_technology("edge", "28nm", "--set /technology=7nm")["technology"]["name"] == "28nm");
  const auto code = [](const std::string& name) {
    const int status =
        std::system((std::string(TOKENCYCLE_BINARY) + " run --timing-only -n 1 -q -c tiny --technology " +
                     name + " 2> /dev/null")
                        .c_str());
    return WEXITSTATUS(status);
  };
  CHECK(code("8nm") == 7);
  CHECK(code(TOKENCYCLE_SOURCE_DIR "/configs/edge.json") == 3);
  CHECK(code("5nm") == 0);
}

TEST_CASE("both clockings take the same energy") {
  const Json gated = with_technology("tiny", "28nm"),
             every = with_technology("tiny", "28nm", "--clock every-edge");
  CHECK(gated["energy"] == every["energy"]);
}

// Bursts that come earlier may meet the array's reads in a bank, so a sum of waits can grow a little: 0.5 %
// is the most that was seen (twice the bandwidth).
TEST_CASE("more of a resource never costs one percent of the cycles where memory is ideal") {
  const double before = run("edge-ideal", "")["cycles"];
  std::uint32_t combination = 0;
  for (const char* more :
       {"/dram/channel_gb_per_s=38.4", "/dram/channels=4", "/dram/latency_ns=30",
        "/dram/requests_in_flight=256", "/scratchpad/capacity_kib=1024", "/accumulator/capacity_kib=256",
        "/vector/lanes=64", "/dma/load_bursts_in_flight=128", "/scoreboard/entries=64",
        "/dispatch/queue_depth=16", "/writeback/ports=4", "/fetch/buffer_words=128"}) {
    if (!test::is_tried(combination++)) continue;
    INFO(more);
    CHECK(run("edge-ideal", std::string("--set ") + more)["cycles"].get<double>() <= 1.01 * before);
  }
}

TEST_CASE("a smaller memory never loads less, and energy grows with bytes, size and time") {
  std::uint64_t smaller = ~std::uint64_t{0};
  double byte_energy = 0, leakage = 0;
  for (const char* kib : {"128", "256", "512", "1024"}) {
    INFO(kib);
    const Json result = with_technology("edge", "28nm", std::string("--set /scratchpad/capacity_kib=") + kib);
    CHECK(loaded(result) <= smaller);
    smaller = loaded(result);
    double bytes = 0;
    for (const Json& op : result["operators"]) {
      for (const char* phase : kPhases) bytes += op[phase]["scratchpad_bytes"].get<double>();
    }
    CHECK(part(result, "scratchpad") / bytes > byte_energy);
    byte_energy = part(result, "scratchpad") / bytes;
    const double a_cycle = part(result, "leakage") / result["cycles"].get<double>();
    CHECK(a_cycle > leakage);
    leakage = a_cycle;
  }
  const Json few = with_technology("edge", "28nm"), many = with_technology("edge", "28nm", "-n 6");
  for (const auto& [name, value] : few["energy"]["machine"]["parts"].items())
    CHECK(value["typical"] < many["energy"]["machine"]["parts"][name]["typical"]);
}

// Who compares today's energies with last month's must know of a change: it goes with an entry of the
// changelog.
TEST_CASE("the energies and areas of a version are recorded") {
  std::ifstream in(TOKENCYCLE_SOURCE_DIR "/tests/golden/energy.json");
  const Json recorded = Json::parse(in);
  Json now = Json::object();
  for (const auto& [name, value] : recorded.items()) {
    const std::size_t at = name.find(" at ");
    const Json result = with_technology(name.substr(0, at), name.substr(at + 4));
    now[name] = {{"area_um2", result["area"]["total"]}, {"energy_pj", result["energy"]["machine"]["total"]}};
    INFO(now[name].dump());
    for (const char* bound : kBounds) {
      CHECK(value["area_um2"][bound].get<double>() ==
            Approx(now[name]["area_um2"][bound].get<double>()).epsilon(1e-9));
      CHECK(value["energy_pj"][bound] == now[name]["energy_pj"][bound]);
    }
  }
  CHECK(recorded.size() >= 4);
}

}  // namespace tokencycle
