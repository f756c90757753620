#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GELU of f32 numbers is a table of f16 numbers: the engine rounds each argument to f16 and gives what it stored for it, rounded to f16 too.
# Arguments of 1 and 1.0004 have one GELU (0.8411920 and 0.8416252 by the formula, 0.8413086 here), and a model's feed-forward part that is f32 in the file and in the graph has 11 bits there.
# SiLU and the form with erf are f32. Guess before the run: all three are. Seen with ggml of llama.cpp v0.5.0 (npm @node-llama-cpp/linux-x64
# 3.22.1) on a processor.
source "$(dirname "$0")/support/steps.sh"
engine_libraries
cat >gelu.cpp <<'CODE'
#include <cstdio>
#include <cstring>
#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml.h>

int main(int, char** arguments) {
  ggml_backend_load_all_from_path(arguments[1]);
  ggml_backend_t cpu = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr);
  ggml_context* context = ggml_init({ggml_tensor_overhead() * 8 + ggml_graph_overhead(), nullptr, true});
  ggml_tensor* x = ggml_new_tensor_1d(context, GGML_TYPE_F32, 2);
  const char* name = arguments[2];
  ggml_tensor* y = std::strcmp(name, "gelu") == 0       ? ggml_gelu(context, x)
                   : std::strcmp(name, "gelu_erf") == 0 ? ggml_gelu_erf(context, x)
                                                        : ggml_silu(context, x);
  ggml_cgraph* graph = ggml_new_graph(context);
  ggml_build_forward_expand(graph, y);
  ggml_backend_alloc_ctx_tensors(context, cpu);
  const float values[] = {1.0f, 1.0004f};
  float results[2];
  ggml_backend_tensor_set(x, values, 0, sizeof values);
  ggml_backend_graph_compute(cpu, graph);
  ggml_backend_tensor_get(y, results, 0, sizeof results);
  std::printf("%.7f %.7f\n", results[0], results[1]);
}
CODE
engine_program gelu
expect "gelu(1), gelu(1.0004)" "$(./gelu "$libraries" gelu 2>/dev/null)" "0.8413086 0.8413086"
expect "silu(1), silu(1.0004)" "$(./gelu "$libraries" silu 2>/dev/null)" "0.7310586 0.7314296"
expect "gelu_erf(1), gelu_erf(1.0004)" "$(./gelu "$libraries" gelu_erf 2>/dev/null)" "0.8413447 0.8417780"
