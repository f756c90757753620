// SPDX-License-Identifier: Apache-2.0
#include "small_result.h"

namespace tokencycle::test {

namespace {

Json token(std::uint32_t id, const char* phase, std::uint64_t start, std::uint64_t matrix,
           std::uint64_t preload) {
  const std::uint64_t cycles = matrix + preload;
  return {{"id", id},
          {"text", " a"},
          {"phase", phase},
          {"cycles", cycles},
          {"start", start},
          {"end", start + cycles},
          {"stack", {{"matrix", matrix}, {"vector", 0}, {"preload", preload}}}};
}

Json use(std::uint64_t matrix, std::uint64_t preload) {
  const std::uint64_t cycles = matrix + preload;
  const Json stack = {{"matrix", matrix}, {"preload", preload}};
  return {
      {"cycles", cycles},
      {"instructions", 3},
      {"stack", stack},
      {"critical", cycles == 0 ? Json() : Json(matrix > preload ? "matrix" : "preload")},
      {"span_cycles", cycles},
      {"loaded_bytes", 640},
      {"stored_bytes", 64},
      {"multiply_accumulates", 1024},
      {"array_cycles_at_peak", 1.5},
      {"vector_elements", 32},
      {"kinds",
       {{{"instruction", "multiply"}, {"count", 2}, {"cycles", matrix}, {"stack", {{"matrix", matrix}}}},
        {{"instruction", "preload"}, {"count", 1}, {"cycles", preload}, {"stack", {{"preload", preload}}}}}}};
}

Json counter(const char* name, std::uint64_t value) {
  return {{"name", name}, {"unit", "bytes"}, {"value", value}, {"meaning", "of a test"}};
}

struct Bytes {
  std::uint64_t loaded, stored, instructions;
};
Json phase(std::uint64_t tokens, std::uint64_t cycles, const Bytes& b, double pj) {
  return {{"tokens", tokens},
          {"cycles", cycles},
          {"loaded_bytes", b.loaded},
          {"stored_bytes", b.stored},
          {"instruction_bytes", b.instructions},
          {"bus_bytes", b.loaded + b.stored + b.instructions},
          {"dram_pj", pj}};
}

Json series(const char* name, std::initializer_list<std::uint64_t> values) {
  return {{"name", name}, {"unit", "cycles"}, {"values", values}};
}

Json pipeline() {
  Json json = {{"token", 1}, {"start", 101}, {"end", 141}, {"instructions", 9}};
  json["operators"] = Json::array({Json{{"name", "embedding"}, {"layer", -1}}});
  json["kinds"] = {"load.tile", "multiply"};
  json["units"] = {"front_end", "load", "store", "matrix", "vector"};
  json["columns"] = {"operator",   "kind",    "unit",     "fetched",     "decoded",
                     "dispatched", "started", "finished", "written_back"};
  json["rows"] = Json::array(
      {Json::array({0, 0, 1, -3, 1, 2, 3, 20, 21}), Json::array({-1, 1, 3, -2, 2, 3, nullptr, nullptr, 39})});
  return json;
}

Json machine_values(const std::string& machine) {
  return {{"schema", "tokencycle-machine-1"},
          {"name", machine},
          {"description", "of a test"},
          {"clock_ghz", 2.0},
          {"matrix", {{"rows", 8}, {"columns", 8}, {"dataflow", "weight-stationary"}}},
          {"scratchpad", {{"banks", 4}}},
          {"dram", {{"model", "ideal"}, {"channels", 2}, {"channel_gb_per_s", 10.0}}}};
}

Json settings() {
  return {{"prompt", "a b"},
          {"new_tokens", 3},
          {"ignore_eos", false},
          {"temperature", 0.0},
          {"top_k", nullptr},
          {"top_p", nullptr},
          {"seed", nullptr},
          {"kv_format", "f16"},
          {"rope_pairs", "adjacent"},
          {"context", 64},
          {"batch", 8},
          {"checked_against_reference", false},
          {"timing_only", false},
          {"prompt_ids", "the text's"},
          {"new_ids", "sampled"}};
}

void change(Json& count, std::uint64_t add, std::uint64_t subtract) {
  count = count.get<std::uint64_t>() + add - subtract;
}

// Both places that count cycles of a cause of a token.
void change_cause(Json& result, std::size_t token, const std::string& cause, std::uint64_t add,
                  std::uint64_t subtract) {
  for (Json* stack : {&result["stack"], &result["tokens"][token]["stack"]}) {
    if (!stack->contains(cause)) (*stack)[cause] = 0;
    change((*stack)[cause], add, subtract);
  }
}

}  // namespace

Json old_result(const std::string& machine) {
  Json json = small_result(machine);
  json.erase("phases");
  json.erase("timeline");
  json.erase("pipeline");
  for (Json& op : json["operators"]) {
    for (const char* phase : {"prefill", "decode"}) {
      op[phase] = {{"cycles", op[phase]["cycles"]}, {"instructions", op[phase]["instructions"]}};
    }
  }
  return json;
}

Json small_result(const std::string& machine) {
  Json json = {{"schema", "tokencycle-result-1"}, {"version", "0.1.0"}};
  json["model"] = {{"file", "m.gguf"},           {"name", "M"},       {"architecture", "llama"},
                   {"shapes_from", "GGUF file"}, {"weights", "q8_0"}, {"digest", "d1"}};
  json["configuration"] = {
      {"name", machine}, {"digest", "c-" + machine}, {"values", machine_values(machine)}};
  json["program"] = {{"digest", "p1"}};
  json["settings"] = settings();
  json["prompt_tokens"] = {1, 5};
  json["text"] = " a a a";
  json["stop_reason"] = "length";
  json["cycles"] = 200;
  json["stack"] = {{"matrix", 60}, {"vector", 0}, {"preload", 140}};
  json["tokens"] = {token(7, "prefill", 1, 30, 70), token(8, "decode", 101, 10, 30),
                    token(9, "decode", 141, 20, 40)};
  json["operators"] = {
      {{"name", "embedding"}, {"layer", -1}, {"prefill", use(10, 20)}, {"decode", use(30, 70)}},
      {{"name", "blk.0.attn_q"}, {"layer", 0}, {"prefill", use(20, 50)}, {"decode", use(0, 0)}}};
  json["units"] = {{"fetch", {{"idle", 150}, {"busy", 50}}},
                   {"matrix0", {{"idle", 140}, {"busy", 60}}},
                   {"vector0", {{"idle", 190}, {"busy", 10}}},
                   {"dram.channel0", {{"idle", 100}, {"busy", 100}}},
                   {"dram.channel1", {{"idle", 120}, {"busy", 80}}}};
  json["counters"] = {counter("fetch.moved_bytes", 100), counter("dma0.read.moved_bytes", 1280),
                      counter("dma0.write.moved_bytes", 120)};
  json["phases"] = {{"prefill", phase(2, 100, {480, 20, 50}, 1200.0)},
                    {"decode", phase(2, 100, {800, 100, 50}, 1800.0)}};
  json["energy"] = {{"dram",
                     {{"activate_pj", 1000.0},
                      {"read_pj", 2000.0},
                      {"total_pj", 3000.0},
                      {"pj_per_bit", 0.25},
                      {"average_mw", 30.0},
                      {"source", "a test"}}}};
  json["event_digest"] = "e1";
  json["host"] = {{"clock_mode", "gated"}, {"wall_seconds", 0.5}};
  json["timeline"] = {
      {"interval_cycles", 128},
      {"start", 1},
      {"series",
       {series("matrix0.busy", {40, 20}), series("dram.busy", {100, 80}), series("cause.preload", {90, 50}),
        series("dram.read_bytes", {1000, 380}), series("dram.write_bytes", {0, 120})}}};
  json["pipeline"] = pipeline();
  return json;
}

void move_cycles(Json& result, std::size_t token, const std::string& from, const std::string& to,
                 std::uint64_t cycles) {
  change_cause(result, token, from, 0, cycles);
  change_cause(result, token, to, cycles, 0);
}

void add_cycles(Json& result, std::size_t token, const std::string& cause, std::uint64_t cycles) {
  change_cause(result, token, cause, cycles, 0);
  change(result["cycles"], cycles, 0);
  change(result["operators"][0]["decode"]["cycles"], cycles, 0);
  if (result.contains("phases")) change(result["phases"]["decode"]["cycles"], cycles, 0);
  for (std::size_t i = token; i < result["tokens"].size(); ++i) {
    Json& t = result["tokens"][i];
    if (i == token) change(t["cycles"], cycles, 0);
    if (i > token) change(t["start"], cycles, 0);
    change(t["end"], cycles, 0);
  }
  for (auto& [name, states] : result["units"].items()) change(states["idle"], cycles, 0);
}

}  // namespace tokencycle::test
