// SPDX-License-Identifier: Apache-2.0
// Does each kind of error have its exit code, a message that says where and what to do, and no other effect?
#include <algorithm>
#include <catch2/catch.hpp>

#include "refusal.h"

using namespace tokencycle;
using Catch::Contains;
using Json = nlohmann::json;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

constexpr int kUsage = 2, kConfiguration = 3, kModel = 4, kProgram = 5, kSimulation = 6, kIo = 7;

// The program of an assembly text, on edge with `changes`.
void check_program(const Scratch& scratch, const std::string& assembly, const Json& changes,
                   const std::vector<std::string>& parts) {
  const std::string source = scratch.file("p.tcasm", assembly), program = scratch / "p.tcp";
  REQUIRE(launch({"asm", source, "-o", program}).exit_code == 0);
  test::check_refusal(kSimulation, {"run", "--program", program, "-c", scratch.machine("edge", changes)},
                      parts);
}

}  // namespace

TEST_CASE("a wrong machine description: every fault with its path, value and range") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto error = [&](const Json& changes, const std::vector<std::string>& parts) {
    test::check_refusal(kConfiguration, {"run", "-m", model, "-c", scratch.machine("edge", changes)}, parts);
  };
  error({{"matrix", {{"rows", 0}, {"colums", 3}}}}, {"2 errors", "/matrix/rows: 0 is not allowed",
                                                     "1 .. 4096", "/matrix/colums: unknown key", "columns"});
  error({{"clock_ghz", "fast"}}, {"/clock_ghz"});
  error({{"dma", {{"port_bytes", 1024}}}}, {"/dma/port_bytes"});
  test::check_refusal(kConfiguration, {"run", "-m", model, "-c", scratch.file("m.json", "{\n  \"name\": }")},
                      {"m.json:2:", "not JSON"});
}

TEST_CASE("a machine that cannot run the model: what it lacks and what would do") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto error = [&](const Json& changes, const std::vector<std::string>& parts) {
    test::check_refusal(kConfiguration, {"run", "-m", model, "-c", scratch.machine("edge", changes)}, parts);
  };
  error({{"scratchpad", {{"capacity_kib", 1}}}},
        {"the scratchpad has 1.0 KiB", "set /scratchpad/capacity_kib to at least "});
  error({{"matrix", {{"cycles_per_row", {{"int8", nullptr}}}}}},
        {"'blk.0.attn_q.weight'", "q8_0", "int8", "/matrix/cycles_per_row/int8"});
  error({{"cores", 2}}, {"/cores: 2", "set it to 1"});
  error({{"matrix", {{"units", 2}}}}, {"/matrix/units: 2", "run --program"});
  error({{"dma", {{"engines", 3}}}}, {"/dma/engines: 3"});
}

TEST_CASE("a program uses all units of a core, and a core of several") {
  const Scratch scratch;
  const std::string program = scratch / "p.tcp";
  REQUIRE(launch({"asm", scratch.file("p.tcasm", "nop\nhalt\n"), "-o", program}).exit_code == 0);
  const std::string several =
      scratch.machine("edge", {{"matrix", {{"units", 2}}}, {"dma", {{"engines", 2}}}});
  CHECK(launch({"run", "--program", program, "-c", several, "-q"}).exit_code == 0);
  CHECK(
      launch({"run", "--program", program, "-c", scratch.machine("edge", {{"cores", 2}}), "-q"}).exit_code ==
      0);
}

TEST_CASE("what is no model, or half of one, or holds an unknown type") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const std::string bytes = test::contents_of(model);
  test::check_refusal(kModel, {"run", "-m", scratch.file("text.gguf", "once upon a time")},
                      {"text.gguf", "GGUF"});
  test::check_refusal(kModel, {"run", "-m", scratch.file("half.gguf", bytes.substr(0, bytes.size() / 2))},
                      {"half.gguf", "truncated"});
  test::check_refusal(kModel, {"run", "-m", scratch.file("tail.gguf", bytes.substr(0, bytes.size() - 1))},
                      {"tail.gguf"});

  constexpr std::uint32_t kIq3S = 21;  // a type that the machine does not have: 110 bytes for 256
  test::GgufWriter writer = test::synthetic_gguf({.width = 256, .matrices = Format::f16});
  REQUIRE(writer.remove_tensor("output.weight"));
  writer.tensor("output.weight", {256, 300}, kIq3S, std::vector<std::byte>(110 * 300));
  const std::vector<std::byte> other = writer.bytes();
  const std::string path =
      scratch.file("iq3.gguf", {reinterpret_cast<const char*>(other.data()), other.size()});
  test::check_refusal(kModel, {"run", "-m", path}, {"output.weight", "IQ3_S"});
  const Outcome inspected = launch({"inspect", path});  // it can be looked at all the same
  CHECK(inspected.exit_code == 0);
  CHECK_THAT(inspected.out, Contains("(not supported)"));

  test::check_refusal(
      kModel, {"perplexity", "-m", model, "-f", scratch.file("short.txt", "too short"), "--window", "64"},
      {"64"});
}

TEST_CASE("what is no program") {
  const Scratch scratch;
  const std::string garbage = scratch.file("garbage.tcp", std::string(300, 'x'));
  test::check_refusal(kProgram, {"run", "--program", garbage}, {"garbage.tcp", "TCPROG"});
  test::check_refusal(kProgram, {"disasm", garbage}, {"garbage.tcp", "byte 0"});
  test::check_refusal(kProgram, {"inspect", scratch.file("short.tcp", "TCPROG")}, {"short.tcp"});
  const std::string output = scratch / "out.tcp";
  const auto error = [&](const std::string& text, const std::vector<std::string>& parts) {
    test::check_refusal(kProgram, {"asm", scratch.file("a.tcasm", text), "-o", output}, parts);
    CHECK_FALSE(std::filesystem::exists(output));
  };
  error("nop\n  lod dst=s:0 dram=0 rows=1 cols=4\nhalt\n", {"a.tcasm:2:3:", "lod", "did you mean \"load\"?"});
  error("load dst=s:0 drm=0 rows=1 cols=4\nhalt\n", {"a.tcasm:1:14:", "drm", "did you mean \"dram\"?"});
  error("set_address r77=1\n", {"a.tcasm:1:"});
}

TEST_CASE("a full context names its size and what is needed") {
  const Scratch scratch;
  const std::string model = scratch.model();
  test::check_refusal(kUsage, {"run", "-m", model, "-p", "a", "-n", "1000"},
                      {"1000 new ones", "the context has 128"});
  test::check_refusal(kUsage, {"run", "-m", model, "--context", "8", "-n", "20"},
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

TEST_CASE("the watchdog tells what every unit has, and who waits for whom because of what") {
  const Scratch scratch;
  // No program of the instruction set stands still for ever, but 256 KiB take longer than this watchdog
  // waits.
  const auto dump = [&](const std::string& program, Json changes, std::vector<std::string> parts) {
    changes["watchdog_cycles"] = 2000;
    parts.insert(parts.end(), {"no instruction was retired for 2000 cycles (watchdog_cycles), at cycle ",
                               "\n  fetch: idle, words ", ", 0 bursts in flight\n  decode: word ",
                               "\n  dispatch: idle\n  dma0.read: ", "\n  dma0.write: ",
                               "\n  matrix0: idle, 0 instructions\n  vector0: idle, 0 instructions\n",
                               "  writeback: idle, 0 waiting\n  dram.channel0: ", "\n  dram.channel1: ",
                               " reads and ", " writes wait, ", " with their row open\n  in flight:\n"});
    check_program(scratch, program, changes, parts);
  };
  const std::string block = " dst_stride=4096 dram_stride=4096 rows=64 cols=4096\n",
                    load = "load dst=s:0 dram=0x10000" + block, reads = "dma0.read: busy,",
                    flying = " (dma0.read, started in cycle ";
  dump(load + "copy dst=s:0x60000 a=s:16 rows=1 cols=16\nhalt\n", {},
       {"decode: word 1, read_after_write\n    holds copy dst=s:0x60000", reads, " 1 transfers, ", flying,
        "waits for dma0.read because of read_after_write on scratchpad bytes 16 to 80 of word 0\n",
        "\n    word 0: load dst=s:0x0"});
  dump(load + "load dst=s:64 dram=0 rows=1 cols=64\nhalt\n", {},
       {"waits for dma0.read because of write_after_write on scratchpad bytes 64 to 128 of word 0\n"});
  dump(load + "load dst=s:0x60000 dram=0 rows=1 cols=64\nhalt\n", {},
       {"decode: word 2, fence\n    holds halt\n    waits for dma0.read because of fence\n", " 2 transfers, ",
        "\n    word 1: load dst=s:0x60000", " (dma0.read, dispatched in cycle "});
  const std::string second = "load dst=s:0x60000 dram=0 rows=1 cols=64\n",
                    third = "load dst=s:0x70000 dram=0 rows=1 cols=64\nhalt\n";
  dump(load + second + third, {{"dispatch", {{"queue_depth", 2}}}},
       {"holds load dst=s:0x70000", "waits for dma0.read because of queue_full: 2 instructions\n"});
  dump(load + second + third, {{"scoreboard", {{"entries", 2}}}, {"dispatch", {{"queue_depth", 2}}}},
       {"waits for dma0.read because of scoreboard_full: 2 entries\n"});
  dump(
      "store a=s:0 a_stride=4096 dram=0x10000 dram_stride=4096 rows=64 cols=1024\n"
      "load dst=s:0x1000 dram=0 rows=1 cols=64\nhalt\n",
      {},
      {"waits for dma0.write because of write_after_read on scratchpad bytes 4096 to 4160 of word 0\n",
       " (dma0.write, started in cycle "});
}

TEST_CASE("files that cannot be read or written") {
  const Scratch scratch;
  const std::string model = scratch.model();
  test::check_refusal(kIo, {"run", "-m", scratch / "none.gguf"}, {"none.gguf"});
  test::check_refusal(kIo, {"run", "-m", model, "-c", scratch / "none.json"}, {"none.json"});
  test::check_refusal(kIo, {"run", "--program", scratch / "none.tcp"}, {"none.tcp"});
  test::check_refusal(kIo, {"asm", scratch / "none.tcasm", "-o", scratch / "x"}, {"none.tcasm"});
  test::check_refusal(kIo, {"disasm", scratch / "none.tcp"}, {"none.tcp"});
  test::check_refusal(kIo, {"inspect", scratch / "none.json"}, {"none.json"});
  test::check_refusal(kIo, {"perplexity", "-m", model, "-f", scratch / "none.txt"}, {"none.txt"});
}

TEST_CASE("an output that cannot be written leaves nothing behind, and is refused before the work") {
  const Scratch scratch, target;
  const std::string model = scratch.model();
  test::check_refusal(kIo, {"run", "-m", model, "-n", "2", "-q", "--result", target / "none/r.json"},
                      {"none/r.json"});
  std::filesystem::create_directory(target / "folder");
  test::check_refusal(kIo, {"run", "-m", model, "-n", "2", "-q", "--result", target / "folder"}, {"folder"});
  test::check_refusal(kIo, {"compile", "-m", model, "-o", target / "none/p.tcp"}, {"none/p.tcp"});
  test::check_refusal(kIo, {"compile", "-m", model, "-o", target / "folder"}, {"folder"});
  std::filesystem::remove(target / "folder");
  CHECK(target.empty());
  // A run that fails later leaves no result either.
  test::check_refusal(kUsage, {"run", "-m", model, "-n", "999", "--result", target / "r.json"}, {"context"});
  CHECK(target.empty());
}
