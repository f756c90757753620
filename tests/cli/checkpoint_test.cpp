// SPDX-License-Identifier: Apache-2.0
// Is nothing lost that a checkpoint has? Runs that are killed at random times go on and end as if they had
// not been.
#include <signal.h>
#include <sys/stat.h>  // mkfifo

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "base/digest.h"
#include "command_line.h"
#include "support/config_json_writer.h"

using Catch::Contains;
using Json = nlohmann::json;
using namespace tokencycle;
using test::kSlower;
using test::Launched;
using test::Outcome;
using test::Scratch;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr int kTries = 4;
#else
constexpr int kTries = 12;
#endif

using Words = std::vector<std::string>;

Words join(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// All that is the same on any machine, as text.
std::string comparable(const std::string& file) {
  nlohmann::ordered_json result = nlohmann::ordered_json::parse(test::contents_of(file));
  result.erase("host");
  return result.dump(1);
}

// Kills the command after random times, and continues from the checkpoint where there is one, until it ends.
// Returns how often it went on.
int run_killed(const Words& command, const std::string& checkpoint, double seconds, std::mt19937& random,
               Outcome& end) {
  for (int resumed = 0;;) {
    const bool there = std::filesystem::exists(checkpoint);
    Launched run(join(command, there ? Words{"--resume", checkpoint} : Words{}));
    resumed += there ? 1 : 0;
    if (resumed < 6) {
      test::wait(kSlower * std::uniform_real_distribution<>(0, seconds)(random));
      run.signal(SIGKILL);
    }
    end = run.wait();
    if (end.exit_code != 128 + SIGKILL) return resumed;
  }
}

void wait_for(const std::string& file) {
  for (int n = 0; n < 60000 && !std::filesystem::exists(file); ++n) test::wait(0.001);
  REQUIRE(std::filesystem::exists(file));
}

// A run of 12 tokens with a checkpoint after step 8. `more` takes the place of its own options.
struct Checkpointed {
  Scratch scratch;
  std::string model = scratch.model({.context = 512, .matrices = Format::q8_0}), file = scratch / "c";

  Words command(const Words& more) const {
    Words words = {"run", "--ignore-eos"};
    for (const auto& [option, value] :
         {std::pair<std::string, std::string>{"-m", model}, {"-n", "12"}, {"-p", "abc"}}) {
      if (std::find(more.begin(), more.end(), option) == more.end()) words = join(words, {option, value});
    }
    return join(words, more);
  }
  Outcome run(const Words& more = {}) const {
    return test::launch(join(command(more), {"--checkpoint", file, "--checkpoint-every", "8"}));
  }
  Outcome resume(const Words& more = {}) const {
    return test::launch(join(command(more), {"--resume", file}));
  }
};

}  // namespace

TEST_CASE("runs that are killed at random times end with the result of one that was not") {
  const Scratch models;
  const std::string model = models.model({.context = 512, .matrices = Format::q8_0});
  std::mt19937 random(20261122);
  int resumed = 0;
  for (int n = 0; n < kTries; ++n) {
    const Scratch scratch;
    Words command = {"run",
                     "-m",
                     model,
                     "-n",
                     "150",
                     "--ignore-eos",
                     "-p",
                     "a prompt that takes several steps",
                     "--batch",
                     "4",
                     "-q",
                     "-c",
                     n % 2 == 0 ? "edge" : "tiny"};
    if (n % 3 == 1) command = join(command, {"--temperature", "0.9", "--seed", std::to_string(n)});
    if (n % 3 == 2) command = join(command, {"--timing-only"});
    const std::string whole = scratch / "whole.json", cut = scratch / "cut.json", file = scratch / "c";
    const Outcome a = test::launch(join(command, {"--result", whole}));
    REQUIRE(a.exit_code == 0);
    Outcome b;
    resumed += run_killed(join(command, {"--result", cut, "--checkpoint", file, "--checkpoint-every",
                                         std::to_string(1 + n % 5)}),
                          file, 0.3, random, b);
    CAPTURE(n, b.err);
    REQUIRE(b.exit_code == 0);
    CHECK(b.out == a.out);
    CHECK((comparable(cut) == comparable(whole)));
  }
  CHECK(resumed >= kTries);
  WARN(kTries << " runs went on " << resumed << " times");
}

TEST_CASE("a run continues with more new tokens, says where, and repeats the text before") {
  const Checkpointed c;
  REQUIRE(c.run().exit_code == 0);
  const Outcome more = c.resume({"-n", "20", "--result", c.scratch / "r.json"});
  CHECK(more.exit_code == 2);  // the first had no recorders
  CHECK_THAT(more.err, Contains("/result is false there and true here"));
  const Checkpointed d;
  REQUIRE(d.run({"--result", d.scratch / "short.json"}).exit_code == 0);
  const Outcome seen = test::launch({"inspect", d.file});
  CHECK_THAT(seen.out, Contains("written by this build") && Contains("machine    edge") &&
                           Contains("step 8, 7 new tokens, cycle ") && Contains("\"abc\""));
  const Outcome resumed = d.resume({"-n", "20", "--result", d.scratch / "resumed.json"});
  CAPTURE(resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK_THAT(resumed.err, Contains("resumed from " + d.file + " after 7 tokens and cycle "));
  const Outcome whole = test::launch(d.command({"-n", "20", "--result", d.scratch / "whole.json"}));
  CHECK(comparable(d.scratch / "resumed.json") == comparable(d.scratch / "whole.json"));
  CHECK(resumed.out.substr(0, resumed.out.find("\n\n")) == whole.out.substr(0, whole.out.find("\n\n")));
}

TEST_CASE("a checkpoint of another run is refused with what differs") {
  const Checkpointed c;
  REQUIRE(c.run().exit_code == 0);
  const auto refused = [&](const Words& more, const std::string& why) {
    const Outcome o = c.resume(more);
    CAPTURE(why, o.err);
    CHECK(o.exit_code == 2);
    CHECK(o.out.empty());
    CHECK_THAT(o.err, Contains(c.file) && Contains(why));
  };
  refused({"-c", "tiny"}, "/configuration/name is \"edge\" there and \"tiny\" here, and ");
  refused({"--kv-type", "f32"},
          "/settings/kv_format is \"f16\" there and \"f32\" here, and 1 more; give the same");
  refused({"--temperature", "0.5", "--seed", "3"}, "/settings/temperature is 0.0 there and 0.5 here, and ");
  refused({"--clock", "every-edge"}, "/clock is \"gated\" there and \"every-edge\" here");
  refused({"--check"}, "/settings/checked_against_reference is false there and true here");
  refused({"-p", "abd"}, "/settings/prompt is \"abc\" there and \"abd\" here");
  refused({"-n", "7"}, "has 7 tokens already, and --new-tokens asks for 7; ask for more");
  const Scratch other;
  refused({"-m", other.model({.context = 512, .matrices = Format::q8_0, .seed = 9})}, "/model/digest is ");
}

TEST_CASE("a config.json's checkpoint is of its weights") {
  const Checkpointed c;
  const std::string config = c.scratch.file("config.json", test::config_json_of({}).dump());
  const Words command = join({"run", "--timing-only", "-m", config, "--prompt-tokens", "3", "-n", "5"},
                             {"--batch", "2", "--context", "32", "--weights"});
  const Outcome first =
      test::launch(join(command, {"q8_0", "--checkpoint", c.file, "--checkpoint-every", "2"}));
  REQUIRE(first.exit_code == 0);
  const Outcome o = test::launch(join(command, {"f32", "--resume", c.file}));
  CAPTURE(o.err);
  CHECK(o.exit_code == 2);
  CHECK_THAT(o.err, Contains("/model/weights is \"q8_0\" there and \"f32\" here"));
}

TEST_CASE("new tokens that differ from those of the checkpoint are refused") {
  const Checkpointed c;
  const Words command = {"run", "--timing-only", "-m", c.model, "--tokens"};
  const auto go_on = [&](const std::string& tokens) {
    return test::launch(join(command, {tokens, "--resume", c.file}));
  };
  const Outcome first = test::launch(
      join(command, {"1,2:3,4,5,6,7,8,9,10,11", "--checkpoint", c.file, "--checkpoint-every", "8"}));
  REQUIRE(first.exit_code == 0);
  const Outcome o = go_on("1,2:3,4,5,7,7,8,9,10,11");
  CAPTURE(o.err);
  CHECK(o.exit_code == 2);
  CHECK_THAT(o.err, Contains("new token 3 is 6 in the checkpoint and 7 in --tokens"));
  CHECK(go_on("1,2:3,4,5,6,7,8,9,12").exit_code == 0);
}

TEST_CASE("a checkpoint of another build is refused") {
  const Checkpointed c;
  REQUIRE(c.run().exit_code == 0);
  std::string text = test::contents_of(c.file);
  const std::size_t build = text.find("\"build\":\"") + 9;
  text[build] = text[build] == '0' ? '1' : '0';
  text.resize(text.size() - 32);
  text += digest_of(std::as_bytes(std::span(text)));
  c.scratch.file("c", text);
  const Outcome o = c.resume();
  CHECK(o.exit_code == 2);
  CHECK_THAT(o.err, Contains("was written by another build of tokencycle (version "));
}

TEST_CASE("a checkpoint whose first line lacks something is refused") {
  const Checkpointed c;
  std::string text = R"({"schema":"tokencycle-checkpoint-1","version":"0.1.0"})"
                     "\n";
  text += digest_of(std::as_bytes(std::span(text)));
  c.scratch.file("c", text);
  for (const Outcome& o : {c.resume(), test::launch({"inspect", c.file})}) {
    CHECK(o.exit_code == 7);
    CHECK_THAT(o.err, Contains(c.file) && Contains("first line is not what --checkpoint writes"));
  }
}

TEST_CASE("a damaged checkpoint is refused at any byte") {
  const Checkpointed c;
  REQUIRE(c.run().exit_code == 0);
  const std::string sound = test::contents_of(c.file);
  std::mt19937_64 random(3);
  const auto refused = [&](const std::string& text) {
    c.scratch.file("c", text);
    const Outcome o = c.resume();
    CAPTURE(o.err);
    CHECK(o.exit_code == 7);
    CHECK(o.out.empty());
    CHECK_THAT(o.err,
               Contains(c.file) && (Contains("the checkpoint is damaged") || Contains("no checkpoint")));
  };
  for (int n = 0; n < kTries; ++n) {
    std::string text = sound;
    char& byte = text[n == 0 ? 3 : random() % text.size()];
    byte = static_cast<char>(byte ^ (1 << random() % 8));
    refused(text);
    refused(sound.substr(0, random() % sound.size()));
  }
  refused("");
  refused(sound + "x");
}

TEST_CASE("what is no checkpoint file is refused") {
  const Checkpointed c;
  ::mkfifo((c.scratch / "pipe").c_str(), 0600);
  for (const std::string& path :
       {c.scratch / "pipe", c.scratch / "missing", std::string("/dev/zero"), c.scratch / "", c.model}) {
    const Outcome o = test::launch(c.command({"--resume", path}));
    CAPTURE(path, o.err);
    CHECK(o.exit_code == 7);
    CHECK_THAT(o.err, Contains(path));
  }
}

TEST_CASE("options of checkpoints that do not go together are refused") {
  const Checkpointed c;
  const auto refused = [&](const Words& options, int code, const std::string& why) {
    const Outcome o = test::launch(c.command(options));
    CAPTURE(o.err);
    CHECK(o.exit_code == code);
    CHECK_THAT(o.err, Contains(why));
    CHECK(o.out.empty());
  };
  refused({"--checkpoint-every", "3"}, 2, "goes with --checkpoint FILE");
  refused({"--checkpoint", c.file, "--checkpoint-every", "0"}, 2, "must be at least 1");
  refused({"--resume", c.file, "--trace", c.scratch / "t.vcd"}, 2, "--trace does not go with --resume");
  refused({"--checkpoint", c.scratch / "no/c"}, 7, "cannot be created");
  refused({"--checkpoint", c.scratch / ""}, 7, "it is a folder");
  const Outcome o = test::launch({"run", "--program", "p.tcp", "--checkpoint", c.file});
  CHECK(o.exit_code == 2);
  CHECK_THAT(o.err, Contains("--checkpoint does not go with --program"));
}

TEST_CASE("a checkpoint that cannot be written is reported, and the run continues") {
  const Scratch models;
  const std::string model = models.model({.context = 2048, .matrices = Format::q8_0});
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "folder");
  Launched run({"run", "-m", model, "-n", "300", "--ignore-eos", "-q", "--checkpoint", scratch / "folder/c",
                "--checkpoint-every", "1"});
  wait_for(scratch / "folder/c");
  std::filesystem::rename(scratch / "folder", scratch / "elsewhere");
  const Outcome o = run.wait();
  CAPTURE(o.err.substr(0, 300));
  CHECK(o.exit_code == 0);
  CHECK_THAT(o.err,
             Contains("the checkpoint cannot be written: No such file or directory; the run continues, "
                      "and " +
                      (scratch / "folder/c") + " stays as it was after cycle "));
  CHECK(test::contents_of(scratch / "elsewhere/c").substr(0, 10) == R"({"schema":)");
}

TEST_CASE("a run continues where neither its checkpoint nor a word about it can be written") {
  const Checkpointed c;
  std::string command = "ulimit -f 4; exec \"$0\" \"$@\" 2>/dev/full";
  Words words = join({"-c", command, TOKENCYCLE_BINARY},
                     c.command({"-q", "--checkpoint", c.file, "--checkpoint-every", "2"}));
  const Outcome o = Launched(words, {}, -1, "/bin/sh").wait();
  CHECK(o.exit_code == 0);
  CHECK(o.out == c.run({"-q"}).out);
  CHECK_FALSE(test::temporary_left(c.scratch));
  words[1] = "ulimit -f 4; exec \"$0\" \"$@\"";
  std::filesystem::remove(c.file);
  const Outcome told = Launched(words, {}, -1, "/bin/sh").wait();
  CHECK_THAT(told.err,
             Contains("cannot be written: File too large; the run continues, and there is no checkpoint"));
  CHECK_FALSE(std::filesystem::exists(c.file));
}

TEST_CASE("a resumed run that is cut at once names the checkpoint from which it went on") {
  const Scratch scratch;
  const std::string model = scratch.model({.context = 2048, .matrices = Format::q8_0}), file = scratch / "c";
  const Words command = {"run", "-m", model, "-n", "2000", "--ignore-eos", "-q", "--checkpoint", file};
  Launched first(join(command, {"--checkpoint-every", "2"}));
  wait_for(file);
  first.signal(SIGKILL);
  (void)first.wait();
  Launched second(join(command, {"--resume", file, "--checkpoint-every", "1999"}));
  test::wait(0.2 * kSlower);
  second.signal(SIGINT);
  const Outcome o = second.wait();
  CAPTURE(o.err);
  CHECK(o.exit_code == 130);
  CHECK_THAT(o.err, Contains("kept: " + file + "; the same command with --resume " + file));
}

TEST_CASE("a run that a signal ends says how it can go on") {
  const Scratch scratch;
  const std::string model = scratch.model({.context = 2048, .matrices = Format::q8_0}), file = scratch / "c";
  Launched run({"run", "-m", model, "-n", "2000", "--ignore-eos", "-q", "--checkpoint", file,
                "--checkpoint-every", "2"});
  wait_for(file);
  test::wait(0.05);
  run.signal(SIGTERM);
  const Outcome o = run.wait();
  CAPTURE(o.err);
  CHECK(o.exit_code == 130);
  CHECK_THAT(o.err, Contains("kept: " + file + "; the same command with --resume " + file +
                             " continues after cycle"));
  CHECK_FALSE(test::temporary_left(scratch));
}
