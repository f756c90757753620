// SPDX-License-Identifier: Apache-2.0
// Do programs run, hand-written and compiled? asm, disasm, compile, run --program, and what inspect shows.
#include <catch2/catch.hpp>

#include "command_line.h"

using namespace tokencycle;
using Catch::Contains;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

const std::string kMatmul = TOKENCYCLE_SOURCE_DIR "/tests/isa/programs/matmul.tcasm";
// Y of matmul.tcasm: 32 x (111, 222, 333, 0), and twice that.
const std::string kProduct = " 3552 7104 10656 0 7104 14208 21312 0\n";

std::string output_of(const std::vector<std::string>& arguments) {
  const Outcome o = launch(arguments);
  CAPTURE(arguments, o.err);
  REQUIRE(o.exit_code == 0);
  CHECK(o.err.empty());
  return o.out;
}

}  // namespace

TEST_CASE("the hand-written product is assembled, run, dumped, and survives a round trip") {
  const Scratch scratch;
  const std::string first = scratch / "first.tcp", second = scratch / "second.tcp",
                    text = scratch / "text.tcasm";
  CHECK_THAT(output_of({"asm", kMatmul, "-o", first}), Contains("10 words, 2 data segments"));
  const std::string dump = "dram:0x3000:f32:8";
  CHECK(output_of({"run", "--program", first, "--dump", dump, "-q"}) == dump + "\n" + kProduct);
  CHECK(output_of({"run", "--program", first, "--dump", dump, "-q", "--clock", "every-edge"}) ==
        dump + "\n" + kProduct);

  output_of({"disasm", first, "-o", text});
  CHECK(output_of({"disasm", first}) == test::contents_of(text));
  output_of({"asm", text, "-o", second});
  CHECK(test::contents_of(first) == test::contents_of(second));
}

TEST_CASE("a program's cycles are printed with their causes, and dumps of every memory and format") {
  const Scratch scratch;
  const std::string program = scratch / "p.tcp";
  output_of({"asm", kMatmul, "-o", program});
  const std::string out = output_of({"run", "--program", program, "--dump", "accumulator:0:f32:8", "--dump",
                                     "scratchpad:0x400:f32:2", "--dump", "dram:0x3000:u32:1"});
  CHECK_THAT(out, Catch::StartsWith("accumulator:0:f32:8\n" + kProduct + "scratchpad:0x400:f32:2\n 1 1\n" +
                                    "dram:0x3000:u32:1\n 1163788288\n"));  // 3552.0f is 0x455e0000
  CHECK_THAT(out, Contains("12 instructions in ") && Contains(" cycles\n  matrix "));
  CHECK(launch({"run", "--program", program, "--dump", "dram:0xffffffffff:f32:8"}).exit_code == 2);
}

TEST_CASE("each core of a machine runs the program that is given for it") {
  const Scratch scratch;
  const auto assembled = [&](const std::string& name, const std::string& text) {
    const std::string program = scratch / (name + ".tcp");
    output_of({"asm", scratch.file(name + ".tcasm", text), "-o", program});
    return program;
  };
  const std::string first = assembled(
                        "first",
                        ".data 0x1000 f32 1 2 3 4\nload dst=s:0 dram=0x1000 rows=1 cols=16\n"
                        "scale dst=s:64 a=s:0 rows=1 cols=4 scalar=2\n"
                        "store a=s:64 dram=0x2000 rows=1 cols=4\nsignal semaphore=0 units=store\nhalt\n"),
                    second = assembled("second",
                                       "wait semaphore=0\nload dst=s:0 dram=0x2000 rows=1 cols=16\n"
                                       "add_scalar dst=s:128 a=s:0 rows=1 cols=4 scalar=1\nhalt\n"),
                    other = assembled("other", ".data 0x1004 f32 7\nhalt\n");
  for (const char* const clock : {"gated", "every-edge"}) {
    const std::string out =
        output_of({"run", "-c", "edge-2core", "--program", first, "--program", second, "--clock", clock,
                   "--dump", "core1.scratchpad:128:f32:4", "--dump", "core0.scratchpad:64:f32:4"});
    CHECK_THAT(out, Catch::StartsWith(
                        "core1.scratchpad:128:f32:4\n 3 5 7 9\ncore0.scratchpad:64:f32:4\n 2 4 6 8\n") &&
                        Contains("core0: 5 instructions in ") && Contains("core1: 4 instructions in "));
  }
  CHECK_THAT(output_of({"run", "-c", "edge-2core", "--program", first}), !Contains("core1"));
  const auto refused = [](std::vector<std::string> arguments, int code, const std::string& what) {
    arguments.insert(arguments.begin(), "run");
    const Outcome o = launch(arguments);
    CHECK(o.exit_code == code);
    CHECK_THAT(o.err, Contains(what));
  };
  refused({"--program", first, "--program", second}, 2,
          "--program is given 2 times, and edge has 1 core (/cores)");
  refused({"-c", "edge-2core", "--program", first, "--program", other}, 5,
          "have different data in DRAM bytes 0x1004 to 0x1008; move one's");
  refused({"-c", "edge-2core", "--program", first, "--dump", "core2.scratchpad:0:f32:1"}, 2,
          "the machine has core0 to core1 (/cores)");
  refused({"-c", "edge-2core", "--program", first, "--trace", scratch / "t.pftrace"}, 2,
          "traces show one core so far, and edge-2core has 2 (/cores)");
  refused({"-c", "edge-2core", "-m", scratch.model(), "-n", "1"}, 3, "edge-2core: /cores: 2; ");
}

TEST_CASE("a program that uses a link is refused with file, word and remedy") {
  const Scratch scratch;
  const std::string program = scratch / "sends.tcp";
  output_of(
      {"asm", scratch.file("sends.tcasm", "nop\nsend a=s:0 rows=1 cols=4 link=1\nhalt\n"), "-o", program});
  CHECK_THAT(output_of({"disasm", program}), Contains("send a=s:0x0 rows=1 cols=4 link=1  ; 1: 4 bytes"));
  const Outcome o = launch({"run", "--program", program});
  CHECK(o.exit_code == 5);
  CHECK_THAT(o.err, Contains(program +
                             ": word 1: send needs a link, and edge has none; pass the data through DRAM"));
}

TEST_CASE("a program beyond the machine's DRAM is refused with the size that will do") {
  const Scratch scratch;
  const std::string program = scratch / "far.tcp";
  output_of({"asm", scratch.file("far.tcasm", ".data 0xfffffff f32 1 2\nhalt\n"), "-o", program});
  CHECK_THAT(output_of({"inspect", program}), Contains("data at 0xfffffff: 8 bytes"));
  const Outcome o = launch({"run", "--program", program, "-c", "tiny"});
  CHECK(o.exit_code == 5);
  CHECK_THAT(o.err, Contains("the machine's DRAM has 64.0 MiB; raise /dram/capacity_mib to at least 257"));
}

TEST_CASE("a compiled step can be read, taken apart and run") {
  const Scratch scratch;
  const std::string model = scratch.model(), program = scratch / "step.tcp", again = scratch / "again.tcp";
  CHECK_THAT(
      output_of({"compile", "-m", model, "-c", "edge", "--position", "4", "--tokens", "2", "-o", program}),
      Contains(" words ") && Contains("39 operators") && Contains("written to"));
  const std::string seen = output_of({"inspect", program});
  CHECK_THAT(seen, Contains("machine: edge ") && Contains("  multiply ") && Contains("  blk.1.ffn_down ") &&
                       Contains("  output "));
  const std::string text = scratch.file("step.tcasm", output_of({"disasm", program}));
  output_of({"asm", text, "-o", again});
  CHECK(test::contents_of(program) == test::contents_of(again));
  CHECK_THAT(output_of({"run", "--program", program, "-c", "edge"}), Contains(" instructions in "));
  output_of({"compile", "-m", model, "-c", "edge", "--position", "4", "--tokens", "2", "-o", again});
  CHECK(test::contents_of(program) == test::contents_of(again));
}

TEST_CASE("inspect shows what is in models, machines and results") {
  const Scratch scratch;
  const std::string model = scratch.model(), result = scratch / "result.json";
  const std::string of_model = output_of({"inspect", model});
  CHECK_THAT(of_model, Contains("general.architecture") && Contains("blk.1.ffn_down.weight") &&
                           Contains("Q8_0") && Contains("parameters") && Contains("digest") &&
                           Contains("weights read for a token") && Contains("keys and values of a position"));
  for (const std::string machine : {"edge", TOKENCYCLE_SOURCE_DIR "/configs/edge.json"}) {
    CHECK_THAT(output_of({"inspect", machine}), Contains("machine    edge") && Contains("peak int8") &&
                                                    Contains("DRAM peak") &&
                                                    Contains("\"capacity_kib\": 512"));
  }
  output_of({"run", "-m", model, "-n", "3", "-q", "--result", result});
  CHECK_THAT(output_of({"inspect", result}), Contains("model      model.gguf") && Contains("prefill") &&
                                                 Contains("blk.0.attention") &&
                                                 Contains("matrix0.multiply_accumulates"));
  const Outcome broken =
      launch({"inspect", scratch.file("r.json", "{\"schema\": \"tokencycle-result-1\", \"tokens\": 3}")});
  CHECK(broken.exit_code == 7);
  CHECK_THAT(broken.err, Contains("not a whole tokencycle result"));
}

TEST_CASE("perplexity is the same by the reference and by the machine") {
  const Scratch scratch;
  const std::string model = scratch.model();
  std::string text;
  for (int i = 0; i < 40; ++i) text += "the hen and the fox went in and in the end the hen won. ";
  const std::string file = scratch.file("text.txt", text);
  const std::string reference = output_of({"perplexity", "-m", model, "-f", file, "--window", "64"});
  const std::string machine =
      output_of({"perplexity", "-m", model, "-f", file, "--window", "64", "-c", "gemmini"});
  CHECK_THAT(reference, Catch::StartsWith("perplexity ") && Contains(" by the reference: "));
  CHECK_THAT(machine, Contains(" by machine gemmini: "));
  CHECK(reference.substr(0, reference.find(" by ")) == machine.substr(0, machine.find(" by ")));
}

TEST_CASE("perplexity of several models is a line each, and of a machine with the cycles of their tokens") {
  const Scratch scratch;
  const test::TemporaryFile recurrent =
      test::write_synthetic_model({.layers = 1, .tied = true, .architecture = "gru"});
  const std::string llama = scratch.model(), gru = recurrent.path().string();
  const std::string file = scratch.file("text.txt", std::string(200, 'a'));
  const auto of = [&](const std::string& form, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"perplexity", "-f", file, "--window", "32", form};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return output_of(arguments);
  };
  const auto both = nlohmann::json::parse(of("--json", {"-m", llama, "-m", gru, "-c", "edge"}))["models"];
  REQUIRE(both.size() == 2);
  for (const std::string& model : {llama, gru}) {
    const auto alone = nlohmann::json::parse(of("--json", {"-m", model}));
    const auto& row = both[model == gru ? 1 : 0];
    CHECK(row["model"] == alone["model"]);
    CHECK(row["perplexity"] == alone["perplexity"]);
    CHECK(row["by"] == "machine edge");
    CHECK(row["token_cycles"] > 1000);
    CHECK(row["prompt_token_cycles"] > 100);
    CHECK(!alone.contains("token_cycles"));
  }
  CHECK_THAT(of("--csv", {"-m", llama, "-m", gru}), Catch::StartsWith("model,weight_bytes,by"));
}
