// SPDX-License-Identifier: Apache-2.0
// Does a signal leave whole files, whenever it comes? Result and traces of runs that are cut at random times.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <random>
#include <regex>
#include <thread>

#include "base/text.h"
#include "command_line.h"
#include "observe/trace_files.h"
#include "support/kanata_linter.h"
#include "support/vcd_reader.h"

using Catch::Contains;
using Json = nlohmann::json;
using namespace tokencycle;
using test::kSlower;
using test::Launched;
using test::Outcome;
using test::Scratch;
using test::temporary_left;
using test::wait;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr int kTries = 5;
#else
constexpr int kTries = 20;
#endif

const std::vector<std::string> kTraces = {"a.pftrace", "b.pftrace.gz", "c.kanata",       "d.kanata.gz",
                                          "e.vcd",     "f.tokens.csv", "g.operators.csv"};

std::uint64_t sum_of(const Json& values) {
  std::uint64_t sum = 0;
  for (const Json& value : values) sum += value.get<std::uint64_t>();
  return sum;
}

// The packets of a Perfetto trace: field 1 with a length, one after the other. Throws if the last is cut.
std::size_t packets_of(const std::string& text) {
  std::size_t packets = 0;
  for (std::size_t at = 0; at < text.size(); ++packets) {
    if (text.at(at++) != 0x0a) throw std::runtime_error("no packet");
    std::size_t length = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(text.at(at++));
      length |= std::size_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    at += length;
    if (at > text.size()) throw std::runtime_error("the last packet is cut");
  }
  return packets;
}

// What the readers of tests/observe read, and the mark.
void check_traces(const Scratch& scratch, const std::string& mark) {
  for (const std::string& name : kTraces) {
    CAPTURE(name);
    const std::string text = test::read_unpacked(scratch / name);
    // VCD has no spaces in a text.
    const bool vcd = name.find(".vcd") != std::string::npos;
    CHECK_THAT(text, Contains(vcd ? std::regex_replace(mark, std::regex(" "), "\\040") : mark));
    if (name.find("pftrace") != std::string::npos) CHECK(packets_of(text) > 0);
    if (name.find("kanata") != std::string::npos) CHECK_NOTHROW(test::lint_kanata(text));
    if (vcd) CHECK_NOTHROW(test::read_vcd(text));
  }
}

// The sums that sim/cli/README.md promises of an interrupted run.
void check_result(const Json& r) {
  CHECK(r["stop_reason"] == "interrupted");
  const std::uint64_t cycles = r["cycles"], at = r["interrupted_at"];
  CHECK(cycles == at - 1);
  CHECK(sum_of(r["stack"]) == cycles);
  std::uint64_t complete = 0, operators = 0, end = 1;
  for (const Json& token : r["tokens"]) {
    CHECK(token["start"] == end);
    end = token["end"];
    CHECK(sum_of(token["stack"]) == token["cycles"]);
    complete += token["cycles"].get<std::uint64_t>();
  }
  for (const Json& op : r["operators"]) {
    operators += op["prefill"]["cycles"].get<std::uint64_t>() + op["decode"]["cycles"].get<std::uint64_t>();
  }
  CHECK(operators == complete);
  if (r.contains("unfinished")) {
    const Json& u = r["unfinished"];
    CHECK(u["phase"] == (r["tokens"].empty() ? "prefill" : "decode"));
    CHECK(u["start"] == end);
    CHECK(u["end"] == at);
    CHECK(sum_of(u["stack"]) == u["cycles"]);
    complete += u["cycles"].get<std::uint64_t>();
  }
  CHECK(complete == cycles);
  for (const auto& [unit, states] : r["units"].items()) {
    CAPTURE(unit);
    CHECK(sum_of(states) == cycles);
  }
}

// The cycle that the last line of standard error names.
std::string cycle_of(const std::string& err) {
  std::smatch match;
  if (!std::regex_search(err, match, std::regex("interrupted at cycle ([0-9,]+)"))) return "";
  return std::regex_replace(match[1].str(), std::regex(","), "");
}

}  // namespace

TEST_CASE("a run that a signal ends at any time leaves whole files, or none, and says which") {
  const Scratch models;
  const std::string model = models.model({.context = 2048, .matrices = Format::q8_0});
  std::mt19937 random(20240607);
  int kept = 0, loading = 0;
  for (int n = 0; n < kTries; ++n) {
    const Scratch scratch;
    std::vector<std::string> arguments = {"run",  "-m",           model,      "-n",
                                          "1000", "--ignore-eos", "--result", scratch / "r.json"};
    arguments.insert(arguments.end(), {"--trace-level", "2", "--trace-max-bytes", "1000000000"});
    for (const std::string& name : kTraces) arguments.insert(arguments.end(), {"--trace", scratch / name});
    if (n % 3 == 1) arguments.push_back("-q");
    if (n % 3 == 2) arguments.push_back("--timing-only");
    Launched run(arguments);
    const double seconds = kSlower * std::uniform_real_distribution<>(0, 0.25)(random);
    wait(seconds);
    run.signal(std::array{SIGINT, SIGTERM, SIGHUP}[static_cast<std::size_t>(n % 3)]);
    const Outcome o = run.wait();
    CAPTURE(n, seconds, o.err);
    if (o.err.empty() && o.exit_code > 128) continue;  // it came before main
    REQUIRE(o.exit_code == 130);
    CHECK_FALSE(temporary_left(scratch));
    const std::string cycle = cycle_of(o.err);
    if (cycle.empty()) {
      ++loading;
      CHECK(o.err == "tokencycle: interrupted; nothing was kept\n");
      CHECK(scratch.empty());
      continue;
    }
    ++kept;
    CHECK_THAT(o.err, Catch::EndsWith(".csv\n") || Catch::EndsWith("r.json\n"));
    CHECK(o.out.back() == '\n');
    check_traces(scratch, "interrupted at cycle " + cycle);
    if (!std::filesystem::exists(scratch / "r.json")) {
      CHECK_THAT(o.err, Contains("with 0 of 1000 tokens complete") && !Contains("r.json"));
      CHECK(cycle == "1");  // before the first step
      continue;
    }
    const Json result = test::json_of(scratch / "r.json");
    check_result(result);
    CHECK(result["interrupted_at"].dump() == cycle);
    CHECK_THAT(o.err, Contains(fmt::format("with {} of 1000 tokens", result["tokens"].size())));
    if (n % 3 == 0) CHECK_THAT(o.out, Contains("where the cycles went"));
    if (n % 5 == 0) {
      CHECK_THAT(test::launch({"inspect", scratch / "r.json"}).out,
                 Contains(fmt::format("interrupted at cycle {}", with_separators(std::stoull(cycle)))));
    }
  }
  CHECK(kept >= kTries / 4);
  WARN(kept << " runs were cut with their files, " << loading << " while loading");
}

TEST_CASE("a program that a signal ends leaves whole traces and its cycles") {
  const Scratch sources;
  // 2^20 loops of a few cycles each: some seconds.
  const std::string source = sources.file("p.tcasm",
                                          "loop count=1048576 length=1\nload dst=s:0 dst_stride=64 "
                                          "dram=0x1000 dram_stride=64 rows=16 cols=64\nhalt\n");
  const Outcome assembled = test::launch({"asm", source, "-o", sources / "p.tcp"});
  CAPTURE(assembled.err);
  REQUIRE(assembled.exit_code == 0);
  std::mt19937 random(7);
  int kept = 0;
  for (int n = 0; n < kTries / 4 + 1; ++n) {
    const Scratch scratch;
    std::vector<std::string> arguments = {"run", "--program", sources / "p.tcp", "--trace-max-bytes",
                                          "1000000000"};
    for (const std::string& name : kTraces) arguments.insert(arguments.end(), {"--trace", scratch / name});
    Launched run(arguments);
    wait(kSlower * std::uniform_real_distribution<>(0.02, 0.2)(random));
    run.signal(SIGINT);
    const Outcome o = run.wait();
    CAPTURE(n, o.err);
    if (o.err.empty() && o.exit_code == 128 + SIGINT) continue;  // it came before main
    REQUIRE(o.exit_code == 130);
    CHECK_FALSE(temporary_left(scratch));
    const std::string cycle = cycle_of(o.err);
    if (cycle.empty()) {
      CHECK(scratch.empty());
      continue;
    }
    ++kept;
    CHECK_THAT(o.out, Contains("instructions in "));
    check_traces(scratch, "interrupted at cycle " + cycle);
  }
  CHECK(kept > 0);
}

TEST_CASE("a second signal ends a run that cannot end, and takes its temporary files away") {
  const Scratch scratch;
  const std::string model = scratch.model();
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  // Nobody reads, so that the first word blocks.
  REQUIRE(::fcntl(pipe[1], F_SETFL, O_NONBLOCK) == 0);
  const std::string block(4096, ' ');
  while (::write(pipe[1], block.data(), block.size()) > 0) {
  }
  REQUIRE(::fcntl(pipe[1], F_SETFL, 0) == 0);
  Launched run({"run", "-m", model, "-n", "8", "--trace", scratch / "t.vcd", "--trace", scratch / "t.pftrace",
                "--result", scratch / "r.json"},
               {}, pipe[1]);
  for (int i = 0; i < 600 && !temporary_left(scratch); ++i) wait(0.05);
  REQUIRE(temporary_left(scratch));
  wait(kSlower * 0.5);  // it has come to its first word
  run.signal(SIGINT);
  wait(0.3);
  run.signal(SIGINT);
  const Outcome o = run.wait();
  ::close(pipe[0]);
  ::close(pipe[1]);
  CHECK(o.exit_code == 130);
  CHECK(o.err == "tokencycle: interrupted twice; files that were not complete are gone\n");
  CHECK_FALSE(temporary_left(scratch));
  CHECK_FALSE(std::filesystem::exists(scratch / "r.json"));
}

TEST_CASE("other commands end at once, and nothing is left") {
  const Scratch scratch;
  std::string requests;
  for (int i = 0; i < 3'000'000; ++i) requests += "R 0x40\n";
  const std::string trace = scratch.file("t.trace", requests);
  const std::string model = scratch.model();
  const auto cut = [](const std::vector<std::string>& arguments) {
    Launched run(arguments);
    wait(kSlower * 0.15);
    run.signal(SIGTERM);
    const Outcome o = run.wait();
    CAPTURE(arguments, o.err);
    CHECK(o.exit_code == 130);
    CHECK(o.err == "tokencycle: interrupted; nothing was kept\n");
  };
  cut({"dram", "-c", "ddr4-3200", trace, "--commands", scratch / "c.csv"});
  cut({"gemm", "-M", "4096", "-N", "4096", "-K", "4096"});
  cut({"perplexity", "-c", "edge", "-f", TOKENCYCLE_SOURCE_DIR "/models/heldout.txt"});
  CHECK_FALSE(temporary_left(scratch));
  CHECK_FALSE(std::filesystem::exists(scratch / "c.csv"));
}

TEST_CASE("a full disk ends a run with its own exit code, and no temporary file") {
  const Scratch scratch;
  const std::string model = scratch.model();
  for (const char* name : {"t.vcd", "t.pftrace", "t.kanata.gz", "t.operators.csv"}) {
    // The temporary name holds the process's number, which exec keeps.
    const std::string command = fmt::format(
        "ln -s /dev/full '{0}'.$$.tmp; exec '{1}' run -m '{2}' -n 40 --ignore-eos -q --trace '{0}' "
        "--trace-level 2 --trace '{3}' >/dev/null 2>'{4}'",
        scratch / name, TOKENCYCLE_BINARY, model, scratch / "other.tokens.csv", scratch / "err");
    const int status = std::system(command.c_str());
    const std::string err = test::contents_of(scratch / "err");
    CAPTURE(name, err);
    CHECK(WEXITSTATUS(status) == 7);
    CHECK_THAT(err, Contains(name) && Contains("No space left") && Contains("nothing was left there"));
    CHECK_FALSE(temporary_left(scratch));
    CHECK_FALSE(std::filesystem::exists(scratch / name));
    CHECK(std::filesystem::exists(scratch / "other.tokens.csv"));
  }
}

TEST_CASE("a run that is ended while it reads the prompt keeps what the steps have counted") {
  const Scratch scratch;
  const std::string model = scratch.model({.context = 2048, .matrices = Format::q8_0}),
                    file = scratch / "r.json";
  bool kept = false;
  for (double seconds = 0.05; !kept && seconds < 2; seconds *= 1.5) {
    std::filesystem::remove(file);
    Launched run({"run", "-m", model, "--timing-only", "--prompt-tokens", "2000", "--batch", "8", "-n", "2",
                  "--result", file});
    wait(kSlower * seconds);
    run.signal(SIGINT);
    const Outcome o = run.wait();
    if (o.exit_code != 130 || !std::filesystem::exists(file)) continue;
    const Json result = test::json_of(file);
    if (!result["tokens"].empty()) continue;
    kept = true;
    check_result(result);
    CHECK(result["cycles"].get<std::uint64_t>() > 1000);
    CHECK_THAT(o.out, Contains("of an unfinished first token"));
    CHECK(test::launch({"inspect", file}).exit_code == 0);
    CHECK(test::launch({"compare", file, file}).exit_code == 0);
  }
  CHECK(kept);
}
