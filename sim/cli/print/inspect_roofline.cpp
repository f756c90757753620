// SPDX-License-Identifier: Apache-2.0
// tokencycle inspect --roofline: where each operator of a result stands below what its machine could do.
#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "cli/print/inspect.h"
#include "explore/result/text.h"
#include "explore/roofline.h"

namespace tokencycle::cli {

using Json = nlohmann::ordered_json;

namespace {

Json roofs_json(const explore::Roofs& roofs) {
  Json list = Json::array();
  const auto add = [&](const std::string& name, const char* unit, double per_cycle) {
    if (per_cycle > 0)
      list.push_back({{"name", name}, {"unit", unit}, {"value", per_cycle * roofs.clock_hz}});
  };
  for (const explore::Roofs::Array& array : roofs.arrays)
    add("array, " + array.types, "operations/s", array.operations_per_cycle);
  add("vector unit", "operations/s", roofs.vector_per_cycle);
  add("DRAM", "B/s", roofs.dram_bytes_per_cycle);
  add("scratchpad", "B/s", roofs.scratchpad_bytes_per_cycle);
  return list;
}

Json point_json(const explore::OperatorPoint& p) {
  return {{"operator", p.op->name},
          {"layer", p.op->layer},
          {"phase", p.decode ? "decode" : "prefill"},
          {"cycles", p.cycles},
          {"span_cycles", p.use->span_cycles},
          {"operations", p.point.operations},
          {"bytes", p.point.bytes},
          {"intensity", std::isfinite(p.point.intensity) ? Json(p.point.intensity) : Json()},
          {"operations_per_second", p.point.per_second},
          {"roof_operations_per_second", p.point.roof},
          {"limit", explore::name_of(p.point.limit)}};
}

std::string line_of(const explore::OperatorPoint& p) {
  return fmt::format("  {:<24} {:<8} {:>14} {:>12} {:>12.3f} {:>12.3f} {:>7.1f} %  {}\n",
                     printable(p.op->name, 24), p.decode ? "decode" : "prefill", with_separators(p.cycles),
                     std::isfinite(p.point.intensity) ? fmt::format("{:.2f}", p.point.intensity) : "-",
                     p.point.per_second * 1e-9, p.point.roof * 1e-9, 100 * p.point.per_second / p.point.roof,
                     explore::name_of(p.point.limit));
}

}  // namespace

Inspected inspect_roofline(const std::string& text, const std::string& source) {
  const explore::Result result = explore::parse_result(explore::parse_result_text(text, source), source);
  const explore::Roofs roofs = explore::roofs_of(result);
  Json document = {{"schema", "tokencycle-roofline-1"},
                   {"machine", result.machine},
                   {"roofs", roofs_json(roofs)},
                   {"points", Json::array()}};
  std::string lines =
      fmt::format("machine    {}\n\n  {:<24} {:<8} {:>14} {:>12} {:>12} {:>12} {:>9}  limit\n",
                  result.machine, "operator", "phase", "cycles", "op/B", "Gop/s", "roof Gop/s", "of roof");
  for (const explore::OperatorPoint& point : explore::roofline_points(result, roofs)) {
    document["points"].push_back(point_json(point));
    lines += line_of(point);
  }
  return {lines, {document, "points"}};
}

}  // namespace tokencycle::cli
