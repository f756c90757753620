// SPDX-License-Identifier: Apache-2.0
// A figure that is known within bounds: what is derived from it keeps all three.
#pragma once

#include <algorithm>
#include <cmath>

namespace tokencycle::config {

struct Range {
  double low = 0, typical = 0, high = 0;

  Range& operator+=(const Range& more) {
    low += more.low;
    typical += more.typical;
    high += more.high;
    return *this;
  }
};
inline Range operator+(Range a, const Range& b) {
  return a += b;
}
inline Range operator*(const Range& a, const Range& b) {
  return {a.low * b.low, a.typical * b.typical, a.high * b.high};
}
inline Range operator*(const Range& a, double factor) {
  return {a.low * factor, a.typical * factor, a.high * factor};
}
inline Range operator*(double factor, const Range& a) {
  return a * factor;
}
// a / b, widest: low by the divisor's high.
inline Range operator/(const Range& a, const Range& b) {
  return {a.low / b.high, a.typical / b.typical, a.high / b.low};
}
// f of each of the three; f grows with its argument.
template <class F>
Range each(const Range& a, const F& f) {
  return {f(a.low), f(a.typical), f(a.high)};
}

}  // namespace tokencycle::config
