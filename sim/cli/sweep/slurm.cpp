// SPDX-License-Identifier: Apache-2.0
#include "cli/sweep/slurm.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "cli/shell_words.h"
#include "host/files.h"

namespace tokencycle::cli {

namespace fs = std::filesystem;

namespace {

// What a command prints, standard error included, and how it ends.
std::pair<std::string, int> output_of(const std::string& command) {
  std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw IoError("a shell cannot be started");
  std::string text;
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) != 0;) text.append(buffer, n);
  const int status = ::pclose(pipe);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return {text, WIFEXITED(status) ? WEXITSTATUS(status) : 128};
}

// Task numbers go to MaxArraySize - 1 (slurm.conf; 1001 where it does not say).
std::uint64_t most_tasks() {
  const std::string text = output_of("scontrol show config").first;
  const std::size_t key = text.find("MaxArraySize");
  const std::size_t digits = key == std::string::npos ? key : text.find_first_of("0123456789", key);
  std::uint64_t size = 0;
  if (digits != std::string::npos) std::from_chars(text.data() + digits, text.data() + text.size(), size);
  return size >= 1 ? size : 1001;
}

// A folder of its own for each submission.
fs::path new_folder(const explore::SweepFolder& folder) {
  for (int n = 1;; ++n) {
    fs::path path = folder.path() / "slurm" / std::to_string(n);
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (fs::create_directory(path, error)) return fs::absolute(path);
    if (error)
      throw IoError(fmt::format("{}: this folder cannot be made: {}", path.string(), error.message()));
  }
}

std::string script_of(const explore::SweepFolder& folder, const fs::path& own) {
  const std::string sweep = fs::absolute(folder.path()).string();
  return fmt::format(
      "#!/bin/bash\n"
      "# Written by tokencycle sweep --slurm. TOKENCYCLE_FIRST: the first task of this array.\n"
      "points=$(sed -n \"$((SLURM_ARRAY_TASK_ID + TOKENCYCLE_FIRST + 1))p\" {})\n"
      "exec {} sweep {} -o {} --resume --quiet -j 1 --points \"$points\"\n",
      shell_quoted((own / "tasks").string()), shell_quoted(fs::read_symlink("/proc/self/exe").string()),
      shell_quoted(sweep + "/plan.json"), shell_quoted(sweep));
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

SlurmJobs submit(const explore::SweepFolder& folder, const std::vector<explore::Point>& points,
                 const SlurmRequest& request) {
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
  for (std::uint64_t first = 0; first < jobs.tasks; first += most) {
    const std::uint64_t last = std::min(first + most, jobs.tasks) - 1 - first;
    std::string command = fmt::format(
        "sbatch --parsable --requeue --job-name=tokencycle --array=0-{} --export=ALL,TOKENCYCLE_FIRST={} "
        "--output={}",
        last, first, shell_quoted((own / "%A_%a.txt").string()));
    for (const std::string& argument : request.extra) command += " " + shell_quoted(argument);
    const auto [text, code] = output_of(command + " " + shell_quoted((own / "job.sh").string()));
    if (code != 0) {
      throw IoError(fmt::format(
          "sbatch refused the job array: {}{}",
          code == 127 ? "it is not installed here" : printable(text, 400),
          jobs.ids.empty() ? "" : fmt::format("; submitted before it: {}", fmt::join(jobs.ids, ", "))));
    }
    jobs.ids.push_back(text.substr(0, text.find(';')));
    host::write_text(own / "jobs", fmt::format("{}\n", fmt::join(jobs.ids, "\n")));
  }
  return jobs;
}

}  // namespace tokencycle::cli
