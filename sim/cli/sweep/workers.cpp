// SPDX-License-Identifier: Apache-2.0
#include "cli/sweep/workers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <thread>

#include "base/error.h"

namespace tokencycle::cli {
namespace {

double now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

constexpr int kNotStarted = 127;  // what shells say

// In the child: nothing but calls that are safe between fork and exec.
[[noreturn]] void become(char* const* arguments, int input, int output, int errors, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kNotStarted);  // it ended in between
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  ::execv("/proc/self/exe", arguments);
  ::_exit(kNotStarted);
}

class File {
 public:
  File(const std::filesystem::path& path, int flags)
      : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0)
      throw IoError(fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(errno)));
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

unsigned jobs_of(const OptionParser& parser) {
  if (!parser.has("jobs")) return std::max(1u, std::thread::hardware_concurrency());
  const std::uint64_t jobs = parser.unsigned_number("jobs");
  if (jobs < 1 || jobs > 4096) throw UsageError(fmt::format("--jobs is {}; it must be 1 to 4096", jobs));
  return static_cast<unsigned>(jobs);
}

Workers::~Workers() {
  stop();
}

void Workers::start(std::size_t name, const Work& work) {
  const File input("/dev/null", O_RDONLY);
  const File output(work.output, O_WRONLY | O_CREAT | O_TRUNC),
      errors(work.errors, O_WRONLY | O_CREAT | O_TRUNC);
  std::vector<std::string> texts{"tokencycle"};
  texts.insert(texts.end(), work.arguments.begin(), work.arguments.end());
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid(), process = ::fork();
  if (process == 0) become(arguments.data(), input.get(), output.get(), errors.get(), parent);
  if (process < 0)
    throw IoError(fmt::format("a process cannot be started: {}; take a smaller -j", std::strerror(errno)));
  running_.push_back({process, name, now()});
}

bool Workers::take_ended(Ended& ended) {
  for (auto r = running_.begin(); r != running_.end(); ++r) {
    int status = 0;
    if (::waitpid(r->process, &status, WNOHANG) != r->process) continue;
    ended = {r->name, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), now() - r->since};
    running_.erase(r);
    return true;
  }
  return false;
}

bool Workers::wait(double seconds, Ended& ended) {
  constexpr timespec kStep{0, 2'000'000};
  for (const double end = now() + seconds;;) {
    if (take_ended(ended)) return true;
    if (running_.empty() || now() >= end) return false;
    ::nanosleep(&kStep, nullptr);  // ends early when a child does
  }
}

void Workers::stop() {
  for (const Running& r : running_) ::kill(r.process, SIGTERM);
  Ended ended;
  while (!running_.empty()) wait(1, ended);
}

}  // namespace tokencycle::cli
