// SPDX-License-Identifier: Apache-2.0
// Machine descriptions as JSON trees, to change one value at a time.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "config/machine.h"

namespace tokencycle::config {

using Json = nlohmann::ordered_json;

// A valid description in which every key is present and every number differs from its neighbours'.
inline Json complete() {
  return Json::parse(R"({
    "schema": "tokencycle-machine-1", "name": "sample", "description": "For tests.", "clock_ghz": 1.25,
    "fetch": {"buffer_words": 48, "requests_in_flight": 3},
    "scoreboard": {"entries": 20},
    "dispatch": {"queue_depth": 6},
    "dma": {"load_bursts_in_flight": 24, "store_bursts_in_flight": 12, "port_bytes": 32},
    "matrix": {"dataflow": "weight-stationary", "rows": 16, "columns": 24, "double_buffered": false,
               "back_to_back": false, "stationary_port_bytes": 28, "moving_port_bytes": 36,
               "scale_latency_cycles": 5, "group_buffer_rows": 40,
               "cycles_per_row": {"int8": 1, "int4": 2, "fp16": 3, "bf16": 4, "fp32": 6},
               "tiling": {"m": 7, "n": 9, "k": 13}},
    "vector": {"lanes": 16, "functions": {
      "add": {"cycles_per_beat": 1, "latency_cycles": 11}, "mul": {"cycles_per_beat": 2, "latency_cycles": 12},
      "copy": {"cycles_per_beat": 3, "latency_cycles": 13}, "convert": {"cycles_per_beat": 4, "latency_cycles": 14},
      "quantize": {"cycles_per_beat": 5, "latency_cycles": 15}, "exp": {"cycles_per_beat": 6, "latency_cycles": 16},
      "divide": {"cycles_per_beat": 7, "latency_cycles": 17}, "reduce": {"cycles_per_beat": 8, "latency_cycles": 18},
      "rotary": {"cycles_per_beat": 9, "latency_cycles": 19}}},
    "scratchpad": {"capacity_kib": 96, "banks": 8, "bank_bytes": 16, "read_latency_cycles": 2,
                   "separate_write_port": true},
    "accumulator": {"capacity_kib": 10},
    "writeback": {"ports": 4},
    "dram": {"model": "ideal", "channels": 2, "capacity_mib": 300, "channel_gb_per_s": 12.8, "latency_ns": 45.5,
             "burst_bytes": 128, "requests_in_flight": 70},
    "watchdog_cycles": 123456})");
}

inline Json::json_pointer at(const std::string& path) {
  return Json::json_pointer(path);
}

inline Json with(const std::string& path, const Json& value) {
  Json tree = complete();
  tree[at(path)] = value;
  return tree;
}

inline Json without(const std::string& path) {
  Json tree = complete();
  const auto pointer = at(path);
  tree[pointer.parent_pointer()].erase(pointer.back());
  return tree;
}

inline Machine parse(const Json& tree) {
  return parse_machine(tree.dump(), "sample.json");
}

// What is wrong with a text or tree; empty when nothing is. Errors of another kind pass through.
std::string errors_of_text(const std::string& text);
inline std::string errors(const Json& tree) {
  return errors_of_text(tree.dump());
}

}  // namespace tokencycle::config
