// SPDX-License-Identifier: Apache-2.0
// Weights by name: shapes and types checked, nothing left over.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/quantity.h"
#include "model/architectures/parts.h"
#include "model/gguf/reader.h"
#include "model/gguf/types.h"

namespace tokencycle::model {
namespace {

const std::string kRopeFactors = "rope_freqs.weight";
const std::string kLongFactors = "rope_factors_long.weight", kShortFactors = "rope_factors_short.weight";

// "64 x 172" in ggml's order: row length first.
std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text;
  for (const std::uint64_t size : shape) text += fmt::format("{}{}", text.empty() ? "" : " x ", size);
  return text;
}

// Converters may add or drop trailing dimensions of 1.
bool has_shape(const GgufTensor& tensor, std::uint64_t rows, std::uint64_t cols, std::uint64_t experts) {
  const std::array<std::uint64_t, 3> wanted = {cols, rows, experts};
  for (std::size_t d = 0; d < std::max(tensor.shape.size(), wanted.size()); ++d) {
    const std::uint64_t has = d < tensor.shape.size() ? tensor.shape[d] : 1;
    if (has != (d < wanted.size() ? wanted[d] : 1)) return false;
  }
  return true;
}

}  // namespace

const GgufTensor& WeightLoader::take(const std::string& name, std::uint32_t rows, std::uint32_t cols,
                                     std::uint32_t experts) {
  const GgufTensor* tensor = file_.find_tensor(name);
  if (tensor == nullptr)
    file_.fail(fmt::format("tensor {} is missing; convert the model again", in_quotes(name)));
  if (!has_shape(*tensor, rows, cols, experts)) {
    file_.fail(fmt::format(
        "tensor {} (at byte {}) has shape {}, but the metadata asks for {} x {}{}; convert the model "
        "again",
        in_quotes(name), tensor->file_offset, shape_text(tensor->shape), cols, rows,
        experts == 1 ? "" : fmt::format(" x {}", experts)));
  }
  if (!tensor->supported) {
    file_.fail(fmt::format(
        "tensor {} (at byte {}) is stored as {}, which is not supported ({} are); convert the model, for "
        "example with 'llama-quantize --allow-requantize MODEL OUT Q8_0'",
        in_quotes(name), tensor->file_offset, tensor->type_name, supported_types()));
  }
  used_.insert(name);
  return *tensor;
}

Weight WeightLoader::matrix(const std::string& name, std::uint32_t rows, std::uint32_t cols) {
  const GgufTensor& tensor = take(name, rows, cols);
  return Weight{name, tensor.format, rows, cols, tensor.file_offset - file_.data_start(), tensor.data};
}

Weight WeightLoader::matrices(const std::string& name, std::uint32_t experts, std::uint32_t rows,
                              std::uint32_t cols) {
  const GgufTensor& tensor = take(name, rows, cols, experts);
  return Weight{name,        tensor.format, rows, cols, tensor.file_offset - file_.data_start(),
                tensor.data, experts};
}

Weight WeightLoader::vector(const std::string& name, std::uint32_t cols) {
  Weight weight = matrix(name, 1, cols);
  if (!is_real(weight.format)) {
    file_.fail(
        fmt::format("tensor {} is stored as {}, but a norm's gain or a bias should be F32, F16 or BF16; "
                    "convert the model "
                    "again",
                    in_quotes(name), name_of(weight.format)));
  }
  return weight;
}

const GgufTensor& WeightLoader::take_f32(const std::string& name, std::uint32_t rows, std::uint32_t cols) {
  const GgufTensor& tensor = take(name, rows, cols);
  if (tensor.format != Format::f32) {
    file_.fail(fmt::format("tensor {} is stored as {}, but should be F32; convert the model again",
                           in_quotes(name), tensor.type_name));
  }
  return tensor;
}

Weight WeightLoader::kernel(const std::string& name, std::uint32_t rows, std::uint32_t cols) {
  const GgufTensor& tensor = take_f32(name, rows, cols);
  return Weight{name, tensor.format, rows, cols, tensor.file_offset - file_.data_start(), tensor.data};
}

std::vector<float> WeightLoader::factors_of(const std::string& name, std::uint32_t count) {
  std::vector<float> factors(count, 1.0f);
  if (!has(name)) return factors;
  const GgufTensor& tensor = take_f32(name, 1, count);
  if (file_.data() == TensorData::absent) return factors;
  std::memcpy(factors.data(), tensor.data.data(), tensor.bytes);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (!std::isfinite(factors[i]) || factors[i] <= 0.0f) {
      file_.fail(
          fmt::format("value {} of tensor '{}' is {}, but should be positive and finite; the file may be "
                      "damaged",
                      i, name, factors[i]));
    }
  }
  return factors;
}

std::vector<float> WeightLoader::rope_factors(const Hyperparameters& shape) {
  const std::uint32_t pairs = shape.rope_dims / 2;
  if (pairs == 0) return {};
  if (has(kRopeFactors) || shape.rope_scaling != RopeScaling::longrope)
    return factors_of(kRopeFactors, pairs);
  const std::vector<float> shorts = factors_of(kShortFactors, pairs), longs = factors_of(kLongFactors, pairs);
  // As the engine of these files rounds the context that it is asked for, whatever the text's length.
  constexpr std::uint32_t kContextUnit = 256;
  return round_up(shape.run_context, kContextUnit) > shape.rope_original_context ? longs : shorts;
}

void WeightLoader::refuse_unused(std::string_view architecture, std::uint32_t layers,
                                 std::uint32_t beside) const {
  const auto lies_beside = [&](std::string_view name) {
    for (std::uint32_t i = layers; i < layers + beside; ++i) {
      if (name.starts_with(fmt::format("blk.{}.", i))) return true;
    }
    return false;
  };
  constexpr std::size_t kShown = 5;
  std::string names;
  std::size_t count = 0;
  for (const GgufTensor& tensor : file_.tensors()) {
    if (used_.contains(tensor.name) || lies_beside(tensor.name) || ++count > kShown) continue;
    names += fmt::format("{}{}", count > 1 ? ", " : "", in_quotes(tensor.name));
  }
  if (count == 0) return;
  file_.fail(
      fmt::format("{} tensor(s) belong to no operator of a {} model (other biases and adapters are not "
                  "supported): {}{}; use a model without them",
                  count, architecture, names, count > kShown ? ", ..." : ""));
}

}  // namespace tokencycle::model
