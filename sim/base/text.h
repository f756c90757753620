// SPDX-License-Identifier: Apache-2.0
// Small helpers for text that people read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tokencycle {

// 1234567 -> "1,234,567".
std::string with_separators(std::uint64_t value);
// A rate of at least 0 with three significant digits, or all digits of a whole number: 4.84, 48.4, 1,484.
std::string rate_text(double rate);
int rate_decimals(double rate);

// The candidate nearest to `word` by edit distance, or "" when none is near (at most a third of the letters
// differ). Letters of the other case are the same letters.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

// The end of a message about an unknown `word`: "; did you mean 'edge'?", or "" when none is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// Text of unknown origin, fit for a message: control characters as \\xHH, and of more than `most` bytes the
// beginning and the end with " ... " between them.
std::string printable(std::string_view text, std::size_t most);

// 1536 -> "1.5 KiB".
std::string bytes_text(std::uint64_t bytes);

}  // namespace tokencycle
