#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A graph whose every tensor is float16 does not round or overflow between its nodes in ONNX Runtime 1.32.0 on a processor, even with all
# optimizations off: 2048 + 1 + 1 is 2050 where float16 gives 2048, and the root of 300 x 300 is 300 where float16 gives infinity.
# The nodes are computed in float32, and values pass between them without the casts to float16. One node at a time it does round: split
# the graph, and the result changes. Logits of an fp16 model from this runtime are no golden values for fp16 arithmetic.
source "$(dirname "$0")/support/steps.sh"
python_packages numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
found=$(python3 - <<'CODE'
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

def answer(nodes, **inputs):
    info = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT16, [1])
    graph = helper.make_graph(nodes, "g", [info(name) for name in inputs], [info("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    how = ort.SessionOptions()
    how.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), how, providers=["CPUExecutionProvider"])
    return session.run(None, {name: np.array([value], np.float16) for name, value in inputs.items()})[0][0]

node = helper.make_node
sums = answer([node("Add", ["x", "one"], ["a"]), node("Add", ["a", "one"], ["y"])], x=2048, one=1)
once = answer([node("Add", ["x", "one"], ["y"])], x=2048, one=1)
root = answer([node("Mul", ["x", "x"], ["a"]), node("Sqrt", ["a"], ["y"])], x=300)
square = answer([node("Mul", ["x", "x"], ["y"])], x=300)
with np.errstate(over="ignore"):
    by_hand = np.float16(2048) + np.float16(1) + np.float16(1), np.sqrt(np.float16(300) * np.float16(300))
print(f"{sums:g} and {root:g} in one graph, {once:g} and {square:g} after the first node alone, {by_hand[0]:g} and {by_hand[1]:g} by numpy")
CODE
)
expect "2048 + 1 + 1 and sqrt(300 x 300)" "$found" "2050 and 300 in one graph, 2048 and inf after the first node alone, 2048 and inf by numpy"
