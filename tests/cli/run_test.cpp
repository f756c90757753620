// SPDX-License-Identifier: Apache-2.0
// Does `run` say what it did, the same each time? The text, the result document, seeds, and where it finds
// models.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "command_line.h"
#include "model/tokenizer/tokenizer.h"

using namespace tokencycle;
using Catch::Contains;
using Json = nlohmann::json;
using test::launch;
using test::Outcome;
using test::Scratch;

namespace {

Outcome run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "run");
  Outcome o = launch(arguments);
  CAPTURE(arguments, o.err);
  REQUIRE(o.exit_code == 0);
  CHECK(o.err.empty());
  return o;
}

// The result of a run, and the text that went with it.
struct Result {
  std::string out;
  Json json;
};
Result run_for_result(const Scratch& scratch, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--result", scratch / "result.json"});
  const Outcome o = run(arguments);
  return {o.out, test::json_of(scratch / "result.json")};
}

Json without_host(Json json) {
  json.erase("host");
  return json;
}

std::uint64_t sum_of(const Json& values) {
  std::uint64_t sum = 0;
  for (const Json& value : values) sum += value.get<std::uint64_t>();
  return sum;
}

}  // namespace

TEST_CASE("-q prints exactly the generated text and a newline") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const Result r = run_for_result(scratch, {"-m", model, "-p", "the end", "-n", "12", "-q"});
  const model::GgufFile file(model);
  const auto tokenizer = model::make_tokenizer(file);
  std::string text;
  REQUIRE(r.json["tokens"].size() == 12);
  for (const Json& token : r.json["tokens"]) text += tokenizer->decode(token["id"].get<std::uint32_t>());
  CHECK(r.out == text + "\n");
  CHECK(r.json["prompt_tokens"].get<std::vector<std::uint32_t>>() ==
        tokenizer->encode("the end", true, true));
  // Without -q the prompt comes first, the summary behind.
  const Outcome loud = run({"-m", model, "-p", "the end", "-n", "12"});
  CHECK_THAT(loud.out, Catch::StartsWith("the end" + text + "\n\nmodel "));
  for (const char* part : {"machine  edge", "cycles per token", "where the cycles went", "100.0 %",
                           "utilisation", "DRAM ", "simulation "}) {
    CHECK_THAT(loud.out, Contains(part));
  }
}

TEST_CASE("the result document has the schema's fields, and its sums come out") {
  const Scratch scratch;
  const Json j =
      run_for_result(scratch, {"-m", scratch.model(), "-p", "a b c", "-n", "4", "-q", "-c", "tiny"}).json;
  CHECK(j["schema"] == "tokencycle-result-1");
  CHECK(j["model"]["file"] == "model.gguf");
  CHECK(j["configuration"]["name"] == "tiny");
  CHECK(j["configuration"]["values"]["matrix"]["rows"] == 8);
  for (const char* digest : {"/model/digest", "/configuration/digest", "/program/digest", "/event_digest"}) {
    CAPTURE(digest);
    CHECK_THAT(j.at(Json::json_pointer(digest)).get<std::string>(), Catch::Matches("[0-9a-f]{32}"));
  }
  CHECK(j["settings"]["prompt"] == "a b c");
  CHECK(j["settings"]["seed"].is_null());  // greedy: there is no draw
  CHECK(j["settings"]["checked_against_reference"] == false);
  CHECK(j["stop_reason"] == "length");

  const std::uint64_t cycles = j["cycles"];
  CHECK(sum_of(j["stack"]) == cycles);
  std::uint64_t next = 1, operators = 0;
  for (const Json& token : j["tokens"]) {
    CHECK(token["start"] == next);
    next = token["end"];
    CHECK(token["cycles"] == next - token["start"].get<std::uint64_t>());
    CHECK(sum_of(token["stack"]) == token["cycles"]);
    CHECK(token["phase"] == (&token == &j["tokens"][0] ? "prefill" : "decode"));
  }
  CHECK(next == cycles + 1);
  for (const Json& op : j["operators"]) {
    operators += op["prefill"]["cycles"].get<std::uint64_t>() + op["decode"]["cycles"].get<std::uint64_t>();
  }
  CHECK(operators == cycles);
  for (const auto& [unit, states] : j["units"].items()) {
    CAPTURE(unit);
    CHECK(sum_of(states) == cycles);
  }
  for (const Json& counter : j["counters"]) {
    CAPTURE(counter);
    CHECK(counter["value"].is_number_unsigned());
    CHECK_FALSE(counter["unit"].get<std::string>().empty());
    CHECK_FALSE(counter["meaning"].get<std::string>().empty());
  }
  CHECK(j["host"]["clock_mode"] == "gated");
}

TEST_CASE(
    "two runs give the same result apart from the host's part, with either clocking, on every machine") {
  const Scratch scratch;
  const std::string model = scratch.model();
  for (const std::string machine : {"tiny", "edge", "gemmini", "cloud"}) {
    CAPTURE(machine);
    const std::vector<std::string> arguments = {"-m", model, "-c", machine, "-n", "3", "-q"};
    std::vector<std::string> every_edge = arguments;
    every_edge.insert(every_edge.end(), {"--clock", "every-edge"});
    const Result first = run_for_result(scratch, arguments);
    const Result second = run_for_result(scratch, arguments);
    const Result third = run_for_result(scratch, every_edge);
    CHECK(without_host(first.json).dump() == without_host(second.json).dump());
    CHECK(without_host(first.json).dump() == without_host(third.json).dump());
    CHECK(third.json["host"]["clock_mode"] == "every-edge");
    CHECK(first.out == third.out);
  }
}

TEST_CASE("the check is said to have been made, and changes nothing") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const Outcome o = run({"-m", model, "-n", "2", "--check"});
  CHECK_THAT(o.out, Contains("every operator's result equals the reference bit for bit"));
  const Json checked = run_for_result(scratch, {"-m", model, "-n", "2", "--check", "-q"}).json;
  const Json plain = run_for_result(scratch, {"-m", model, "-n", "2", "-q"}).json;
  CHECK(checked["settings"]["checked_against_reference"] == true);
  CHECK(checked["tokens"] == plain["tokens"]);
  CHECK(checked["event_digest"] == plain["event_digest"]);
}

TEST_CASE("a seed fixes the text, another one draws another") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto text = [&](const std::string& seed) {
    return run({"-m", model, "-n", "12", "-q", "--temperature", "1.5", "--top-k", "0", "--seed", seed}).out;
  };
  CHECK(text("7") == text("7"));
  CHECK(text("7") != text("8"));
  const Json j =
      run_for_result(scratch, {"-m", model, "-n", "1", "-q", "--temperature", "0.5", "--seed", "7"}).json;
  CHECK(j["settings"]["seed"] == 7);
  CHECK(j["settings"]["temperature"] == 0.5);
  CHECK(j["settings"]["top_k"] == 40);
}

TEST_CASE("the end of the text stops the run, unless it is to be ignored") {
  const Scratch scratch;
  test::GgufWriter writer = test::synthetic_gguf({.matrices = Format::q8_0});
  const auto write = [&] {
    const std::vector<std::byte> bytes = writer.bytes();
    return scratch.file("end.gguf", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  };
  const std::vector<std::string> arguments = {"-m", write(), "-n", "4", "-q"};
  const Json before = run_for_result(scratch, arguments).json;
  const std::uint32_t second = before["tokens"][1]["id"];
  REQUIRE(second != before["tokens"][0]["id"]);
  REQUIRE(writer.remove("tokenizer.ggml.eos_token_id"));
  writer.u32("tokenizer.ggml.eos_token_id", second);
  write();

  const Result ended = run_for_result(scratch, arguments);
  CHECK(ended.json["stop_reason"] == "end of text");
  REQUIRE(ended.json["tokens"].size() == 2);  // the end took its cycles, and is no text
  CHECK(ended.json["tokens"][1]["id"] == second);
  CHECK(ended.json["tokens"][1]["text"] == "");
  CHECK(ended.json["text"] == before["tokens"][0]["text"]);
  std::vector<std::string> on = arguments;
  on.push_back("--ignore-eos");
  const Json ignored = run_for_result(scratch, on).json;
  CHECK(ignored["stop_reason"] == "length");
  CHECK(ignored["settings"]["ignore_eos"] == true);
  CHECK(ignored["tokens"] == before["tokens"]);
}

TEST_CASE("smaller steps, another cache and another rotation take their options") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto result = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"-m", model, "-p", "a b c d e f", "-n", "2", "-q", "--check"});
    return run_for_result(scratch, options).json;
  };
  const Json plain = result({}), batch = result({"--batch", "2"}), cache = result({"--kv-type", "f32"}),
             split = result({"--rope", "split"}), shorter = result({"--context", "40"});
  CHECK(batch["settings"]["batch"] == 2);
  CHECK(batch["tokens"][0]["cycles"] > plain["tokens"][0]["cycles"]);
  CHECK(batch["text"] == plain["text"]);
  CHECK(cache["settings"]["kv_format"] == "f32");
  CHECK(cache["cycles"] != plain["cycles"]);
  CHECK(plain["settings"]["rope_pairs"] == "adjacent");
  CHECK(split["settings"]["rope_pairs"] == "split");
  CHECK(split["cycles"] == plain["cycles"]);  // another order of the same work
  CHECK(split["program"]["digest"] != plain["program"]["digest"]);
  CHECK(shorter["settings"]["context"] == 40);
}

TEST_CASE("machines and the bundled model are found under TOKENCYCLE_HOME") {
  const Scratch home;
  const test::Environment environment = {{"TOKENCYCLE_HOME", home / ""}};
  std::filesystem::create_directories(home / "configs");
  std::filesystem::create_directories(home / "models");
  const Outcome no_machine = launch({"run"}, environment);
  CHECK(no_machine.exit_code == 7);
  std::filesystem::copy_file(TOKENCYCLE_SOURCE_DIR "/configs/tiny.json", home / "configs/edge.json");
  const Outcome no_model = launch({"run"}, environment);
  CHECK(no_model.exit_code == 2);
  CHECK_THAT(no_model.err, Contains("-m is missing"));
  std::filesystem::rename(home.model(), home / "models/small-q8_0.gguf");
  const Outcome o = launch({"run", "-n", "1"}, environment);
  CHECK(o.exit_code == 0);
  CHECK_THAT(o.out, Contains("model    synthetic") && Contains("machine  tiny"));
}

TEST_CASE("a full standard output ends the run with the reason") {
  const Scratch scratch;
  // The helper captures standard output, so a shell puts it elsewhere.
  const std::string command = std::string("'") + TOKENCYCLE_BINARY + "' run -m '" + scratch.model() +
                              "' -n 2 -q > /dev/full 2> '" + (scratch / "err") + "'";
  const int status = std::system(command.c_str());
  CHECK(status / 256 == 7);
  CHECK_THAT(test::contents_of(scratch / "err"),
             Contains("standard output cannot be written: No space left on device") && Contains("--result"));
}

TEST_CASE("a prompt may be in a file or come from standard input, and be long") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const auto text_of = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"run", "-m", model, "-n", "2", "-q"});
    const Outcome o = launch(arguments);
    CAPTURE(arguments, o.err);
    CHECK(o.exit_code == 0);
    return o.out;
  };
  const std::string plain = text_of({"-p", "ab"});
  const std::string file = scratch.file("prompt.txt", "ab\n");
  CHECK(text_of({"-p", "@" + file}) == plain);
  CHECK(text_of({"-f", file}) == plain);
  CHECK(text_of({"--file", file}) == plain);
  CHECK(text_of({"-f", scratch.file("crlf.txt", "ab\r\n")}) == plain);
  CHECK(text_of({"-p", "@@ab"}) == text_of({"-f", scratch.file("at.txt", "@ab")}));

  const std::string shell = std::string("printf 'ab\\n' | '") + TOKENCYCLE_BINARY + "' run -m '" + model +
                            "' -n 2 -q -p - > '" + (scratch / "out") + "'";
  CHECK(std::system(shell.c_str()) == 0);
  CHECK(test::contents_of(scratch / "out") == plain);

  // Longer than an argument can be: read whole, then more than the context has.
  const Outcome longest =
      launch({"run", "-m", model, "-f", scratch.file("long.txt", std::string(200'000, 'a'))});
  CHECK_THAT(longest.err, Contains("prompt tokens") && Contains("context"));
  const Outcome both = launch({"run", "-m", model, "-p", "a", "-f", file});
  CHECK(both.exit_code == 2);
  CHECK_THAT(both.err, Contains("--prompt and --file"));
  CHECK(launch({"run", "-m", model, "-p", "@" + (scratch / "none")}).exit_code == 7);
}

TEST_CASE("--result - is standard output") {
  const Scratch scratch;
  const Outcome o = launch({"run", "-m", scratch.model(), "-n", "1", "-q", "--result", "-"});
  CHECK(o.exit_code == 0);
  CHECK(nlohmann::json::parse(o.out.substr(o.out.find('{')))["schema"] == "tokencycle-result-1");
}

TEST_CASE("what is not there is named before what would go with it") {
  const Scratch scratch;
  const std::string there = scratch.model();
  const std::string missing = there.substr(0, there.size() - 5) + "x.gguf";
  const Outcome o = launch({"run", "-m", missing, "--weights", "q8_0"});
  CHECK(o.exit_code == 7);
  CHECK_THAT(o.err, Contains("there is no such file") && Contains("did you mean"));
  const Outcome folder = launch({"run", "-m", scratch / ""});
  CHECK(folder.exit_code == 7);
  CHECK_THAT(folder.err, Contains("a folder without a config.json"));
  for (const std::string& home : {std::string("/nonexistent"), scratch / ""}) {
    const Outcome away = launch({"run", "-m", there}, {{"TOKENCYCLE_HOME", home}});
    CHECK(away.exit_code == 7);
    CHECK_THAT(away.err, Contains("TOKENCYCLE_HOME is '" + home + "'") && Contains("configs/"));
  }
  CHECK(launch({"run", "-m", there, "-n", "1", "-q"}, {{"TOKENCYCLE_HOME", ""}}).exit_code == 0);
}

TEST_CASE("a seed that is no whole number is refused, not wrapped") {
  for (const std::string seed : {"-1", "x", "1.5", "18446744073709551616"}) {
    const auto refused = test::launch({"run", "-n", "1", "-q", "--seed", seed});
    INFO(seed);
    CHECK(refused.exit_code == 2);
    CHECK_THAT(refused.err, Catch::Contains("--seed is '" + seed + "'"));
  }
}

TEST_CASE("--tiling changes the machine's description and its cycles, and no value of the text") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const Result free = run_for_result(scratch, {"-m", model, "-n", "4", "-q", "-c", "edge-os"});
  const Result tiled =
      run_for_result(scratch, {"-m", model, "-n", "4", "-q", "-c", "edge-os", "--tiling", "2,8,32"});
  CHECK(tiled.out == free.out);
  CHECK(tiled.json["configuration"]["digest"] != free.json["configuration"]["digest"]);
  CHECK(tiled.json["configuration"]["values"]["matrix"]["tiling"] == Json{{"m", 2}, {"n", 8}, {"k", 32}});
  CHECK(tiled.json["tokens"].back()["end"] != free.json["tokens"].back()["end"]);
  for (const char* wrong : {"", "1", "1,2", "1,2,", "1,2,x", "1,2,-3", "1,2,3,4", " 1,2,3"}) {
    const Outcome o = launch({"run", "-m", model, "--tiling", wrong});
    CAPTURE(wrong, o.err);
    CHECK(o.exit_code == 2);
    CHECK_THAT(o.err, Contains("--tiling is '" + std::string(wrong) + "'; it must be three whole numbers"));
  }
  const Outcome uneven = launch({"run", "-m", model, "-c", "edge-os", "--tiling", "0,0,48"});
  CHECK(uneven.exit_code == 3);
  CHECK_THAT(uneven.err, Contains("with --tiling 0,0,48: /matrix/tiling/k: 48"));
}
