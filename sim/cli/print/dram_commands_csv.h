// SPDX-License-Identifier: Apache-2.0
// A DRAM's commands as a CSV file, written while they are given.
#pragma once

#include <filesystem>
#include <string>

#include "host/interrupt.h"
#include "memory/dram/replay.h"
#include "observe/trace_file.h"

namespace tokencycle::cli {

// Lines "clock,command,channel,rank,bank_group,bank,row,column"; a command leaves empty what it does not
// address. The file is gzipped if its name ends in .gz. It is written under a temporary name in the same
// folder: without finish() nothing stays, also when the user interrupts the program.
class DramCommandsCsv : public memory::DramCommandSink {
 public:
  // Throws IoError.
  DramCommandsCsv(const std::filesystem::path& path, const config::DramDevice& device);

  // Throws IoError.
  void commanded(std::uint32_t channel, const memory::DramCommandRecord& record) override;
  // Puts the file in its place. Throws IoError.
  void finish();

 private:
  host::TemporaryFile temporary_;
  observe::TraceFile file_;
  std::uint32_t groups_, banks_;
  std::string buffer_;  // lines for the file
};

}  // namespace tokencycle::cli
