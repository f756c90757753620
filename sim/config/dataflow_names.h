// SPDX-License-Identifier: Apache-2.0
// The names of dataflows, long and short.
#pragma once

#include <string_view>

namespace tokencycle::config {

// The name that "ws", "is", "os" or "dot" stands for; anything else is itself.
std::string_view full_dataflow_name(std::string_view text);

}  // namespace tokencycle::config
