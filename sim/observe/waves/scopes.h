// SPDX-License-Identifier: Apache-2.0
// From dotted names to nested scopes: "dma0.read" lies in dma0.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tokencycle::observe {

// Walks from scope to scope; each is visited once when scopes with a common part follow each other.
class ScopeWalk {
 public:
  // Calls up() and down(name) so that the current scope becomes `scope`; the empty one is the outside.
  template <class Up, class Down>
  void move_to(std::string_view scope, Up up, Down down) {
    std::vector<std::string> parts;
    while (!scope.empty()) {
      const std::size_t dot = scope.find('.');
      parts.emplace_back(scope.substr(0, dot));
      scope = dot == std::string_view::npos ? std::string_view() : scope.substr(dot + 1);
    }
    std::size_t common = 0;
    while (common < parts.size() && common < at_.size() && parts[common] == at_[common]) ++common;
    for (std::size_t i = at_.size(); i > common; --i) up();
    for (std::size_t i = common; i < parts.size(); ++i) down(parts[i]);
    at_ = std::move(parts);
  }

 private:
  std::vector<std::string> at_;
};

}  // namespace tokencycle::observe
