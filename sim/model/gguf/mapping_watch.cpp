// SPDX-License-Identifier: Apache-2.0
// A table for the whole process: signals belong to it, and a handler sees nothing else. It reads lock-free
// atomics and calls mmap, which is a bare system call here.
#include "model/gguf/mapping_watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.h"

namespace tokencycle::model {

namespace {

constexpr std::size_t kPlaces = 64;

// Addresses [begin, end) of a mapping, and the first offset of it that was read and not there.
struct Place {
  std::atomic<std::uintptr_t> begin{0}, end{0};
  std::atomic<std::uint64_t> lost{MappingWatch::kNone};
  std::atomic<bool> taken{false};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): a signal handler knows no object
std::array<Place, kPlaces> g_places;
std::atomic<std::uintptr_t> g_page{4096};
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

// Zeros from the page of `address` on, up to the end of the mapping: what follows is gone as well.
bool replace(Place& place, std::uintptr_t address) {
  const std::uintptr_t begin = place.begin, end = place.end;
  if (address < begin || address >= end) return false;
  const std::uintptr_t page = address / g_page * g_page;
  // NOLINTNEXTLINE: an address is all that a signal has
  void* const at = reinterpret_cast<void*>(page);
  if (::mmap(at, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return false;
  }
  place.lost = std::min(place.lost.load(), std::uint64_t{std::max(page, begin) - begin});
  return true;
}

extern "C" void on_lost_byte(int signal, siginfo_t* info, void*) {
  const int error = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  if (info->si_code == BUS_ADRERR) {
    for (Place& place : g_places) {
      if (!replace(place, address)) continue;
      errno = error;
      return;  // the read is tried again
    }
  }
  static_cast<void>(std::signal(signal, SIG_DFL));
  if (info->si_code <= 0)
    static_cast<void>(::raise(signal));  // it was sent; otherwise the fault raises it again
  errno = error;
}

}  // namespace

void handle_lost_bytes() {
  g_page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action {};
  action.sa_sigaction = on_lost_byte;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

MappingWatch::MappingWatch(const std::filesystem::path& path, std::span<const std::byte> bytes)
    : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (file_ < 0) throw IoError(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  for (place_ = 0; place_ < kPlaces && g_places[place_].taken.exchange(true); ++place_) {
  }
  if (place_ == kPlaces) return;
  Place& place = g_places[place_];
  place.lost = kNone;
  place.begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  place.end = place.begin + bytes.size();
}

MappingWatch::~MappingWatch() {
  ::close(file_);
  if (place_ == kPlaces) return;
  Place& place = g_places[place_];
  place.end = 0;
  place.begin = 0;
  place.taken = false;
}

std::uint64_t MappingWatch::first_lost(std::uint64_t needed) const {
  struct stat now {};
  if (::fstat(file_, &now) == 0 && static_cast<std::uint64_t>(now.st_size) < needed) {
    return static_cast<std::uint64_t>(now.st_size);
  }
  return place_ == kPlaces ? kNone : g_places[place_].lost.load();
}

}  // namespace tokencycle::model
