// SPDX-License-Identifier: Apache-2.0
// The steps from a GGUF file to a model; private to sim/model.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/architecture.h"
#include "model/architectures/architectures.h"

namespace tokencycle::model {

// Reads and checks the metadata. The vocabulary is the number of rows of token_embd.weight, the output is
// tied when output.weight is absent. Throws ModelError.
Hyperparameters read_hyperparameters(const GgufFile& file, const Architecture& architecture,
                                     std::optional<RopePairs> rope_pairs);

// Hands out tensors by name, with their shapes and types checked, and knows which were never asked for.
class WeightLoader final : public TensorSource {
 public:
  explicit WeightLoader(const GgufFile& file) : file_(file) {}

  Weight matrix(const std::string& name, std::uint32_t rows, std::uint32_t cols) override;
  Weight vector(const std::string& name, std::uint32_t cols) override;  // F32, F16 or BF16

  // The factors of rope_freqs.weight (`count` values, F32), all 1 when the file has none, or none of its
  // bytes.
  std::vector<float> rope_factors(std::uint32_t count);

  // Refuses tensors that nobody asked for: their effect would silently be lost.
  void refuse_unused(std::string_view architecture) const;

 private:
  const GgufTensor& take(const std::string& name, std::uint32_t rows, std::uint32_t cols);

  const GgufFile& file_;
  std::set<std::string, std::less<>> used_;
};

// [context][rope_dims / 2][2]: cos and sin of each position's angles (numerics/README.md).
std::vector<float> make_rope_table(const Hyperparameters& shape, const std::vector<float>& factors);

}  // namespace tokencycle::model
