// SPDX-License-Identifier: Apache-2.0
// Tokens through the machine and through the reference, and what the whole-system tests ask of both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "host/inference.h"

namespace tokencycle::test {

using Logits = std::vector<std::vector<float>>;  // [token][vocabulary]

// The names of all machines of configs/, sorted.
std::vector<std::string> machine_names();
// A machine of configs/, with the values of `changes` instead of its own (as RFC 7396 merges).
config::Machine machine(const std::string& name, const nlohmann::json& changes = nlohmann::json::object());

// A small machine of configs/ with these devices (a preset of configs/dram) instead of its memory. `system`:
// keys beside the preset; `dram`: keys around it.
config::Machine machine_with_memory(const std::string& preset,
                                    const nlohmann::json& system = nlohmann::json::object(),
                                    const nlohmann::json& dram = nlohmann::json::object());

// One layer of width 64: a few tokens take some ten thousand cycles.
std::unique_ptr<model::LlamaModel> small_model();

// The same pseudo-random ids on every host.
std::vector<model::TokenId> random_tokens(std::size_t count, std::uint32_t vocabulary,
                                          std::uint64_t seed = 1);

struct Trial {
  Logits logits;  // of all tokens
  std::vector<host::StepReport> steps;
  std::uint64_t cycles() const {
    return steps.back().execution.end.value - steps.front().execution.start.value;
  }
};
// The first `prompt` tokens in steps as large as the machine holds, the others one by one.
Trial evaluate(host::Inference& inference, std::span<const model::TokenId> tokens, std::size_t prompt);
Logits evaluate(const model::LlamaModel& model, Format kv_format, std::span<const model::TokenId> tokens);

// The first place where the bits differ, empty when they are the same.
std::string difference(const Logits& machine, const Logits& reference);

}  // namespace tokencycle::test
