// SPDX-License-Identifier: Apache-2.0
// Does the command line help? Overview, help texts, and what it says to arguments that it does not know.
#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "refusal.h"

using namespace tokencycle;
using Catch::Contains;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

const std::vector<std::string> kCommands = {"run",  "compare", "report",  "perplexity", "gemm",
                                            "dram", "inspect", "compile", "asm",        "disasm"};

// Exit code 2, and one line with all the parts.
void check_refused(const std::vector<std::string>& arguments, const std::vector<std::string>& parts) {
  const std::string message = test::check_refusal(2, arguments, parts);
  CAPTURE(arguments, message);
  CHECK(std::count(message.begin(), message.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("--version names commit, libraries and compiler") {
  const Outcome o = launch({"--version"});
  CHECK(o.exit_code == 0);
  CHECK_THAT(o.out, Catch::StartsWith("tokencycle 0.") && Contains("SystemC 2.3") && Contains("Boost"));
}

TEST_CASE("options as llama.cpp has them are understood, and others are guessed by their beginning") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const Outcome own =
      launch({"run", "-m", model, "--new-tokens", "2", "--context", "40", "--temperature", "0", "-q"});
  const Outcome theirs =
      launch({"run", "-m", model, "--n-predict=2", "--ctx-size", "40", "--temp", "0", "-q"});
  CHECK(theirs.exit_code == 0);
  CHECK(theirs.out == own.out);
  check_refused({"run", "--tempe", "0"}, {"--tempe", "did you mean --temperature?"});
  check_refused({"run", "-n", "-1"}, {"--new-tokens is -1; it must be at least 1"});
  check_refused({"dram", "--temp", "0"}, {"unknown option --temp"});
}

TEST_CASE("without arguments the overview goes to standard error, with --help to standard output") {
  const Outcome none = launch({});
  CHECK(none.exit_code == 2);
  CHECK(none.out.empty());
  for (const std::string option : {"--help", "-h", "help"}) {
    const Outcome asked = launch({option});
    CHECK(asked.exit_code == 0);
    CHECK(asked.err.empty());
    CHECK(asked.out == none.err);
  }
  for (const std::string& command : kCommands) CHECK_THAT(none.err, Contains("\n  " + command + " "));
  CHECK_THAT(none.err, Contains("exit codes: 0 success, 2 usage, 3 configuration, 4 model"));
}

TEST_CASE("every command's help fits a screen and shows an example") {
  for (const std::string& command : kCommands) {
    CAPTURE(command);
    const Outcome o = launch({command, "--help"});
    CHECK(o.exit_code == 0);
    CHECK(o.err.empty());
    CHECK_THAT(o.out, Catch::StartsWith("usage: tokencycle " + command));
    CHECK_THAT(o.out, Contains("\nexample:\n  tokencycle " + command));
    std::istringstream lines(o.out);
    std::string line;
    int count = 0;
    while (std::getline(lines, line)) {
      CAPTURE(line);
      CHECK(line.size() <= 80);
      CHECK_FALSE(line.ends_with(' '));
      ++count;
    }
    CHECK(count <= 40);
    CHECK(launch({command, "-h"}).out == o.out);
    if (o.out.find("--help-all") == std::string::npos) continue;
    const Outcome all = launch({command, "--help-all"});
    CHECK(all.exit_code == 0);
    CHECK(all.out.size() > o.out.size());
  }
}

TEST_CASE("unknown commands and options are refused with the nearest known one") {
  check_refused({"runn"}, {"unknown command 'runn'", "did you mean 'run'?"});
  check_refused({"qqqqqqqq"}, {"unknown command 'qqqqqqqq'", "tokencycle --help"});
  check_refused({"run", "--promt", "x"}, {"unknown option --promt", "did you mean --prompt?", "run --help"});
  check_refused({"compile", "--postion", "3"}, {"did you mean --position?", "compile --help"});
  check_refused({"asm", "--zzzzzzzz"}, {"unknown option --zzzzzzzz;", "asm --help"});
}

TEST_CASE("missing arguments are named") {
  check_refused({"run", "-m"}, {"--model", "missing"});
  check_refused({"inspect"}, {"--input is missing"});
  check_refused({"disasm"}, {"--input is missing"});
  check_refused({"asm", "x.tcasm"}, {"--output is missing"});
  check_refused({"compile"}, {"--output is missing"});
  check_refused({"perplexity"}, {"--file is missing"});
  check_refused({"inspect", "one", "two"}, {"too many positional"});
}

TEST_CASE("values out of range are refused with the range, before anything is printed") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto refused = [&](std::vector<std::string> arguments, const std::vector<std::string>& parts) {
    arguments.insert(arguments.begin(), {"run", "-m", model});
    check_refused(arguments, parts);
  };
  refused({"-n", "abc"}, {"'abc'", "--new-tokens"});
  refused({"-n", "-3"}, {"--new-tokens is -3"});
  refused({"-n", "0"}, {"--new-tokens is 0", "at least 1"});
  refused({"-n", "99999999999"}, {"--new-tokens is 99999999999", "4294967295"});
  refused({"--clock", "fast"}, {"--clock is 'fast'", "gated or every-edge"});
  refused({"--kv-type", "q5_0"}, {"--kv-type is 'q5_0'", "f8_e4m3 or f8_e5m2"});
  refused({"--rope", "both"}, {"--rope is 'both'", "adjacent or split"});
  refused({"--no-fusion", "gated"}, {"--no-fusion is 'gated'", "gated-blocks", "residual-sink"});
  refused({"--no-fusion", "rotary-group,"}, {"--no-fusion is ''"});
  refused({"--temperature", "-1"}, {"temperature is -1"});
  refused({"--temperature", "nan"}, {"temperature is nan"});
  refused({"--temperature", "1", "--top-p", "2"}, {"top-p is 2"});
  refused({"--context", "1000"}, {"--context is 1000", "at most 128"});
  refused({"--dump", "dram:0:f32:1"}, {"--dump", "--program"});
  const std::string text = scratch.file("text.txt", "once upon a time");
  const auto refused_by_perplexity = [&](const std::string& option, const std::string& value,
                                         const std::string& part) {
    check_refused({"perplexity", "-m", model, "-f", text, option, value}, {part});
  };
  refused_by_perplexity("--kv-type", "q5_0",
                        "--kv-type is 'q5_0'; it must be f32, f16, q8_0, q4_0, f8_e4m3 or f8_e5m2");
  refused_by_perplexity("--window", "1", "--window is 1; with this model it must be 2 to 128");
  refused_by_perplexity("--window", "129", "--window is 129; with this model it must be 2 to 128");
}

TEST_CASE("an empty prompt is refused where the vocabulary has no token to begin with") {
  const Scratch scratch;
  const std::string model = scratch.model({.tokenizer = test::SyntheticTokenizer::gpt2});
  check_refused({"run", "-m", model, "-p", ""}, {"--prompt is empty and the vocabulary has no BOS token"});
  check_refused({"run", "-m", model, "-p", "", "--timing-only"},
                {"--prompt is empty and the vocabulary has no BOS token"});
}

TEST_CASE("options that a program cannot heed are refused, not ignored") {
  check_refused({"run", "--program", "x.tcp", "-m", "y.gguf"}, {"--model does not go with --program"});
  check_refused({"run", "--program", "x.tcp", "--check"}, {"--check does not go with --program"});
  const Scratch scratch;
  check_refused({"run", "--program", "x.tcp", "--result", scratch / "r.json"},
                {"--result does not go with --program"});
  check_refused({"run", "--program", "x.tcp", "--dump", "dram:0:f32"},
                {"--dump dram:0:f32", "dram:0x1000:f32:16"});
  check_refused({"run", "--program", "x.tcp", "--dump", "rom:0:f32:1"}, {"dram|scratchpad|accumulator"});
}

TEST_CASE("compile refuses steps that the machine cannot hold") {
  const Scratch scratch;
  const std::string model = scratch.model({.context = 64, .matrices = Format::q8_0});
  const auto refused = [&](const std::string& option, const std::string& value, const std::string& part) {
    check_refused({"compile", "-m", model, "-o", scratch / "p.tcp", option, value}, {part});
    CHECK_FALSE(std::filesystem::exists(scratch / "p.tcp"));
  };
  refused("--tokens", "0", "--tokens is 0");
  refused("--tokens", "65", "holds 1 to 64");
  refused("--position", "64", "end beyond the context of 64");
}
