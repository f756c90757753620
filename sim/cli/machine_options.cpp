// SPDX-License-Identifier: Apache-2.0
#include "cli/machine_options.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/options.h"
#include "host/places.h"

namespace tokencycle::cli {

using Json = nlohmann::ordered_json;

namespace {

std::string_view dataflow_name(const std::string& value) {
  using config::Dataflow;
  if (value == "ws") return config::name_of(Dataflow::weight_stationary);
  if (value == "is") return config::name_of(Dataflow::input_stationary);
  if (value == "os") return config::name_of(Dataflow::output_stationary);
  if (value == "dot") return config::name_of(Dataflow::dot_product);
  const std::vector<std::string> allowed = {"ws", "is", "os", "dot"};
  throw UsageError(
      fmt::format("--dataflow is '{}'; it must be ws, is, os or dot{}", value, did_you_mean(value, allowed)));
}

// "M,N,K" into the machine's tiling; 0 takes a limit away.
void set_tiling(const std::string& text, Json& matrix) {
  Json tiling = Json::object();
  const char* at = text.data();
  const char* const end = at + text.size();
  for (const char* const side : {"m", "n", "k"}) {
    std::uint32_t value = 0;
    const auto [rest, error] = std::from_chars(at, end, value);
    const bool last = *side == 'k';
    if (error != std::errc() || (last ? rest != end : rest == end || *rest != ',')) {
      throw UsageError(
          fmt::format("--tiling is '{}'; it must be three whole numbers M,N,K, for example 64,32,0", text));
    }
    if (value != 0) tiling[side] = value;
    at = rest + 1;
  }
  matrix.erase("tiling");
  if (!tiling.empty()) matrix["tiling"] = tiling;
}

}  // namespace

config::Machine machine_with(const MachineOptions& options) {
  const std::filesystem::path file = host::find_configuration(options.config);
  const config::Machine machine = host::read_configuration(file);
  if (!options.dataflow && !options.tiling && !options.no_overlap) return machine;
  Json description = Json::parse(config::to_json(machine));
  Json& matrix = description["matrix"];
  std::string source = options.config;
  if (options.dataflow) {
    matrix["dataflow"] = dataflow_name(*options.dataflow);
    source += " with --dataflow " + *options.dataflow;
  }
  if (options.tiling) {
    set_tiling(*options.tiling, matrix);
    source += " with --tiling " + *options.tiling;
  }
  if (options.no_overlap) {
    matrix["double_buffered"] = matrix["back_to_back"] = false;
    source += " with --no-overlap";
  }
  return config::parse_machine(description.dump(-1, ' ', false, Json::error_handler_t::replace), source,
                               file.parent_path(), host::dram_presets_folder());
}

}  // namespace tokencycle::cli
