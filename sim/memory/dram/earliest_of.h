// SPDX-License-Identifier: Apache-2.0
// The smallest of a fixed number of keys that change one at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace tokencycle::memory {

// A tournament: each inner node has the winner of the two below it, which is the left one if they are equal.
// A change plays the games from its leaf upwards until a winner stays the same. Keys leave room for the
// number of a leaf in the same word; the largest one, none(), is that of a leaf that takes no part.
class EarliestOf {
 public:
  static constexpr std::uint64_t none() { return std::numeric_limits<std::uint64_t>::max(); }

  explicit EarliestOf(std::size_t count)
      : leaves_(std::bit_ceil(count)), bits_(std::countr_zero(leaves_)), nodes_(leaves_ * 2) {
    for (std::size_t i = 0; i < leaves_; ++i) nodes_[leaves_ + i] = none() << bits_ | i;
    for (std::size_t node = leaves_ - 1; node > 0; --node) nodes_[node] = winner(node);
  }
  std::uint32_t first() const { return static_cast<std::uint32_t>(nodes_[1] & (leaves_ - 1)); }
  std::uint64_t key() const {
    const std::uint64_t key = nodes_[1] >> bits_;
    return key == none() >> bits_ ? none() : key;
  }
  void set(std::size_t i, std::uint64_t key) {
    nodes_[leaves_ + i] = key << bits_ | i;
    for (std::size_t node = (leaves_ + i) / 2; node > 0; node /= 2) {
      const std::uint64_t won = winner(node);
      if (nodes_[node] == won) return;
      nodes_[node] = won;
    }
  }

 private:
  std::uint64_t winner(std::size_t node) const { return std::min(nodes_[2 * node], nodes_[2 * node + 1]); }

  std::size_t leaves_;
  int bits_;
  std::vector<std::uint64_t> nodes_;  // key and leaf; the root is 1
};

}  // namespace tokencycle::memory
