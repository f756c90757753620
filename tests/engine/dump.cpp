// SPDX-License-Identifier: Apache-2.0
// engine_dump MODEL: what the independent engine says of a prompt, as JSON on standard output.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace {

using tokencycle::engine::Engine;
using tokencycle::engine::Pins;

constexpr const char* kUsage =
    "engine_dump MODEL [-p TEXT | --ids 1,2,3] [-n TOKENS] [--logits] [--cpu NAME] [--no-flash-attention]\n"
    "            [--micro-batch N]\n"
    "Greedy tokens of the engine after a prompt, each with the margin between its two largest logits, as "
    "JSON.\n"
    "--logits adds every logit of the prompt's last token and of each step.\n";

struct Options {
  std::string model, text = "Once upon a time", ids;
  int tokens = 16;
  bool logits = false;
  Pins pins;
};

std::vector<std::uint32_t> parse_ids(const std::string& text) {
  std::vector<std::uint32_t> ids;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t used = 0;
    ids.push_back(static_cast<std::uint32_t>(std::stoul(text.substr(at), &used)));
    at += used + 1;
  }
  return ids;
}

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    const auto value = [&] {
      if (i + 1 == arguments.size()) throw std::invalid_argument(name + " needs a value");
      return arguments[++i];
    };
    if (name == "-p")
      options.text = value();
    else if (name == "--ids")
      options.ids = value();
    else if (name == "-n")
      options.tokens = std::stoi(value());
    else if (name == "--logits")
      options.logits = true;
    else if (name == "--cpu")
      options.pins.cpu = value();
    else if (name == "--no-flash-attention")
      options.pins.flash_attention = false;
    else if (name == "--micro-batch")
      options.pins.micro_batch = static_cast<std::uint32_t>(std::stoul(value()));
    else if (options.model.empty() && !name.starts_with("-"))
      options.model = name;
    else
      throw std::invalid_argument("unknown option " + name);
  }
  if (options.model.empty()) throw std::invalid_argument("which model?");
  return options;
}

struct Best {
  std::uint32_t id = 0;
  float margin = 0;
};

Best best(std::span<const float> logits) {
  std::uint32_t first = 0, second = 1;
  for (std::uint32_t id = 1; id < logits.size(); ++id) {
    if (logits[id] > logits[first]) {
      second = first;
      first = id;
    } else if (second == first || logits[id] > logits[second]) {
      second = id;
    }
  }
  return {first, logits[first] - logits[second]};
}

void dump(const Options& options) {
  Engine engine(options.model, false, options.pins);
  const std::vector<std::uint32_t> prompt =
      options.ids.empty() ? engine.tokenize(options.text, true, true) : parse_ids(options.ids);
  nlohmann::json document = {{"model", options.model},
                             {"cpu", options.pins.cpu},
                             {"flash_attention", options.pins.flash_attention},
                             {"micro_batch", options.pins.micro_batch},
                             {"prompt_ids", prompt},
                             {"steps", nlohmann::json::array()}};
  std::span<const float> logits = engine.append(prompt, 1);
  std::string text;
  for (int i = 0; i < options.tokens; ++i) {
    const Best token = best(logits);
    nlohmann::json step = {{"id", token.id}, {"margin", token.margin}};
    if (options.logits) step["logits"] = std::vector<float>(logits.begin(), logits.end());
    document["steps"].push_back(step);
    if (engine.ends_text(token.id)) break;
    text += engine.spelling(token.id);
    logits = engine.append({&token.id, 1}, 1);
  }
  document["text"] = text;
  std::cout << document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  try {
    dump(parse({argv + 1, argv + argc}));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "engine_dump: " << error.what() << '\n' << kUsage;
    return EXIT_FAILURE;
  }
}
