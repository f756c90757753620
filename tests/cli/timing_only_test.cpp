// SPDX-License-Identifier: Apache-2.0
// Does a user get the cycles of a model without its weights, and a clear word where there is nothing to get?
#include <algorithm>
#include <catch2/catch.hpp>

#include "command_line.h"
#include "support/config_json_writer.h"

using namespace tokencycle;
using Catch::Contains;
using Json = nlohmann::json;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

constexpr int kUsage = 2, kModel = 4, kIo = 7;

void check_refused(int exit_code, std::vector<std::string> arguments, const std::vector<std::string>& parts) {
  arguments.insert(arguments.begin(), "run");
  const Outcome o = launch(arguments);
  CAPTURE(arguments, o.err);
  CHECK(o.exit_code == exit_code);
  CHECK(o.out.empty());
  CHECK(std::count(o.err.begin(), o.err.end(), '\n') == 1);
  for (const std::string& part : parts) CHECK_THAT(o.err, Contains(part));
}

// The result document of a run.
Json result_of(const Scratch& scratch, std::vector<std::string> arguments) {
  const std::string file = scratch / "result.json";
  arguments.insert(arguments.begin(), {"run", "--result", file});
  const Outcome o = launch(arguments);
  CAPTURE(arguments, o.err);
  REQUIRE(o.exit_code == 0);
  return test::json_of(file);
}

// A file of the model that ends behind its directory.
std::string header_of(const Scratch& scratch, const std::string& model) {
  const auto start = static_cast<std::size_t>(model::GgufFile(model).data_start());
  return scratch.file("header.gguf", test::contents_of(model).substr(0, start));
}

// The argument that takes the ids of a result.
std::string ids_in(const std::string& file) {
  return std::string("@").append(file);
}

void check_same_cycles(const Json& with, const Json& without) {
  for (const char* part : {"cycles", "stack", "operators", "units", "counters", "event_digest", "program"}) {
    CAPTURE(part);
    CHECK(with.at(part) == without.at(part));
  }
  REQUIRE(with.at("tokens").size() == without.at("tokens").size());
  for (std::size_t i = 0; i < with.at("tokens").size(); ++i) {
    for (const char* part : {"id", "phase", "start", "end", "cycles", "stack"}) {
      CHECK(with["tokens"][i].at(part) == without["tokens"][i].at(part));
    }
  }
}

}  // namespace

TEST_CASE("experts are the routers', those of a run, or drawn, and that is said") {
  const Scratch scratch;
  const std::string model = scratch.model({.matrices = Format::q8_0, .experts = 4, .experts_used = 2}),
                    run = scratch / "run.json";
  const Json with = result_of(scratch, {"-m", model, "-n", "3", "--ignore-eos"});
  CHECK(with.at("settings").at("experts") == "the routers'");
  scratch.file("run.json", with.dump());
  const std::vector<std::string> timing = {"-m", model, "--timing-only", "--tokens", ids_in(run)};
  const auto and_experts = [&](const std::string& value) {
    std::vector<std::string> arguments = timing;
    arguments.insert(arguments.end(), {"--experts", value});
    return arguments;
  };
  const Json given = result_of(scratch, and_experts(ids_in(run)));
  check_same_cycles(with, given);
  CHECK(given.at("settings").at("experts") == "given by --experts");
  CHECK(given.at("expert_choices") == with.at("expert_choices"));
  const Json drawn = result_of(scratch, timing), seven = result_of(scratch, and_experts("7"));
  CHECK(drawn.at("settings").at("experts") == "drawn with seed 0");
  CHECK(seven.at("settings").at("experts") == "drawn with seed 7");
  CHECK(seven.at("expert_choices").size() == with.at("expert_choices").size());
  CHECK(seven.at("expert_choices") != drawn.at("expert_choices"));
  std::vector<std::string> command = timing;
  command.insert(command.begin(), "run");
  CHECK_THAT(launch(command).err, Contains("experts: drawn with seed 0, since no router computes"));

  check_refused(kUsage, and_experts("x"), {"--experts is 'x'", "@RESULT.json"});
  check_refused(kUsage, {"-m", model, "--experts", "7"}, {"--experts goes with --timing-only"});
  const Scratch another;
  const std::string dense = another.model();
  check_refused(kUsage, {"-m", dense, "--timing-only", "--prompt-tokens", "2", "--experts", "7"},
                {"this model has none"});
  Json other = with;
  other["expert_choices"][0] = 4;
  const std::string spoilt = ids_in(scratch.file("other.json", other.dump()));
  check_refused(kUsage, and_experts(spoilt), {"it has the choice 4, and this model has experts 0 to 3"});
  other.erase("expert_choices");
  const std::string without = ids_in(scratch.file("none.json", other.dump()));
  check_refused(kUsage, and_experts(without), {"the run had no experts"});
}

TEST_CASE("with the tokens of a run's result, --timing-only gives all figures of that run") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const Json with = result_of(scratch, {"-m", model, "-p", "the and", "-n", "5", "--ignore-eos"});
  CHECK(with["settings"]["timing_only"] == false);
  CHECK(with["settings"]["new_ids"] == "sampled");
  CHECK(with["model"]["shapes_from"] == "GGUF file");
  const std::string given = ids_in(scratch.file("with.json", with.dump()));
  for (const std::string& file : {model, header_of(scratch, model)}) {
    const Json without = result_of(scratch, {"-m", file, "--timing-only", "--tokens", given});
    check_same_cycles(with, without);
    CHECK(without["prompt_tokens"] == with["prompt_tokens"]);
    CHECK(without["settings"]["timing_only"] == true);
    CHECK(without["settings"]["new_ids"] == "given by --tokens");
    CHECK(without["model"]["shapes_from"] == "GGUF header");
    CHECK(without["text"] == "");
  }
}

TEST_CASE("a prompt's text, ids or length do, and without ids the last one is repeated") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto timing = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"-m", model, "--timing-only"});
    return result_of(scratch, more);
  };
  const Json text = timing({"-p", "the and", "-n", "3"});
  const Json ids = text["prompt_tokens"];
  CHECK(text["tokens"][2]["id"] == ids.back());
  CHECK(text["settings"]["new_ids"] == "the prompt's last, repeated");
  std::string list;
  for (const Json& id : ids) list.append(list.empty() ? "" : ",").append(id.dump());
  CHECK(timing({"--tokens", list.append(":"), "-n", "3"})["event_digest"] == text["event_digest"]);
  const Json length = timing({"--prompt-tokens", "3", "--tokens", "7,8"});
  CHECK(length["prompt_tokens"] == Json({0, 1, 2}));
  CHECK(length["tokens"].size() == 2);
  CHECK(length["tokens"][1]["id"] == 8);
  CHECK(timing({"--prompt-tokens", "2", "--tokens", "7,8", "-n", "1"})["tokens"].size() == 1);
}

TEST_CASE("a config.json runs in the chosen format, with one line per step instead of text") {
  const Scratch scratch;
  const std::string config = scratch.file("config.json", test::config_json_of({}).dump());
  const Json q8 = result_of(
      scratch, {"-m", config, "--timing-only", "--weights", "q8_0", "--prompt-tokens", "9", "-n", "2"});
  CHECK(q8["model"]["shapes_from"] == "config.json");
  CHECK(q8["model"]["weights"] == "q8_0");
  CHECK(q8["model"]["file"] == "config.json");
  const Outcome o = launch({"run", "-m", config, "--timing-only", "--prompt-tokens", "9", "-n", "2"});
  CHECK(o.exit_code == 0);
  CHECK_THAT(o.out, Catch::StartsWith("     9 tokens "));
  CHECK_THAT(o.out, Contains("config.json in bf16") && Contains("modulo the vocabulary"));
  const Outcome quiet =
      launch({"run", "-m", config, "--timing-only", "--prompt-tokens", "9", "-n", "2", "-q"});
  CHECK(quiet.exit_code == 0);
  CHECK(quiet.out.empty());
}

TEST_CASE("what needs values does not go with --timing-only, and what needs none only with it") {
  const Scratch scratch;
  const std::string model = scratch.model();
  check_refused(kUsage, {"-m", model, "--timing-only", "--check"}, {"--check", "--timing-only"});
  check_refused(kUsage, {"-m", model, "--timing-only", "--temperature", "1"}, {"--temperature", "--tokens"});
  check_refused(kUsage, {"--program", "p.tcp", "--timing-only"},
                {"--timing-only does not go with --program"});
  check_refused(kUsage, {"-m", model, "--tokens", "1"}, {"--tokens goes with --timing-only"});
  check_refused(kUsage, {"-m", model, "--prompt-tokens", "1"}, {"--prompt-tokens goes with --timing-only"});
  check_refused(kUsage, {"-m", model, "--weights", "f16"}, {"--weights goes with --timing-only"});
  check_refused(kModel, {"-m", header_of(scratch, model)}, {"header.gguf", "truncated"});
  const std::string config = scratch.file("config.json", test::config_json_of({}).dump());
  check_refused(kModel, {"-m", config}, {"config.json", "no weights", "--timing-only"});
}

TEST_CASE("tokens that cannot be are refused with what can") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto refused = [&](std::vector<std::string> more, const std::vector<std::string>& parts,
                           int exit_code = kUsage) {
    more.insert(more.begin(), {"-m", model, "--timing-only"});
    check_refused(exit_code, more, parts);
  };
  refused({"--tokens", "1,x"}, {"'x'", "1,2:3,4"});
  refused({"--tokens", "1,,2"}, {"''"});
  refused({"--tokens", "-1"}, {"'-1'"});
  refused({"--tokens", "4294967296"}, {"'4294967296'"});
  refused({"--tokens", "300"}, {"300", "0 to 299"});
  refused({"--tokens", "300:1"}, {"300", "0 to 299"});
  refused({"--tokens", ""}, {"no ids"});
  refused({"--tokens", "1,2", "-n", "3"}, {"asks for 3 tokens", "has 2"});
  refused({"--tokens", "1:2", "-p", "the"}, {"--prompt", "exclude"});
  refused({"--prompt-tokens", "2", "-p", "the"}, {"--prompt", "exclude"});
  refused({"--prompt-tokens", "0"}, {"--prompt-tokens is 0", "at least 1"});
  refused({"--prompt-tokens", "4000000000"}, {"--prompt-tokens is 4000000000", "at most 128"});
  refused({"--weights", "f16"}, {"--weights", "config.json"});
  refused({"--tokens", ids_in(scratch.file("other.json", "{\"schema\": \"x\"}"))},
          {"other.json", "no result"});
  refused({"--tokens", ids_in(scratch.file("broken.json", "{"))}, {"broken.json", "no result"});
  refused({"--tokens", ids_in(scratch / "absent.json")}, {"absent.json"}, kIo);
  const std::string config = scratch.file("config.json", test::config_json_of({}).dump());
  check_refused(kUsage, {"-m", config, "--timing-only"}, {"no tokenizer", "--prompt-tokens N"});
  check_refused(kUsage, {"-m", config, "--timing-only", "--weights", "q9_0"},
                {"--weights is 'q9_0'", "q4_0"});
  check_refused(kModel, {"-m", scratch.file("bad.json", "{}"), "--timing-only", "--prompt-tokens", "1"},
                {"bad.json", "/architectures is missing"});
}
