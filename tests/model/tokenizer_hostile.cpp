// SPDX-License-Identifier: Apache-2.0
// Texts that nobody writes: any bytes, and a megabyte without a place to cut.
#include <catch2/catch.hpp>

#include <ctime>
#include <random>
#include <set>

#include "model/tokenizer/pretokenizers.h"
#include "model/tokenizer_fixture.h"

using namespace tokencycle;
using namespace tokencycle::test;

namespace {

const std::string kMark = "\xe2\x96\x81";

// Letters that merge over and over: a, aa, aaaa, ...
std::unique_ptr<model::Tokenizer> doubling_spm() {
  std::vector<SpmPiece> pieces = {{kMark, -1}, {"a", -1}};
  for (std::size_t length = 2; length <= 64; length *= 2) {
    pieces.push_back({std::string(length, 'a'), -static_cast<float>(length)});
  }
  return tokenizer_of(spm_file(pieces));
}

std::unique_ptr<model::Tokenizer> doubling_bpe(std::string_view pre) {
  std::vector<std::string> merges;
  for (std::size_t length = 1; length <= 32; length *= 2) {
    merges.push_back(std::string(length, 'a') + " " + std::string(length, 'a'));
  }
  return tokenizer_of(bpe_file(pre, merges));
}

// Half of them mostly text with some wild bytes, half of them all wild.
std::string random_bytes(std::mt19937& random) {
  std::string text(random() % 64, '\0');
  const bool wild = random() % 2 == 0;
  constexpr std::string_view kUsual = "aab '!1\n\t\xc3\xa9\xe2\x96";
  for (char& byte : text) {
    byte = wild || random() % 16 == 0 ? static_cast<char>(random() % 256) : kUsual[random() % kUsual.size()];
  }
  return text;
}

// Processor time, so that what else the machine does has little influence.
template <typename Work>
double seconds_of(const Work& work) {
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

double seconds_to_encode(const model::Tokenizer& tokenizer, std::string_view text) {
  Ids ids;
  const double seconds = seconds_of([&] { ids = tokenizer.encode(text, false, true); });
  if (tokenizer.decode(ids) != text) FAIL("the text did not come back");
  return seconds;
}

// Half a second in an optimized build, several with sanitizers; work that grows with its square takes hours.
constexpr double kSecondsForAMegabyte = 20;
// Some milliseconds; the square takes several seconds.
constexpr double kSecondsToSplit64KiB = 1;

}  // namespace

TEST_CASE("any bytes come back from SentencePiece-style tokens", "[tokenizer]") {
  const auto tokenizer = doubling_spm();
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_bytes(random);
    if (text.find(kMark) != std::string::npos) continue;  // would come back as a space
    if (tokenizer->decode(tokenizer->encode(text, true, true)) != text) FAIL("lost text " << i);
  }
}

TEST_CASE("any bytes come back from byte-level tokens", "[tokenizer]") {
  for (const char* pre : {"gpt-2", "llama-bpe", "deepseek-llm", "tekken"}) {
    const auto tokenizer = doubling_bpe(pre);
    std::mt19937 random(3);
    for (int i = 0; i < 2000; ++i) {
      const std::string text = random_bytes(random);
      if (tokenizer->decode(tokenizer->encode(text, true, true)) != text) FAIL(pre << " lost text " << i);
    }
  }
}

TEST_CASE("a megabyte without a place to cut takes time in proportion", "[tokenizer]") {
  constexpr std::size_t kMegabyte = 1 << 20;
  const std::string letters(kMegabyte, 'a');
  CHECK(seconds_to_encode(*doubling_spm(), letters) < kSecondsForAMegabyte);
  CHECK(seconds_to_encode(*doubling_bpe("gpt-2"), letters) < kSecondsForAMegabyte);
}

TEST_CASE("no pre-tokenizer needs more than time in proportion", "[tokenizer]") {
  // Runs of what the expressions repeat, with an end that makes them fail late.
  constexpr std::size_t kLength = 1 << 16;
  std::vector<std::string> texts;
  for (const char* unit :
       {"a", "A", "Aa", "a ", "1", "!", " ", "\n", " \n", "'", "\xe4\xb8\x80", "\xcc\x81"}) {
    std::string run;
    while (run.size() < kLength) run += unit;
    for (const char* end : {"x", "\xff"}) texts.push_back(run + end);
  }
  const std::string names = model::pretokenizer_names() + ", ";
  std::set<const model::PreTokenizerRule*> rules;
  for (std::size_t at = 0, end; (end = names.find(", ", at)) != std::string::npos; at = end + 2) {
    rules.insert(model::find_pretokenizer(std::string_view(names).substr(at, end - at)));
  }
  CHECK(rules.size() >= 20);
  for (const model::PreTokenizerRule* rule : rules) {
    const model::PreTokenizer pretokenizer(*rule);
    for (const std::string& text : texts) {
      INFO(rule->names.front() << " on \"" << text.substr(0, 3) << "\"...");
      std::size_t length = 0;
      const double seconds = seconds_of([&] {
        for (std::string_view piece : pretokenizer.split(text)) length += piece.size();
      });
      CHECK(length == text.size());
      CHECK(seconds < kSecondsToSplit64KiB);
    }
  }
}

TEST_CASE("many special tokens over a long text take time in proportion", "[tokenizer]") {
  std::vector<std::pair<std::string, std::int32_t>> special;
  for (int i = 0; i < 5000; ++i) special.push_back({"<|reserved_" + std::to_string(i) + "|>", 3});
  const auto tokenizer = tokenizer_of(bpe_file("gpt-2", {}, special));
  std::string text;
  while (text.size() < (1 << 20)) text += "<|reserved_<|reserved_77";
  CHECK(seconds_to_encode(*tokenizer, text) < kSecondsForAMegabyte);
  CHECK(tokenizer->encode("<|reserved_77|><|reserved_4999|>", false, true) == Ids{256 + 77, 256 + 4999});
}
