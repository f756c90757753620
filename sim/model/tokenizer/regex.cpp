// SPDX-License-Identifier: Apache-2.0
// Splitting by regular expressions, with PCRE2 (compiled just in time where the platform can).
#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <array>
#include <stdexcept>

#include "base/error.h"
#include "model/tokenizer/pretokenizers.h"
#include "model/tokenizer/utf8.h"

namespace tokencycle::model {

// Named, since PreTokenizer::Pattern has members of these types.
namespace pcre2 {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using Code = std::unique_ptr<pcre2_code, Free<pcre2_code_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>>;

}  // namespace pcre2

namespace {

using pcre2::Code;
using pcre2::MatchData;

std::string error_text(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

// White space as Unicode has it today. PCRE2's \s counts U+180E too, which was a space until Unicode 6.3.
constexpr std::string_view kWhiteSpace =
    R"(\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

// `pattern` with \s and \S spelled out; \S inside of a class has no such spelling, and the table has none.
std::string with_spaces(std::string_view pattern) {
  std::string result;
  bool in_class = false;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const char letter = pattern[at];
    if (letter == '\\' && at + 1 < pattern.size()) {
      const char escaped = pattern[++at];
      if (escaped == 's') {
        result += in_class ? std::string(kWhiteSpace) : fmt::format("[{}]", kWhiteSpace);
      } else if (escaped == 'S' && !in_class) {
        result += fmt::format("[^{}]", kWhiteSpace);
      } else {
        (result += letter) += escaped;
      }
      continue;
    }
    if (letter == '[') in_class = true;
    if (letter == ']') in_class = false;
    result += letter;
  }
  return result;
}

// Valid UTF-8 that stands for any bytes, and where each of its bytes comes from.
struct Subject {
  std::string_view text;
  std::string replaced;             // owns `text` if a byte was replaced
  std::vector<std::size_t> origin;  // of byte i of `replaced`, and of its end; empty: text is the original
  std::size_t original(std::size_t at) const { return origin.empty() ? at : origin[at]; }
};

void fill_subject(std::string_view original, Subject& subject) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
  subject.text = original;
  std::size_t at = 0;
  while (at < original.size() && utf8_sequence_length(original, at) > 0) {
    at += utf8_sequence_length(original, at);
  }
  if (at == original.size()) return;
  for (at = 0; at < original.size();) {
    const std::size_t length = utf8_sequence_length(original, at);
    subject.replaced += length > 0 ? original.substr(at, length) : kReplacement;
    for (std::size_t i = 0; i < length; ++i) subject.origin.push_back(at + i);
    if (length == 0) subject.origin.insert(subject.origin.end(), kReplacement.size(), at);
    at += std::max<std::size_t>(length, 1);
  }
  subject.origin.push_back(original.size());
  subject.text = subject.replaced;
}

}  // namespace

class PreTokenizer::Pattern {
 public:
  explicit Pattern(const std::string& rule) {
    const std::string pattern = with_spaces(rule);
    int error = 0;
    PCRE2_SIZE place = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                              PCRE2_UTF | PCRE2_UCP, &error, &place, nullptr));
    if (code_ == nullptr) {
      throw std::logic_error(fmt::format("pattern {}: {} at {}", pattern, error_text(error), place));
    }
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);  // without it the interpreter does the same, slower
  }

  // Appends the ends (in the subject) of the pieces of subject[begin, end) to `ends`; 0 or a PCRE2 error.
  int split(std::string_view subject, std::size_t begin, std::size_t end, pcre2_match_data* data,
            std::vector<std::size_t>& ends) const {
    // The piece is a subject of its own: look-ahead sees its end.
    const std::string_view piece = subject.substr(begin, end - begin);
    std::size_t at = 0;
    while (at < piece.size()) {
      const int result = match(piece, at, data);
      if (result == PCRE2_ERROR_NOMATCH) break;
      if (result < 0) return result;
      const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data);
      if (bounds[1] <= at) return PCRE2_ERROR_INTERNAL;  // no pattern of the table matches nothing
      if (bounds[0] > at) ends.push_back(begin + bounds[0]);
      ends.push_back(begin + bounds[1]);
      at = bounds[1];
    }
    if (at < piece.size()) ends.push_back(end);
    return 0;
  }

 private:
  int match(std::string_view piece, std::size_t at, pcre2_match_data* data) const {
    const auto* text = reinterpret_cast<PCRE2_SPTR>(piece.data());
    const int result = pcre2_match(code_.get(), text, piece.size(), at, PCRE2_NO_UTF_CHECK, data, nullptr);
    if (result != PCRE2_ERROR_JIT_STACKLIMIT) return result;
    // The interpreter keeps its state on the heap.
    return pcre2_match(code_.get(), text, piece.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, nullptr);
  }

  Code code_;
};

PreTokenizer::PreTokenizer(const PreTokenizerRule& rule) : name_(rule.names.front()) {
  for (const std::string& pattern : rule.patterns) patterns_.push_back(std::make_unique<Pattern>(pattern));
}

PreTokenizer::~PreTokenizer() = default;

std::vector<std::string_view> PreTokenizer::split(std::string_view text) const {
  Subject subject;
  fill_subject(text, subject);
  // Room for the bounds of the whole match only: groups do not matter here.
  const MatchData data(pcre2_match_data_create(1, nullptr));
  if (data == nullptr) throw std::bad_alloc();
  std::vector<std::size_t> ends = {subject.text.size()};
  for (const auto& pattern : patterns_) {
    std::vector<std::size_t> finer;
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      const int result = pattern->split(subject.text, begin, end, data.get(), finer);
      if (result < 0) {
        throw ModelError(
            fmt::format("the pre-tokenizer \"{}\" gave up on a text of {} bytes ({}). Give the text in "
                        "shorter parts",
                        name_, text.size(), error_text(result)));
      }
      begin = end;
    }
    ends = std::move(finer);
  }
  std::vector<std::string_view> pieces;
  pieces.reserve(ends.size());
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    const std::size_t from = subject.original(begin);
    pieces.push_back(text.substr(from, subject.original(end) - from));
    begin = end;
  }
  return pieces;
}

}  // namespace tokencycle::model
