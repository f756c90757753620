#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A SentencePiece vocabulary trained with the library's own defaults (0.2.3) gives other ids once it is a GGUF file: the trainer's
# normalization (NFKC, and one blank instead of several) is part of tokenizer.model, but a "llama" tokenizer in GGUF holds pieces and scores alone,
# and llama.cpp v0.5.0 (npm @node-llama-cpp/linux-x64 3.22.1) normalizes nothing for it. Texts with two blanks, a blank at either end, a line break
# or a ligature differ, although every piece and score was taken over. Llama's own vocabulary was trained without normalization, so it never shows.
source "$(dirname "$0")/support/steps.sh"
engine_libraries
python_packages numpy==2.4.6 gguf==0.19.0 sentencepiece==0.2.3
cat >tokens.cpp <<'CODE'
#include <cstdio>
#include <cstring>
#include <vector>

#include "ggml-backend.h"
#include "llama.h"
// tokens CPU-LIBRARY MODEL TEXT...: a line of ids for each text
int main(int argc, char** argv) {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  if (ggml_backend_load(argv[1]) == nullptr) return 2;
  llama_model_params how = llama_model_default_params();
  how.vocab_only = true;
  const llama_vocab* words = llama_model_get_vocab(llama_model_load_from_file(argv[2], how));
  for (int t = 3; t < argc; ++t) {
    std::vector<llama_token> ids(256);
    const int count = llama_tokenize(words, argv[t], int(std::strlen(argv[t])), ids.data(), 256, false, false);
    for (int i = 0; i < count; ++i) std::printf("%s%d", i == 0 ? "" : " ", ids[size_t(i)]);
    std::printf("\n");
  }
}
CODE
engine_program tokens
found=$(LIBRARY=$libraries/libggml-cpu-x64.so TEXT=$tree/models/heldout.txt python3 - <<'CODE'
import os, subprocess
import gguf
import sentencepiece

sentencepiece.SentencePieceTrainer.train(input=os.environ["TEXT"], model_prefix="m", vocab_size=600, model_type="bpe", byte_fallback=True,
                                         minloglevel=2)
library = sentencepiece.SentencePieceProcessor(model_file="m.model")
ids = range(library.vocab_size())
kind = lambda i: 2 if library.is_unknown(i) else 3 if library.is_control(i) else 6 if library.is_byte(i) else 1
file = gguf.GGUFWriter("m.gguf", "llama")
for add in (file.add_context_length, file.add_embedding_length, file.add_feed_forward_length):
    add(32)
file.add_block_count(1)
file.add_head_count(1)
file.add_layer_norm_rms_eps(1e-5)
file.add_tokenizer_model("llama")
file.add_token_list([library.id_to_piece(i) for i in ids])
file.add_token_scores([library.get_score(i) for i in ids])
file.add_token_types([kind(i) for i in ids])
file.write_header_to_file()
file.write_kv_data_to_file()
file.close()
texts = {"one blank": "two words", "two blanks": "two  words", "a blank before": " two", "a blank behind": "two ", "a line break": "a\nb",
         "a ligature": "\ufb01ne"}
lines = subprocess.run(["./tokens", os.environ["LIBRARY"], "m.gguf", *texts.values()], capture_output=True, text=True, check=True).stdout
print("the same:", *(name for (name, text), line in zip(texts.items(), lines.splitlines()) if line == " ".join(map(str, library.encode(text)))))
CODE
)
expect "texts with the same ids from SentencePiece and from GGUF" "$found" "the same: one blank"
