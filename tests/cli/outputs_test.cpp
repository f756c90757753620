// SPDX-License-Identifier: Apache-2.0
// Is an output only ever a new file or an older output? What a command reads, and what is no file, stays as
// it is.
#include <sys/stat.h>  // mkfifo

#include <catch2/catch.hpp>

#include "cli/output_files.h"
#include "refusal.h"

using namespace tokencycle;
using Catch::Contains;
using test::check_refusal;
using test::launch;
using test::Scratch;

namespace {

using Arguments = std::vector<std::string>;
constexpr int kUsage = 2, kConfiguration = 3, kIo = 7;

// One file of each kind that a command reads.
struct Inputs {
  Scratch scratch;
  std::string model = scratch.model(), machine = scratch.machine("edge", nlohmann::json::object()),
              result = scratch / "r.json", other = scratch / "other.json", source = scratch / "a.tcasm",
              program = scratch / "p.tcp", trace = scratch.file("t.trace", "R 0x40\nW 0x80\n"),
              memory = scratch.file("two.json", R"({"schema": "tokencycle-dram-system-1", "name": "two",
                                                    "preset": "ddr4-3200"})");
  Inputs() {
    scratch.file("a.tcasm", "nop\nhalt\n");
    REQUIRE(launch({"run", "-m", model, "-n", "1", "-q", "--result", result}).exit_code == 0);
    std::filesystem::copy_file(result, other);
    REQUIRE(launch({"asm", source, "-o", program}).exit_code == 0);
  }
};

}  // namespace

TEST_CASE("no command writes over a file that it reads, by whatever name") {
  const Inputs in;
  const std::string dots = in.scratch / "./p.tcp", link = in.scratch / "link";
  std::filesystem::create_symlink("model.gguf", link);
  std::filesystem::create_directory(in.scratch / "results");
  std::filesystem::copy_file(in.result, in.scratch / "results/edge.json");
  const auto before = test::files_below(in.scratch / "");
  const std::vector<Arguments> commands = {
      {"run", "-m", in.model, "--result", in.model},
      {"run", "-m", in.model, "--result", link},
      {"run", "-m", link, "--result", in.model},
      {"run", "-m", in.model, "-c", in.machine, "--result", in.machine},
      {"run", "-m", in.model, "--timing-only", "--tokens", "@" + in.result, "--result", in.result},
      {"compile", "-m", in.model, "-o", in.model},
      {"compile", "-m", in.model, "-c", in.machine, "-o", in.machine},
      {"asm", in.source, "-o", in.source},
      {"disasm", in.program, "-o", dots},
      {"report", in.result, in.other, "-o", in.other},
      {"compare", in.result, in.other, "-o", in.result},
      {"compare", "-m", in.model, "-c", in.machine, "-c", "tiny", "-n", "1", "--results", in.scratch / ""},
      {"compare", "-m", in.model, "-c", "edge", in.scratch / "results/edge.json", "--results",
       in.scratch / "results"},
      {"dram", "-c", "ddr4-3200", in.trace, "--commands", in.trace},
      {"dram", "-c", in.memory, in.trace, "--commands", in.memory},
  };
  for (const Arguments& arguments : commands) {
    check_refusal(kUsage, arguments, {"the command reads this file; name another one"});
  }
  CHECK(test::files_below(in.scratch / "") == before);
}

TEST_CASE("two outputs are two files") {
  const Inputs in;
  const auto before = test::files_below(in.scratch / "");
  const std::string vcd = in.scratch / "t.vcd", same = in.scratch / "./t.vcd";
  for (const Arguments& arguments :
       std::vector<Arguments>{{"run", "-m", in.model, "--trace", vcd, "--trace", same},
                              {"run", "-m", in.model, "--trace", vcd, "--result", same},
                              {"compare", "-m", in.model, "-c", "edge", "-c", "tiny", "--results",
                               in.scratch / "new", "-o", in.scratch / "new/tiny.json"}}) {
    check_refusal(kUsage, arguments, {"given twice", "name two files"});
  }
  CHECK(test::files_below(in.scratch / "") == before);
  // In the working folder, where none of them is yet.
  CHECK_THROWS_AS(cli::check_apart({{"--trace", "none.vcd"}, {"--trace", "./none.vcd"}}, {}), UsageError);
  CHECK_NOTHROW(cli::check_apart({{"--trace", "none.vcd"}, {"--trace", "other.vcd"}}, {"none.gguf"}));
}

TEST_CASE("a pipe or a device is refused as an output, and is there afterwards") {
  const Inputs in;
  const std::string pipe = in.scratch / "pipe.vcd";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const std::vector<Arguments> commands = {
      {"run", "-m", in.model, "--result"},
      {"run", "-m", in.model, "--trace"},
      {"run", "--program", in.program, "--trace"},
      {"compile", "-m", in.model, "-o"},
      {"asm", in.source, "-o"},
      {"disasm", in.program, "-o"},
      {"report", in.result, "-o"},
      {"compare", in.result, in.other, "-o"},
      {"dram", "-c", "ddr4-3200", in.trace, "--commands"},
  };
  for (Arguments arguments : commands) {
    arguments.push_back(pipe);
    check_refusal(kIo, arguments, {pipe + ": it is a device or a pipe", "name a regular file"});
    // Names that are not there, for the case that the check is not: only root could replace a device.
    arguments.back() = "/dev/none.vcd";
    check_refusal(kIo, arguments, {"/dev/none.vcd: it is a device or a pipe"});
    CHECK(std::filesystem::is_fifo(pipe));
  }
}

TEST_CASE("a run that fails before its first step leaves no traces, and older ones as they were") {
  const Inputs in;
  const std::string vcd = in.scratch.file("old.vcd", "older"), kanata = in.scratch / "new.kanata",
                    perfetto = in.scratch / "new.pftrace", fst = in.scratch / "new.fst",
                    csv = in.scratch / "new.operators.csv";
  const std::string narrow = in.scratch.file("narrow.json", [&] {
    nlohmann::json json = test::json_of(in.machine);
    json["scratchpad"]["capacity_kib"] = 1;
    return json.dump();
  }());
  const auto before = test::files_below(in.scratch / "");
  const Arguments traces = {"--trace", vcd,       "--trace", kanata,    "--trace",
                            perfetto,  "--trace", fst,       "--trace", csv};
  const auto run = [&](int exit_code, Arguments arguments, const std::string& part) {
    arguments.insert(arguments.begin(), {"run", "-m", in.model});
    arguments.insert(arguments.begin() + 3, traces.begin(), traces.end());
    check_refusal(exit_code, arguments, {part});
    CHECK(test::files_below(in.scratch / "") == before);
  };
  run(kUsage, {"--trace", in.scratch / "t.unknown"}, "t.unknown");
  run(kIo, {"--trace", in.scratch / "none/t.vcd"}, "none/t.vcd");
  run(kConfiguration, {"-c", narrow}, "the scratchpad has 1.0 KiB");
  run(kUsage, {"-n", "999"}, "the context has 128");
}

TEST_CASE("a file name cannot control the terminal or tear the message apart") {
  const std::string message = check_refusal(kIo, {"inspect", "/none/a\x1b[31m\n\nb.json"}, {"a\\x1b[31m"});
  CHECK(message.find('\x1b') == std::string::npos);
}
