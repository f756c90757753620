// SPDX-License-Identifier: Apache-2.0
// Processes of this program, several at a time: each runs one point of a sweep.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli/options.h"

namespace tokencycle::cli {

// --jobs: processes at a time; without it, one per processor. Throws UsageError.
unsigned jobs_of(const OptionParser& parser);

// A run of this program as a process of its own. It ends when this one does, however that ends (Linux).
struct Work {
  std::vector<std::string> arguments;
  std::filesystem::path output, errors;  // files that take standard output and standard error
};

class Workers {
 public:
  explicit Workers(unsigned most) : most_(most) {}
  ~Workers();  // ends what still runs
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  bool full() const { return running_.size() >= most_; }
  bool idle() const { return running_.empty(); }
  // Starts it; `name` comes back from wait(). Throws IoError.
  void start(std::size_t name, const Work& work);
  struct Ended {
    std::size_t name = 0;
    int code = 0;  // exit code, or 128 + signal
    double seconds = 0;
  };
  // Waits for the next one to end, at most about `seconds`; false: none did, or none runs.
  bool wait(double seconds, Ended& ended);
  // Asks all to end (SIGTERM) and waits for them.
  void stop();

 private:
  struct Running {
    pid_t process = 0;
    std::size_t name = 0;
    double since = 0;
  };
  bool take_ended(Ended& ended);

  unsigned most_;
  std::vector<Running> running_;
};

}  // namespace tokencycle::cli
