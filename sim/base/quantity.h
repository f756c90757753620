// SPDX-License-Identifier: Apache-2.0
// Units as types: a cycle is not a byte, and a scratchpad address is not a DRAM address.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace tokencycle {

// A 64-bit number of one unit. Sums with plain integers stay in the unit; two units never mix.
template <class Unit>
struct Quantity {
  std::uint64_t value = 0;

  constexpr Quantity() = default;
  constexpr explicit Quantity(std::uint64_t v) : value(v) {}
  static constexpr Quantity max() { return Quantity(std::numeric_limits<std::uint64_t>::max()); }

  constexpr auto operator<=>(const Quantity&) const = default;
  template <class Archive>
  void serialize(Archive& state) {
    state(value);
  }

  constexpr Quantity& operator+=(Quantity o) { return value += o.value, *this; }
  constexpr Quantity& operator-=(Quantity o) { return value -= o.value, *this; }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.value + b.value); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.value - b.value); }
  friend constexpr Quantity operator+(Quantity a, std::uint64_t b) { return Quantity(a.value + b); }
  friend constexpr Quantity operator-(Quantity a, std::uint64_t b) { return Quantity(a.value - b); }
};

// A point in time or a duration, in cycles of the machine clock.
using Cycle = Quantity<struct CycleUnit>;
inline constexpr Cycle kNever = Cycle::max();

// A byte address in simulated DRAM.
using DramAddress = Quantity<struct DramAddressUnit>;

// ceil(a / b) for b > 0.
constexpr std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}
constexpr std::uint64_t round_up(std::uint64_t a, std::uint64_t b) {
  return ceil_div(a, b) * b;
}

}  // namespace tokencycle
