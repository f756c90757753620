// SPDX-License-Identifier: Apache-2.0
// What does `tokencycle dram` print and write, and what does it refuse?
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <sstream>

#include "command_line.h"
#include "memory/dram/replay.h"
#include "memory/dram/trace.h"

using namespace tokencycle;
using Catch::Contains;
using nlohmann::json;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

using Arguments = std::vector<std::string>;

const std::filesystem::path kRoot = TOKENCYCLE_SOURCE_DIR;
const std::string kSample = (kRoot / "traces/dram/sample.trace").string();

Outcome dram(Arguments arguments) {
  arguments.insert(arguments.begin(), "dram");
  return launch(arguments);
}

json json_of(Arguments arguments) {
  arguments.emplace_back("--json");
  const Outcome o = dram(arguments);
  CAPTURE(arguments, o.err);
  REQUIRE(o.exit_code == 0);
  CHECK(o.err.empty());
  return json::parse(o.out);
}

void check_refused(const Arguments& arguments, int code, const std::vector<std::string>& parts) {
  const Outcome o = dram(arguments);
  CAPTURE(arguments, o.err);
  CHECK(o.exit_code == code);
  CHECK(o.out.empty());
  CHECK_THAT(o.err, Catch::StartsWith("tokencycle: "));
  CHECK(std::count(o.err.begin(), o.err.end(), '\n') == 1);
  for (const std::string& part : parts) CHECK_THAT(o.err, Contains(part));
}

// Two channels of DDR4 in a file of its own.
std::string two_channels(const Scratch& scratch) {
  return scratch.file("two.json",
                      R"({"schema": "tokencycle-dram-system-1", "name": "two", "preset": "ddr4-3200",
                          "channels": 2, "page_policy": "closed"})");
}

// The commands that a listener of the library hears, as the CSV should have them.
class Lines : public memory::DramCommandSink {
 public:
  explicit Lines(const config::DramDevice& device) : device_(device) {}
  void commanded(std::uint32_t channel, const memory::DramCommandRecord& r) override {
    using config::DramCommand;
    const auto is = [&](auto... commands) { return ((r.command == commands) || ...); };
    std::ostringstream line;
    line << r.clock << ',' << config::name_of(r.command) << ',' << channel << ','
         << r.bank / device_.banks_of_rank() << ',';
    if (!is(DramCommand::precharge_all, DramCommand::refresh_all)) {
      line << r.bank / device_.banks % device_.bank_groups << ',' << r.bank % device_.banks;
    } else {
      line << ',';
    }
    const bool transfer =
        is(DramCommand::read, DramCommand::read_auto, DramCommand::write, DramCommand::write_auto);
    line << ',';
    if (transfer || is(DramCommand::activate, DramCommand::activate_first)) line << r.row;
    line << ',';
    if (transfer) line << r.column;
    text += line.str() + "\n";
  }
  std::string text = "clock,command,channel,rank,bank_group,bank,row,column\n";

 private:
  const config::DramDevice& device_;
};

std::string unpacked(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string text;
  char part[4096];
  for (int n = 0; (n = gzread(file, part, sizeof part)) > 0;) text.append(part, static_cast<std::size_t>(n));
  CHECK(gzclose(file) == Z_OK);
  return text;
}

std::uint64_t sum_of(const json& object) {
  std::uint64_t sum = 0;
  for (const auto& [name, value] : object.items()) sum += value.get<std::uint64_t>();
  return sum;
}

}  // namespace

TEST_CASE("dram prints tables that fit 110 columns, with units") {
  const Scratch scratch;
  for (const std::string& memory :
       {std::string("ddr4-3200"), std::string("hbm2-2000"), two_channels(scratch)}) {
    const Outcome o = dram({"-c", memory, kSample});
    CAPTURE(memory, o.out);
    REQUIRE(o.exit_code == 0);
    CHECK(o.err.empty());
    std::istringstream lines(o.out);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      // The trace's own path may be of any length.
      if (!line.starts_with("trace ")) CHECK(line.size() <= 110);
      CHECK_FALSE(line.ends_with(' '));
    }
    CHECK(count < 100);
    CHECK_THAT(o.out, Contains("2,048 requests of 64 bytes, 1,664 reads and 384 writes") &&
                          Contains(" GB/s peak") && Contains("p99.9") && Contains("row conflicts") &&
                          Contains("pJ/bit") && Contains("no request") && Contains("requests per second"));
  }
  CHECK_THAT(dram({"-c", "hbm3-6400", kSample}).out, Contains("none of hbm3-6400: no measured HBM3 energy"));
}

TEST_CASE("of many channels the first are shown, and JSON has all") {
  const Scratch scratch;
  const std::string system =
      scratch.file("wide.json", R"({"schema": "tokencycle-dram-system-1", "name": "wide",
    "preset": "ddr4-3200", "channels": 32})");
  const std::string trace = scratch.file("one.trace", "R 0\n");
  CHECK_THAT(launch({"dram", "-c", system, trace}).out, Contains("  and 16 more; --json has all\n"));
  CHECK(json::parse(launch({"dram", "-c", system, trace, "--json"}).out)["channels"].size() == 32);
}

TEST_CASE("the help of dram fits a screen and its example works") {
  const Outcome help = dram({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(std::count(help.out.begin(), help.out.end(), '\n') <= 24);
  CHECK_THAT(help.out, Contains("example:\n  tokencycle dram -c ddr4-3200 traces/dram/sample.trace"));
}

TEST_CASE("the JSON of dram adds up") {
  const Scratch scratch;
  const json r = json_of({"-c", two_channels(scratch), kSample});
  CHECK(r["schema"] == "tokencycle-dram-replay-2");
  CHECK(r["memory"]["name"] == "two");
  CHECK(r["memory"]["preset"] == "ddr4-3200");
  CHECK(r["memory"]["page_policy"] == "closed");
  CHECK(r["requests"] == 2048);
  CHECK(r["requested_bytes"] == 2048 * 64);
  CHECK(r["useful_bytes"] == 2048 * 64);
  CHECK(r["moved_bytes"] == (2048 - r["forwarded"].get<int>() - r["coalesced"].get<int>()) * 64);
  CHECK(r["latency_clocks"]["read"]["requests"] == 1664);
  CHECK(r["latency_clocks"]["write"]["requests"] == 384);
  CHECK(r["ns"].get<double>() == Approx(r["clocks"].get<double>() * 0.625));
  CHECK(r["gb_per_s"].get<double>() == Approx(r["moved_bytes"].get<double>() / r["ns"].get<double>()));
  CHECK(r["peak_gb_per_s"].get<double>() == Approx(51.2));
  CHECK(r["peak_percent"].get<double>() == Approx(100 * r["gb_per_s"].get<double>() / 51.2));
  for (const char* const kind : {"read", "write"}) {
    const json& clocks = r["latency_clocks"][kind];
    const json& ns = r["latency_ns"][kind];
    const char* const order[] = {"min", "p50", "p90", "p99", "p99_9", "max"};
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK(ns[order[i]].get<double>() == Approx(clocks[order[i]].get<double>() * 0.625));
      if (i != 0) CHECK(clocks[order[i]] >= clocks[order[i - 1]]);
    }
  }
  REQUIRE(r["channels"].size() == 2);
  std::uint64_t reads = 0, hits = 0;
  double energy = 0;
  for (const json& c : r["channels"]) {
    CHECK(c["bus"]["busy_clocks"].get<std::uint64_t>() + sum_of(c["bus"]["idle_clocks"]) == r["clocks"]);
    CHECK(c["bus"]["idle_clocks"].size() == 6);
    CHECK(c["banks"].size() == 16);
    std::uint64_t of_banks = 0;
    for (const json& bank : c["banks"]) of_banks += bank["read_bursts"].get<std::uint64_t>();
    CHECK(of_banks == c["read_bursts"]);
    reads += of_banks;
    hits += c["row_hits"].get<std::uint64_t>();
    energy += c["energy"]["total_pj"].get<double>();
  }
  CHECK(reads == 1664);
  CHECK(r["row_hits"] == hits);
  CHECK(r["commands"]["RDA"].get<int>() > 0);
  const json& e = r["energy"];
  CHECK(e["total_pj"].get<double>() == Approx(energy));
  const json& given = r["commands"];
  const int moved =
      given["RD"].get<int>() + given["RDA"].get<int>() + given["WR"].get<int>() + given["WRA"].get<int>();
  CHECK(e["pj_per_bit"].get<double>() == Approx(energy / (512.0 * moved)));
  CHECK(e["average_mw"].get<double>() == Approx(energy / r["ns"].get<double>()));
  double parts = 0;
  for (const char* const part :
       {"activate_pj", "read_pj", "write_pj", "refresh_pj", "standby_pj", "open_bank_pj"}) {
    parts += e[part].get<double>();
  }
  CHECK(e["total_pj"].get<double>() == Approx(parts));

  const std::string reads_only = scratch.file("reads.trace", "R 0\nR 64\n");
  const json none = json_of({"-c", "hbm3-6400", reads_only});
  CHECK(none["energy"].is_null());
  CHECK(none["latency_clocks"]["write"]["requests"] == 0);
  CHECK(none["latency_clocks"]["write"]["p99"].is_null());
  CHECK(none["latency_ns"]["write"]["average"].is_null());
}

TEST_CASE("--commands writes what the library's listener hears, plain and gzipped, and changes nothing") {
  const Scratch scratch;
  for (const std::string& memory : {std::string("lpddr5-6400"), two_channels(scratch)}) {
    const auto system =
        config::read_dram_system(memory.ends_with(".json") ? std::filesystem::path(memory)
                                                           : kRoot / "configs/dram" / (memory + ".json"),
                                 kRoot / "configs/dram");
    memory::DramTraceReader source(kSample, {system.channels * system.device.channel_bytes()});
    Lines lines(system.device);
    memory::replay(system, source, {}, &lines);
    CAPTURE(memory);
    json told = json_of({"-c", memory, kSample, "--commands", scratch / "c.csv"});
    CHECK((test::contents_of(scratch / "c.csv") == lines.text));
    json packed = json_of({"-c", memory, kSample, "--commands", scratch / "c.csv.gz"});
    CHECK(test::contents_of(scratch / "c.csv.gz").substr(0, 2) == "\x1f\x8b");
    CHECK((unpacked(scratch / "c.csv.gz") == lines.text));
    json untold = json_of({"-c", memory, kSample});
    for (json* r : {&told, &packed, &untold}) r->erase("host");
    CHECK(told == untold);
    CHECK(packed == untold);
  }
}

TEST_CASE("a trace that turns out wrong leaves no file of commands, and an old one as it was") {
  const Scratch scratch, out;
  const std::string bad = scratch.file("bad.trace", test::contents_of(kSample) + "R 64 x\n");
  check_refused({"-c", "ddr4-3200", bad, "--commands", out / "c.csv"}, 5,
                {"bad.trace:2050: \"R 64 x\"", "whole number"});
  CHECK(out.empty());
  const std::string old = out.file("c.csv", "old");
  CHECK(dram({"-c", "ddr4-3200", bad, "--commands", old}).exit_code == 5);
  CHECK(test::contents_of(old) == "old");
  check_refused({"-c", "ddr4-3200", kSample, "--commands", out / "no/c.csv"}, 7,
                {"no/c.csv", "cannot be created"});
  check_refused({"-c", "ddr4-3200", kSample, "--commands", scratch / ""}, 7, {"it is a folder"});
}

TEST_CASE("traces that cannot be read, or say nothing, are refused") {
  const Scratch scratch;
  check_refused({"-c", "ddr4-3200", scratch / "missing.trace"}, 7,
                {"missing.trace: cannot be read: No such"});
  check_refused({"-c", "ddr4-3200", scratch.file("empty.trace", "")}, 5, {"empty.trace: no requests"});
  // Standard input is empty here.
  check_refused({"-c", "ddr4-3200", "-"}, 5, {"standard input: no requests"});
  check_refused({"-c", "ddr4-3200"}, 5, {"standard input: no requests"});
  check_refused({"-c", "gddr6-16000", scratch.file("far.trace", "R 0\nR 0x20000000\n")}, 5,
                {"far.trace:2:", "beyond the memory", "0x1fffffff (512.0 MiB)"});
}

TEST_CASE("what is no memory is refused by name") {
  const Scratch scratch;
  check_refused({kSample}, 2, {"--config is missing"});
  check_refused({"-c", "edge", kSample}, 3, {"edge: that is a machine", "ddr4-3200", "hbm3-6400"});
  check_refused({"-c", (kRoot / "configs/edge.json").string(), kSample}, 3,
                {"edge.json: that is a machine's description", "configs/dram/README.md"});
  check_refused({"-c", "ddr9", kSample}, 7, {"ddr9: there is no such file", "ddr5-6400"});
  check_refused({"-c", scratch / "x.json", kSample}, 7, {"x.json"});
  check_refused({"-c", scratch.file("y.json", R"({"schema": "z"})"), kSample}, 3,
                {"/schema", "tokencycle-dram-system-1"});
  check_refused({"-c", scratch.file("list.json", "[1]"), kSample}, 3, {"/schema"});
  check_refused({"-c", "ddr4-3200", kSample, "--request-bytes", "32"}, 2,
                {"--request-bytes is 32", "power of two, 64 (a burst of ddr4-3200)"});
  check_refused({"-c", "ddr4-3200", kSample, "--request-bytes", "-1"}, 2, {"--request-bytes is -1"});
  check_refused({"-c", "ddr4-3200", kSample, kSample}, 2, {"too many positional"});
}

TEST_CASE("larger requests move more bytes in as many requests") {
  const Scratch scratch;
  const std::string trace = scratch.file("t", "R 0\nW 4096\nR 8192\n");
  const json small = json_of({"-c", "lpddr5-6400", trace, "--request-bytes", "32"}),
             large = json_of({"-c", "lpddr5-6400", trace, "--request-bytes", "4096"});
  CHECK(small["read_bursts"] == 2);
  CHECK(large["read_bursts"] == 256);
  CHECK(large["requested_bytes"] == 3 * 4096);
  CHECK(large["requests"] == 3);
}

TEST_CASE("reads at a stride are those of a trace that lists them") {
  const Scratch scratch;
  std::string lines;
  for (int i = 0; i < 500; ++i) lines += fmt::format("R 0x{:x}\n", i * 4096);
  const auto clocks = [](const test::Outcome& o) {
    REQUIRE(o.exit_code == 0);
    return nlohmann::json::parse(o.out)["clocks"].get<std::uint64_t>();
  };
  CHECK(clocks(launch({"dram", "-c", "lpddr5-6400", "--stride", "4096", "--requests", "500", "--json"})) ==
        clocks(launch({"dram", "-c", "lpddr5-6400", scratch.file("t.trace", lines), "--json"})));
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--stride", "63"},
                                             {"--stride", "64", "--requests", "0"},
                                             {"--requests", "4"},
                                             {"--stride", "64", "--requests", "99999999999"},
                                             {"--stride", "64", "t.trace"}}) {
    std::vector<std::string> words = {"dram", "-c", "lpddr5-6400"};
    words.insert(words.end(), wrong.begin(), wrong.end());
    CHECK(launch(words).exit_code == 2);
  }
}

TEST_CASE("no rate passes the peak: small stores are joined in the queue and cross the bus once") {
  const Scratch scratch;
  std::string stores, sized;
  for (int i = 0; i < 4000; ++i) {
    stores += "W " + std::to_string(8 * i) + "\n";
    sized += std::to_string(i) + ": (8)write " + std::to_string(8 * i) + "\n";
  }
  for (const std::string& memory :
       {std::string("ddr4-3200"), std::string("hbm2-2000"), two_channels(scratch)}) {
    CAPTURE(memory);
    const json plain = json_of({"-c", memory, scratch.file("stores.trace", stores)});
    const json own = json_of({"-c", memory, scratch.file("sized.stl", sized)});
    for (const json& r : {plain, own}) {
      CHECK(r["peak_percent"].get<double>() <= 100);
      CHECK(r["coalesced"].get<int>() > 0);
      CHECK(r["moved_bytes"].get<int>() < r["requested_bytes"].get<int>());
      CHECK(r["requested_gb_per_s"].get<double>() > r["gb_per_s"].get<double>());
    }
    CHECK(plain["useful_bytes"] == 4000 * 64);  // nothing says how much of a request is used
    CHECK(own["useful_bytes"] == 4000 * 8);
    CHECK(own["trace_form"] == "DRAMSys");
  }
}
