// SPDX-License-Identifier: Apache-2.0
#include "config/violations.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/fields.h"

namespace tokencycle::config {

void Violations::add(const std::string& path, const std::string& what) {
  paths_.insert(path);
  const std::string place = path.empty() ? "(whole file)" : path;
  std::string source = source_;
  for (std::string p = path; !p.empty(); p = parent_of(p)) {
    const auto found = sources_.find(p);
    if (found == sources_.end()) continue;
    source = found->second;
    break;
  }
  lines_.push_back(fmt::format("{}: {}: {}", source, place, what));
}

void Violations::add_all(const Violations& others) {
  lines_.insert(lines_.end(), others.lines_.begin(), others.lines_.end());
  paths_.insert(others.paths_.begin(), others.paths_.end());
}

bool Violations::concerns(const std::string& path) const {
  for (std::string p = path; !p.empty(); p = parent_of(p)) {
    if (paths_.contains(p)) return true;
  }
  const auto inside = paths_.lower_bound(path + "/");
  return inside != paths_.end() && inside->starts_with(path + "/");
}

void Violations::throw_if_any() const {
  if (empty()) return;
  if (lines_.size() == 1) throw ConfigurationError(lines_.front());
  std::string message = fmt::format("{}: {} errors in this machine description:", source_, lines_.size());
  const std::size_t listed = std::min(lines_.size(), kListed);
  for (std::size_t i = 0; i < listed; ++i) message += "\n  " + lines_[i];
  if (listed < lines_.size()) message += fmt::format("\n  and {} more", lines_.size() - listed);
  throw ConfigurationError(message);
}

std::string shortened(const std::string& text) {
  constexpr std::size_t kShown = 60;
  return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

std::string escaped(const std::string& text) {
  const std::string quoted =
      nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace tokencycle::config
