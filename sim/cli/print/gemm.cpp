// SPDX-License-Identifier: Apache-2.0
#include "cli/print/gemm.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/text.h"

namespace tokencycle::cli {

namespace {

using Json = nlohmann::ordered_json;
using observe::State;

constexpr std::size_t kNameWidth = 14;

// The longest stall of the matrix unit, or what it does instead.
std::string longest_wait(const host::GemmRun& run) {
  std::size_t longest = 0;
  for (std::size_t s = 0; s < run.matrix.size(); ++s) {
    const auto state = static_cast<State>(s);
    if (state == State::busy || state == State::halted) continue;
    if (run.matrix[s] > run.matrix[longest]) longest = s;
  }
  // The states of all matrix units are in the sums, and each is in one state in every cycle.
  const auto all = std::accumulate(run.matrix.begin(), run.matrix.end(), std::uint64_t{0});
  const double share = 100.0 * static_cast<double>(run.matrix[longest]) / static_cast<double>(all);
  return fmt::format("{} {:.0f} %", observe::name_of(static_cast<State>(longest)), share);
}

// Names longer than their column lose their middle, in whole UTF-8 characters.
std::string fitted(const std::string& name) {
  if (name.size() <= kNameWidth) return name;
  std::size_t head = kNameWidth / 2 - 1, tail = name.size() - (kNameWidth - head - 2);
  const auto inside = [&name](std::size_t i) { return i < name.size() && (name[i] & 0xC0) == 0x80; };
  while (head > 0 && inside(head)) --head;
  while (inside(tail)) ++tail;
  return name.substr(0, head) + ".." + name.substr(tail);
}

std::string columns(const std::string& name, const std::string& shape, const std::string& array,
                    const std::string& used, const std::string& mapped) {
  return fmt::format("{:<{}} {:>17} {:>13} {:>6} {:>6}", fitted(name), kNameWidth, shape, array, used,
                     mapped);
}

std::string run_columns(const std::string& cycles, const std::string& used, const std::string& wait) {
  return fmt::format(" {:>13} {:>6}  {}", cycles, used, wait);
}

std::string text_of(double percentage) {
  return fmt::format("{:.1f}", percentage);
}

Json states_json(const host::GemmRun& run) {
  Json states = Json::object();
  for (std::size_t s = 0; s < run.matrix.size(); ++s) {
    if (run.matrix[s] != 0) states[std::string(observe::name_of(static_cast<State>(s)))] = run.matrix[s];
  }
  return states;
}

Json run_json(const config::Machine& machine, const host::GemmReport& report) {
  const host::GemmRun& run = *report.run;
  Json stack = Json::object();
  for (std::size_t c = 0; c < run.stack.size(); ++c) {
    stack[std::string(observe::name_of(static_cast<observe::Cause>(c)))] = run.stack[c];
  }
  return {{"cycles", run.cycles},
          {"utilisation_percent", report.utilisation_percent(machine, run.cycles)},
          {"stack", stack},
          {"matrix", states_json(run)},
          {"instructions", run.instructions},
          {"program_words", run.words},
          {"dram_bytes",
           {{"loaded", run.loaded_bytes}, {"stored", run.stored_bytes}, {"instructions", run.word_bytes}}},
          {"values_checked", run.checked}};
}

Json layer_json(const config::Machine& machine, const host::GemmReport& report) {
  const host::GemmShape& s = report.layer.shape;
  const host::GemmArray& array = report.array;
  Json layer = {{"name", report.layer.name},
                {"m", s.m},
                {"n", s.n},
                {"k", s.k},
                {"multiply_accumulates", s.multiplications()},
                {"array_alone",
                 {{"cycles", array.cycles},
                  {"scale_sim_cycles", array.cycles - 1},
                  {"folds", array.folds},
                  {"utilisation_percent", report.utilisation_percent(machine, array.cycles)},
                  {"mapping_efficiency_percent", report.mapping_percent(machine)}}}};
  if (report.run) layer["end_to_end"] = run_json(machine, report);
  return layer;
}

}  // namespace

std::string gemm_heading(const config::Machine& machine, const host::GemmOptions& options) {
  const config::Matrix& m = machine.matrix;
  std::string out =
      fmt::format("machine  {}: {}{} x {} {} array{} at {:g} GHz{}{}\n", machine.name,
                  m.units == 1 ? "" : fmt::format("{} of ", m.units), m.rows, m.columns,
                  config::name_of(m.dataflow), m.units == 1 ? "" : "s", machine.clock_ghz,
                  m.double_buffered ? ", double-buffered" : "", m.back_to_back ? ", back to back" : "");
  out += fmt::format("product  Y[m][n] = sum of X[m][k] W[k][n] in {}; {}\n\n", options.type.name,
                     options.array_alone   ? "the array alone"
                     : options.timing_only ? "timing only"
                                           : "every value is checked");
  out += columns("layer", "M x N x K", "array alone", "used %", "map %");
  if (!options.array_alone) out += run_columns("end to end", "used %", "matrix unit waits");
  return out + "\n";
}

std::string gemm_line(const config::Machine& machine, const host::GemmReport& report) {
  const host::GemmShape& s = report.layer.shape;
  std::string out = columns(report.layer.name, fmt::format("{} x {} x {}", s.m, s.n, s.k),
                            with_separators(report.array.cycles),
                            text_of(report.utilisation_percent(machine, report.array.cycles)),
                            text_of(report.mapping_percent(machine)));
  if (report.run) {
    out += run_columns(with_separators(report.run->cycles),
                       text_of(report.utilisation_percent(machine, report.run->cycles)),
                       longest_wait(*report.run));
  }
  return out + "\n";
}

std::string gemm_totals(const config::Machine& machine, const std::vector<host::GemmReport>& reports) {
  std::uint64_t array = 0, run = 0, checked = 0;
  double work = 0;
  for (const host::GemmReport& r : reports) {
    array += r.array.cycles;
    work += static_cast<double>(r.layer.shape.multiplications()) * r.step;
    if (!r.run) continue;
    run += r.run->cycles;
    checked += r.run->checked;
  }
  const double cells = machine.matrix.cells();
  const auto used = [&](std::uint64_t cycles) {
    return text_of(cycles == 0 ? 0.0 : 100.0 * work / (static_cast<double>(cycles) * cells));
  };
  std::string out;
  if (reports.size() > 1) {
    out += columns("total", "", with_separators(array), used(array), "");
    if (run != 0) out += run_columns(with_separators(run), used(run), "");
    while (out.ends_with(' ')) out.pop_back();
    out += "\n";
  }
  out +=
      "\nused: multiply-accumulates of all that the cells could do in the time; map: cells used in a fold\n";
  if (checked != 0) out += fmt::format("{} values equal the reference's.\n", with_separators(checked));
  return out;
}

Json gemm_json(const config::Machine& machine, const host::GemmOptions& options,
               const std::vector<host::GemmReport>& reports) {
  Json layers = Json::array();
  for (const host::GemmReport& r : reports) layers.push_back(layer_json(machine, r));
  return {{"schema", "tokencycle-gemm-1"},
          {"version", TOKENCYCLE_VERSION},
          {"configuration",
           {{"name", machine.name},
            {"digest", machine.digest},
            {"values", Json::parse(config::to_json(machine))}}},
          {"type", options.type.name},
          {"timing_only", options.timing_only},
          {"seed", options.seed},
          {"layers", layers}};
}

}  // namespace tokencycle::cli
