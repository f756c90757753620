// SPDX-License-Identifier: Apache-2.0
#include "host/result/sections.h"

#include <map>

#include "config/dram/system.h"
#include "host/result/machine_energy.h"

namespace tokencycle::host {

namespace {

Json stack_members(const observe::Stack& stack, bool all) {
  Json json = Json::object();
  for (std::size_t c = 0; c < stack.size(); ++c) {
    if (all || stack[c] != 0) json[std::string(name_of(static_cast<observe::Cause>(c)))] = stack[c];
  }
  return json;
}

Json kinds_json(const std::vector<observe::KindUse>& kinds) {
  Json list = Json::array();
  for (const observe::KindUse& k : kinds) {
    list.push_back({{"instruction", std::string(isa::name_of(k.op))},
                    {"count", k.count},
                    {"cycles", k.cycles},
                    {"stack", causes_json(k.stack)}});
  }
  return list;
}

Json use_json(const observe::OperatorUse& use, const config::Machine& machine) {
  const std::optional<observe::Cause> critical = observe::largest(use.stack);
  const double cells = static_cast<double>(machine.matrix.rows) * machine.matrix.columns;
  return {{"cycles", use.cycles},
          {"instructions", use.instructions},
          {"stack", causes_json(use.stack)},
          {"critical", critical ? Json(std::string(name_of(*critical))) : Json()},
          {"span_cycles", use.span_cycles},
          {"loaded_bytes", use.work.loaded_bytes},
          {"stored_bytes", use.work.stored_bytes},
          {"multiply_accumulates", use.work.multiply_accumulates},
          {"array_cycles_at_peak", static_cast<double>(use.work.cell_cycles) / cells},
          {"vector_elements", use.work.vector_elements},
          {"scratchpad_bytes", use.work.scratchpad_bytes},
          {"kinds", kinds_json(use.kinds)}};
}

Json names_json(const std::vector<isa::OperatorName>& operators) {
  Json list = Json::array();
  for (const isa::OperatorName& o : operators) list.push_back({{"name", o.name}, {"layer", o.layer}});
  return list;
}

}  // namespace

Json stack_json(const observe::Stack& stack) {
  return stack_members(stack, true);
}
Json causes_json(const observe::Stack& stack) {
  return stack_members(stack, false);
}

Json operators_json(const model::LlamaModel& model, const config::Machine& machine, const RunReport& report,
                    bool causes) {
  Json operators = Json::array();
  const auto use_of = [](const std::vector<observe::OperatorUse>& uses, std::size_t i) {
    return i < uses.size() ? uses[i] : observe::OperatorUse{};
  };
  const auto json_of = [&](const observe::OperatorUse& use) {
    return causes ? use_json(use, machine) : Json{{"cycles", use.cycles}, {"instructions", use.instructions}};
  };
  MachineEnergy energy;
  if (report.technology && !report.tokens.empty()) energy = machine_energy(machine, report);
  for (std::size_t i = 0; i < model.graph().operators.size(); ++i) {
    const model::Operator& op = model.graph().operators[i];
    operators.push_back({{"name", op.name},
                         {"layer", op.layer},
                         {"prefill", json_of(use_of(report.prefill_operators, i))},
                         {"decode", json_of(use_of(report.decode_operators, i))}});
    const auto put = [&](const char* phase, const std::vector<EnergyStack>& stacks,
                         const std::vector<CauseEnergy>& by_cause) {
      if (i >= stacks.size()) return;
      operators.back()[phase]["energy"] =
          i < by_cause.size() ? energy_json(stacks[i], by_cause[i]) : energy_json(stacks[i]);
    };
    put("prefill", energy.prefill, energy.prefill_causes);
    put("decode", energy.decode, energy.decode_causes);
  }
  return operators;
}

Json phases_json(const config::Machine& machine, const RunReport& report) {
  const bool energy = machine.dram.system && machine.dram.system->device.energy;
  const auto json_of = [&](std::size_t tokens, std::uint64_t cycles, const MemoryTotals& m) {
    return Json{{"tokens", tokens},
                {"cycles", cycles},
                {"loaded_bytes", m.loaded_bytes},
                {"stored_bytes", m.stored_bytes},
                {"instruction_bytes", m.instruction_bytes},
                {"bus_bytes", m.bus_bytes},
                {"dram_pj", energy ? Json(m.energy_pj()) : Json()}};
  };
  if (report.tokens.empty()) return Json::object();
  const TokenReport &first = report.tokens.front(), &last = report.tokens.back();
  return {
      {"prefill", json_of(report.prompt_count(), first.cycles(), report.first_token)},
      {"decode", json_of(report.decode_count(), last.end.value - first.end.value, report.decode_memory())}};
}

Json timeline_json(Inference& inference) {
  observe::Timeline* timeline = inference.timeline();
  if (timeline == nullptr) return nullptr;
  Json series = Json::array();
  for (const observe::Timeline::Series& s : timeline->series(inference.end())) {
    series.push_back({{"name", s.name}, {"unit", s.unit}, {"values", s.values}});
  }
  return {{"interval_cycles", timeline->interval()},
          {"start", timeline->start().value},
          {"series", std::move(series)}};
}

Json pipeline_json(const Inference& inference) {
  const observe::PipelineRows* pipeline = inference.pipeline();
  if (pipeline == nullptr || !pipeline->any()) return nullptr;
  Json kinds = Json::array(), rows = Json::array();
  std::map<isa::Opcode, std::size_t> kind_of;
  const auto relative = [&](Cycle c) { return static_cast<std::int64_t>(c.value - pipeline->start().value); };
  for (const observe::PipelineRows::Row& row : pipeline->rows()) {
    const observe::InstructionRecord& r = row.record;
    const auto [kind, added] = kind_of.emplace(r.op, kinds.size());
    if (added) kinds.push_back(std::string(isa::name_of(r.op)));
    // What decode executes itself goes through no unit.
    const bool executes = r.unit != isa::Unit::front_end;
    const auto stage = [&](Cycle c) { return executes ? Json(relative(c)) : Json(); };
    rows.push_back(Json::array({row.operator_index, kind->second, static_cast<int>(r.unit),
                                relative(r.fetched), relative(r.decoded), stage(r.dispatched),
                                stage(r.started), stage(r.finished), relative(r.written_back)}));
  }
  Json units = Json::array();
  for (int u = 0; u < isa::kUnits; ++u) units.push_back(std::string(name_of(static_cast<isa::Unit>(u))));
  return {{"token", pipeline->token()},
          {"start", pipeline->start().value},
          {"end", pipeline->end().value},
          {"instructions", pipeline->instructions()},
          {"operators", names_json(pipeline->operators())},
          {"kinds", std::move(kinds)},
          {"units", std::move(units)},
          {"columns",
           {"operator", "kind", "unit", "fetched", "decoded", "dispatched", "started", "finished",
            "written_back"}},
          {"rows", std::move(rows)}};
}

}  // namespace tokencycle::host
