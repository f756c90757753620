#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A word of 101 characters is one unknown token in Hugging Face's tokenizers 0.23.3 (WordPiece, the tokenizer of BERT and of most embedding
# models), although its pieces are in the vocabulary and a word of 100 is cut into them. llama.cpp v0.5.0 (npm @node-llama-cpp/linux-x64
# 3.22.1) has no such limit for the same vocabulary as GGUF. Long identifiers, hashes and joined words embed differently in the two.
source "$(dirname "$0")/support/steps.sh"
engine_libraries
python_packages numpy==2.4.6 gguf==0.19.0 tokenizers==0.23.3
cat >count.cpp <<'CODE'
#include <cstdio>
#include <cstring>
#include <vector>

#include "ggml-backend.h"
#include "llama.h"
// count CPU-LIBRARY MODEL TEXT...: how many tokens each text is
int main(int argc, char** argv) {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  if (ggml_backend_load(argv[1]) == nullptr) return 2;
  llama_model_params how = llama_model_default_params();
  how.vocab_only = true;
  const llama_vocab* words = llama_model_get_vocab(llama_model_load_from_file(argv[2], how));
  for (int t = 3; t < argc; ++t) {
    std::vector<llama_token> ids(256);
    std::printf(" %d", llama_tokenize(words, argv[t], int(std::strlen(argv[t])), ids.data(), 256, false, false));
  }
}
CODE
engine_program count
found=$(LIBRARY=$libraries/libggml-cpu-x64.so python3 - <<'CODE'
import os, subprocess
import gguf
from tokenizers import Tokenizer, models

special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
file = gguf.GGUFWriter("w.gguf", "bert")
for add in (file.add_context_length, file.add_embedding_length, file.add_feed_forward_length):
    add(32)
file.add_block_count(1)
file.add_head_count(1)
file.add_layer_norm_eps(1e-5)
file.add_causal_attention(False)
file.add_tokenizer_model("bert")
file.add_token_list([*special, "\u2581a", "a"])  # GGUF marks the first piece of a word, WordPiece the others
file.add_token_scores([0.0] * 6)
file.add_token_types([3, 2, 3, 3, 1, 1])
file.add_token_type_count(2)
file.add_pad_token_id(0)
file.add_unk_token_id(1)
file.add_bos_token_id(2)
file.add_sep_token_id(3)
file.write_header_to_file()
file.write_kv_data_to_file()
file.close()
words = ["a" * 100, "a" * 101]
library = Tokenizer(models.WordPiece({**{name: i for i, name in enumerate(special)}, "a": 4, "##a": 5}, unk_token="[UNK]"))
engine = subprocess.run(["./count", os.environ["LIBRARY"], "w.gguf", *words], capture_output=True, text=True, check=True).stdout
print(f"{[len(library.encode(word).ids) for word in words]} by the library, [{', '.join(engine.split())}] by the engine")
CODE
)
expect "tokens of a word of 100 and of 101 letters" "$found" "[100, 1] by the library, [100, 101] by the engine"
