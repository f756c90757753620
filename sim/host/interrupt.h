// SPDX-License-Identifier: Apache-2.0
// What signals do: end the process at once and cleanly, or ask a run to end early and keep what it has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tokencycle::host {

// Takes over SIGINT, SIGTERM and SIGHUP, those that are not ignored (nohup, background jobs). A signal that
// nobody waits for ends the process with exit code 130: temporary files are removed, the terminal is put in
// order, and a line on standard error says so. Called once, by main.
void handle_interrupts();

// Where memory ran out in a destructor, the process ends as where it ran out elsewhere: what is half-written
// is removed, kOutOfMemory is written, and the exit code is 6. Called once, by main.
void handle_terminate();
inline constexpr const char* kOutOfMemory = "out of memory: use a smaller model, context or machine";

// While one lives, the first signal is remembered and only another one, 0.1 s later or more, ends the
// process. Its owner asks interrupted() many times a second.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
};
bool interrupted();  // a signal has come; one load

// "kept: a, b", or "nothing was kept": the end of what an interrupted run says.
std::string kept_text(const std::vector<std::string>& files);

// A file that is removed if the process ends at once. There is room for 256; more are not remembered.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& path);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::string path_;  // the handler has a pointer to its characters: no object moves
  std::size_t place_ = kNone;
};

// While one lives, standard error's terminal has a part set aside. `restore` is written to it, and must live
// as long, when the process ends at once or is stopped (Ctrl-Z).
class TerminalInUse {
 public:
  explicit TerminalInUse(std::string_view restore);
  ~TerminalInUse();
  TerminalInUse(const TerminalInUse&) = delete;
  TerminalInUse& operator=(const TerminalInUse&) = delete;
  // Changes with each change of the window's size and each return from a stop.
  static std::uint32_t changes();
};

}  // namespace tokencycle::host
