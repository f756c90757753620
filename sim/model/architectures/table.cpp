// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <stdexcept>

#include "model/architectures/architectures.h"
#include "model/config_json_text.h"
#include "model/gguf/reader.h"

namespace tokencycle::model {
namespace {

constexpr std::string_view kSilu = "silu, swish";
constexpr std::string_view kGelu = "gelu_pytorch_tanh, gelu_new, gelu_fast, gelu";
constexpr RopePairs kAdjacent = RopePairs::adjacent, kSplit = RopePairs::split;
constexpr NormKind kRms = NormKind::rms, kLayer = NormKind::layer, kCentered = NormKind::centered;

constexpr Architecture kArchitectures[] = {
    {"llama", "LlamaForCausalLM, LLaMAForCausalLM, MistralForCausalLM, MixtralForCausalLM",
     "llama, mistral, mixtral", "Llama 1 to 3, Mistral, Mixtral, SmolLM 2", kAdjacent, kRms, kSilu,
     build_llama, read_llama_file, read_llama_config, Experts::optional},
    {"qwen2", "Qwen2ForCausalLM", "qwen2", "Qwen 2, Qwen 2.5", kSplit, kRms, kSilu, build_qwen2,
     read_qwen_file, read_qwen2_config},
    {"qwen3", "Qwen3ForCausalLM", "qwen3", "Qwen 3 (dense)", kSplit, kRms, kSilu, build_qwen3, read_qwen_file,
     read_qwen3_config},
    {"qwen3moe", "Qwen3MoeForCausalLM", "qwen3_moe", "Qwen 3 with experts", kSplit, kRms, kSilu,
     build_qwen3moe, read_qwen_file, read_qwen3moe_config, Experts::all},
    {"qwen35", "Qwen3_5ForCausalLM, Qwen3_5ForConditionalGeneration", "qwen3_5, qwen3_5_text",
     "Qwen 3.5 (text, dense)", kSplit, kRms, kSilu, build_qwen35, read_qwen35_file, read_qwen35_config,
     Experts::none, set_qwen35_defaults},
    {"qwen35moe", "Qwen3_5MoeForCausalLM, Qwen3_5MoeForConditionalGeneration",
     "qwen3_5_moe, qwen3_5_moe_text", "Qwen 3.5 with experts (text)", kSplit, kRms, kSilu, build_qwen35,
     read_qwen35_file, read_qwen35moe_config, Experts::all, set_qwen35moe_defaults},
    {"olmoe", "OlmoeForCausalLM", "olmoe", "OLMoE", kSplit, kRms, kSilu, build_olmoe, nullptr,
     read_olmoe_config, Experts::all},
    {"gpt-oss", "GptOssForCausalLM", "gpt_oss", "gpt-oss", kSplit, kRms, kSilu, build_gptoss,
     read_gptoss_file, read_gptoss_config, Experts::all, set_gptoss_defaults, Layers::equal,
     Routers::of_chosen},
    {"deepseek2", "DeepseekV2ForCausalLM, DeepseekV3ForCausalLM", "deepseek_v2, deepseek_v3",
     "DeepSeek 2 and 3", kAdjacent, kRms, kSilu, build_deepseek2, read_deepseek2_file, read_deepseek2_config,
     Experts::optional, nullptr, Layers::equal, Routers::either, Heads::latent},
    {"gemma", "GemmaForCausalLM", "gemma", "Gemma", kSplit, kRms, kGelu, build_gemma, read_gemma_file,
     read_gemma_config, Experts::none, set_gemma_defaults},
    {"gemma2", "Gemma2ForCausalLM", "gemma2", "Gemma 2", kSplit, kRms, kGelu, build_gemma2, read_gemma2_file,
     read_gemma2_config, Experts::none, set_gemma_defaults},
    {"gemma3", "Gemma3ForCausalLM, Gemma3ForConditionalGeneration", "gemma3, gemma3_text", "Gemma 3 (text)",
     kSplit, kRms, kGelu, build_gemma3, read_gemma3_file, read_gemma3_config, Experts::none,
     set_gemma3_defaults},
    {"gemma4", "Gemma4ForCausalLM, Gemma4ForConditionalGeneration", "gemma4, gemma4_text", "Gemma 4 (text)",
     kSplit, kRms, kGelu, build_gemma4, read_gemma4_file, read_gemma4_config, Experts::optional,
     set_gemma4_defaults, Layers::different},
    {"phi3", "Phi3ForCausalLM", "phi3", "Phi 3, Phi 3.5, Phi 4", kSplit, kRms, kSilu, build_phi3,
     read_phi3_file, read_phi3_config, Experts::none, set_phi3_defaults},
    {"gpt2", "GPT2LMHeadModel", "gpt2", "GPT-2", kAdjacent, kLayer, kGelu, build_gpt2, read_gpt2_file,
     read_gpt2_config, Experts::none, set_gpt2_defaults},
    {"gptneox", "GPTNeoXForCausalLM", "gpt_neox", "GPT-NeoX, Pythia", kSplit, kLayer, kGelu, build_gptneox,
     read_gptneox_file, read_gptneox_config, Experts::none, set_gptneox_defaults},
    {"stablelm", "StableLmForCausalLM, StableLMEpochForCausalLM", "stablelm, stablelm_epoch",
     "StableLM 3B, StableLM 2 1.6B", kSplit, kLayer, kSilu, build_stablelm, nullptr, read_stablelm_config,
     Experts::none, set_gptneox_defaults},
    {"olmo2", "Olmo2ForCausalLM, Olmo3ForCausalLM", "olmo2, olmo3", "OLMo 2, OLMo 3", kSplit, kRms, kSilu,
     build_olmo2, read_olmo2_file, read_olmo2_config},
    {"granite", "GraniteForCausalLM", "granite", "Granite 3 (dense)", kAdjacent, kRms, kSilu, build_granite,
     read_granite_file, read_granite_config},
    {"command-r", "CohereForCausalLM", "cohere", "Command R, Aya 23 (to 63 layers)", kAdjacent, kCentered,
     kSilu, build_commandr, read_commandr_file, read_commandr_config, Experts::none, set_commandr_defaults},
    {"smollm3", "SmolLM3ForCausalLM", "smollm3", "SmolLM 3", kAdjacent, kRms, kSilu, build_smollm3,
     read_smollm3_file, read_smollm3_config},
    {"lfm2", "Lfm2ForCausalLM, LFM2ForCausalLM", "lfm2", "LFM 2 (dense)", kSplit, kRms, kSilu, build_lfm2,
     read_lfm2_file, read_lfm2_config, Experts::none, set_lfm2_defaults, Layers::different},
    {"lfm2moe", "Lfm2MoeForCausalLM", "lfm2_moe", "LFM 2 with experts", kSplit, kRms, kSilu, build_lfm2,
     read_lfm2moe_file, read_lfm2moe_config, Experts::all, set_lfm2moe_defaults, Layers::different,
     Routers::either},
    {"lstm", "", "", "LSTM", kSplit, kRms, kSilu, build_lstm, nullptr, nullptr, Experts::none, nullptr,
     Layers::cells},
    {"gru", "", "", "GRU", kSplit, kRms, kSilu, build_gru, nullptr, nullptr, Experts::none, nullptr,
     Layers::cells},
    {"vit", "", "", "vision Transformer: classes of images", kSplit, kLayer, kGelu, build_vit, read_vit_file,
     nullptr, Experts::none, nullptr, Layers::equal, Routers::softmax, Heads::own, Result::classes},
    {"encoder", "", "", "text encoder: classes of texts", kSplit, kLayer, kGelu, build_encoder,
     read_encoder_file, nullptr, Experts::none, nullptr, Layers::equal, Routers::softmax, Heads::own,
     Result::classes},
};

}  // namespace

bool is_listed(std::string_view names, std::string_view name) {
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t comma = std::min(names.find(", ", at), names.size());
    if (names.substr(at, comma - at) == name) return true;
    at = comma + 2;
  }
  return false;
}

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

const Architecture& architecture_of(const ConfigObject& config, const ConfigObject& outer) {
  // Where a part of the file describes the text, its own names come first, and its type before the whole's.
  for (const ConfigObject* object : {&config, &outer}) {
    const auto names = object->texts("architectures");
    const auto type = object->text("model_type");
    std::string known;
    for (const Architecture& a : kArchitectures) {
      if (names && names->size() == 1 && is_listed(a.config_names, names->front())) return a;
      if (!names && type && is_listed(a.config_types, *type)) return a;
      if (a.config_names.empty()) continue;
      known += fmt::format("{}{}", known.empty() ? "" : ", ", a.config_names);
    }
    if (names || object == &outer) {
      object->fail("architectures", fmt::format("supported is one of {}; use such a model", known));
    }
  }
  throw std::logic_error("unreachable");
}

}  // namespace tokencycle::model
