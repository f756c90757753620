// SPDX-License-Identifier: Apache-2.0
#include "cli/sweep/sweep_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <set>

#include "base/error.h"
#include "base/make_folder.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/machine_options.h"
#include "cli/shell_words.h"
#include "cli/sweep/workers.h"
#include "config/machine.h"
#include "explore/sweep/constraint.h"
#include "host/files.h"
#include "host/interrupt.h"

namespace tokencycle::cli {

using explore::Point;
using explore::SweepFolder;
using explore::SweepPlan;
using Json = nlohmann::ordered_json;

namespace {

// Descriptions of the machines that a plan names, with what a point sets in them.
class Machines {
 public:
  explicit Machines(const SweepPlan& plan) : plan_(plan) {}

  Json with(const explore::Settings& settings) {
    std::string name = "edge";
    for (const auto& [knob, value] : settings) {
      if (knob.name == "config" && value.is_string()) name = value.get<std::string>();
    }
    auto base = bases_.find(name);
    if (base == bases_.end()) {
      const config::Machine machine = machine_with({name});
      base = bases_.emplace(name, Json::parse(config::to_json(machine))).first;
    }
    Json machine = base->second;
    for (const auto& [knob, value] : settings) {
      if (!knob.of_machine()) continue;
      try {
        machine[Json::json_pointer(knob.name)] = value;
      } catch (const Json::exception&) {
        throw ConfigurationError(
            fmt::format("{}: '{}' is no key of machine {}; `tokencycle inspect {}` lists its keys",
                        plan_.source, knob.name, name, name));
      }
    }
    return machine;
  }

 private:
  const SweepPlan& plan_;
  std::map<std::string, Json> bases_;
};

bool wanted(const SweepPlan& plan, const explore::Settings& settings, Machines& machines) {
  if (plan.constraints.empty()) return true;
  const Json machine = machines.with(settings);
  return std::all_of(plan.constraints.begin(), plan.constraints.end(), [&](const std::string& constraint) {
    return explore::keeps(constraint, machine, settings, plan.source);
  });
}

std::string last_lines(const std::filesystem::path& file) {
  std::string text = host::read_text(file);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  constexpr std::size_t kMost = 16384;
  return text.size() > kMost ? text.substr(text.size() - kMost) : text;
}

// Files of a point under way.
struct Scratch {
  std::filesystem::path result, output, errors;
  void remove() const {
    std::error_code none;
    for (const auto& file : {result, output, errors}) std::filesystem::remove(file, none);
  }
};

class SweepRun {
 public:
  SweepRun(const SweepPlan& plan, const SweepFolder& folder, const std::vector<Point>& points, unsigned jobs)
      : plan_(plan), folder_(folder), points_(points), workers_(jobs) {
    progress_.all = points.size();
  }

  bool run(const std::function<void(const SweepProgress&)>& report) {
    const host::Interruptible interruptible;
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t next = 0; next < points_.size() || !workers_.idle();) {
      if (host::interrupted()) return stop();
      while (next < points_.size() && !workers_.full()) start(next++);
      Workers::Ended ended;
      if (workers_.wait(0.25, ended)) finish(ended);
      progress_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      report(progress_);
    }
    return true;
  }

 private:
  Scratch scratch(const Point& point) const {
    return {folder_.scratch(point, "json"), folder_.scratch(point, "out"), folder_.scratch(point, "err")};
  }

  void start(std::size_t index) {
    const Scratch files = scratch(points_[index]);
    std::vector<std::string> arguments = command_of(plan_, points_[index]);
    if (plan_.command == "gemm") {
      arguments.emplace_back("--json");
    } else {
      arguments.insert(arguments.end(),
                       {"--quiet", "--pipeline-instructions", "0", "--result", files.result.string()});
    }
    workers_.start(index, {arguments, files.output, files.errors});
  }

  // A signal says nothing about the point: it stays open.
  static bool ended_by_signal(int code) {
    return code == static_cast<int>(ExitCode::interrupted) || code == 128 + SIGINT || code == 128 + SIGTERM ||
           code == 128 + SIGHUP;
  }

  void finish(const Workers::Ended& ended) {
    const Point& point = points_[ended.name];
    const Scratch files = scratch(point);
    if (ended_by_signal(ended.code)) return files.remove();
    const auto& written = plan_.command == "gemm" ? files.output : files.result;
    if (ended.code == 0 && std::filesystem::exists(written)) {
      std::filesystem::rename(written, folder_.result(point));
      std::error_code none;
      std::filesystem::remove(folder_.failure(point), none);
      ++progress_.done;
    } else {
      host::write_text(folder_.failure(point),
                       failure_text(ended.code, last_lines(files.errors), command_of(plan_, point)));
      ++progress_.failed;
    }
    files.remove();
  }

  bool stop() {
    workers_.stop();
    for (const Point& point : points_) scratch(point).remove();
    return false;
  }

  const SweepPlan& plan_;
  const SweepFolder& folder_;
  const std::vector<Point>& points_;
  Workers workers_;
  SweepProgress progress_;
};

}  // namespace

std::vector<std::string> command_of(const SweepPlan& plan, const Point& point) {
  std::vector<std::string> arguments{plan.command};
  const auto of_point = explore::arguments_of(explore::settings_of(plan, point));
  arguments.insert(arguments.end(), of_point.begin(), of_point.end());
  return arguments;
}

std::string shell_text(const std::vector<std::string>& arguments) {
  std::string text = "tokencycle";
  for (const std::string& argument : arguments) {
    const bool plain =
        !argument.empty() &&
        argument.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=-:,@%+") == std::string::npos;
    text += ' ' + (plain ? argument : shell_quoted(argument));
  }
  return text;
}

std::string failure_text(int code, const std::string& message, const std::vector<std::string>& arguments) {
  const std::string what = message.empty() ? "no message" : message;
  return fmt::format("exit code {}: {}\n{}\n", code, what, shell_text(arguments));
}

CheckedPoints wanted_points(const SweepPlan& plan, const std::vector<Point>& points) {
  CheckedPoints checked;
  Machines machines(plan);
  for (const Point& point : points) {
    if (wanted(plan, explore::settings_of(plan, point), machines)) {
      checked.wanted.push_back(point);
    } else {
      ++checked.left_out;
    }
  }
  return checked;
}

CheckedPoints check_points(const SweepPlan& plan, const std::vector<Point>& points) {
  CheckedPoints checked = wanted_points(plan, points);
  for (const Point& point : checked.wanted) {
    std::vector<std::string> arguments = command_of(plan, point);
    arguments.erase(arguments.begin());
    arguments.emplace_back("--dry-run");
    if (plan.command == "run") arguments.emplace_back("--quiet");
    try {
      (plan.command == "gemm" ? gemm_command : run_command)(arguments);
    } catch (const Error& error) {
      checked.invalid.push_back({point, static_cast<int>(error.code()), error.what()});
    }
  }
  return checked;
}

bool run_quality(const SweepPlan& plan, const SweepFolder& folder, const std::vector<Point>& points,
                 unsigned jobs) {
  if (!plan.quality) return true;
  std::set<std::vector<std::string>> wanted;
  for (const Point& point : points) {
    std::vector<std::string> arguments = explore::quality_arguments(plan, explore::settings_of(plan, point));
    if (!std::filesystem::exists(folder.quality(arguments, "json"))) wanted.insert(std::move(arguments));
  }
  if (wanted.empty()) return true;
  make_folder(folder.path() / "quality");
  const std::vector<std::vector<std::string>> all(wanted.begin(), wanted.end());
  const auto scratch = [&](std::size_t i, const char* what) {
    return folder.quality(all[i], fmt::format("{}.{}", ::getpid(), what).c_str());
  };
  const host::Interruptible interruptible;
  Workers workers(jobs);
  for (std::size_t next = 0; next < all.size() || !workers.idle();) {
    if (host::interrupted()) {
      workers.stop();
      for (std::size_t i = 0; i < all.size(); ++i)
        Scratch{scratch(i, "out"), scratch(i, "out"), scratch(i, "err")}.remove();
      return false;
    }
    for (; next < all.size() && !workers.full(); ++next)
      workers.start(next, {all[next], scratch(next, "out"), scratch(next, "err")});
    Workers::Ended ended;
    if (!workers.wait(0.25, ended) || host::interrupted()) continue;
    const std::size_t i = ended.name;
    if (ended.code == 0) {
      std::filesystem::rename(scratch(i, "out"), folder.quality(all[i], "json"));
      std::error_code none;
      std::filesystem::remove(folder.quality(all[i], "txt"), none);
    } else {
      const std::string reason = failure_text(ended.code, last_lines(scratch(i, "err")), all[i]);
      host::write_text(folder.quality(all[i], "txt"), reason);
      fmt::print(stderr, "tokencycle: no perplexity: {}", reason);
    }
    Scratch{scratch(i, "out"), scratch(i, "out"), scratch(i, "err")}.remove();
  }
  return true;
}

bool run_points(const SweepPlan& plan, const SweepFolder& folder, const std::vector<Point>& points,
                unsigned jobs, const std::function<void(const SweepProgress&)>& progress) {
  return SweepRun(plan, folder, points, jobs).run(progress);
}

}  // namespace tokencycle::cli
