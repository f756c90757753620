// SPDX-License-Identifier: Apache-2.0
// A ring does what a deque does, whatever is done to it, and comes back from a checkpoint.
#include "base/ring.h"

#include <catch2/catch.hpp>
#include <deque>
#include <random>
#include <sstream>

#include "base/state_archives.h"

using namespace tokencycle;

namespace {

std::deque<int> all_of(const Ring<int>& ring) {
  std::deque<int> all;
  for (std::size_t i = 0; i < ring.size(); ++i) all.push_back(ring[i]);
  return all;
}

}  // namespace

TEST_CASE("a ring is a deque in one piece") {
  std::mt19937 random(5);
  for (int trial = 0; trial < 50; ++trial) {
    Ring<int> ring;
    std::deque<int> deque;
    const auto often = 1 + random() % 4;  // pops among pushes
    for (int i = 0; i < 400; ++i) {
      const auto what = random() % (8 + often);
      const std::size_t at = random() % (deque.size() + 1);
      if (what < 6) {
        ring.push_back(i);
        deque.push_back(i);
      } else if (what == 6) {
        ring.insert(at, i);
        deque.insert(deque.begin() + static_cast<std::ptrdiff_t>(at), i);
      } else if (what == 7) {
        const std::size_t end = at + random() % (deque.size() - at + 1);
        ring.erase(at, end);
        deque.erase(deque.begin() + static_cast<std::ptrdiff_t>(at),
                    deque.begin() + static_cast<std::ptrdiff_t>(end));
      } else if (!deque.empty()) {
        ring.pop_front();
        deque.pop_front();
      }
      REQUIRE(all_of(ring) == deque);
      if (deque.empty()) continue;
      REQUIRE(ring.front() == deque.front());
      REQUIRE(ring.back() == deque.back());
    }
    std::stringstream file;
    {
      StateWriter writer(file);
      writer(ring);
    }
    Ring<int> read;
    read.push_back(-1);
    StateReader reader(file);
    reader(read);
    CHECK(all_of(read) == deque);
  }
}
