// SPDX-License-Identifier: Apache-2.0
// Bounded reading of a config.json and typed access to its values; private to config_json.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tokencycle::model {

// One object of the file: the whole, or one inside it. Every error names file, JSON path, value and range.
// A key whose value is null counts as absent, as the library that writes these files means it.
class ConfigObject {
 public:
  // Refuses texts over 1 MiB, objects nested deeper than 16 and keys that are given twice.
  ConfigObject(const std::filesystem::path& path, const std::vector<std::byte>& text);

  // The object below a key; nullopt when it is absent.
  std::optional<ConfigObject> object(std::string_view key) const;
  bool has(std::string_view key) const;

  // Whole numbers of 1 to `limit`.
  std::uint32_t size(std::string_view key, std::uint32_t limit) const;
  std::optional<std::uint32_t> get_size(std::string_view key, std::uint32_t limit) const;
  // The same from 0 on.
  std::optional<std::uint32_t> get_count(std::string_view key, std::uint32_t limit) const;
  // Positive numbers that stay positive and finite as fp32.
  double positive(std::string_view key) const;
  std::optional<double> get_positive(std::string_view key) const;
  bool boolean(std::string_view key, bool by_default) const;
  std::optional<std::string> text(std::string_view key) const;
  std::optional<std::vector<std::string>> texts(std::string_view key) const;
  std::optional<std::vector<double>> numbers(std::string_view key) const;
  // The first of the keys that is there; the first one where none is.
  std::string_view first_of(std::initializer_list<std::string_view> keys) const;

  // Refuses keys that nothing asked for, but those of the list and those whose value is null, false or empty.
  void refuse_unread(std::span<const std::string_view> harmless) const;

  // Throws ModelError: "FILE: /path/key is VALUE: message" (or "is missing").
  [[noreturn]] void fail(std::string_view key, const std::string& message) const;

 private:
  using Json = nlohmann::json;
  ConfigObject(std::string file, std::string path, Json value);
  const Json* find(std::string_view key) const;

  std::string file_, path_;
  Json value_;
  std::shared_ptr<std::set<std::string, std::less<>>> read_;  // keys that were asked for
};

// The file's bytes. Throws IoError; ModelError when it is over 1 MiB.
std::vector<std::byte> read_config_bytes(const std::filesystem::path& path);

}  // namespace tokencycle::model
