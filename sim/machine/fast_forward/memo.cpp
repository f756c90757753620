// SPDX-License-Identifier: Apache-2.0
#include "machine/fast_forward/memo.h"

#include <utility>

namespace tokencycle::machine {

std::uint64_t Memo::hash_of(std::span<const std::uint64_t> words, std::uint64_t seed) {
  std::uint64_t hash = seed;
  for (const std::uint64_t word : words) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;  // 2^64 over the golden ratio
    hash ^= hash >> 29;
  }
  return hash;
}

std::uint32_t Memo::number_of(const StateWords& words) {
  const auto [at, is_new] = numbers_.try_emplace(words, static_cast<std::uint32_t>(states_.size()));
  if (is_new) {
    states_.push_back(&at->first);
    held_ += words.size();
  }
  return at->second;
}

const Iteration* Memo::find(std::uint32_t state, std::span<const std::uint64_t> signature) const {
  const auto at = iterations_.find(KeyView{state, signature});
  return at == iterations_.end() ? nullptr : &at->second;
}

void Memo::add(std::uint32_t state, std::span<const std::uint64_t> signature, Iteration iteration) {
  held_ += signature.size() + iteration.happenings.size() * (sizeof(Happening) / sizeof(std::uint64_t)) +
           iteration.records.size() * (sizeof(observe::InstructionRecord) / sizeof(std::uint64_t));
  iterations_.insert_or_assign(Key{state, {signature.begin(), signature.end()}}, std::move(iteration));
}

void Memo::clear() {
  iterations_.clear();
  numbers_.clear();
  states_.clear();
  held_ = 0;
}

}  // namespace tokencycle::machine
