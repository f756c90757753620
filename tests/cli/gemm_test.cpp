// SPDX-License-Identifier: Apache-2.0
// What does `tokencycle gemm` print, and what does it refuse?
#include <catch2/catch.hpp>

#include <sstream>

#include "command_line.h"

using namespace tokencycle;
using Catch::Contains;
using nlohmann::json;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

using Arguments = std::vector<std::string>;

Outcome gemm(Arguments arguments) {
  arguments.insert(arguments.begin(), "gemm");
  return launch(arguments);
}

json json_of(Arguments arguments) {
  arguments.insert(arguments.begin(), "gemm");
  return test::launch_json(arguments);
}

void check_refused(const Arguments& arguments, int code, const std::vector<std::string>& parts) {
  const Outcome o = gemm(arguments);
  CAPTURE(arguments, o.err);
  CHECK(o.exit_code == code);
  CHECK_THAT(o.err, Catch::StartsWith("tokencycle: "));
  for (const std::string& part : parts) CHECK_THAT(o.err, Contains(part));
}

// SCALE-Sim's count: folds x cycles, less one.
std::uint64_t scale_sim(const std::string& dataflow, std::uint64_t m, std::uint64_t n, std::uint64_t k,
                        std::uint64_t r, std::uint64_t c) {
  const auto up = [](std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; };
  if (dataflow == "ws") return up(k, r) * up(n, c) * (m + 2 * r + c - 2) - 1;
  if (dataflow == "is") return up(k, r) * up(m, c) * (n + 2 * r + c - 2) - 1;
  return up(m, r) * up(n, c) * (k + r + c - 2) - 1;
}

}  // namespace

TEST_CASE("gemm prints a line a product that fits 100 columns, and says what was checked") {
  const Scratch scratch;
  const std::string shapes = scratch.file(
      "shapes.csv", "Layer,M,N,K\na name that is far too long for its column,64,64,64\nsecond,1,100,33\n");
  const Outcome o = gemm({"-c", "edge", "--shapes", shapes});
  REQUIRE(o.exit_code == 0);
  CHECK(o.err.empty());
  std::istringstream lines(o.out);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(line.size() <= 100);
    CHECK_FALSE(line.ends_with(' '));
  }
  CHECK_THAT(o.out, Contains("edge: 32 x 32 weight-stationary array") && Contains("64 x 64 x 64") &&
                        Contains("second") && Contains("total") &&
                        Contains("4,196 values equal the reference's."));
  const Outcome help = gemm({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(std::count(help.out.begin(), help.out.end(), '\n') <= 40);
  CHECK_THAT(help.out, Contains("example:\n  tokencycle gemm "));
}

TEST_CASE("without overlaps the array's cycles are SCALE-Sim's and one more") {
  for (const std::string dataflow : {"ws", "is", "os"}) {
    for (const auto& [m, n, k] : {std::tuple{1, 64, 64}, {50, 70, 90}, {33, 31, 100}}) {
      const json result =
          json_of({"-c", "gemmini", "-M", std::to_string(m), "-N", std::to_string(n), "-K", std::to_string(k),
                   "--dataflow", dataflow, "--no-overlap", "--array-alone"});
      const json& layer = result["layers"][0];
      CAPTURE(dataflow, m, n, k, layer);
      const std::uint64_t expected = scale_sim(dataflow, m, n, k, 16, 16);
      CHECK(layer["array_alone"]["scale_sim_cycles"] == expected);
      CHECK(layer["array_alone"]["cycles"] == expected + 1);
      CHECK(layer["array_alone"]["utilisation_percent"].get<double>() ==
            Approx(100.0 * m * n * k / (256.0 * static_cast<double>(expected + 1))));
      CHECK_FALSE(layer.contains("end_to_end"));
      CHECK(result["configuration"]["values"]["matrix"]["back_to_back"] == false);
    }
  }
}

TEST_CASE("the JSON holds the same account as the machine: causes and states sum to the cycles") {
  const json result =
      json_of({"-c", "tiny", "-M", "20", "-N", "24", "-K", "32", "--dtype", "q4_0", "--seed", "5"});
  CHECK(result["schema"] == "tokencycle-gemm-1");
  CHECK(result["type"] == "q4_0");
  CHECK(result["seed"] == 5);
  const json& run = result["layers"][0]["end_to_end"];
  for (const char* const part : {"stack", "matrix"}) {
    std::uint64_t sum = 0;
    for (const auto& [name, cycles] : run[part].items()) sum += cycles.get<std::uint64_t>();
    CAPTURE(part);
    CHECK(sum == run["cycles"]);
  }
  CHECK(run["values_checked"] == 480);
  CHECK(run["utilisation_percent"] <= 100.0);
  CHECK(run["dram_bytes"]["stored"] >= 480 * 4);
}

TEST_CASE("a product is divided over matrix units with the same values, and in less time") {
  for (const std::string dataflow : {"ws", "is", "os", "dot"}) {
    const auto run = [&](int units, const std::string& type, int m, int n, int k) {
      // Every value is checked against the plain loops.
      return json_of({"-c",         "edge",
                      "--dataflow", dataflow,
                      "--dtype",    type,
                      "-M",         std::to_string(m),
                      "-N",         std::to_string(n),
                      "-K",         std::to_string(k),
                      "--set",      "/matrix/units=" + std::to_string(units),
                      "--set",      "/dram/model=ideal",
                      "--set",      "/dram/system=null",
                      "--set",      "/dram/capacity_mib=1024",
                      "--set",      "/dram/channel_gb_per_s=300"})["layers"][0];
    };
    CAPTURE(dataflow);
    // More rows than columns and the other way round, ragged, less than one tile for each unit.
    for (const auto& [m, n, k] : {std::tuple{300, 70, 64}, {40, 390, 96}, {3, 5, 32}, {1, 257, 64}}) {
      CAPTURE(m, n, k);
      for (const int units : {2, 3}) {
        CHECK(run(units, "q8_0", m, n, k)["end_to_end"]["values_checked"] == m * n);
        CHECK(run(units, "int8", m, n, k)["end_to_end"]["values_checked"] == m * n);
      }
    }
    const json one = run(1, "int8", 256, 512, 512), four = run(4, "int8", 256, 512, 512);
    const auto cycles = [](const json& layer, const char* part) {
      return layer[part]["cycles"].get<double>();
    };
    CHECK(cycles(four, "array_alone") < 0.27 * cycles(one, "array_alone"));
    CHECK(cycles(four, "end_to_end") < 0.6 * cycles(one, "end_to_end"));
    CHECK(four["array_alone"]["folds"] == one["array_alone"]["folds"]);
    CHECK(four["end_to_end"]["utilisation_percent"].get<double>() <= 100);
    std::uint64_t states = 0;  // of four units
    for (const auto& [name, n] : four["end_to_end"]["matrix"].items()) states += n.get<std::uint64_t>();
    CHECK(states == 4 * four["end_to_end"]["cycles"].get<std::uint64_t>());
  }
}

TEST_CASE("timing-only runs take the same cycles and check nothing") {
  const Arguments arguments = {"-c", "edge", "-M", "65", "-N", "130", "-K", "96", "--dtype", "fp16"};
  Arguments timed = arguments;
  timed.emplace_back("--timing-only");
  json with = json_of(arguments), without = json_of(timed);
  CHECK(without["timing_only"] == true);
  CHECK(without["layers"][0]["end_to_end"]["values_checked"] == 0);
  without["layers"][0]["end_to_end"]["values_checked"] = with["layers"][0]["end_to_end"]["values_checked"];
  CHECK(with["layers"] == without["layers"]);
}

TEST_CASE("SCALE-Sim's GEMM topologies are read as they are") {
  const Scratch scratch;
  for (const std::string text : {
           "Layer,M,N,K\nQKT,16,24,8\nPW-FF-L1,3,5,7\n",
           "Layer Name, M, N, K,\r\nQKT, 16, 24, 8,\r\nPW-FF-L1, 3, 5, 7,\r\n",
           "\xEF\xBB\xBFLayer,\tm ,n,k,,\n\n  QKT ,16,24,8,,\n,,,\nPW-FF-L1,3,5,7",
           "QKT,16,24,8\nPW-FF-L1,3,5,7\n",
       }) {
    const json result = json_of({"--shapes", scratch.file("s.csv", text), "--array-alone"});
    CAPTURE(text, result);
    REQUIRE(result["layers"].size() == 2);
    CHECK(result["layers"][0]["name"] == "QKT");
    CHECK(result["layers"][0]["m"] == 16);
    CHECK(result["layers"][0]["n"] == 24);
    CHECK(result["layers"][0]["k"] == 8);
    CHECK(result["layers"][1]["name"] == "PW-FF-L1");
    CHECK(result["layers"][1]["k"] == 7);
  }
}

constexpr const char* kConvolutions =
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n";

TEST_CASE("lists as spreadsheets write them, in any order of columns") {
  const Scratch scratch;
  for (const std::string text :
       {"Name,M,K,N\nq,16,8,24\n", "Layer Name,M Dimension,N Dimension,K Dimension,\nq,16,24,8,\n",
        "q,16.0,24.000,8.0\n", "\"Layer\",\"M\",\"N\",\"K\"\r\n\"q\",\"16\",\"24\",\"8\"\r\n",
        "Layer;M;N;K\nq;16;24;8\n", "Layer\tM\tN\tK\nq\t16\t24\t8\n",
        "Layer, M, N, K, Sparsity,\nq, 16, 24, 8, 1:1,\n"}) {
    CAPTURE(text);
    const json layer = json_of({"--shapes", scratch.file("s.csv", text), "--array-alone"})["layers"][0];
    CHECK(layer["name"] == "q");
    CHECK(layer["m"] == 16);
    CHECK(layer["n"] == 24);
    CHECK(layer["k"] == 8);
  }
  const json named =
      json_of({"--shapes", scratch.file("s.csv", "\"a, \"\"b\"\"\",1,2,3\n"), "--array-alone"});
  CHECK(named["layers"][0]["name"] == "a, \"b\"");
  const json unnamed = json_of({"--shapes", scratch.file("s.csv", "1,2,3\n4,5,6\n"), "--array-alone"});
  CHECK(unnamed["layers"][1]["name"] == "layer 2");
  CHECK(unnamed["layers"][1]["m"] == 4);
}

TEST_CASE("convolutions become products by im2col, and the output says so") {
  const Scratch scratch;
  const std::string text =
      std::string(kConvolutions) + "c1, 16, 18, 3, 5, 4, 8, 1,\nc2, 16, 16, 3, 3, 4, 8, 2,\n";
  const std::string file = scratch.file("conv.csv", text);
  const json layers = json_of({"--shapes", file, "--array-alone"})["layers"];
  CHECK(layers[0]["m"] == 14 * 14);
  CHECK(layers[0]["n"] == 8);
  CHECK(layers[0]["k"] == 3 * 5 * 4);
  CHECK(layers[1]["m"] == 8 * 8);  // (16 - 3 + 2) / 2, rounded up
  CHECK(gemm({"--shapes", file, "--array-alone"}).out.find("im2col") != std::string::npos);
}

TEST_CASE("shapes that are no products are refused with file and line") {
  const Scratch scratch;
  const auto refused = [&](const std::string& text, const std::vector<std::string>& parts) {
    check_refused({"--shapes", scratch.file("bad.csv", text), "--array-alone"}, 2, parts);
  };
  refused("Layer,M,N,K\na,1,2,3\nb,1,0,3\n", {"bad.csv:3: N is '0'", "1 to 16,777,215"});
  refused("Layer,M,N,K\na,-1,2,3\n", {"bad.csv:2: M is '-1'"});
  refused("Layer,M,N,K\na,1,2,3.5\n", {"bad.csv:2: K is '3.5'"});
  refused("Layer,M,N,K\na,1,2,99999999999999999999999\n", {"bad.csv:2: K is '9999"});
  refused("Layer,M,N,K\na,1,2\n", {"bad.csv:2: 3 columns"});
  refused("Layer,M,N,K,Sparsity\na,1,2,3,1:4\n", {"bad.csv:2: sparsity '1:4'", "dense"});
  refused("a,1,2,3,1:1\n", {"bad.csv:1: 5 columns instead of 4"});
  refused("Layer,M,N,K,Batch\na,1,2,3,4\n", {"bad.csv:1: a column 'Batch' is not known"});
  refused("Layer,M,N\na,1,2\n", {"bad.csv:1:", "neither M, N and K"});
  refused("Layer,M,m,N,K\na,1,1,2,2\n", {"bad.csv:1: two columns 'm'"});
  refused(std::string(kConvolutions) + "c,2,8,3,3,4,8,1,\n", {"bad.csv:2: a filter of 3 on an input of 2"});
  refused(std::string(kConvolutions) + "c,9000,9000,3,3,4,8,1,\n", {"bad.csv:2:", "output positions"});
  refused("Layer,M,N,K\n", {"bad.csv: no layers"});
  refused("", {"no layers"});
  refused(std::string(100000, 'x') + ",y,z,w\n", {"bad.csv:1: a column 'xxxx"});
  check_refused({"--shapes", scratch / "missing.csv"}, 7, {"missing.csv"});
}

TEST_CASE("what gemm cannot do is refused by name") {
  const Scratch scratch;
  check_refused({"-M", "0", "-N", "1", "-K", "1"}, 2, {"-M is '0'", "1 to 16,777,215"});
  check_refused({"-M", "-3", "-N", "1", "-K", "1"}, 2, {"-M is '-3'"});
  check_refused({"-M", "1", "-N", "18446744073709551617", "-K", "1"}, 2, {"-N is '18446744073709551617'"});
  check_refused({"-M", "1", "-N", "1"}, 2, {"-K is missing"});
  check_refused({}, 2, {"-M is missing", "--shapes"});
  check_refused({"-M", "16777215", "-N", "16777215", "-K", "16777215", "--array-alone"}, 2, {"2^62"});
  check_refused({"-M", "1", "-N", "1", "-K", "33", "--dtype", "q8_0"}, 2, {"-K is 33", "multiple of 32"});
  check_refused({"-M", "1", "-N", "1", "-K", "1", "--dtype", "int9"}, 2, {"--dtype is 'int9'", "q4_0"});
  check_refused({"-M", "1", "-N", "1", "-K", "1", "--dataflow", "rs"}, 2,
                {"--dataflow is 'rs'", "ws (weight-stationary)", "or dot (dot-product)"});
  check_refused({"-M", "1", "-N", "1", "-K", "1", "--tiling", "1,2"}, 2, {"--tiling is '1,2'"});
  check_refused({"-M", "1", "-N", "1", "-K", "1", "--tiling", "0,0,48"}, 3,
                {"/matrix/tiling/k", "--tiling 0,0,48"});
  check_refused({"-M", "1", "-N", "1", "-K", "1", "--shapes", "x"}, 2, {"--shapes"});
  const std::string no_int8 =
      scratch.machine("edge", {{"matrix", {{"cycles_per_row", {{"int8", nullptr}}}}}});
  check_refused({"-c", no_int8, "-M", "1", "-N", "1", "-K", "1"}, 3,
                {"int8 multipliers", "/matrix/cycles_per_row/int8"});
  // An output-stationary array needs no group buffer; the same array with tiles does.
  const std::string os =
      scratch.machine("tiny", {{"matrix", {{"dataflow", "output-stationary"}, {"group_buffer_rows", 0}}}});
  check_refused({"-c", os, "-M", "1", "-N", "1", "-K", "1", "--dataflow", "ws"}, 3, {"group_buffer_rows"});
  const std::string small = scratch.machine("tiny", {{"dram", {{"capacity_mib", 1}}}});
  check_refused({"-c", small, "-M", "1024", "-N", "1024", "-K", "64"}, 3,
                {"/dram/capacity_mib", "at least 5", "--array-alone"});
  check_refused({"-c", "edge", "-M", "65536", "-N", "65536", "-K", "64"}, 3,  // DRAM of devices
                {"take 16.0 GiB", "has 16.0 GiB", "raise /dram/system/channels, 2 of ", "larger devices"});
}

TEST_CASE("a tiling cuts a product into more folds, and its values stay right") {
  const Arguments whole = {"-c", "edge", "-M", "40", "-N", "64", "-K", "64"};
  Arguments cut = whole;
  cut.insert(cut.end(), {"--tiling", "20,16,32"});
  const json a = json_of(whole), b = json_of(cut);
  CHECK(a["layers"][0]["array_alone"]["folds"] == 4);
  CHECK(b["layers"][0]["array_alone"]["folds"] == 16);
  CHECK(b["layers"][0]["end_to_end"]["values_checked"] == 2560);
}
