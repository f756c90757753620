// SPDX-License-Identifier: Apache-2.0
// The ranges behind unicode.h, in ascending order.
#pragma once

#include <cstdint>
#include <span>

namespace tokencycle::model {

struct CodeRange {
  std::uint32_t first, last;
};
struct BaseRange {
  std::uint32_t first, last, base;
};
struct CaseRange {
  std::uint32_t first, last, step;  // every step-th one
  std::int32_t distance;            // to its lower case
};

extern const std::span<const CodeRange> kUnicodeControls;
extern const std::span<const CodeRange> kUnicodeMarks;
extern const std::span<const CodeRange> kUnicodePunctuation;
extern const std::span<const BaseRange> kUnicodeBases;
extern const std::span<const CaseRange> kUnicodeLowerCases;

}  // namespace tokencycle::model
