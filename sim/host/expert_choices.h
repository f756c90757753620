// SPDX-License-Identifier: Apache-2.0
// Which experts the routers of a model choose: recorded where they are computed, else given or drawn.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "machine/unit.h"

namespace tokencycle::host {

// Choices in the order in which the machine makes them: step by step, layer by layer, token by token.
class ExpertChoices final : public machine::Choices {
 public:
  // Without values, `given` first, then, or where it is empty, drawn from the seed.
  ExpertChoices(std::uint64_t seed, std::vector<std::uint32_t> given)
      : seed_(seed), given_(std::move(given)) {}

  // Throws SimulationError when given choices come to their end, or name an expert that is not there.
  void choose(std::uint32_t cols, std::span<std::uint32_t> places) override;
  void chose(std::span<const std::uint32_t> places) override {
    made_.insert(made_.end(), places.begin(), places.end());
  }
  const std::vector<std::uint32_t>& made() const { return made_; }

  template <class Archive>
  void serialize(Archive& state) {
    state(made_);
  }

 private:
  void draw(std::uint32_t cols, std::span<std::uint32_t> places) const;
  void take(std::uint32_t cols, std::span<std::uint32_t> places) const;

  std::uint64_t seed_;
  std::vector<std::uint32_t> given_, made_;
};

}  // namespace tokencycle::host
