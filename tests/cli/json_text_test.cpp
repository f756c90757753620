// SPDX-License-Identifier: Apache-2.0
// A document whose rows are made while it is written has the text of the whole document.
#include "host/result/json_text.h"

#include <catch2/catch.hpp>

#include "command_line.h"

using namespace tokencycle;
using Json = nlohmann::ordered_json;
using test::launch;
using test::Scratch;

namespace {

Json row(std::size_t i) {
  return {{"id", i}, {"text", "row " + std::to_string(i)}, {"stack", {{"matrix", i * i}, {"vector", 1}}}};
}

}  // namespace

TEST_CASE("rows made one by one give the text of a document that holds them, and no long part at once") {
  for (const std::size_t rows : {0u, 1u, 3u, 5000u}) {
    Json whole = {
        {"schema", "x"}, {"numbers", {1, 2, 3}}, {"tokens", Json::array()}, {"after", {{"tokens", 7}}}};
    for (std::size_t i = 0; i < rows; ++i) whole["tokens"].push_back(row(i));
    Json without = whole;
    without["tokens"] = nullptr;
    std::string text;
    std::size_t longest = 0;
    host::write_json(without, {"tokens", rows, row}, [&](std::string_view part) {
      text += part;
      longest = std::max(longest, part.size());
    });
    CAPTURE(rows);
    CHECK(text == host::json_text(whole));
    CHECK(longest < 70'000);
  }
}

TEST_CASE("a run's result is written with one row per token, as json_text would write all of it") {
  const Scratch scratch;
  const std::string model = scratch.model();
  const std::string file = scratch / "result.json";
  REQUIRE(launch({"run", "-m", model, "-c", "edge", "-n", "5", "--ignore-eos", "-q", "--result", file})
              .exit_code == 0);
  const std::string text = test::contents_of(file);
  const Json document = Json::parse(text);
  CHECK(document["tokens"].size() == 5);
  CHECK(host::json_text(document) == text);
}
