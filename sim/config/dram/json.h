// SPDX-License-Identifier: Apache-2.0
// Members of JSON objects by name: missing, of another type, out of range or unknown ones become violations.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/violations.h"

namespace tokencycle::config {

enum class Need : std::uint8_t { required, optional };

// What is allowed for a whole number; the unit is for messages.
struct WholeRange {
  std::uint64_t min = 0, max = 0;
  std::string_view unit;
  bool power_of_two = false;
};
struct RealRange {
  double min = 0, max = 0;
  std::string_view unit;
};

inline constexpr std::size_t kLongestText = 4096;  // of a source or a description, bytes
inline constexpr std::size_t kMostNames = 256;     // of parameters or commands; a standard has some 30

// One object of a description. Every take_... reports what is wrong with the member and then returns nothing;
// finish() reports the members that nothing asked for. It keeps references to the tree and the list.
class JsonObject {
 public:
  // `value` of another type is reported and treated as an object without members, of which none is missed.
  JsonObject(const nlohmann::ordered_json* value, std::string path, Violations& violations);

  const std::string& path() const { return path_; }
  std::string path_of(std::string_view name) const;
  bool has(std::string_view name) const;
  Violations& violations() const { return *violations_; }
  void complain(std::string_view name, const std::string& what) const;

  const nlohmann::ordered_json* take(const std::string& name, const std::string& allowed,
                                     Need need = Need::required);
  std::optional<std::uint64_t> take_whole(const std::string& name, const WholeRange& range,
                                          Need need = Need::required);
  std::optional<double> take_real(const std::string& name, const RealRange& range,
                                  Need need = Need::required);
  // 1 to `longest` bytes without control characters.
  std::optional<std::string> take_text(const std::string& name, std::size_t longest,
                                       Need need = Need::required);
  std::optional<bool> take_boolean(const std::string& name, Need need = Need::required);
  // The index of the choice.
  std::optional<std::size_t> take_choice(const std::string& name, std::span<const std::string_view> choices,
                                         Need need = Need::required);
  JsonObject take_object(const std::string& name, Need need = Need::required);
  // The elements of an array of 1 to `longest` values; empty when it is wrong or absent.
  std::vector<const nlohmann::ordered_json*> take_array(const std::string& name, std::size_t longest,
                                                        Need need = Need::required);
  // Names of the members, all counted as asked for; more than kMostNames are reported, and the first of them
  // returned.
  std::vector<std::string> take_names();
  void finish() const;

 private:
  const nlohmann::ordered_json* value_;  // null: not an object
  std::string path_;
  Violations* violations_;
  std::vector<std::string> asked_;
  bool all_asked_ = false;
};

// "did you mean \"x\"?", or the list of what is known.
std::string suggest(std::string_view word, std::span<const std::string> known);
// A value as short JSON text in ASCII.
std::string shown_json(const nlohmann::ordered_json& value);

// A digest of the values, whatever the text's spaces.
std::string json_digest(const nlohmann::ordered_json& value);

// The text of a standard's, preset's or system's file, as read_description() has it.
std::string read_dram_text(const std::filesystem::path& path);

}  // namespace tokencycle::config
