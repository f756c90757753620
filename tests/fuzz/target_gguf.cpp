// SPDX-License-Identifier: Apache-2.0
// A GGUF file, from its first byte to the logits of one token.
#include <algorithm>

#include "fuzz/gguf_document.h"
#include "fuzz/support.h"
#include "model/architecture.h"
#include "model/reference/reference.h"
#include "model/sampler.h"
#include "support/synthetic_model.h"

namespace tokencycle::fuzz {
namespace {

using namespace tokencycle::model;

// Beyond these the model is opened without its rotary table, or not executed: for the speed of the search
// alone.
constexpr std::uint64_t kMostAngles = 1 << 16, kMostWeightBytes = 1 << 18;

bool small_enough_for_a_table(const GgufFile& file) {
  const GgufValue* context = file.find("llama.context_length");
  const auto* positions = context == nullptr ? nullptr : std::get_if<std::uint64_t>(context);
  return positions == nullptr || *positions <= kMostAngles / 64;
}

void check_tensors(const GgufFile& file) {
  const Input all = file.bytes();
  for (const GgufTensor& tensor : file.tensors()) {
    require(tensor.data.size() == tensor.bytes, "a tensor without all of its bytes");
    const bool inside =
        tensor.data.empty() || (tensor.data.data() >= all.data() &&
                                tensor.data.data() + tensor.data.size() <= all.data() + all.size());
    require(inside, "a tensor outside its file");
    require(file.find_tensor(tensor.name) == &tensor, "a tensor that is not found by its name");
  }
  require(file.digest().size() == 32, "a digest of another length");
}

void execute(const LlamaModel& model) {
  std::uint64_t weights = 0;
  for (const GgufTensor& tensor : model.file().tensors()) weights += tensor.bytes;
  if (weights > kMostWeightBytes || model.file().data() == TensorData::absent) return;
  Reference reference(model, Format::f16);
  const std::span<const float> logits = reference.step(model.shape().vocabulary - 1);
  require(logits.size() == model.shape().vocabulary, "logits of another number than the vocabulary");
  try {
    for (const double temperature : {0.0, 0.8}) {
      Sampler sampler(SamplerOptions{.temperature = temperature});
      require(sampler.next(logits) < model.shape().vocabulary, "a sampled token outside the vocabulary");
    }
  } catch (const SimulationError& error) {  // logits that are no numbers
    require(std::string_view(error.what()).size() > 10, "a refusal of logits that says nothing");
  }
}

bool feed(Input input) {
  const MemoryFile file(input);
  try {
    GgufFile opened(file.path());
    check_tensors(opened);
    const bool small = small_enough_for_a_table(opened);
    const LlamaModel model(small ? std::move(opened) : GgufFile(file.path(), TensorData::absent));
    execute(model);
    return true;
  } catch (const ModelError& error) {
    check_refusal(error, file.path(), {ExitCode::model});
    return false;
  }
}

std::vector<Seed> seeds() {
  test::SyntheticModel spec;
  spec.layers = 1;
  spec.width = spec.feed_forward = 32;
  spec.heads = 2;
  spec.kv_heads = 1;
  spec.context = 16;
  spec.vocabulary = 8;
  spec.tokenizer = test::SyntheticTokenizer::none;
  std::vector<Seed> all;
  for (int f = 0; f < kFormats; ++f) {
    const auto format = static_cast<Format>(f);
    if (!kModelFormats.has(format)) continue;
    spec.matrices = format;
    spec.feed_forward = std::max(32u, block_elements(format));  // one matrix has it, the others f16
    spec.rope_factors = format == Format::q4_0;
    spec.tied = format == Format::f16;
    spec.rope_scale = format == Format::bf16 ? 2.0f : 1.0f;
    spec.head_dim = format == Format::q8_0 ? 32 : 0;
    all.push_back({std::string(name_of(format)), test::synthetic_gguf(spec).bytes()});
  }
  spec.matrices = Format::q4_0;
  spec.feed_forward = 32;
  spec.vocabulary = 259;
  for (const auto tokenizer : {test::SyntheticTokenizer::llama, test::SyntheticTokenizer::gpt2}) {
    spec.tokenizer = tokenizer;
    all.push_back({tokenizer == test::SyntheticTokenizer::llama ? "with_llama" : "with_gpt2",
                   test::synthetic_gguf(spec).bytes()});
  }
  return all;
}

}  // namespace

Target gguf_target() {
  return {"gguf", feed, mutate_gguf, seeds};
}

}  // namespace tokencycle::fuzz
