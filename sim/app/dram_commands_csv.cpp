// SPDX-License-Identifier: Apache-2.0
#include "app/dram_commands_csv.h"

#include <fmt/compile.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "app/command.h"
#include "base/text.h"
#include "memory/dram_banks.h"

namespace tokencycle::app {

using config::DramCommand;

namespace {

constexpr std::size_t kBufferBytes = 1 << 16;

bool is_activation(DramCommand c) {
  return c == DramCommand::activate || c == DramCommand::activate_first;
}
bool is_transfer(DramCommand c) {
  return c == DramCommand::read || c == DramCommand::read_auto || c == DramCommand::write ||
         c == DramCommand::write_auto;
}

}  // namespace

DramCommandsCsv::DramCommandsCsv(const std::filesystem::path& path, const config::DramDevice& device)
    : path_(path),
      temporary_(fmt::format("{}.{}.tmp", path.string(), ::getpid())),
      groups_(device.bank_groups),
      banks_(device.banks) {
  check_writable(path);
  errno = 0;
  // T: as it is, without compression.
  file_ = gzopen(temporary_.c_str(), path.string().ends_with(".gz") ? "wb" : "wbT");
  if (file_ == nullptr) fail("cannot be created");
  // An interrupt waits until the temporary file is gone.
  sigemptyset(&held_);
  sigaddset(&held_, SIGINT);
  sigaddset(&held_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &held_, &before_);
  buffer_ = "clock,command,channel,rank,bank_group,bank,row,column\n";
}

DramCommandsCsv::~DramCommandsCsv() {
  if (file_ != nullptr) {
    gzclose(file_);
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void DramCommandsCsv::fail(const char* what) const {
  throw IoError(
      fmt::format("{}: {}: {}; nothing was left there", path_.string(), what, std::strerror(errno)));
}

void DramCommandsCsv::commanded(std::uint32_t channel, const memory::DramCommandRecord& r) {
  ++commands_;
  const auto out = std::back_inserter(buffer_);
  const std::uint32_t group = r.bank / banks_;  // of the channel
  fmt::format_to(out, FMT_COMPILE("{},{},{},{}"), r.clock, config::name_of(r.command), channel,
                 group / groups_);
  if (memory::DramBanks::whole_rank(r.command)) {
    buffer_ += ",,,,\n";
  } else {
    fmt::format_to(out, FMT_COMPILE(",{},{}"), group % groups_, r.bank % banks_);
    if (is_transfer(r.command)) {
      fmt::format_to(out, FMT_COMPILE(",{},{}\n"), r.row, r.column);
    } else if (is_activation(r.command)) {
      fmt::format_to(out, FMT_COMPILE(",{},\n"), r.row);
    } else {
      buffer_ += ",,\n";
    }
  }
  if (buffer_.size() < kBufferBytes) return;
  write_buffer();
  end_if_interrupted();
}

void DramCommandsCsv::write_buffer() {
  errno = 0;
  if (!buffer_.empty() && gzwrite(file_, buffer_.data(), static_cast<unsigned>(buffer_.size())) <= 0) {
    fail("cannot be written");
  }
  buffer_.clear();
}

void DramCommandsCsv::end_if_interrupted() const {
  const timespec at_once{};
  if (sigtimedwait(&held_, nullptr, &at_once) < 0) return;
  throw Error(ExitCode::interrupted, fmt::format("interrupted after {} commands; nothing was left at {}",
                                                 with_separators(commands_), path_.string()));
}

void DramCommandsCsv::finish() {
  write_buffer();
  end_if_interrupted();
  errno = 0;
  gzFile_s* const file = std::exchange(file_, nullptr);
  const bool closed = gzclose(file) == Z_OK;
  if (closed && std::rename(temporary_.c_str(), path_.c_str()) == 0) return;
  const int reason = errno;
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
  errno = reason;
  fail(closed ? "cannot be put in place" : "cannot be written");
}

}  // namespace tokencycle::app
