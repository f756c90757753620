// SPDX-License-Identifier: Apache-2.0
// Binary64 functions for what the host decides from logits. Platforms' math libraries differ in the last
// bit; these do not, being made of additions, multiplications and divisions alone.
#pragma once

namespace tokencycle {

// e^x, at most 2 units in the last place off where the result is normal; 0 below -746, +infinity above 710,
// NaN for NaN.
double exp_f64(double x);

// The natural logarithm of a normal x > 0, at most 2 units in the last place off; -infinity for other x >= 0
// below the normal numbers, +infinity for +infinity, NaN for negative x and NaN.
double log_f64(double x);

}  // namespace tokencycle
