// SPDX-License-Identifier: Apache-2.0
// What a DRAM standard fixes for all its devices: commands, and the time between two of them as sums of
// parameters.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config/dram/device.h"
#include "config/dram/sum.h"

namespace tokencycle::config {

// Which bank groups a REFpb refreshes the addressed bank of.
enum class DramReach : std::uint8_t { one_group, two_groups, every_group };

struct DramStandard {
  // One row of the file; the clocks of its forms are open.
  struct Row {
    std::vector<DramConstraint> forms;  // every `before` with every `after`
    DramSum clocks;
  };
  std::string name;
  bool pseudo_channels = false;
  std::uint32_t command_buses = 1;
  std::array<DramCommandUse, kDramCommands> commands{};
  DramReach reach = DramReach::one_group;
  std::map<std::string, std::string> parameters;  // symbol, meaning
  DramSum read_first, read_last, write_first, write_last;
  bool data_clock = false;
  DramSum after_read, after_write;  // with data_clock: from a transfer to the first one that needs a sync
  std::vector<Row> constraints, at_most;
  std::string digest;  // of all values of the file

  bool exists(DramCommand c) const { return commands[static_cast<std::size_t>(c)].exists; }
};

// Throws ConfigurationError listing all that is wrong, IoError if the file cannot be read.
DramStandard read_dram_standard(const std::filesystem::path& path);

}  // namespace tokencycle::config
