// SPDX-License-Identifier: Apache-2.0
#include "config/dram/system_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "config/dram/mapping.h"

namespace tokencycle::config {
namespace {

constexpr WholeRange kQueue{1, 4096, "requests"};
constexpr std::uint64_t kMostPlaces = 65536;  // of all banks' queues of a channel

// The preset's file. Of a path (it ends in .json): from the description's folder. A name that no folder has
// is reported.
std::optional<std::filesystem::path> preset_path(const JsonObject& object, const std::string& preset,
                                                 const DramFolders& folders) {
  std::vector<std::filesystem::path> places = {folders.beside.empty() ? "." : folders.beside};
  if (preset.ends_with(".json")) return places[0] / preset;
  places.insert(places.end(), folders.presets.begin(), folders.presets.end());
  std::vector<std::string> searched, known;
  for (const std::filesystem::path& place : places) {
    if (std::find(searched.begin(), searched.end(), place.string()) != searched.end()) continue;
    const auto names = dram_presets(place);
    if (std::find(names.begin(), names.end(), preset) != names.end()) return place / (preset + ".json");
    searched.push_back(place.string());
    if (!names.empty()) known = names;  // the last folder's: beside a machine there are other machines
  }
  object.complain("preset",
                  fmt::format("no DRAM preset \"{}\" in {}; {} Or give a path that ends in .json",
                              escaped(shortened(preset)), fmt::join(searched, ", "), suggest(preset, known)));
  return {};
}

class SystemReader {
 public:
  // `start` has the name and the description, which are not among these keys.
  SystemReader(JsonObject& object, const DramSystem& start) : file_(object), system_(start) {}

  // Without a readable preset what does not depend on it.
  bool read(const DramFolders& folders, std::uint32_t request_bytes, DramSystem& system) {
    known_ = read_preset(folders);
    take("channels", system_.channels, {1, 1024, "channels"});
    if (known_) {
      const std::uint32_t bursts = std::max(1u, request_bytes / system_.device.burst_bytes);
      system_.mapping = read_mapping(file_, system_, bursts);
      system_.hashes = read_hashes(file_, system_);
    } else {
      for (const char* const name : {"mapping", "xor"}) file_.take(name, "an array", Need::optional);
    }
    read_policies();
    read_queues();
    file_.finish();
    system = system_;
    return known_;
  }

 private:
  bool read_preset(const DramFolders& folders) {
    const auto preset = file_.take_text("preset", 4096);
    if (!preset) return false;
    const auto path = preset_path(file_, *preset, folders);
    if (!path) return false;
    system_.preset = *preset;
    try {
      system_.device = read_dram_device(*path);
    } catch (const ConfigurationError& error) {
      file_.complain("preset", error.what());
      return false;
    }
    return true;
  }

  void take(const char* name, std::uint32_t& out, const WholeRange& range) {
    out = static_cast<std::uint32_t>(file_.take_whole(name, range, Need::optional).value_or(out));
  }

  void take(const char* name, double& out, const RealRange& range) {
    out = file_.take_real(name, range, Need::optional).value_or(out) + 0.0;  // -0 and 0 are one value
  }

  template <typename Enum>
  void take(const char* name, Enum& out, std::span<const std::string_view> choices) {
    if (const auto c = file_.take_choice(name, choices, Need::optional)) out = static_cast<Enum>(*c);
  }

  void read_policies() {
    take("scheduler", system_.scheduler, kDramSchedulers);
    take("row_hit_cap", system_.row_hit_cap, {1, 1000000, "row hits"});
    if (file_.has("row_hit_cap") && system_.scheduler != DramScheduler::fr_fcfs_cap &&
        !file_.violations().concerns(file_.path_of("scheduler"))) {
      file_.complain("row_hit_cap",
                     "only the scheduler \"fr-fcfs-cap\" has a cap; choose it or remove this key");
    }
    take("page_policy", system_.page_policy, kDramPagePolicies);
    take("refresh", system_.refresh, kDramRefreshes);
    if (known_ && system_.refresh == DramRefresh::per_bank &&
        !system_.device.exists(DramCommand::refresh_bank)) {
      file_.complain("refresh",
                     fmt::format("\"per-bank\" is not allowed: {} has no command REFpb; allowed: \"none\", "
                                 "\"all-bank\"",
                                 escaped(system_.device.standard)));
    }
    const std::uint32_t postponable = known_ ? system_.device.postponable : kMostPostponed;
    take("postpone", system_.postpone, {0, postponable, "refreshes, as the preset allows"});
    if (system_.postpone > 0 && system_.refresh == DramRefresh::none) {
      file_.complain("postpone", "there is no refresh to postpone; remove it or choose another \"refresh\"");
    }
  }

  void read_queues() {
    take("queue_of", system_.queue_of, kDramQueueOf);
    const std::uint32_t queues =
        known_ && system_.queue_of == DramQueueOf::bank ? system_.device.banks_of_channel() : 1;
    const WholeRange range{1, std::max<std::uint64_t>(1, std::min(kQueue.max, kMostPlaces / queues)),
                           kQueue.unit};
    take("read_queue", system_.read_queue, range);
    take("write_queue", system_.write_queue, range);
    take("activated_queue", system_.activated_queue, kQueue);
    constexpr RealRange kShare{0, 1, "of the write queue"};
    take("write_high", system_.write_high, kShare);
    take("write_low", system_.write_low, kShare);
    const bool wrong = file_.violations().concerns(file_.path_of("write_high")) ||
                       file_.violations().concerns(file_.path_of("write_low"));
    if (!wrong && system_.write_low >= system_.write_high) {
      file_.complain("write_low",
                     fmt::format("{} is not below write_high, {}; draining of writes ends at it and "
                                 "begins at write_high",
                                 system_.write_low, system_.write_high));
    }
  }

  JsonObject& file_;
  DramSystem system_;
  bool known_ = false;  // the device
};

}  // namespace

bool read_system_object(JsonObject& object, const DramFolders& folders, std::uint32_t request_bytes,
                        DramSystem& system) {
  return SystemReader(object, system).read(folders, request_bytes, system);
}

nlohmann::ordered_json system_object(const DramSystem& s) {
  using Json = nlohmann::ordered_json;
  Json json = {{"preset", s.preset}, {"channels", s.channels}, {"mapping", Json::array()}};
  for (const DramAddressPart& p : s.mapping)
    json["mapping"].push_back(fmt::format("{}:{}", name_of(p.field), p.bits));
  for (const DramAddressHash& h : s.hashes) {
    Json pair = {{"field", std::string(name_of(h.field))}, {"with", std::string(name_of(h.with))}};
    if (h.shift != 0) pair["shift"] = h.shift;
    json["xor"].push_back(pair);
  }
  json["scheduler"] = name_of(s.scheduler);
  if (s.scheduler == DramScheduler::fr_fcfs_cap) json["row_hit_cap"] = s.row_hit_cap;
  json["page_policy"] = name_of(s.page_policy);
  json["refresh"] = name_of(s.refresh);
  if (s.refresh != DramRefresh::none) json["postpone"] = s.postpone;
  if (s.queue_of == DramQueueOf::bank) json["queue_of"] = "bank";
  json["read_queue"] = s.read_queue;
  json["write_queue"] = s.write_queue;
  json["activated_queue"] = s.activated_queue;
  json["write_high"] = s.write_high;
  json["write_low"] = s.write_low;
  return json;
}

}  // namespace tokencycle::config
