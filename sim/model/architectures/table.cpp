// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "model/architectures/architectures.h"
#include "model/config_json_text.h"
#include "model/gguf/reader.h"

namespace tokencycle::model {
namespace {

constexpr Architecture kArchitectures[] = {
    {"llama", "LlamaForCausalLM, MistralForCausalLM", RopePairs::adjacent, build_llama, read_llama_config},
    {"qwen2", "Qwen2ForCausalLM", RopePairs::split, build_qwen2, read_qwen2_config},
    {"qwen3", "Qwen3ForCausalLM", RopePairs::split, build_qwen3, read_qwen3_config},
};

// Whether `name` is one of the names in a list like "A, B".
bool is_listed(std::string_view names, std::string_view name) {
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t comma = std::min(names.find(", ", at), names.size());
    if (names.substr(at, comma - at) == name) return true;
    at = comma + 2;
  }
  return false;
}

}  // namespace

std::span<const Architecture> architectures() {
  return kArchitectures;
}

const Architecture& architecture_of(const GgufFile& file) {
  const std::optional<std::string> name = file.get_string("general.architecture");
  if (!name) file.fail("key 'general.architecture' is missing; convert the model again");
  std::string known;
  for (const Architecture& a : kArchitectures) {
    if (a.name == *name) return a;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", in_quotes(a.name));
  }
  file.fail(fmt::format("architecture {} is not supported; use a model of architecture {}", in_quotes(*name),
                        known));
}

const Architecture& architecture_of(const ConfigObject& config) {
  const auto names = config.texts("architectures");
  std::string known;
  for (const Architecture& a : kArchitectures) {
    if (names && names->size() == 1 && is_listed(a.config_names, names->front())) return a;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", a.config_names);
  }
  config.fail("architectures", fmt::format("supported is one of {}; use such a model", known));
}

}  // namespace tokencycle::model
