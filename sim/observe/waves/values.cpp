// SPDX-License-Identifier: Apache-2.0
#include "observe/waves/values.h"

#include <algorithm>
#include <bit>

namespace tokencycle::observe {

std::uint32_t WaveNames::bits() const {
  return static_cast<std::uint32_t>(std::bit_width(values.size() - 1));
}

WaveValues::Index WaveValues::add(std::string_view scope, std::string_view name, std::uint32_t bits,
                                  const WaveNames* names, std::uint64_t initial) {
  signals_.push_back({std::string(scope), std::string(name), bits, names});
  values_.push_back(initial);
  given_.push_back(initial);
  masks_.push_back((std::uint64_t{1} << bits) - 1);
  touched_.push_back(false);
  return static_cast<Index>(signals_.size() - 1);
}

WaveValues::Index WaveValues::add_text(std::string_view scope, std::string_view name) {
  return add(scope, name, 0, nullptr, intern("none"));
}

std::uint64_t WaveValues::intern(std::string_view text) {
  const auto found = text_numbers_.find(text);
  if (found != text_numbers_.end()) return found->second;
  texts_.emplace_back(text);
  return text_numbers_.emplace(text, texts_.size() - 1).first->second;
}

WaveChange WaveValues::change_of(Index signal) {
  const std::uint64_t value = given_[signal] = values_[signal];
  const WaveSignal& s = signals_[signal];
  if (s.bits == 0) return {signal, value, texts_[value]};
  if (s.names == nullptr) return {signal, value, {}};
  return {signal, value, s.names->values[value]};
}

void WaveValues::take_changes(std::vector<WaveChange>& changes) {
  changes.clear();
  std::sort(touched_list_.begin(), touched_list_.end());
  for (const Index signal : touched_list_) {
    touched_[signal] = false;
    if (values_[signal] != given_[signal]) changes.push_back(change_of(signal));
  }
  touched_list_.clear();
}

void WaveValues::take(Index signal, std::vector<WaveChange>& changes) {
  changes.clear();
  if (values_[signal] != given_[signal]) changes.push_back(change_of(signal));
}

void WaveValues::take_all(std::vector<WaveChange>& changes) {
  changes.clear();
  for (const Index signal : touched_list_) touched_[signal] = false;
  touched_list_.clear();
  for (Index i = 0; i < signals_.size(); ++i) changes.push_back(change_of(i));
}

}  // namespace tokencycle::observe
