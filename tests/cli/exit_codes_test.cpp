// SPDX-License-Identifier: Apache-2.0
// Is each kind of error told from the command line with its exit code, file, place, value, range and remedy?
// Errors of one command are in that command's test, signals in interrupt_test.cpp.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "refusal.h"

using namespace tokencycle;
using Catch::Contains;
using Json = nlohmann::json;
using test::check_refusal;
using test::launch;
using test::Launched;
using test::Scratch;

namespace {

using Parts = std::vector<std::string>;
constexpr int kUsage = 2, kConfiguration = 3, kModel = 4, kProgram = 5, kSimulation = 6, kIo = 7, kCheck = 8;

const std::string kConfigs = TOKENCYCLE_SOURCE_DIR "/configs/";

}  // namespace

TEST_CASE("the overview and the README name every exit code") {
  const std::string readme = test::contents_of(TOKENCYCLE_SOURCE_DIR "/README.md");
  const std::string overview = launch({"--help"}).out;
  for (const char* code : {"0 success", "2 usage", "3 configuration", "4 model", "5 program", "6 simulation",
                           "7 input/output", "8 check failed", "130 interrupted"}) {
    CHECK_THAT(readme, Contains(code));
    CHECK_THAT(overview, Contains(code));
  }
}

TEST_CASE("usage: option, value, range and remedy") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto run = [&](const std::string& option, const std::string& value, const Parts& parts) {
    check_refusal(kUsage, {"run", "-m", model, option, value}, parts);
  };
  run("-n", "1e3", {"'1e3'", "--new-tokens", "a whole number", "run --help"});
  run("-n", "18446744073709551616", {"--new-tokens", "0 to 4294967295"});
  run("--temperature", "warm", {"'warm'", "--temperature", "a number, for example 0.8"});
  run("--seed", "-1", {"--seed is '-1'", "0 to 18446744073709551615"});
  run("--trace-level", "", {"--trace-level"});
  run("--tiling", "1,2", {"--tiling is '1,2'", "for example 64,32,0"});
  run("--tokens", "1", {"--tokens goes with --timing-only; add it"});
  for (const char* option : {"-m", "--result", "--trace", "-c"}) {
    check_refusal(kUsage, {"run", option, ""}, {" is empty", "name a file, or leave the option out"});
  }
  CHECK(launch({"run", "-m", model, "-q", "-n", "1", "-p", ""}).exit_code == 0);  // no file's name: no text
  check_refusal(kUsage, {"run", "-m", model, "--timing-only", "--tokens", "@"}, {"@RESULT.json"});
  check_refusal(kUsage, {"perplexity", "-m", model, "-f", scratch.file("t.txt", "a"), "--window", "1"},
                {"--window is 1", "2 to 128"});
}

TEST_CASE("usage: what a program cannot heed is refused, every option of it") {
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"--prompt", "x"},
                                                        {"--new-tokens", "3"},
                                                        {"--context", "8"},
                                                        {"--seed", "1"},
                                                        {"--tiling", "1,1,1"},
                                                        {"--top-p", "0.5"},
                                                        {"--kv-type", "f32"},
                                                        {"--pipeline-token", "1"}}) {
    check_refusal(kUsage, {"run", "--program", "x.tcp", option, value},
                  {option + " does not go with --program", "leave it out"});
  }
}

TEST_CASE("usage: names with a typing error are answered with the name that was meant") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--verson"}, "--version"},
      {{"Compare"}, "compare"},
      {{"run", "--clock", "gatd"}, "gated"},
      {{"run", "--kv-type", "f61"}, "f16"},
      {{"run", "--rope", "splti"}, "split"},
      {{"run", "-m", model, "--timing-only", "--weights", "q8-0"}, "q8_0"},
      {{"run", "-m", model, "-n", "1", "--trace", scratch / "t.pftrac"}, ".pftrace"},
      {{"run", "-m", model, "--trace", scratch / "t.vcd", "--trace-window", "tokn:1"}, "token"},
      {{"run", "--program", "x.tcp", "--dump", "drma:0:f32:1"}, "dram"},
      {{"perplexity", "-m", model, "-f", model, "--kv-type", "F23"}, "f32"},
      {{"gemm", "-M", "1", "-N", "1", "-K", "1", "--dtype", "itn8"}, "int8"},
      {{"gemm", "-M", "1", "-N", "1", "-K", "1", "--dataflow", "dto"}, "dot"},
  };
  for (const auto& [arguments, meant] : cases) {
    check_refusal(kUsage, arguments, {"did you mean '" + meant + "'?"});
  }
  CHECK_FALSE(std::filesystem::exists(scratch / "t.vcd"));
}

TEST_CASE(
    "what is not there is 7, whatever it should have been; what is there and wrong has its kind's code") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const std::vector<std::pair<std::vector<std::string>, std::string>> names = {
      {{"run", "-c", "edgee"}, "edge"},
      {{"run", "-c", "EDGE"}, "edge"},
      {{"inspect", "gemini"}, "gemmini"},
      {{"compare", "-c", "edge", "-c", "edge-dt"}, "edge-dot"},
      {{"gemm", "-M", "1", "-N", "1", "-K", "1", "-c", "cluod"}, "cloud"},
      {{"dram", "-c", "ddr4-3220"}, "ddr4-3200"},
      {{"dram", "-c", "HBM3-6400"}, "hbm3-6400"},
  };
  for (const auto& [arguments, meant] : names) {
    check_refusal(kIo, arguments, {"there is no such file", "did you mean '" + meant + "'?"});
  }
  check_refusal(kIo, {"run", "-c", "zzzzzz"}, {"zzzzzz", "known are: cloud, edge", "tiny"});
  for (const std::vector<std::string>& missing :
       std::vector<std::vector<std::string>>{{"run", "-m", "none.gguf"},
                                             {"run", "-m", "none.gguf", "--weights", "q8_0"},
                                             {"run", "-c", "none.json"},
                                             {"run", "-f", "none.txt"},
                                             {"run", "-p", "@none.txt"},
                                             {"tokenize", "-f", "none.txt"},
                                             {"perplexity", "-f", "none.txt"},
                                             {"report", "none.json", "-o", "-"},
                                             {"inspect", "none.json.gz"},
                                             {"run", "--program", "none.tcp"}}) {
    check_refusal(kIo, missing, {"none."});
  }
  check_refusal(kConfiguration, {"run", "-c", "ddr4-3200"},
                {"a memory, not a machine", "tokencycle dram -c"});
  check_refusal(kConfiguration, {"run", "-c", model}, {"not JSON but a GGUF model; it goes with -m"});
  check_refusal(kUsage, {"run", "-m", model, "--context", "4"}, {"the context has 4", "--context"});
  check_refusal(kUsage, {"run", "-m", model, "--context", "4000"},
                {"--context is 4000", "at most 128 positions"});
}

TEST_CASE("configuration: file, line and column or JSON path, value, range and remedy") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto machine = [&](const Json& changes, const Parts& parts) {
    check_refusal(kConfiguration, {"inspect", scratch.machine("edge", changes)}, parts);
  };
  machine({{"clock_ghz", -1}}, {"machine.json: /clock_ghz: -1", "allowed: "});
  machine({{"dram", {{"system", {{"preset", "ddr4-2401"}}}}}},
          {"/dram/system/preset", "\"ddr4-2401\"", "did you mean \"ddr4-2400\"?"});
  machine({{"dram", {{"system", {{"scheduller", "fcfs"}}}}}}, {"/dram/system/scheduller", "scheduler"});
  check_refusal(kConfiguration, {"inspect", scratch.file("m.json", "{\n  \"clock_ghz\": NaN}")},
                {"m.json:2:", "not JSON"});
  check_refusal(kConfiguration, {"inspect", scratch.file("empty.json", " ")}, {"empty.json:1:"});
  check_refusal(kConfiguration, {"gemm", "-M", "1", "-N", "1", "-K", "1", "--tiling", "0,70000,0"},
                {"edge with --tiling 0,70000,0: /matrix/tiling/n: 70000", "1 .. 65535"});
  check_refusal(kConfiguration, {"gemm", "-M", "1048576", "-N", "1048576", "-K", "1048576"},
                {"machine 'edge'", "6.0 TiB", "16.0 GiB", "/dram/system/preset", "larger devices"});
  check_refusal(kConfiguration,
                {"run", "-m", model, "-c", scratch.machine("edge", {{"scratchpad", {{"capacity_kib", 1}}}})},
                {"the scratchpad has 1.0 KiB", "at least"});
}

TEST_CASE("configuration: another kind of document is named as what it is, in one line") {
  const Scratch scratch;
  const auto is_refused = [&](const std::string& file, const Parts& parts) {
    const std::string message = check_refusal(kConfiguration, {"run", "-c", file}, parts);
    CHECK(std::count(message.begin(), message.end(), '\n') == 1);
  };
  is_refused(kConfigs + "dram/ddr4-2400.json",
             {"ddr4-2400.json: /schema: \"tokencycle-dram-1\" is not allowed", "tokencycle dram -c"});
  is_refused(scratch.file("r.json", R"({"schema": "tokencycle-result-1", "cycles": 3})"),
             {"r.json: /schema: \"tokencycle-result-1\"", "\"tokencycle-machine-1\"", "compare"});
}

TEST_CASE("model: file, byte or key, value and remedy") {
  const Scratch scratch;
  const std::string bytes = test::contents_of(scratch.model());
  check_refusal(kModel, {"run", "-m", scratch.file("empty.gguf", "")},
                {"empty.gguf: at byte 0: the file is empty", "download or convert"});
  check_refusal(kModel, {"inspect", scratch.file("cut.gguf", bytes.substr(0, 100))},
                {"cut.gguf: at byte ", "truncated"});
  std::string other = bytes;
  other[4] = 77;  // the version
  check_refusal(kModel, {"compile", "-m", scratch.file("v.gguf", other), "-o", scratch / "p.tcp"},
                {"v.gguf: at byte 4", "77"});
  const std::string config = scratch.file("config.json", R"({"hidden_size": "wide"})");
  check_refusal(kModel, {"run", "-m", config}, {"config.json", "--timing-only"});
  check_refusal(kModel, {"run", "--timing-only", "-m", config, "--prompt-tokens", "1"}, {"config.json"});
  CHECK_FALSE(std::filesystem::exists(scratch / "p.tcp"));
}

TEST_CASE("program: file, line and column or byte, value and remedy") {
  const Scratch scratch;
  check_refusal(kProgram, {"asm", scratch.file("a.tcasm", "nop\n  hlt\n"), "-o", scratch / "p.tcp"},
                {"a.tcasm:2:3:", "\"hlt\"", "did you mean \"halt\"?"});
  check_refusal(kProgram, {"disasm", scratch.file("a.tcp", "TCPROX")}, {"a.tcp: byte 0", "TCPROG"});
  check_refusal(kProgram, {"dram", "-c", "ddr4-3200", scratch.file("t.trace", "R 0x40\nQ 0x80\n")},
                {"t.trace:2: \"Q 0x80\"", "tokencycle: R|W ADDRESS [CLOCK]"});
  CHECK_FALSE(std::filesystem::exists(scratch / "p.tcp"));
}

TEST_CASE("simulation: the place in the program or the positions, and what would do") {
  const Scratch scratch;
  const std::string model = scratch.model(), program = scratch / "p.tcp";
  check_refusal(kUsage, {"run", "-m", model, "-n", "999"},
                {"999 new ones", "the context has 128", "--context"});
  const std::string source =
      scratch.file("p.tcasm", "nop\nload dst=s:0 dram=0xffffffffff rows=1 cols=64\nhalt\n");
  REQUIRE(launch({"asm", source, "-o", program}).exit_code == 0);
  check_refusal(kSimulation, {"run", "--program", program}, {"stopped at word 1", "DRAM"});
}

TEST_CASE("input and output: the file, the reason and what to name instead") {
  const Scratch scratch;
  const std::string model = scratch.model(), folder = scratch / "folder", none = scratch / "none/x";
  std::filesystem::create_directory(folder);
  const auto before = test::files_below(scratch / "");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"run", "-m"},
                                             {"inspect"},
                                             {"disasm"},
                                             {"perplexity", "-f"},
                                             {"gemm", "--shapes"},
                                             {"dram", "-c", "ddr4-3200"},
                                             {"run", "--program"},
                                             {"run", "-c"},
                                             {"report", "-o", scratch / "p.html"},
                                             {"asm", "-o", scratch / "p.tcp"},
                                             {"run", "-m", model, "--timing-only", "--tokens"}}) {
    for (const std::string& file : {none, folder}) {
      std::vector<std::string> arguments = command;
      arguments.push_back(command.back() == "--tokens" ? "@" + file : file);
      check_refusal(kIo, arguments, {file + ": "});
    }
  }
  const std::string source = scratch.file("a.tcasm", "halt\n"), trace = scratch.file("t.trace", "R 0\n");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"run", "-m", model, "--result"},
                                             {"compile", "-m", model, "-o"},
                                             {"asm", source, "-o"},
                                             {"dram", "-c", "ddr4-3200", trace, "--commands"}}) {
    for (const std::string& file : {none, folder}) {
      std::vector<std::string> arguments = command;
      arguments.push_back(file);
      check_refusal(kIo, arguments, {file + ": ", file == folder ? "it is a folder" : "make it first"});
    }
  }
  std::filesystem::remove(source);
  std::filesystem::remove(trace);
  CHECK(test::files_below(scratch / "") == before);
}

TEST_CASE("names that are too long for a file are told as such") {
  const Scratch scratch;
  const std::string model = scratch.model(), name(5000, 'x'), output(225, 'y');
  check_refusal(kIo, {"run", "-c", name}, {name, "there is no such file"});
  check_refusal(kIo, {"dram", "-c", name}, {name, "there is no such file"});
  check_refusal(kIo, {"inspect", name + ".json"}, {"File name too long"});
  check_refusal(kIo, {"run", "-m", model, "--result", scratch / output},
                {output, "its name has 225 bytes; choose one of at most 224"});
}

TEST_CASE("a text without an end is read up to a limit and refused") {
  check_refusal(kIo, {"gemm", "--shapes", "/dev/zero"}, {"/dev/zero", "more than 256.0 MiB"});
}

TEST_CASE("check: a machine whose values are wrong ends with the operator, its place and both values") {
  const Scratch scratch;
  const std::string model = scratch.model(), result = scratch / "r.json";
  const std::vector<std::string> run = {"run", "-m", model, "-q", "-n", "2", "--check"};
  REQUIRE(launch(run).exit_code == 0);  // the careful machine
  std::vector<std::string> with_result = run;
  with_result.insert(with_result.end(), {"--result", result});
  check_refusal(kCheck, with_result,
                {"differs from the reference first at position 0", "operator ", "index ", "instead of",
                 "please report it"},
                TOKENCYCLE_CARELESS);
  CHECK_FALSE(std::filesystem::exists(result));
  check_refusal(kCheck, {"gemm", "-M", "40", "-N", "40", "-K", "64", "--json"},
                {"Y[", "40 x 40 x 64 (int8)", "the machine has ", "the reference ", "please report it"},
                TOKENCYCLE_CARELESS);
}

TEST_CASE("check: machines that generate different tokens are named") {
  const Scratch scratch;
  const std::string model = scratch.model();
  // Without hazard checks a wrong token, or number that is none, may also end the run before the second
  // token.
  std::size_t different = 0;
  for (const char* prompt :
       {"a", "the hen", "it was a fox, and then", "and in the end", "once", "the the the"}) {
    const std::vector<std::string> compare = {"compare",  "-m", model, "-c", "edge", "-c",
                                              "edge-dot", "-n", "2",   "-q", "-p",   prompt};
    CHECK(launch(compare).exit_code == 0);
    if (Launched(compare, {}, -1, TOKENCYCLE_CARELESS).wait().exit_code != kCheck) continue;
    ++different;
    check_refusal(kCheck, compare,
                  {"edge and edge-dot generated different tokens", "tokencycle run -c edge-dot --check"},
                  TOKENCYCLE_CARELESS);
  }
  CHECK(different > 0);
}
