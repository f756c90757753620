#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same model file, prompt and engine, at temperature 0 on one thread, state two different populations of the United
# States. Seen with llama.cpp v0.5.0 (ggml 0.25.1; npm @node-llama-cpp/linux-x64 3.22.1), x86-64 with AVX2: the library for
# Haswell processors and the one for any x86-64 processor, which the engine chooses between by the processor it finds, part
# at the fifteenth token, where the two best logits are 0.013 apart; so do flash attention (the default) and none.
# A greedy text is therefore no reference for another implementation unless code path and attention are stated with it.
source "$(dirname "$0")/support/steps.sh"
model
engine_libraries
cat >greedy.cpp <<'CODE'
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "ggml-backend.h"
#include "llama.h"
// greedy MODEL CPU-LIBRARY FLASH-ATTENTION
int main(int, char** argv) {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  if (ggml_backend_load(argv[2]) == nullptr) return 2;
  llama_model* model = llama_model_load_from_file(argv[1], llama_model_default_params());
  llama_context_params how = llama_context_default_params();
  how.n_ctx = 256;
  how.n_threads = how.n_threads_batch = 1;
  how.flash_attn_type = std::atoi(argv[3]) != 0 ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  llama_context* context = llama_init_from_model(model, how);
  const llama_vocab* words = llama_model_get_vocab(model);
  const std::string prompt = "The capital of France is";
  llama_token ids[64];
  int count = llama_tokenize(words, prompt.data(), int(prompt.size()), ids, 64, true, true);
  std::string text;
  for (int i = 0; i < 18; ++i) {
    if (llama_decode(context, llama_batch_get_one(ids, count)) != 0) return 1;
    const float* logits = llama_get_logits_ith(context, -1);
    ids[0] = llama_token(std::max_element(logits, logits + llama_vocab_n_tokens(words)) - logits);
    count = 1;
    char piece[64];
    text.append(piece, size_t(llama_token_to_piece(words, ids[0], piece, 64, 0, false)));
  }
  std::printf("%s", text.substr(text.find("approximately")).c_str());
}
CODE
engine_program greedy
expect "Haswell's library, flash attention" "$(./greedy model.gguf "$libraries/libggml-cpu-haswell.so" 1)" "approximately 321 million people"
expect "x86-64's library, flash attention" "$(./greedy model.gguf "$libraries/libggml-cpu-x64.so" 1)" "approximately 311 million people"
expect "Haswell's library, no flash attention" "$(./greedy model.gguf "$libraries/libggml-cpu-haswell.so" 0)" "approximately 311 million people"
