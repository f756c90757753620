// SPDX-License-Identifier: Apache-2.0
// Special tokens by key and by spelling. Source of the spellings and of the order of the rules:
// github.com/ggml-org/llama.cpp, src/llama-vocab.cpp (loading of special tokens, end-of-generation set).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>
#include <span>

#include "model/gguf/limits.h"
#include "model/tokenizer/vocabulary.h"

namespace tokencycle::model {

namespace {

using Spellings = std::span<const std::string_view>;

constexpr std::string_view kEndOfTurn[] = {
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>",         "<|endoftext|>",      "<|end_of_text|>",
    "<EOT>",      "_<EOT>",     "[EOT]",   "<｜end▁of▁sentence｜>", "<end_of_utterance>", "<|eot|>"};
constexpr std::string_view kEndOfMessage[] = {"<|eom_id|>"};
// Code models fill in the middle with these; those of padding, repository and file end a text.
constexpr std::string_view kFillPrefix[] = {"<|fim_prefix|>",  "<fim-prefix>", "<fim_prefix>",
                                            "<｜fim▁begin｜>", "<PRE>",        "▁<PRE>",
                                            "<|code_prefix|>", "<|prefix|>"};
constexpr std::string_view kFillSuffix[] = {"<|fim_suffix|>",  "<fim-suffix>", "<fim_suffix>",
                                            "<｜fim▁hole｜>",  "<SUF>",        "▁<SUF>",
                                            "<|code_suffix|>", "<|suffix|>"};
constexpr std::string_view kFillMiddle[] = {"<|fim_middle|>",  "<fim-middle>", "<fim_middle>",
                                            "<｜fim▁end｜>",   "<MID>",        "▁<MID>",
                                            "<|code_middle|>", "<|middle|>"};
constexpr std::string_view kFillPad[] = {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"};
constexpr std::string_view kFillRepository[] = {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>",
                                                "<reponame>"};
constexpr std::string_view kFillFile[] = {"<|file_sep|>"};

constexpr std::string_view kEndsText[] = {"<|eot_id|>",
                                          "<|im_end|>",
                                          "<|end|>",
                                          "<|return|>",
                                          "<|call|>",
                                          "<|flush|>",
                                          "<|calls|>",
                                          "<end_of_turn>",
                                          "<|endoftext|>",
                                          "</s>",
                                          "<|eom_id|>",
                                          "<EOT>",
                                          "_<EOT>",
                                          "[EOT]",
                                          "[EOS]",
                                          "<|end_of_text|>",
                                          "<end_of_utterance>",
                                          "<eos>",
                                          "<turn|>",
                                          "<|tool_response>",
                                          "<｜end▁of▁sentence｜>",
                                          "[e~[",
                                          "<|eot|>"};
// Shown as text in spite of their type in the file.
constexpr std::string_view kShown[] = {"<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"};

struct Role {
  const char* key;
  Spellings spellings;  // looked for, in this order, when the key is absent
  bool ends_text;
};
constexpr Role kTurnRole = {"tokenizer.ggml.eot_token_id", kEndOfTurn, true};
constexpr Role kOtherRoles[] = {
    {"tokenizer.ggml.eom_token_id", kEndOfMessage, true},
    {"tokenizer.ggml.fim_pre_token_id", kFillPrefix, false},
    {"tokenizer.ggml.fim_suf_token_id", kFillSuffix, false},
    {"tokenizer.ggml.fim_mid_token_id", kFillMiddle, false},
    {"tokenizer.ggml.fim_pad_token_id", kFillPad, true},
    {"tokenizer.ggml.fim_rep_token_id", kFillRepository, true},
    {"tokenizer.ggml.fim_sep_token_id", kFillFile, true},
};

// The id under `key`; `fallback` (if it is in the vocabulary) when the file lacks the key.
std::int64_t read_id(const GgufFile& file, const Vocabulary& vocabulary, const char* key,
                     std::int64_t fallback) {
  const auto size = static_cast<std::int64_t>(vocabulary.size());
  const GgufValue* value = file.find(key);
  if (value == nullptr) return fallback < size ? fallback : kNoToken;
  if (const auto* negative = std::get_if<std::int64_t>(value); negative != nullptr && *negative == -1) {
    return kNoToken;
  }
  const std::uint64_t id = file.require_unsigned(key);
  if (id == 0xFFFFFFFFu) return kNoToken;
  if (id >= vocabulary.size()) {
    file.fail(fmt::format("{} is {}, but the vocabulary has the ids 0 to {}. Correct the key in the file",
                          key, id, size - 1));
  }
  return static_cast<std::int64_t>(id);
}

std::int64_t find_role(const GgufFile& file, Vocabulary& vocabulary, const Role& role) {
  const std::int64_t given = read_id(file, vocabulary, role.key, kNoToken);
  if (given != kNoToken) return given;
  for (const std::string_view spelling : role.spellings) {
    const std::int64_t id = vocabulary.find(spelling);
    if (id == kNoToken) continue;
    vocabulary.set_type(static_cast<TokenId>(id), TokenType::control);
    return id;
  }
  return kNoToken;
}

// Some vocabularies use a spelling of kEndsText for something else; their other tokens give them away.
void remove_impostors(Vocabulary& vocabulary, std::set<TokenId>& ends) {
  const auto has = [&](std::string_view spelling) {
    const std::int64_t id = vocabulary.find(spelling);
    return id != kNoToken && ends.contains(static_cast<TokenId>(id));
  };
  const auto remove = [&](std::string_view spelling, TokenType type) {
    if (!has(spelling)) return;
    const auto id = static_cast<TokenId>(vocabulary.find(spelling));
    ends.erase(id);
    vocabulary.set_type(id, type);
  };
  const bool calls = has("<|call|>") || has("<|calls|>");
  if (calls && (has("<|return|>") || has("<|flush|>"))) remove("<|end|>", TokenType::user_defined);
  if (has("<|tool_response>")) remove("</s>", TokenType::normal);
}

// Whether a token of this type is looked for in texts.
bool is_searched(TokenType type) {
  return type == TokenType::user_defined || type == TokenType::control || type == TokenType::unknown;
}

// Each different length of special tokens is a search of its own through every text.
void check_lengths(const GgufFile& file, const Vocabulary& vocabulary) {
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (!is_searched(vocabulary.type(id)) || vocabulary.spelling(id).size() <= kMaxSpecialLength) continue;
    file.fail(
        fmt::format("tokenizer.ggml.tokens[{}], a special token, has {} bytes, over the limit of {}; "
                    "convert the model again, with type 1 (normal) for this token",
                    i, vocabulary.spelling(id).size(), kMaxSpecialLength));
  }
}

bool contains_any(const std::string& text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string::npos; });
}

// Special tokens beside which white space is dropped. Files do not say so; llama.cpp knows the models by
// name.
void read_stripping(const GgufFile& file, Vocabulary& vocabulary) {
  std::string name = file.get_string("general.name").value_or("");
  for (char& letter : name) letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
  const auto strip_before = [&](std::string_view spelling) {
    const std::int64_t id = vocabulary.find(spelling);
    if (id != kNoToken) vocabulary.set_strips_before(static_cast<TokenId>(id));
  };
  if (contains_any(file.get_string("tokenizer.ggml.pre").value_or(""),
                   {"jina-v2-de", "jina-v2-es", "jina-v2-code"}) ||
      contains_any(file.get_string("general.architecture").value_or(""),
                   {"nomic-bert-moe", "jina-bert-v3"})) {
    strip_before("<mask>");
  } else if (contains_any(name, {"phi-3", "phi3"})) {
    for (std::size_t i = 0; i < vocabulary.size(); ++i) {
      const auto id = static_cast<TokenId>(i);
      const std::string& spelling = vocabulary.spelling(id);
      const bool kept = spelling == "<unk>" || spelling == "<s>" || spelling == "<|endoftext|>";
      if (is_searched(vocabulary.type(id)) && !kept) vocabulary.set_strips_behind(id);
    }
  } else if (contains_any(name, {"modern-bert"})) {
    strip_before("[MASK]");
  }
}

bool read_flag(const GgufFile& file, const char* key, const char* id_key, std::int64_t id, bool fallback) {
  const std::optional<bool> given = file.get_bool(key);
  if (!given.has_value()) return fallback && id != kNoToken;
  if (*given && id == kNoToken) {
    file.fail(
        fmt::format("{} is true, but the file has no {}. Set the id, or the flag to false", key, id_key));
  }
  return *given;
}

}  // namespace

SpecialSet read_special_tokens(const GgufFile& file, Vocabulary& vocabulary,
                               const SpecialDefaults& defaults) {
  SpecialSet set;
  SpecialTokens& tokens = set.tokens;
  std::set<TokenId> ends;
  const auto add_end = [&](std::int64_t id) {
    if (id != kNoToken) ends.insert(static_cast<TokenId>(id));
  };
  // (1) By key, (2) by spelling where the key is absent.
  tokens.bos = read_id(file, vocabulary, "tokenizer.ggml.bos_token_id", defaults.bos);
  tokens.eos = read_id(file, vocabulary, "tokenizer.ggml.eos_token_id", defaults.eos);
  tokens.unknown = read_id(file, vocabulary, "tokenizer.ggml.unknown_token_id", defaults.unknown);
  tokens.separator =
      read_id(file, vocabulary, "tokenizer.ggml.seperator_token_id", defaults.separator);  // so spelled
  tokens.eot = find_role(file, vocabulary, kTurnRole);
  tokens.add_bos = read_flag(file, "tokenizer.ggml.add_bos_token", "tokenizer.ggml.bos_token_id", tokens.bos,
                             defaults.add_bos);
  tokens.add_eos = read_flag(file, "tokenizer.ggml.add_eos_token", "tokenizer.ggml.eos_token_id", tokens.eos,
                             defaults.add_eos);
  for (const Role& role : kOtherRoles) {
    const std::int64_t id = find_role(file, vocabulary, role);
    if (role.ends_text) add_end(id);
  }
  // (3) Whatever is spelled like the end of a text ends it, and has no text of its own.
  for (const std::string_view spelling : kEndsText) {
    const std::int64_t id = vocabulary.find(spelling);
    add_end(id);
    if (id != kNoToken) vocabulary.set_type(static_cast<TokenId>(id), TokenType::control);
  }
  for (const std::string_view spelling : kShown) {
    const std::int64_t id = vocabulary.find(spelling);
    if (id != kNoToken) vocabulary.set_type(static_cast<TokenId>(id), TokenType::user_defined);
  }
  add_end(tokens.eos);
  add_end(tokens.eot);
  remove_impostors(vocabulary, ends);
  check_lengths(file, vocabulary);
  read_stripping(file, vocabulary);
  set.end_tokens.assign(ends.begin(), ends.end());
  return set;
}

}  // namespace tokencycle::model
