// SPDX-License-Identifier: Apache-2.0
// tokencycle sweep: many runs that differ in keys of the machine and in options, side by side.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "base/text.h"
#include "cli/document.h"
#include "cli/options.h"
#include "cli/standard_output.h"
#include "cli/sweep/slurm.h"
#include "cli/sweep/sweep_run.h"
#include "cli/sweep/workers.h"
#include "explore/page/assets.h"
#include "explore/page/sweep.h"
#include "explore/sweep/table.h"
#include "host/files.h"

namespace tokencycle::cli {

namespace po = boost::program_options;
using explore::Point;
using explore::SweepFolder;
using explore::SweepPlan;

OptionParser sweep_parser() {
  OptionParser parser(
      "sweep PLAN.json [-o FOLDER] [-j N] [--resume] [options]",
      "Runs every point of a plan: axes over keys of the machine and over options of run or gemm.\n"
      "One result per point is kept; a sweep that was ended continues with --resume.",
      "tokencycle sweep configs/sweeps/array.json -o build/array -j 2");
  auto add = parser.add();
  add("plan", po::value<std::string>(), "the plan (JSON)");
  add("output,o", po::value<std::string>(), "folder of the results (default: the plan's name without .json)");
  add("jobs,j", po::value<std::string>(), "processes at a time (default: one per processor)");
  add("resume", po::bool_switch(), "run the points that have no result yet");
  add("retry", po::bool_switch(), "with --resume: also those that failed");
  add("dry-run", po::bool_switch(), "check all points, print their commands, run none");
  add("status", po::bool_switch(), "say what is there, run nothing");
  add("collect", po::bool_switch(), "write the table of what is there, run nothing");
  add("points", po::value<std::string>(), "only these, as in 1-50,60");
  add("report", po::value<std::string>(), "write fronts, the best machines and all points as a page (HTML)");
  add("quiet,q", po::bool_switch(), "no progress, no table");
  add_output_forms(parser, "point");
  auto slurm = parser.more("On a cluster");
  slurm("slurm", po::bool_switch(), "submit the points as job arrays of Slurm instead of running them here");
  slurm("chunk", po::value<std::string>(), "with --slurm: points per task (default: 1)");
  slurm("sbatch", po::value<std::vector<std::string>>()->composing(),
        "with --slurm: an argument for sbatch, as in --sbatch=--time=1:00:00");
  parser.positional("plan", 1);
  return parser;
}

namespace {

std::filesystem::path folder_of(const OptionParser& parser) {
  if (parser.has("output")) return parser.get<std::string>("output");
  const std::filesystem::path plan = parser.require("plan");
  const std::string stem = plan.stem().string();
  return plan.has_extension() ? stem : stem + ".sweep";
}

// The points that --points names, or all.
std::vector<Point> chosen(const OptionParser& parser, std::vector<Point> points) {
  if (!parser.has("points")) return points;
  const std::vector<std::uint64_t> numbers = ranges_of(parser.get<std::string>("points"));
  if (numbers.back() > points.size())
    throw UsageError(fmt::format("--points names {}, and the plan has {} points", numbers.back(),
                                 with_separators(points.size())));
  std::erase_if(points, [&numbers](const Point& p) {
    return !std::binary_search(numbers.begin(), numbers.end(), p.number);
  });
  return points;
}

std::string left_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole >= 3600) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
  return whole >= 60 ? fmt::format("{} min", whole / 60) : fmt::format("{} s", whole);
}

// On a terminal one line that changes; else a line from time to time.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) != 0) {}
  ~ProgressLine() {
    if (shown_ && terminal_) fmt::print(stderr, "\r\033[K");
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const SweepProgress& p) {
    const std::uint64_t ended = p.done + p.failed;
    if (quiet_ || ended == 0 || p.seconds < next_) return;
    next_ = p.seconds + (terminal_ ? 0.5 : 30);
    shown_ = true;
    const double a_second = static_cast<double>(ended) / p.seconds;
    fmt::print(stderr, "{}tokencycle: {} of {} points{}, {} points an hour, {} left{}",
               terminal_ ? "\r\033[K" : "", with_separators(ended), with_separators(p.all),
               p.failed == 0 ? "" : fmt::format(", {} failed", with_separators(p.failed)),
               with_separators(static_cast<std::uint64_t>(a_second * 3600)),
               left_text(static_cast<double>(p.all - ended) / a_second), terminal_ ? "" : "\n");
  }

 private:
  bool quiet_, terminal_, shown_ = false;
  double next_ = 0;
};

void name_invalid(const CheckedPoints& checked) {
  constexpr std::size_t kNamed = 20;
  for (std::size_t i = 0; i < std::min(kNamed, checked.invalid.size()); ++i) {
    const auto& invalid = checked.invalid[i];
    fmt::print(stderr, "tokencycle: point {} cannot be run: {}\n", invalid.point.number,
               printable(invalid.reason.substr(0, invalid.reason.find('\n')), 400));
  }
  if (checked.invalid.size() > kNamed)
    fmt::print(stderr, "tokencycle: and {} further points; failed/ in the folder names each\n",
               with_separators(checked.invalid.size() - kNamed));
}

struct Counts {
  std::uint64_t done = 0, failed = 0, open = 0;
};
Counts count(const SweepFolder& folder, const std::vector<Point>& points) {
  Counts counts;
  for (const SweepFolder::State state : folder.states(points)) {
    ++(state == SweepFolder::State::done     ? counts.done
       : state == SweepFolder::State::failed ? counts.failed
                                             : counts.open);
  }
  return counts;
}

std::string counts_text(const Counts& c) {
  return fmt::format("{} done, {} failed, {} open", with_separators(c.done), with_separators(c.failed),
                     with_separators(c.open));
}

// The columns of the table that fit a screen, of at most kShown points.
std::string table_text(const SweepPlan& plan, const explore::SweepTable& table) {
  constexpr std::size_t kShown = 40;
  std::vector<std::size_t> columns;
  const std::vector<std::string> figures =
      plan.command == "gemm"
          ? std::vector<std::string>{"array_cycles", "end_to_end_cycles"}
          : std::vector<std::string>{"perplexity", "first_token_cycles", "decode_median_cycles",
                                     "dram_busy_percent", "matrix_busy_percent"};
  std::size_t state = 0;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name == "state") state = i;
    if (state == 0 || i == state ||
        std::find(figures.begin(), figures.end(), table.columns[i].name) != figures.end())
      columns.push_back(i);
  }
  std::vector<std::vector<std::string>> lines(1);
  for (const std::size_t c : columns) lines[0].push_back(table.columns[c].name);
  for (std::size_t r = 0; r < std::min(kShown, table.rows.size()); ++r) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const std::size_t c : columns) {
      const auto& v = table.rows[r][c];
      line.push_back(v.is_null()              ? "-"
                     : v.is_string()          ? v.get<std::string>()
                     : v.is_number_float()    ? fmt::format("{:.1f}", v.get<double>())
                     : v.is_number_unsigned() ? with_separators(v.get<std::uint64_t>())
                                              : v.dump());
    }
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c) {
      std::size_t width = 0;
      for (const auto& other : lines) width = std::max(width, other[c].size());
      text += fmt::format("{}{:>{}}", c == 0 ? "" : "  ", line[c], width);
    }
    text += '\n';
  }
  if (table.rows.size() > kShown)
    text += fmt::format("and {} further points\n", with_separators(table.rows.size() - kShown));
  return text;
}

// Writes the table and shows it.
void collect(const OptionParser& parser, const SweepPlan& plan, const std::vector<Point>& points,
             const SweepFolder& folder) {
  const explore::SweepTable table = explore::table_of(plan, points, folder);
  const Document document{explore::json_of(plan, table), "points"};
  for (const auto& [form, name] :
       {std::pair(OutputForm::csv, "table.csv"), std::pair(OutputForm::json, "table.json")})
    host::write_text(folder.path() / name, document_text(document, form));
  if (parser.has("report"))
    host::write_text(parser.get<std::string>("report"),
                     explore::sweep_html(plan, points, table, TOKENCYCLE_VERSION));
  const OutputForm form = output_form(parser);
  if (form != OutputForm::text) return print_now(document_text(document, form));
  if (parser.get<bool>("quiet")) return;
  print_now(table_text(plan, table));
  print_now(fmt::format("\npoints   {}\ntable    written to {}\n", counts_text(count(folder, points)),
                        (folder.path() / "table.csv").string()));
  if (parser.has("report"))
    print_now(fmt::format("page     written to {}\n", parser.get<std::string>("report")));
}

void dry_run(const SweepPlan& plan, const CheckedPoints& checked) {
  constexpr std::size_t kShown = 10;
  name_invalid(checked);
  for (std::size_t i = 0; i < std::min(kShown, checked.wanted.size()); ++i)
    print_now(fmt::format("{:>6}  {}\n", checked.wanted[i].number,
                          shell_text(command_of(plan, checked.wanted[i]))));
  if (checked.wanted.size() > kShown)
    print_now(fmt::format("and {} further points\n", with_separators(checked.wanted.size() - kShown)));
  print_now(fmt::format("points   {}, of which {} cannot be run; constraints leave out {}\n",
                        with_separators(checked.wanted.size()), with_separators(checked.invalid.size()),
                        with_separators(checked.left_out)));
}

// What cannot be run has failed before the first runs.
void keep_invalid(const CheckedPoints& checked, const SweepPlan& plan, const SweepFolder& folder) {
  for (const auto& invalid : checked.invalid) {
    host::write_text(folder.failure(invalid.point),
                     failure_text(invalid.code, invalid.reason, command_of(plan, invalid.point)));
  }
}

// The points that the command does not refuse, run already or not.
std::vector<Point> runnable(const CheckedPoints& checked) {
  std::vector<Point> points;
  auto invalid = checked.invalid.begin();  // in the order of the points, too
  for (const Point& point : checked.wanted) {
    const bool refused = invalid != checked.invalid.end() && invalid->point.number == point.number;
    if (refused) {
      ++invalid;
    } else {
      points.push_back(point);
    }
  }
  return points;
}

std::vector<Point> missing(const OptionParser& parser, const SweepFolder& folder,
                           const CheckedPoints& checked) {
  std::vector<Point> missing = runnable(checked);
  std::erase_if(missing, [&](const Point& point) {
    const SweepFolder::State state = folder.state(point);
    return state != SweepFolder::State::open &&
           !(parser.get<bool>("retry") && state == SweepFolder::State::failed);
  });
  return missing;
}

void submit_points(const OptionParser& parser, const SweepFolder& folder, std::vector<Point> points) {
  SlurmRequest request;
  if (parser.has("chunk")) request.chunk = parser.unsigned_number("chunk");
  if (request.chunk == 0) throw UsageError("--chunk is 0; it must be at least 1");
  request.extra = parser.texts("sbatch");
  const std::vector<std::uint64_t> queued = queued_points(folder);
  const std::size_t waiting = std::erase_if(points, [&queued](const Point& p) {
    return std::binary_search(queued.begin(), queued.end(), p.number);
  });
  if (waiting != 0)
    print_now(fmt::format("{} points wait or run already (squeue); they are not submitted again\n",
                          with_separators(waiting)));
  if (points.empty())
    return print_now(fmt::format("no {}point is open; nothing is submitted\n", waiting == 0 ? "" : "other "));
  const SlurmJobs jobs = submit(folder, points, request);
  print_now(fmt::format(
      "submitted {} points as {} tasks: job{} {}\n`tokencycle sweep {} -o {} --status` counts results, "
      "--collect writes the table\n",
      with_separators(points.size()), with_separators(jobs.tasks), jobs.ids.size() == 1 ? "" : "s",
      fmt::join(jobs.ids, ", "), parser.require("plan"), folder.path().string()));
}

// What is there, and what a cluster still has.
void print_status(const SweepFolder& folder, const std::vector<Point>& points) {
  print_now(fmt::format("points   {}\n", counts_text(count(folder, points))));
  std::size_t waiting = 0;
  try {
    const std::vector<std::uint64_t> queued = queued_points(folder);
    waiting = static_cast<std::size_t>(std::count_if(points.begin(), points.end(), [&](const Point& p) {
      return std::binary_search(queued.begin(), queued.end(), p.number) &&
             folder.state(p) == SweepFolder::State::open;
    }));
  } catch (const IoError& error) {  // seen from elsewhere: the results are there all the same
    fmt::print(stderr, "tokencycle: {}\n", error.what());
    return;
  }
  if (waiting != 0)
    print_now(fmt::format("slurm    {} of the open points wait or run\n", with_separators(waiting)));
}

}  // namespace

ExitCode sweep_command(const Arguments& arguments) {
  OptionParser parser = sweep_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const std::string file = parser.require("plan");
  if (parser.has("report")) explore::sweep_js();  // refused where the program has no page: before the runs
  const std::string text = host::read_text(file);
  const SweepPlan plan = explore::parse_plan(text, file);
  const SweepFolder folder(folder_of(parser));
  const std::vector<Point> points = chosen(parser, explore::points_of(plan));
  const unsigned jobs = parser.jobs();
  CheckedPoints checked;
  if (parser.get<bool>("status") || parser.get<bool>("collect")) {
    if (!std::filesystem::exists(folder.plan()))
      throw IoError(fmt::format("{}: no sweep has been begun in this folder", folder.path().string()));
    folder.begin(text, true);
    checked.wanted = wanted_points(plan, points).wanted;
    if (parser.get<bool>("collect")) {
      collect(parser, plan, checked.wanted, folder);
    } else {
      print_status(folder, checked.wanted);
    }
    return ExitCode::success;
  }
  if (plan.quality) host::require_file(plan.quality->file);
  checked = check_points(plan, points);
  if (parser.get<bool>("dry-run")) {
    dry_run(plan, checked);
    return ExitCode::success;
  }
  folder.begin(text, parser.get<bool>("resume"));
  if (!parser.get<bool>("quiet")) name_invalid(checked);
  keep_invalid(checked, plan, folder);
  const std::vector<Point> open = missing(parser, folder, checked);
  if (parser.get<bool>("slurm")) {
    submit_points(parser, folder, open);
    return ExitCode::success;
  }
  {
    ProgressLine line(parser.get<bool>("quiet"));
    if (!run_quality(plan, folder, runnable(checked), jobs) ||
        !run_points(plan, folder, open, jobs, [&line](const SweepProgress& p) { line.show(p); })) {
      throw Interrupted(fmt::format("interrupted; {}; the same command with --resume runs what is missing",
                                    counts_text(count(folder, checked.wanted))));
    }
  }
  if (!parser.has("points") || !parser.get<bool>("quiet")) collect(parser, plan, checked.wanted, folder);
  return ExitCode::success;
}

}  // namespace tokencycle::cli
