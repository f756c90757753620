// SPDX-License-Identifier: Apache-2.0
#include "host/result/machine_energy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"

namespace tokencycle::host {
namespace {

using config::Range;
using Json = nlohmann::ordered_json;

constexpr double kInstructionBytes = 32;

std::uint64_t whole_pj(double pj) {
  return static_cast<std::uint64_t>(std::llround(pj));
}
Picojoules picojoules(const Range& pj) {
  return {whole_pj(pj.low), whole_pj(pj.typical), whole_pj(pj.high)};
}

std::uint64_t moved(const observe::OperatorUse& use) {
  return use.work.loaded_bytes + use.work.stored_bytes;
}

// `whole` by weights, as differences of rounded running sums, so that the shares sum to it; without weights
// all goes to the first.
template <std::size_t kSize>
std::array<std::uint64_t, kSize> split(std::uint64_t whole, const std::array<double, kSize>& weights) {
  std::array<std::uint64_t, kSize> shares{};
  double all = 0, so_far = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    all += weights[i];
    if (weights[i] > 0) last = i;
  }
  std::uint64_t given = 0;
  for (std::size_t i = 0; i <= last; ++i) {
    so_far += weights[i];
    const double part = all > 0 ? std::min(so_far / all, 1.0) : 1.0;
    const std::uint64_t upto =
        i == last ? whole : std::min(whole, static_cast<std::uint64_t>(part * static_cast<double>(whole)));
    shares[i] = upto - std::min(given, upto);
    given += shares[i];
  }
  return shares;
}

constexpr std::uint64_t Picojoules::*kBounds[] = {&Picojoules::low, &Picojoules::typical, &Picojoules::high};

// By the cycles of an operator; without any to dram_bandwidth, since it moved bytes beside another's time.
void spread(std::uint64_t pj, std::uint64_t Picojoules::*bound, const observe::Stack& cycles,
            CauseEnergy& to) {
  std::array<double, observe::kCauses> weights{};
  for (std::size_t c = 0; c < weights.size(); ++c) weights[c] = static_cast<double>(cycles[c]);
  if (std::all_of(cycles.begin(), cycles.end(), [](std::uint64_t c) { return c == 0; }))
    weights[static_cast<std::size_t>(observe::Cause::dram_bandwidth)] = 1;
  const auto shares = split(pj, weights);
  for (std::size_t c = 0; c < shares.size(); ++c) to[c].*bound += shares[c];
}

// Of one operator; `dram`: what the devices took in its phase, of which it has a share.
CauseEnergy by_cause(const EnergyStack& stack, const observe::Stack& cycles,
                     const memory::DramEnergyUse& dram) {
  using observe::Cause;
  constexpr std::pair<EnergyPart, Cause> kOf[] = {{EnergyPart::matrix, Cause::matrix},
                                                  {EnergyPart::accumulator, Cause::matrix},
                                                  {EnergyPart::scratchpad, Cause::scratchpad},
                                                  {EnergyPart::wires, Cause::scratchpad},
                                                  {EnergyPart::vector, Cause::vector},
                                                  {EnergyPart::control, Cause::front_end},
                                                  {EnergyPart::dram_interface, Cause::dram_bandwidth}};
  CauseEnergy energy{};
  for (const auto& [part, cause] : kOf)
    energy[static_cast<std::size_t>(cause)] += stack[static_cast<std::size_t>(part)];
  const std::array<double, 4> of_devices = {dram.read_pj + dram.write_pj, dram.activate_pj, dram.refresh_pj,
                                            dram.standby_pj + dram.open_bank_pj};
  for (const auto bound : kBounds) {
    const auto [transfers, activations, refreshes, time] =
        split(stack[static_cast<std::size_t>(EnergyPart::dram)].*bound, of_devices);
    energy[static_cast<std::size_t>(Cause::dram_bandwidth)].*bound += transfers;
    energy[static_cast<std::size_t>(Cause::dram_row_conflict)].*bound += activations;
    energy[static_cast<std::size_t>(Cause::dram_refresh)].*bound += refreshes;
    spread(time, bound, cycles, energy);
    spread(stack[static_cast<std::size_t>(EnergyPart::leakage)].*bound, bound, cycles, energy);
  }
  return energy;
}

// Empty where an operator has cycles without causes.
std::vector<CauseEnergy> causes_of(const std::vector<observe::OperatorUse>& uses,
                                   const std::vector<EnergyStack>& stacks,
                                   const memory::DramEnergyUse& dram) {
  std::vector<CauseEnergy> causes;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const observe::Stack& cycles = uses[i].stack;
    if (uses[i].cycles != 0 && std::accumulate(cycles.begin(), cycles.end(), std::uint64_t{0}) == 0)
      return {};
    causes.push_back(by_cause(stacks[i], cycles, dram));
  }
  return causes;
}

// The devices' energy of a phase, among operators by bytes moved, or where none moves any, by cycles. Shares
// are differences of rounded running sums, so that they sum to the whole.
void share_dram(std::uint64_t whole, std::uint64_t Picojoules::*bound,
                const std::vector<observe::OperatorUse>& uses, std::vector<EnergyStack>& stacks) {
  double bytes = 0;
  for (const observe::OperatorUse& use : uses) bytes += static_cast<double>(moved(use));
  const auto weight = [&](const observe::OperatorUse& use) {
    return static_cast<double>(bytes > 0 ? moved(use) : use.cycles);
  };
  double all = 0, so_far = 0;
  for (const observe::OperatorUse& use : uses) all += weight(use);
  std::uint64_t given = 0;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    so_far += weight(uses[i]);
    const double part = all > 0 ? so_far / all : 0;
    const std::uint64_t upto =
        i + 1 == uses.size() ? whole
                             : std::min(whole, static_cast<std::uint64_t>(part * static_cast<double>(whole)));
    const std::uint64_t share = upto - std::min(given, upto);
    stacks[i][static_cast<std::size_t>(EnergyPart::dram)].*bound = share;
    given += share;
  }
}

std::vector<EnergyStack> stacks_of(const std::vector<observe::OperatorUse>& uses,
                                   const config::Prices& prices, const config::Machine& machine,
                                   double dram_pj) {
  std::vector<EnergyStack> stacks;
  stacks.reserve(uses.size());
  for (const observe::OperatorUse& use : uses) stacks.push_back(energy_of(use, prices));
  if (!machine.dram.system || !machine.dram.system->device.energy) return stacks;
  const config::DramEnergy& device = *machine.dram.system->device.energy;
  share_dram(whole_pj(dram_pj * device.low), &Picojoules::low, uses, stacks);
  share_dram(whole_pj(dram_pj * device.typical), &Picojoules::typical, uses, stacks);
  share_dram(whole_pj(dram_pj * device.high), &Picojoules::high, uses, stacks);
  return stacks;
}

EnergyStack sum_of(const std::vector<EnergyStack>& stacks) {
  EnergyStack sum{};
  for (const EnergyStack& s : stacks) add_to(sum, s);
  return sum;
}

Json range_json(const Range& r) {
  return {{"low", r.low}, {"typical", r.typical}, {"high", r.high}};
}
Json pj_json(const Picojoules& f) {
  return {{"low", f.low}, {"typical", f.typical}, {"high", f.high}};
}

// "scratchpad 45 %, matrix 30 %, ...": shares of the typical figure from 1 % on, largest first.
template <class Names>
std::string shares_text(std::vector<std::pair<double, Names>> parts) {
  double all = 0;
  for (const auto& [value, name] : parts) all += value;
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (const auto& [value, name] : parts) {
    if (all <= 0 || value < 0.01 * all) continue;
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", name, 100 * value / all);
  }
  return text;
}

std::string per_token_text(const EnergyStack& stack, std::size_t tokens, const char* of) {
  const Picojoules total = total_of(stack);
  const double scale = 1e-6 / static_cast<double>(tokens);  // uJ
  return fmt::format("                each {} token: {:.4g} uJ ({:.4g} .. {:.4g})\n", of,
                     static_cast<double>(total.typical) * scale, static_cast<double>(total.low) * scale,
                     static_cast<double>(total.high) * scale);
}

}  // namespace

std::string_view name_of(EnergyPart part) {
  static constexpr std::array<std::string_view, kEnergyParts> kNames = {
      "matrix",  "accumulator",    "scratchpad", "wires",  "vector",
      "control", "dram_interface", "dram",       "leakage"};
  return kNames.at(static_cast<std::size_t>(part));
}

void add_to(EnergyStack& sum, const EnergyStack& more) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
}

Picojoules total_of(const EnergyStack& stack) {
  Picojoules total;
  for (const Picojoules& part : stack) total += part;
  return total;
}

EnergyStack MachineEnergy::of_prefill() const {
  return sum_of(prefill);
}
EnergyStack MachineEnergy::of_decode() const {
  return sum_of(decode);
}
EnergyStack MachineEnergy::all() const {
  EnergyStack sum = of_prefill();
  add_to(sum, of_decode());
  return sum;
}

CauseEnergy MachineEnergy::all_causes() const {
  CauseEnergy sum{};
  for (const auto* phase : {&prefill_causes, &decode_causes}) {
    for (const CauseEnergy& causes : *phase) {
      for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += causes[c];
    }
  }
  return sum;
}

EnergyStack energy_of(const observe::OperatorUse& use, const config::Prices& prices) {
  const observe::OperatorWork& work = use.work;
  EnergyStack stack{};
  const auto put = [&stack](EnergyPart part, const Range& pj) {
    stack[static_cast<std::size_t>(part)] = picojoules(pj);
  };
  const auto times = [](const Range& price, std::uint64_t count) {
    return price * static_cast<double>(count);
  };
  Range products, lanes;
  for (std::size_t i = 0; i < work.products.size(); ++i)
    products += times(prices.product[i], work.products[i]);
  for (std::size_t i = 0; i < work.lane_elements.size(); ++i)
    lanes += times(prices.lane[i], work.lane_elements[i]);
  put(EnergyPart::matrix, products);
  put(EnergyPart::accumulator, times(prices.sum, work.sums));
  put(EnergyPart::scratchpad, times(prices.scratchpad_byte, work.scratchpad_bytes));
  put(EnergyPart::wires, times(prices.wire_byte, work.scratchpad_bytes));
  put(EnergyPart::vector, lanes);
  put(EnergyPart::control, times(prices.instruction, use.instructions));
  put(EnergyPart::dram_interface,
      prices.interface_byte *
          (static_cast<double>(moved(use)) + kInstructionBytes * static_cast<double>(use.instructions)));
  put(EnergyPart::leakage, times(prices.leakage_cycle, use.cycles));
  return stack;
}

MachineEnergy machine_energy(const config::Machine& machine, const RunReport& report) {
  const config::Prices prices = config::prices(machine, *report.technology);
  const MemoryTotals decode = report.decode_memory();
  MachineEnergy energy;
  energy.prefill = stacks_of(report.prefill_operators, prices, machine, report.first_token.energy_pj());
  energy.decode = stacks_of(report.decode_operators, prices, machine, decode.energy_pj());
  energy.prefill_causes = causes_of(report.prefill_operators, energy.prefill, report.first_token.energy);
  energy.decode_causes = causes_of(report.decode_operators, energy.decode, decode.energy);
  return energy;
}

Json technology_json(const config::Technology& t) {
  return {{"name", t.name},           {"description", t.description}, {"node_nm", t.node_nm},
          {"voltage_v", t.voltage_v}, {"digest", t.digest},           {"sources", t.sources}};
}

Json area_json(const config::Machine& machine, const config::Technology& technology) {
  const config::ChipArea area = config::chip_area(machine, technology);
  Json parts = Json::object();
  for (int b = 0; b < config::kBlocks; ++b) {
    const auto block = static_cast<config::Block>(b);
    parts[std::string(config::name_of(block))] = range_json(area[block]);
  }
  return {{"unit", "um2"}, {"total", range_json(area.total_um2())}, {"parts", std::move(parts)}};
}

Json energy_json(const EnergyStack& stack) {
  Json parts = Json::object();
  for (std::size_t i = 0; i < stack.size(); ++i)
    parts[std::string(name_of(static_cast<EnergyPart>(i)))] = pj_json(stack[i]);
  return {{"unit", "pJ"}, {"total", pj_json(total_of(stack))}, {"parts", std::move(parts)}};
}

Json energy_json(const EnergyStack& stack, const CauseEnergy& causes) {
  Json json = energy_json(stack);
  json["causes"] = Json::object();
  for (std::size_t c = 0; c < causes.size(); ++c) {
    if (causes[c] != Picojoules{})
      json["causes"][std::string(observe::name_of(static_cast<observe::Cause>(c)))] = pj_json(causes[c]);
  }
  return json;
}

std::string area_and_energy_text(const config::Machine& machine, const RunReport& report) {
  const config::Technology& t = *report.technology;
  const config::ChipArea area = config::chip_area(machine, t);
  const Range mm2 = area.total_um2() * 1e-6;
  std::vector<std::pair<double, std::string_view>> blocks, parts;
  for (int b = 0; b < config::kBlocks; ++b) {
    const auto block = static_cast<config::Block>(b);
    blocks.emplace_back(area[block].typical, config::name_of(block));
  }
  std::string out = fmt::format("area            {:.3g} mm2 ({:.3g} .. {:.3g}) at {}: {}\n", mm2.typical,
                                mm2.low, mm2.high, t.name, shares_text(std::move(blocks)));
  if (report.tokens.empty()) return out;
  const MachineEnergy energy = machine_energy(machine, report);
  const EnergyStack all = energy.all();
  const Picojoules total = total_of(all);
  for (std::size_t i = 0; i < all.size(); ++i)
    parts.emplace_back(static_cast<double>(all[i].typical), name_of(static_cast<EnergyPart>(i)));
  out += fmt::format("energy          {:.4g} mJ ({:.4g} .. {:.4g}): {}\n",
                     static_cast<double>(total.typical) * 1e-9, static_cast<double>(total.low) * 1e-9,
                     static_cast<double>(total.high) * 1e-9, shares_text(std::move(parts)));
  out += per_token_text(energy.of_prefill(), report.prompt_count(), "prompt");
  if (report.tokens.size() > 1) out += per_token_text(energy.of_decode(), report.decode_count(), "decode");
  if (all[static_cast<std::size_t>(EnergyPart::dram)].typical == 0)
    out += "                without the DRAM's devices, whose energies are not published\n";
  return out;
}

}  // namespace tokencycle::host
