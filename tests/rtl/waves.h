// SPDX-License-Identifier: Apache-2.0
// The signals of model and RTL side by side as text, a column a cycle.
#pragma once

#include <span>
#include <string>

#include "rtl/trace.h"

namespace tokencycle::rtl {

// Both spans begin with cycle `first` and have the same length. Rows in which nothing happens are left
// out; one in which they differ has marks below.
std::string draw_waves(std::span<const Signals> model, std::span<const Signals> rtl, std::uint64_t first);

}  // namespace tokencycle::rtl
