// SPDX-License-Identifier: Apache-2.0
#include "app/dram_commands_csv.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>
#include <limits>

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

}  // namespace

DramCommandsCsv::DramCommandsCsv(const std::filesystem::path& path, const config::DramDevice& device)
    : file_((check_writable(path), path), std::numeric_limits<std::uint64_t>::max()),
      groups_(device.bank_groups),
      banks_(device.banks) {
  // An interrupt waits until the temporary file is gone.
  sigemptyset(&held_);
  sigaddset(&held_, SIGINT);
  sigaddset(&held_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &held_, &before_);
  buffer_ = "clock,command,channel,rank,bank_group,bank,row,column\n";
}

DramCommandsCsv::~DramCommandsCsv() {
  file_.discard();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
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
    if (memory::is_transfer(r.command)) {
      fmt::format_to(out, FMT_COMPILE(",{},{}\n"), r.row, r.column);
    } else if (is_activation(r.command)) {
      fmt::format_to(out, FMT_COMPILE(",{},\n"), r.row);
    } else {
      buffer_ += ",,\n";
    }
  }
  if (buffer_.size() < kBufferBytes) return;
  file_.write(buffer_);
  buffer_.clear();
  end_if_interrupted();
}

void DramCommandsCsv::end_if_interrupted() const {
  const timespec at_once{};
  if (sigtimedwait(&held_, nullptr, &at_once) < 0) return;
  throw Error(ExitCode::interrupted, fmt::format("interrupted after {} commands; nothing was left at {}",
                                                 with_separators(commands_), file_.path().string()));
}

void DramCommandsCsv::finish() {
  file_.write(buffer_);
  end_if_interrupted();
  file_.commit();
}

}  // namespace tokencycle::app
