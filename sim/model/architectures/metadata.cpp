// SPDX-License-Identifier: Apache-2.0
// The keys of an architecture: values within their ranges, and the refusal of those that nothing reads.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "model/architectures/parts.h"
#include "model/gguf/reader.h"

namespace tokencycle::model {
namespace {

// Keys that say nothing about what is computed, or that another key repeats.
constexpr std::string_view kHarmlessKeys[] = {"vocab_size", "tensor_data_layout", "rope.scaling.finetuned",
                                              "use_parallel_residual"};
// Values that converters also write where they do nothing: as 0 (unset) or as 1 (where they multiply).
constexpr std::pair<std::string_view, double> kNeutralValues[] = {
    {"attention.scale", 0.0},
    {"attention.clamp_kqv", 0.0},
    {"attention.sliding_window", 0.0},
    {"logit_scale", 1.0},
    {"residual_scale", 1.0},
    {"embedding_scale", 1.0},
    {"expert_count", 0.0},
    {"expert_used_count", 0.0},
    {"expert_group_count", 1.0},
    {"expert_group_used_count", 1.0},
    {"expert_shared_count", 0.0},
    {"nextn_predict_layers", 0.0},
    {"rope.scaling.yarn_log_multiplier", 0.0},
    {"rope.scaling.yarn_ext_factor", 1.0},
    {"rope.scaling.yarn_attn_factor", 1.0},
    {"attention.max_alibi_bias", 0.0},
};

bool neutral(const Metadata& m, std::string_view name, const GgufValue& value) {
  for (const auto& [known, wanted] : kNeutralValues) {
    if (known != name || std::holds_alternative<std::string>(value) ||
        std::holds_alternative<GgufArray>(value))
      continue;
    const std::string key = m.key_of(name);
    const bool real = std::holds_alternative<double>(value);
    const double number = real ? std::get<double>(value)
                               : std::visit(
                                     [](const auto& v) {
                                       if constexpr (std::is_arithmetic_v<std::decay_t<decltype(v)>>)
                                         return static_cast<double>(v);
                                       return 0.0;
                                     },
                                     value);
    return number == 0.0 || number == wanted;
  }
  return false;
}

std::string shown(const GgufValue& value) {
  return std::visit(
      [](const auto& v) -> std::string {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, GgufArray>) {
          return fmt::format("an array of {}", v.size());
        } else if constexpr (std::is_same_v<T, std::string>) {
          return in_quotes(v);
        } else {
          return fmt::format("{}", v);
        }
      },
      value);
}

}  // namespace

std::string Metadata::key_of(std::string_view name) const {
  read_.emplace(name);
  return prefix + std::string(name);
}

void Metadata::check_range(std::string_view key, std::uint64_t value, std::uint32_t limit) const {
  if (value >= 1 && value <= limit) return;
  file.fail(fmt::format("key {} is {}, but should be from 1 to {}; convert the model again", in_quotes(key),
                        value, limit));
}

std::uint32_t Metadata::require_size(std::string_view name, std::uint32_t limit) const {
  const std::string key = key_of(name);
  const std::uint64_t value = file.require_unsigned(key);
  check_range(key, value, limit);
  return static_cast<std::uint32_t>(value);
}

std::optional<std::uint32_t> Metadata::get_size(std::string_view name, std::uint32_t limit) const {
  const std::string key = key_of(name);
  const std::optional<std::uint64_t> value = file.get_unsigned(key);
  if (!value) return std::nullopt;
  check_range(key, *value, limit);
  return static_cast<std::uint32_t>(*value);
}

// Of an array with one for each layer.
std::vector<std::uint64_t> Metadata::integers_of(const std::string& key, const GgufArray& array,
                                                 std::uint32_t layers) const {
  std::vector<std::uint64_t> integers = array.unsigned_values;
  for (const std::int64_t v : array.signed_values) {
    if (v < 0) {
      file.fail(
          fmt::format("key {} has {} among its values, but none should be below 0; convert the model again",
                      in_quotes(key), v));
    }
    integers.push_back(static_cast<std::uint64_t>(v));
  }
  if (integers.size() != layers || array.size() != layers) {
    file.fail(
        fmt::format("key {} is an array of {} values, but should be {} integers, one for each layer; convert "
                    "the model again",
                    in_quotes(key), array.size(), layers));
  }
  return integers;
}

std::optional<std::uint32_t> Metadata::get_uniform_size(std::string_view name, std::uint32_t layers,
                                                        std::uint32_t limit) const {
  const std::string key = key_of(name);
  const GgufValue* value = file.find(key);
  if (value == nullptr || !std::holds_alternative<GgufArray>(*value)) return get_size(name, limit);
  const std::vector<std::uint64_t> sizes = integers_of(key, std::get<GgufArray>(*value), layers);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] != sizes[0]) {
      file.fail(
          fmt::format("key {} is {} in layer 0 and {} in layer {}; layers of different shapes are not "
                      "supported: use a model whose layers are equal",
                      in_quotes(key), sizes[0], sizes[i], i));
    }
  }
  check_range(key, sizes[0], limit);
  return static_cast<std::uint32_t>(sizes[0]);
}

std::optional<std::vector<std::uint32_t>> Metadata::get_layer_sizes(std::string_view name,
                                                                    std::uint32_t layers,
                                                                    std::uint32_t limit) const {
  const std::string key = key_of(name);
  const GgufValue* value = file.find(key);
  if (value == nullptr) return std::nullopt;
  if (!std::holds_alternative<GgufArray>(*value))
    return std::vector<std::uint32_t>(layers, require_size(name, limit));
  std::vector<std::uint32_t> sizes;
  for (const std::uint64_t size : integers_of(key, std::get<GgufArray>(*value), layers)) {
    if (size != 0) check_range(key, size, limit);
    sizes.push_back(static_cast<std::uint32_t>(size));
  }
  return sizes;
}

std::optional<std::vector<bool>> Metadata::get_layer_flags(std::string_view name,
                                                           std::uint32_t layers) const {
  const std::string key = key_of(name);
  const GgufArray* array = file.get_array(key);
  if (array == nullptr) return std::nullopt;
  std::vector<bool> flags = array->bool_values;
  for (const std::uint64_t v : array->unsigned_values) flags.push_back(v != 0);
  for (const std::int64_t v : array->signed_values) flags.push_back(v != 0);
  if (flags.size() != layers) {
    file.fail(
        fmt::format("key {} has {} values, but should have {}, one for each layer; convert the model again",
                    in_quotes(key), array->size(), layers));
  }
  return flags;
}

std::optional<double> Metadata::get_positive(std::string_view name, bool zero_is_none) const {
  const std::string key = key_of(name);
  const std::optional<double> value = file.get_float(key);
  if (!value || (zero_is_none && *value == 0.0)) return std::nullopt;
  const bool in_range = *value > 0.0 && *value <= std::numeric_limits<float>::max();  // false for NaN
  if (!in_range || static_cast<float>(*value) == 0.0f) {
    file.fail(fmt::format("key {} is {}, but should be positive and finite as fp32; convert the model again",
                          in_quotes(key), *value));
  }
  return value;
}

double Metadata::require_positive(std::string_view name) const {
  const std::optional<double> value = get_positive(name);
  if (!value) {
    file.fail(fmt::format("key {} (a floating-point number) is missing; convert the model again",
                          in_quotes(key_of(name))));
  }
  return *value;
}

bool Metadata::boolean(std::string_view name, bool by_default) const {
  return file.get_bool(key_of(name)).value_or(by_default);
}

void Metadata::refuse_unread() const {
  for (const auto& [key, value] : file.metadata()) {
    if (!key.starts_with(prefix)) continue;
    const std::string name = key.substr(prefix.size());
    if (read_.contains(name) || name.starts_with("mm.")) continue;  // mm: of the images beside the text
    if (std::find(std::begin(kHarmlessKeys), std::end(kHarmlessKeys), name) != std::end(kHarmlessKeys))
      continue;
    if (neutral(*this, name, value)) continue;
    file.fail(fmt::format("key {} is {}, which is not supported; use a model without it", in_quotes(key),
                          shown(value)));
  }
}

}  // namespace tokencycle::model
