// SPDX-License-Identifier: Apache-2.0
// The command line: picks the command, prints errors once, returns the documented exit code.
#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <system_error>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/standard_output.h"
#include "cli/version.h"
#include "host/interrupt.h"
#include "model/gguf/mapping_watch.h"

namespace {

using namespace tokencycle;
using namespace tokencycle::cli;

// "0 success, 2 usage, ...", in lines of at most 80 columns.
std::string exit_codes_line() {
  constexpr std::size_t kFirst = 60;
  std::string text;
  for (const auto& [code, name, meaning] : kExitCodes) {
    const std::string entry = fmt::format("{} {}", code, name);
    const std::size_t start = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
    if (!text.empty()) text += text.size() - start + entry.size() > kFirst ? ",\n            " : ", ";
    text += entry;
  }
  return text;
}

void print_overview(std::FILE* to) {
  fmt::print(to,
             "tokencycle {}: a cycle-accurate simulator of an accelerator for language models\n\n"
             "usage: tokencycle COMMAND [OPTIONS]\n\ncommands:\n",
             TOKENCYCLE_VERSION);
  for (const Command& c : commands()) fmt::print(to, "  {:<12} {}\n", c.name, c.summary);
  fmt::print(to,
             "\n`tokencycle COMMAND --help` lists the options of a command.\n\nexample:\n"
             "  tokencycle run -c edge -p \"My dear Miss\" -n 32\n\n"
             "exit codes: {}\n",
             exit_codes_line());
}

ExitCode run(const Arguments& arguments) {
  if (arguments.empty()) {
    print_overview(stderr);
    return ExitCode::usage;
  }
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    print_overview(stdout);
    return ExitCode::success;
  }
  if (name == "--version") {
    fmt::print("{}", version_text());
    return ExitCode::success;
  }
  std::vector<std::string> names = {"--help", "--version"};
  for (const Command& c : commands()) {
    if (c.name == name) return c.run(Arguments(arguments.begin() + 1, arguments.end()));
    names.push_back(c.name);
  }
  throw UsageError(
      fmt::format("unknown command '{}'{}; `tokencycle --help` lists them", name, did_you_mean(name, names)));
}

// Names and values in it are a user's: nothing of them controls a terminal or tears the paragraph apart.
std::string paragraph(const std::string& message) {
  std::string text = "tokencycle: ";
  text.reserve(text.size() + message.size() + 1);
  for (const char c : message) {
    if (c == '\n' && text.back() == '\n') continue;
    text += c == '\n' ? std::string(1, c) : printable({&c, 1}, 1);
  }
  return text + '\n';
}

int report(ExitCode code, const std::string& message) {
  // Where standard error is closed there is no other way.
  static_cast<void>(std::fflush(stdout));
  static_cast<void>(std::fputs(paragraph(message).c_str(), stderr));
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char* argv[]) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // a closed pipe is an error of the write that meets it
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));  // and so is a file that may not grow (ulimit -f)
  host::handle_interrupts();
  host::handle_terminate();
  model::handle_lost_bytes();
  try {
    const ExitCode code = run(Arguments(argv + 1, argv + argc));
    print_now("");  // what is left
    return static_cast<int>(code);
  } catch (const OutputClosed& error) {
    return static_cast<int>(error.code());
  } catch (const Error& error) {
    return report(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return report(ExitCode::simulation, host::kOutOfMemory);
  } catch (const std::filesystem::filesystem_error& error) {
    return report(ExitCode::io, fmt::format("a file cannot be reached; check the path: {}", error.what()));
  } catch (const std::system_error& error) {  // of fmt::print
    if (error.code().value() == EPIPE) return static_cast<int>(ExitCode::io);
    return report(ExitCode::io, fmt::format("standard output or error cannot be written: {}", error.what()));
  } catch (const std::exception& error) {
    return report(ExitCode::simulation, fmt::format("internal error, please report it: {}", error.what()));
  }
}

// The SystemC library refers to sc_main; this program elaborates its modules itself.
extern "C" int sc_main(int, char*[]) {
  return 0;
}
