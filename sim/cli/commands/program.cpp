// SPDX-License-Identifier: Apache-2.0
// tokencycle compile | asm | disasm: programs as files and as text.
#include <fmt/format.h>
#include <unistd.h>

#include "base/read_file.h"
#include "base/text.h"
#include "cli/machine_options.h"
#include "cli/model_options.h"
#include "cli/options.h"
#include "cli/output_files.h"
#include "cli/standard_output.h"
#include "compiler/compiler.h"
#include "host/places.h"
#include "isa/program_bytes.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

namespace {

// To the file, or for "-" to standard output, which a terminal is not: what is said of it comes back.
std::string deliver(const isa::Program& program, const std::string& output) {
  if (output == "-") {
    if (::isatty(STDOUT_FILENO) != 0) {
      throw UsageError(
          "--output -: a program file is no text for a terminal; name a file, or send it to a pipe");
    }
    print_now(isa::program_bytes(program, "standard output"));
    return {};
  }
  isa::write_program(program, output);
  return ", written to " + output + "\n";
}

}  // namespace

OptionParser compile_parser() {
  OptionParser parser(
      "compile [-m MODEL] [-c CONFIG] -o FILE [options]",
      "Compiles one step of a model for a machine: the program that `run` would execute there.",
      "tokencycle compile -c edge --position 4 -o step.tcp");
  add_machine_options(parser);
  parser.add()("model,m", po::value<std::string>(), "GGUF file (default: the bundled model)")(
      "output,o", po::value<std::string>(), "program file to write; - is standard output")(
      "position", po::value<long long>()->default_value(0), "position of the first token")(
      "tokens", po::value<long long>()->default_value(1), "tokens in the step");
  return parser;
}

ExitCode compile_command(const Arguments& arguments) {
  OptionParser parser = compile_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const std::string output = parser.require("output");
  const config::Machine machine = machine_with(machine_options_of(parser));
  const std::filesystem::path path = model_path(parser);
  std::vector<std::filesystem::path> inputs = machine.provenance.files;
  inputs.push_back(path);
  check_outputs(named_outputs(parser, {"output"}), inputs);
  const model::LlamaModel model{model::GgufFile(path)};
  const compiler::Compiler compiler(model, machine, {});
  const std::uint32_t position = parser.count("position"), tokens = parser.count("tokens");
  if (tokens == 0 || tokens > compiler.batch_limit()) {
    throw UsageError(fmt::format("--tokens is {}; one step of this model on this machine holds 1 to {}",
                                 tokens, compiler.batch_limit()));
  }
  if (std::uint64_t{position} + tokens > compiler.context()) {
    throw UsageError(fmt::format("--position {} and {} tokens end beyond the context of {}", position, tokens,
                                 compiler.context()));
  }
  const compiler::CompiledStep compiled = compiler.compile(compiler::one_sequence(position, tokens));
  const std::string written = deliver(compiled.program, output);
  if (written.empty()) return ExitCode::success;
  fmt::print("{} words ({}), {} operators{}", with_separators(compiled.program.words.size()),
             bytes_text(compiled.program.words.size() * isa::kWordBytes), compiled.program.operators.size(),
             written);
  return ExitCode::success;
}

OptionParser asm_parser() {
  OptionParser parser("asm SOURCE -o FILE",
                      "Assembles a text (`tokencycle explain isa`) into a program file.",
                      "tokencycle asm tests/isa/programs/matmul.tcasm -o matmul.tcp");
  parser.add()("input", po::value<std::string>(), "assembly text; - is standard input")(
      "output,o", po::value<std::string>(), "program file to write; - is standard output");
  parser.positional("input", 1);
  return parser;
}

ExitCode asm_command(const Arguments& arguments) {
  OptionParser parser = asm_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const std::string input = parser.require("input"), output = parser.require("output");
  check_outputs(named_outputs(parser, {"output"}), {input});
  const isa::Program program = isa::assemble(read_input(input), shown_name(input));
  const std::string written = deliver(program, output);
  if (written.empty()) return ExitCode::success;
  fmt::print("{} words, {} data segments{}", with_separators(program.words.size()), program.data.size(),
             written);
  return ExitCode::success;
}

OptionParser disasm_parser() {
  OptionParser parser("disasm PROGRAM [-o FILE]", "Prints a program file as assembly text.",
                      "tokencycle disasm step.tcp");
  parser.add()("input", po::value<std::string>(), "program file; - is standard input")(
      "output,o", po::value<std::string>(), "text file to write (default: -, standard output)");
  parser.positional("input", 1);
  return parser;
}

ExitCode disasm_command(const Arguments& arguments) {
  OptionParser parser = disasm_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const std::string input = parser.require("input");
  check_outputs(named_outputs(parser, {"output"}), {input});
  write_output(parser.has("output") ? parser.get<std::string>("output") : "-",
               isa::disassemble(isa::read_program(input)));
  return ExitCode::success;
}

}  // namespace tokencycle::cli
