// SPDX-License-Identifier: Apache-2.0
// The table of number formats. A format's code, which programs hold, is the number of its row: add rows at
// the end.
#pragma once

#include <array>

#include "numerics/formats/integers.h"
#include "numerics/formats/q4_0.h"
#include "numerics/formats/q4_1.h"
#include "numerics/formats/q8_0.h"
#include "numerics/formats/q8_1.h"
#include "numerics/formats/real.h"

namespace tokencycle {

inline constexpr std::array kFormatTable = {
    formats::kF32,        //
    formats::kF16,        //
    formats::kBf16,       //
    formats::q8_0::kRow,  //
    formats::q4_0::kRow,  //
    formats::kU8,         //
    formats::kU32,        //
    formats::kI8,         //
    formats::kI4,         //
    formats::q8_1::kRow,  //
    formats::q4_1::kRow,  //
};

}  // namespace tokencycle
