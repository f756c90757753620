#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the Python quantizers' bytes those of ggml_quantize_chunk? Usage: quantizers_test.py LIBGGML-BASE.SO"""

import ctypes
import pathlib
import sys

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from modelkit import blocks  # noqa: E402


def inputs(elements):
    """(name, rows of `elements`): weights of all sizes, and what is at the edge of a quantizer's rules."""
    draw = numpy.random.default_rng(7)

    def normal(rows, deviation):
        return draw.normal(0, deviation, (rows, elements))

    yield "weights", normal(64, 0.02)
    yield "of many sizes", normal(64, 1) * numpy.exp2(draw.integers(-20, 20, (64, 1)))
    sizes = numpy.exp2(draw.integers(-8, 8, (32, elements // 16)))
    yield "each group of another size", normal(32, 1) * sizes.repeat(16, 1)
    yield "uniform", draw.uniform(-1, 1, (16, elements))
    yield "positive", numpy.abs(normal(16, 1)) + 0.5
    yield "negative", -numpy.abs(normal(16, 1)) - 0.5
    yield "few values", draw.integers(-3, 4, (32, elements)) * 0.5
    yield "halves", draw.integers(-16, 17, (32, elements)) * 0.5
    yield "ternary", draw.integers(-1, 2, (16, elements)) * 0.37
    yield "zeros", numpy.zeros((2, elements))
    yield "constant", numpy.full((2, elements), -0.3)
    yield "groups of zeros", normal(32, 1) * draw.integers(0, 2, (32, elements // 16)).repeat(16, 1)
    yield "one value", numpy.eye(32, elements) * 5
    yield "outliers", normal(32, 0.02) * numpy.where(draw.uniform(size=(32, elements)) < 0.01, 100, 1)
    yield "powers of two", numpy.exp2(draw.integers(-30, 15, (32, elements))) * draw.choice([-1, 1], (32, elements))
    yield "large", normal(8, 3e4)
    yield "small", normal(8, 1e-6)


def main():
    """Prints what differs; exit code 1 if anything does."""
    library = ctypes.CDLL(sys.argv[1])
    quantize = library.ggml_quantize_chunk
    quantize.restype = ctypes.c_size_t
    quantize.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
    failures = 0
    for name, number in blocks.NAMES.items():
        if number in (blocks.F32, blocks.F16):
            continue
        size, count = blocks.size(256, number), 0
        for what, values in inputs(256):
            values = numpy.ascontiguousarray(values, numpy.float32)
            theirs = numpy.zeros((len(values), size), numpy.uint8)
            quantize(number, values.ctypes.data, theirs.ctypes.data, 0, len(values), 256, None)
            ours = numpy.frombuffer(blocks.encode(values, number), numpy.uint8).reshape(theirs.shape)
            count += len(values)
            if (ours == theirs).all():
                continue
            failures += 1
            row, byte = numpy.argwhere(ours != theirs)[0]
            rows = (ours != theirs).any(axis=1).sum()
            found = f"byte {byte} is {ours[row, byte]}, the engine's {theirs[row, byte]}"
            print(f"{name}, {what}: {rows} of {len(values)} rows differ; of row {row} {found}")
        print(f"{name}: {count} rows of 256")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
