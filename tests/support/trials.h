// SPDX-License-Identifier: Apache-2.0
// How often a random trial of values and cycles is repeated.
#pragma once

#include <cstdint>

namespace tokencycle::test {

// `count` in a release build, a fifth under sanitizers: these look for bytes and arithmetic that are out of
// bounds, which the first trials meet as well as the thousandth. Damaged files are always all tried.
constexpr int trials(int count) {
#ifdef __SANITIZE_ADDRESS__
  return (count + 4) / 5;
#else
  return count;
#endif
}

// Whether the nth combination of a long product (formats and machines, say) is tried: all are in a release
// build, a sixth under sanitizers, drawn by its number.
constexpr bool is_tried([[maybe_unused]] std::uint32_t combination) {
#ifdef __SANITIZE_ADDRESS__
  return (combination * 0x9e3779b9u >> 16) % 6 == 0;
#else
  return true;
#endif
}

}  // namespace tokencycle::test
