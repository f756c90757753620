#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A Q8_1 block has 40 bytes for the Python package gguf (0.19.0; also 0.17.1) and 36 for ggml 0.25.1 (npm @node-llama-cpp/linux-x64
# 3.22.1), whose scale and sum are halves and no longer floats. Every other format that both know has the same size. Whoever takes a table of formats
# from the Python package sizes the activations of Q4_1 and Q5_1 products wrongly.
source "$(dirname "$0")/support/steps.sh"
engine_libraries
python_packages gguf==0.19.0
found=$(LIBRARY=$libraries/libggml-base.so python3 - <<'CODE'
import ctypes, os
import gguf
ggml = ctypes.CDLL(os.environ["LIBRARY"])
ggml.ggml_type_size.restype = ctypes.c_size_t
ggml.ggml_blck_size.restype = ctypes.c_int64
differ = []
for number, (block, size) in gguf.GGML_QUANT_SIZES.items():
    there = ggml.ggml_blck_size(int(number)), ggml.ggml_type_size(int(number))
    if there != (block, size):
        differ.append(f"{number.name} {size} and {there[1]}")
print(f"{len(gguf.GGML_QUANT_SIZES)} formats;", *differ)
CODE
)
expect "formats, and those of two sizes" "$found" "34 formats; Q8_1 40 and 36"
