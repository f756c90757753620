// SPDX-License-Identifier: Apache-2.0
// Global state (the other is model/mapping_watch.cpp's): signals belong to the process, and a handler sees
// nothing else. It calls async-signal-safe functions alone and reads lock-free atomics.
#include "host/interrupt.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <new>

#include "base/error.h"

namespace tokencycle::host {

namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};
constexpr std::size_t kFiles = 256;

// A signal may come twice at once: `timeout` sends it to the process, then to its group.
constexpr std::int64_t kOneSignalNs = 100'000'000;

// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): a signal handler knows no object
std::atomic<bool> g_interrupted{false};
std::atomic<std::int64_t> g_first_ns{0};  // when
std::atomic<int> g_waiting{0};            // Interruptibles that live
std::array<std::atomic<const char*>, kFiles> g_files{};
std::atomic<const char*> g_restore{nullptr};  // ends in a zero
std::atomic<std::uint32_t> g_changes{0};
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free &&
              std::atomic<const char*>::is_always_lock_free);

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void write_error(const char* text) {
  for (std::size_t left = std::strlen(text); left > 0;) {
    const ssize_t n = ::write(STDERR_FILENO, text, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text += n;
    left -= static_cast<std::size_t>(n);
  }
}

// What would be half-written goes, and the terminal is put in order.
void clean_up() {
  for (const auto& file : g_files) {
    const char* path = file;
    if (path != nullptr) ::unlink(path);
  }
  if (const char* restore = g_restore; restore != nullptr) {
    write_error(restore);
    write_error("\n");
  }
}

// A library's destructor may ask for memory (that of nlohmann/json does, for a list of what it destroys), and
// nothing can catch what it then throws.
[[noreturn]] void on_terminate() {
  try {
    if (const std::exception_ptr error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    clean_up();
    write_error("tokencycle: ");
    write_error(kOutOfMemory);
    write_error("\n");
    ::_exit(static_cast<int>(ExitCode::simulation));
  } catch (...) {
  }
  std::abort();
}

extern "C" void on_interrupt(int) {
  const int error = errno;
  const std::int64_t now = now_ns();
  const bool again = g_interrupted.exchange(true);
  if (!again) g_first_ns = now;
  if (g_waiting > 0 && (!again || now - g_first_ns < kOneSignalNs)) {
    errno = error;
    return;
  }
  clean_up();
  write_error(again ? "tokencycle: interrupted twice; files that were not complete are gone\n"
                    : "tokencycle: interrupted; nothing was kept\n");
  ::_exit(static_cast<int>(ExitCode::interrupted));
}

extern "C" void on_window_change(int) {
  ++g_changes;
}

extern "C" void on_stop(int) {
  const int error = errno;
  if (const char* restore = g_restore; restore != nullptr) write_error(restore);
  static_cast<void>(::raise(SIGSTOP));
  ++g_changes;  // and continues here
  errno = error;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction now {};
  if (sigaction(signal, nullptr, &now) != 0 || now.sa_handler == SIG_IGN) return;
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;  // writes continue where they were
  sigaction(signal, &action, nullptr);
}

}  // namespace

void handle_interrupts() {
  for (const int signal : kSignals) handle(signal, on_interrupt);
}

Interruptible::Interruptible() {
  ++g_waiting;
}
Interruptible::~Interruptible() {
  --g_waiting;
}
void handle_terminate() {
  std::set_terminate(on_terminate);
}
bool interrupted() {
  return g_interrupted.load(std::memory_order_relaxed);
}

std::string kept_text(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) text += (text.empty() ? "kept: " : ", ") + file;
  return text.empty() ? "nothing was kept" : text;
}

TemporaryFile::TemporaryFile(const std::filesystem::path& path) : path_(path.string()) {
  for (place_ = 0; place_ < kFiles; ++place_) {
    const char* empty = nullptr;
    if (g_files[place_].compare_exchange_strong(empty, path_.c_str())) return;
  }
  place_ = kNone;
}
TemporaryFile::~TemporaryFile() {
  if (place_ != kNone) g_files[place_] = nullptr;
}

TerminalInUse::TerminalInUse(std::string_view restore) {
  g_restore = restore.data();
  handle(SIGWINCH, on_window_change);
  handle(SIGTSTP, on_stop);
}
TerminalInUse::~TerminalInUse() {
  g_restore = nullptr;
  for (const int signal : {SIGWINCH, SIGTSTP}) {
    struct sigaction now {};
    if (sigaction(signal, nullptr, &now) == 0 && now.sa_handler != SIG_IGN)
      static_cast<void>(std::signal(signal, SIG_DFL));
  }
}
std::uint32_t TerminalInUse::changes() {
  return g_changes;
}

}  // namespace tokencycle::host
