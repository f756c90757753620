// SPDX-License-Identifier: Apache-2.0
#include "cli/sweep/what_if.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "cli/document.h"
#include "cli/machine_options.h"
#include "cli/scratch_folder.h"
#include "cli/standard_output.h"
#include "cli/sweep/workers.h"
#include "config/machine.h"
#include "explore/differing.h"
#include "host/files.h"
#include "host/interrupt.h"

namespace tokencycle::cli {

namespace po = boost::program_options;
using explore::WhatIf;
using explore::WhatIfChange;
using Json = nlohmann::ordered_json;

namespace {

// The parts of a text between separators that are in no quotes and brackets. A + is one only before a key: a
// number may have it (1e+6).
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : ',';
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '[' || c == '{')) ++depth;
    if (!quoted && (c == ']' || c == '}')) --depth;
    const bool separates = c == separator && !quoted && depth == 0 &&
                           (c != '+' || next == '/' || std::isalpha(static_cast<unsigned char>(next)) != 0);
    if (separates) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::vector<std::string> parts_of_path(const std::string& path, char between) {
  std::vector<std::string> parts(1);
  for (const char c : path) {
    if (c == between) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// Whether `name` is `path` without some of its inner parts.
bool abbreviates(const std::vector<std::string>& name, const std::vector<std::string>& path) {
  if (name.size() > path.size() || name.front() != path.front() || name.back() != path.back()) return false;
  std::size_t found = 0;
  for (const std::string& part : path) found += found < name.size() && part == name[found] ? 1 : 0;
  return found == name.size();
}

// All paths of a description, those of objects and lists too.
void add_paths(const Json& tree, const std::string& path, std::vector<std::string>& paths) {
  if (!path.empty()) paths.push_back(path);
  if (!tree.is_object()) return;
  for (const auto& [key, value] : tree.items()) add_paths(value, path + '/' + key, paths);
}

// "dram.channels" as a path. What the machine does not have is left to the message about the machine.
std::string path_of(const std::string& key, const Json& machine) {
  if (key.starts_with('/')) return key;
  const std::vector<std::string> name = parts_of_path(key, '.');
  const std::string direct = fmt::format("/{}", fmt::join(name, "/"));
  std::vector<std::string> paths, fitting;
  add_paths(machine, "", paths);
  if (std::find(paths.begin(), paths.end(), direct) != paths.end()) return direct;
  std::copy_if(paths.begin(), paths.end(), std::back_inserter(fitting), [&name](const std::string& path) {
    return abbreviates(name, parts_of_path(path.substr(1), '/'));
  });
  if (fitting.size() > 1) {
    throw UsageError(fmt::format("--what-if: {} may be {}; write one of them", printable(key, 100),
                                 fmt::join(fitting, " or ")));
  }
  return fitting.empty() ? direct : fitting.front();
}

// What asks for more than cycles, or for what one run alone can have.
void refuse_other_options(const OptionParser& parser) {
  for (const char* option :
       {"result", "trace", "trace-level", "trace-window", "pipeline-token", "pipeline-instructions",
        "checkpoint", "checkpoint-every", "resume", "dry-run", "program", "dump", "technology"}) {
    if (!parser.given(option) || (std::string_view(option) == "dry-run" && !parser.get<bool>(option)))
      continue;
    throw UsageError(fmt::format(
        "--{} does not go with --what-if, which prints cycles of many runs; leave one of the two out",
        option));
  }
  for (const char* option : {"config", "model", "prompt", "file", "prompts", "tokens", "experts"}) {
    for (const std::string& text : parser.texts(option)) {
      if (text != "-") continue;
      throw UsageError(fmt::format(
          "--{} - reads standard input, which the runs of --what-if cannot share; name a file", option));
    }
  }
}

// Run 0 is the run as it is, run i has the change i - 1.
class Runs {
 public:
  Runs(const OptionParser& parser, WhatIf& what_if)
      : parser_(parser),
        machine_(machine_options_of(parser)),
        what_if_(what_if),
        workers_(jobs_of(parser)),
        shows_(!parser.get<bool>("quiet") && output_form(parser) == OutputForm::text) {}

  void run() {
    const host::Interruptible interruptible;
    const std::size_t all = what_if_.changes.size() + 1;
    std::size_t ended = 0;
    for (std::size_t next = 0; ended < all;) {
      if (host::interrupted()) {
        workers_.stop();
        throw Interrupted(fmt::format("interrupted; {} of {} runs had ended; nothing was kept", ended, all));
      }
      while (next < all && !workers_.full()) start(next++);
      Workers::Ended end;
      if (!workers_.wait(0.25, end) || host::interrupted()) continue;  // a signal reaches the runs, too
      ++ended;
      take(end);
      if (shows_) fmt::print(stderr, "tokencycle: {} of {} runs\n", ended, all);
    }
  }

 private:
  void start(std::size_t run) {
    // What the changed machine is made of takes the place of its options.
    Arguments arguments{"run"};
    const Arguments rest =
        parser_.arguments_without({"what-if", "jobs", "json", "csv", "quiet", "config", "set", "tiling"});
    arguments.insert(arguments.end(), rest.begin(), rest.end());
    const MachineOptions machine = run == 0 ? machine_ : changed(machine_, what_if_.changes[run - 1].sets);
    arguments.insert(arguments.end(), {"--config", machine.config});
    for (const std::string& set : machine.set) arguments.insert(arguments.end(), {"--set", set});
    if (machine.tiling) arguments.insert(arguments.end(), {"--tiling", *machine.tiling});
    arguments.insert(arguments.end(),
                     {"--quiet", "--pipeline-instructions", "0", "--result", scratch_.file(run, "json")});
    workers_.start(run, {arguments, scratch_.file(run, "out"), scratch_.file(run, "err")});
  }

  void take(const Workers::Ended& end) {
    if (end.code != 0) {
      std::string message = host::read_text(scratch_.file(end.name, "err"));
      while (!message.empty() && message.back() == '\n') message.pop_back();
      constexpr std::string_view kName = "tokencycle: ";
      if (message.starts_with(kName)) message.erase(0, kName.size());
      if (message.empty()) message = "the run ended without a message";
      if (end.name == 0) throw Error(static_cast<ExitCode>(end.code), message);
      what_if_.changes[end.name - 1].code = end.code;
      what_if_.changes[end.name - 1].reason = message;
      return;
    }
    const explore::Result result = explore::read_result(scratch_.file(end.name, "json"));
    if (end.name == 0) {
      what_if_.machine = result.machine;
      what_if_.prompt_tokens = result.prompt_count();
      what_if_.new_tokens = result.tokens.size();
      what_if_.timing_only = result.settings.timing_only;
      what_if_.base = explore::phase_cycles(result);
    } else {
      what_if_.changes[end.name - 1].cycles = explore::phase_cycles(result);
    }
    if (!first_) {
      first_ = result;
    } else if (!explore::same_tokens(*first_, result)) {
      throw CheckError(
          fmt::format("{} and {} generated different tokens, which no difference between machines "
                      "explains; find the operator with `tokencycle run --check`, and please "
                      "report it",
                      first_->machine, result.machine));
    }
  }

  const OptionParser& parser_;
  const MachineOptions machine_;
  WhatIf& what_if_;
  const ScratchFolder scratch_;  // outlives the workers
  Workers workers_;
  bool shows_;
  std::optional<explore::Result> first_;
};

}  // namespace

void add_what_if_options(OptionParser& parser) {
  auto what_if = parser.more("What if");
  what_if("what-if", po::value<std::vector<std::string>>()->composing(),
          "cycles that each change alone would save: matrix.rows=64,vector.lanes=32; A+B: both together");
  what_if("jobs,j", po::value<std::string>(),
          "with --what-if: processes at a time (default: one per processor)");
}

std::vector<WhatIfChange> what_if_changes(const std::string& text, const Json& machine) {
  std::vector<WhatIfChange> changes;
  for (const std::string& change : split(text, ',')) {
    WhatIfChange read{change, {}, std::nullopt, 0, ""};
    for (const std::string& set : split(change, '+')) {
      const std::size_t equals = set.find('=');
      if (equals == std::string::npos || equals == 0 || equals + 1 == set.size()) {
        throw UsageError(
            fmt::format("--what-if has '{}'; a change is a key and its value, as in matrix.rows=64 or "
                        "/matrix/rows=64, with "
                        "commas between changes and + between those that belong together",
                        printable(set, 100)));
      }
      read.sets.push_back(path_of(set.substr(0, equals), machine) + set.substr(equals));
    }
    changes.push_back(std::move(read));
  }
  return changes;
}

ExitCode run_what_if(const OptionParser& parser) {
  refuse_other_options(parser);
  const OutputForm form = output_form(parser);
  WhatIf what_if;
  const Json machine = Json::parse(config::to_json(machine_with(machine_options_of(parser))));
  for (const std::string& text : parser.texts("what-if")) {
    for (WhatIfChange& change : what_if_changes(text, machine)) {
      const bool twice = std::any_of(what_if.changes.begin(), what_if.changes.end(),
                                     [&change](const WhatIfChange& c) { return c.sets == change.sets; });
      if (twice)
        throw UsageError(fmt::format("--what-if has '{}' twice; leave one out", printable(change.text, 100)));
      what_if.changes.push_back(std::move(change));
    }
  }
  Runs(parser, what_if).run();
  explore::sort_by_gain(what_if);
  print_now(form == OutputForm::text ? explore::what_if_text(what_if)
                                     : document_text({explore::what_if_json(what_if), "changes"}, form));
  const WhatIfChange& best = what_if.changes.front();
  if (!best.cycles) {
    throw Error(static_cast<ExitCode>(best.code), "none of the changes can be run; the reasons are above");
  }
  return ExitCode::success;
}

}  // namespace tokencycle::cli
