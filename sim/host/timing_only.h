// SPDX-License-Identifier: Apache-2.0
// Runs without values: which tokens the machine is given, since none can be sampled.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/inference.h"
#include "model/architecture.h"
#include "model/tokenizer/tokenizer.h"

namespace tokencycle::host {

inline constexpr const char* kDefaultPrompt = "It is a truth universally acknowledged";
inline constexpr std::uint32_t kDefaultNewTokens = 32;

// What the command line says about tokens; nullopt where an option was not given.
struct TokenRequest {
  std::optional<std::string> prompt;           // --prompt
  std::optional<std::uint32_t> prompt_tokens;  // --prompt-tokens
  std::optional<std::string> tokens;           // --tokens: "1,2:3,4", "3,4" or "@RESULT.json"
  std::optional<std::uint32_t> new_tokens;     // --new-tokens
  bool chat = false;                           // --chat: the prompt is a message, in the model's template
  std::optional<std::string> experts;          // --experts: "7" or "@RESULT.json"
  std::uint32_t sequence = 0, sequences = 1;   // whose tokens: one of so many, which a result may have
};

// The ids that decide which rows of the embedding table are gathered: cycles depend on them and on no other
// value.
struct TokenPlan {
  std::vector<model::TokenId> prompt;
  std::vector<model::TokenId> generated;    // as a functional run's; the last one is never evaluated
  std::string prompt_text;                  // where it came from a text
  std::string prompt_source, token_source;  // for the summary and the result
  std::vector<std::string> notes;           // Prompt::notes
};

// Which experts the routers of a timing-only run choose: a seed, or "@RESULT.json" with those of that run.
// Sets `options`; throws UsageError for what is neither, for a model without experts, and for a result of a
// run that had none.
void plan_experts(const std::optional<std::string>& text, const model::LlamaModel& model,
                  InferenceOptions& options);

// Throws UsageError for contradictions, ids outside the vocabulary, too few ids; IoError and UsageError for a
// result that cannot be read or is none.
TokenPlan plan_tokens(const TokenRequest& request, const model::LlamaModel& model);

// Opens a GGUF file, or a config.json with its matrices in `weights`, without tensor data. Throws UsageError
// for
// --weights with a GGUF file, IoError, ModelError.
model::GgufFile open_shapes(const std::filesystem::path& path, const std::optional<std::string>& weights);

}  // namespace tokencycle::host
