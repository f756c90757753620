#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Perplexity of GGUF files over a text, with plain float32 arithmetic in numpy on the decoded weights.

As llama.cpp measures it, with windows of 256 tokens: the text is tokenized once with BOS and cut into
windows without overlap (a last partial one is dropped); in each window the first token is replaced by BOS and
the tokens at positions 129 to 255 are scored, each given all before it in the window.

Usage: PYTHONPATH=scripts python3 -m modelkit.evaluate TEXT MODEL.gguf...
"""

import argparse
import heapq
import math
import pathlib

import numpy

from . import gguf
from .vocabularies import SPACE

WINDOW = 256


def encode(metadata, text):
    """SentencePiece-style BPE: joins, again and again, the neighbours whose union has the best score.

    Of equal scores the leftmost joins first. What is not in the vocabulary at the end becomes byte tokens.
    """
    ids = {token: index for index, token in enumerate(metadata["tokenizer.ggml.tokens"])}
    scores = metadata["tokenizer.ggml.scores"]
    prefix = SPACE if text and metadata.get("tokenizer.ggml.add_space_prefix", True) else ""
    symbols = list(prefix + text.replace(" ", SPACE))
    following = list(range(1, len(symbols) + 1))
    previous = list(range(-1, len(symbols) - 1))
    queue = []

    def offer(left):
        right = following[left] if left >= 0 else len(symbols)
        if right < len(symbols) and symbols[left] + symbols[right] in ids:
            union = symbols[left] + symbols[right]
            heapq.heappush(queue, (-scores[ids[union]], left, union))

    for left in range(len(symbols)):
        offer(left)
    while queue:
        _, left, union = heapq.heappop(queue)
        right = following[left]
        if not symbols[left] or right >= len(symbols) or symbols[left] + symbols[right] != union:
            continue  # one of the two has joined another since
        symbols[left], symbols[right] = union, ""
        following[left] = following[right]
        if following[left] < len(symbols):
            previous[following[left]] = left
        offer(previous[left])
        offer(left)
    result = [metadata["tokenizer.ggml.bos_token_id"]]
    for symbol in filter(None, symbols):
        result += [ids[symbol]] if symbol in ids else [ids[f"<0x{byte:02X}>"] for byte in symbol.encode("utf-8")]
    return result


def norm(x, gain, epsilon):
    """RMS norm over the last dimension."""
    return x / numpy.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon) * gain


def softmax(x):
    """Softmax over the last dimension."""
    e = numpy.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def rotate(x, base):
    """Turns the pairs (2i, 2i + 1) of x (time, heads, head_size) by the angles of positions 0, 1, ..."""
    size = x.shape[-1]
    angle = numpy.outer(numpy.arange(len(x)), base ** (-numpy.arange(0, size, 2) / size))[:, None, :]
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * numpy.exp(1j * angle)
    return numpy.stack((turned.real, turned.imag), axis=-1).reshape(x.shape).astype(numpy.float32)


class Network:
    """A llama-architecture model with its weights decoded to float32."""

    def __init__(self, metadata, tensors):
        self.weights = {name: tensor.load() for name, (tensor, _) in tensors.items()}
        self.layers = metadata["llama.block_count"]
        self.heads = metadata["llama.attention.head_count"]
        self.kv_heads = metadata["llama.attention.head_count_kv"]
        self.epsilon = numpy.float32(metadata["llama.attention.layer_norm_rms_epsilon"])
        self.base = metadata.get("llama.rope.freq_base", 10000.0)

    def attention(self, x, layer):
        """The attention part of a layer: x (time, width) after the norm, to (time, width)."""
        time = len(x)
        q, k, v = (x @ self.weights[f"blk.{layer}.attn_{part}.weight"].T for part in "qkv")
        q = rotate(q.reshape(time, self.heads, -1), self.base)
        k = rotate(k.reshape(time, self.kv_heads, -1), self.base).repeat(self.heads // self.kv_heads, axis=1)
        v = v.reshape(time, self.kv_heads, -1).repeat(self.heads // self.kv_heads, axis=1)
        scores = numpy.einsum("qhd,khd->hqk", q, k, optimize=True) / numpy.float32(math.sqrt(q.shape[-1]))
        scores += numpy.triu(numpy.full((time, time), -numpy.inf, dtype=numpy.float32), 1)
        out = numpy.einsum("hqk,khd->qhd", softmax(scores), v, optimize=True)
        return out.reshape(time, -1) @ self.weights[f"blk.{layer}.attn_output.weight"].T

    def logits(self, tokens):
        """Logits (time, vocabulary) after each of the tokens, from an empty cache."""
        w = self.weights
        x = w["token_embd.weight"][tokens]
        for layer in range(self.layers):
            x = x + self.attention(norm(x, w[f"blk.{layer}.attn_norm.weight"], self.epsilon), layer)
            h = norm(x, w[f"blk.{layer}.ffn_norm.weight"], self.epsilon)
            gate = h @ w[f"blk.{layer}.ffn_gate.weight"].T
            gate = gate / (1 + numpy.exp(-gate)) * (h @ w[f"blk.{layer}.ffn_up.weight"].T)
            x = x + gate @ w[f"blk.{layer}.ffn_down.weight"].T
        return norm(x, w["output_norm.weight"], self.epsilon) @ w.get("output.weight", w["token_embd.weight"]).T


class Recurrent:
    """An LSTM or GRU, the same."""

    def __init__(self, metadata, tensors):
        self.weights = {name: tensor.load() for name, (tensor, _) in tensors.items()}
        self.cell = metadata["general.architecture"]
        self.layers = metadata[f"{self.cell}.block_count"]

    def layer(self, x, layer):
        """What a layer's cell makes of x (time, width), row after row."""
        w = {name: self.weights.get(f"blk.{layer}.{name}") for name in
             ("cell_input.weight", "cell_input.bias", "cell_state.weight", "cell_state.bias")}
        x = x @ w["cell_input.weight"].T + w["cell_input.bias"]
        h = c = numpy.zeros(w["cell_state.weight"].shape[1], dtype=numpy.float32)
        rows = []
        for row in x:
            products = w["cell_state.weight"] @ h
            if self.cell == "lstm":
                i, f, o, g = numpy.split(row + products, 4)
                c = sigmoid(f) * c + sigmoid(i) * numpy.tanh(g)
                h = sigmoid(o) * numpy.tanh(c)
            else:
                products += w["cell_state.bias"]
                r, u, n = zip(numpy.split(row, 3), numpy.split(products, 3))
                n = numpy.tanh(n[0] + sigmoid(sum(r)) * n[1])
                h = n + (h - n) * sigmoid(sum(u))
            rows.append(h)
        return numpy.stack(rows)

    def logits(self, tokens):
        """Logits (time, vocabulary) after each of the tokens, from an empty state."""
        x = self.weights["token_embd.weight"][tokens]
        for layer in range(self.layers):
            x = self.layer(x, layer)
        return x @ self.weights.get("output.weight", self.weights["token_embd.weight"]).T


def sigmoid(x):
    """1 / (1 + e^-x)."""
    return 1 / (1 + numpy.exp(-x))


def network_of(metadata, tensors):
    """The network of a file."""
    recurrent = metadata["general.architecture"] in ("lstm", "gru")
    return (Recurrent if recurrent else Network)(metadata, tensors)


def perplexity(network, tokens):
    """(perplexity, scored tokens) over the windows of a tokenized text; see the top of this file."""
    losses = []
    for first in range(0, len(tokens) - WINDOW + 1, WINDOW):
        window = numpy.array([tokens[0]] + tokens[first + 1 : first + WINDOW])
        scored = numpy.arange(WINDOW // 2 + 1, WINDOW)
        probabilities = softmax(network.logits(window)[scored - 1].astype(numpy.float64))
        losses.append(-numpy.log(probabilities[numpy.arange(len(scored)), window[scored]]))
    losses = numpy.concatenate(losses)
    return math.exp(losses.mean()), len(losses)


def main():
    """Prints one line per model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path, nargs="+")
    arguments = parser.parse_args()
    text = arguments.text.read_text(encoding="utf-8")
    for path in arguments.models:
        metadata, tensors = gguf.read(path)
        value, count = perplexity(network_of(metadata, tensors), encode(metadata, text))
        print(f"{path}: {path.stat().st_size} bytes, perplexity {value:.4f} over {count} tokens")


if __name__ == "__main__":
    main()
