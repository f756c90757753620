// SPDX-License-Identifier: Apache-2.0
#include "machine_text.h"

#include "base/error.h"

namespace tokencycle::config {
namespace {

Json all_but_dram() {
  return Json::parse(R"({
    "schema": "tokencycle-machine-1", "name": "sample", "description": "For tests.", "technology": "7nm", "clock_ghz": 1.25,
    "cores": 3, "fetch": {"buffer_words": 48, "requests_in_flight": 3},
    "scoreboard": {"entries": 20},
    "dispatch": {"queue_depth": 6},
    "dma": {"engines": 2, "load_bursts_in_flight": 24, "store_bursts_in_flight": 12, "port_bytes": 32,
            "bursts_per_cycle": 3},
    "matrix": {"units": 3, "dataflow": "weight-stationary", "rows": 16, "columns": 24, "double_buffered": false,
               "back_to_back": false, "stationary_port_bytes": 28, "moving_port_bytes": 36,
               "scale_latency_cycles": 5, "group_buffer_rows": 40,
               "cycles_per_row": {"int8": 1, "int4": 2, "fp16": 3, "bf16": 4, "fp32": 6},
               "decode": {"fields": {"values_per_cycle": 33, "latency_cycles": 1},
                          "packed_scales": {"values_per_cycle": 34, "latency_cycles": 2},
                          "table": {"values_per_cycle": 35, "latency_cycles": 3}},
               "tiling": {"m": 7, "n": 9, "k": 13}},
    "vector": {"units": 4, "lanes": 16, "functions": {
      "add": {"cycles_per_beat": 1, "latency_cycles": 11}, "mul": {"cycles_per_beat": 2, "latency_cycles": 12},
      "copy": {"cycles_per_beat": 3, "latency_cycles": 13}, "convert": {"cycles_per_beat": 4, "latency_cycles": 14},
      "quantize": {"cycles_per_beat": 5, "latency_cycles": 15}, "exp": {"cycles_per_beat": 6, "latency_cycles": 16},
      "divide": {"cycles_per_beat": 7, "latency_cycles": 17}, "reduce": {"cycles_per_beat": 8, "latency_cycles": 18},
      "rotary": {"cycles_per_beat": 9, "latency_cycles": 19}}},
    "scratchpad": {"capacity_kib": 96, "banks": 8, "bank_bytes": 16, "read_latency_cycles": 2,
                   "separate_write_port": true},
    "accumulator": {"capacity_kib": 10},
    "writeback": {"ports": 4},
    "dram": {}, "watchdog_cycles": 123456})");
}

constexpr const char* kIdeal = R"({
  "model": "ideal", "channels": 2, "capacity_mib": 300, "channel_gb_per_s": 12.8, "latency_ns": 45.5,
  "burst_bytes": 128, "requests_in_flight": 70})";

// Requests of up to eight bursts of 32 bytes stay in one channel.
constexpr const char* kCommands = R"({
  "model": "commands",
  "system": {"preset": "lpddr5-6400", "channels": 4,
             "mapping": ["column:3", "channel:2", "bank_group:2", "column:3", "bank:2", "row:15"],
             "xor": [{"field": "bank", "with": "row"}], "scheduler": "fr-fcfs-cap", "row_hit_cap": 9,
             "page_policy": "adaptive", "refresh": "per-bank", "postpone": 3, "read_queue": 17, "write_queue": 18,
             "activated_queue": 19, "write_high": 0.75, "write_low": 0.25},
  "channel_gb_per_s": 12.8, "latency_ns": 45.5, "burst_bytes": 128, "requests_in_flight": 70})";

}  // namespace

Json complete(DramModel model) {
  Json tree = all_but_dram();
  tree["dram"] = Json::parse(model == DramModel::ideal ? kIdeal : kCommands);
  return tree;
}

std::vector<Key> keys_of(DramModel model) {
  std::vector<Key> keys;
  for (const Field& f : fields()) {
    if (!f.only_with || *f.only_with == model) keys.push_back({f, model});
  }
  return keys;
}

std::vector<Key> keys_of_all_models() {
  std::vector<Key> keys = keys_of(DramModel::ideal);
  for (const Key& key : keys_of(DramModel::commands)) {
    if (key.field.path.starts_with("/dram/")) keys.push_back(key);
  }
  return keys;
}

std::string errors_of_text(const std::string& text) {
  try {
    parse_machine(text, "sample.json", kConfigs);
  } catch (const ConfigurationError& e) {
    return e.what();
  }
  return "";
}

}  // namespace tokencycle::config
