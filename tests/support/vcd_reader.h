// SPDX-License-Identifier: Apache-2.0
// Reads value change dumps strictly: of what IEEE 1364 allows, only what a writer without slack would write.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tokencycle::test {

struct VcdChange {
  std::uint64_t time = 0;
  std::string value;  // binary digits or the text
  bool operator==(const VcdChange&) const = default;
};

struct VcdSignal {
  bool text = false;
  std::uint32_t bits = 0;
  std::vector<VcdChange> changes;

  // The value at a time, "" before the first change.
  std::string at(std::uint64_t time) const;
};

struct VcdDump {
  std::vector<std::string> comments;
  std::string timescale;
  std::map<std::string, VcdSignal> signals;        // by dotted path
  std::uint64_t changes = 0, first = 0, last = 0;  // times
};

struct VcdRules {
  // As this project's writer does; GTKWave's fst2vcd pads with zeros, and the first values come in any order.
  bool no_leading_zeros = true;
};

// Throws std::runtime_error (line, rule) for: keywords out of place; scopes that are not closed, or entered
// twice; paths or identifier codes that come twice; times that do not grow; the first values not in one
// $dumpvars with all signals; values of unknown signals, of the wrong kind, too wide or with leading zeros;
// two values of one signal at a time; values that are no change.
VcdDump read_vcd(const std::string& text, const VcdRules& rules = {});

}  // namespace tokencycle::test
