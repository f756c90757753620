// SPDX-License-Identifier: Apache-2.0
// The tokenizer of a GGUF file's metadata, and texts to and from its tokens. The text is the string under the
// key fuzz.text of the file itself.
#include <cstring>

#include "fuzz/gguf_document.h"
#include "fuzz/support.h"
#include "model/gguf/limits.h"
#include "model/tokenizer/tokenizer.h"
#include "support/gguf_writer.h"

namespace tokencycle::fuzz {
namespace {

using namespace tokencycle::model;

constexpr std::string_view kText = "fuzz.text";
constexpr std::size_t kMostText = 4096;  // for the speed of the search alone

std::string text_in(const GgufFile& file) {
  const GgufValue* value = file.find(kText);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return text == nullptr ? "The day\xff  't 12345\n\n<s></s>" : text->substr(0, kMostText);
}

void use(const Tokenizer& tokenizer, const std::string& text) {
  for (const bool special : {false, true}) {
    const std::vector<TokenId> ids = tokenizer.encode(text, special, special);
    std::size_t bytes = 0;
    for (const TokenId id : ids) {
      require(id < tokenizer.size(), "a token outside the vocabulary");
      bytes += tokenizer.decode(id).size();
      static_cast<void>(tokenizer.ends_text(id));
    }
    require(tokenizer.decode(ids).size() + 1 >= bytes, "the text of the tokens lacks more than one space");
    // A rule of a Unigram vocabulary may replace a byte by many.
    const std::size_t longest = tokenizer.kind() == "Unigram" ? kMaxReplacement : 4;
    require(ids.size() <= longest * (text.size() + 1), "more tokens than a text of this length can have");
  }
}

bool feed(Input input) {
  const MemoryFile file(input);
  try {
    const GgufFile opened(file.path(), TensorData::absent);
    use(*make_tokenizer(opened), text_in(opened));
    return true;
  } catch (const ModelError& error) {
    check_refusal(error, file.path(), {ExitCode::model});
    return false;
  }
}

Bytes mutate(Input input, Random& random) {
  return mutate_gguf(input, random);
}

std::string letter(unsigned code) {
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xc0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3f))};
}

// Few tokens, so that many inputs are tried a second: letters, merges, special and byte tokens.
Bytes llama_seed(bool typed) {
  test::GgufWriter writer;
  writer.string("tokenizer.ggml.model", "llama");
  writer.strings("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "a", "b", "ab", "\xe2\x96\x81",
                                           "\xe2\x96\x81"
                                           "ab",
                                           "abab", "<0x0A>", "<user>", "<|im_end|>"});
  writer.f32_array("tokenizer.ggml.scores", {0, 0, 0, -9, -8, -1, -7, -2, -3, 0, 0, 0});
  if (typed) writer.i32_array("tokenizer.ggml.token_type", {2, 3, 3, 1, 1, 1, 1, 1, 1, 6, 4, 3});
  writer.u32("tokenizer.ggml.unknown_token_id", 0).boolean("tokenizer.ggml.add_bos_token", true);
  return writer.string(kText, "<s>ab  abab<user>\xff\n<|im_end|>").bytes();
}

Bytes gpt2_seed(std::string_view pre) {
  std::vector<std::string> tokens = {"h",  "e", "l", "o", letter(0x120), "he", "ll", "hell", "<|endoftext|>",
                                     "<x>"};
  test::GgufWriter writer;
  writer.string("tokenizer.ggml.model", "gpt2").string("tokenizer.ggml.pre", pre);
  writer.strings("tokenizer.ggml.tokens", tokens);
  writer.i32_array("tokenizer.ggml.token_type", {1, 1, 1, 1, 1, 1, 1, 1, 3, 4});
  writer.strings("tokenizer.ggml.merges", {"h e", "l l", "he ll"});
  writer.u32("tokenizer.ggml.eos_token_id", 8);
  return writer.string(kText, " hello HELLOhello's 12345 \xe4\xb8\xad\xe6\x96\x87<x><|endoftext|>\r\n\t ")
      .bytes();
}

Bytes gemma4_seed() {
  test::GgufWriter writer;
  writer.string("tokenizer.ggml.model", "gemma4");
  writer.strings("tokenizer.ggml.tokens", {"<bos>", "h", "e", "he", "\xe2\x96\x81", "\xe2\x96\x81h", "\n\n",
                                           "<0xC3>", "<0xA9>", "<turn|>"});
  writer.i32_array("tokenizer.ggml.token_type", {3, 1, 1, 1, 1, 1, 1, 6, 6, 3});
  writer.strings("tokenizer.ggml.merges", {"h e", "\xe2\x96\x81 h"});
  writer.u32("tokenizer.ggml.bos_token_id", 0);
  return writer.string(kText, "he  he\n\nh\xc3\xa9\xc3<turn|>").bytes();
}

Bytes bert_seed() {
  const std::string mark = "\xe2\x96\x81";
  test::GgufWriter writer;
  writer.string("tokenizer.ggml.model", "bert");
  writer.strings("tokenizer.ggml.tokens",
                 {"[UNK]", "[CLS]", "[SEP]", "[MASK]", mark + "he", "l", "lo", mark + "!"});
  writer.i32_array("tokenizer.ggml.token_type", {2, 3, 3, 3, 1, 1, 1, 1});
  writer.u32("tokenizer.ggml.unknown_token_id", 0).u32("tokenizer.ggml.bos_token_id", 1);
  writer.u32("tokenizer.ggml.seperator_token_id", 2).string("general.name", "modern-bert");
  return writer.string(kText, "H\xc3\xa9llo! \xe4\xb8\xad \xff  [MASK] hex").bytes();
}

// One rule of normalization: a tab becomes a space.
Bytes t5_seed() {
  std::vector<std::uint32_t> units(257, 0);
  units[0] = 256 * 4;  // bytes of the table
  units[1] = 0x10u << 10;
  units[1 + (0x10 ^ 9)] = 0x20u << 10 | 1u << 8 | 9u;
  units[1 + (0x10 ^ 9 ^ 0x20)] = 1u << 31;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(units.data());
  std::vector<std::byte> array(12);
  const std::uint64_t count = units.size() * 4 + 2;
  std::memcpy(array.data() + 4, &count, sizeof(count));  // of u8, whose number is 0
  for (std::size_t i = 0; i < units.size() * 4; ++i) array.push_back(std::byte{bytes[i]});
  array.insert(array.end(), {std::byte{' '}, std::byte{0}});
  test::GgufWriter writer;
  writer.string("tokenizer.ggml.model", "t5");
  writer.strings("tokenizer.ggml.tokens", {"<pad>", "</s>", "<unk>", "\xe2\x96\x81", "a", "b", "ab", "<x>"});
  writer.f32_array("tokenizer.ggml.scores", {0, 0, 0, -2, -3, -3, -4, 0});
  writer.i32_array("tokenizer.ggml.token_type", {3, 3, 2, 1, 1, 1, 1, 4});
  writer.raw("tokenizer.ggml.precompiled_charsmap", 9, array);
  return writer.string(kText, "ab\tb<x> \xff\xc3\xa9 a").bytes();
}

std::vector<Seed> seeds() {
  std::vector<Seed> all = {{"llama", llama_seed(true)},
                           {"llama_untyped", llama_seed(false)},
                           {"gemma4", gemma4_seed()},
                           {"bert", bert_seed()},
                           {"t5", t5_seed()}};
  for (const char* pre :
       {"gpt-2", "llama-bpe", "default", "deepseek-llm", "deepseek-coder", "deepseek-v3", "qwen2", "tekken",
        "gpt-4o", "falcon", "starcoder", "bloom", "poro-chat", "chameleon", "refact"}) {
    all.push_back({std::string("gpt2_") + pre, gpt2_seed(pre)});
  }
  return all;
}

}  // namespace

Target tokenizer_target() {
  return {"tokenizer", feed, mutate, seeds};
}

}  // namespace tokencycle::fuzz
