// SPDX-License-Identifier: Apache-2.0
// Lists in texts.
#pragma once

#include <string>
#include <string_view>

namespace tokencycle {

// "1, 2 3\n" -> "1,2,3": what commas, blanks and line ends separate.
std::string comma_list(std::string_view text);

}  // namespace tokencycle
