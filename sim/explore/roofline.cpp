// SPDX-License-Identifier: Apache-2.0
#include "explore/roofline.h"

#include <algorithm>
#include <limits>

namespace tokencycle::explore {

namespace {

// A number of the machine's description; 0 where it is none.
double number_at(const nlohmann::ordered_json& values, const std::string& pointer) {
  const nlohmann::ordered_json::json_pointer at(pointer);
  if (!values.contains(at) || !values.at(at).is_number()) return 0;
  return std::max(0.0, values.at(at).get<double>());
}

std::vector<Roofs::Array> arrays_of(const nlohmann::ordered_json& values) {
  const double cells = number_at(values, "/matrix/rows") * number_at(values, "/matrix/columns");
  std::vector<Roofs::Array> arrays;
  for (const char* type : {"int8", "int4", "fp16", "bf16", "fp32"}) {
    const double step = number_at(values, std::string("/matrix/cycles_per_row/") + type);
    if (step <= 0 || cells <= 0) continue;
    const double rate = 2 * cells / step;
    const auto same = std::find_if(arrays.begin(), arrays.end(),
                                   [&](const Roofs::Array& a) { return a.operations_per_cycle == rate; });
    if (same == arrays.end()) {
      arrays.push_back({type, rate});
    } else {
      same->types += std::string(", ") + type;
    }
  }
  std::stable_sort(arrays.begin(), arrays.end(), [](const Roofs::Array& a, const Roofs::Array& b) {
    return a.operations_per_cycle > b.operations_per_cycle;
  });
  return arrays;
}

}  // namespace

Roofs roofs_of(const Result& result) {
  Roofs roofs;
  roofs.arrays = arrays_of(result.values);
  roofs.vector_per_cycle = number_at(result.values, "/vector/lanes");
  roofs.dram_bytes_per_cycle = result.peak_dram_gb_per_s / result.clock_ghz;
  roofs.scratchpad_bytes_per_cycle =
      number_at(result.values, "/scratchpad/banks") * number_at(result.values, "/scratchpad/bank_bytes");
  roofs.clock_hz = result.clock_ghz * 1e9;
  return roofs;
}

const char* name_of(Limit limit) {
  switch (limit) {
    case Limit::array:
      return "array";
    case Limit::vector:
      return "vector unit";
    case Limit::dram:
      return "DRAM";
    case Limit::scratchpad:
      return "scratchpad";
  }
  return "";
}

std::optional<RooflinePoint> roofline_point(const UseDetail& use, const Roofs& roofs) {
  RooflinePoint point;
  point.operations =
      2 * static_cast<double>(use.multiply_accumulates) + static_cast<double>(use.vector_elements);
  if (point.operations <= 0 || use.span_cycles == 0) return std::nullopt;
  point.bytes = static_cast<double>(use.loaded_bytes) + static_cast<double>(use.stored_bytes);
  point.intensity =
      point.bytes > 0 ? point.operations / point.bytes : std::numeric_limits<double>::infinity();
  point.per_second = point.operations / static_cast<double>(use.span_cycles) * roofs.clock_hz;

  double least = 0;  // cycles
  const auto bound = [&](double amount, double per_cycle, Limit limit) {
    if (per_cycle <= 0 || amount / per_cycle <= least) return;
    least = amount / per_cycle;
    point.limit = limit;
  };
  bound(use.array_cycles_at_peak, 1, Limit::array);
  bound(static_cast<double>(use.vector_elements), roofs.vector_per_cycle, Limit::vector);
  bound(point.bytes, roofs.dram_bytes_per_cycle, Limit::dram);
  bound(static_cast<double>(use.scratchpad_bytes.value_or(0)), roofs.scratchpad_bytes_per_cycle,
        Limit::scratchpad);
  if (least <= 0) return std::nullopt;
  point.roof = point.operations / least * roofs.clock_hz;
  return point;
}

std::vector<OperatorPoint> roofline_points(const Result& result, const Roofs& roofs) {
  std::vector<OperatorPoint> points;
  for (const ResultOperator& op : result.operators) {
    for (const bool decode : {false, true}) {
      const PhaseUse& use = decode ? op.decode : op.prefill;
      if (!use.detail) continue;
      const std::optional<RooflinePoint> point = roofline_point(*use.detail, roofs);
      if (point) points.push_back({&op, decode, &*use.detail, *point, use.cycles});
    }
  }
  return points;
}

}  // namespace tokencycle::explore
