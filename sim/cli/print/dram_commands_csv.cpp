// SPDX-License-Identifier: Apache-2.0
#include "cli/print/dram_commands_csv.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>
#include <limits>

#include "memory/dram/banks.h"

namespace tokencycle::cli {

using config::DramCommand;

namespace {

constexpr std::size_t kBufferBytes = 1 << 16;

bool is_activation(DramCommand c) {
  return c == DramCommand::activate || c == DramCommand::activate_first;
}

}  // namespace

DramCommandsCsv::DramCommandsCsv(const std::filesystem::path& path, const config::DramDevice& device)
    : temporary_(observe::temporary_name(path)),
      file_(path, std::numeric_limits<std::uint64_t>::max()),
      groups_(device.groups_of_rank()),
      banks_(device.banks),
      buffer_("clock,command,channel,rank,bank_group,bank,row,column\n") {}

void DramCommandsCsv::commanded(std::uint32_t channel, const memory::DramCommandRecord& r) {
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
}

void DramCommandsCsv::finish() {
  file_.write(buffer_);
  file_.commit();
}

}  // namespace tokencycle::cli
