// SPDX-License-Identifier: Apache-2.0
// Tokens, operators, units and energy of a result, and the sums that hold between them.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "explore/result/readers.h"

namespace tokencycle::explore {

namespace {

// Cycles [start, end) and the stack that sums to them.
struct Span {
  std::uint64_t start = 0, end = 0, cycles = 0;
  observe::Stack stack{};
};

Span read_span(const Node& entry, std::uint64_t expected_start) {
  Span span{entry.at("start").count(), entry.at("end").count(), entry.at("cycles").count(),
            entry.at("stack").stack()};
  if (span.start != expected_start) {
    entry.at("start").refuse(
        fmt::format("{} instead of {}, where what was before it ends", span.start, expected_start));
  }
  if (span.end < span.start || span.end - span.start != span.cycles) {
    entry.at("cycles").refuse(
        fmt::format("{}, but from {} to {} are others", span.cycles, span.start, span.end));
  }
  entry.at("stack").check_sum(sum_of(span.stack), span.cycles, "the cycles beside it");
  return span;
}

// Stacks of both phases, from the tokens. The first token is the prefill.
struct Phases {
  observe::Stack prefill{}, decode{};
};
Phases phases_of(const Result& result) {
  Phases phases;
  for (const ResultToken& t : result.tokens) {
    add_stack(t.phase == "prefill" ? phases.prefill : phases.decode, t.stack);
  }
  return phases;
}

void check_stacks(const Node& place, const observe::Stack& sum, const observe::Stack& expected,
                  const std::string& of) {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    place.check_sum(sum[i], expected[i],
                    fmt::format("{} in {}", observe::name_of(static_cast<observe::Cause>(i)), of));
  }
}

std::vector<KindUse> read_kinds(const Node& kinds, const PhaseUse& use, const observe::Stack& stack) {
  std::vector<KindUse> all;
  observe::Stack sum{};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const Node entry = kinds[i];
    all.push_back({entry.at("instruction").text(), entry.at("count").count(), entry.at("cycles").count(),
                   entry.at("stack").stack()});
    entry.at("stack").check_sum(sum_of(all.back().stack), all.back().cycles, "the cycles beside it");
    add_stack(sum, all.back().stack);
  }
  kinds.check_sum(sum_of(sum), use.cycles, "the cycles beside it");
  check_stacks(kinds, sum, stack, "the stack beside it");
  return all;
}

UseDetail read_detail(const Node& entry, const PhaseUse& use) {
  UseDetail detail;
  detail.stack = entry.at("stack").stack();
  entry.at("stack").check_sum(sum_of(detail.stack), use.cycles, "the cycles beside it");
  if (const auto critical = entry.find("critical")) detail.critical = critical->text();
  if (detail.critical.empty() != (use.cycles == 0)) {
    entry.at("critical").refuse("it must name a cause, or be null where there are no cycles");
  }
  detail.span_cycles = entry.at("span_cycles").count();
  detail.loaded_bytes = entry.at("loaded_bytes").count();
  detail.stored_bytes = entry.at("stored_bytes").count();
  detail.multiply_accumulates = entry.at("multiply_accumulates").count();
  detail.vector_elements = entry.at("vector_elements").count();
  detail.array_cycles_at_peak = entry.at("array_cycles_at_peak").number();
  if (const auto bytes = entry.find("scratchpad_bytes")) detail.scratchpad_bytes = bytes->count();
  detail.kinds = read_kinds(entry.at("kinds"), use, detail.stack);
  return detail;
}

PhaseUse read_use(const Node& entry) {
  PhaseUse use{entry.at("cycles").count(), entry.at("instructions").count(), {}};
  if (entry.find("stack")) use.detail = read_detail(entry, use);
  return use;
}

// Sums of one phase over all operators.
struct UseSum {
  std::uint64_t cycles = 0;
  observe::Stack stack{};
  bool whole = true;  // all have details

  void add(const PhaseUse& use) {
    cycles = add_counts(cycles, use.cycles);
    if (use.detail) add_stack(stack, use.detail->stack);
    whole = whole && use.detail.has_value();
  }
  void check(const Node& operators, const observe::Stack& expected, const std::string& phase) const {
    operators.check_sum(cycles, sum_of(expected), "the tokens in " + phase);
    if (whole) check_stacks(operators, stack, expected, "the tokens in " + phase);
  }
};

}  // namespace

void read_tokens(const Node& document, Result& result) {
  const Node tokens = document.at("tokens");
  std::uint64_t end = 1;  // the first cycle
  observe::Stack sum{};
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Node entry = tokens[i];
    const Span span = read_span(entry, end);
    const std::uint64_t id = entry.at("id").count(std::numeric_limits<std::uint32_t>::max());
    result.tokens.push_back({static_cast<std::uint32_t>(id), entry.at("text").text(),
                             entry.at("phase").text(), span.start, span.end, span.cycles, span.stack, 1});
    if (const auto sequences = entry.find("sequences")) result.tokens.back().sequences = sequences->count();
    const char* const phase = i == 0 ? "prefill" : "decode";
    if (result.tokens.back().phase != phase) {
      entry.at("phase").refuse(fmt::format("it must be \"{}\" for token {}", phase, i));
    }
    end = span.end;
    add_stack(sum, span.stack);
  }
  if (const auto unfinished = document.find("unfinished"); unfinished && result.interrupted_at) {
    const Span span = read_span(*unfinished, end);
    result.unfinished = {unfinished->at("phase").text(), span.start, span.end, span.cycles, span.stack};
    add_stack(sum, span.stack);
  }
  if (result.tokens.empty() && !result.interrupted_at) tokens.refuse("has no token");
  result.cycles = document.at("cycles").count();
  result.stack = document.at("stack").stack();
  document.at("stack").check_sum(sum_of(result.stack), result.cycles, "/cycles");
  tokens.check_sum(sum_of(sum), result.cycles, "/cycles");
  check_stacks(tokens, sum, result.stack, "/stack");
}

void read_operators(const Node& document, Result& result) {
  const Node operators = document.at("operators");
  UseSum prefill, decode;
  for (std::size_t i = 0; i < operators.size(); ++i) {
    const Node entry = operators[i];
    result.operators.push_back({entry.at("name").text(),
                                entry.at("layer").whole(-1, std::numeric_limits<std::int32_t>::max()),
                                read_use(entry.at("prefill")), read_use(entry.at("decode"))});
    prefill.add(result.operators.back().prefill);
    decode.add(result.operators.back().decode);
  }
  const Phases phases = phases_of(result);
  prefill.check(operators, phases.prefill, "prefill");
  decode.check(operators, phases.decode, "decode");
}

void read_units(const Node& document, Result& result) {
  document.at("units").members([&](const std::string& name, const Node& entry) {
    ResultUnit unit{name, {}};
    std::uint64_t sum = 0;
    entry.members([&](const std::string& state, const Node& cycles) {
      unit.states.emplace_back(state, cycles.count());
      sum = add_counts(sum, unit.states.back().second);
    });
    entry.check_sum(sum, result.cycles, "/cycles");
    result.units.push_back(std::move(unit));
  });
}

void read_energy(const Node& energy, Result& result) {
  const auto dram = energy.find("dram");
  if (!dram) {
    if (const auto reason = energy.find("reason")) result.no_energy_reason = reason->text();
    return;
  }
  DramEnergy read;
  double sum = 0;
  dram->members([&](const std::string& name, const Node& part) {
    if (!name.ends_with("_pj") || name == "total_pj") return;
    read.parts.emplace_back(name, part.number());
    sum += read.parts.back().second;
  });
  read.total_pj = dram->at("total_pj").number();
  // The parts were added in another order when the total was made.
  if (std::abs(sum - read.total_pj) > 1e-9 * (sum + read.total_pj)) {
    dram->at("total_pj").refuse(fmt::format("{} pJ, but its parts sum to {}", read.total_pj, sum));
  }
  if (const auto bit = dram->find("pj_per_bit")) read.pj_per_bit = bit->number();
  if (const auto power = dram->find("average_mw")) read.average_mw = power->number();
  read.source = dram->at("source").text();
  result.dram_energy = std::move(read);
}

namespace {

PhaseMemory read_phase(const Node& phase, const Result& result, const char* name) {
  PhaseMemory m{phase.at("tokens").count(),
                phase.at("cycles").count(),
                phase.at("loaded_bytes").count(),
                phase.at("stored_bytes").count(),
                phase.at("instruction_bytes").count(),
                phase.at("bus_bytes").count(),
                std::nullopt};
  if (const auto energy = phase.find("dram_pj")) m.dram_pj = energy->number();
  std::uint64_t cycles = 0, tokens = 0;
  for (const ResultToken& t : result.tokens) {
    if (t.phase != name) continue;
    cycles = add_counts(cycles, t.cycles);
    tokens = add_counts(tokens, t.sequences);
  }
  phase.at("cycles").check_sum(cycles, m.cycles, "its tokens");
  const bool prefill = std::string_view(name) == "prefill";
  phase.at("tokens").check_sum(prefill ? result.prompt_count() : tokens, m.tokens, "its tokens");
  return m;
}

}  // namespace

void read_phases(const Node& phases, Result& result) {
  if (result.tokens.empty()) return;
  result.prefill = read_phase(phases.at("prefill"), result, "prefill");
  result.decode = read_phase(phases.at("decode"), result, "decode");
  if (result.interrupted_at) return;  // what was under way is in the counters alone
  const auto check = [&](const char* counter, std::uint64_t PhaseMemory::*bytes) {
    const std::uint64_t all = result.counter(std::string(counter) + ".moved_bytes").value_or(0);
    phases.check_sum(add_counts((*result.prefill).*bytes, (*result.decode).*bytes), all, counter);
  };
  check("dma0.read", &PhaseMemory::loaded_bytes);
  check("dma0.write", &PhaseMemory::stored_bytes);
  check("fetch", &PhaseMemory::instruction_bytes);
}

}  // namespace tokencycle::explore
