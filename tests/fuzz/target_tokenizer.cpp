// SPDX-License-Identifier: Apache-2.0
// The tokenizer of a GGUF file's metadata, and texts to and from its tokens. The text is the string under the
// key fuzz.text of the file itself.
#include "fuzz/gguf_document.h"
#include "fuzz/support.h"
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
    require(ids.size() <= 4 * text.size() + 4, "more tokens than a text of this length can have");
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

std::vector<Seed> seeds() {
  std::vector<Seed> all = {{"llama", llama_seed(true)}, {"llama_untyped", llama_seed(false)}};
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
