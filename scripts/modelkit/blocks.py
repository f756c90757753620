# SPDX-License-Identifier: Apache-2.0
"""Tensor formats of GGUF: encodes float32 arrays, decodes stored rows. All arithmetic is float32.

The block formats follow ggml's reference quantizers. Of Q8_0 and Q4_0 (quantize_row_q8_0_ref and
quantize_row_q4_0_ref in ggml-quants.c) a block is a float16 scale d and 32 integers; quantizers.py has the
others, which are only encoded.
"""

import numpy

from . import quantizers

BLOCK = 32
F32, F16, Q4_0, Q8_0 = 0, 1, 2, 8  # ggml's numbers of the types
DECODED = (F32, F16, Q4_0, Q8_0)
# ggml's number of the type, general.file_type of a file that is mostly this, elements and bytes of a block, and
# what stands in for it where rows are no multiple of the block.
TYPES = {
    "F32": (F32, 0, 1, 4, None),
    "F16": (F16, 1, 1, 2, None),
    "Q8_0": (Q8_0, 7, 32, 34, "F16"),
    "Q4_0": (Q4_0, 2, 32, 18, "F16"),
    "Q4_1": (3, 3, 32, 20, "F16"),
    "Q5_0": (6, 8, 32, 22, "F16"),
    "Q5_1": (7, 9, 32, 24, "F16"),
    "Q2_K": (10, 10, 256, 84, "Q4_0"),
    "Q3_K": (11, 11, 256, 110, "Q4_0"),
    "Q4_K": (12, 14, 256, 144, "Q5_0"),
    "Q5_K": (13, 16, 256, 176, "Q5_1"),
    "Q6_K": (14, 18, 256, 210, "Q8_0"),
    "IQ4_NL": (20, 25, 32, 18, "F16"),
    "IQ4_XS": (23, 30, 256, 136, "IQ4_NL"),
    "TQ1_0": (34, 36, 256, 54, "Q4_0"),
    "TQ2_0": (35, 37, 256, 66, "Q4_0"),
    "MXFP4": (39, 38, 32, 17, "F16"),
    "NVFP4": (40, 39, 64, 36, "F16"),
    "Q1_0": (41, 40, 128, 18, "F16"),
    "Q2_0": (42, 41, 64, 18, "Q4_0"),
}
NAMES = {name: row[0] for name, row in TYPES.items()}
ROWS = {row[0]: (name, *row[1:]) for name, row in TYPES.items()}
PART = 4096  # blocks that are quantized at once, for memory
FILE_TYPES = {number: row[1] for number, row in ROWS.items()}


def fitting(kind, columns):
    """`kind`, or what stands in for it in rows of so many values."""
    while columns % ROWS[kind][2]:
        kind = NAMES[ROWS[kind][4]]
    return kind


def inverse(scale):
    """1 / scale, and 0 where the scale is 0."""
    with numpy.errstate(divide="ignore", over="ignore"):
        return numpy.where(scale != 0, numpy.float32(1) / scale, numpy.float32(0)).astype(numpy.float32)


def half(values):
    """To float16, to nearest even; too large becomes infinite."""
    with numpy.errstate(over="ignore"):
        return values.astype("<f2")


def encode_q8_0(values):
    """d = max |x| / 127, q = round(x / d), half away from zero; a block is d, then 32 int8."""
    x = values.reshape(-1, BLOCK)
    scale = numpy.abs(x).max(axis=1, keepdims=True) / numpy.float32(127)
    with numpy.errstate(over="ignore", invalid="ignore"):
        scaled = numpy.nan_to_num(x * inverse(scale), nan=0.0).clip(-127, 127)
    whole = numpy.trunc(scaled)
    rest = scaled - whole  # exact
    rounded = whole + (rest >= 0.5) - (rest <= -0.5)
    blocks = numpy.empty(len(x), dtype=[("d", "<f2"), ("q", "i1", BLOCK)])
    blocks["d"], blocks["q"] = half(scale[:, 0]), rounded.astype(numpy.int8)
    return blocks.tobytes()


def encode_q4_0(values):
    """d = m / -8 with m the (first) value of largest magnitude, q = min(15, int(x / d + 8.5)).

    A block is d, then 16 bytes: byte j holds q[j] in its low and q[j + 16] in its high half.
    """
    x = values.reshape(-1, BLOCK)
    extreme = numpy.take_along_axis(x, numpy.abs(x).argmax(axis=1)[:, None], axis=1)
    scale = (extreme + numpy.float32(0)) / numpy.float32(-8)  # the sum makes -0 a +0
    with numpy.errstate(over="ignore", invalid="ignore"):
        scaled = x * inverse(scale) + numpy.float32(8.5)
    q = numpy.nan_to_num(scaled, nan=0.0).clip(0, 15).astype(numpy.uint8)
    blocks = numpy.empty(len(x), dtype=[("d", "<f2"), ("q", "u1", BLOCK // 2)])
    blocks["d"], blocks["q"] = half(scale[:, 0]), q[:, : BLOCK // 2] | q[:, BLOCK // 2 :] << 4
    return blocks.tobytes()


def encode(values, kind):
    """The bytes of a float32 array in the format `kind`, whose blocks its rows must fill."""
    values = numpy.ascontiguousarray(values, dtype="<f4")
    if kind == F32:
        return values.tobytes()
    if kind == F16:
        return half(values).tobytes()
    if kind in DECODED:
        return {Q8_0: encode_q8_0, Q4_0: encode_q4_0}[kind](values)
    name, _, elements, *_ = ROWS[kind]
    quantize = getattr(quantizers, name.lower())
    blocks = values.reshape(-1, elements)
    with numpy.errstate(over="ignore"):  # to infinity, in searches
        return b"".join(quantize(blocks[i : i + PART]).tobytes() for i in range(0, len(blocks), PART))


def size(count, kind):
    """Bytes of `count` values."""
    _, _, elements, length, _ = ROWS[kind]
    return count // elements * length


def decode(data, kind, shape):
    """The float32 array of `shape` that the bytes stand for; `kind` is one of DECODED."""
    if kind in (F32, F16):
        return numpy.frombuffer(data, "<f4" if kind == F32 else "<f2").astype(numpy.float32).reshape(shape)
    width = BLOCK if kind == Q8_0 else BLOCK // 2
    blocks = numpy.frombuffer(data, dtype=[("d", "<f2"), ("q", "i1" if kind == Q8_0 else "u1", width)])
    q = blocks["q"]
    if kind == Q4_0:
        q = numpy.concatenate((q & 15, q >> 4), axis=1).astype(numpy.int8) - 8
    return (blocks["d"].astype(numpy.float32)[:, None] * q).astype(numpy.float32).reshape(shape)
