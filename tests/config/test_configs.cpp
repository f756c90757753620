// SPDX-License-Identifier: Apache-2.0
// Do the bundled machines load, and does the documentation list every key with its unit and range?
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "config/fields.h"
#include "config/machine.h"

namespace tokencycle::config {
namespace {

std::vector<std::filesystem::path> bundled() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(TOKENCYCLE_SOURCE_DIR "/configs")) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  return paths;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Whether a section's heading names the file, alone or with others.
bool has_heading(const std::string& markdown, const std::string& file) {
  std::istringstream lines(markdown);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ") && line.find(file) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("every bundled machine loads under its file's name") {
  const auto paths = bundled();
  REQUIRE(paths.size() >= 3);
  for (const auto& path : paths) {
    INFO(path.string());
    const Machine machine = read_machine(path);
    CHECK(machine.name == path.stem().string());
    CHECK(machine.description.size() > 100);
    CHECK(machine.digest.size() == 32);
  }
}

TEST_CASE("bundled machines can multiply what attention and the usual weights need") {
  for (const auto& path : bundled()) {
    INFO(path.string());
    const Machine machine = read_machine(path);
    for (const auto type : {MultiplyType::int8, MultiplyType::int4, MultiplyType::fp16, MultiplyType::fp32}) {
      CHECK(machine.matrix.cycles_per_row[static_cast<std::size_t>(type)] >= 1);
    }
  }
}

TEST_CASE("a bundled machine's file is its canonical JSON") {
  for (const auto& path : bundled()) {
    INFO(path.string());
    CHECK(to_json(read_machine(path)) == text_of(path));
  }
}

TEST_CASE("configs/sources.md says where the numbers of each bundled machine come from") {
  const std::string page = text_of(TOKENCYCLE_SOURCE_DIR "/configs/sources.md");
  for (const auto& path : bundled()) {
    INFO(path.string());
    CHECK(has_heading(page, path.filename().string()));
  }
}

}  // namespace tokencycle::config
