// SPDX-License-Identifier: Apache-2.0
// Technologies: are the figures those of their sources, do they scale as published, and is what is wrong
// named?
#include "config/technology/technology.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/technology/area.h"
#include "config/technology/prices.h"
#include "config/technology/scaling.h"
#include "support/configs.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

fs::path folder() {
  return fs::path(TOKENCYCLE_SOURCE_DIR) / "configs" / "technology";
}

Technology node(const std::string& name) {
  return read_technology(folder() / (name + ".json"), folder());
}

Json figures_file() {
  std::ifstream in(folder() / "45nm.json");
  return Json::parse(in);
}

// The message for a file with these contents.
std::string refusal(const Json& tree) {
  const fs::path file = fs::temp_directory_path() / "tokencycle_technology_test.json";
  std::ofstream(file) << tree.dump();
  try {
    read_technology(file, folder());
  } catch (const ConfigurationError& error) {
    return error.what();
  }
  return "";
}

Machine machine(const std::string& name) {
  return read_machine(fs::path(TOKENCYCLE_SOURCE_DIR) / "configs" / (name + ".json"));
}

double table_energy(const char* process, double node_nm, double voltage) {
  const Json file = figures_file();
  std::vector<NodeRow> rows;
  for (const Json& n : file["scaling"]["nodes"])
    rows.push_back({n["node_nm"], n["energy"][process], n["area"]});
  return NodeTable(rows).energy(node_nm, voltage);
}

bool grows(const Range& a, const Range& b) {
  return a.low < b.low && a.typical < b.typical && a.high < b.high;
}

}  // namespace

TEST_CASE("the equations of Stillmaker and Baas give their corrected example") {
  // Corrigendum to section 4.2.1: from 65 nm at 1.3 V to 32 nm at 0.9 V, 0.4571 / 2.604 of 1 pJ.
  CHECK(table_energy("high-performance", 32, 0.9) == Approx(0.4571).epsilon(1e-4));
  CHECK(table_energy("high-performance", 65, 1.3) == Approx(2.604).epsilon(1e-3));
  // The corrigendum divides the rounded factors.
  const double to = std::round(1e4 * table_energy("high-performance", 32, 0.9)) / 1e4;
  const double from = std::round(1e3 * table_energy("high-performance", 65, 1.3)) / 1e3;
  CHECK(std::round(1e4 * to / from) == 1755);
  CHECK(table_energy("high-performance", 32, 0.9) / table_energy("high-performance", 65, 1.3) ==
        Approx(0.1755).margin(1e-4));
}

TEST_CASE("figures at their own node and voltage are those of the file") {
  const Technology t = node("45nm");
  const Json file = figures_file();
  for (const QuantityRow& row : quantities()) {
    for (const Json& f : file["figures"][std::string(row.name)]) {
      if (f["node_nm"] != 45 || f["voltage_v"] != 0.9) continue;
      INFO(row.name);
      CHECK(t[row.quantity].low == f["low"].get<double>());
      CHECK(t[row.quantity].typical == f["typical"].get<double>());
      CHECK(t[row.quantity].high == f["high"].get<double>());
    }
  }
  // Horowitz, ISSCC 2014, and Jouppi et al., ISCA 2021.
  CHECK(t[Quantity::multiply_int8_pj].typical == 0.2);
  CHECK(t[Quantity::multiply_fp32_pj].typical == 3.7);
  CHECK(t[Quantity::multiply_fp32_um2].typical == 7700);
  CHECK(t[Quantity::sram_1024_kib_pj].typical == 100);
  const Technology seven = node("7nm");
  CHECK(seven[Quantity::multiply_bf16_pj].typical == 0.21);
  CHECK(seven[Quantity::add_fp32_pj].typical == 0.38);
  CHECK(seven[Quantity::sram_8_kib_pj].typical == 7.5);
  CHECK(seven[Quantity::sram_cell_um2].typical == 0.027);
}

TEST_CASE("every technology of configs has ranges, sources, and less energy and area than the node before") {
  std::vector<Technology> all;
  for (const char* name : {"65nm", "45nm", "28nm", "16nm", "7nm", "5nm"}) all.push_back(node(name));
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder())) files += entry.path().extension() == ".json";
  CHECK(files == all.size());
  for (const Technology& t : all) {
    CHECK(t.sources.size() > 10);
    for (const QuantityRow& row : quantities()) {
      INFO(t.name << ' ' << row.name);
      CHECK(t[row.quantity].low > 0);
      CHECK(t[row.quantity].low <= t[row.quantity].typical);
      CHECK(t[row.quantity].typical <= t[row.quantity].high);
      CHECK(t[row.quantity].low < t[row.quantity].high);
    }
  }
  for (std::size_t i = 1; i < all.size(); ++i) {
    for (const QuantityRow& row : quantities()) {
      if (row.scaling != Scaling::energy && row.scaling != Scaling::area) continue;
      INFO(all[i].name << ' ' << row.name);
      // SRAM has hardly gained from 45 to 7 nm (Jouppi et al.: 10 to 7.5 pJ), less than 0.05 V take back.
      CHECK(all[i][row.quantity].typical < 1.03 * all[i - 1][row.quantity].typical);
    }
  }
}

TEST_CASE("what is wrong with a technology is named with its place, value and remedy") {
  const Json base = {{"schema", "tokencycle-technology-1"},
                     {"base", "45nm"},
                     {"name", "x"},
                     {"description", "x"},
                     {"node_nm", 28},
                     {"voltage_v", 0.9}};
  CHECK(refusal(base) == "");
  const auto with = [&base](const char* pointer, const Json& value) {
    Json tree = base;
    tree[Json::json_pointer(pointer)] = value;
    return refusal(tree);
  };
  using Catch::Contains;
  CHECK_THAT(with("/base", "44nm"), Contains("/base") && Contains("44nm") && Contains("45nm"));
  CHECK_THAT(with("/node_nm", 1), Contains("/node_nm: 1 is not allowed; allowed: a number 3 .. 250 nm"));
  CHECK_THAT(with("/node_nm", 4), Contains("/node_nm: 4 is not allowed; allowed: 5 .. 180 nm"));
  CHECK_THAT(with("/voltage", 1), Contains("/voltage: unknown key") && Contains("voltage_v"));
  CHECK_THAT(with("/figures/multiply_int9_pj", Json::array()),
             Contains("multiply_int9_pj: unknown key") && Contains("multiply_int8_pj"));
  CHECK_THAT(with("/figures/multiply_int8_pj", nullptr), Contains("/figures/multiply_int8_pj: missing"));
  const Json point = {{"node_nm", 28},  {"voltage_v", 0.9}, {"low", 0.1},
                      {"typical", 0.1}, {"high", 0.1},      {"sources", {"horowitz2014"}},
                      {"range", "none"}};
  CHECK_THAT(with("/figures/multiply_int8_pj", Json::array({point})), Contains("is no range"));
  Json unsourced = point;
  unsourced["high"] = 0.2;
  unsourced["sources"] = {"horowits2014"};
  CHECK_THAT(with("/figures/multiply_int8_pj", Json::array({unsourced})),
             Contains("none of /sources") && Contains("horowitz2014"));
  unsourced["sources"] = Json::array();
  CHECK_THAT(with("/figures/multiply_int8_pj", Json::array({unsourced})), Contains("/sources"));
}

TEST_CASE("the area of a machine is the sum of its parts, by hand from the figures") {
  const Technology t = node("45nm");
  const Machine edge =
      machine("edge");  // 32 x 32, int8 in 1 cycle, fp16 and bf16 in 2, fp32 in 4; double-buffered
  REQUIRE(edge.matrix.cycles_per_row == std::array<std::uint32_t, kMultiplyTypes>{1, 1, 2, 2, 4});
  const ChipArea area = chip_area(edge, t);
  const double register_um2 = t[Quantity::register_bit_um2].typical;
  // The largest circuit: fp32 in a quarter, (7700 + 4184) / 4 = 2971 um2, before fp16, (1640 + 4184) / 2 =
  // 2912.
  const double cell = 2971 + register_um2 * (3 * 8 + 32);
  CHECK(area[Block::matrix].typical == Approx(1024 * cell + 32 * (7700 + 4184)));
  const double cell_um2 = t[Quantity::sram_cell_um2].typical / 0.70;
  CHECK(area[Block::scratchpad].typical == Approx(512 * 8192 * cell_um2));
  CHECK(area[Block::accumulator].typical == Approx(8.0 * edge.accumulator.capacity_bytes * cell_um2 * 2.0));
  CHECK(area[Block::dram_interface].typical == Approx(2 * 64 * 6600.0));  // two channels of 64 pins
  double sum = 0;
  for (const Range& block : area.um2) sum += block.typical;
  CHECK(area.total_um2().typical == Approx(sum));
}

TEST_CASE("prices are the sums of the figures that an event takes") {
  const Technology t = node("45nm");
  const Machine edge = machine("edge");
  const Prices p = prices(edge, t);
  const double bit = t[Quantity::register_bit_pj].typical;
  CHECK(p.product[static_cast<std::size_t>(MultiplyType::int8)].typical ==
        Approx(0.2 + 0.1 + bit * (8 + 32)));
  CHECK(p.product[static_cast<std::size_t>(MultiplyType::fp16)].typical ==
        Approx(1.1 + 0.9 + bit * (16 + 32)));
  CHECK(p.instruction.typical == 70);
  CHECK(p.interface_byte.typical == Approx(8 * 0.5));
  // 512 KiB in its banks, words of bank_bytes.
  const double kib = 512.0 / edge.scratchpad.banks;
  const double access = kib <= 32 ? 10 * std::pow(20 / 10.0, std::log(kib / 8) / std::log(4))
                                  : 20 * std::pow(100 / 20.0, std::log(kib / 32) / std::log(32));
  const double wider = std::pow(8.0 * edge.scratchpad.bank_bytes / 64, 0.72);
  CHECK(p.scratchpad_byte.typical == Approx(access * wider / edge.scratchpad.bank_bytes));
  for (const Range& r : p.product) CHECK((r.low < r.typical && r.typical < r.high));
}

TEST_CASE("area, and energies that go with it, grow with a machine's size") {
  const Technology t = node("16nm");
  const Machine edge = machine("edge");
  const auto larger = [&](const auto& change) {
    Machine m = edge;
    change(m);
    return chip_area(m, t).total_um2();
  };
  const Range before = chip_area(edge, t).total_um2();
  CHECK(grows(before, larger([](Machine& m) { m.matrix.rows *= 2; })));
  CHECK(grows(before, larger([](Machine& m) { m.matrix.columns *= 2; })));
  CHECK(grows(before, larger([](Machine& m) { m.scratchpad.capacity_bytes *= 2; })));
  CHECK(grows(before, larger([](Machine& m) { m.scratchpad.separate_write_port = true; })));
  CHECK(grows(before, larger([](Machine& m) { m.accumulator.capacity_bytes *= 2; })));
  CHECK(grows(before, larger([](Machine& m) { m.vector.lanes *= 2; })));
  CHECK(grows(before, larger([](Machine& m) { m.scoreboard.entries *= 2; })));
  CHECK(grows(before, larger([](Machine& m) { m.dma.load_bursts_in_flight *= 2; })));
  CHECK(grows(before, larger([](Machine& m) { m.dram.channels *= 2; })));
  CHECK(grows(before, larger([](Machine& m) { m.cores *= 2; })));
  for (double kib = 1; kib < 1e5; kib *= 2) {
    INFO(kib);
    CHECK(grows(sram_access_pj(t, kib, 256, false), sram_access_pj(t, 2 * kib, 256, false)));
    CHECK(grows(sram_access_pj(t, kib, 256, false), sram_access_pj(t, kib, 512, false)));
    CHECK(grows(sram_access_pj(t, kib, 256, false), sram_access_pj(t, kib, 256, true)));
    CHECK(grows(sram_um2(t, 8192 * kib, false), sram_um2(t, 16384 * kib, false)));
  }
  Machine wide = edge;
  wide.scratchpad.capacity_bytes *= 4;
  CHECK(grows(prices(edge, t).scratchpad_byte, prices(wide, t).scratchpad_byte));
  CHECK(grows(prices(edge, t).wire_byte, prices(wide, t).wire_byte));
  CHECK(grows(prices(edge, t).leakage_cycle, prices(wide, t).leakage_cycle));
}

}  // namespace tokencycle::config
