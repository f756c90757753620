// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer/partition.h"

#include <algorithm>

namespace tokencycle::model {

namespace {

struct Hit {
  std::size_t at;
  std::size_t length;
  TokenId id;
};

// Matches of earlier, longer spellings. One of `length` bytes or more that overlaps [at, at + length) covers
// its first or its last byte, so looking at these two suffices.
class Taken {
 public:
  explicit Taken(std::size_t size) : taken_(size, false) {}
  bool overlaps(std::size_t at, std::size_t length) const { return taken_[at] || taken_[at + length - 1]; }
  void take(std::size_t at, std::size_t length) {
    std::fill_n(taken_.begin() + static_cast<std::ptrdiff_t>(at), length, true);
  }

 private:
  std::vector<bool> taken_;
};

}  // namespace

SpecialPartition::SpecialPartition(const Vocabulary& vocabulary) : vocabulary_(&vocabulary) {
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const TokenType type = vocabulary.type(id);
    const std::string& spelling = vocabulary.spelling(id);
    if (spelling.empty()) continue;
    if (type == TokenType::user_defined) add(user_defined_, spelling, id);
    if (type == TokenType::user_defined || type == TokenType::control || type == TokenType::unknown) {
      add(all_, spelling, id);
    }
  }
}

void SpecialPartition::add(std::vector<SameLength>& groups, std::string_view spelling, TokenId id) {
  const auto place = std::find_if(groups.begin(), groups.end(),
                                  [&](const SameLength& group) { return group.length <= spelling.size(); });
  auto group = place;
  if (place == groups.end() || place->length != spelling.size()) group = groups.insert(place, SameLength{});
  group->length = spelling.size();
  group->first_byte[static_cast<std::uint8_t>(spelling.front())] = true;
  group->ids.emplace(spelling, id);
}

std::vector<Fragment> SpecialPartition::split(std::string_view text, bool parse_special) const {
  Taken taken(text.size());
  std::vector<Hit> hits;
  std::vector<Hit> candidates;
  for (const SameLength& group : parse_special ? all_ : user_defined_) {
    if (group.length > text.size()) continue;
    candidates.clear();
    for (std::size_t at = 0; at + group.length <= text.size(); ++at) {
      if (!group.first_byte[static_cast<std::uint8_t>(text[at])] || taken.overlaps(at, group.length))
        continue;
      const auto found = group.ids.find(text.substr(at, group.length));
      if (found != group.ids.end()) candidates.push_back({at, group.length, found->second});
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Hit& a, const Hit& b) { return a.id < b.id; });
    for (const Hit& hit : candidates) {
      if (taken.overlaps(hit.at, hit.length)) continue;
      taken.take(hit.at, hit.length);
      hits.push_back(hit);
    }
  }
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.at < b.at; });

  std::vector<Fragment> fragments;
  std::size_t at = 0;
  for (const Hit& hit : hits) {
    add_text(text.substr(at, hit.at - at), hit.id, fragments);
    fragments.push_back({text.substr(hit.at, hit.length), hit.id});
    at = hit.at + hit.length;
  }
  add_text(text.substr(at), kNoToken, fragments);
  return fragments;
}

// The stretch before the token `next`, without the white space that its neighbours strip.
void SpecialPartition::add_text(std::string_view text, std::int64_t next,
                                std::vector<Fragment>& fragments) const {
  constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";
  if (!fragments.empty() && vocabulary_->strips_behind(static_cast<TokenId>(fragments.back().token))) {
    text.remove_prefix(std::min(text.find_first_not_of(kWhiteSpace), text.size()));
  }
  if (next != kNoToken && vocabulary_->strips_before(static_cast<TokenId>(next))) {
    text = text.substr(0, text.find_last_not_of(kWhiteSpace) + 1);
  }
  if (!text.empty()) fragments.push_back({text, kNoToken});
}

}  // namespace tokencycle::model
