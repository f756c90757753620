// SPDX-License-Identifier: Apache-2.0
// models: what runs, from the program's own tables; the README shows the same.
#include <catch2/catch.hpp>

#include "command_line.h"
#include "model/architectures/architectures.h"
#include "numerics/format.h"

using namespace tokencycle;
using Catch::Contains;
using test::launch;

TEST_CASE("models lists every architecture and every format of weights") {
  const auto table = launch({"models"});
  CHECK(table.exit_code == 0);
  const auto json = nlohmann::json::parse(launch({"models", "--json"}).out);
  CHECK(json["schema"] == "tokencycle-models-1");
  REQUIRE(json["families"].size() == model::architectures().size());
  for (std::size_t i = 0; i < json["families"].size(); ++i) {
    const model::Architecture& row = model::architectures()[i];
    CHECK(json["families"][i]["gguf"] == row.name);
    CHECK(json["families"][i]["formats"].size() == json["formats"].size());
    // Columns below their headings.
    const std::size_t at = table.out.find("\n" + std::string(row.name) + " ") + 1;
    const std::string line = table.out.substr(at, table.out.find('\n', at) - at);
    CHECK(line.find(row.families, 1) == table.out.find("models "));
    if (std::string_view(row.config_names).empty()) continue;  // these come as GGUF alone
    CHECK(line.find("  " + std::string(row.config_names)) + 2 == table.out.find("config.json"));
  }
  for (const auto& format : json["formats"]) {
    Format found{};
    REQUIRE(format_from_name(format["name"].get<std::string>(), found));
    CHECK(kModelFormats.has(found));
    CHECK_THAT(table.out, Contains("\n" + format["name"].get<std::string>() + " "));
  }
  CHECK(launch({"models", "--json", "--markdown"}).exit_code == 2);
}

TEST_CASE("models --markdown is a table of the same rows, which a README has; another counts the formats") {
  const std::string table = launch({"models", "--markdown"}).out;
  for (const model::Architecture& row : model::architectures())
    CHECK_THAT(table,
               Contains("| `" + std::string(row.name) + "` | " + std::string(row.config_names) + " |"));
  const auto json = nlohmann::json::parse(launch({"models", "--json"}).out);
  const std::string readme = test::contents_of(TOKENCYCLE_SOURCE_DIR "/README.md");
  CHECK_THAT(test::contents_of(TOKENCYCLE_SOURCE_DIR "/models/README.md"), Contains(table));
  CHECK_THAT(readme, Contains("in " + std::to_string(json["formats"].size()) + " formats of weights"));
}
