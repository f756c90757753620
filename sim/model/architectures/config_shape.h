// SPDX-License-Identifier: Apache-2.0
// What the architectures' readers of a config.json fill in, and what several of them read; private to
// sim/model.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/architecture.h"
#include "model/architectures/architectures.h"
#include "model/config_json_text.h"
#include "model/gguf/parse.h"

namespace tokencycle::model {

struct ConfigShape {
  Hyperparameters size;
  std::string config_name;  // of "architectures", or else of "model_type"
  struct {
    bool qkv = false, output = false, feed_forward = false, router = false;
  } biases;  // where a family has them in some models alone
  // Keys of the file that this family needs beside those of all, in the order in which they are put.
  std::vector<std::pair<std::string, GgufValue>> own_keys;

  // What the library of the family takes where the file says nothing; beside sizes, which are in `size`
  // before anything is read, and 0 where the file must have them.
  std::uint32_t feed_forward_by_width = 0;  // not 0: the feed-forward width is so many times the width
  double rope_base_by_default = 10000.0;
  bool gate_up_experts = false, expert_scales = false;  // tensors ffn_gate_up_exps, ffn_down_exps.scale
  std::uint32_t rotated_of_head = 0;                    // not 0: so many elements, whatever the head has
  double local_base_by_default = 0.0;    // rotary base of the layers with a window; 0: that of all
  bool partly_rotated = false;           // heads may be
  double rotary_share_by_default = 1.0;  // of a head
  bool proportional = false;  // some pairs of a head turn by no angle, which a tensor of factors says
  std::vector<std::uint32_t> sections;  // of pairs that positions of several kinds turn, where there are any
  std::set<std::string> absent;         // tensors that the model lacks, of those that most of the family have

  bool is(std::string_view architecture, std::string_view type) const {
    return config_name == architecture || config_name == type;
  }
};

// Keys of the GGUF file that a config.json stands for.
class Keys {
 public:
  Keys(GgufContents& contents, std::string_view architecture)
      : contents_(contents), architecture_(architecture) {}
  void put(std::string_view key, GgufValue value) {
    contents_.metadata.emplace_back(fmt::format("{}.{}", architecture_, key), std::move(value));
  }
  void put_size(std::string_view key, std::uint32_t value) { put(key, std::uint64_t{value}); }

 private:
  GgufContents& contents_;
  std::string_view architecture_;
};

// Which tensors of rotary factors a converted file holds: they change the values of the rotary table alone.
enum class Factors : std::uint8_t { none, one, long_and_short };

// Rotated elements of a head: a share of it in some families.
std::uint32_t read_config_rope_dims(const ConfigObject& config, const ConfigShape& shape);
// Rotary base and scaling, put as keys.
Factors read_config_rope(const ConfigObject& config, Keys& keys, ConfigShape& shape);

// sliding_window and layer_types; without the latter a layer of every `period` has no window (0: all have
// it). `by_default`: the window where the file has none.
void read_config_window(const ConfigObject& config, ConfigShape& shape, std::uint32_t period,
                        std::uint32_t by_default = 0);
// Of Qwen: where use_sliding_window says so, the layers from max_window_layers on.
void read_qwen_window(const ConfigObject& config, ConfigShape& shape);
// layer_types of full_attention and `recurrent`, or the layers of attention in full_attn_idxs.
void read_config_mixers(const ConfigObject& config, Hyperparameters& s, std::string_view recurrent);
// Refuses layer_types other than full attention.
void refuse_local_layers(const ConfigObject& config, const ConfigShape& shape);
// Refuses keys that are true.
void refuse_config_biases(const ConfigObject& config, std::initializer_list<const char*> keys);

}  // namespace tokencycle::model
