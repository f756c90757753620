// SPDX-License-Identifier: Apache-2.0
// tokencycle classify: which class a text has, by a model of classes, and what it costs.
#include <fmt/format.h>

#include "base/read_file.h"
#include "cli/document.h"
#include "cli/label_run.h"
#include "cli/model_options.h"
#include "cli/options.h"
#include "host/classify.h"
#include "host/files.h"
#include "model/tokenizer/tokenizer.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

OptionParser classify_parser() {
  OptionParser parser(
      "classify [-m MODEL] [-c CONFIG] -f TEXT ... [options]",
      "Which class a text has, by a model of architecture encoder: label, probability, cycles of the "
      "simulated\nmachine. A text longer than the model's context counts as far as it reaches.",
      "tokencycle classify -f models/mail.txt");
  add_label_options(parser, "GGUF file (default: the bundled model of spam)");
  parser.add()("file,f", po::value<std::vector<std::string>>()->composing(),
               "file with the text, as a mail; may be repeated; - is standard input");
  add_output_forms(parser, "text");
  parser.positional("file", -1);
  return parser;
}

ExitCode classify_command(const Arguments& arguments) {
  OptionParser parser = classify_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  if (!parser.has("file"))
    throw UsageError("--file is missing: classify needs a text, as -f models/mail.txt");
  const model::LlamaModel model(model::GgufFile(named_or_bundled(parser, "spam-encoder-q8_0.gguf")));
  if (model.shape().tokens == 0) {
    throw ModelError(
        fmt::format("{}: a model of architecture {} has no classes of texts; use one of architecture encoder",
                    model.file().path().string(), model.shape().architecture));
  }
  const auto tokenizer = model::make_tokenizer(model.file());
  label_inputs(parser, model, parser.texts("file"), [&](const std::string& file) {
    const std::vector<model::TokenId> ids =
        host::classifier_tokens(host::read_text(file), shown_name(file), model, *tokenizer);
    const auto bytes = std::as_bytes(std::span(ids));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  });
  return ExitCode::success;
}

}  // namespace tokencycle::cli
