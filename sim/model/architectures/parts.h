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

// The keys of one architecture, each behind its name and a dot. Knows which were read: the others are
// refused.
class Metadata {
 public:
  Metadata(const GgufFile& from, std::string_view architecture)
      : file(from), prefix(std::string(architecture) + ".") {}

  const GgufFile& file;
  const std::string prefix;

  std::string key_of(std::string_view name) const;
  bool has(std::string_view name) const { return file.find(key_of(name)) != nullptr; }
  // Whole numbers of 1 to `limit`.
  std::uint32_t require_size(std::string_view name, std::uint32_t limit) const;
  std::optional<std::uint32_t> get_size(std::string_view name, std::uint32_t limit) const;
  // A size that some converters store as one value for each layer; then all must be equal.
  std::optional<std::uint32_t> get_uniform_size(std::string_view name, std::uint32_t layers,
                                                std::uint32_t limit) const;
  // One value for each layer, or one for all; as an array also 0.
  std::optional<std::vector<std::uint32_t>> get_layer_sizes(std::string_view name, std::uint32_t layers,
                                                            std::uint32_t limit) const;
  // Flags or whole numbers, one for each layer; 0 is false.
  std::optional<std::vector<bool>> get_layer_flags(std::string_view name, std::uint32_t layers) const;
  // A positive number that is finite as fp32. `zero_is_none`: 0 counts as absent, as converters write it.
  std::optional<double> get_positive(std::string_view name, bool zero_is_none = false) const;
  double require_positive(std::string_view name) const;
  bool boolean(std::string_view name, bool by_default) const;
  // Throws ModelError for a size out of range.
  void check_range(std::string_view key, std::uint64_t value, std::uint32_t limit) const;
  // Throws ModelError that names keys of the architecture that were not read and may change the result.
  void refuse_unread() const;

 private:
  std::vector<std::uint64_t> integers_of(const std::string& key, const GgufArray& array,
                                         std::uint32_t layers) const;

  mutable std::set<std::string, std::less<>> read_;
};

// Reads and checks the metadata. The vocabulary is the number of rows of token_embd.weight, the output is
// tied when output.weight is absent. `context` as LlamaModel has it. Throws ModelError.
Hyperparameters read_hyperparameters(const GgufFile& file, const Architecture& architecture,
                                     std::optional<RopePairs> rope_pairs, std::uint32_t context);

// The window and its layers: a key for each layer or a period n, of which the last has none; `by_default`
// where the file has neither (0: all layers have the window). Does nothing without a window.
void read_window(const Metadata& m, Hyperparameters& shape, std::uint32_t by_default,
                 std::uint32_t window_by_default = 0);
// leading_dense_block_count: how many layers come before those with experts.
void read_leading_dense(const Metadata& m, Hyperparameters& shape);
// By layer: whether it has the window, with a period as above.
std::vector<bool> periodic_layers(std::uint32_t layers, std::uint32_t period);

// Hands out tensors by name, with their shapes and types checked, and knows which were never asked for.
class WeightLoader final : public TensorSource {
 public:
  explicit WeightLoader(const GgufFile& file) : file_(file) {}

  Weight matrix(const std::string& name, std::uint32_t rows, std::uint32_t cols) override;
  Weight matrices(const std::string& name, std::uint32_t experts, std::uint32_t rows,
                  std::uint32_t cols) override;
  Weight vector(const std::string& name, std::uint32_t cols) override;  // F32, F16 or BF16
  Weight kernel(const std::string& name, std::uint32_t rows, std::uint32_t cols) override;  // F32
  bool has(const std::string& name) const override { return file_.find_tensor(name) != nullptr; }

  // What divides the angle of each pair: the values (F32) of rope_freqs.weight, or of longrope those of
  // rope_factors_long.weight or rope_factors_short.weight, whichever the run's context asks for. All 1 when
  // the file has none, or none of its bytes.
  std::vector<float> rope_factors(const Hyperparameters& shape);

  // Refuses tensors that nobody asked for: their effect would silently be lost. But for those of `beside`
  // layers behind the model's.
  void refuse_unused(std::string_view architecture, std::uint32_t layers, std::uint32_t beside) const;

 private:
  const GgufTensor& take(const std::string& name, std::uint32_t rows, std::uint32_t cols,
                         std::uint32_t experts = 1);
  const GgufTensor& take_f32(const std::string& name, std::uint32_t rows, std::uint32_t cols);
  std::vector<float> factors_of(const std::string& name, std::uint32_t count);

  const GgufFile& file_;
  std::set<std::string, std::less<>> used_;
};

// The angles of shape.rotary and shape.local_rotary.
void set_rotary_angles(Hyperparameters& shape, const std::vector<float>& factors);

// [positions][pairs][2]: cos and sin of each position's angles (numerics/README.md).
std::vector<float> make_rotary_table(const RotaryTable& angles, std::uint32_t positions);

}  // namespace tokencycle::model
