// SPDX-License-Identifier: Apache-2.0
// A preset with its standard becomes a DramDevice.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/digest.h"
#include "base/error.h"
#include "config/dram/device.h"
#include "config/dram/energy.h"
#include "config/dram/json.h"
#include "config/dram/rules.h"
#include "config/dram/standard.h"
#include "config/dram/timing.h"
#include "config/json_text.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostSumClocks = 1 << 28;  // of a sum

// The standard's file: its name in lower case, letters and digits only, so that it names no other folder.
DramStandard standard_of(JsonObject& preset, const std::filesystem::path& folder) {
  const std::string name = preset.take_text("standard", 32).value_or("");
  std::string file;
  bool plain = !name.empty();
  for (const char c : name) {
    plain = plain && std::isalnum(static_cast<unsigned char>(c)) != 0;
    file += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  const auto known = dram_presets(folder);
  if (!plain || std::find(known.begin(), known.end(), file) == known.end()) {
    preset.complain("standard", fmt::format("no standard \"{}\" in {}; {}", escaped(name), folder.string(),
                                            suggest(file, known)));
    preset.violations().throw_if_any();
  }
  DramStandard standard = read_dram_standard(folder / (file + ".json"));
  if (standard.name != name) {
    preset.complain("standard", fmt::format("\"{}\", but that file describes \"{}\"; write it the same way",
                                            name, escaped(standard.name)));
  }
  return standard;
}

class DeviceReader {
 public:
  DeviceReader(const Json& tree, const std::filesystem::path& path, Violations& violations)
      : path_(path), violations_(violations), preset_(&tree, "", violations) {}

  DramDevice read(const std::string& digest) {
    static constexpr std::array<std::string_view, 1> kSchema = {"tokencycle-dram-1"};
    preset_.take_choice("schema", kSchema);
    device_.name = preset_.take_text("name", 64).value_or("");
    device_.description = preset_.take_text("description", kLongestText).value_or("");
    standard_ = standard_of(preset_, path_.parent_path() / "standards");
    const DramClocking clock = read_clocking(preset_);
    const DramOrganization organization = read_organization(preset_);
    JsonObject refresh = preset_.take_object("refresh");
    std::map<std::string, std::string> places;
    device_.clocks = read_times(preset_, refresh, standard_, clock, places);
    device_.postponable = static_cast<std::uint32_t>(
        refresh.take_whole("postponable", {0, kMostPostponed, "refreshes"}).value_or(0));
    refresh.take_text("postponable_source", kLongestText);
    refresh.finish();
    read_sources();
    const bool organized = !violations_.concerns("/clock") && !violations_.concerns("/organization");
    if (organized) check_organization(organization, standard_, clock, violations_);
    const bool timed = device_.clocks.size() == places.size();
    if (timed) check_times(device_.clocks, places, violations_);
    set_organization(clock, organization);
    if (timed) set_times(clock, organization, places);
    device_.energy = read_dram_energy(preset_, device_,
                                      {static_cast<std::uint32_t>(organization.device_width_bits),
                                       static_cast<std::uint32_t>(organization.devices_per_rank),
                                       static_cast<std::uint32_t>(organization.devices())},
                                      device_.energy_reason);
    preset_.finish();
    violations_.throw_if_any();
    const std::string both = digest + standard_.digest;
    device_.digest = digest_of(std::as_bytes(std::span(both)));
    return device_;
  }

 private:
  void read_sources() {
    JsonObject sources = preset_.take_object("sources");
    for (const std::string& name : sources.take_names()) sources.take_text(name, kLongestText);
  }

  void set_organization(const DramClocking& clock, const DramOrganization& o) {
    device_.standard = standard_.name;
    device_.tck_ps = clock.tck_ps;
    device_.data_rate_mt_s = clock.data_rate_mt_s;
    device_.channel_bits = static_cast<std::uint32_t>(o.channel_width_bits);
    device_.pseudo_channels = standard_.pseudo_channels;
    device_.ranks = static_cast<std::uint32_t>(o.ranks);
    device_.stacks = static_cast<std::uint32_t>(o.stack_ids);
    device_.bank_groups = static_cast<std::uint32_t>(o.bank_groups);
    device_.banks = static_cast<std::uint32_t>(o.banks_per_group);
    device_.rows = static_cast<std::uint32_t>(o.rows);
    device_.bursts = static_cast<std::uint32_t>(o.columns / o.burst_length);
    device_.burst_bytes = static_cast<std::uint32_t>(o.burst_bytes);
    device_.command_buses = standard_.command_buses;
    device_.commands = standard_.commands;
    device_.refresh_reach = standard_.reach == DramReach::every_group  ? device_.bank_groups
                            : standard_.reach == DramReach::two_groups ? std::min(2u, device_.bank_groups)
                                                                       : 1;
  }

  void set_times(const DramClocking& clock, const DramOrganization& o,
                 const std::map<std::string, std::string>& places) {
    device_.burst_clocks = device_.clocks.at("nBL");
    if (std::uint64_t{device_.burst_clocks} * clock.beats_per_clock != o.burst_length) {
      violations_.add(places.at("nBL"),
                      fmt::format("{} clocks of {} beats are not burst_length {}", device_.burst_clocks,
                                  clock.beats_per_clock, o.burst_length));
    }
    device_.read_first = time_of(standard_.read_first, "read_first", 1);
    device_.read_latency = time_of(standard_.read_last, "read_last", device_.read_first + 1);
    device_.write_first = time_of(standard_.write_first, "write_first", 1);
    device_.write_latency = time_of(standard_.write_last, "write_last", device_.write_first + 1);
    if (standard_.data_clock) {
      // From a transfer to the first one that needs a sync; the sync stands for a transfer right behind it.
      device_.sync_by_sync_read = time_of(standard_.after_read, "after_read", 2);
      device_.sync_by_sync_write = time_of(standard_.after_write, "after_write", 2);
      const std::uint32_t clocks =
          standard_.commands[static_cast<std::size_t>(DramCommand::sync_read)].clocks;
      device_.sync_by_read = device_.sync_by_sync_read - clocks;
      device_.sync_by_write = device_.sync_by_sync_write - clocks;
    }
    device_.constraints = constraints_of(standard_.constraints);
    device_.at_most = constraints_of(standard_.at_most);
    set_refresh(places);
  }

  void set_refresh(const std::map<std::string, std::string>& places) {
    device_.refresh_interval = device_.clocks.at("nREFI");
    if (!standard_.exists(DramCommand::refresh_bank)) return;
    device_.bank_refresh_interval = device_.clocks.at("nREFIpb");
    const std::uint64_t commands = device_.banks_of_rank() / device_.refresh_reach;
    if (commands * device_.bank_refresh_interval > device_.refresh_interval) {
      violations_.add(
          places.at("nREFIpb"),
          fmt::format("{} clocks; {} REFpb for all banks would take longer than nREFI, {} clocks; allowed: "
                      "at most {}",
                      device_.bank_refresh_interval, commands, device_.refresh_interval,
                      device_.refresh_interval / commands));
    }
  }

  // A sum that must give at least `least` clocks.
  std::uint32_t time_of(const DramSum& sum, const char* what, std::int64_t least) {
    const std::int64_t value = sum.value(device_.clocks);
    if (value >= least && value <= kMostSumClocks) return static_cast<std::uint32_t>(value);
    violations_.add("/timing", fmt::format("{} of {}, {}, is {} clocks; allowed: {} .. {}", what,
                                           standard_.name, sum.text, value, least, kMostSumClocks));
    return static_cast<std::uint32_t>(least);
  }

  // Sums below 1 constrain nothing: commands of a channel are a clock apart anyway.
  std::vector<DramConstraint> constraints_of(const std::vector<DramStandard::Row>& rows) const {
    std::vector<DramConstraint> result;
    for (const auto& row : rows) {
      const std::int64_t value = row.clocks.value(device_.clocks);
      if (value < 1) continue;
      for (DramConstraint c : row.forms) {
        c.clocks = static_cast<std::uint32_t>(value);  // at most 16 terms below 2^24
        result.push_back(c);
      }
    }
    return result;
  }

  const std::filesystem::path& path_;
  Violations& violations_;
  JsonObject preset_;
  DramDevice device_;
  DramStandard standard_;
};

}  // namespace

DramDevice read_dram_device(const std::filesystem::path& path) {
  Violations violations(path.string());
  const Json tree = parse_text(read_dram_text(path), violations);
  return DeviceReader(tree, path, violations).read(json_digest(tree));
}

}  // namespace tokencycle::config
