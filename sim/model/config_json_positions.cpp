// SPDX-License-Identifier: Apache-2.0
// What a config.json says of positions: how heads are rotated, and which layers see a window of them alone.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/architectures/architectures.h"
#include "model/architectures/config_shape.h"
#include "model/architectures/parts.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {
namespace {

// One object of rotary positions: its type and, by type, its keys.
Factors read_scaling(const ConfigObject& scaling, const ConfigObject& config, Keys& keys, Hyperparameters& s,
                     bool proportional) {
  const std::string_view type_key = scaling.first_of({"rope_type", "type"});
  const std::string type = scaling.text(type_key).value_or("default");
  const auto original = [&] {
    const std::string_view key = "original_max_position_embeddings";
    const auto inside = scaling.get_size(key, kMaxContext), outside = config.get_size(key, kMaxContext);
    return inside ? *inside : outside.value_or(s.context);
  };
  if (type == "default" || type == "mrope") {
    if (type == "mrope")
      scaling.fail(type_key, "positions of several kinds are not supported; use another model");
    return Factors::none;
  }
  if (type == "linear") {
    keys.put("rope.scaling.type", std::string("linear"));
    keys.put("rope.scaling.factor", scaling.positive("factor"));
    return Factors::none;
  }
  if (type == "dynamic") {  // changes angles beyond the model's context alone, which no run reaches
    scaling.positive("factor");
    return Factors::none;
  }
  if (type == "llama3") {
    for (const char* key : {"factor", "low_freq_factor", "high_freq_factor"}) scaling.positive(key);
    scaling.size("original_max_position_embeddings", kMaxContext);
    return Factors::one;
  }
  if (type == "yarn") {
    const double factor = scaling.positive("factor");
    keys.put("rope.scaling.type", std::string("yarn"));
    keys.put("rope.scaling.factor", factor);
    keys.put_size("rope.scaling.original_context_length", original());
    if (const auto fast = scaling.get_positive("beta_fast")) keys.put("rope.scaling.yarn_beta_fast", *fast);
    if (const auto slow = scaling.get_positive("beta_slow")) keys.put("rope.scaling.yarn_beta_slow", *slow);
    if (s.latent.rank != 0) {  // which alone has factors of cos and sin, and of scores
      scaling.get_positive("mscale");
      if (const auto all = scaling.get_positive("mscale_all_dim"))
        keys.put("rope.scaling.yarn_log_multiplier", 0.1 * *all);
    }
    scaling.boolean("truncate", true);  // where slow pairs begin, to a pair: no converter writes it
    const double usual = factor > 1.0 ? 0.1 * std::log(factor) + 1.0 : 1.0;
    if (const auto magnitude = scaling.get_positive("attention_factor"))
      keys.put("rope.scaling.attn_factor", *magnitude / usual);
    return Factors::none;
  }
  if (type == "longrope" || type == "su") {
    for (const char* key : {"long_factor", "short_factor"}) {
      const auto factors = scaling.numbers(key);
      if (!factors || factors->size() != s.rope_dims / 2) {
        scaling.fail(key, fmt::format("it must have {} numbers, one for each pair of a head; fix the file",
                                      s.rope_dims / 2));
      }
    }
    const std::uint32_t trained = original();
    scaling.get_positive("factor");
    keys.put("rope.scaling.type", std::string("longrope"));
    keys.put_size("rope.scaling.original_context_length", trained);
    const double scale = static_cast<double>(s.context) / trained;
    const double magnitude = scale > 1.0 ? std::sqrt(1.0 + std::log(scale) / std::log(trained)) : 1.0;
    keys.put("rope.scaling.attn_factor", scaling.get_positive("attention_factor").value_or(magnitude));
    return Factors::long_and_short;
  }
  if (type == "proportional" && proportional) {
    scaling.get_positive("partial_rotary_factor");
    return Factors::one;
  }
  scaling.fail(
      type_key,
      "supported are default, linear, dynamic, llama3, yarn and longrope; use a model with one of them");
}

constexpr std::string_view kRopeObject = "rope_parameters", kOlderRopeObject = "rope_scaling";

// rope_parameters (transformers 5, perhaps with an object for each kind of layer) or rope_scaling.
std::optional<ConfigObject> rope_object(const ConfigObject& config) {
  return config.object(config.has(kRopeObject) ? kRopeObject : kOlderRopeObject);
}

// Of a family that has them: how many pairs each of the three kinds of positions turns.
void read_sections(const ConfigObject& rope, ConfigShape& shape) {
  if (!rope.boolean("mrope_interleaved", true)) {
    rope.fail("mrope_interleaved", "supported is true; use such a model");
  }
  const auto given = rope.numbers("mrope_section");
  if (!given) return;
  shape.sections.clear();
  for (const double n : *given) {
    if (n < 0 || n > kMaxHeadDim || n != std::floor(n)) {
      rope.fail("mrope_section", "allowed are three whole numbers of pairs; mend the file");
    }
    shape.sections.push_back(static_cast<std::uint32_t>(n));
  }
  if (shape.sections.size() != 3) rope.fail("mrope_section", "needed are three numbers; mend the file");
}

}  // namespace

std::uint32_t read_config_rope_dims(const ConfigObject& config, const ConfigShape& shape) {
  if (shape.rotated_of_head != 0) return shape.rotated_of_head;
  const std::uint32_t head = shape.size.head_dim;
  const bool partly = shape.partly_rotated;
  double share = 1.0;
  const auto look = [&](const ConfigObject& object) {
    for (const char* key : {"partial_rotary_factor", "rotary_pct"}) {
      const auto found = object.get_positive(key);
      if (!found) continue;
      if (shape.proportional && *found <= 1.0) continue;  // of the angles' factors
      if (*found > 1.0 || (*found != 1.0 && !partly)) {
        object.fail(key, partly ? "it must be a share, at most 1; fix the file"
                                : "supported is 1: heads that are rotated whole; use such a model");
      }
      share = *found;
    }
  };
  look(config);
  if (const auto object = rope_object(config)) {
    look(*object);
    if (const auto inner = object->object("full_attention")) look(*inner);
  } else if (!config.has("partial_rotary_factor") && !config.has("rotary_pct")) {
    share = shape.rotary_share_by_default;
  }
  const auto dims = static_cast<std::uint32_t>(share * head);
  if (dims < 2 || dims % 2 != 0) {
    config.fail(
        config.first_of({"partial_rotary_factor", "rotary_pct"}),
        fmt::format("{} of {} elements of a head would be rotated, which should be an even number of them; "
                    "fix the file",
                    dims, head));
  }
  return dims;
}

Factors read_config_rope(const ConfigObject& config, Keys& keys, ConfigShape& shape) {
  Hyperparameters& s = shape.size;
  double base = config.get_positive(config.first_of({"rope_theta", "rotary_emb_base"}))
                    .value_or(shape.rope_base_by_default);
  double local = config.get_positive("rope_local_base_freq").value_or(shape.local_base_by_default);
  Factors factors = shape.proportional ? Factors::one : Factors::none;
  if (const auto object = rope_object(config)) {
    const auto full = object->object("full_attention"), sliding = object->object("sliding_attention");
    const ConfigObject& main = full ? *full : *object;
    base = main.get_positive("rope_theta").value_or(base);
    if (shape.partly_rotated) main.get_positive("partial_rotary_factor");  // read by read_config_rope_dims()
    if (!shape.sections.empty()) read_sections(main, shape);
    factors = read_scaling(main, config, keys, s, shape.proportional);
    if (sliding) {
      local = sliding->get_positive("rope_theta").value_or(local);
      const std::string_view type = sliding->first_of({"rope_type", "type"});
      if (sliding->text(type).value_or("default") != "default") {
        sliding->fail(type, "supported is default in layers with a window; use such a model");
      }
      if (local != base && shape.local_base_by_default == 0.0) {
        sliding->fail("rope_theta", "supported is the base of the other layers; use such a model");
      }
      sliding->refuse_unread({});
    }
    if (full) full->refuse_unread({});
    object->refuse_unread({});
  }
  keys.put("rope.freq_base", base);
  if (!shape.sections.empty()) {
    GgufArray sections;
    sections.unsigned_values.assign(shape.sections.begin(), shape.sections.end());
    sections.unsigned_values.push_back(0);
    keys.put("rope.dimension_sections", std::move(sections));
  }
  if (s.window != 0 && local != 0.0) keys.put("rope.freq_base_swa", local);
  return factors;
}

void read_config_window(const ConfigObject& config, ConfigShape& shape, std::uint32_t period,
                        std::uint32_t by_default) {
  Hyperparameters& s = shape.size;
  s.window = config.get_size("sliding_window", kMaxContext).value_or(by_default);
  s.local_layers = periodic_layers(s.layers, period);
  const auto types = config.texts("layer_types");
  if (!types) return;
  if (types->size() != s.layers) {
    config.fail("layer_types",
                fmt::format("it must have one for each of the {} layers; fix the file", s.layers));
  }
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    const std::string& type = (*types)[i];
    if (type != "full_attention" && type != "sliding_attention") {
      config.fail("layer_types", "supported are full_attention and sliding_attention; use such a model");
    }
    s.local_layers[i] = type == "sliding_attention";
  }
}

void read_config_mixers(const ConfigObject& config, Hyperparameters& s, std::string_view recurrent) {
  s.recurrent_layers.assign(s.layers, false);
  const auto types = config.texts("layer_types");
  if (types && types->size() != s.layers) {
    config.fail("layer_types",
                fmt::format("needed is one for each of the {} layers; mend the file", s.layers));
  }
  for (std::uint32_t i = 0; types && i < s.layers; ++i) {
    const std::string& type = (*types)[i];
    if (type != "full_attention" && type != recurrent) {
      config.fail("layer_types",
                  fmt::format("supported are full_attention and {}; use such a model", recurrent));
    }
    s.recurrent_layers[i] = type == recurrent;
  }
  const auto attention = config.numbers("full_attn_idxs");
  if (attention && !types) {
    s.recurrent_layers.assign(s.layers, true);
    for (const double layer : *attention) {
      if (layer < 0 || layer >= s.layers || layer != std::floor(layer)) {
        config.fail("full_attn_idxs", fmt::format("allowed are layers 0 .. {}; mend the file", s.layers - 1));
      }
      s.recurrent_layers[static_cast<std::size_t>(layer)] = false;
    }
  }
  for (const bool is_recurrent : s.recurrent_layers)
    s.layer_kv_heads.push_back(is_recurrent ? 0 : s.kv_heads);
  if (std::find(s.recurrent_layers.begin(), s.recurrent_layers.end(), false) == s.recurrent_layers.end()) {
    config.fail(types ? "layer_types" : "full_attn_idxs", "needed is a layer of attention; use such a model");
  }
}

void read_qwen_window(const ConfigObject& config, ConfigShape& shape) {
  // Both are of no effect without use_sliding_window.
  config.get_size("sliding_window", kMaxContext);
  const std::uint32_t full = config.get_size("max_window_layers", kMaxLayers).value_or(shape.size.layers);
  if (!config.boolean("use_sliding_window", false)) return refuse_local_layers(config, shape);
  read_config_window(config, shape, 0);
  if (config.has("layer_types")) return;
  for (std::uint32_t i = 0; i < std::min(full, shape.size.layers); ++i) shape.size.local_layers[i] = false;
}

void refuse_local_layers(const ConfigObject& config, const ConfigShape&) {
  for (const std::string& type : config.texts("layer_types").value_or(std::vector<std::string>{})) {
    if (type != "full_attention") {
      config.fail("layer_types", "supported are layers of \"full_attention\" alone; use such a model");
    }
  }
}

void refuse_config_biases(const ConfigObject& config, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (config.boolean(key, false)) config.fail(key, "supported is false in this family; use such a model");
  }
}

}  // namespace tokencycle::model
