// SPDX-License-Identifier: Apache-2.0
// From logits to the next token, on the host.
#pragma once

#include <cstdint>
#include <span>

#include "model/tokenizer/tokenizer.h"

namespace tokencycle::model {

struct SamplerOptions {
  double temperature = 0.0;  // >= 0; 0: greedy
  std::uint32_t top_k = 40;  // 0: all
  double top_p = 0.95;       // (0, 1]
  std::uint64_t seed = 0;
};

// Deterministic: the same logits and options give the same tokens on any machine. Own generator
// (SplitMix64), ties go to the lower id, NaN logits are refused (SimulationError naming the id).
class Sampler {
 public:
  explicit Sampler(const SamplerOptions& options);  // throws UsageError for values out of range
  TokenId next(std::span<const float> logits);
  template <class Archive>
  void serialize(Archive& state) {
    state(state_);
  }

 private:
  SamplerOptions options_;
  std::uint64_t state_;
};

}  // namespace tokencycle::model
