// SPDX-License-Identifier: Apache-2.0
// tokencycle inspect: finds out what a file is by its content, and says what is in it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file_kind.h"
#include "base/read_file.h"
#include "cli/machine_options.h"
#include "cli/options.h"
#include "cli/print/inspect.h"
#include "cli/standard_output.h"
#include "host/checkpoint_file.h"
#include "host/files.h"
#include "host/places.h"
#include "isa/program_bytes.h"
#include "model/config_json.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t kHead = 4096;  // bytes by which files are told apart

// Keys by which the configurations of published models are known.
bool is_model_config(const Json& json) {
  for (const char* key : {"architectures", "model_type", "hidden_size", "n_embd", "text_config"}) {
    if (json.contains(key)) return true;
  }
  return false;
}

// Other documents of a model's folder, and of this program.
std::string other_json(const Json& json) {
  if (json.contains("weight_map"))
    return "the index of a model's safetensors files; name the config.json beside it";
  if (json.contains("added_tokens") || json.contains("tokenizer_class")) {
    return "a model's tokenizer; name the config.json beside it, or a GGUF file, which has both";
  }
  const std::string schema =
      json.value("schema", Json()).is_string() ? json["schema"].get<std::string>() : "";
  if (schema.starts_with("tokencycle-") && !schema.starts_with("tokencycle-machine-")) {
    return fmt::format(
        "a document of schema {}, which is printed to be read by programs; name a run's result", schema);
  }
  return {};
}

// What is mapped or sought in has to be a file.
std::filesystem::path named_file(const std::filesystem::path& path, const char* what) {
  if (path == "-") throw UsageError(fmt::format("standard input is {}; name its file instead of -", what));
  return path;
}

Inspected inspect_json(const std::string& text, const Json& json, const std::filesystem::path& path) {
  if (json.is_object()) {
    const std::string schema =
        json.value("schema", Json()).is_string() ? json["schema"].get<std::string>() : "";
    if (schema.starts_with("tokencycle-result-")) return inspect_result(text, shown_name(path));
    if (schema == "tokencycle-dram-1" || schema == "tokencycle-dram-system-1")
      return inspect_memory(named_file(path, "a memory, whose description refers to files beside it"));
    if (schema.empty() && is_model_config(json))
      return inspect_model(model::read_config_json(named_file(path, "a config.json")));
    if (const std::string other = other_json(json); !other.empty()) {
      throw IoError(fmt::format("{}: {}", shown_name(path), other));
    }
  }
  if (path != "-") return inspect_machine(host::read_configuration(path));
  return inspect_machine(config::parse_machine(text, shown_name(path), {}, host::read_options()));
}

// Text that is no JSON, by the reader of its first line: assembly has words, products and requests numbers.
Inspected inspect_lines(const std::string& text, const std::filesystem::path& path) {
  const std::string source = shown_name(path);
  std::string why;
  try {
    return inspect_products(text, source);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): it is another kind
  }
  if (path != "-") {
    try {
      return inspect_requests(path);
    } catch (const Error& error) {
      // A form that is known and cannot be read is named; anything else is another kind of file.
      const bool unknown =
          std::string_view(error.what()).find("in a form that is known") != std::string_view::npos;
      if (!unknown) throw;
    }
  }
  try {
    return inspect_program(isa::assemble(text, source), source);
  } catch (const Error& error) {
    why = error.what();
  }
  throw IoError(
      fmt::format("{}: a text that is no model's, machine's or memory's description, no result, no list of "
                  "products, no trace of requests and no assembly ({})",
                  source, why));
}

Inspected inspect_file(const std::filesystem::path& path) {
  constexpr const char* kRemedy = "name a model, machine, memory, program, result, trace or checkpoint";
  std::string head;
  if (path != "-") {
    head = read_file(path, kHead - 1, kRemedy);
    if (head.empty()) throw IoError(fmt::format("{}: it is empty; {}", path.string(), kRemedy));
    if (head.starts_with("GGUF")) return inspect_model(model::GgufFile(path));
    if (host::is_checkpoint(path)) return inspect_checkpoint(path);
  }
  const bool program = head.starts_with("TCPROG");
  const std::string_view foreign = kind_by_beginning(head);
  if (!program && !foreign.empty()) throw IoError(fmt::format("{}: it is {}", path.string(), foreign));
  if (!program && !is_text(head)) {
    throw IoError(
        fmt::format("{}: it is no text and no kind of file that is known; {}", path.string(), kRemedy));
  }
  const std::string text = host::read_text(path);
  if (text.starts_with("GGUF")) named_file(path, "a model");
  if (text.starts_with("TCPROG")) {
    return inspect_program(isa::parse_program(text, shown_name(path)), shown_name(path));
  }
  const std::size_t mark = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  const std::size_t first = text.find_first_not_of(" \t\r\n", mark);
  const bool json = first == std::string::npos || text[first] == '{' || path.extension() == ".json";
  if (!json) return inspect_lines(text, path);
  return inspect_json(text, Json::parse(text, nullptr, false), path);
}

}  // namespace

OptionParser inspect_parser() {
  OptionParser parser("inspect FILE [options]",
                      "Prints what is in a file: a model (GGUF, or a config.json), a machine's or memory's "
                      "description, a program or its assembly text, a result, a checkpoint, a list of "
                      "products, a trace of memory requests. The content says which.",
                      "tokencycle inspect configs/edge.json");
  parser.add()("input", po::value<std::string>(), "file, - for standard input, or a name in configs/");
  add_set_option(parser);
  parser.add()("roofline", po::bool_switch(),
               "of a result: operations per second and per DRAM byte of each operator, and its roof");
  add_output_forms(parser, "tensor, token, instruction, product, point or field");
  parser.positional("input", 1);
  return parser;
}

ExitCode inspect_command(const Arguments& arguments) {
  OptionParser parser = inspect_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const OutputForm form = output_form(parser);
  const MachineOptions machine{parser.require("input"), sets_of(parser)};
  if (parser.get<bool>("roofline")) {
    const Inspected lines = inspect_roofline(host::read_text(machine.config), shown_name(machine.config));
    print_now(form == OutputForm::text ? lines.text : document_text(lines.document, form));
    return ExitCode::success;
  }
  const Inspected found = names_changes(machine) ? inspect_machine(machine_with(machine))
                                                 : inspect_file(host::find_description(machine.config));
  print_now(form == OutputForm::text ? found.text : document_text(found.document, form));
  return ExitCode::success;
}

}  // namespace tokencycle::cli
