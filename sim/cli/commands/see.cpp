// SPDX-License-Identifier: Apache-2.0
// tokencycle see: what a vision model makes of images, and what it costs.
#include <fmt/format.h>

#include "base/read_file.h"
#include "cli/document.h"
#include "cli/label_run.h"
#include "cli/model_options.h"
#include "cli/options.h"
#include "model/image.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

namespace {

std::vector<std::byte> rows_of(const std::string& file, const model::LlamaModel& model) {
  const model::Image image = model::read_pgm(file);
  const model::Hyperparameters& shape = model.shape();
  if (image.width != shape.image_size || image.height != shape.image_size) {
    throw ModelError(fmt::format("{}: the image has {} x {} pixels, and the model takes {} x {}; scale it",
                                 shown_name(file), image.width, image.height, shape.image_size,
                                 shape.image_size));
  }
  const std::vector<float> rows = model::patch_rows(image, shape.patch_size);
  const auto bytes = std::as_bytes(std::span(rows));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

OptionParser see_parser() {
  OptionParser parser(
      "see [-m MODEL] [-c CONFIG] IMAGE.pgm ... [options]",
      "What a vision model (architecture vit) makes of grey images: label, probability, cycles of the "
      "simulated\nmachine.",
      "tokencycle see models/digit.pgm");
  add_label_options(parser, "GGUF file (default: the bundled model of digits)");
  parser.add()("image", po::value<std::vector<std::string>>()->composing(),
               "PGM file of the model's size; - is standard input");
  add_output_forms(parser, "image");
  parser.positional("image", -1);
  return parser;
}

ExitCode see_command(const Arguments& arguments) {
  OptionParser parser = see_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  if (!parser.has("image")) throw UsageError("see needs an image, as in `tokencycle see models/digit.pgm`");
  const model::LlamaModel model(model::GgufFile(named_or_bundled(parser, "digits-vit-q8_0.gguf")));
  if (model.shape().image_size == 0) {
    throw ModelError(
        fmt::format("{}: a model of architecture {} takes no images; use one of architecture vit",
                    model.file().path().string(), model.shape().architecture));
  }
  label_inputs(parser, model, parser.texts("image"),
               [&](const std::string& file) { return rows_of(file, model); });
  return ExitCode::success;
}

}  // namespace tokencycle::cli
