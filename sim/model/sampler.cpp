// SPDX-License-Identifier: Apache-2.0
#include "model/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "numerics/host.h"

namespace tokencycle::model {
namespace {

struct Candidate {
  TokenId id = 0;
  double weight = 0.0;  // its probability, not yet divided by the sum of all
};

// SplitMix64 (Steele, Lea, Flood 2014): one 64-bit state, any seed is good.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// The first of the largest logits.
TokenId largest(std::span<const float> logits) {
  return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

void check(std::span<const float> logits) {
  if (logits.empty()) throw SimulationError("there are no logits to choose a token from");
  for (std::size_t id = 0; id < logits.size(); ++id) {
    if (!std::isnan(logits[id])) continue;
    throw SimulationError(
        fmt::format("the logit of token {} is not a number; the model's weights or the machine's "
                    "arithmetic are damaged (compare with the reference)",
                    id));
  }
}

// The `count` largest logits, largest first, ties by id.
std::vector<Candidate> top_k(std::span<const float> logits, std::size_t count) {
  std::vector<TokenId> ids(logits.size());
  std::iota(ids.begin(), ids.end(), TokenId{0});
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(count, ids.size()));
  std::partial_sort(ids.begin(), end, ids.end(), [&](TokenId a, TokenId b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
  std::vector<Candidate> kept;
  for (auto id = ids.begin(); id != end; ++id) kept.push_back({*id, 0.0});
  return kept;
}

double total_weight(const std::vector<Candidate>& candidates) {
  double total = 0.0;
  for (const Candidate& c : candidates) total += c.weight;
  return total;
}

// Drops what follows the shortest prefix that holds at least the share `top_p` of all probability.
void keep_top_p(std::vector<Candidate>& candidates, double top_p) {
  const double wanted = top_p * total_weight(candidates);
  double sum = 0.0;
  std::size_t kept = 0;
  while (kept < candidates.size() && sum < wanted) sum += candidates[kept++].weight;
  candidates.resize(kept);
}

}  // namespace

Sampler::Sampler(const SamplerOptions& options) : options_(options), state_(options.seed) {
  if (!std::isfinite(options.temperature) || options.temperature < 0.0) {
    throw UsageError(
        fmt::format("the temperature is {}; give 0 (always the likeliest token) or a positive number",
                    options.temperature));
  }
  if (!(options.top_p > 0.0 && options.top_p <= 1.0)) {
    throw UsageError(
        fmt::format("top-p is {}; give a number above 0 and up to 1 (1: no limit)", options.top_p));
  }
}

// In this order: top-k, softmax with temperature, top-p, draw. All in binary64, summed from the likeliest
// down.
TokenId Sampler::next(std::span<const float> logits) {
  check(logits);
  const TokenId best = largest(logits);
  if (options_.temperature == 0.0) return best;
  if (!std::isfinite(logits[best])) {
    throw SimulationError(fmt::format(
        "the largest logit, of token {}, is {}; no probabilities follow from it", best, logits[best]));
  }

  std::vector<Candidate> candidates = top_k(logits, options_.top_k == 0 ? logits.size() : options_.top_k);
  const double base = logits[best];
  for (Candidate& c : candidates) c.weight = exp_f64((logits[c.id] - base) / options_.temperature);
  keep_top_p(candidates, options_.top_p);

  // A uniform number in [0, 1) from the upper 53 bits.
  const double uniform = static_cast<double>(next_random(state_) >> 11) * 0x1p-53;
  const double target = uniform * total_weight(candidates);
  double sum = 0.0;
  for (const Candidate& c : candidates) {
    sum += c.weight;
    if (target < sum) return c.id;
  }
  return candidates.back().id;  // the product may round up to the sum
}

}  // namespace tokencycle::model
