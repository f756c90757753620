// SPDX-License-Identifier: Apache-2.0
// A model in several files runs as the one in one file does.
#include <catch2/catch.hpp>

#include "command_line.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using Catch::Contains;
using test::launch;
using test::Scratch;

namespace {

std::string write(const Scratch& scratch, const std::string& name, const test::GgufWriter& writer) {
  const std::vector<std::byte> bytes = writer.bytes();
  return scratch.file(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

TEST_CASE("a split model gives the cycles, events and text of the whole one") {
  const Scratch scratch;
  const test::GgufWriter writer = test::synthetic_gguf({.matrices = Format::q8_0});
  const std::string whole = write(scratch, "whole.gguf", writer);
  const auto parts = writer.parts(3);
  std::vector<std::string> files;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    files.push_back(write(scratch, "m-0000" + std::to_string(i + 1) + "-of-00003.gguf", parts[i]));
  }
  const auto result = [&](const std::string& model, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"run", "-m", model,      "-n",
                                          "3",   "-q", "--result", scratch / "r.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto outcome = launch(arguments);
    CAPTURE(outcome.err);
    REQUIRE(outcome.exit_code == 0);
    return test::json_of(scratch / "r.json");
  };
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--check"}, {"--timing-only"}}) {
    const auto one = result(whole, more);
    const auto split = result(files[0], more);
    for (const char* key : {"cycles", "event_digest", "text", "tokens"}) {
      CAPTURE(key);
      CHECK(split[key] == one[key]);
    }
    CHECK(split["model"]["digest"] != one["model"]["digest"]);
  }
  const auto inspected = launch({"inspect", files[0]});
  CHECK(inspected.exit_code == 0);
  CHECK_THAT(inspected.out, Contains("in 3 files") && Contains("output_norm.weight"));

  const auto second = launch({"run", "-m", files[1], "-n", "1"});
  CHECK(second.exit_code == 4);
  CHECK_THAT(second.err, Contains("this is part 2 of 3") && Contains("m-00001-of-00003.gguf"));
  const auto onto = launch({"run", "-m", files[0], "-n", "1", "--result", files[2]});
  CHECK(onto.exit_code == 2);
}
