// SPDX-License-Identifier: Apache-2.0
// Does each pre-tokenizer cut where its expressions say? The expected pieces are derived by hand from them.
#include <catch2/catch.hpp>

#include <random>

#include "model/tokenizer/pretokenizers.h"
#include "model/tokenizer/utf8.h"

using namespace tokencycle;

namespace {

using Pieces = std::vector<std::string>;

Pieces split(std::string_view name, std::string_view text) {
  const model::PreTokenizerRule* rule = model::find_pretokenizer(name);
  REQUIRE(rule != nullptr);
  Pieces pieces;
  for (std::string_view piece : model::PreTokenizer(*rule).split(text)) pieces.emplace_back(piece);
  return pieces;
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  const std::string list = model::pretokenizer_names();
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(", ", at), list.size());
    names.push_back(list.substr(at, end - at));
    at = end + 2;
  }
  return names;
}

}  // namespace

TEST_CASE("gpt-2 words carry the space before them", "[tokenizer]") {
  CHECK(split("gpt-2", "I'll go  home, 1234!\n\n x") ==
        Pieces{"I", "'ll", " go", " ", " home", ",", " 1234", "!", "\n\n", " x"});
  CHECK(split("gpt-2", "don'T") == Pieces{"don", "'", "T"});
  // No space since Unicode 6.3, whatever PCRE2 holds it for; U+2003 is one.
  CHECK(split("gpt-2", "a \u180eb\u2003c") == Pieces{"a", " \u180e", "b", "\u2003", "c"});
  CHECK(split("gpt-2", "\tx  ") == Pieces{"\t", "x", "  "});
  CHECK(split("gpt-2", "").empty());
}

TEST_CASE("digits are cut as each vocabulary wants", "[tokenizer]") {
  CHECK(split("llama-bpe", "a 12345") == Pieces{"a", " ", "123", "45"});
  CHECK(split("qwen2", "a 123") == Pieces{"a", " ", "1", "2", "3"});
  CHECK(split("starcoder", "a 123") == Pieces{"a", " ", "1", "2", "3"});
  CHECK(split("falcon", " 12345") == Pieces{" ", "123", "45"});
  CHECK(split("default", "a 1234") == Pieces{"a", " ", "123", "4"});
  CHECK(split("deepseek-llm", "1234") == Pieces{"1234"});
  CHECK(split("deepseek-coder", "1234") == Pieces{"1", "2", "3", "4"});
  CHECK(split("deepseek-v3", "a1234") == Pieces{"a", "123", "4"});
  CHECK(split("minicpm5", "1234") == Pieces{"123", "4"});
}

TEST_CASE("llama-bpe takes one leading mark into a word and line ends into marks", "[tokenizer]") {
  CHECK(split("llama-bpe", "it'S (ok)\r\n\n x\n  y") ==
        Pieces{"it", "'S", " (", "ok", ")\r\n\n", " x", "\n", " ", " y"});
  CHECK(split("ufakzeka", "it'S") == Pieces{"it", "'S"});
  CHECK(split("ufakzeka", "Ankara'da") == Pieces{"Ankara", "'da"});
  CHECK(split("qwen2", "Ankara'da") == Pieces{"Ankara", "'d", "a"});
}

TEST_CASE("gpt-4o and tekken cut where case rises", "[tokenizer]") {
  CHECK(split("gpt-4o", "camelCaseWORDs it's") == Pieces{"camel", "Case", "WORDs", " it's"});
  CHECK(split("tekken", "camelCaseWORDs it's") == Pieces{"camel", "Case", "WORDs", " it", "'s"});
  CHECK(split("tekken", "ABC\xe4\xb8\x80 ab//\n/x") == Pieces{"ABC\xe4\xb8\x80", " ab", "//\n/", "x"});
  CHECK(split("youtu", "camelCase\xea\xb0\x80\xea\xb0\x80") ==
        Pieces{"camel", "Case", "\xea\xb0\x80\xea\xb0\x80"});
}

TEST_CASE("chinese, kana and cased letters are told apart", "[tokenizer]") {
  const std::string han = "\xe4\xb8\x80\xe9\xbe\xa5";  // U+4E00 U+9FA5
  CHECK(split("deepseek-llm", "ab " + han + " \xce\xa9 ,.  ") ==
        Pieces{"ab", " ", han, " \xce\xa9", " ,.", "  "});
  CHECK(split("deepseek-llm", "x\n\ny") == Pieces{"x", "\n", "\n", "y"});
  CHECK(split("deepseek-coder", "ab " + han) == Pieces{"ab", " ", han});
  CHECK(split("deepseek-v3", "ab" + han + "!a") == Pieces{"ab", han, "!a"});
}

TEST_CASE("bloom, viking and the rest of the table cut as written", "[tokenizer]") {
  CHECK(split("bloom", "a b, c1") == Pieces{"a", " b", ",", " c1"});
  CHECK(split("viking", "a b, c12") == Pieces{"a", " b", ",", " c", "1", "2"});
  CHECK(split("chameleon", "IMGIMGABZ a1") == Pieces{"IMGIMGABZ", " a", "1"});
  CHECK(split("exaone-moe", "ab cd  e1") == Pieces{"ab cd", " ", " e", "1"});
  CHECK(split("jais-2", "a       b") == Pieces{"a", "    ", "  ", " b"});
  CHECK(split("bailingmoe", "a\n\nb") == Pieces{"a", "\n\n", "b"});
  CHECK(split("seed-coder", "a!\nb") == Pieces{"a", "!", "\n", "b"});
  CHECK(split("laguna", "a\n\n b") == Pieces{"a", "\n\n", " b"});
  CHECK(split("qwen35", "e\xcc\x81t") == Pieces{"e\xcc\x81t"});
  CHECK(split("qwen2", "e\xcc\x81t") == Pieces{"e", "\xcc\x81t"});
  CHECK(split("spark2_5", "a!\n1") == Pieces{"a", "!", "\n", "1"});
}

TEST_CASE("a byte that is not UTF-8 counts as a mark and stays in its place", "[tokenizer]") {
  CHECK(split("gpt-2", "a\xff\xfe b") == Pieces{"a", "\xff\xfe", " b"});
  CHECK(split("gpt-2", "\xe4\xb8") == Pieces{"\xe4\xb8"});
  CHECK(split("gpt-2", "a \xc3(") == Pieces{"a", " \xc3("});
  CHECK(split("gpt-2", "\xed\xa0\x80x") == Pieces{"\xed\xa0\x80", "x"});  // a surrogate
}

TEST_CASE("the pieces of every pre-tokenizer make up the text again", "[tokenizer]") {
  const std::vector<std::string> names = all_names();
  CHECK(names.size() >= 60);
  const std::vector<std::string> parts = {"a", "B",    "\xc3\xa9", "\xe4\xb8\x80", "7",
                                          " ", "  ",   "\n",       "\r",           "'s",
                                          "!", "\xff", "//",       "\xcc\x81",     "\t"};
  std::mt19937 random(1);
  std::vector<std::string> texts(40);
  for (std::string& text : texts) {
    for (int i = 0; i < 40; ++i) text += parts[random() % parts.size()];
  }
  for (const std::string& name : names) {
    const model::PreTokenizer pretokenizer(*model::find_pretokenizer(name));
    for (const std::string& text : texts) {
      std::string joined;
      for (std::string_view piece : pretokenizer.split(text)) {
        if (piece.empty()) FAIL(name << " made an empty piece");
        joined += piece;
      }
      if (joined != text) FAIL(name << " lost text");
    }
  }
}

TEST_CASE("an unknown pre-tokenizer is not found", "[tokenizer]") {
  CHECK(model::find_pretokenizer("gpt-5000") == nullptr);
  CHECK(model::find_pretokenizer("") == nullptr);
}

TEST_CASE("UTF-8 is told from what only looks like it", "[tokenizer]") {
  using model::utf8_sequence_length;
  CHECK(utf8_sequence_length("a", 0) == 1);
  CHECK(utf8_sequence_length("\xc3\xa9", 0) == 2);
  CHECK(utf8_sequence_length("\xef\xbf\xbd", 0) == 3);
  CHECK(utf8_sequence_length("\xf4\x8f\xbf\xbf", 0) == 4);
  CHECK(utf8_sequence_length("\xf4\x90\x80\x80", 0) == 0);  // above U+10FFFF
  CHECK(utf8_sequence_length("\xc0\x80", 0) == 0);          // overlong
  CHECK(utf8_sequence_length("\xe0\x80\x80", 0) == 0);      // overlong
  CHECK(utf8_sequence_length("\xf0\x80\x80\x80", 0) == 0);  // overlong
  CHECK(utf8_sequence_length("\xed\xa0\x80", 0) == 0);      // surrogate
  CHECK(utf8_sequence_length("\x80", 0) == 0);
  CHECK(utf8_sequence_length("\xe4\xb8", 0) == 0);  // cut
  for (std::uint32_t code_point : {0x24u, 0x7FFu, 0x800u, 0xFFFDu, 0x10000u, 0x10FFFFu}) {
    std::string text;
    model::append_utf8(text, code_point);
    REQUIRE(utf8_sequence_length(text, 0) == text.size());
    CHECK(model::utf8_code_point(text, 0, text.size()) == code_point);
  }
  CHECK(model::byte_token_value("<0x0a>") == 10);
  CHECK(model::byte_token_value("<0xFF>") == 255);
  for (const char* other : {"<0x0>", "<0x0G>", "<0x+1>", "0x0A", "<0x0A>>", ""}) {
    CHECK(model::byte_token_value(other) == -1);
  }
}
