// SPDX-License-Identifier: Apache-2.0
// tokencycle tokenize, detokenize: a model's vocabulary alone.
#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/comma_list.h"
#include "base/text.h"
#include "cli/document.h"
#include "cli/model_options.h"
#include "cli/options.h"
#include "cli/standard_output.h"
#include "host/prompt.h"
#include "host/result/json_text.h"
#include "model/tokenizer/tokenizer.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

namespace {

using model::TokenId;

// Headers are enough: a vocabulary needs no weights.
model::GgufFile vocabulary_file(const OptionParser& parser) {
  return model::GgufFile(model_path(parser), model::TensorData::absent);
}

std::string hexadecimal(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", static_cast<unsigned char>(byte));
  }
  return text;
}

std::string text_of(const OptionParser& parser) {
  if (const auto text = prompt_of(parser)) return *text;
  throw UsageError("tokenize takes a text: give it with --prompt, or a file of it with --file");
}

// The text as `run` gives it to the model, unless options say otherwise.
host::Prompt tokens_of(const OptionParser& parser, const model::GgufFile& file,
                       const model::Tokenizer& tokenizer) {
  host::TokenRequest request;
  request.prompt = text_of(parser);
  request.chat = parser.get<bool>("chat");
  host::Prompt prompt = host::read_prompt(request, file, tokenizer);
  const bool bare = parser.get<bool>("no-special"), plain = parser.get<bool>("plain");
  if (bare || plain) prompt.ids = tokenizer.encode(prompt.text, !bare, !plain);
  return prompt;
}

nlohmann::ordered_json tokens_json(const model::GgufFile& file, const model::Tokenizer& tokenizer,
                                   const std::string& text, const std::vector<TokenId>& ids) {
  nlohmann::ordered_json tokens = nlohmann::ordered_json::array();
  for (const TokenId id : ids) {
    const std::string bytes = tokenizer.decode(id);
    tokens.push_back({{"id", id},
                      {"piece", host::replace_invalid(tokenizer.spelling(id))},
                      {"text", host::replace_invalid(bytes)},
                      {"bytes", hexadecimal(bytes)}});
  }
  return {{"schema", "tokencycle-tokens-1"},          {"version", TOKENCYCLE_VERSION},
          {"model", file.path().filename().string()}, {"tokenizer", tokenizer.kind()},
          {"text", host::replace_invalid(text)},      {"tokens", tokens}};
}

void print_tokens(const model::Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  constexpr std::size_t kShown = 60;  // of a piece
  fmt::print("{:>8}  {:<24} bytes\n", "id", "piece");
  for (const TokenId id : ids) {
    fmt::print("{:>8}  {:<24} {}\n", id, printable(tokenizer.spelling(id), kShown),
               hexadecimal(tokenizer.decode(id)));
  }
  fmt::print("{} token{}, {}\n", with_separators(ids.size()), ids.size() == 1 ? "" : "s", tokenizer.kind());
}

// "1,2,3", or several such arguments.
std::vector<TokenId> parse_token_ids(const std::vector<std::string>& arguments, std::size_t vocabulary) {
  std::vector<TokenId> ids;
  for (std::string_view text : arguments) {
    while (!text.empty()) {
      const std::string_view part = text.substr(0, text.find(','));
      TokenId id = 0;
      const auto [rest, error] = std::from_chars(part.data(), part.data() + part.size(), id);
      if (error != std::errc() || rest != part.data() + part.size() || id >= vocabulary) {
        throw UsageError(
            fmt::format("'{}' is no token of this model; ids are whole numbers from 0 to {}, as in "
                        "1,2,3",
                        part, vocabulary - 1));
      }
      ids.push_back(id);
      text.remove_prefix(std::min(part.size() + 1, text.size()));
    }
  }
  return ids;
}

}  // namespace

OptionParser tokenize_parser() {
  OptionParser parser(
      "tokenize [-m MODEL] (-p TEXT | -f FILE) [options]",
      "The tokens of a text as `run` gives them to the model: ids, pieces, and the bytes that "
      "they stand for.",
      "tokencycle tokenize -p \"My dear Miss\"");
  auto add = parser.add();
  add("model,m", po::value<std::string>(), "GGUF file (default: the bundled model)");
  add("prompt,p", po::value<std::string>(), "the text, @FILE or -");
  add("file,f", po::value<std::string>(), "a file with the text; - is standard input");
  add("chat", po::bool_switch(), "the text is a message: put it into the model's chat template");
  add("no-special", po::bool_switch(), "without the tokens that the vocabulary adds (BOS, EOS)");
  add("plain", po::bool_switch(), "spellings of special tokens are text");
  add("ids", po::bool_switch(), "print only the ids, as --tokens and detokenize take them");
  add_output_forms(parser, "token");
  return parser;
}

ExitCode tokenize_command(const Arguments& arguments) {
  OptionParser parser = tokenize_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const OutputForm form = output_form(parser);
  const model::GgufFile file = vocabulary_file(parser);
  const auto tokenizer = model::make_tokenizer(file);
  const host::Prompt prompt = tokens_of(parser, file, *tokenizer);
  if (form != OutputForm::text) {
    print_now(document_text({tokens_json(file, *tokenizer, prompt.text, prompt.ids), "tokens"}, form));
  } else if (parser.get<bool>("ids")) {
    fmt::print("{}\n", fmt::join(prompt.ids, ","));
  } else {
    print_tokens(*tokenizer, prompt.ids);
  }
  return ExitCode::success;
}

OptionParser detokenize_parser() {
  OptionParser parser("detokenize [-m MODEL] IDS ... [options]",
                      "The text of tokens, byte for byte, without a line end of its own.",
                      "tokencycle detokenize 1,352,393");
  auto add = parser.add();
  add("model,m", po::value<std::string>(), "GGUF file (default: the bundled model)");
  add("ids", po::value<std::vector<std::string>>()->composing(), "token ids: 1,2,3, @FILE or -");
  add_output_forms(parser, "token");
  parser.positional("ids", -1);
  return parser;
}

ExitCode detokenize_command(const Arguments& arguments) {
  OptionParser parser = detokenize_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  if (!parser.has("ids")) throw UsageError("detokenize needs token ids, as in `tokencycle detokenize 1,2,3`");
  const OutputForm form = output_form(parser);
  const model::GgufFile file = vocabulary_file(parser);
  const auto tokenizer = model::make_tokenizer(file);
  std::vector<std::string> texts;
  for (const std::string& text : parser.get<std::vector<std::string>>("ids"))
    texts.push_back(comma_list(text_or_file(text)));
  const std::vector<TokenId> ids = parse_token_ids(texts, tokenizer->size());
  const std::string text = tokenizer->decode(ids);
  print_now(form == OutputForm::text
                ? text
                : document_text({tokens_json(file, *tokenizer, text, ids), "tokens"}, form));
  return ExitCode::success;
}

}  // namespace tokencycle::cli
