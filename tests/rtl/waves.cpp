// SPDX-License-Identifier: Apache-2.0
#include "rtl/waves.h"

#include <fmt/format.h>

#include <array>

#include "observe/event.h"

namespace tokencycle::rtl {

namespace {

constexpr int kColumn = 7;

std::string number_or_dot(std::int64_t value) {
  return value == Signals::kNone ? "." : std::to_string(value);
}

// "busy", "raw", "queu": observe::State in four letters.
std::string short_state(std::uint8_t state) {
  static constexpr std::array<std::string_view, observe::kStates> kShort = {
      "idle", "busy", "word", "full", "raw",  "war",  "waw",  "queu", "sbrd", "fenc", "dram",
      "rowc", "bank", "turn", "refr", "spac", "spad", "tile", "drai", "port", "halt", "dma"};
  return std::string(kShort.at(state));
}

struct Row {
  std::string_view name;
  std::string (*text)(const Signals&);
};

constexpr std::array<Row, 11> kRows = {{
    {"granted", [](const Signals& s) { return s.granted == 0 ? "." : std::to_string(s.granted); }},
    {"address", [](const Signals& s) { return s.granted == 0 ? "." : fmt::format("{:x}", s.address); }},
    {"decoded", [](const Signals& s) { return number_or_dot(s.decoded); }},
    {"word", [](const Signals& s) { return number_or_dot(s.pc); }},
    {"dispatched", [](const Signals& s) { return number_or_dot(s.dispatched); }},
    {"to unit", [](const Signals& s) { return s.unit == 0 ? "." : std::to_string(s.unit); }},
    {"retired",
     [](const Signals& s) { return s.retired.empty() ? "." : fmt::format("{}", fmt::join(s.retired, ",")); }},
    {"fetch", [](const Signals& s) { return short_state(s.fetch); }},
    {"decode",
     [](const Signals& s) {
       return s.waits_for == 0 ? short_state(s.decode)
                               : fmt::format("{}:{}", short_state(s.decode), s.waits_for - 1);
     }},
    {"dispatch", [](const Signals& s) { return short_state(s.dispatch); }},
    {"writeback", [](const Signals& s) { return short_state(s.writeback); }},
}};

}  // namespace

std::string draw_waves(std::span<const Signals> model, std::span<const Signals> rtl, std::uint64_t first) {
  std::string text = fmt::format("{:<17}", "cycle");
  for (std::size_t i = 0; i < model.size(); ++i) text += fmt::format("{:>{}}", first + i, kColumn);
  for (const Row& row : kRows) {
    std::string upper = fmt::format("\n{:<11}model ", row.name), lower = fmt::format("\n{:<11}rtl   ", "");
    std::string marks = fmt::format("\n{:<17}", "");
    bool differs = false, silent = true;
    for (std::size_t i = 0; i < model.size(); ++i) {
      const std::string m = row.text(model[i]), r = row.text(rtl[i]);
      upper += fmt::format("{:>{}}", m, kColumn);
      lower += fmt::format("{:>{}}", r, kColumn);
      marks += fmt::format("{:>{}}", m == r ? "" : "^", kColumn);
      differs = differs || m != r;
      silent = silent && m == "." && r == ".";
    }
    if (silent) continue;
    text += upper + lower + (differs ? marks : "");
  }
  return text + "\n";
}

}  // namespace tokencycle::rtl
