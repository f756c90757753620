// SPDX-License-Identifier: Apache-2.0
// Runs the built program as a user does.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/synthetic_model.h"

namespace tokencycle::test {

struct Outcome {
  int exit_code = 0;  // 128 + the signal's number where one ended the program
  std::string out, err;
};

using Environment = std::vector<std::pair<std::string, std::string>>;  // added to this process's

// The program while it runs. Its standard output goes to `out` (a file descriptor), if there is one.
class Launched {
 public:
  explicit Launched(const std::vector<std::string>& arguments, const Environment& environment = {},
                    int out = -1, const char* program = TOKENCYCLE_BINARY, const char* input = "/dev/null");
  ~Launched();
  Launched(const Launched&) = delete;
  Launched& operator=(const Launched&) = delete;

  void signal(int number) const;
  Outcome wait();  // for its end

 private:
  struct Files;
  std::unique_ptr<Files> files_;
  int child_ = 0;  // 0: its end has been waited for
};

// Runs TOKENCYCLE_BINARY with an empty standard input and waits for its end.
Outcome launch(const std::vector<std::string>& arguments, const Environment& environment = {});

// The same with a text as standard input.
Outcome launch_reading(const std::string& input, const std::vector<std::string>& arguments);

// What the command prints with --json, which is added; requires that it succeeds.
nlohmann::json launch_json(std::vector<std::string> arguments);

// An empty folder that is removed with the object.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  // Writes a file there and returns its path.
  std::string file(const std::string& name, const std::string& contents) const;
  // A random model of the shape, and a machine of configs/ with `changes` merged into it.
  std::string model(const SyntheticModel& spec = {.matrices = Format::q8_0}) const;
  std::string machine(const std::string& base, const nlohmann::json& changes) const;
  bool empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::filesystem::path path_;
};

std::string contents_of(const std::filesystem::path& path);

// Whether a temporary file of the program lies there.
bool temporary_left(const Scratch& scratch);
void wait(double seconds);
// How much slower the program is here than in a release build, at most.
#ifdef __SANITIZE_ADDRESS__
inline constexpr double kSlower = 8;
#else
inline constexpr double kSlower = 1;
#endif
nlohmann::json json_of(const std::filesystem::path& path);

}  // namespace tokencycle::test
