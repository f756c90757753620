// SPDX-License-Identifier: Apache-2.0
#include "host/expert_choices.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace tokencycle::host {

namespace {

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): the n-th number of
// a seed without those before it.
std::uint64_t random(std::uint64_t seed, std::uint64_t n) {
  std::uint64_t z = seed + (n + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

}  // namespace

void ExpertChoices::choose(std::uint32_t cols, std::span<std::uint32_t> places) {
  if (given_.empty()) {
    draw(cols, places);
  } else {
    take(cols, places);
  }
  chose(places);
}

// Distinct ones, each as likely as any other.
void ExpertChoices::draw(std::uint32_t cols, std::span<std::uint32_t> places) const {
  std::vector<std::uint32_t> left(cols);
  std::iota(left.begin(), left.end(), 0u);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::uint64_t n = random(seed_, made_.size() + i) % (cols - i);
    std::swap(left[i], left[i + n]);
    places[i] = left[i];
  }
}

void ExpertChoices::take(std::uint32_t cols, std::span<std::uint32_t> places) const {
  if (given_.size() - made_.size() < places.size()) {
    throw SimulationError(fmt::format(
        "--experts gives {} choices, and the run needs more; give those of a run of the same model "
        "with as many tokens, or a seed",
        given_.size()));
  }
  std::copy_n(given_.begin() + static_cast<std::ptrdiff_t>(made_.size()), places.size(), places.begin());
  for (const std::uint32_t place : places) {
    if (place < cols) continue;
    throw SimulationError(
        fmt::format("--experts gives the expert {}, and the model has 0 to {}; give those of a "
                    "run of the same model",
                    place, cols - 1));
  }
}

}  // namespace tokencycle::host
