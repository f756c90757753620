// SPDX-License-Identifier: Apache-2.0
#include "cli/sweep/slurm.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/make_folder.h"
#include "base/text.h"
#include "cli/scratch_folder.h"
#include "cli/shell_words.h"
#include "host/files.h"

namespace tokencycle::cli {

namespace fs = std::filesystem;

namespace {

constexpr int kNotFound = 127;  // what shells say of a program that is not there

struct Printed {
  std::string out;     // without the last newline
  std::string errors;  // of the shell, too
  int code = 0;
};

// Runs a command. Its standard error is apart: clusters print notices there.
Printed output_of(const std::string& command) {
  const ScratchFolder scratch;
  const std::string errors = scratch.file(0, "err").string();
  Printed printed;
  std::FILE* const pipe = ::popen((command + " 2>" + shell_quoted(errors)).c_str(), "r");
  if (pipe != nullptr) {
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) != 0;)
      printed.out.append(buffer, n);
    const int status = ::pclose(pipe);
    printed.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    printed.errors = host::read_text(errors);
  }
  if (pipe == nullptr) throw IoError("a shell cannot be started");
  for (std::string* text : {&printed.out, &printed.errors})
    while (!text->empty() && text->back() == '\n') text->pop_back();
  return printed;
}

std::string refusal(const Printed& printed) {
  if (printed.code == kNotFound) return "it is not installed here";
  return printable(printed.errors.empty() ? fmt::format("exit code {}", printed.code) : printed.errors, 400);
}

// Task numbers go to MaxArraySize - 1 (slurm.conf; 1001 where it does not say).
std::uint64_t most_tasks() {
  const std::string text = output_of("scontrol show config").out;
  const std::size_t key = text.find("MaxArraySize");
  const std::size_t digits = key == std::string::npos ? key : text.find_first_of("0123456789", key);
  std::uint64_t size = 0;
  if (digits != std::string::npos) std::from_chars(text.data() + digits, text.data() + text.size(), size);
  return size >= 1 ? size : 1001;
}

fs::path submissions(const explore::SweepFolder& folder) {
  return folder.path() / "slurm";
}

// A folder of its own for each submission.
fs::path new_folder(const explore::SweepFolder& folder) {
  make_folder(submissions(folder));
  for (int n = 1;; ++n) {
    const fs::path path = submissions(folder) / std::to_string(n);
    std::error_code error;
    if (fs::create_directory(path, error)) return fs::absolute(path);
    if (error)
      throw IoError(fmt::format("{}: this folder cannot be made: {}", path.string(), error.message()));
  }
}

// In sbatch's patterns for names of files % begins a field.
std::string without_fields(std::string name) {
  for (std::size_t at = 0; (at = name.find('%', at)) != std::string::npos; at += 2) name.insert(at, 1, '%');
  return name;
}

std::string script_of(const explore::SweepFolder& folder, const fs::path& own) {
  const std::string sweep = fs::absolute(folder.path()).string();
  return fmt::format(
      "#!/bin/bash\n"
      "# Written by tokencycle sweep --slurm. $1: the line of the first task's points, from 0.\n"
      "points=$(sed -n \"$((SLURM_ARRAY_TASK_ID + $1 + 1))p\" {})\n"
      "exec {} sweep {} -o {} --resume --quiet -j \"${{SLURM_CPUS_PER_TASK:-1}}\" --points \"$points\"\n",
      shell_quoted((own / "tasks").string()), shell_quoted(fs::read_symlink("/proc/self/exe").string()),
      shell_quoted(sweep + "/plan.json"), shell_quoted(sweep));
}

// What sbatch is told by the sweep itself.
void refuse_own_arguments(const std::vector<std::string>& extra) {
  for (const std::string& argument : extra) {
    for (const char* own : {"--array", "-a", "--wrap", "--parsable"}) {
      if (argument.rfind(own, 0) == 0)
        throw UsageError(fmt::format(
            "--sbatch={}: the sweep sets this itself; leave it out (--points and --chunk choose the tasks)",
            argument));
    }
    if (argument.empty() || argument.front() != '-')
      throw UsageError(fmt::format(
          "--sbatch={}: it must be one option of sbatch, as in --sbatch=--time=1:00:00", argument));
  }
}

// An array that was submitted, as the file `jobs` of a submission has it, one per line.
struct Array {
  std::string id;
  std::uint64_t first = 0;  // line of its first task's points
};

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::istringstream text(host::read_text(file));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// The tasks that wait or run: arrays' ids and numbers in them.
std::set<std::pair<std::string, std::uint64_t>> tasks_in_queue() {
  const Printed printed = output_of("squeue --noheader --array --format='%F %K' --name=tokencycle");
  if (printed.code != 0)
    throw IoError(fmt::format("squeue does not say what waits or runs: {}", refusal(printed)));
  std::set<std::pair<std::string, std::uint64_t>> tasks;
  std::istringstream text(printed.out);
  std::string id;
  for (std::uint64_t number = 0; text >> id >> number;) tasks.emplace(id, number);
  return tasks;
}

}  // namespace

std::string ranges_text(const std::vector<std::uint64_t>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    if (!text.empty()) text += ',';
    text += end == i + 1 ? std::to_string(numbers[i]) : fmt::format("{}-{}", numbers[i], numbers[end - 1]);
    i = end;
  }
  return text;
}

std::vector<std::uint64_t> ranges_of(const std::string& text) {
  std::set<std::uint64_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto refuse = [&text] {
    throw UsageError(fmt::format("--points is '{}'; it must be numbers and ranges such as 3-7,9", text));
  };
  const auto number = [&] {
    std::uint64_t value = 0;
    const auto [rest, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value == 0 || value > explore::kMostPoints) refuse();
    at = rest;
    return value;
  };
  for (;;) {
    const std::uint64_t first = number();
    std::uint64_t last = first;
    if (at != end && *at == '-') {
      ++at;
      last = number();
    }
    if (last < first) refuse();
    for (std::uint64_t n = first; n <= last; ++n) numbers.insert(n);
    if (at == end) return {numbers.begin(), numbers.end()};
    if (*at++ != ',') refuse();
  }
}

std::vector<std::uint64_t> queued_points(const explore::SweepFolder& folder) {
  std::set<std::uint64_t> points;
  std::error_code error;
  std::set<std::pair<std::string, std::uint64_t>> tasks;
  bool asked = false;
  for (const auto& entry : fs::directory_iterator(submissions(folder), error)) {
    if (!fs::exists(entry.path() / "jobs")) continue;  // sbatch has refused it
    if (!asked) tasks = tasks_in_queue();
    asked = true;
    if (tasks.empty()) break;
    const std::vector<std::string> lines = lines_of(entry.path() / "tasks");
    for (const std::string& line : lines_of(entry.path() / "jobs")) {
      Array array;
      std::istringstream(line) >> array.id >> array.first;
      for (auto t = tasks.lower_bound({array.id, 0}); t != tasks.end() && t->first == array.id; ++t) {
        if (array.first + t->second >= lines.size()) continue;  // of another cluster
        for (const std::uint64_t point : ranges_of(lines[array.first + t->second])) points.insert(point);
      }
    }
  }
  return {points.begin(), points.end()};
}

SlurmJobs submit(const explore::SweepFolder& folder, const std::vector<explore::Point>& points,
                 const SlurmRequest& request) {
  refuse_own_arguments(request.extra);
  const fs::path own = new_folder(folder);
  std::string tasks;
  SlurmJobs jobs;
  jobs.folder = own.string();
  for (std::size_t i = 0; i < points.size(); i += request.chunk, ++jobs.tasks) {
    std::vector<std::uint64_t> numbers;
    for (std::size_t k = i; k < std::min<std::size_t>(i + request.chunk, points.size()); ++k)
      numbers.push_back(points[k].number);
    tasks += ranges_text(numbers) + "\n";
  }
  host::write_text(own / "tasks", tasks);
  host::write_text(own / "job.sh", script_of(folder, own));
  const std::uint64_t most = most_tasks();
  std::string arrays;
  for (std::uint64_t first = 0; first < jobs.tasks; first += most) {
    const std::uint64_t last = std::min(first + most, jobs.tasks) - 1 - first;
    std::string command =
        fmt::format("sbatch --parsable --requeue --job-name=tokencycle --array=0-{} --output={}", last,
                    shell_quoted(without_fields(own.string()) + "/%A_%a.txt"));
    for (const std::string& argument : request.extra) command += " " + shell_quoted(argument);
    const Printed printed =
        output_of(fmt::format("{} {} {}", command, shell_quoted((own / "job.sh").string()), first));
    if (printed.code != 0) {
      throw IoError(fmt::format("sbatch refused the job array: {}{}", refusal(printed),
                                jobs.ids.empty()
                                    ? ""
                                    : fmt::format("; submitted before it: {}; the same command with --resume "
                                                  "submits the rest",
                                                  fmt::join(jobs.ids, ", "))));
    }
    jobs.ids.push_back(printed.out.substr(0, printed.out.find(';')));
    arrays += fmt::format("{} {}\n", jobs.ids.back(), first);
    host::write_text(own / "jobs", arrays);
  }
  return jobs;
}

}  // namespace tokencycle::cli
