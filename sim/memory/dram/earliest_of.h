// SPDX-License-Identifier: Apache-2.0
// The smallest of a fixed number of keys that change one at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace tokencycle::memory {

// A tournament: each inner node has the winner of the two below it, the left one if they are equal. A change
// plays the games from its leaf to the root again.
class EarliestOf {
 public:
  explicit EarliestOf(std::size_t count)
      : leaves_(std::bit_ceil(count)),
        keys_(leaves_, std::numeric_limits<std::uint64_t>::max()),
        winners_(leaves_ * 2) {
    for (std::size_t i = 0; i < leaves_; ++i) winners_[leaves_ + i] = static_cast<std::uint32_t>(i);
    for (std::size_t node = leaves_ - 1; node > 0; --node) play(node);
  }
  std::uint32_t first() const { return winners_[1]; }
  std::uint64_t key() const { return keys_[first()]; }
  void set(std::size_t i, std::uint64_t key) {
    if (keys_[i] == key) return;
    keys_[i] = key;
    for (std::size_t node = (leaves_ + i) / 2; node > 0; node /= 2) play(node);
  }

 private:
  void play(std::size_t node) {
    const std::uint32_t left = winners_[2 * node], right = winners_[2 * node + 1];
    winners_[node] = keys_[right] < keys_[left] ? right : left;
  }
  std::size_t leaves_;
  std::vector<std::uint64_t> keys_;
  std::vector<std::uint32_t> winners_;  // by node; the root is 1
};

}  // namespace tokencycle::memory
