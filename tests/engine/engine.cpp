// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <fmt/format.h>
#include <ggml-backend.h>
#include <llama.h>

#include <cstdio>
#include <stdexcept>

namespace tokencycle::engine {

namespace {

// Warnings and errors alone: it reports every tensor otherwise.
void log(ggml_log_level level, const char* text, void*) {
  if (level == GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
}

void load_once(const std::string& cpu) {
  static const std::string loaded = [&] {
    llama_log_set(log, nullptr);
    const std::string path = fmt::format("{}/libggml-cpu-{}.so", TOKENCYCLE_ENGINE_LIBRARIES, cpu);
    if (ggml_backend_load(path.c_str()) == nullptr) {
      throw std::runtime_error(fmt::format("{} does not load on this processor", path));
    }
    llama_backend_init();
    return cpu;
  }();
  if (loaded != cpu) {
    throw std::runtime_error(
        fmt::format("this process runs the engine's {} code; {} needs another process", loaded, cpu));
  }
}

llama_token signed_id(std::uint32_t id) {
  return static_cast<llama_token>(id);
}

template <class T>
std::vector<T> values_of(const ggml_tensor* tensor) {
  std::vector<T> values(static_cast<std::size_t>(ggml_nelements(tensor)));
  ggml_backend_tensor_get(tensor, values.data(), 0, values.size() * sizeof(T));
  return values;
}

// Called before (`ask`) and after each tensor of the graph is computed. The routers' are named with their
// layer.
bool note_routing(ggml_tensor* tensor, bool ask, void* routings) {
  constexpr std::string_view kName = "ffn_moe_argsort-";
  const std::string_view name = ggml_get_name(tensor);
  if (!name.starts_with(kName)) return false;
  if (ask) return true;
  const int layer = std::stoi(std::string(name.substr(kName.size())));
  const std::vector<std::int32_t> order = values_of<std::int32_t>(tensor);
  (*static_cast<std::map<int, Routing>*>(routings))[layer] = {static_cast<std::size_t>(tensor->ne[0]),
                                                              values_of<float>(tensor->src[0]),
                                                              {order.begin(), order.end()}};
  return true;
}

}  // namespace

struct Engine::Parts {
  llama_model* model = nullptr;
  const llama_vocab* vocabulary = nullptr;
  llama_context* context = nullptr;
  std::vector<float> logits;
  std::map<int, Routing> routings;
  llama_pos position = 0;
  ~Parts() {
    if (context != nullptr) llama_free(context);
    if (model != nullptr) llama_model_free(model);
  }
};

bool processor_has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("f16c");
}

Engine::Engine(const std::filesystem::path& model, bool vocabulary_only, const Pins& pins)
    : parts_(std::make_unique<Parts>()) {
  load_once(pins.cpu);
  llama_model_params how = llama_model_default_params();
  how.vocab_only = vocabulary_only;
  how.n_gpu_layers = 0;
  parts_->model = llama_model_load_from_file(model.c_str(), how);
  if (parts_->model == nullptr)
    throw std::runtime_error(fmt::format("the engine does not load {}", model.string()));
  parts_->vocabulary = llama_model_get_vocab(parts_->model);
  if (vocabulary_only) return;

  llama_context_params context = llama_context_default_params();
  context.n_ctx = 0;  // the model's
  context.n_batch = 2048;
  context.n_ubatch = pins.micro_batch;
  context.n_threads = context.n_threads_batch = 1;
  context.flash_attn_type =
      pins.flash_attention ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  context.type_k = context.type_v = pins.f32_cache ? GGML_TYPE_F32 : GGML_TYPE_F16;
  context.cb_eval = note_routing;
  context.cb_eval_user_data = &parts_->routings;
  parts_->context = llama_init_from_model(parts_->model, context);
  if (parts_->context == nullptr) throw std::runtime_error(fmt::format("no context for {}", model.string()));
}

Engine::~Engine() = default;

std::vector<std::uint32_t> Engine::tokenize(std::string_view text, bool add_special,
                                            bool parse_special) const {
  std::vector<llama_token> ids(text.size() + 8);
  const std::int32_t count =
      llama_tokenize(parts_->vocabulary, text.data(), static_cast<std::int32_t>(text.size()), ids.data(),
                     static_cast<std::int32_t>(ids.size()), add_special, parse_special);
  if (count < 0)
    throw std::runtime_error(fmt::format("{} bytes became more than {} tokens", text.size(), ids.size()));
  return {ids.begin(), ids.begin() + count};
}

std::string Engine::spelling(std::uint32_t token) const {
  std::string text(512, '\0');
  const std::int32_t length = llama_token_to_piece(parts_->vocabulary, signed_id(token), text.data(),
                                                   static_cast<std::int32_t>(text.size()), 0, false);
  if (length < 0)
    throw std::runtime_error(fmt::format("token {} is longer than {} bytes", token, text.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

bool Engine::ends_text(std::uint32_t token) const {
  return llama_vocab_is_eog(parts_->vocabulary, signed_id(token));
}

std::uint32_t Engine::vocabulary() const {
  return static_cast<std::uint32_t>(llama_vocab_n_tokens(parts_->vocabulary));
}

std::span<const float> Engine::append(std::span<const std::uint32_t> tokens, std::size_t rows) {
  const std::size_t count = tokens.size();
  llama_batch batch = llama_batch_init(static_cast<std::int32_t>(count), 0, 1);
  batch.n_tokens = static_cast<std::int32_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    batch.token[i] = signed_id(tokens[i]);
    batch.pos[i] = parts_->position + static_cast<llama_pos>(i);
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = 0;
    batch.logits[i] = i + rows >= count ? 1 : 0;
  }
  const std::int32_t failure = llama_decode(parts_->context, batch);
  llama_batch_free(batch);
  if (failure != 0) throw std::runtime_error(fmt::format("the engine's llama_decode returned {}", failure));
  parts_->position += static_cast<llama_pos>(count);
  parts_->logits.clear();
  for (std::size_t i = count - rows; i < count; ++i) {
    const float* row = llama_get_logits_ith(parts_->context, static_cast<std::int32_t>(i));
    parts_->logits.insert(parts_->logits.end(), row, row + vocabulary());
  }
  return parts_->logits;
}

const std::map<int, Routing>& Engine::routings() const {
  return parts_->routings;
}

void Engine::reset() {
  llama_memory_clear(llama_get_memory(parts_->context), true);
  parts_->position = 0;
}

std::optional<std::string> chat_prompt(const std::string& chat_template, const std::string& message) {
  const llama_chat_message turn{"user", message.c_str()};
  std::string text(message.size() + 1024, '\0');
  const std::int32_t length = llama_chat_apply_template(chat_template.c_str(), &turn, 1, true, text.data(),
                                                        static_cast<std::int32_t>(text.size()));
  if (length < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(length));
  return text;
}

void quantize_file(const std::filesystem::path& from, const std::filesystem::path& to, int file_type) {
  load_once(Pins{}.cpu);
  llama_model_quantize_params how = llama_model_quantize_default_params();
  how.ftype = static_cast<llama_ftype>(file_type);
  how.allow_requantize = true;
  how.nthread = 1;
  if (llama_model_quantize(from.c_str(), to.c_str(), &how) != 0) {
    throw std::runtime_error(fmt::format("the engine does not quantize {}", from.string()));
  }
}

}  // namespace tokencycle::engine
