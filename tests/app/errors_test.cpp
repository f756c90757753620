// SPDX-License-Identifier: Apache-2.0
// Does each kind of error have its exit code, a message that says where and what to do, and no other effect?
#include <algorithm>
#include <catch2/catch.hpp>

#include "command_line.h"

using namespace tokencycle;
using Catch::Contains;
using Json = nlohmann::json;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

constexpr int kConfiguration = 3, kModel = 4, kProgram = 5, kSimulation = 6, kIo = 7;

void check_error(int exit_code, const std::vector<std::string>& arguments,
                 const std::vector<std::string>& parts) {
  const Outcome o = launch(arguments);
  CAPTURE(arguments, o.err);
  CHECK(o.exit_code == exit_code);
  CHECK(o.out.empty());
  CHECK_THAT(o.err, Catch::StartsWith("tokencycle: "));
  for (const std::string& part : parts) CHECK_THAT(o.err, Contains(part));
}

// The program of an assembly text, on edge with `changes`.
void check_program(const Scratch& scratch, const std::string& assembly, const Json& changes,
                   const std::vector<std::string>& parts) {
  const std::string source = scratch.file("p.tcasm", assembly), program = scratch / "p.tcp";
  REQUIRE(launch({"asm", source, "-o", program}).exit_code == 0);
  check_error(kSimulation, {"run", "--program", program, "-c", scratch.machine("edge", changes)}, parts);
}

}  // namespace

TEST_CASE("a wrong machine description: every fault with its path, value and range") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto error = [&](const Json& changes, const std::vector<std::string>& parts) {
    check_error(kConfiguration, {"run", "-m", model, "-c", scratch.machine("edge", changes)}, parts);
  };
  error({{"matrix", {{"rows", 0}, {"colums", 3}}}}, {"2 errors", "/matrix/rows: 0 is not allowed",
                                                     "1 .. 1024", "/matrix/colums: unknown key", "columns"});
  error({{"clock_ghz", "fast"}}, {"/clock_ghz"});
  error({{"dma", {{"port_bytes", 1024}}}}, {"/dma/port_bytes"});
  check_error(kConfiguration, {"run", "-m", model, "-c", scratch.file("m.json", "{\n  \"name\": }")},
              {"m.json:2:", "not JSON"});
}

TEST_CASE("a machine that cannot run the model: what it lacks and what would do") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto error = [&](const Json& changes, const std::vector<std::string>& parts) {
    check_error(kConfiguration, {"run", "-m", model, "-c", scratch.machine("edge", changes)}, parts);
  };
  error({{"scratchpad", {{"capacity_kib", 1}}}},
        {"the scratchpad has 1 KiB", "set /scratchpad/capacity_kib to at least "});
  error({{"matrix", {{"cycles_per_row", {{"int8", nullptr}}}}}},
        {"'blk.0.attn_q.weight'", "q8_0", "int8", "/matrix/cycles_per_row/int8"});
}

TEST_CASE("what is no model, or half of one, or holds an unknown type") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const std::string bytes = test::contents_of(model);
  check_error(kModel, {"run", "-m", scratch.file("text.gguf", "once upon a time")}, {"text.gguf", "GGUF"});
  check_error(kModel, {"run", "-m", scratch.file("half.gguf", bytes.substr(0, bytes.size() / 2))},
              {"half.gguf", "truncated"});
  check_error(kModel, {"run", "-m", scratch.file("tail.gguf", bytes.substr(0, bytes.size() - 1))},
              {"tail.gguf"});

  constexpr std::uint32_t kQ6K =
      14;  // a type of the format that the machine does not have: 210 bytes for 256
  test::GgufWriter writer = test::synthetic_gguf({.width = 256, .matrices = Format::f16});
  REQUIRE(writer.remove_tensor("output.weight"));
  writer.tensor("output.weight", {256, 300}, kQ6K, std::vector<std::byte>(210 * 300));
  const std::vector<std::byte> other = writer.bytes();
  const std::string path =
      scratch.file("q6.gguf", {reinterpret_cast<const char*>(other.data()), other.size()});
  check_error(kModel, {"run", "-m", path}, {"output.weight", "Q6_K"});
  const Outcome inspected = launch({"inspect", path});  // it can be looked at all the same
  CHECK(inspected.exit_code == 0);
  CHECK_THAT(inspected.out, Contains("(not supported)"));

  check_error(kModel,
              {"perplexity", "-m", model, "-f", scratch.file("short.txt", "too short"), "--window", "64"},
              {"64"});
}

TEST_CASE("what is no program") {
  const Scratch scratch;
  const std::string garbage = scratch.file("garbage.tcp", std::string(300, 'x'));
  check_error(kProgram, {"run", "--program", garbage}, {"garbage.tcp", "TCPROG"});
  check_error(kProgram, {"disasm", garbage}, {"garbage.tcp", "byte 0"});
  check_error(kProgram, {"inspect", scratch.file("short.tcp", "TCPROG")}, {"short.tcp"});
  const std::string output = scratch / "out.tcp";
  const auto error = [&](const std::string& text, const std::vector<std::string>& parts) {
    check_error(kProgram, {"asm", scratch.file("a.tcasm", text), "-o", output}, parts);
    CHECK_FALSE(std::filesystem::exists(output));
  };
  error("nop\n  lod dst=s:0 dram=0 rows=1 cols=4\nhalt\n", {"a.tcasm:2:3:", "lod", "did you mean \"load\"?"});
  error("load dst=s:0 drm=0 rows=1 cols=4\nhalt\n", {"a.tcasm:1:14:", "drm", "did you mean \"dram\"?"});
  error("set_address r77=1\n", {"a.tcasm:1:"});
}

TEST_CASE("a full context names its size and what is needed") {
  const Scratch scratch;
  const std::string model = scratch.model();
  check_error(kSimulation, {"run", "-m", model, "-p", "a", "-n", "1000"},
              {"1000 new ones", "the context has 128"});
  check_error(kSimulation, {"run", "-m", model, "--context", "8", "-n", "20"},
              {"the context has 8", "--context"});
}

TEST_CASE("traps stop the machine with the word and the state of its units") {
  const Scratch scratch;
  check_program(scratch, "nop\nload dst=s:0x7fffff0 dram=0 rows=1 cols=64\nhalt\n", Json::object(),
                {"stopped at word 1", "the scratchpad, which has 524288", "decode:", "in flight"});
  check_program(scratch, "load dst=s:0 dram=0xffffffffff rows=1 cols=64\nhalt\n", Json::object(),
                {"stopped at word 0", "DRAM"});
  check_program(scratch, "set_address r1=-64\ncopy dst=s:0+r1 a=s:0 rows=1 cols=4\nhalt\n", Json::object(),
                {"stopped at word 1", "r1", "-64"});
  check_program(scratch, "preload a=s:0 a_format=f32 order=nk rows=33 cols=1\nhalt\n", Json::object(),
                {"word 0", "33 x 1", "32 x 32"});
}

TEST_CASE("the watchdog ends a machine that makes no progress") {
  const Scratch scratch;
  check_program(scratch, "load dst=s:0 dram=0 rows=1 cols=64\nhalt\n", {{"watchdog_cycles", 80}},
                {"no instruction was retired for 80 cycles", "in flight:\n    word 0: load"});
}

TEST_CASE("files that cannot be read or written") {
  const Scratch scratch;
  const std::string model = scratch.model();
  check_error(kIo, {"run", "-m", scratch / "none.gguf"}, {"none.gguf"});
  check_error(kIo, {"run", "-m", model, "-c", scratch / "none.json"}, {"none.json"});
  check_error(kIo, {"run", "--program", scratch / "none.tcp"}, {"none.tcp"});
  check_error(kIo, {"asm", scratch / "none.tcasm", "-o", scratch / "x"}, {"none.tcasm"});
  check_error(kIo, {"disasm", scratch / "none.tcp"}, {"none.tcp"});
  check_error(kIo, {"inspect", scratch / "none.json"}, {"none.json"});
  check_error(kIo, {"perplexity", "-m", model, "-f", scratch / "none.txt"}, {"none.txt"});
}

TEST_CASE("an output that cannot be written leaves nothing behind, and is refused before the work") {
  const Scratch scratch, target;
  const std::string model = scratch.model();
  check_error(kIo, {"run", "-m", model, "-n", "2", "-q", "--result", target / "none/r.json"},
              {"none/r.json"});
  std::filesystem::create_directory(target / "folder");
  check_error(kIo, {"run", "-m", model, "-n", "2", "-q", "--result", target / "folder"}, {"folder"});
  check_error(kIo, {"compile", "-m", model, "-o", target / "none/p.tcp"}, {"none/p.tcp"});
  check_error(kIo, {"compile", "-m", model, "-o", target / "folder"}, {"folder"});
  std::filesystem::remove(target / "folder");
  CHECK(target.empty());
  // A run that fails later leaves no result either.
  check_error(kSimulation, {"run", "-m", model, "-n", "999", "--result", target / "r.json"}, {"context"});
  CHECK(target.empty());
}
