// SPDX-License-Identifier: Apache-2.0
// The angles of rotary positions. Source of yarn: github.com/jquesnelle/yarn, in the form of ggml's rope.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/architectures/parts.h"

namespace tokencycle::model {
namespace {

// The pair that makes so many turns within the original context.
double pair_of(const Hyperparameters& s, double turns) {
  return s.rope_dims * std::log(s.rope_original_context / (turns * 2 * std::numbers::pi)) /
         (2 * std::log(s.rope_base));
}

// How much of each pair's angle stays: 1 of the fast ones, 0 of those that are divided by the factor.
std::vector<double> yarn_ramp(const Hyperparameters& s) {
  const double first = std::max(0.0, std::floor(pair_of(s, s.yarn_fast)));
  const double last = std::min(s.rope_dims - 1.0, std::ceil(pair_of(s, s.yarn_slow)));
  std::vector<double> ramp(s.rope_dims / 2);
  for (std::size_t i = 0; i < ramp.size(); ++i) {
    const double along = (static_cast<double>(i) - first) / std::max(0.001, last - first);
    ramp[i] = 1.0 - std::clamp(along, 0.0, 1.0);
  }
  return ramp;
}

double plain_rate(double base, std::size_t pair, std::uint32_t dims) {
  return std::pow(base, -2.0 * static_cast<double>(pair) / dims);
}

}  // namespace

void set_rotary_angles(Hyperparameters& s, const std::vector<float>& factors) {
  const std::uint32_t pairs = s.rope_dims / 2;
  const bool yarn = s.rope_scaling == RopeScaling::yarn;
  const std::vector<double> stays = yarn ? yarn_ramp(s) : std::vector<double>(pairs);
  for (std::uint32_t i = 0; i < pairs; ++i) {
    const double rate = plain_rate(s.rope_base, i, s.rope_dims) / static_cast<double>(factors[i]);
    const double scaled = rate * (1.0 / s.rope_scale);
    s.rotary.rates.push_back(yarn ? scaled * (1.0 - stays[i]) + rate * stays[i] : scaled);
  }
  const std::uint32_t local = s.local_rope_dims != 0 ? s.local_rope_dims : s.rope_dims;
  for (std::uint32_t i = 0; s.local_rope_base != 0.0 && i < local / 2; ++i)
    s.local_rotary.rates.push_back(plain_rate(s.local_rope_base, i, local));
  s.rotary.magnitude = s.rope_magnitude;
  if (yarn && s.rope_scale > 1.0) s.rotary.magnitude *= 1.0 + 0.1 * std::log(s.rope_scale);
}

std::vector<float> make_rotary_table(const RotaryTable& angles, std::uint32_t positions) {
  std::vector<float> table;
  table.reserve(std::size_t{positions} * angles.rates.size() * 2);
  for (std::uint32_t position = 0; position < positions; ++position) {
    for (const double rate : angles.rates) {
      table.push_back(static_cast<float>(std::cos(position * rate) * angles.magnitude));
      table.push_back(static_cast<float>(std::sin(position * rate) * angles.magnitude));
    }
  }
  return table;
}

}  // namespace tokencycle::model
