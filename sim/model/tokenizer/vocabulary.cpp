// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tokencycle::model {

namespace {

void check_length(const GgufFile& file, const char* key, std::size_t length, std::size_t tokens) {
  if (length == tokens) return;
  file.fail(
      fmt::format("{} has {} entries, but tokenizer.ggml.tokens has {}; both must have one entry per token. "
                  "Convert the model again",
                  key, length, tokens));
}

}  // namespace

Vocabulary::Vocabulary(const GgufFile& file) {
  const GgufArray* tokens = file.get_array("tokenizer.ggml.tokens");
  if (tokens == nullptr || tokens->strings.empty()) {
    file.fail(
        "the file has no vocabulary: tokenizer.ggml.tokens must be an array of one or more strings. Use a "
        "model file that was converted with its tokenizer");
  }
  spelling_ = tokens->strings;
  id_of_.reserve(spelling_.size());
  for (std::size_t id = 0; id < spelling_.size(); ++id) {
    if (spelling_[id].empty()) continue;
    id_of_[spelling_[id]] = static_cast<TokenId>(id);
    longest_ = std::max(longest_, spelling_[id].size());
  }
  read_scores(file);
  read_types(file);
}

void Vocabulary::read_scores(const GgufFile& file) {
  constexpr const char* kKey = "tokenizer.ggml.scores";
  const GgufArray* scores = file.get_array(kKey);
  if (scores == nullptr) return;
  check_length(file, kKey, scores->size(), size());
  score_.reserve(size());
  for (double value : scores->float_values) score_.push_back(static_cast<float>(value));
  for (std::int64_t value : scores->signed_values) score_.push_back(static_cast<float>(value));
  if (score_.size() != size()) file.fail(fmt::format("{} must be an array of numbers (f32 or i32)", kKey));
  for (std::size_t id = 0; id < score_.size(); ++id) {
    if (std::isnan(score_[id])) file.fail(fmt::format("{}[{}] is not a number", kKey, id));
  }
}

void Vocabulary::read_types(const GgufFile& file) {
  constexpr const char* kKey = "tokenizer.ggml.token_type";
  type_.assign(size(), TokenType::normal);
  const GgufArray* types = file.get_array(kKey);
  if (types == nullptr) return;
  check_length(file, kKey, types->size(), size());
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> values = types->signed_values;
  for (const std::uint64_t value : types->unsigned_values) {
    values.push_back(static_cast<std::int64_t>(std::min<std::uint64_t>(value, kMost)));
  }
  if (values.size() != size()) file.fail(fmt::format("{} must be an array of integers (i32)", kKey));
  for (std::size_t id = 0; id < values.size(); ++id) {
    if (values[id] < 0 || values[id] > static_cast<int>(TokenType::byte)) {
      file.fail(
          fmt::format("{}[{}] is {}; a token type is 0 to 6 (1 normal, 2 unknown, 3 control, 4 user-defined, "
                      "5 unused, 6 byte)",
                      kKey, id, values[id]));
    }
    type_[id] = static_cast<TokenType>(values[id]);
  }
  has_types_ = true;
}

std::int64_t Vocabulary::find(std::string_view spelling) const {
  const auto found = id_of_.find(spelling);
  return found == id_of_.end() ? kNoToken : static_cast<std::int64_t>(found->second);
}

}  // namespace tokencycle::model
