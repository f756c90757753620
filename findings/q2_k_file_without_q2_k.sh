#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A GGUF file that was quantized as Q2_K, and says so in general.file_type, holds no Q2_K tensor at all; one of Q4_K_M holds 16
# of Q4_K, and is larger than Q4_1. k-quants have blocks of 256, and the rows of SmolLM2-135M have 576 elements, so 180 of its 211
# matrices fall back to formats of 32. Seen with llama.cpp v0.5.0 (npm @node-llama-cpp/linux-x64 3.22.1), which warns; the file that
# comes out does not. What a model costs in bytes and in multipliers is in its tensors, never in its name or its file type.
source "$(dirname "$0")/support/steps.sh"
model
engine_libraries
python_packages gguf==0.19.0
cat >quantize.cpp <<'CODE'
#include <cstdlib>

#include "ggml-backend.h"
#include "llama.h"
// quantize FROM TO FILE-TYPE CPU-LIBRARY
int main(int, char** argv) {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  if (ggml_backend_load(argv[4]) == nullptr) return 2;
  llama_model_quantize_params how = llama_model_quantize_default_params();
  how.ftype = llama_ftype(std::atoi(argv[3]));
  how.allow_requantize = true;
  how.nthread = 1;
  return int(llama_model_quantize(argv[1], argv[2], &how));
}
CODE
engine_program quantize
contents() {
  python3 - "$1" <<'CODE'
import collections, sys
import gguf
file = gguf.GGUFReader(sys.argv[1])
count = collections.Counter(tensor.tensor_type.name for tensor in file.tensors)
print(gguf.LlamaFileType(file.fields["general.file_type"].contents()).name, *(f"{n}x{t}" for t, n in sorted(count.items())))
CODE
}
for type in 10 15; do ./quantize model.gguf "$type.gguf" "$type" "$libraries/libggml-cpu-x64.so"; done
expect "quantized as Q2_K" "$(contents 10.gguf)" "MOSTLY_Q2_K 61xF32 30xQ3_K 180xQ4_0 1xQ8_0"
expect "quantized as Q4_K_M" "$(contents 15.gguf)" "MOSTLY_Q4_K_M 61xF32 16xQ4_K 166xQ5_0 14xQ6_K 15xQ8_0"
expect "bytes of Q4_1, Q4_K_M" "$(stat -c %s model.gguf 15.gguf | xargs)" "98362432 105454144"
