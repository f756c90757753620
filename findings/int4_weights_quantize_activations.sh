#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A float32 product whose weights alone are int4 (DequantizeLinear by blocks of 32, then MatMul) is half a percent off in ONNX Runtime 1.32.0 with
# its default options: it fuses both nodes to MatMulNBits of accuracy level 4, which quantizes the activations to 8 bits. The graph never asked for it.
# With basic optimizations, or with the session's qdq_matmulnbits_accuracy_level at 1, the same graph is exact to 1e-6. "Weights only" is a
# statement about the file; what is multiplied must be asked of the engine, for its accuracy and for its time.
source "$(dirname "$0")/support/steps.sh"
python_packages numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
found=$(python3 - <<'CODE'
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

rows, k, n, block = 4, 256, 64, 32
random = np.random.default_rng(1)
x = random.standard_normal((rows, k)).astype(np.float32)
q = random.integers(-8, 8, (k, n))
scale = (random.random((k // block, n)) / 10).astype(np.float32)
exact = x.astype(np.float64) @ (q * np.repeat(scale.astype(np.float64), block, axis=0))
graph = helper.make_graph(
    [helper.make_node("DequantizeLinear", ["q", "scale"], ["w"], axis=0, block_size=block), helper.make_node("MatMul", ["x", "w"], ["y"])],
    "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, k])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [rows, n])],
    [helper.make_tensor("q", TensorProto.INT4, [k, n], q.flatten().tolist()), numpy_helper.from_array(scale, "scale")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()

def error(level, accuracy=None):
    how = ort.SessionOptions()
    how.graph_optimization_level = level
    if accuracy is not None:
        how.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", accuracy)
    y = ort.InferenceSession(model, how, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    off = np.abs(y - exact).max() / np.abs(exact).max()
    return "exact" if off < 1e-6 else "some thousandths off" if off > 0.001 else f"{off:.1g} off"

level = ort.GraphOptimizationLevel
print(f"{error(level.ORT_ENABLE_ALL)} by default, {error(level.ORT_ENABLE_BASIC)} with basic optimizations, {error(level.ORT_ENABLE_ALL, '1')} at level 1")
CODE
)
expect "a float32 product with int4 weights" "$found" "some thousandths off by default, exact with basic optimizations, exact at level 1"
