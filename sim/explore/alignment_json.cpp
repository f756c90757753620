// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "explore/alignment.h"

namespace tokencycle::explore {
namespace {

using Json = nlohmann::ordered_json;

void add_cycles(Json& record, const Pair& cycles) {
  record["a_cycles"] = cycles.a;
  record["b_cycles"] = cycles.b;
  record["difference"] = cycles.difference();
}

Json phase_json(const Pair& cycles, const Pair& tokens) {
  Json json = {{"a_tokens", tokens.a}, {"b_tokens", tokens.b}};
  add_cycles(json, cycles);
  return json;
}

// One record per operator, kind of instruction and cause that has cycles.
void add_records(const AlignedOperator& op, Json& records) {
  for (const AlignedKind& kind : op.kinds) {
    for (int c = 0; c < observe::kCauses; ++c) {
      const Pair cycles = kind.stack[static_cast<std::size_t>(c)];
      if (cycles == Pair{}) continue;
      Json record = {{"phase", op.phase},
                     {"operator", op.name},
                     {"layer", op.layer},
                     {"instruction", kind.instruction},
                     {"cause", observe::name_of(static_cast<observe::Cause>(c))}};
      add_cycles(record, cycles);
      records.push_back(std::move(record));
    }
  }
}

Json instructions_json(const InstructionAlignment& all) {
  Json rows = Json::array();
  const auto cell = [](const std::optional<std::uint64_t>& cycles) {
    return cycles ? Json(*cycles) : Json();
  };
  for (const AlignedInstruction& i : all.instructions) {
    rows.push_back({all.operators[i.op].first, all.operators[i.op].second, i.instruction, i.number, cell(i.a),
                    cell(i.b), i.difference()});
  }
  Json json = {{"token", all.token}};
  add_cycles(json, all.cycles);
  json["columns"] = {"operator", "layer", "instruction", "number", "a_cycles", "b_cycles", "difference"};
  json["rows"] = std::move(rows);
  return json;
}

}  // namespace

Json alignment_json(const Alignment& alignment) {
  Json json = {{"schema", "tokencycle-alignment-1"},
               {"a", alignment.a},
               {"b", alignment.b},
               {"warnings", alignment.warnings},
               {"prefill", phase_json(alignment.prefill, alignment.prefill_tokens)},
               {"decode", phase_json(alignment.decode, alignment.decode_tokens)},
               {"differences", Json::array()}};
  for (const AlignedOperator& op : alignment.operators) add_records(op, json["differences"]);
  json["instructions"] = alignment.instructions ? instructions_json(*alignment.instructions) : Json();
  json["no_instructions"] = alignment.instructions ? Json() : Json(alignment.no_instructions);
  return json;
}

}  // namespace tokencycle::explore
