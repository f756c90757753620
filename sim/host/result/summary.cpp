// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "config/dram/system.h"
#include "host/result/machine_energy.h"
#include "host/result/result.h"

namespace tokencycle::host {

namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

// A bar of 40 characters for 100 %, with a space before it; nothing for less than half a character.
std::string bar(double percentage) {
  std::string text;
  for (long i = 0; i < std::lround(percentage / 2.5); ++i) text += i == 0 ? " █" : "█";
  return text;
}

std::string model_line(const model::LlamaModel& model) {
  const model::Hyperparameters& h = model.shape();
  const std::string experts =
      h.experts == 0 ? "" : fmt::format("{} experts ({} for a token), ", h.experts, h.experts_used);
  const std::string heads =
      h.heads == 0 ? "" : fmt::format("{} heads ({} for keys and values), ", h.heads, h.kv_heads);
  return fmt::format("{}: {}, {} layer{} of width {}, {}{}{}",
                     h.name.empty() ? model.file().path().filename().string() : h.name, h.architecture,
                     h.layers, h.layers == 1 ? "" : "s", h.width, heads, experts,
                     bytes_text(model.file().data_start() + model.file().data_bytes()));
}

std::string machine_line(const config::Machine& m) {
  const std::string memory =
      m.dram.system ? fmt::format("{} x {}", m.dram.channels, m.dram.system->device.name) : "ideal DRAM";
  return fmt::format("{}: {} x {} {} array at {:g} GHz, {} scratchpad, {}, {:g} GB/s", m.name, m.matrix.rows,
                     m.matrix.columns, config::name_of(m.matrix.dataflow), m.clock_ghz,
                     bytes_text(m.scratchpad.capacity_bytes), memory, m.peak_dram_gb_per_s());
}

std::vector<std::uint64_t> decode_cycles(const RunReport& report) {
  std::vector<std::uint64_t> cycles;
  for (const TokenReport& t : report.tokens) {
    if (t.phase == "decode") cycles.push_back(t.cycles());
  }
  std::sort(cycles.begin(), cycles.end());
  return cycles;
}

// What stands for a text.
std::string timing_line(const model::LlamaModel& model, const RunReport& report, const Inference& inference) {
  const std::string experts = inference.experts_source();
  return fmt::format(
      "values   none: cycles alone, shapes from the {} in {}; ids of the prompt: {}; of new tokens: {}{}\n",
      shapes_source(model), name_of(model.matrix_format()), report.prompt_source, report.token_source,
      experts.empty() ? "" : "; experts: " + experts);
}

// Rates of whole phases: a step makes as many tokens as sequences are left.
void add_speed_of_several(std::string& out, const config::Machine& machine, const RunReport& report) {
  out += fmt::format("cycles of {} sequences\n  all prompts     {:>14}   ({} prompt tokens)\n",
                     report.sequences.size(), with_separators(report.tokens.front().cycles()),
                     report.prompt_count());
  const std::vector<std::uint64_t> cycles = decode_cycles(report);
  if (cycles.empty()) return;
  const std::uint64_t all = std::accumulate(cycles.begin(), cycles.end(), std::uint64_t{0});
  const double per_second = machine.clock_ghz * 1e9 / static_cast<double>(all);
  const auto tokens = static_cast<double>(report.decode_count()), steps = static_cast<double>(cycles.size());
  out += fmt::format(
      "  step, median    {:>14}   {} tokens/s in all, {} of each at {:g} GHz\n"
      "  step, max       {:>14}\n",
      with_separators(cycles[(cycles.size() - 1) / 2]), rate_text(tokens * per_second),
      rate_text(steps * per_second), machine.clock_ghz, with_separators(cycles.back()));
}

void add_speed(std::string& out, const config::Machine& machine, const RunReport& report) {
  if (report.tokens.empty()) {
    out += fmt::format("cycles          {:>14}   of an unfinished first token\n",
                       with_separators(report.total_cycles()));
    return;
  }
  if (report.sequences.size() > 1) return add_speed_of_several(out, machine, report);
  out += fmt::format("cycles per token\n  first token     {:>14}   ({} prompt tokens)\n",
                     with_separators(report.tokens.front().cycles()), report.prompt_count());
  const std::vector<std::uint64_t> cycles = decode_cycles(report);
  if (cycles.empty()) return;
  const std::uint64_t median = cycles[(cycles.size() - 1) / 2];
  const double tokens_per_second = machine.clock_ghz * 1e9 / static_cast<double>(median);
  out += fmt::format("  decode, median  {:>14}   {} tokens/s at {:g} GHz\n  decode, max     {:>14}\n",
                     with_separators(median), rate_text(tokens_per_second), machine.clock_ghz,
                     with_separators(cycles.back()));
}

// More channels than these are one line: each is in the result document.
constexpr std::size_t kMostChannelLines = 4;

// Their busy cycles: least, mean, most.
void add_channels(std::string& out, const std::vector<observe::UnitId>& channels, Inference& inference,
                  std::uint64_t total) {
  std::uint64_t least = total, most = 0, sum = 0;
  for (const observe::UnitId id : channels) {
    const std::uint64_t busy = inference.units().cycles(id, observe::State::busy);
    least = std::min(least, busy);
    most = std::max(most, busy);
    sum += busy;
  }
  out += fmt::format("  {:<15} {:>6.1f} %   mean of {} channels; least {:.1f} %, most {:.1f} %\n",
                     "dram.channels", percent(sum, total * channels.size()), channels.size(),
                     percent(least, total), percent(most, total));
}

void add_units(std::string& out, const RunReport& report, Inference& inference) {
  using observe::State;
  const std::uint64_t total = report.total_cycles();
  out += "\nutilisation (cycles busy; most frequent reasons for the rest)\n";
  std::vector<observe::UnitId> channels;
  for (const observe::UnitId id : inference.units().units()) {
    if (observe::is_channel(id)) channels.push_back(id);
  }
  const bool together = channels.size() > kMostChannelLines;
  for (const observe::UnitId id : inference.units().units()) {
    if (together && observe::is_channel(id)) continue;
    std::vector<std::pair<std::uint64_t, State>> rest;
    for (int s = 0; s < observe::kStates; ++s) {
      const std::uint64_t cycles = inference.units().cycles(id, static_cast<State>(s));
      if (static_cast<State>(s) != State::busy && 2000 * cycles > total)
        rest.emplace_back(cycles, static_cast<State>(s));
    }
    std::sort(rest.rbegin(), rest.rend());
    std::string reasons;
    for (std::size_t i = 0; i < std::min<std::size_t>(3, rest.size()); ++i) {
      reasons += fmt::format("{}{} {:.1f} %", i == 0 ? "" : ", ", observe::name_of(rest[i].second),
                             percent(rest[i].first, total));
    }
    out += fmt::format("  {:<15} {:>6.1f} %   {}\n", observe::name_of(id),
                       percent(inference.units().cycles(id, State::busy), total), reasons);
  }
  if (together) add_channels(out, channels, inference, total);
}

// Sums over the channels of command-level memory.
memory::DramCounters dram_counters(machine::Accelerator& accelerator) {
  memory::DramCounters sum;
  for (std::uint32_t i = 0; i < accelerator.machine().dram.channels; ++i)
    sum += accelerator.dram_use(i)->counters;
  return sum;
}

// Command-level memory alone has rows, refreshes and energies.
void add_rows(std::string& out, machine::Accelerator& accelerator) {
  const config::Machine& machine = accelerator.machine();
  if (!machine.dram.system) return;
  const memory::DramCounters sum = dram_counters(accelerator);
  double refreshing = 0, bank_clocks = 0;
  for (std::uint32_t i = 0; i < machine.dram.channels; ++i) {
    const memory::DramUse use = accelerator.dram_use(i).value();
    refreshing += static_cast<double>(use.refreshing_bank_clocks);
    bank_clocks += static_cast<double>(use.clocks) * machine.dram.system->device.banks_of_channel();
  }
  const std::uint64_t bursts = sum.hits + sum.misses + sum.conflicts;
  out += fmt::format(
      "                rows: {:.1f} % hits, {:.1f} % misses, {:.1f} % conflicts; {} turnarounds; "
      "refresh {:.1f} % of the time\n",
      percent(sum.hits, bursts), percent(sum.misses, bursts), percent(sum.conflicts, bursts),
      with_separators(sum.turnarounds), 100 * refreshing / bank_clocks);
  const DramEnergyReport energy = dram_energy(accelerator);
  if (!energy.use) {
    out += fmt::format("                energy: {}\n", energy.source);
    return;
  }
  const double total = energy.use->total();
  out += fmt::format(
      "                energy: {:.3g} mJ, {:.3g} pJ/bit, {:.3g} W ({:.0f} % standby and refresh)\n",
      total * 1e-9, total / static_cast<double>(energy.bits), total * 1e-12 / energy.seconds,
      100 * (energy.use->standby_pj + energy.use->open_bank_pj + energy.use->refresh_pj) / total);
}

// Reading the prompt and generating are different work: each by its own tokens.
void add_phases(std::string& out, const RunReport& report) {
  const auto line = [](const MemoryTotals& m, std::size_t tokens, const char* of) {
    const auto count = static_cast<double>(tokens);
    const std::string energy =
        m.energy_pj() == 0 ? "" : fmt::format(", {:.4g} uJ", m.energy_pj() * 1e-6 / count);
    return fmt::format("                {} token: {} bytes{}\n", of,
                       with_separators(static_cast<std::uint64_t>(
                           std::llround(static_cast<double>(m.moved_bytes()) / count))),
                       energy);
  };
  if (report.tokens.empty()) return;
  out += line(report.first_token, report.prompt_count(), "each prompt");
  if (report.tokens.size() > 1) out += line(report.decode_memory(), report.decode_count(), "each decode");
}

void add_memory(std::string& out, const config::Machine& machine, const RunReport& report,
                Inference& inference) {
  const MemoryTotals all = memory_totals(inference.accelerator());
  const double seconds = static_cast<double>(report.total_cycles()) / (machine.clock_ghz * 1e9);
  const double rate = static_cast<double>(all.bus_bytes) / seconds / 1e9;
  out += fmt::format(
      "\nDRAM            {} bytes moved: {} loaded, {} stored, {} of instructions\n"
      "                {:.2f} GB/s of {:g} GB/s peak ({:.1f} %)\n",
      with_separators(all.moved_bytes()), with_separators(all.loaded_bytes),
      with_separators(all.stored_bytes), with_separators(all.instruction_bytes), rate,
      machine.peak_dram_gb_per_s(), 100.0 * rate / machine.peak_dram_gb_per_s());
  add_phases(out, report);
  add_rows(out, inference.accelerator());
  const std::uint64_t multiplications = inference.accelerator().multiplications();
  const double per_cycle = static_cast<double>(machine.matrix.rows) * machine.matrix.columns;
  out += fmt::format(
      "array           {} multiply-accumulates, {:.2f} % of {} x {} in every cycle\n",
      with_separators(multiplications),
      100.0 * static_cast<double>(multiplications) / (per_cycle * static_cast<double>(report.total_cycles())),
      machine.matrix.rows, machine.matrix.columns);
}

}  // namespace

std::string small_batch_text(const compiler::SmallBatch& batch, std::size_t prompt_tokens) {
  const std::string remedy =
      batch.scratchpad_kib == 0
          ? "a larger scratchpad does not help"
          : fmt::format("a scratchpad of {0} KiB holds as many (--set /scratchpad/capacity_kib={0})",
                        batch.scratchpad_kib);
  return fmt::format(
      "{} prompt token{} at once, so that a prompt of {} reads the weights {} times; {} at once would be "
      "useful: {}",
      batch.tokens, batch.tokens == 1 ? "" : "s", prompt_tokens, ceil_div(prompt_tokens, batch.tokens),
      batch.useful, remedy);
}

std::string stack_text(const observe::Stack& stack) {
  std::uint64_t total = 0;
  for (const std::uint64_t cycles : stack) total += cycles;
  std::string out = "where the cycles went\n";
  for (int i = 0; i < observe::kCauses; ++i) {
    const std::uint64_t cycles = stack[static_cast<std::size_t>(i)];
    if (cycles == 0) continue;
    out += fmt::format("  {:<17} {:>14} {:>6.1f} %{}\n", observe::name_of(static_cast<observe::Cause>(i)),
                       with_separators(cycles), percent(cycles, total), bar(percent(cycles, total)));
  }
  return out + fmt::format("  {:<17} {:>14}  100.0 %\n", "total", with_separators(total));
}

std::size_t longest_prompt(const RunReport& report) {
  std::size_t most = 0;
  for (const SequenceReport& s : report.sequences) most = std::max(most, s.prompt_tokens.size());
  return most;
}

std::string summary_text(const model::LlamaModel& model, const config::Machine& machine,
                         const RunReport& report, Inference& inference) {
  std::string out = fmt::format("model    {}\nmachine  {}\n", model_line(model), machine_line(machine));
  if (model.file().data() == model::TensorData::absent) out += timing_line(model, report, inference);
  if (report.small_batch) {
    out += fmt::format("batch    {}\n", small_batch_text(*report.small_batch, longest_prompt(report)));
  }
  out += "\n";
  add_speed(out, machine, report);
  out += "\n" + stack_text(report.total_stack());
  add_units(out, report, inference);
  add_memory(out, machine, report, inference);
  if (report.technology) out += area_and_energy_text(machine, report);
  out += fmt::format("simulation      {:.2f} s, {:.2f} million cycles per second{}\n", report.wall_seconds,
                     report.cycles_per_second() / 1e6,
                     report.resumed_at.value == 0
                         ? ""
                         : fmt::format(", from cycle {} on", with_separators(report.resumed_at.value + 1)));
  return out;
}

}  // namespace tokencycle::host
