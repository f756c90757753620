// SPDX-License-Identifier: Apache-2.0
// Cycles and addresses as numbers in the messages of failed checks.
#pragma once

#include <ostream>

#include "base/quantity.h"

namespace tokencycle {

template <class Unit>
std::ostream& operator<<(std::ostream& out, Quantity<Unit> quantity) {
  return out << quantity.value;
}

}  // namespace tokencycle
