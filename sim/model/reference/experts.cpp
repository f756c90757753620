// SPDX-License-Identifier: Apache-2.0
// What a mixture of experts has beside its linears: which experts, with what weights, and their sum.
#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <vector>

#include "model/reference/math.h"
#include "numerics/reduce.h"

namespace tokencycle::model {

void top_k(std::span<const float> x, std::span<float> places) {
  std::vector<std::uint32_t> left(x.size());
  std::iota(left.begin(), left.end(), 0u);
  for (float& place : places) {
    const auto largest = std::max_element(left.begin(), left.end(),
                                          [x](std::uint32_t a, std::uint32_t b) { return x[a] < x[b]; });
    place = std::bit_cast<float>(*largest);
    left.erase(largest);
  }
}

std::uint32_t place_at(std::span<const float> places, std::size_t i) {
  return std::bit_cast<std::uint32_t>(places[i]);
}

void keep_groups(const GroupsShape& shape, std::span<const float> x, std::span<float> y) {
  const std::size_t columns = x.size() / shape.count;
  std::vector<float> sums;
  for (std::size_t at = 0; at < x.size(); at += columns) {
    const std::span<const float> group = x.subspan(at, columns);
    std::array<float, 2> places{};
    top_k(group, places);
    sums.push_back(group[place_at(places, 0)] + group[place_at(places, 1)]);
  }
  std::vector<float> kept(shape.kept);
  top_k(sums, kept);
  const float least = sums[place_at(kept, kept.size() - 1)];
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = x[i] + std::min(sums[i / columns] - least, 0.0f) * kGroupPenalty;
  }
}

void normalize(std::span<const float> x, std::span<float> y) {
  const float sum = pairwise_sum(x);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] / sum;
}

void multiply_experts(const Weight& weight, const Weight* bias, std::span<const float> x,
                      std::span<const float> places, std::span<float> y) {
  const bool parts = x.size() != weight.cols;
  for (std::size_t s = 0; s < places.size(); ++s) {
    const std::uint32_t expert = place_at(places, s);
    const std::span<float> part = y.subspan(s * weight.rows, weight.rows);
    multiply(weight.expert(expert), parts ? x.subspan(s * weight.cols, weight.cols) : x, part);
    if (bias != nullptr) add(part, decoded_row(bias->slice(expert, 1)), part);
  }
}

void multiply_parts(const Weight& weight, std::span<const float> x, std::span<float> y) {
  for (std::uint32_t part = 0; part < weight.experts; ++part) {
    multiply(weight.expert(part), x.subspan(part * weight.cols, weight.cols),
             y.subspan(part * weight.rows, weight.rows));
  }
}

void scale_parts(std::span<const float> x, std::span<const float> factors, std::span<float> y) {
  const std::size_t columns = x.size() / factors.size();
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * factors[i / columns];
}

void weighted_sum(std::span<const float> x, std::span<const float> factors, std::span<float> y) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = x[i] * factors[0];
  for (std::size_t s = 1; s < factors.size(); ++s) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = y[i] + x[s * y.size() + i] * factors[s];
  }
}

}  // namespace tokencycle::model
