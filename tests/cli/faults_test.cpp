// SPDX-License-Identifier: Apache-2.0
// What happens to a run when the world around it changes: its model, its memory, its reader, its folders.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <random>
#include <thread>

#include "command_line.h"
#include "observe/trace_files.h"
#include "support/kanata_linter.h"
#include "support/vcd_reader.h"

using Catch::Contains;
using namespace tokencycle;
using test::kSlower;
using test::Launched;
using test::Outcome;
using test::Scratch;
using test::temporary_left;
using test::wait;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr int kTries = 3;
#else
constexpr int kTries = 10;
#endif

// How often `part` stands in `text`.
std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// Whole files that say why the run ended.
void check_traces(const Scratch& scratch, const std::string& why) {
  const std::string kanata = test::read_unpacked(scratch / "t.kanata"),
                    vcd = test::read_unpacked(scratch / "t.vcd");
  CHECK_THAT(kanata, Contains("ended at cycle") && Contains(why));
  CHECK_THAT(vcd, Contains("ended\\040at\\040cycle"));
  CHECK_NOTHROW(test::lint_kanata(kanata));
  CHECK_NOTHROW(test::read_vcd(vcd));
}

}  // namespace

TEST_CASE("a model that becomes shorter while it runs is an error that says so, never a crash") {
  std::mt19937 random(20241122);
  int cut = 0, traced = 0;
  for (int n = 0; n < kTries; ++n) {
    const Scratch scratch;
    const std::string model = scratch.model({.context = 2048, .matrices = Format::q8_0});
    const auto bytes = std::filesystem::file_size(model);
    std::vector<std::string> arguments = {"run",
                                          "-m",
                                          model,
                                          "-n",
                                          "1000",
                                          "-q",
                                          "--ignore-eos",
                                          "--trace",
                                          scratch / "t.vcd",
                                          "--trace",
                                          scratch / "t.kanata",
                                          "--result",
                                          scratch / "r.json"};
    if (n % 3 == 1) arguments.push_back("--check");
    Launched run(arguments);
    const double seconds = kSlower * std::uniform_real_distribution<>(0, 0.3)(random);
    wait(seconds);
    std::filesystem::resize_file(model, n % 2 == 0 ? 0 : bytes / 2);
    const Outcome o = run.wait();
    CAPTURE(n, seconds, o.err);
    REQUIRE(o.exit_code == 4);
    CHECK_FALSE(temporary_left(scratch));
    CHECK_FALSE(std::filesystem::exists(scratch / "r.json"));
    if (o.err.find("became shorter") == std::string::npos) continue;  // before it was opened
    ++cut;
    CHECK_THAT(o.err, Catch::StartsWith("tokencycle: " + model +
                                        ": the file became shorter while it was read (byte "));
    CHECK_THAT(o.err, Contains(fmt::format("it had {} bytes)", bytes)) && Catch::EndsWith("in use\n"));
    CHECK(count_of(o.err, "\n") == 1);
    if (!std::filesystem::exists(scratch / "t.vcd")) continue;  // while it was loaded
    ++traced;
    check_traces(scratch, "the file became shorter");
  }
  CHECK(cut >= kTries / 3);
  CHECK(traced > 0);
}

TEST_CASE("other commands end in the same way when their model becomes shorter") {
  const auto error_of = [](const Scratch& scratch, const std::string& model,
                           const std::vector<std::string>& arguments) {
    Launched run(arguments);
    wait(kSlower * 0.2);
    std::filesystem::resize_file(model, 4096);
    const Outcome o = run.wait();
    CAPTURE(arguments, o.err);
    CHECK(o.exit_code == 4);
    CHECK_FALSE(temporary_left(scratch));
    return o.err;
  };
  const Scratch scratch;
  const auto copy = [&] {
    const auto model = scratch / "copy.gguf";
    std::filesystem::copy_file(TOKENCYCLE_SOURCE_DIR "/models/austen-2.9m-q8_0.gguf", model,
                               std::filesystem::copy_options::overwrite_existing);
    return model;
  };
  std::string model = copy();
  CHECK_THAT(
      error_of(scratch, model,
               {"compare", "-m", model, "-c", "edge", "-c", "edge-dot", "-n", "200", "--ignore-eos", "-q"}),
      Contains("became shorter"));
  for (const char* by : {"", "edge"}) {
    model = copy();
    std::vector<std::string> arguments = {"perplexity", "-m", model, "-f",
                                          TOKENCYCLE_SOURCE_DIR "/models/heldout.txt"};
    if (*by != 0) arguments.insert(arguments.end(), {"-c", by});
    CHECK_THAT(error_of(scratch, model, arguments), Contains("became shorter"));
  }
}

TEST_CASE("a reader that is gone ends every command that writes with its own exit code") {
  const Scratch scratch;
  const std::string model = scratch.model({.context = 2048, .matrices = Format::q8_0});
  const std::string requests = scratch.file("t.trace", "R 0x40\nW 0x80\n");
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  ::close(pipe[0]);
  const std::vector<std::vector<std::string>> commands = {
      {"run", "-m", model, "-n", "4", "--result", scratch / "r.json", "--trace", scratch / "t.vcd"},
      {"run", "-q", "-m", model, "-n", "4", "--trace", scratch / "t.fst"},
      {"run", "-m", model, "-n", "4", "--timing-only"},
      {"inspect", model},
      {"inspect", "edge"},
      {"inspect", TOKENCYCLE_SOURCE_DIR "/models/austen-2.9m-q8_0.gguf"},
      {"gemm", "-M", "8", "-N", "8", "-K", "8"},
      {"gemm", "-M", "8", "-N", "8", "-K", "8", "--json"},
      {"dram", "-c", "ddr4-3200", requests, "--commands", scratch / "c.csv"},
      {"dram", "-c", "ddr4-3200", requests, "--json"},
      {"compare", "-q", "-m", model, "-n", "2", "-c", "edge", "-c", "edge-dot"},
      {"compare", "-q", "-m", model, "-n", "2", "-c", "edge", "-c", "edge-dot", "--json"},
      {"run", "--help"},
  };
  for (const auto& command : commands) {
    Launched run(command, {}, pipe[1]);
    const Outcome o = run.wait();
    CAPTURE(command, o.err);
    CHECK(o.exit_code == 7);
    CHECK(o.err.empty());  // as `| head` expects
    CHECK_FALSE(temporary_left(scratch));
  }
  ::close(pipe[1]);
  CHECK_FALSE(std::filesystem::exists(scratch / "r.json"));
}

TEST_CASE("a reader that goes away in the middle of a text ends the run, and its trace is whole") {
  const Scratch scratch;
  const std::string model = scratch.model({.context = 2048, .matrices = Format::q8_0});
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  Launched run({"run", "-m", model, "-n", "2000", "--ignore-eos", "-q", "--trace", scratch / "t.vcd",
                "--trace", scratch / "t.kanata"},
               {}, pipe[1]);
  ::close(pipe[1]);
  char first = 0;
  CHECK(::read(pipe[0], &first, 1) == 1);
  ::close(pipe[0]);
  const Outcome o = run.wait();
  CAPTURE(o.err);
  CHECK(o.exit_code == 7);
  CHECK(o.err.empty());  // as `| head` expects
  CHECK_FALSE(temporary_left(scratch));
  check_traces(scratch, "standard output was closed");
}

TEST_CASE("a folder that vanishes during a run costs the file in it, and no other") {
  const Scratch scratch;
  const std::string model = scratch.model({.context = 2048, .matrices = Format::q8_0});
  for (const std::string lost : {"result", "first", "second"}) {
    for (const char* folder : {"result", "first", "second"})
      std::filesystem::create_directory(scratch / folder);
    Launched run({"run", "-m", model, "-n", "60", "--ignore-eos", "-q", "--result", scratch / "result/r.json",
                  "--trace", scratch / "first/t.vcd", "--trace", scratch / "second/t.operators.csv"});
    for (int i = 0; i < 1200 && std::filesystem::is_empty(scratch / "second"); ++i) wait(0.005);
    std::filesystem::remove_all(scratch / lost);
    const Outcome o = run.wait();
    CAPTURE(lost, o.err);
    CHECK(o.exit_code == 7);
    CHECK_THAT(o.err, Contains(scratch / lost + "/") && Contains("No such file or directory"));
    CHECK(count_of(o.err, "\n") == 1);
    for (const char* file : {"result/r.json", "first/t.vcd", "second/t.operators.csv"}) {
      CAPTURE(file);
      CHECK(std::filesystem::exists(scratch / file) != std::string(file).starts_with(lost));
    }
    for (const char* folder : {"result", "first", "second"}) {
      if (folder == lost) continue;
      for (const auto& entry : std::filesystem::directory_iterator(scratch / folder)) {
        CHECK(entry.path().extension() != ".tmp");
      }
      std::filesystem::remove_all(scratch / folder);
    }
  }
}

#ifndef __SANITIZE_ADDRESS__  // which takes terabytes of addresses
namespace {

// The program's outcome with so many MiB of addresses.
Outcome limited(const Scratch& scratch, int mib, const std::string& arguments) {
  const std::string command = fmt::format("ulimit -c 0; ulimit -v {}; exec '{}' {} >'{}' 2>'{}'", mib * 1024,
                                          TOKENCYCLE_BINARY, arguments, scratch / "out", scratch / "err");
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          test::contents_of(scratch / "out"), test::contents_of(scratch / "err")};
}

}  // namespace

TEST_CASE("out of memory is one message and exit code 6, wherever it happens") {
  const Scratch scratch;
  const std::string model = scratch.model({.context = 2048, .matrices = Format::q8_0});
  int least = 4;  // in which the program comes to its main function
  while (limited(scratch, least, "--version").exit_code != 0) REQUIRE(++least < 1000);
  const std::string run = fmt::format("run -q -n 2 -m '{}' --result '{}'", model, scratch / "r.json");
  const std::string traces = fmt::format(" --trace '{}' --trace '{}' --trace '{}'", scratch / "t.vcd",
                                         scratch / "t.kanata.gz", scratch / "t.pftrace");
  int refused = 0, done = 0;
  for (const std::string& arguments :
       {run, run + traces, run + fmt::format(" --trace '{}'", scratch / "t.fst"), run + " -c cloud",
        fmt::format("inspect '{}'", model),
        fmt::format("inspect '{}'", TOKENCYCLE_SOURCE_DIR "/models/austen-2.9m-q8_0.gguf")}) {
    for (int more = 0; more < 24; more += more < 8 ? 1 : 4) {
      std::filesystem::remove(scratch / "r.json");
      const Outcome o = limited(scratch, least + more, arguments);
      CAPTURE(arguments, least, more, o.err);
      CHECK_FALSE(temporary_left(scratch));
      if (o.exit_code == 0) {
        ++done;
        continue;
      }
      ++refused;
      CHECK(o.exit_code == 6);
      CHECK(o.err == "tokencycle: out of memory: use a smaller model, context or machine\n");
      CHECK_FALSE(std::filesystem::exists(scratch / "r.json"));
    }
  }
  CHECK(refused > 0);
  CHECK(done > 0);
}
#endif
