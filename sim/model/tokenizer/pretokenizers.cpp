// SPDX-License-Identifier: Apache-2.0
// The table of pre-tokenizers. Source of what each must match: github.com/ggml-org/llama.cpp,
// src/llama-vocab.cpp. The expressions are written for PCRE2 so that none needs more than time linear in
// the text: no nested repetition, no repetition that fails late and is retried one character on.
#include "model/tokenizer/pretokenizers.h"

#include <algorithm>
#include <initializer_list>
#include <set>

namespace tokencycle::model {

namespace {

// Alternatives, in the order in which they are tried.
constexpr std::string_view kContractionsAnyCase = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
constexpr std::string_view kWord = R"([^\r\n\p{L}\p{N}]?\p{L}+)";  // one leading mark or space belongs to it
constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kUpTo3Digits = R"(\p{N}{1,3})";
constexpr std::string_view kMarks = R"( ?[^\s\p{L}\p{N}]+[\r\n]*)";
constexpr std::string_view kMarksSlash = R"( ?[^\s\p{L}\p{N}]+[\r\n/]*)";
constexpr std::string_view kLineEnds = R"(\s*[\r\n]+)";
constexpr std::string_view kSpaces = R"(\s+(?!\S)|\s+)";  // the last space stays for the word that follows

// Words that change from lower to upper case inside are cut there. The approximation by ASCII case is
// llama.cpp's; [^\P{L}a-z] is "a letter, but not a to z".
constexpr std::string_view kCaseWord =
    R"([^\r\n\p{L}\p{N}]?[^\P{L}a-z]*[^\P{L}A-Z]+|[^\r\n\p{L}\p{N}]?[^\P{L}a-z]+[^\P{L}A-Z]*)";
constexpr std::string_view kCaseWordContraction =
    R"([^\r\n\p{L}\p{N}]?[^\P{L}a-z]*[^\P{L}A-Z]+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?)"
    R"(|[^\r\n\p{L}\p{N}]?[^\P{L}a-z]+[^\P{L}A-Z]*(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?)";
// The same by Unicode's case.
constexpr std::string_view kUnicodeCaseWordContraction =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?)";

// Whole expressions.
constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))";
constexpr std::string_view kHanKana = R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";
constexpr std::string_view kHanHangul = R"([\x{4E00}-\x{9FA5}\x{0800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";
constexpr std::string_view kDeepseekWord = R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+)";
constexpr std::string_view kDeepseekLetters = R"([^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)";
constexpr std::string_view kNoSentenceMark =
    R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{0964}\x{06D4}\x{060C})]+)";
constexpr std::string_view kLines = R"([^\n]+|\n+)";

// The letters with case of the scripts that DeepSeek LLM knows.
constexpr std::string_view kCasedLetters =
    R"(\s?[A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293}\x{295}-\x{2AF})"
    R"(\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1})"
    R"(\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5})"
    R"(\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A})"
    R"(\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B})"
    R"(\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC})"
    R"(\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107})"
    R"(\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134})"
    R"(\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4})"
    R"(\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787})"
    R"(\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A})"
    R"(\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2})"
    R"(\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}]+)";

std::string any_of(std::initializer_list<std::string_view> alternatives) {
  std::string pattern;
  for (const std::string_view alternative : alternatives) {
    if (!pattern.empty()) pattern += '|';
    pattern += alternative;
  }
  return pattern;
}

std::string text(std::string_view pattern) {
  return std::string(pattern);
}

std::vector<PreTokenizerRule> gpt2_family() {
  return {
      {.names = {"gpt-2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "gigachat", "a.x-4.0",
                 "mellum", "modern-bert", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4"},
       .patterns = {text(kGpt2)}},
      {.names = {"starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b",
                 "mellum2"},
       .patterns = {text(kDigit), text(kGpt2)}},
      {.names = {"default"},
       .patterns = {R"([\p{P}$+<=>^~|]+)", text(kGpt2), R"(\p{N}+)", "[0-9][0-9][0-9]"}},
      {.names = {"falcon"}, .patterns = {R"([\p{P}$+<=>^~|`]+)", text(kGpt2), "[0-9][0-9][0-9]"}},
      {.names = {"chameleon"},
       .patterns = {"<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z", R"([\t\n]|    |  )", text(kDigit),
                    R"([\p{P}!-/:-@\[-`{-~])", text(kGpt2)},
       .add_bos = true},
      {.names = {"bloom", "gpt3-finnish", "poro-chat"}, .patterns = {text(kNoSentenceMark)}},
      {.names = {"viking"}, .patterns = {text(kNoSentenceMark), text(kDigit)}},
  };
}

std::vector<PreTokenizerRule> llama3_family() {
  const std::string llama3 = any_of({kContractionsAnyCase, kWord, kUpTo3Digits, kMarks, kLineEnds, kSpaces});
  const std::string qwen2 = any_of({kContractionsAnyCase, kWord, kDigit, kMarks, kLineEnds, kSpaces});
  return {
      {.names = {"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
                 "jina-v5-nano"},
       .patterns = {llama3},
       .ignore_merges = true,
       .add_bos = true},
      {.names = {"dbrx", "smaug-bpe", "chatglm-bpe", "glm4"}, .patterns = {llama3}},
      {.names = {"jais-2"},
       .patterns = {any_of(
           {kContractionsAnyCase, kWord, kUpTo3Digits, kMarks, kLineEnds,
            R"(\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S))",
            R"(\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s)"})}},
      {.names = {"qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan",
                 "solar-open", "grok-2"},
       .patterns = {qwen2}},
      {.names = {"qwen35"},
       .patterns = {any_of({kContractionsAnyCase, R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+)", kDigit,
                            R"( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)", kLineEnds, kSpaces})}},
      {.names = {"laguna"}, .patterns = {text(kLines), qwen2}},
      {.names = {"ufakzeka"}, .patterns = {any_of({kWord, kDigit, kMarks, kLineEnds, kSpaces})}},
      {.names = {"minicpm5"},
       .patterns = {text(kUpTo3Digits),
                    any_of({kContractionsAnyCase, kWord, R"(\p{N}+)", kMarks, kLineEnds, kSpaces})},
       .ignore_merges = true},
      {.names = {"bailingmoe", "bailingmoe2", "llada-moe"},
       .patterns = {any_of(
           {"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])", kWord, kDigit, kMarks, R"(\s*[\r\n])", kSpaces})}},
      {.names = {"seed-coder"},
       .patterns = {any_of(
           {kContractionsAnyCase, kWord, kDigit, R"( ?[^\s\p{L}\p{N}\r\n]+)", kLineEnds, kSpaces})}},
      {.names = {"exaone-moe"},
       // Letters with their marks, single spaces between them included.
       .patterns = {any_of({kContractionsAnyCase, R"([^\r\n\p{L}\p{N}]?\p{L}(?:[\p{L}\p{M}]++| \p{L})*+)",
                            kDigit, R"( ?[^\s\p{L}\p{N}]+[\r\n/]?)", R"(\s*[\r\n])", kSpaces})}},
  };
}

std::vector<PreTokenizerRule> other_families() {
  return {
      {.names = {"tekken"},
       .patterns = {any_of({kCaseWord, kDigit, kMarksSlash, kLineEnds, kSpaces})},
       .ignore_merges = true,
       .add_bos = true},
      {.names = {"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"},
       .patterns = {any_of({kCaseWordContraction, kUpTo3Digits, kMarksSlash, kLineEnds, kSpaces})}},
      {.names = {"youtu"},
       .patterns = {R"([\x{AC00}-\x{D7A3}\x{3131}-\x{318E}]+)"
                    R"(|[\x{FF01}\x{2026}\x{201C}\x{201D}\x{2018}\x{2019}\x{2014}\x{FF1A}\x{FF1B}\x{FF0C})"
                    R"(\x{3001}-\x{303F}\x{FE30}-\x{FE4F}]+|[\x{3105}-\x{312F}]+)"
                    R"(|[\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)",
                    any_of({kUnicodeCaseWordContraction, kDigit, kMarksSlash, kLineEnds, kSpaces})},
       .ignore_merges = true},
      {.names = {"gemma4", "granite-embed-multi-311m"},
       .patterns = {text(kLines)},
       .add_bos = true,
       .of_characters = true},
      {.names = {"deepseek-llm"},
       .patterns =
           {R"([\r\n])", text(kCasedLetters),
            R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)",
            R"((?<!\s)\s++\z)",  // the spaces at the end; looked for only where a run of spaces begins
            text(kHanHangul), R"(\p{N}+)"}},
      {.names = {"deepseek-coder"},
       .patterns = {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", text(kHanHangul), text(kDigit)}},
      {.names = {"deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"},
       .patterns = {text(kUpTo3Digits), text(kHanKana),
                    any_of(
                        {kDeepseekWord, kDeepseekLetters, R"( ?[\p{P}\p{S}]+[\r\n]*)", kLineEnds, kSpaces})}},
      {.names = {"spark2_5"},
       .patterns = {text(kUpTo3Digits), text(kHanKana),
                    any_of({kDeepseekWord, kDeepseekLetters, R"( ?[\p{P}\p{S}]+|[\r\n])", kSpaces}),
                    text(kDigit)}},
  };
}

std::vector<PreTokenizerRule> build_rules() {
  std::vector<PreTokenizerRule> rules = gpt2_family();
  for (const auto& family : {llama3_family(), other_families()}) {
    rules.insert(rules.end(), family.begin(), family.end());
  }
  return rules;
}

const std::vector<PreTokenizerRule>& all_rules() {
  static const std::vector<PreTokenizerRule> rules = build_rules();
  return rules;
}

}  // namespace

const PreTokenizerRule* find_pretokenizer(std::string_view name) {
  for (const PreTokenizerRule& rule : all_rules()) {
    if (std::find(rule.names.begin(), rule.names.end(), name) != rule.names.end()) return &rule;
  }
  return nullptr;
}

std::string pretokenizer_names() {
  std::set<std::string_view> sorted;
  for (const PreTokenizerRule& rule : all_rules()) sorted.insert(rule.names.begin(), rule.names.end());
  std::string list;
  for (const std::string_view name : sorted) {
    if (!list.empty()) list += ", ";
    list += name;
  }
  return list;
}

}  // namespace tokencycle::model
