// SPDX-License-Identifier: Apache-2.0
// tokenize, detokenize, and what `run` says of the prompt's tokens.
#include <catch2/catch.hpp>

#include "command_line.h"
#include "model/tokenizer_fixture.h"
#include "refusal.h"
#include "support/synthetic_model.h"

using namespace tokencycle;
using Catch::Contains;
using test::launch;
using test::Scratch;

namespace {

std::string write(const Scratch& scratch, const test::GgufWriter& writer) {
  const std::vector<std::byte> bytes = writer.bytes();
  return scratch.file("v.gguf", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// "a" is 97, "é" two bytes; 256 is "ab", 257 a control token.
test::GgufWriter vocabulary() {
  return test::bpe_file("gpt-2", {"a b"}, {{"<|im_end|>", 3}});
}

}  // namespace

TEST_CASE("tokenize prints ids, pieces and bytes; detokenize gives the text back") {
  const Scratch scratch;
  const std::string model = write(scratch, vocabulary());
  const auto table = launch({"tokenize", "-m", model, "-p", "ab \xc3\xa9"});
  CHECK(table.exit_code == 0);
  CHECK_THAT(table.out, Contains("256  ab") && Contains("61 62") && Contains("4 tokens, byte-level BPE"));
  CHECK(launch({"tokenize", "-m", model, "-p", "ab \xc3\xa9", "--ids"}).out == "256,32,195,169\n");
  CHECK(launch({"detokenize", "-m", model, "256,32", "195,169"}).out == "ab \xc3\xa9");
  const std::string text = scratch.file("text.txt", "ab<|im_end|>");
  CHECK(launch({"tokenize", "-m", model, "-f", text, "--ids"}).out == "256,257\n");
  CHECK(launch({"tokenize", "-m", model, "-f", text, "--ids", "--plain"}).out != "256,257\n");
  const auto json = nlohmann::json::parse(launch({"tokenize", "-m", model, "-p", "ab\xc3", "--json"}).out);
  CHECK(json["schema"] == "tokencycle-tokens-1");
  CHECK(json["tokens"].size() == 2);
  CHECK(json["tokens"][0]["piece"] == "ab");
  CHECK(json["tokens"][1]["bytes"] == "c3");
  const auto back = nlohmann::json::parse(launch({"detokenize", "-m", model, "256", "--json"}).out);
  CHECK(back["text"] == "ab");
}

TEST_CASE("tokenize and detokenize refuse what they cannot heed") {
  const Scratch scratch;
  const std::string model = write(scratch, vocabulary());
  test::check_refusal(2, {"tokenize", "-m", model}, {"--prompt", "--file"});
  test::check_refusal(2, {"detokenize", "-m", model}, {"needs token ids"});
  test::check_refusal(2, {"detokenize", "-m", model, "1,x"}, {"'x' is no token", "0 to 257"});
  test::check_refusal(2, {"detokenize", "-m", model, "258"}, {"'258' is no token"});
  test::check_refusal(4, {"tokenize", "-m", model, "-p", "a", "--chat"}, {"has no tokenizer.chat_template"});
}

TEST_CASE("--chat puts the message into the template and stops at the end of the turn") {
  const Scratch scratch;
  test::GgufWriter chat = vocabulary();
  chat.string("tokenizer.chat_template", "{{ '<|im_start|>' }}");
  const std::string model = write(scratch, chat);
  const auto ids = launch({"tokenize", "-m", model, "-p", "ab", "--chat", "--ids"});
  CHECK(launch({"detokenize", "-m", model, ids.out.substr(0, ids.out.size() - 1)}).out ==
        "<|im_start|>user\nab\n<|im_start|>assistant\n");  // the end of the turn is a control token
  CHECK_THAT(ids.out, Contains(",257,"));
}

TEST_CASE("what the vocabulary adds against expectation is said on standard error, and kept") {
  const Scratch scratch;
  test::GgufWriter writer = test::synthetic_gguf({});
  const std::string model = write(scratch, writer);
  const auto twice =
      launch({"run", "-m", model, "-n", "1", "-q", "-p", "<s>a", "--result", scratch / "r.json"});
  CHECK(twice.exit_code == 0);
  CHECK_THAT(twice.err, Contains("has BOS (token 1) twice"));
  const auto tokens = test::json_of(scratch / "r.json")["prompt_tokens"];
  CHECK(tokens[0] == tokens[1]);
  const auto marked = launch({"run", "-m", model, "-n", "1", "-q", "-p",
                              "\xef\xbb\xbf"
                              "a"});
  CHECK(marked.exit_code == 0);
  CHECK_THAT(marked.err, Contains("begins with a byte-order mark"));
  writer.boolean("tokenizer.ggml.add_eos_token", true);
  write(scratch, writer);
  const auto ended = launch({"run", "-m", model, "-n", "1", "-q", "-p", "a", "--result", scratch / "r.json"});
  CHECK(ended.exit_code == 0);
  CHECK_THAT(ended.err, Contains("EOS (token 2) behind the prompt"));
  CHECK(test::json_of(scratch / "r.json")["prompt_tokens"].back() == 2);
  const auto compared =
      launch({"compare", "-m", model, "-c", "tiny", "-c", "edge", "-n", "1", "-p", "a", "-q"});
  CHECK(compared.exit_code == 0);
  const std::size_t once = compared.err.find("EOS (token 2) behind the prompt");
  CHECK(once != std::string::npos);
  CHECK(compared.err.find("behind the prompt", once + 20) == std::string::npos);
  test::check_refusal(2, {"run", "-m", model, "-n", "1", "--chat", "--timing-only", "--prompt-tokens", "3"},
                      {"--chat goes with the text of --prompt"});
}
