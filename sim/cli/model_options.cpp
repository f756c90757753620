// SPDX-License-Identifier: Apache-2.0
#include "cli/model_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/comma_list.h"
#include "base/text.h"
#include "cli/standard_output.h"
#include "host/files.h"
#include "host/home.h"
#include "host/places.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

namespace {

template <class T>
T choose(const OptionParser& parser, const std::string& name,
         std::initializer_list<std::pair<const char*, T>> choices) {
  const std::string value = parser.get<std::string>(name);
  std::vector<std::string> allowed;
  for (const auto& [text, choice] : choices) {
    if (value == text) return choice;
    allowed.emplace_back(text);
  }
  throw UsageError(fmt::format("--{} is '{}'; it must be {}{}", name, value, fmt::join(allowed, " or "),
                               did_you_mean(value, allowed)));
}

// What needs values does not go without them, and the other way round.
void refuse_mixed_options(const OptionParser& parser, const host::RunSettings& settings) {
  if (settings.inference.values == machine::Values::computed) {
    for (const char* option : {"weights", "prompt-tokens", "position", "tokens", "experts"}) {
      if (parser.has(option)) throw UsageError(fmt::format("--{} goes with --timing-only; add it", option));
    }
    return;
  }
  if (settings.inference.check) {
    throw UsageError("--check does not go with --timing-only: there are no values to compare");
  }
  if (settings.sampler.temperature != 0) {
    throw UsageError(
        "--temperature does not go with --timing-only: there are no logits to sample from; "
        "give the tokens' ids with --tokens");
  }
}

// "residual-sink,gated-blocks": all rules but these.
compiler::FusionSet fusions_without(const std::string& names) {
  compiler::FusionSet rules = compiler::FusionSet::all();
  const std::vector<std::string> allowed(compiler::kFusionNames.begin(), compiler::kFusionNames.end());
  for (std::size_t at = 0; at <= names.size();) {
    const std::size_t end = std::min(names.find(',', at), names.size());
    const std::string name = names.substr(at, end - at);
    const auto known = std::find(allowed.begin(), allowed.end(), name);
    if (known == allowed.end()) {
      throw UsageError(fmt::format("--no-fusion is '{}'; it must be a list of {}{}", name,
                                   fmt::join(allowed, ", "), did_you_mean(name, allowed)));
    }
    rules = rules.without(static_cast<compiler::Fusion>(known - allowed.begin()));
    at = end + 1;
  }
  return rules;
}

template <class T>
std::optional<T> given(const OptionParser& parser, const std::string& name) {
  return parser.has(name) ? std::optional<T>(parser.get<T>(name)) : std::nullopt;
}
std::optional<std::uint32_t> given_count(const OptionParser& parser, const std::string& name) {
  return parser.has(name) ? std::optional(parser.count(name)) : std::nullopt;
}

// What --tokens and --experts say: a text, that of @FILE or of standard input (-), or @RESULT.json, which
// stays a name.
std::optional<std::string> given_list(const OptionParser& parser, const std::string& name) {
  const auto value = given<std::string>(parser, name);
  if (!value || *value == "@" || (*value != "-" && !value->starts_with('@'))) return value;
  std::string text = text_or_file(*value);
  const bool result = text.find_first_not_of(" \t\r\n") != std::string::npos &&
                      text[text.find_first_not_of(" \t\r\n")] == '{';
  if (!result) return comma_list(text);
  return *value == "-" ? text.substr(text.find('{')) : *value;
}

// Lines of a text; empty ones count for nothing.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
    at = end + 1;
  }
  return lines;
}

// --sequences, else as many as there are prompts; several prompts are one of each.
std::uint32_t sequences_of(const OptionParser& parser, std::size_t prompts) {
  if (!parser.has("sequences")) return static_cast<std::uint32_t>(std::max<std::size_t>(prompts, 1));
  const std::uint32_t given = parser.count("sequences");
  if (given == 0) throw UsageError("--sequences is 0; it must be at least 1");
  if (prompts > 1 && given != prompts) {
    throw UsageError(fmt::format("--sequences is {}, and there are {} prompts; give as many, or one for all",
                                 given, prompts));
  }
  return given;
}

}  // namespace

std::vector<std::string> prompts_of(const OptionParser& parser) {
  if (!parser.has("prompts")) {
    if (parser.has("file")) return {prompt_of(parser).value()};
    std::vector<std::string> prompts = parser.texts("prompt");
    for (std::string& prompt : prompts) prompt = text_or_file(prompt);
    return prompts;
  }
  if (parser.has("prompt") || parser.has("file")) {
    throw UsageError("--prompts and --prompt or --file all give prompts; leave one out");
  }
  const std::string file = parser.get<std::string>("prompts");
  std::vector<std::string> prompts = lines_of(text_or_file(file == "-" ? file : "@" + file));
  if (prompts.empty()) throw UsageError(fmt::format("--prompts {}: there is no prompt in it", file));
  return prompts;
}

std::optional<std::string> prompt_of(const OptionParser& parser) {
  if (!parser.has("file")) {
    return parser.has("prompt") ? std::optional(text_or_file(parser.get<std::string>("prompt")))
                                : std::nullopt;
  }
  if (parser.has("prompt")) throw UsageError("--prompt and --file both give the prompt; leave one out");
  const std::string file = parser.get<std::string>("file");
  return text_or_file(file == "-" ? file : "@" + file);
}

void add_model_options(OptionParser& parser) {
  auto add = parser.add();
  add("model,m", po::value<std::string>(), "GGUF file (default: the bundled model)");
  add("prompt,p", po::value<std::vector<std::string>>()->composing(),
      "text to continue, @FILE or -; repeat for more (default: the bundled model's first novel)");
  add("file,f", po::value<std::string>(), "file with the text to continue; - is standard input");
  add("chat", po::bool_switch(), "the prompt is a message: put it into the model's chat template");
  add("new-tokens,n", po::value<long long>(), "tokens to generate (default: 32)");
  add("temperature", po::value<double>()->default_value(0.0), "0: always the likeliest token");
  add("context", po::value<long long>()->default_value(0), "positions of the KV cache (0: the model's)");
  add("check", po::bool_switch(), "compare every operator's result with the reference, bit for bit");
  add("timing-only", po::bool_switch(), "only cycles, without values or text; -m may lack weights");
  auto sampling = parser.more("Sampling");
  sampling("top-k", po::value<long long>()->default_value(40), "sample among the K likeliest (0: all)");
  sampling("top-p", po::value<double>()->default_value(0.95, "0.95"),
           "nucleus sampling: smallest set with this probability");
  sampling("seed", po::value<std::string>()->default_value("0"), "seed of the sampler");
  sampling("ignore-eos", po::bool_switch(), "continue after the end of the text");
  auto compiling = parser.more("Compiling and simulating");
  compiling("batch", po::value<long long>()->default_value(0),
            "prompt tokens per step (0: the fastest, by estimate)");
  compiling("sequences", po::value<long long>(),
            "decode N sequences a step, of one prompt or as many (default: as there are prompts)");
  compiling("prompts", po::value<std::string>(), "file with one prompt per line");
  compiling("kv-type", po::value<std::string>()->default_value("f16"),
            ("format of the KV cache: " + kCacheFormats.names(" or ")).c_str());
  compiling("no-fusion", po::value<std::string>(),
            "compiler rules to leave out, as in gated-blocks,rotary-group");
  compiling("rope", po::value<std::string>(),
            "rotary pairs: adjacent or split (default: the architecture's)");
  compiling("clock", po::value<std::string>()->default_value("gated"),
            "gated or every-edge: identical results, different speed");
  auto timing = parser.more("With --timing-only");
  timing("weights", po::value<std::string>(), "of a config.json: q8_0, q4_k ... (default: its torch_dtype)");
  timing("prompt-tokens", po::value<long long>(), "a prompt of N tokens instead of a text");
  timing("position", po::value<long long>(), "begin behind so many positions of the cache (default: 0)");
  timing("tokens", po::value<std::string>(), "ids [PROMPT:]NEW: 1,2:3,4 or @RESULT.json");
  timing("experts", po::value<std::string>(), "which experts are chosen: a seed (default 0) or @RESULT.json");
}

Format cache_format_of(const OptionParser& parser) {
  const std::string name = parser.get<std::string>("kv-type");
  Format format{};
  if (format_from_name(name, format) && kCacheFormats.has(format)) return format;
  std::vector<std::string> allowed;
  for (int f = 0; f < kFormats; ++f) {
    if (kCacheFormats.has(static_cast<Format>(f))) allowed.emplace_back(name_of(static_cast<Format>(f)));
  }
  throw UsageError(fmt::format("--kv-type is '{}'; it must be {}{}", name, kCacheFormats.names(" or "),
                               did_you_mean(name, allowed)));
}

machine::Clocking clocking_of(const OptionParser& parser) {
  return choose<machine::Clocking>(
      parser, "clock", {{"gated", machine::Clocking::gated}, {"every-edge", machine::Clocking::every_edge}});
}

host::RunSettings settings_of(const OptionParser& parser) {
  host::RunSettings s;
  s.sampler = {parser.get<double>("temperature"), parser.count("top-k"), parser.get<double>("top-p"),
               parser.unsigned_number("seed")};
  if (parser.has("new-tokens")) {
    const auto wanted = parser.get<long long>("new-tokens");
    if (wanted < 1) {
      throw UsageError(fmt::format(
          "--new-tokens is {}; it must be at least 1 (a model that ends its text ends it before)", wanted));
    }
    s.new_tokens = parser.count("new-tokens");
  }
  s.ignore_eos = parser.get<bool>("ignore-eos");
  s.inference.check = parser.get<bool>("check");
  s.inference.clocking = clocking_of(parser);
  s.inference.compile.kv_format = cache_format_of(parser);
  if (parser.has("no-fusion")) {
    s.inference.compile.fusions = fusions_without(parser.get<std::string>("no-fusion"));
  }
  s.inference.compile.context = parser.count("context");
  s.inference.compile.max_batch = parser.count("batch");
  if (parser.get<bool>("timing-only")) s.inference.values = machine::Values::absent;
  if (parser.has("position")) s.inference.position = parser.count("position");
  return s;
}

std::filesystem::path named_model(const std::string& file) {
  if (file == "-") throw UsageError("--model -: a model cannot come from standard input; name its file");
  return file;
}

std::filesystem::path model_path(const OptionParser& parser) {
  return parser.has("model") ? named_model(parser.get<std::string>("model")) : host::bundled_model();
}

std::filesystem::path named_or_bundled(const OptionParser& parser, const std::string& name) {
  if (parser.has("model")) return named_model(parser.get<std::string>("model"));
  std::error_code ignored;
  const std::filesystem::path file = host::home() / "models" / name;
  if (std::filesystem::is_regular_file(file, ignored)) return file;
  throw UsageError(fmt::format("-m is missing: name a GGUF model file ({} is not here)", file.string()));
}

host::ModelRequest model_request_of(const OptionParser& parser) {
  host::ModelRequest request;
  request.settings = settings_of(parser);
  request.file = model_path(parser);
  host::require_file(request.file);  // before what goes with which kind of file
  if (parser.has("rope")) {
    request.rope = choose<model::RopePairs>(
        parser, "rope", {{"adjacent", model::RopePairs::adjacent}, {"split", model::RopePairs::split}});
  }
  refuse_mixed_options(parser, request.settings);
  request.weights = given<std::string>(parser, "weights");
  std::vector<std::string> prompts = prompts_of(parser);
  request.settings.inference.compile.sequences = sequences_of(parser, prompts.size());
  if (prompts.size() > 1) request.prompts = prompts;
  request.tokens = {prompts.empty() ? std::nullopt : std::optional(prompts.front()),
                    given_count(parser, "prompt-tokens"),
                    given_list(parser, "tokens"),
                    given_count(parser, "new-tokens"),
                    parser.get<bool>("chat"),
                    given_list(parser, "experts")};
  return request;
}

}  // namespace tokencycle::cli
