// SPDX-License-Identifier: Apache-2.0
#include "host/timing_only.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "host/files.h"
#include "host/prompt.h"
#include "model/config_json.h"

namespace tokencycle::host {

namespace {

using model::TokenId;

// Ids of a prompt and of the tokens that follow.
struct Ids {
  std::vector<TokenId> prompt, generated;
};

// The document of a run; `path` and `option` name it in errors.
nlohmann::json parse_result(const std::string& text, const std::string& path, std::string_view option) {
  try {
    nlohmann::json result = nlohmann::json::parse(text);
    if (result.at("schema").get<std::string>() == "tokencycle-result-1") return result;
  } catch (const nlohmann::json::exception&) {
    // Said below: whatever is missing, it is no result.
  }
  throw UsageError(
      fmt::format("{} @{}: this is no result of a run (schema tokencycle-result-1); write one "
                  "with tokencycle run --result FILE",
                  option, path));
}

// What an option says: @RESULT.json, or the document itself.
nlohmann::json result_of(const std::string& text, std::string_view option) {
  if (!text.starts_with('@')) return parse_result(text, "-", option);
  const std::string path = text.substr(1);
  if (path.empty()) {
    throw UsageError(fmt::format("{} @ names no file; write it as {} @RESULT.json", option, option));
  }
  return parse_result(read_text(path), path, option);
}

std::vector<TokenId> parse_ids(std::string_view text) {
  std::vector<TokenId> ids;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    TokenId id = 0;
    const auto [rest, error] = std::from_chars(part.data(), part.data() + part.size(), id);
    if (error != std::errc() || rest != part.data() + part.size()) {
      throw UsageError(
          fmt::format("--tokens has '{}' where a token id is needed; write it as 1,2,3 or, with the "
                      "prompt's ids first, as 1,2:3,4, or name a result: @RESULT.json",
                      part));
    }
    ids.push_back(id);
    text.remove_prefix(std::min(part.size() + 1, text.size()));
  }
  return ids;
}

// The ids of one of several sequences.
Ids read_sequence(const nlohmann::json& sequences, const TokenRequest& request) {
  if (sequences.size() != request.sequences) {
    throw UsageError(fmt::format(
        "--tokens: the result is of {} sequences, and {} {} asked for; give --sequences {}", sequences.size(),
        request.sequences, request.sequences == 1 ? "is" : "are", sequences.size()));
  }
  const nlohmann::json& of = sequences.at(request.sequence);
  return {of.at("prompt_tokens").get<std::vector<TokenId>>(), of.at("ids").get<std::vector<TokenId>>()};
}

// The ids that a run wrote down: one sequence's are those of all.
Ids read_result(const std::string& text, const TokenRequest& request) {
  const nlohmann::json result = result_of(text, "--tokens");
  try {
    if (const auto sequences = result.find("sequences"); sequences != result.end())
      return read_sequence(*sequences, request);
    Ids ids{result.at("prompt_tokens").get<std::vector<TokenId>>(), {}};
    for (const auto& token : result.at("tokens")) ids.generated.push_back(token.at("id").get<TokenId>());
    return ids;
  } catch (const nlohmann::json::exception&) {
    // Said below: whatever is missing, it is no result.
  }
  throw UsageError(
      "--tokens: its file is no result of a run (schema tokencycle-result-1); write one with tokencycle run "
      "--result FILE");
}

Ids given_ids(const std::string& tokens, const TokenRequest& request) {
  if (tokens.starts_with('@') || tokens.starts_with('{')) return read_result(tokens, request);
  const std::size_t colon = tokens.find(':');
  if (colon == std::string::npos) return {{}, parse_ids(tokens)};
  return {parse_ids(std::string_view(tokens).substr(0, colon)),
          parse_ids(std::string_view(tokens).substr(colon + 1))};
}

void check_ids(const std::vector<TokenId>& ids, std::uint32_t vocabulary) {
  for (const TokenId id : ids) {
    if (id >= vocabulary) {
      throw UsageError(
          fmt::format("--tokens has the id {}, and the vocabulary has 0 to {}; take ids of this model", id,
                      vocabulary - 1));
    }
  }
}

void set_prompt(const TokenRequest& request, const model::LlamaModel& model, const Ids& given,
                TokenPlan& plan) {
  const int said =
      (request.prompt ? 1 : 0) + (request.prompt_tokens ? 1 : 0) + (given.prompt.empty() ? 0 : 1);
  if (said > 1)
    throw UsageError("--prompt, --prompt-tokens and a prompt in --tokens exclude each other; give one");
  if (request.chat && (request.prompt_tokens || !given.prompt.empty())) {
    throw UsageError("--chat goes with the text of --prompt, not with ids; leave it out");
  }
  if (!given.prompt.empty()) {
    plan.prompt = given.prompt;
    plan.prompt_source = "given by --tokens";
  } else if (request.prompt_tokens) {
    if (*request.prompt_tokens == 0) throw UsageError("--prompt-tokens is 0; it must be at least 1");
    const std::uint32_t most = model.shape().context;
    if (*request.prompt_tokens > most) {
      throw UsageError(fmt::format("--prompt-tokens is {}; the model was made for at most {}",
                                   *request.prompt_tokens, most));
    }
    for (TokenId i = 0; i < *request.prompt_tokens; ++i) plan.prompt.push_back(i % model.shape().vocabulary);
    plan.prompt_source = "0, 1, 2, ... modulo the vocabulary";
  } else {
    if (model.file().find("tokenizer.ggml.model") == nullptr) {
      throw UsageError(
          fmt::format("{} has no tokenizer: say how long the prompt is with --prompt-tokens N, or "
                      "give its ids with --tokens IDS:",
                      model.file().path().string()));
    }
    Prompt prompt = read_prompt(request, model.file(), *model::make_tokenizer(model.file()));
    plan.prompt_text = std::move(prompt.text);
    plan.prompt = std::move(prompt.ids);
    plan.notes = std::move(prompt.notes);
    if (plan.prompt.empty()) {
      throw UsageError("--prompt is empty and the vocabulary has no BOS token to begin with");
    }
    plan.prompt_source = "the text's";
  }
}

}  // namespace

void plan_experts(const std::optional<std::string>& text, const model::LlamaModel& model,
                  InferenceOptions& options) {
  if (!text) return;
  if (model.shape().experts == 0) {
    throw UsageError("--experts is about the experts of a layer, and this model has none; leave it out");
  }
  if (!text->starts_with('@') && !text->starts_with('{')) {
    const auto [rest, error] =
        std::from_chars(text->data(), text->data() + text->size(), options.expert_seed);
    if (error == std::errc() && rest == text->data() + text->size() && !text->empty()) return;
    throw UsageError(fmt::format("--experts is '{}'; it must be a seed, a whole number, or @RESULT.json",
                                 printable(*text, 80)));
  }
  const nlohmann::json result = result_of(*text, "--experts");
  const auto found = result.find("expert_choices");
  if (found != result.end() && found->is_array()) {
    for (const nlohmann::json& expert : *found) {
      if (!expert.is_number_unsigned() || expert.get<std::uint64_t>() >= model.shape().experts) {
        throw UsageError(
            fmt::format("--experts {}: it has the choice {}, and this model has experts 0 to {}; take "
                        "a run of the same model",
                        printable(*text, 80), expert.dump(), model.shape().experts - 1));
      }
      options.experts.push_back(expert.get<std::uint32_t>());
    }
  }
  if (options.experts.empty())
    throw UsageError(fmt::format("--experts {}: the run had no experts; give a seed", printable(*text, 80)));
}

TokenPlan plan_tokens(const TokenRequest& request, const model::LlamaModel& model) {
  const Ids given = request.tokens ? given_ids(*request.tokens, request) : Ids{};
  if (request.tokens && given.prompt.empty() && given.generated.empty()) {
    throw UsageError("--tokens has no ids; write them as 1,2,3, or leave the option out");
  }
  check_ids(given.prompt, model.shape().vocabulary);
  check_ids(given.generated, model.shape().vocabulary);
  TokenPlan plan;
  set_prompt(request, model, given, plan);

  const auto known = static_cast<std::uint32_t>(given.generated.size());
  const std::uint32_t wanted = request.new_tokens.value_or(known > 0 ? known : kDefaultNewTokens);
  if (known == 0) {
    plan.generated.assign(wanted, plan.prompt.back());
    plan.token_source = "the prompt's last, repeated";
    return plan;
  }
  if (known < wanted) {
    throw UsageError(fmt::format(
        "--new-tokens asks for {} tokens and --tokens has {}; give more ids or a smaller -n", wanted, known));
  }
  plan.generated.assign(given.generated.begin(), given.generated.begin() + wanted);
  plan.token_source = "given by --tokens";
  return plan;
}

model::GgufFile open_shapes(const std::filesystem::path& path, const std::optional<std::string>& weights) {
  std::optional<Format> format;
  if (weights) {
    Format chosen{};
    if (!format_from_name(*weights, chosen) || !kModelFormats.has(chosen)) {
      std::vector<std::string> allowed;
      for (const FormatRow& r : kFormatTable) {
        if (r.ggml >= 0 && r.as_weight) allowed.emplace_back(r.name);
      }
      throw UsageError(fmt::format("--weights is '{}'; it must be {}{}", *weights,
                                   kModelFormats.names(" or "), did_you_mean(*weights, allowed)));
    }
    format = chosen;
  }
  if (model::looks_like_config_json(path)) return model::read_config_json(path, format);
  if (format) {
    throw UsageError(
        "--weights goes with a config.json; a GGUF file says itself what its weights are stored as");
  }
  return model::GgufFile(path, model::TensorData::absent);
}

}  // namespace tokencycle::host
