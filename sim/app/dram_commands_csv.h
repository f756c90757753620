// SPDX-License-Identifier: Apache-2.0
// A DRAM's commands as a CSV file, written while they are given.
#pragma once

#include <csignal>
#include <filesystem>
#include <string>

#include "memory/dram_replay.h"
#include "observe/trace_file.h"

namespace tokencycle::app {

// Lines "clock,command,channel,rank,bank_group,bank,row,column"; a command leaves empty what it does not
// address. The file is gzipped if its name ends in .gz. It is written under a temporary name in the same
// folder: without finish() nothing stays, also when the user interrupts the program.
class DramCommandsCsv : public memory::DramCommandSink {
 public:
  // Throws IoError.
  DramCommandsCsv(const std::filesystem::path& path, const config::DramDevice& device);
  ~DramCommandsCsv() override;
  DramCommandsCsv(const DramCommandsCsv&) = delete;
  DramCommandsCsv& operator=(const DramCommandsCsv&) = delete;

  // Throws IoError, and Error with ExitCode::interrupted after an interrupt or a request to end.
  void commanded(std::uint32_t channel, const memory::DramCommandRecord& record) override;
  // Puts the file in its place. Throws IoError.
  void finish();
  std::uint64_t commands() const { return commands_; }

 private:
  void end_if_interrupted() const;

  observe::TraceFile file_;
  std::uint32_t groups_, banks_;
  std::string buffer_;  // lines for the file
  std::uint64_t commands_ = 0;
  sigset_t held_{}, before_{};  // signals held back while the file is open; the mask to return to
};

}  // namespace tokencycle::app
