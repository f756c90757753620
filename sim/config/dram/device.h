// SPDX-License-Identifier: Apache-2.0
// A DRAM device as data: its organisation, its commands and the constraints between them, in clocks.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tokencycle::config {

inline constexpr std::uint32_t kMostPostponed = 64;  // refreshes that a preset may allow to be owed

// What a controller can say. Two-part activations use activate_first before activate; sync_read and
// sync_write start a data clock that must run before a transfer (LPDDR5's CAS with WCK2CK synchronisation).
enum class DramCommand : std::uint8_t {
  activate_first,
  activate,
  precharge,
  precharge_all,
  read,
  read_auto,  // with auto-precharge
  write,
  write_auto,
  sync_read,
  sync_write,
  refresh_all,
  refresh_bank,
};
inline constexpr int kDramCommands = 12;
std::string_view name_of(DramCommand c);  // as in the files: "ACT1", "ACT", "PRE", "PREA", "RD", "RDA", ...
bool dram_command_from_name(std::string_view name, DramCommand& out);

// Where two commands meet: they address the same node of this level. From the widest to the narrowest; stack:
// the dies of a rank that share a stack ID (HBM3 of eight dies and more).
enum class DramLevel : std::uint8_t { channel, rank, stack, bank_group, bank };
inline constexpr int kDramLevels = 5;
std::string_view name_of(DramLevel level);

// From the first clock of the `window`-th last `before` to the first clock of `after` at the same node pass
// at least `clocks`; with `other`, of a `before` of another rank of the channel, or another stack of the
// rank.
struct DramConstraint {
  DramLevel level = DramLevel::bank;
  DramCommand before = DramCommand::activate, after = DramCommand::activate;
  std::uint32_t clocks = 0, window = 1;
  bool other = false;
  std::string formula, section;  // of the standard
};

// How a command uses the command buses. Its time is its first clock; the constraints' clocks count from there
// to the first clock of the other one.
struct DramCommandUse {
  bool exists = false;
  std::uint8_t bus = 0;
  std::uint8_t clocks = 1;
};

// currents: formed from a data sheet's limits. per_command: published energies. average: one energy of a bit
// with everything in it, so that only reads and writes have one.
enum class DramEnergyForm : std::uint8_t { currents, per_command, average };

// Energies of one channel above its standby, and that standby. dram_energy.cpp has the formulas.
struct DramEnergy {
  DramEnergyForm form = DramEnergyForm::currents;
  // Per command: an activation with its precharge, a burst, a refresh of a rank, a REFpb.
  double activate_pj = 0, read_pj = 0, write_pj = 0, refresh_all_pj = 0, refresh_bank_pj = 0;
  double standby_mw = 0;    // of the channel with all its ranks and no bank open
  double open_bank_mw = 0;  // that each open bank adds
  // What real devices take, as factors of these figures.
  double low = 1, typical = 1, high = 1;
  std::string source;
};

struct DramDevice {
  std::string name, standard, description;
  std::uint64_t tck_ps = 0;                  // period of the command clock
  std::uint32_t data_rate_mt_s = 0;          // transfers a second and pin, millions
  std::uint32_t channel_bits = 0;            // data pins of a channel, of all its pseudo-channels
  bool pseudo_channels = false;              // ranks are pseudo-channels: each has its share of the pins
  std::uint32_t ranks = 1, stacks = 1;       // stacks (stack IDs) a rank
  std::uint32_t bank_groups = 1, banks = 1;  // bank groups a stack, banks a group
  std::uint32_t rows = 0, bursts = 0;        // rows a bank, bursts a row
  std::uint32_t burst_bytes = 0;
  std::uint32_t command_buses = 1;
  std::array<DramCommandUse, kDramCommands> commands{};
  std::vector<DramConstraint> constraints;
  std::vector<DramConstraint> at_most;  // `after` comes no later than `clocks` after `before`
  // REFpb refreshes the same bank of this many groups: those g with equal g modulo bank_groups /
  // refresh_reach.
  std::uint32_t refresh_reach = 1;
  std::map<std::string, std::uint32_t> clocks;  // every parameter of the standard
  // From the first clock of a transfer's command to the first clock of its data, and to the end of its last.
  std::uint32_t read_first = 0, read_latency = 0;
  std::uint32_t write_first = 0, write_latency = 0;
  std::uint32_t burst_clocks = 0;  // that a burst takes on the data bus
  // A rank's transfer that begins up to so many clocks after the command needs no sync; all 0: no such clock.
  std::uint32_t sync_by_read = 0, sync_by_write = 0, sync_by_sync_read = 0, sync_by_sync_write = 0;
  std::uint32_t refresh_interval = 0;       // of all-bank refreshes, clocks
  std::uint32_t bank_refresh_interval = 0;  // of per-bank refreshes of one rank; 0: none
  std::uint32_t postponable = 0;            // refreshes that may be owed
  std::optional<DramEnergy> energy;
  std::string energy_reason;  // why there is none
  std::string digest;         // of all values of the preset's and the standard's file

  bool exists(DramCommand c) const { return commands[static_cast<std::size_t>(c)].exists; }
  std::uint32_t groups_of_rank() const { return stacks * bank_groups; }
  std::uint32_t banks_of_rank() const { return groups_of_rank() * banks; }
  std::uint32_t banks_of_channel() const { return ranks * banks_of_rank(); }
  std::uint64_t channel_bytes() const {
    return std::uint64_t{banks_of_channel()} * rows * bursts * burst_bytes;
  }
  // Of a channel, in 10^9 bytes a second; by tck_ps, so up to 0.3 % off data_rate_mt_s x channel_bits.
  double peak_gb_per_s() const;
};

// Reads a preset and its standard (standards/<name>.json in the preset's folder). Throws ConfigurationError
// listing all that is wrong with either file, IoError if one cannot be read. configs/dram/README.md: the
// form.
DramDevice read_dram_device(const std::filesystem::path& path);

// The presets of a folder by name, sorted; empty if there is no such folder.
std::vector<std::string> dram_presets(const std::filesystem::path& folder);
// The file of the preset `name`. Throws ConfigurationError naming the nearest if there is none.
std::filesystem::path find_dram_preset(const std::filesystem::path& folder, const std::string& name);

}  // namespace tokencycle::config
