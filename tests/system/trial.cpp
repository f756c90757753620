// SPDX-License-Identifier: Apache-2.0
#include "trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <fstream>

#include "model/reference/reference.h"
#include "support/configs.h"
#include "support/synthetic_model.h"

namespace tokencycle::test {

namespace {
const std::filesystem::path kConfigs = std::filesystem::path(TOKENCYCLE_SOURCE_DIR) / "configs";
}

std::vector<std::string> machine_names() {
  std::vector<std::string> names;
  for (const config::Machine& m : one_core_machines()) names.push_back(m.name);
  return names;
}

config::Machine machine(const std::string& name, const nlohmann::json& changes) {
  std::ifstream file(kConfigs / (name + ".json"));
  nlohmann::json description = nlohmann::json::parse(file);
  description.merge_patch(changes);
  return config::parse_machine(description.dump(), name, kConfigs);
}

config::Machine machine_with_memory(const std::string& preset, const nlohmann::json& system,
                                    const nlohmann::json& dram) {
  const config::DramDevice device = config::read_dram_device(kConfigs / "dram" / (preset + ".json"));
  nlohmann::json memory = {{"model", "commands"},
                           {"channels", nullptr},
                           {"capacity_mib", nullptr},
                           {"system", {{"preset", preset}}},
                           {"channel_gb_per_s", device.data_rate_mt_s * 1e-3 * device.channel_bits / 8},
                           {"latency_ns", 20},
                           {"burst_bytes", device.burst_bytes},
                           {"requests_in_flight", 16}};
  memory.merge_patch(dram);
  memory["system"].merge_patch(system);
  return machine("tiny", {{"clock_ghz", 0.5}, {"dram", memory}});
}

std::unique_ptr<model::LlamaModel> small_model() {
  return make_synthetic_model({.layers = 1,
                               .feed_forward = 96,
                               .vocabulary = 40,
                               .matrices = Format::q8_0,
                               .tokenizer = SyntheticTokenizer::none});
}

std::vector<model::TokenId> random_tokens(std::size_t count, std::uint32_t vocabulary, std::uint64_t seed) {
  std::vector<model::TokenId> tokens(count);
  for (model::TokenId& token : tokens) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;  // Knuth's MMIX generator
    token = static_cast<model::TokenId>((seed >> 33) % vocabulary);
  }
  return tokens;
}

Trial evaluate(host::Inference& inference, std::span<const model::TokenId> tokens, std::size_t prompt) {
  Trial trial;
  const auto take = [&trial](std::vector<host::StepReport> steps) {
    for (host::StepReport& step : steps) {
      for (const std::vector<float>& row : step.logits) trial.logits.push_back(row);
      trial.steps.push_back(std::move(step));
    }
  };
  if (prompt > 0) take(inference.evaluate(tokens.first(prompt), true));
  for (std::size_t i = prompt; i < tokens.size(); ++i) take(inference.evaluate(tokens.subspan(i, 1), true));
  return trial;
}

Logits evaluate(const model::LlamaModel& model, Format kv_format, std::span<const model::TokenId> tokens) {
  model::Reference reference(model, kv_format);
  Logits logits;
  for (const model::TokenId token : tokens) {
    const std::span<const float> row = reference.step(token);
    logits.emplace_back(row.begin(), row.end());
  }
  return logits;
}

std::string difference(const Logits& machine, const Logits& reference) {
  if (machine.size() != reference.size()) {
    return fmt::format("{} rows of logits instead of {}", machine.size(), reference.size());
  }
  for (std::size_t row = 0; row < machine.size(); ++row) {
    if (machine[row].size() != reference[row].size()) return fmt::format("row {} has another length", row);
    for (std::size_t i = 0; i < machine[row].size(); ++i) {
      const float a = machine[row][i], b = reference[row][i];
      if (std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b)) continue;
      return fmt::format("token {}, logit {}: {} instead of {}", row, i, a, b);
    }
  }
  return "";
}

}  // namespace tokencycle::test
