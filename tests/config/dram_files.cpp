// SPDX-License-Identifier: Apache-2.0
#include "dram_files.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "base/error.h"

namespace tokencycle::config {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <typename Read>
std::string errors_of(const Read& read) {
  try {
    read();
  } catch (const ConfigurationError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

DramJson json_of(const std::filesystem::path& path) {
  return DramJson::parse(text_of(path));
}

DramDevice bundled_dram(const std::string& name) {
  return read_dram_device(find_dram_preset(kDramFolder, name));
}

DramCopy::DramCopy()
    : folder_(std::filesystem::temp_directory_path() / ("tokencycle_dram_" + std::to_string(getpid()))) {
  std::filesystem::remove_all(folder_);
  std::filesystem::copy(kDramFolder, folder_, std::filesystem::copy_options::recursive);
}

DramCopy::~DramCopy() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void DramCopy::write(const std::string& file, const std::string& text) const {
  std::ofstream(folder_ / file, std::ios::binary) << text;
}

std::string DramCopy::errors_of_device(const std::string& file) const {
  return errors_of([&] { read_dram_device(folder_ / file); });
}

std::string DramCopy::errors_of_system(const std::string& file) const {
  return errors_of([&] { read_dram_system(folder_ / file); });
}

std::string DramCopy::errors_with(const std::string& file, const std::string& text,
                                  const std::string& read) const {
  const std::string before = text_of(folder_ / file);
  write(file, text);
  const std::string errors = errors_of_device(read);
  write(file, before);
  return errors;
}

std::string DramCopy::errors_with(const std::string& file, const std::string& pointer, const DramJson& value,
                                  const std::string& read) const {
  DramJson tree = json_of(folder_ / file);
  const DramJson::json_pointer at(pointer);
  if (value.is_discarded()) {
    tree.at(at.parent_pointer()).erase(at.back());
  } else {
    tree[at] = value;
  }
  return errors_with(file, tree.dump(), read);
}

}  // namespace tokencycle::config
