// SPDX-License-Identifier: Apache-2.0
// The archives of base/state.h with all that they know to write and read. Sources include it, headers do not.
#pragma once

#include <cereal/archives/binary.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/common.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include "base/state.h"
