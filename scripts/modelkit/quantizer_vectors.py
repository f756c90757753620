#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Test vectors for the tensor formats: rows of float32 and the bytes that they are stored as.

The bytes come from the scalar functions below, written from the rules of ggml's reference quantizers with
Python's own arithmetic; --check compares them, and the file, with modelkit.blocks. The C++ tests read the
same file.

Usage: PYTHONPATH=scripts python3 -m modelkit.quantizer_vectors [--write | --check] tests/golden/quantizer_vectors.json
"""

import json
import math
import random
import struct

import numpy

from . import blocks, vectors

BLOCK = 32


def single(value):
    """Rounds a Python float to float32. One +, -, * or / of float32 values, so rounded, is float32's."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def half_bytes(value):
    """The two bytes of a value as float16, to nearest even."""
    try:
        return struct.pack("<e", value)
    except OverflowError:
        return struct.pack("<e", math.copysign(math.inf, value))


def round_away(value):
    """C's roundf: to the nearest integer, halves away from zero."""
    whole = math.floor(abs(value))
    whole += abs(value) - whole >= 0.5
    return int(math.copysign(whole, value))


def q8_0_block(x):
    """d = max |x| / 127, q = roundf(x * (1 / d))."""
    d = single(max(abs(v) for v in x) / 127.0)
    inverse = single(1.0 / d) if d else 0.0
    return half_bytes(d) + struct.pack("<32b", *(round_away(single(v * inverse)) for v in x))


def q4_0_block(x):
    """d = m / -8 with m the first value of largest magnitude (+0 if all are 0), q = min(15, int8(x / d + 8.5))."""
    d = single(max([0.0, *x], key=abs) / -8.0)
    inverse = single(1.0 / d) if d else 0.0
    q = [min(15, int(single(single(v * inverse) + 8.5))) for v in x]
    return half_bytes(d) + bytes(q[j] | q[j + 16] << 4 for j in range(16))


def q8_1_block(x):
    """d and q as q8_0, and between them s = d * (sum of q), with d as float32."""
    d = single(max(abs(v) for v in x) / 127.0)
    q = q8_0_block(x)[2:]
    return half_bytes(d) + half_bytes(single(sum(struct.unpack("<32b", q)) * d)) + q


def q4_1_block(x):
    """d = (max - min) / 15, m = min, q = min(15, int8((x - m) / d + 0.5)); of equal values the first."""
    least = min(x)
    d = single(single(max(x) - least) / 15.0)
    inverse = single(1.0 / d) if d else 0.0
    q = [min(15, int(single(single(single(v - least) * inverse) + 0.5))) for v in x]
    return half_bytes(d) + half_bytes(least) + bytes(q[j] | q[j + 16] << 4 for j in range(16))


def rows():
    """(name, values) of each test row; all values are float32."""
    draw = random.Random(32)

    def normal(deviation, count=BLOCK):
        return [single(draw.gauss(0.0, deviation)) for _ in range(count)]

    def filled(values):
        return [single(v) for v in values] + [0.0] * (BLOCK - len(values))

    steps = [sign * (k + 0.5) for k in range(8) for sign in (1, -1)]
    below_half = single(0.5 - 2.0**-25)
    yield "zeros", [0.0] * BLOCK
    yield "negative zeros", [-0.0] * BLOCK
    yield "ramp", [single(0.1 * (i - 16)) for i in range(BLOCK)]
    yield "largest magnitude twice, positive first", filled([0.5, 2.0, -1.0, -2.0, 0.25, 1.75, -1.75])
    yield "largest magnitude twice, negative first", filled([0.5, -2.0, -1.0, 2.0, 0.25, 1.75, -1.75])
    yield "q8_0 halves with d = 1: away from zero", filled([127.0, 126.5, -126.5, *steps])
    yield "q8_0 just below a half: down", filled([127.0, below_half, -below_half, single(1.5 - 2.0**-23), -1.25])
    yield "q4_0 halves with d = 1", filled([-8.0, 7.5, 7.4375, *steps[:-2]])
    yield "q4_0 with d = -1: the other end saturates at 15", filled([8.0, -8.0, -7.5, -7.0, -6.5, *steps[:-2]])
    yield "one outlier", filled([1000.0, 1.0, -1.0, 3.9, -3.95, 62.4, -62.6])
    yield "constant", [single(-0.3)] * BLOCK
    yield "weights", normal(0.02)
    yield "weights, two blocks", normal(0.02, 2 * BLOCK)
    yield "activations, four blocks", normal(1.0, 4 * BLOCK)
    yield "large activations", normal(300.0)
    yield "uniform", [single(draw.uniform(-1.0, 1.0)) for _ in range(BLOCK)]
    yield "scale is a float16 subnormal", normal(1e-5)
    yield "scale is float16 zero, integers are not", normal(1e-8)
    yield "scale is a float16 infinity", filled([1e7, -9e6, 5e6, 1.0])
    ties = [1 + 2.0**-11, 1 + 3 * 2.0**-11, -1 - 2.0**-11, 2049.0, 2051.0, 65519.0, 65520.0, -65520.0, 65504.0]
    tiny = [
        2.0**-24,
        2.0**-25,
        3 * 2.0**-26,
        3 * 2.0**-25,
        -(2.0**-25),
        2.0**-14,
        2.0**-14 - 2.0**-25,
        1e-40,
        -1e-45,
    ]
    yield "float16 ties, overflow and subnormals", filled(ties + tiny)
    for index in range(8):
        yield f"random {index}", normal(math.exp(draw.uniform(-6.0, 6.0)))


def vector(name, values):
    """One entry of the file."""
    parts = [values[i : i + BLOCK] for i in range(0, len(values), BLOCK)]
    return {
        "name": name,
        "input": [f"{struct.unpack('<I', struct.pack('<f', v))[0]:08x}" for v in values],
        "f16": b"".join(map(half_bytes, values)).hex(),
        "q8_0": b"".join(map(q8_0_block, parts)).hex(),
        "q4_0": b"".join(map(q4_0_block, parts)).hex(),
        "q8_1": b"".join(map(q8_1_block, parts)).hex(),
        "q4_1": b"".join(map(q4_1_block, parts)).hex(),
    }


def compose():
    """The whole file as text."""
    about = (
        "Rows of float32 (bits in hexadecimal) and their bytes in each format, in memory order. "
        "Made by scripts/modelkit/quantizer_vectors.py."
    )
    entries = ",\n".join(json.dumps(vector(name, values)) for name, values in rows())
    return f'{{"about": {json.dumps(about)},\n"vectors": [\n{entries}\n]}}\n'


def check(text):
    """Compares the stored vectors with modelkit.blocks; returns how many there are."""
    stored = json.loads(text)["vectors"]
    for entry in stored:
        bits = numpy.array([int(value, 16) for value in entry["input"]], dtype=numpy.uint32)
        for name in ("f16", "q8_0", "q4_0"):  # the formats that export_gguf.py writes
            encoded = blocks.encode(bits.view(numpy.float32), blocks.NAMES[name.upper()]).hex()
            if encoded != entry[name]:
                raise SystemExit(f"{entry['name']}: {name} gives {encoded}, expected {entry[name]}")
    return len(stored)


if __name__ == "__main__":
    vectors.main(__doc__, compose, check)
