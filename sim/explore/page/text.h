// SPDX-License-Identifier: Apache-2.0
// Texts and numbers of the report's page. Names, prompts and generated texts come from anywhere: each goes
// through one of these functions on its way into the page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "observe/analysis/cycle_stack.h"

namespace tokencycle::explore {

// For HTML text and quoted attributes, on one line: line breaks become an arrow; control characters, those
// that change the direction of writing, and bytes that are no UTF-8 become U+FFFD. Cut after `most`
// characters.
std::string html_text(std::string_view text, std::size_t most = 120);
// The same with its line breaks.
std::string html_block(std::string_view text, std::size_t most = 2000);
// For a <script> of data: a zlib stream in base64, a fifth of the text. Throws std::bad_alloc.
std::string packed_json(const nlohmann::ordered_json& value);
// One word of a POSIX shell's command line, $'...' where it has control characters.
std::string shell_word(std::string_view text);

// 12345.67 with 1 digit: "12,345.7". Below 0: a minus sign (U+2212).
std::string number_text(double value, int digits = 0);
std::string count_text(std::uint64_t value);
// "+1,234", "−1,234", "0".
std::string signed_text(double value, int digits = 0);
// The change from `before` to `after` in percent: "−25.9 %"; "" from 0.
std::string change_text(double before, double after);
// part of whole as "12.3 %"; "0 %" of nothing.
std::string share_text(double part, double whole);
// Three digits with a prefix: 2.64e10, "B/s" is "26.4 GB/s". Below 1: no prefix.
std::string scaled_text(double value, std::string_view unit);

// What a cause means, one sentence without its end.
std::string_view meaning_of(observe::Cause cause);
// "k0" and so on: the class that gives a cause its colour and pattern everywhere.
std::string class_of(observe::Cause cause);

}  // namespace tokencycle::explore
