// SPDX-License-Identifier: Apache-2.0
// The table of number formats. A format's code, which programs hold, is the number of its row: add rows at
// the end.
#pragma once

#include <array>

#include "numerics/formats/f8.h"
#include "numerics/formats/integers.h"
#include "numerics/formats/iq4_nl.h"
#include "numerics/formats/iq4_xs.h"
#include "numerics/formats/mxfp4.h"
#include "numerics/formats/nvfp4.h"
#include "numerics/formats/q1_0.h"
#include "numerics/formats/q2_0.h"
#include "numerics/formats/q2_k.h"
#include "numerics/formats/q3_k.h"
#include "numerics/formats/q4_0.h"
#include "numerics/formats/q4_1.h"
#include "numerics/formats/q4_k.h"
#include "numerics/formats/q5_0.h"
#include "numerics/formats/q5_1.h"
#include "numerics/formats/q5_k.h"
#include "numerics/formats/q6_k.h"
#include "numerics/formats/q8_0.h"
#include "numerics/formats/q8_1.h"
#include "numerics/formats/q8_k.h"
#include "numerics/formats/real.h"
#include "numerics/formats/tq1_0.h"
#include "numerics/formats/tq2_0.h"

namespace tokencycle {

inline constexpr std::array kFormatTable = {
    formats::kF32,          //
    formats::kF16,          //
    formats::kBf16,         //
    formats::q8_0::kRow,    //
    formats::q4_0::kRow,    //
    formats::kU8,           //
    formats::kU32,          //
    formats::kI8,           //
    formats::kI4,           //
    formats::q8_1::kRow,    //
    formats::q4_1::kRow,    //
    formats::q8_k::kRow,    //
    formats::q4_k::kRow,    //
    formats::q5_k::kRow,    //
    formats::q6_k::kRow,    //
    formats::q5_0::kRow,    //
    formats::q5_1::kRow,    //
    formats::q2_k::kRow,    //
    formats::q3_k::kRow,    //
    formats::mxfp4::kRow,   //
    formats::iq4_nl::kRow,  //
    formats::iq4_xs::kRow,  //
    formats::tq1_0::kRow,   //
    formats::tq2_0::kRow,   //
    formats::nvfp4::kRow,   //
    formats::q1_0::kRow,    //
    formats::q2_0::kRow,    //
    formats::f8::kE4M3,     //
    formats::f8::kE5M2,     //
};

}  // namespace tokencycle
