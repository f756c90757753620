// SPDX-License-Identifier: Apache-2.0
// Are chat templates recognised, and messages put into them, as the independent engine does?
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/engine.h"
#include "model/chat.h"

using namespace tokencycle;

namespace {

void check(const std::string& chat_template) {
  for (const std::string message : {"Hi", " Who are you?\n", ""}) {
    CAPTURE(message);
    const auto expected = engine::chat_prompt(chat_template, message);
    const model::ChatFamily* family = model::find_chat_family(chat_template);
    REQUIRE((family != nullptr) == expected.has_value());
    if (expected) CHECK(model::chat_prompt(*family, message) == *expected);
  }
}

}  // namespace

TEST_CASE("every family's prompt is the engine's", "[chat]") {
  for (const model::ChatFamily& family : model::chat_families()) {
    CAPTURE(family.name);
    std::string text = "{{ template }}\n";
    for (const std::string_view mark : family.marks) (text += mark) += '\n';
    check(text);
  }
}

TEST_CASE("the templates of published models give the engine's prompts", "[chat]") {
  int templates = 0, known = 0;
  const auto folder = std::filesystem::path(TOKENCYCLE_ENGINE_FOLDER) / "models/templates";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".jinja") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    CAPTURE(entry.path());
    check(text);
    ++templates;
    known += model::find_chat_family(text) != nullptr ? 1 : 0;
  }
  CHECK(templates > 50);
  CHECK(known > 30);
}
