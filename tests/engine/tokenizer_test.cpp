// SPDX-License-Identifier: Apache-2.0
// Does our tokenizer give the independent engine's ids, for every vocabulary that the engine's sources hold
// and for the models at hand?
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include "engine/engine.h"
#include "model/tokenizer/tokenizer.h"

using namespace tokencycle;

namespace {

const std::filesystem::path kRoot = TOKENCYCLE_SOURCE_DIR;
const std::filesystem::path kVocabularies = std::filesystem::path(TOKENCYCLE_ENGINE_FOLDER) / "models";

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

// Whole files of the tree in one piece (paragraphs, code, tables), and lines one by one.
std::vector<std::string> texts_of_tree() {
  std::vector<std::string> texts;
  for (const char* name : {"README.md", "sim/model/tokenizer/pretokenizers.cpp", "scripts/train_model.py",
                           "models/heldout.txt", "configs/edge.json", "CMakeLists.txt"}) {
    texts.push_back(contents(kRoot / name));
    std::string line;
    for (const char letter : texts.back()) {
      if (letter != '\n')
        line += letter;
      else
        texts.push_back(std::exchange(line, ""));
    }
  }
  return texts;
}

// What breaks tokenizers: runs of spaces and line ends, digits of several scripts, marks and contractions,
// letters outside of Latin, joiners, and the spellings of special tokens with something around them.
const std::vector<std::string> kPieces = {" ",
                                          "  ",
                                          "   ",
                                          "\t",
                                          "\n",
                                          "\n\n",
                                          "\r\n",
                                          "\v",
                                          "\u00a0",
                                          "\u2003",
                                          "\u180e",
                                          "\u200b",
                                          "\u200d",
                                          "\ufeff",
                                          "0",
                                          "7",
                                          "42",
                                          "2026",
                                          "3.14159",
                                          "1,000,000",
                                          "0x1F",
                                          "\u0663\u0664",
                                          "\u0967\u0968",
                                          "\u00b2",
                                          "\u2164",
                                          "\u00bd",
                                          "a",
                                          "I",
                                          "the",
                                          "The",
                                          " the",
                                          "THE",
                                          "don't",
                                          "I'LL",
                                          "we'Re",
                                          "can\u2019t",
                                          "it's",
                                          "o'clock",
                                          "'s",
                                          "'",
                                          "\"",
                                          "na\u00efve",
                                          "Stra\u00dfe",
                                          "\u0130stanbul",
                                          "\u01c5",
                                          "caf\u0065\u0301",
                                          "\u041f\u0440\u0438\u0432\u0435\u0442",
                                          "\u4f60\u597d\u4e16\u754c",
                                          "\u3053\u3093\u306b\u3061\u306f",
                                          "\u30ab\u30bf\u30ab\u30ca",
                                          "\uc548\ub155\ud558\uc138\uc694",
                                          "\u0645\u0631\u062d\u0628\u0627",
                                          "\u0928\u092e\u0938\u094d\u0924\u0947",
                                          "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
                                          "\u1f600",
                                          "\U0001F600",
                                          "\U0001F469\u200d\U0001F4BB",
                                          "\U0001F1E9\U0001F1EA",
                                          "\u2026",
                                          "\u2014",
                                          "\u3002",
                                          "\uff0c",
                                          "\u20ac",
                                          "$",
                                          "%",
                                          "!",
                                          "!!",
                                          "?!",
                                          "...",
                                          ";",
                                          ":",
                                          "()",
                                          "{}",
                                          "[0]",
                                          "->",
                                          "::",
                                          "==",
                                          "!=",
                                          "<=",
                                          "//",
                                          "/*",
                                          "*/",
                                          "#",
                                          "@",
                                          "\\",
                                          "\\n",
                                          "_",
                                          "__init__",
                                          "snake_case",
                                          "camelCase",
                                          "HTTPServer",
                                          "i++",
                                          "a*b",
                                          "https://example.org/?q=1&r=2",
                                          "e-mail@example.org",
                                          "<|endoftext|>",
                                          "<|im_start|>",
                                          "<|im_end|>",
                                          "<|im_start",
                                          "<s>",
                                          "</s>",
                                          "<unk>",
                                          "<pad>",
                                          "<0x0A>",
                                          "[INST]",
                                          "<|>",
                                          "<repo_name>",
                                          "<file_sep>",
                                          "<|user|>",
                                          "<fim_prefix>",
                                          "\u2581",
                                          "\u0120",
                                          "\u010a"};

std::vector<std::string> mixed_texts(int count) {
  std::mt19937 random(14);
  std::vector<std::string> texts = kPieces;
  texts.emplace_back();
  for (int i = 0; i < count; ++i) {
    std::string text;
    for (std::size_t pieces = 1 + random() % 12; pieces > 0; --pieces)
      text += kPieces[random() % kPieces.size()];
    texts.push_back(text);
  }
  return texts;
}

void append_utf8(std::string& text, std::uint32_t point) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (point >> shift & 63)); };
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0 | point >> 6);
    tail(0);
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0 | point >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0 | point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

// True for the code points that the version of Unicode of our regular expressions knows; letters that came
// later are marks for us.
class Assigned {
 public:
  Assigned() {
    int error = 0;
    PCRE2_SIZE place = 0;
    constexpr std::string_view kPattern = R"(^[^\p{Cn}\p{Cs}]$)";
    code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(kPattern.data()), kPattern.size(),
                          PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL, &error, &place, nullptr);
    data_ = pcre2_match_data_create(1, nullptr);
    if (code_ == nullptr) throw std::logic_error("pattern");
  }
  ~Assigned() {
    pcre2_match_data_free(data_);
    pcre2_code_free(code_);
  }
  Assigned(const Assigned&) = delete;
  Assigned& operator=(const Assigned&) = delete;
  bool operator()(std::uint32_t point) const {
    if (point >= 0xD800 && point < 0xE000) return false;
    std::string text;
    append_utf8(text, point);
    return pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, data_, nullptr) >=
           0;
  }

 private:
  pcre2_code* code_;
  pcre2_match_data* data_;
};

// Any assigned code points, most of them from the first planes, where letters are.
std::vector<std::string> random_unicode(int count) {
  const Assigned assigned;
  std::mt19937 random(41);
  std::vector<std::string> texts;
  constexpr std::uint32_t kEnds[] = {0x80, 0x250, 0x600, 0x3100, 0xFFFE, 0x110000};
  for (int i = 0; i < count; ++i) {
    std::string text;
    const std::uint32_t end = kEnds[random() % std::size(kEnds)];
    for (std::size_t letters = 1 + random() % 24; letters > 0; --letters) {
      const auto point = static_cast<std::uint32_t>(1 + random() % (end - 1));
      if (assigned(point)) append_utf8(text, point);
    }
    texts.push_back(text);
  }
  return texts;
}

// Every assigned code point between spaces and letters; private use apart, of which each is like the others.
std::vector<std::string> every_code_point() {
  const Assigned assigned;
  std::vector<std::string> texts;
  for (std::uint32_t point = 1; point < 0xF0000; ++point) {
    if ((point >= 0xE000 && point < 0xF900) || !assigned(point)) continue;
    std::string text = "a  ";
    append_utf8(text, point);
    text += " b";
    append_utf8(text, point);
    texts.push_back(text + "c");
  }
  return texts;
}

std::string shown(const std::string& text) {
  std::string result;
  for (const char letter : text.substr(0, 200)) {
    const auto byte = static_cast<unsigned char>(letter);
    constexpr char kDigits[] = "0123456789abcdef";
    if (byte >= 0x20 && byte < 0x7f)
      result += letter;
    else
      ((result += "\\x") += kDigits[byte >> 4]) += kDigits[byte & 15];
  }
  return result;
}

int differences(const std::filesystem::path& file, const std::vector<std::string>& texts) {
  const engine::Engine theirs(file, true);
  const auto ours = model::make_tokenizer(model::GgufFile(file));
  int different = 0;
  for (const std::string& text : texts) {
    for (const bool special : {false, true}) {
      const auto expected = theirs.tokenize(text, special, special);
      const auto found = ours->encode(text, special, special);
      if (found == expected) continue;
      if (++different <= 5) {
        const std::string words = shown(text);
        CAPTURE(file, words, special, expected, found);
        CHECK(found == expected);
      }
    }
  }
  return different;
}

}  // namespace

TEST_CASE("ids are the independent engine's for the vocabularies of its sources", "[tokenizer]") {
  const std::string name =
      GENERATE("llama-spm", "gpt-2", "llama-bpe", "starcoder", "refact", "command-r", "falcon", "mpt",
               "qwen2", "qwen35", "deepseek-llm", "deepseek-coder", "baichuan", "aquila", "gpt-neox", "phi-3",
               "bert-bge", "nomic-bert-moe", "gemma-4");
  const std::filesystem::path file = kVocabularies / ("ggml-vocab-" + name + ".gguf");
  REQUIRE(std::filesystem::exists(file));
  auto texts = mixed_texts(1500);
  for (const std::string& text : random_unicode(1500)) texts.push_back(text);
  CHECK(differences(file, texts) == 0);
}

// Texts with a line "__ggml_vocab_test__" behind each, and a line of ids per text.
TEST_CASE("the engine's examples of its vocabularies hold", "[tokenizer]") {
  int vocabularies = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kVocabularies)) {
    if (entry.path().extension() != ".inp") continue;
    const std::filesystem::path file = entry.path().parent_path() / entry.path().stem();
    const auto tokenizer = model::make_tokenizer(model::GgufFile(file));
    constexpr std::string_view kSeparator = "\n__ggml_vocab_test__\n";
    const std::string texts = contents(entry.path());
    std::istringstream lines(contents(file.string() + ".out"));
    std::size_t begin = 0, cases = 0;
    std::string line;
    for (std::size_t end; (end = texts.find(kSeparator, begin)) != std::string::npos;
         begin = end + kSeparator.size(), ++cases) {
      REQUIRE(std::getline(lines, line));
      std::istringstream numbers(line);
      const std::vector<model::TokenId> expected{std::istream_iterator<model::TokenId>(numbers), {}};
      const std::string words = shown(texts.substr(begin, end - begin));
      CAPTURE(file, words);
      CHECK(tokenizer->encode(texts.substr(begin, end - begin), false, false) == expected);
    }
    CHECK(cases > 40);
    ++vocabularies;
  }
  CHECK(vocabularies == 15);
}

TEST_CASE("ids are the independent engine's for the models at hand", "[tokenizer]") {
  const std::filesystem::path file =
      GENERATE(kRoot / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf", kRoot / "models/austen-2.9m-q8_0.gguf",
               kRoot / "../shared/models/stories260K-f32.gguf");
  if (!std::filesystem::exists(file)) {
    WARN("skipped: " << file
                     << " does not exist (scripts/fetch_models.sh fetches what lies in build/models)");
    return;
  }
  auto texts = mixed_texts(4000);
  for (const std::string& text : random_unicode(4000)) texts.push_back(text);
  for (const std::string& text : texts_of_tree()) texts.push_back(text);
  CHECK(differences(file, texts) == 0);
}

TEST_CASE("every code point is cut as the independent engine cuts it", "[tokenizer]") {
  const std::string name = GENERATE("gpt-2", "starcoder", "llama-bpe");
  CHECK(differences(kVocabularies / ("ggml-vocab-" + name + ".gguf"), every_code_point()) == 0);
}
