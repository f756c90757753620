# SPDX-License-Identifier: Apache-2.0
"""Tensor formats of GGUF: encodes float32 arrays, decodes stored rows. All arithmetic is float32.

The block formats follow ggml's reference quantizers (quantize_row_q8_0_ref and quantize_row_q4_0_ref in
ggml-quants.c): blocks of 32 values of a row, each a float16 scale d and 32 integers.
"""

import numpy

BLOCK = 32
F32, F16, Q4_0, Q8_0 = 0, 1, 2, 8  # ggml's numbers of the types
NAMES = {"F32": F32, "F16": F16, "Q4_0": Q4_0, "Q8_0": Q8_0}
FILE_TYPES = {F32: 0, F16: 1, Q4_0: 2, Q8_0: 7}  # general.file_type of a file that is mostly this


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
    """The bytes of a float32 array in the format `kind`; block formats need rows of a multiple of 32."""
    values = numpy.ascontiguousarray(values, dtype="<f4")
    if kind == F32:
        return values.tobytes()
    if kind == F16:
        return half(values).tobytes()
    return {Q8_0: encode_q8_0, Q4_0: encode_q4_0}[kind](values)


def size(count, kind):
    """Bytes of `count` values."""
    return {F32: 4 * count, F16: 2 * count, Q8_0: count // BLOCK * 34, Q4_0: count // BLOCK * 18}[kind]


def decode(data, kind, shape):
    """The float32 array of `shape` that the bytes stand for."""
    if kind in (F32, F16):
        return numpy.frombuffer(data, "<f4" if kind == F32 else "<f2").astype(numpy.float32).reshape(shape)
    width = BLOCK if kind == Q8_0 else BLOCK // 2
    blocks = numpy.frombuffer(data, dtype=[("d", "<f2"), ("q", "i1" if kind == Q8_0 else "u1", width)])
    q = blocks["q"]
    if kind == Q4_0:
        q = numpy.concatenate((q & 15, q >> 4), axis=1).astype(numpy.int8) - 8
    return (blocks["d"].astype(numpy.float32)[:, None] * q).astype(numpy.float32).reshape(shape)
