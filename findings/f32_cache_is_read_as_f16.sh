#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Asking for keys and values in f32 changes no bit of any logit while flash attention is on, the default on processors: the cache takes
# twice the memory, and its values are rounded to f16 on the way into attention. Without flash attention the same request does change the logits.
# Seen with llama.cpp v0.5.0 (npm @node-llama-cpp/linux-x64 3.22.1) and SmolLM2-135M. A comparison "with an f32 cache" may be one with f16.
source "$(dirname "$0")/support/steps.sh"
model
engine_libraries
cat >logits.cpp <<'CODE'
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "ggml-backend.h"
#include "llama.h"
// logits MODEL CPU-LIBRARY FLASH-ATTENTION: how many of the logits after a prompt depend on the type of the cache
int main(int, char** argv) {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  if (ggml_backend_load(argv[2]) == nullptr) return 2;
  llama_model* model = llama_model_load_from_file(argv[1], llama_model_default_params());
  const llama_vocab* words = llama_model_get_vocab(model);
  const std::string prompt = "The capital of France is Paris, and the capital of Italy is";
  std::vector<llama_token> ids(64);
  ids.resize(size_t(llama_tokenize(words, prompt.data(), int(prompt.size()), ids.data(), 64, true, true)));
  std::vector<float> seen[2];
  for (const int f32 : {0, 1}) {
    llama_context_params how = llama_context_default_params();
    how.n_ctx = 256;
    how.n_threads = how.n_threads_batch = 1;
    how.flash_attn_type = std::atoi(argv[3]) != 0 ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    how.type_k = how.type_v = f32 ? GGML_TYPE_F32 : GGML_TYPE_F16;
    llama_context* context = llama_init_from_model(model, how);
    if (llama_decode(context, llama_batch_get_one(ids.data(), int(ids.size()))) != 0) return 1;
    const float* logits = llama_get_logits_ith(context, -1);
    seen[f32].assign(logits, logits + llama_vocab_n_tokens(words));
  }
  size_t different = 0;
  for (size_t i = 0; i < seen[0].size(); ++i) different += seen[0][i] != seen[1][i];
  std::printf("%s\n", different == 0 ? "none" : different * 2 > seen[0].size() ? "most" : "some");
}
CODE
engine_program logits
expect "logits that the cache's type changes, flash attention" "$(./logits model.gguf "$libraries/libggml-cpu-x64.so" 1)" "none"
expect "logits that the cache's type changes, no flash attention" "$(./logits model.gguf "$libraries/libggml-cpu-x64.so" 0)" "most"
