// SPDX-License-Identifier: Apache-2.0
// A Hugging Face config.json instead of a model file: the same shapes and tensors, without their contents.
// Source of the keys: github.com/huggingface/transformers, configuration_llama.py and
// configuration_mistral.py.
#pragma once

#include <filesystem>
#include <optional>

#include "model/gguf/gguf.h"

namespace tokencycle::model {

// Whether the file begins as a JSON object does. False also when it cannot be read.
bool looks_like_config_json(const std::filesystem::path& path);

// The directory of the GGUF file that such a model would be converted to: architecture llama, all matrices in
// `weights` (one of kModelFormats; by default what torch_dtype says), gains and rotary factors in f32,
// tensors in the order of the graph. Throws IoError when the file cannot be read, ModelError (file, JSON
// path, value, what is allowed, what to do) when it is not a sound description of a model that the graph
// computes.
GgufFile read_config_json(const std::filesystem::path& path, std::optional<Format> weights = std::nullopt);

}  // namespace tokencycle::model
