// SPDX-License-Identifier: Apache-2.0
// Values of a result document with their places, so that each error names the one that is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "observe/analysis/cycle_stack.h"

namespace tokencycle::explore {

// Counts beyond it are not exact in every program that reads JSON, and no run gets there.
inline constexpr std::uint64_t kMostCount = std::uint64_t{1} << 53;

// One value. It refers to the document, which outlives it. All members throw IoError with source, path, value
// and remedy where the value is not what is asked for.
class Node {
 public:
  using Json = nlohmann::ordered_json;
  Node(const Json& json, const std::string& source) : Node(json, "", source) {}

  Node at(const std::string& key) const;                   // a member that must be there
  std::optional<Node> find(const std::string& key) const;  // none: it is absent or null
  std::size_t size() const;                                // of an array
  Node operator[](std::size_t index) const;
  template <class Visit>  // visit(key, node) for each member of an object
  void members(const Visit& visit) const {
    for (const auto& [key, value] : object()) visit(key, Node(value, path_of(key), source_));
  }

  std::string text() const;
  std::uint64_t count(std::uint64_t most = kMostCount) const;
  std::int64_t whole(std::int64_t least, std::int64_t most) const;
  double number() const;  // finite, not negative
  bool flag() const;
  observe::Stack stack() const;  // causes that are left out are 0
  bool is_null() const { return json_->is_null(); }
  const Json& json() const { return *json_; }

  // `what` is said after the place.
  [[noreturn]] void refuse(const std::string& what) const;
  // Refuses where a part's sum is not what it has to be: "sums to 3, not to the 4 of /cycles".
  void check_sum(std::uint64_t sum, std::uint64_t expected, const std::string& of) const;

 private:
  Node(const Json& json, std::string path, const std::string& source)
      : json_(&json), path_(std::move(path)), source_(source) {}
  const Json::object_t& object() const;
  std::string path_of(const std::string& key) const;
  [[noreturn]] void refuse_value(const std::string& expected) const;

  const Json* json_;
  std::string path_;  // JSON pointer
  const std::string& source_;
};

// Sums that stop at the largest number instead of wrapping to 0.
std::uint64_t add_counts(std::uint64_t a, std::uint64_t b);
std::uint64_t sum_of(const observe::Stack& stack);
void add_stack(observe::Stack& sum, const observe::Stack& more);

}  // namespace tokencycle::explore
