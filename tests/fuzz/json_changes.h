// SPDX-License-Identifier: Apache-2.0
// Changes to JSON texts, as trees where the text is one.
#pragma once

#include <string>

#include "fuzz/target.h"

namespace tokencycle::fuzz {

// Other values, types and keys, missing, repeated and nested ones; now and then bytes.
std::string change_json(const std::string& text, Random& random);

}  // namespace tokencycle::fuzz
