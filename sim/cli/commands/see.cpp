// SPDX-License-Identifier: Apache-2.0
// tokencycle see: what a vision model makes of images, and what it costs.
#include <fmt/format.h>

#include "base/read_file.h"
#include "cli/machine_options.h"
#include "cli/model_options.h"
#include "cli/options.h"
#include "cli/print/labels.h"
#include "host/places.h"
#include "model/image.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

namespace {

std::vector<float> rows_of(const std::string& file, const model::LlamaModel& model) {
  const model::Image image = model::read_pgm(file);
  const model::Hyperparameters& shape = model.shape();
  if (image.width != shape.image_size || image.height != shape.image_size) {
    throw ModelError(fmt::format("{}: the image has {} x {} pixels, and the model takes {} x {}; scale it",
                                 shown_name(file), image.width, image.height, shape.image_size,
                                 shape.image_size));
  }
  return model::patch_rows(image, shape.patch_size);
}

}  // namespace

OptionParser see_parser() {
  OptionParser parser(
      "see [-m MODEL] [-c CONFIG] IMAGE.pgm ... [options]",
      "What a vision model (architecture vit) makes of grey images: label, probability, cycles of the "
      "simulated\nmachine.",
      "tokencycle see models/digit.pgm");
  add_machine_options(parser);
  auto add = parser.add();
  add("model,m", po::value<std::string>(), "GGUF file (default: the bundled model of digits)");
  add("image", po::value<std::vector<std::string>>()->composing(),
      "PGM file of the model's size; - is standard input");
  add("check", po::bool_switch(), "compare every operator's result with the reference, bit for bit");
  add_output_forms(parser, "image");
  parser.positional("image", -1);
  return parser;
}

ExitCode see_command(const Arguments& arguments) {
  OptionParser parser = see_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const OutputForm form = output_form(parser);
  if (!parser.has("image")) throw UsageError("see needs an image, as in `tokencycle see models/digit.pgm`");
  const model::LlamaModel model(model::GgufFile(named_or_bundled(parser, "digits-vit-q8_0.gguf")));
  if (model.shape().image_size == 0) {
    throw ModelError(
        fmt::format("{}: a model of architecture {} takes no images; use one of architecture vit",
                    model.file().path().string(), model.shape().architecture));
  }
  const config::Machine machine = machine_with(machine_options_of(parser));
  host::InferenceOptions options;
  options.check = parser.get<bool>("check");
  host::Inference inference(model, machine, options);
  std::vector<Labelled> all;
  for (const std::string& file : parser.texts("image")) {
    const std::vector<float> rows = rows_of(file, model);
    all.push_back(labelled(shown_name(file), std::as_bytes(std::span(rows)), model, inference));
  }
  print_labels(all, model, machine, form);
  return ExitCode::success;
}

}  // namespace tokencycle::cli
