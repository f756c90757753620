// SPDX-License-Identifier: Apache-2.0
// What normalizing a text needs to know about code points.
#pragma once

#include <cstdint>

namespace tokencycle::model {

bool is_white_space(std::uint32_t point);  // Unicode's White_Space
bool is_control(std::uint32_t point);      // categories Cc, Cf, Co and Cs
bool is_mark(std::uint32_t point);         // categories M
bool is_punctuation(std::uint32_t point);  // categories P
bool is_ideograph(std::uint32_t point);    // CJK ideographs as BERT's tokenizer counts them

// The lower case by the simple mapping; the code point itself where it has none.
std::uint32_t lower_case(std::uint32_t point);

// The first code point of the canonical decomposition: the letter below its accents.
std::uint32_t base_letter(std::uint32_t point);

}  // namespace tokencycle::model
