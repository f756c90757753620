#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Blocks of random bytes and the numbers that they stand for: tests/golden/decoder_vectors.json.

Each format's rule is written here element by element from the published layout (ggml-common.h), with exact
fractions that are rounded to float32 where ggml rounds: twice an element (scale, and scale times q plus minimum).

    python3 -m modelkit.decoder_vectors --write ../tests/golden/decoder_vectors.json
    python3 -m modelkit.decoder_vectors --check ../tests/golden/decoder_vectors.json
"""

import json
import math
import random
import struct
from fractions import Fraction

from . import vectors


def rounded(value):
    """A fraction as float32, to nearest even; what is too large is infinite."""
    if value == 0:
        return 0.0
    try:
        return struct.unpack("<f", struct.pack("<f", nearest(value)))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def nearest(value):
    """The double that rounds to the same float32: the quotient of 53 bits, made odd when it is inexact."""
    double = value.numerator / value.denominator
    if Fraction(double) == value:
        return double
    bits = struct.unpack("<q", struct.pack("<d", double))[0]
    if bits & 1 == 0:  # the neighbour on the value's side has an odd last bit: no double rounding
        bits += 1 if (Fraction(double) < value) == (double > 0) else -1
    return struct.unpack("<d", struct.pack("<q", bits))[0]


def half(block, at):
    return Fraction(struct.unpack_from("<e", block, at)[0])


def bits(block, at, shift, count):
    """`count` bits from bit `shift` of byte `at` on."""
    return block[at] >> shift & (1 << count) - 1


def q4_1(block, i):
    return half(block, 0), bits(block, 4 + i % 16, i // 16 * 4, 4), half(block, 2)


def q5_0(block, i):
    q = bits(block, 6 + i % 16, i // 16 * 4, 4) + 16 * bits(block, 2 + i // 8, i % 8, 1)
    return half(block, 0), q - 16, 0


def q5_1(block, i):
    q = bits(block, 8 + i % 16, i // 16 * 4, 4) + 16 * bits(block, 4 + i // 8, i % 8, 1)
    return half(block, 0), q, half(block, 2)


def six_bits(block, group):
    """Scale and minimum of one of 8 groups from 12 bytes at 4: low bits and, for the later four, high bits."""
    if group < 4:
        return bits(block, 4 + group, 0, 6), bits(block, 8 + group, 0, 6)
    scale = bits(block, 8 + group, 0, 4) + 16 * bits(block, group, 6, 2)
    return scale, bits(block, 8 + group, 4, 4) + 16 * bits(block, 4 + group, 6, 2)


def q4_k(block, i):
    scale, minimum = six_bits(block, i // 32)
    q = bits(block, 16 + i // 64 * 32 + i % 32, i // 32 % 2 * 4, 4)
    return half(block, 0) * scale, q, -half(block, 2) * minimum


def q5_k(block, i):
    scale, minimum = six_bits(block, i // 32)
    q = bits(block, 48 + i // 64 * 32 + i % 32, i // 32 % 2 * 4, 4) + 16 * bits(block, 16 + i % 32, i // 32, 1)
    return half(block, 0) * scale, q, -half(block, 2) * minimum


def q6_k(block, i):
    part, within = divmod(i, 128)
    low = bits(block, part * 64 + within % 64, within // 64 * 4, 4)
    high = bits(block, 128 + part * 32 + within % 32, within // 32 * 2, 2)
    scale = struct.unpack_from("<b", block, 192 + i // 16)[0]
    return half(block, 208) * scale, low + 16 * high - 32, 0


def q2_k(block, i):
    part, within = divmod(i, 128)
    q = bits(block, 16 + part * 32 + within % 32, within // 32 * 2, 2)
    scale, minimum = bits(block, i // 16, 0, 4), bits(block, i // 16, 4, 4)
    return half(block, 80) * scale, q, -half(block, 82) * minimum


def q3_k(block, i):
    part, within = divmod(i, 128)
    group = i // 16
    q = bits(block, 32 + part * 32 + within % 32, within // 32 * 2, 2) + 4 * bits(block, i % 32, i // 32, 1) - 4
    scale = bits(block, 96 + group % 8, group // 8 * 4, 4) + 16 * bits(block, 104 + group % 4, group // 4 * 2, 2)
    return half(block, 108) * (scale - 32), q, 0


def e2m1(code):
    """Twice an FP4 number."""
    exponent, mantissa = code >> 1 & 3, code & 1
    magnitude = Fraction(mantissa, 2) if exponent == 0 else (1 + Fraction(mantissa, 2)) * 2 ** (exponent - 1)
    return int(2 * magnitude) * (-1 if code >> 3 else 1)


def mxfp4(block, i):
    return Fraction(2) ** (block[0] - 127) / 2, e2m1(bits(block, 1 + i % 16, i // 16 * 4, 4)), 0


IQ4_TABLE = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)


def iq4_nl(block, i):
    return half(block, 0), IQ4_TABLE[bits(block, 2 + i % 16, i // 16 * 4, 4)], 0


def iq4_xs(block, i):
    group, within = divmod(i, 32)
    scale = bits(block, 4 + group // 2, group % 2 * 4, 4) + 16 * bits(block, 2 + group // 4, group % 4 * 2, 2) - 32
    return half(block, 0) * scale, IQ4_TABLE[bits(block, 8 + group * 16 + within % 16, within // 16 * 4, 4)], 0


def tq1_0(block, i):
    # Strides of digits and bytes in the three parts; a byte is the digits' fraction of base 3, rounded up.
    first, begin, stride = (0, 0, 32) if i < 160 else (160, 32, 16) if i < 240 else (240, 48, 4)
    number, byte = divmod(i - first, stride)
    rest = block[begin + byte]
    for _ in range(number):
        rest = rest * 3 % 256
    return half(block, 52), rest * 3 // 256 - 1, 0


def tq2_0(block, i):
    part, within = divmod(i, 128)
    return half(block, 64), bits(block, part * 32 + within % 32, within // 32 * 2, 2) - 1, 0


def nvfp4(block, i):
    group, within = divmod(i, 16)
    code = bits(block, 4 + group * 8 + within % 8, within // 8 * 4, 4)
    exponent, mantissa = block[group] >> 3 & 15, Fraction(block[group] & 7, 8)
    scale = mantissa * Fraction(2) ** -6 if exponent == 0 else (1 + mantissa) * Fraction(2) ** (exponent - 7)
    return (0 if block[group] == 0x7F else scale / 2), e2m1(code), 0


def q1_0(block, i):
    return half(block, 0), 2 * bits(block, 2 + i // 8, i % 8, 1) - 1, 0


def q2_0(block, i):
    return half(block, 0), bits(block, 2 + i // 4, i % 4 * 2, 2) - 1, 0


# Name: (elements and bytes of a block, places of float16 numbers, rule). A rule gives scale, q and minimum.
FORMATS = {
    "q4_1": (32, 20, (0, 2), q4_1),
    "q5_0": (32, 22, (0,), q5_0),
    "q5_1": (32, 24, (0, 2), q5_1),
    "q4_k": (256, 144, (0, 2), q4_k),
    "q5_k": (256, 176, (0, 2), q5_k),
    "q6_k": (256, 210, (208,), q6_k),
    "q2_k": (256, 84, (80, 82), q2_k),
    "q3_k": (256, 110, (108,), q3_k),
    "mxfp4": (32, 17, (), mxfp4),
    "iq4_nl": (32, 18, (0,), iq4_nl),
    "iq4_xs": (256, 136, (0,), iq4_xs),
    "tq1_0": (256, 54, (52,), tq1_0),
    "tq2_0": (256, 66, (64,), tq2_0),
    "nvfp4": (64, 36, (), nvfp4),
    "q1_0": (128, 18, (0,), q1_0),
    "q2_0": (64, 18, (0,), q2_0),
}


def block_of(draw, size, halves):
    block = bytearray(draw.randbytes(size))
    for at in halves:
        struct.pack_into("<e", block, at, draw.choice((1, -1)) * 2 ** draw.uniform(-14, 4))
    return block


def values(block, elements, rule):
    for i in range(elements):
        scale, q, minimum = rule(block, i)
        product = rounded(Fraction(rounded(scale)) * q)
        yield product if math.isinf(product) else rounded(Fraction(product) + Fraction(rounded(minimum)))


def vector(draw, name, index):
    elements, size, halves, rule = FORMATS[name]
    block = block_of(draw, size, halves)
    if name == "mxfp4":
        block[0] = (0, 1, 2, 100, 127, 254, 255)[index]
    elif name == "nvfp4":
        block[:4] = (bytes((0, 1, 7, 8)), bytes((0x7D, 0x7E, 0x7F, 0x80)), bytes((0x38, 0xB8, 0xFE, 0xFF)))[index]
    # Without the sign of zeros, which a fraction does not have.
    numbers = [struct.unpack("<I", struct.pack("<f", v))[0] for v in values(block, elements, rule)]
    return {"format": name, "block": block.hex(), "values": "".join(f"{v:08x}" for v in numbers)}


def compose():
    draw = random.Random(41)
    about = (
        "Random blocks in memory order and their values (bits of float32, 8 digits each; zeros without sign). "
        "Made by scripts/modelkit/decoder_vectors.py."
    )
    count = {"mxfp4": 7}
    entries = ",\n".join(json.dumps(vector(draw, name, i)) for name in FORMATS for i in range(count.get(name, 3)))
    return f'{{"about": {json.dumps(about)},\n"vectors": [\n{entries}\n]}}\n'


if __name__ == "__main__":
    vectors.main(__doc__, compose, lambda text: len(json.loads(text)["vectors"]))
