// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer/unicode.h"

#include <algorithm>
#include <array>
#include <span>

#include "model/tokenizer/unicode_table.h"

namespace tokencycle::model {

namespace {

// Unicode's PropList.txt, White_Space.
constexpr std::array<CodeRange, 10> kUnicodeWhiteSpace = {{{0x9, 0xD},
                                                           {0x20, 0x20},
                                                           {0x85, 0x85},
                                                           {0xA0, 0xA0},
                                                           {0x1680, 0x1680},
                                                           {0x2000, 0x200A},
                                                           {0x2028, 0x2029},
                                                           {0x202F, 0x202F},
                                                           {0x205F, 0x205F},
                                                           {0x3000, 0x3000}}};

// github.com/google-research/bert, tokenization.py, _is_chinese_char; the fifth block begins at U+2B920 in
// the tokenizers of Hugging Face, whose ids everything is compared with.
constexpr std::array<CodeRange, 8> kIdeographs = {{{0x3400, 0x4DBF},
                                                   {0x4E00, 0x9FFF},
                                                   {0xF900, 0xFAFF},
                                                   {0x20000, 0x2A6DF},
                                                   {0x2A700, 0x2B73F},
                                                   {0x2B740, 0x2B81F},
                                                   {0x2B920, 0x2CEAF},
                                                   {0x2F800, 0x2FA1F}}};

// The range that holds `point`, or nullptr.
template <class Range>
const Range* find_range(std::span<const Range> ranges, std::uint32_t point) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), point,
                                      [](std::uint32_t p, const Range& range) { return p < range.first; });
  if (after == ranges.begin()) return nullptr;
  const Range& range = *(after - 1);
  return point <= range.last ? &range : nullptr;
}

}  // namespace

bool is_white_space(std::uint32_t point) {
  return find_range(std::span<const CodeRange>(kUnicodeWhiteSpace), point) != nullptr;
}
bool is_ideograph(std::uint32_t point) {
  return find_range(std::span<const CodeRange>(kIdeographs), point) != nullptr;
}
bool is_control(std::uint32_t point) {
  return find_range(kUnicodeControls, point) != nullptr;
}
bool is_mark(std::uint32_t point) {
  return find_range(kUnicodeMarks, point) != nullptr;
}
bool is_punctuation(std::uint32_t point) {
  return find_range(kUnicodePunctuation, point) != nullptr;
}

std::uint32_t lower_case(std::uint32_t point) {
  const CaseRange* range = find_range(kUnicodeLowerCases, point);
  if (range == nullptr || (point - range->first) % range->step != 0) return point;
  return point + static_cast<std::uint32_t>(range->distance);
}

std::uint32_t base_letter(std::uint32_t point) {
  const BaseRange* range = find_range(kUnicodeBases, point);
  return range == nullptr ? point : range->base;
}

}  // namespace tokencycle::model
