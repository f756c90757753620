// SPDX-License-Identifier: Apache-2.0
// tokencycle validate: our figures beside those of published machines, each by a command that repeats it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "base/text.h"
#include "cli/document.h"
#include "cli/options.h"
#include "cli/scratch_folder.h"
#include "cli/standard_output.h"
#include "cli/sweep/sweep_run.h"
#include "cli/sweep/workers.h"
#include "explore/scorecard/scorecard.h"
#include "host/files.h"
#include "host/home.h"
#include "host/interrupt.h"

namespace tokencycle::cli {

namespace po = boost::program_options;
using explore::ErrorKind;
using explore::Scorecard;
using explore::ScorecardRow;
using Json = nlohmann::ordered_json;

OptionParser validate_parser() {
  OptionParser parser(
      "validate [--only NAME ...] [--quick] [-j N] [options]",
      "The scorecard: figures of published machines and of formulas beside ours. Machines have\n"
      "data-sheet constants; nothing is fitted.",
      "tokencycle validate --quick");
  auto add = parser.add();
  add("only", po::value<std::vector<std::string>>()->composing(),
      "rows of this name, * for any letters; repeat for more");
  add("quick", po::bool_switch(), "only the rows that take some seconds");
  add("list", po::bool_switch(), "name the rows, how long each takes and its command, and run none");
  add("scorecard", po::value<std::string>(), "the rows (default: configs/validation/scorecard.json)");
  add("jobs,j", po::value<std::string>(), "processes at a time (default: one per processor)");
  add("quiet,q", po::bool_switch(), "no progress");
  add_output_forms(parser, "row");
  add("markdown", po::bool_switch(), "print the table in Markdown");
  return parser;
}

namespace {

// `pattern` has * for any letters.
bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*')
    return matches(pattern.substr(1), text) || (!text.empty() && matches(pattern, text.substr(1)));
  return !text.empty() && text.front() == pattern.front() && matches(pattern.substr(1), text.substr(1));
}

std::vector<ScorecardRow> chosen(const OptionParser& parser, const Scorecard& card) {
  const std::vector<std::string> only = parser.texts("only");
  std::vector<std::string> names;
  for (const ScorecardRow& row : card.rows) names.push_back(row.name);
  for (const std::string& pattern : only) {
    if (std::none_of(names.begin(), names.end(), [&](const auto& name) { return matches(pattern, name); }))
      throw UsageError(
          fmt::format("--only is '{}', and no row has such a name{}; `tokencycle validate --list` names them",
                      pattern, did_you_mean(pattern, names)));
  }
  std::vector<ScorecardRow> rows;
  for (const ScorecardRow& row : card.rows) {
    const bool named = only.empty() || std::any_of(only.begin(), only.end(), [&row](const auto& pattern) {
                         return matches(pattern, row.name);
                       });
    if (named && (row.quick() || !parser.get<bool>("quick"))) rows.push_back(row);
  }
  return rows;
}

std::vector<std::string> command_of(const ScorecardRow& row) {
  std::vector<std::string> command{row.command};
  command.insert(command.end(), row.arguments.begin(), row.arguments.end());
  return command;
}

std::string command_text(const ScorecardRow& row) {
  return row.command.empty() ? "" : shell_text(command_of(row));
}

struct Outcome {
  std::optional<double> figure;
  std::string failure;  // why there is none
  double seconds = 0;
};

class Run {
 public:
  Run(const Scorecard& card, const std::vector<ScorecardRow>& rows, unsigned jobs, bool quiet)
      : card_(card), rows_(rows), workers_(jobs), quiet_(quiet), outcomes_(rows.size()) {}

  std::vector<Outcome> run() {
    const host::Interruptible interruptible;
    std::vector<std::size_t> waiting;  // the longest first
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!rows_[i].command.empty()) waiting.push_back(i);
    }
    std::stable_sort(waiting.begin(), waiting.end(),
                     [this](std::size_t a, std::size_t b) { return rows_[a].seconds > rows_[b].seconds; });
    const std::size_t all = waiting.size();
    for (std::size_t next = 0, done = 0; next < all || !workers_.idle();) {
      if (host::interrupted()) {
        workers_.stop();
        throw Interrupted(fmt::format("interrupted; {} of {} rows were done", done, all));
      }
      while (next < all && !workers_.full()) start(waiting[next++]);
      Workers::Ended ended;
      if (!workers_.wait(0.25, ended)) continue;
      finish(ended);
      ++done;
      if (!quiet_)
        fmt::print(stderr, "tokencycle: {} of {} rows: {} ({:.1f} s)\n", done, all, rows_[ended.name].name,
                   ended.seconds);
    }
    return std::move(outcomes_);
  }

 private:
  void start(std::size_t row) {
    std::vector<std::string> arguments = command_of(rows_[row]);
    arguments.emplace_back("--json");
    workers_.start(row, {arguments, scratch_.file(row, "json"), scratch_.file(row, "err")});
  }

  void finish(const Workers::Ended& ended) {
    Outcome& outcome = outcomes_[ended.name];
    outcome.seconds = ended.seconds;
    if (ended.code != 0) {
      outcome.failure = host::read_text(scratch_.file(ended.name, "err"));
      while (!outcome.failure.empty() && outcome.failure.back() == '\n') outcome.failure.pop_back();
      if (outcome.failure.empty()) outcome.failure = fmt::format("exit code {}", ended.code);
      return;
    }
    const Json printed = Json::parse(host::read_text(scratch_.file(ended.name, "json")), nullptr, false);
    try {
      outcome.figure = explore::figure_of(card_, rows_[ended.name], printed);
    } catch (const Error& error) {
      outcome.failure = error.what();
    }
  }

  const Scorecard& card_;
  const std::vector<ScorecardRow>& rows_;
  ScratchFolder scratch_;
  Workers workers_;
  bool quiet_;
  std::vector<Outcome> outcomes_;
};

// Four digits that count, without an exponent.
std::string number_text(double value) {
  if (value >= 1000) return with_separators(static_cast<std::uint64_t>(std::llround(value)));
  return fmt::format("{:.{}f}", value, value >= 100 ? 1 : value >= 10 ? 2 : 3);
}

std::string error_text(const ScorecardRow& row, double figure) {
  const double error = explore::error_of(row, figure);
  return fmt::format("{:+.1f} {}", std::abs(error) < 0.05 ? 0.0 : error,
                     row.error == ErrorKind::points ? "points" : "%");
}

bool meets_aim(const ScorecardRow& row, double figure) {
  return std::abs(explore::error_of(row, figure)) <= row.aim;
}

// What keeps a row from being exact, or from being there.
std::string remarks(const ScorecardRow& row, const Outcome& outcome) {
  std::string text =
      outcome.failure.empty() ? "" : "failed: " + outcome.failure.substr(0, outcome.failure.find('\n'));
  if (outcome.figure && !meets_aim(row, *outcome.figure)) text = row.reason;
  if (!row.lacks.empty()) text += fmt::format("{}not modelled: {}", text.empty() ? "" : "; ", row.lacks);
  return text;
}

std::string text_table(const std::vector<ScorecardRow>& rows, const std::vector<Outcome>& outcomes) {
  std::string out =
      fmt::format("{:<30} {:>12} {:>12} {:<12} {:>10}\n", "row", "ours", "published", "", "error");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& figure = outcomes[i].figure;
    out += fmt::format("{:<30} {:>12} {:>12} {:<12} {:>10}{}\n", rows[i].name,
                       figure ? number_text(*figure) : "-", number_text(rows[i].published), rows[i].unit,
                       figure ? error_text(rows[i], *figure) : "-",
                       figure && !meets_aim(rows[i], *figure) ? " *" : "");
  }
  std::string notes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool missed = !outcomes[i].figure || !meets_aim(rows[i], *outcomes[i].figure);
    if (missed) notes += fmt::format("{}: {}\n", rows[i].name, remarks(rows[i], outcomes[i]));
  }
  if (!notes.empty()) out += "\n* further from the published figure than hoped for:\n" + notes;
  return out;
}

std::string markdown_table(const std::vector<ScorecardRow>& rows, const std::vector<Outcome>& outcomes) {
  std::string out = "| row | what | ours | published | error | remarks |\n|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ScorecardRow& row = rows[i];
    const auto& figure = outcomes[i].figure;
    out += fmt::format("| `{}` | {} | {} | {} {} | {} | {} |\n", row.name, row.about,
                       figure ? number_text(*figure) : "-", number_text(row.published), row.unit,
                       figure ? error_text(row, *figure) : "-", remarks(row, outcomes[i]));
  }
  return out;
}

Json row_json(const ScorecardRow& row) {
  Json json = {{"name", row.name},
               {"about", row.about},
               {"command", command_text(row)},
               {"unit", row.unit},
               {"published", row.published},
               {"source", row.source},
               {"error_kind", row.error == ErrorKind::points ? "points" : "percent"},
               {"aim", row.aim},
               {"not_modelled", row.lacks},
               {"expected_seconds", row.seconds},
               {"quick", row.quick()}};
  return json;
}

Json json_of(const Scorecard& card, const std::vector<ScorecardRow>& rows,
             const std::vector<Outcome>* outcomes) {
  Json list = Json::array();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Json json = row_json(rows[i]);
    if (outcomes != nullptr) {
      const Outcome& o = (*outcomes)[i];
      json["figure"] = o.figure ? Json(*o.figure) : Json();
      json["error"] = o.figure ? Json(explore::error_of(rows[i], *o.figure)) : Json();
      json["meets_aim"] = o.figure ? Json(meets_aim(rows[i], *o.figure)) : Json();
      json["reason"] = o.figure && !meets_aim(rows[i], *o.figure) ? rows[i].reason : "";
      json["failure"] = o.failure;
      json["seconds"] = o.seconds;
    }
    list.push_back(std::move(json));
  }
  return {{"schema", "tokencycle-validation-1"},
          {"version", TOKENCYCLE_VERSION},
          {"scorecard", card.source},
          {"rows", list}};
}

std::string list_text(const std::vector<ScorecardRow>& rows) {
  std::string out;
  for (const ScorecardRow& row : rows) {
    out += fmt::format("{:<30} {:>6}  {}\n{:<30}         {}\n", row.name,
                       row.command.empty() ? "-" : fmt::format("{:g} s", row.seconds), row.about, "",
                       row.command.empty() ? "not modelled: " + row.lacks : command_text(row));
  }
  return out;
}

// Where it lies under the working folder, as a person types it.
std::filesystem::path near(const std::filesystem::path& path) {
  std::error_code failed;
  const std::filesystem::path relative = std::filesystem::relative(path, failed);
  return failed || relative.empty() || *relative.begin() == ".." ? path : relative;
}

}  // namespace

ExitCode validate_command(const Arguments& arguments) {
  OptionParser parser = validate_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const OutputForm form = output_form(parser);
  const bool markdown = parser.get<bool>("markdown"), list = parser.get<bool>("list");
  if (markdown && (list || form != OutputForm::text))
    throw UsageError("--markdown is a form of its own; leave --list, --json or --csv out");
  const std::filesystem::path file = parser.has("scorecard")
                                         ? std::filesystem::path(parser.get<std::string>("scorecard"))
                                         : near(host::home() / "configs" / "validation" / "scorecard.json");
  const Scorecard card = explore::parse_scorecard(host::read_text(file), file);
  const std::vector<ScorecardRow> rows = chosen(parser, card);
  const unsigned jobs = parser.jobs();
  if (list) {
    print_now(form == OutputForm::text ? list_text(rows)
                                       : document_text({json_of(card, rows, nullptr), "rows"}, form));
    return ExitCode::success;
  }
  const std::vector<Outcome> outcomes = Run(card, rows, jobs, parser.get<bool>("quiet")).run();
  print_now(markdown                   ? markdown_table(rows, outcomes)
            : form == OutputForm::text ? text_table(rows, outcomes)
                                       : document_text({json_of(card, rows, &outcomes), "rows"}, form));
  const bool failed =
      std::any_of(outcomes.begin(), outcomes.end(), [](const Outcome& o) { return !o.failure.empty(); });
  return failed ? ExitCode::check : ExitCode::success;
}

}  // namespace tokencycle::cli
