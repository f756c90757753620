#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ggml quantizes to Q8_0 in two ways. The quantizer of files (quantize_row_q8_0_ref, and the Python package gguf) rounds halves
# away from zero; the one that quantizes activations before each product rounds them to even on processors with AVX. Seen with ggml 0.25.1
# (npm @node-llama-cpp/linux-x64 3.22.1): its library for plain x86-64 follows the first, the one for Haswell the second, so a
# row of halves gives other bytes, and a product another result. Of normal random numbers about 1 block in 10,000 differs.
source "$(dirname "$0")/support/steps.sh"
engine_libraries
python_packages gguf==0.19.0 numpy==2.2.6
quantized() {
  LIBRARIES=$libraries python3 - "$1" <<'CODE'
import ctypes, os, sys
import numpy
import gguf
row = numpy.zeros(32, numpy.float32)
row[:6] = 127, 0.5, 1.5, 2.5, -0.5, -2.5  # the largest is 127: the scale is 1
out = numpy.zeros(34, numpy.uint8)
pointer = lambda array: array.ctypes.data_as(ctypes.c_void_p)
folder = os.environ["LIBRARIES"]
base = ctypes.CDLL(f"{folder}/libggml-base.so", mode=ctypes.RTLD_GLOBAL)
if sys.argv[1] == "gguf":
    out = gguf.quants.quantize(row, gguf.GGMLQuantizationType.Q8_0)
elif sys.argv[1] == "file":
    base.quantize_row_q8_0_ref(pointer(row), pointer(out), ctypes.c_int64(32))
else:
    ctypes.CDLL(f"{folder}/libggml-cpu-{sys.argv[1]}.so").quantize_row_q8_0(pointer(row), pointer(out), ctypes.c_int64(32))
print(*out[2:8].view(numpy.int8))
CODE
}
expect "the quantizer of files" "$(quantized file)" "127 1 2 3 -1 -3"
expect "the Python package gguf" "$(quantized gguf)" "127 1 2 3 -1 -3"
expect "activations, x86-64's library" "$(quantized x64)" "127 1 2 3 -1 -3"
expect "activations, Haswell's library" "$(quantized haswell)" "127 0 2 2 0 -2"
