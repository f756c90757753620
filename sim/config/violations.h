// SPDX-License-Identifier: Apache-2.0
// Collects everything that is wrong with one machine description, to be reported at once.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tokencycle::config {

class Violations {
 public:
  explicit Violations(std::string source_name) : source_(std::move(source_name)) {}

  // `path` is a JSON pointer ("" is the whole text); `what` gives value, allowed range and remedy.
  void add(const std::string& path, const std::string& what);
  // Those of a file that belongs to this description.
  void add_all(const Violations& others);
  // By path, what gave the value there, where that is not the file itself.
  void set_sources(std::map<std::string, std::string> sources) { sources_ = std::move(sources); }
  bool empty() const { return lines_.empty(); }
  // Whether something was reported at this path, at one of its parents, or inside it.
  bool concerns(const std::string& path) const;
  // Throws ConfigurationError listing all violations (the first kListed of them in words) if there are any.
  void throw_if_any() const;

  const std::string& source() const { return source_; }
  static constexpr std::size_t kListed = 100;

 private:
  std::string source_;
  std::vector<std::string> lines_;
  std::set<std::string> paths_;
  std::map<std::string, std::string> sources_;
};

// The first 60 bytes of a text from a file, so that a message stays readable.
std::string shortened(const std::string& text);
// A text from a file as in a JSON string: control, non-ASCII and ill-formed characters as ASCII escapes.
std::string escaped(const std::string& text);

}  // namespace tokencycle::config
