// SPDX-License-Identifier: Apache-2.0
// What a core has in flight as a row of numbers that means the same at any time: cycles count from now.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "base/quantity.h"
#include "machine/unit.h"

namespace tokencycle::machine {

using StateWords = std::vector<std::uint64_t>;

// Stands for kNever among cycles that count from now: further away than any.
inline constexpr std::uint64_t kNeverWord = std::uint64_t{1} << 63;

// Archives for `serialize_in_flight` of the units, with the same calls as those for `serialize`. Instructions
// in flight are named by their place in the order of decoding.
class StateSaver {
 public:
  using is_loading = std::false_type;
  StateSaver(Cycle now, std::span<InFlight* const> order, StateWords& words)
      : now_(now), order_(order), words_(words) {}

  template <class... T>
  void operator()(T&&... values) {
    (one(values), ...);
  }

 private:
  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  void one(const T& value) { words_.push_back(static_cast<std::uint64_t>(value)); }
  void one(const Cycle& cycle) { words_.push_back(cycle == kNever ? kNeverWord : cycle.value - now_.value); }
  void one(InFlight* const& entry) {
    std::uint64_t place = 0;  // 0: none
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (order_[i] == entry) place = i + 1;
    }
    words_.push_back(place);
  }
  template <class T>
  void one(const std::optional<T>& value) {
    words_.push_back(value.has_value() ? 1 : 0);
    if (value) one(*value);
  }
  template <class T>
  requires requires(T t, StateSaver s) { t.serialize(s); }
  void one(const T& value) {
    const_cast<T&>(value).serialize(*this);  // which only reads while it saves
  }

  const Cycle now_;
  const std::span<InFlight* const> order_;
  StateWords& words_;
};

class StateLoader {
 public:
  using is_loading = std::true_type;
  StateLoader(Cycle now, std::span<InFlight* const> order, std::span<const std::uint64_t> words)
      : now_(now), order_(order), words_(words) {}

  template <class... T>
  void operator()(T&&... values) {
    (one(values), ...);
  }

 private:
  std::uint64_t take() {
    const std::uint64_t word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }
  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  void one(T& value) { value = static_cast<T>(take()); }
  void one(Cycle& cycle) {
    const std::uint64_t word = take();
    cycle = word == kNeverWord ? kNever : now_ + word;
  }
  void one(InFlight*& entry) {
    const std::uint64_t place = take();
    entry = place == 0 ? nullptr : order_[place - 1];
  }
  template <class T>
  void one(std::optional<T>& value) {
    value.reset();
    if (take() != 0) one(value.emplace());
  }
  template <class T>
  requires requires(T t, StateLoader s) { t.serialize(s); }
  void one(T& value) { value.serialize(*this); }

  const Cycle now_;
  const std::span<InFlight* const> order_;
  std::span<const std::uint64_t> words_;
};

}  // namespace tokencycle::machine
