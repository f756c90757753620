// SPDX-License-Identifier: Apache-2.0
#include "host/result/energy_parts.h"
#include "host/result/json_text.h"
#include "host/result/machine_energy.h"
#include "host/result/result.h"
#include "host/result/sections.h"

namespace tokencycle::host {

namespace {

Json token_json(const TokenReport& t, bool several) {
  Json json = {{"id", t.id},
               {"text", replace_invalid(t.text)},
               {"phase", t.phase},
               {"cycles", t.cycles()},
               {"start", t.start.value},
               {"end", t.end.value},
               {"stack", stack_json(t.stack)}};
  if (several) json["sequences"] = t.sequences;
  return json;
}

// Tokens per second from the end of the first token to that of the last one; null without a second one.
Json rate_json(const config::Machine& machine, const SequenceReport& s) {
  if (s.ids.size() < 2) return nullptr;
  return static_cast<double>(s.ids.size() - 1) * machine.clock_ghz * 1e9 /
         static_cast<double>(s.end.value - s.first_end.value);
}

Json sequences_json(const config::Machine& machine, const RunReport& report) {
  Json list = Json::array();
  for (const SequenceReport& s : report.sequences) {
    list.push_back({{"prompt", replace_invalid(s.prompt)},
                    {"prompt_tokens", s.prompt_tokens},
                    {"ids", s.ids},
                    {"text", replace_invalid(s.text)},
                    {"stop_reason", s.ended() ? Json(s.stop_reason) : Json("interrupted")},
                    {"first_end", s.ids.empty() ? Json() : Json(s.first_end.value)},
                    {"end", s.ids.empty() ? Json() : Json(s.end.value)},
                    {"tokens_per_second", rate_json(machine, s)}});
  }
  return list;
}

// The step under way when the run was interrupted.
Json unfinished_json(const RunReport& report) {
  const auto [start, end] = report.unfinished->execution;
  return {{"phase", report.tokens.empty() ? "prefill" : "decode"},
          {"start", start.value},
          {"end", end.value},
          {"cycles", end.value - start.value},
          {"stack", stack_json(report.unfinished->stack)}};
}

Json units_json(Inference& inference) {
  Json units = Json::object();
  for (const observe::UnitId id : inference.units().units()) {
    Json states = Json::object();
    for (int s = 0; s < observe::kStates; ++s) {
      const auto state = static_cast<observe::State>(s);
      const std::uint64_t cycles = inference.units().cycles(id, state);
      if (cycles != 0) states[std::string(observe::name_of(state))] = cycles;
    }
    units[observe::name_of(id)] = std::move(states);
  }
  return units;
}

Json energy_json(machine::Accelerator& accelerator) {
  const DramEnergyReport report = dram_energy(accelerator);
  if (!report.use) return {{"dram", nullptr}, {"reason", report.source}};
  const double total = report.use->total();
  Json dram = Json::object();
  add_energy_parts(dram, *report.use);
  dram["total_pj"] = total;
  dram["pj_per_bit"] = report.bits == 0 ? Json() : Json(total / static_cast<double>(report.bits));
  dram["average_mw"] = report.seconds == 0 ? Json() : Json(total * 1e-9 / report.seconds);
  const config::DramEnergy& device = *accelerator.machine().dram.system->device.energy;
  dram["range"] = {{"low", device.low}, {"typical", device.typical}, {"high", device.high}};
  dram["source"] = report.source;
  return {{"dram", dram}};
}

}  // namespace

namespace {

Json small_batch_json(const std::optional<compiler::SmallBatch>& batch) {
  if (!batch) return nullptr;
  return {{"useful_tokens", batch->useful},
          {"scratchpad_kib", batch->scratchpad_kib == 0 ? Json() : Json(batch->scratchpad_kib)}};
}

}  // namespace

Json settings_json(const model::LlamaModel& model, const RunSettings& settings, const RunReport& report,
                   const Inference& inference) {
  const bool greedy = settings.sampler.temperature == 0;
  Json left_out = Json::array();
  for (int i = 0; i < compiler::kFusions; ++i) {
    const auto rule = static_cast<compiler::Fusion>(i);
    if (settings.inference.compile.fusions.has(rule)) continue;
    left_out.push_back(std::string(compiler::kFusionNames[static_cast<std::size_t>(i)]));
  }
  const std::string experts = inference.experts_source();
  return {{"prompt", replace_invalid(report.sequences.front().prompt)},
          {"sequences", report.sequences.size()},
          {"new_tokens", settings.new_tokens},
          {"ignore_eos", settings.ignore_eos},
          {"temperature", settings.sampler.temperature},
          {"top_k", greedy ? Json() : Json(settings.sampler.top_k)},
          {"top_p", greedy ? Json() : Json(settings.sampler.top_p)},
          {"seed", greedy ? Json() : Json(settings.sampler.seed)},
          {"kv_format", std::string(name_of(settings.inference.compile.kv_format))},
          {"rope_pairs", model.shape().rope_pairs == model::RopePairs::split ? "split" : "adjacent"},
          {"fusions_left_out", left_out},
          {"context", inference.context()},
          {"position", settings.inference.position},
          {"batch", inference.batch()},
          {"small_batch", small_batch_json(report.small_batch)},
          {"checked_against_reference", settings.inference.check},
          {"timing_only", settings.inference.values == machine::Values::absent},
          {"prompt_ids", report.prompt_source},
          {"new_ids", report.token_source},
          {"experts", experts.empty() ? Json() : Json(experts)}};
}

std::string_view shapes_source(const model::LlamaModel& model) {
  const model::GgufFile& file = model.file();
  if (file.data() == model::TensorData::present) return "GGUF file";
  return file.version() == 0 ? "config.json" : "GGUF header";
}

namespace {

// All but the tokens, which are null.
Json document(const model::LlamaModel& model, const config::Machine& machine, const RunSettings& settings,
              const RunReport& report, Inference& inference) {
  Json counters_json = Json::array();
  for (const Counter& c : counters(inference)) {
    counters_json.push_back({{"name", c.name}, {"unit", c.unit}, {"value", c.value}, {"meaning", c.meaning}});
  }
  const std::uint64_t total = report.total_cycles();
  Json json;
  json["schema"] = "tokencycle-result-1";
  json["version"] = TOKENCYCLE_VERSION;
  json["model"] = {{"file", model.file().path().filename().string()},
                   {"name", model.shape().name},
                   {"architecture", model.shape().architecture},
                   {"shapes_from", std::string(shapes_source(model))},
                   {"weights", std::string(name_of(model.matrix_format()))},
                   {"digest", model.file().digest()}};
  json["configuration"] = {
      {"name", machine.name}, {"digest", machine.digest}, {"values", Json::parse(config::to_json(machine))}};
  if (!machine.provenance.changes.empty()) json["configuration"]["changes"] = machine.provenance.changes;
  json["program"] = {{"digest", inference.program_digest()}};
  json["settings"] = settings_json(model, settings, report, inference);
  json["prompt_tokens"] = report.sequences.front().prompt_tokens;
  if (!inference.experts().empty()) json["expert_choices"] = inference.experts();
  json["text"] = replace_invalid(report.sequences.front().text);
  if (report.sequences.size() > 1) json["sequences"] = sequences_json(machine, report);
  json["stop_reason"] = report.stop_reason;
  if (report.interrupted_at) json["interrupted_at"] = report.interrupted_at->value;
  if (report.unfinished) json["unfinished"] = unfinished_json(report);
  json["cycles"] = total;
  json["stack"] = stack_json(report.total_stack());
  json["tokens"] = nullptr;
  json["operators"] = operators_json(model, machine, report, inference.timeline() != nullptr);
  json["units"] = units_json(inference);
  json["counters"] = std::move(counters_json);
  json["phases"] = phases_json(machine, report);
  json["energy"] = energy_json(inference.accelerator());
  if (report.technology) {
    json["technology"] = technology_json(*report.technology);
    json["area"] = area_json(machine, *report.technology);
    if (!report.tokens.empty()) {
      const MachineEnergy energy = machine_energy(machine, report);
      json["energy"]["machine"] = energy.prefill_causes.empty()
                                      ? energy_json(energy.all())
                                      : energy_json(energy.all(), energy.all_causes());
    }
  }
  if (inference.timeline() != nullptr) {
    json["timeline"] = timeline_json(inference);
    json["pipeline"] = pipeline_json(inference);
  }
  json["event_digest"] = inference.event_digest();
  json["host"] = {
      {"clock_mode", settings.inference.clocking == machine::Clocking::gated ? "gated" : "every-edge"},
      {"clock_edges", inference.accelerator().edges()},
      {"fast_forwarded_cycles", inference.accelerator().skipped_cycles()},
      {"wall_seconds", report.wall_seconds},
      {"simulated_cycles_per_second", report.cycles_per_second()},
      {"traces", report.traces}};
  return json;
}

}  // namespace

Json result_json(const model::LlamaModel& model, const config::Machine& machine, const RunSettings& settings,
                 const RunReport& report, Inference& inference) {
  Json json = document(model, machine, settings, report, inference);
  json["tokens"] = Json::array();
  for (const TokenReport& t : report.tokens)
    json["tokens"].push_back(token_json(t, report.sequences.size() > 1));
  return json;
}

void write_result(const model::LlamaModel& model, const config::Machine& machine, const RunSettings& settings,
                  const RunReport& report, Inference& inference, const TextSink& sink) {
  const auto token = [&report](std::size_t i) {
    return token_json(report.tokens[i], report.sequences.size() > 1);
  };
  write_json(document(model, machine, settings, report, inference), {"tokens", report.tokens.size(), token},
             sink);
}

}  // namespace tokencycle::host
