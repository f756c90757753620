# SPDX-License-Identifier: Apache-2.0
"""Quantizes float32 arrays in the block formats of GGUF beyond Q8_0 and Q4_0 (blocks.py).

A function per format takes (blocks, elements of a block) float32 values and returns (blocks, bytes of a
block) uint8; all blocks are worked on at once. The bytes are those of ggml's reference quantizers without an
importance matrix (tests/engine/quantizers_test.py): every step is a float32 operation, and sums run from the
first element on. The layouts are described in sim/numerics/formats.

"Groups" are rows of values that get a scale together, and perhaps a minimum, by a search: for each of some
scales the values are rounded to steps, then the scale (and minimum) with the least weighted error for these
steps follows from least squares, and the best is kept.
"""

import numpy

ONE = numpy.float32(1)
TINY = numpy.float32(1e-15)  # groups below it are zero, in ggml
FP4 = numpy.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], numpy.float32)  # twice E2M1's numbers
# ggml's steps of the 4-bit formats that are not linear.
IQ4 = numpy.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], numpy.float32)


def quotient(a, b):
    """a / b, and 0 where b is 0."""
    with numpy.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return numpy.where(b != 0, numpy.float32(a) / b, numpy.float32(0)).astype(numpy.float32)


def total(terms):
    """The sum of each row, one term after the other."""
    result = numpy.zeros(len(terms), numpy.float32)
    for column in terms.T:
        result = result + column
    return result


def nearest(values):
    """To integers, halves to the even one."""
    with numpy.errstate(invalid="ignore"):
        return numpy.nan_to_num(numpy.rint(values)).astype(numpy.int32)


def away(values):
    """To integers, halves away from zero."""
    return (numpy.trunc(values) + numpy.trunc(2 * (values - numpy.trunc(values)))).astype(numpy.int32)


def half(values):
    """float16, to nearest even, as (n, 2) bytes; and the float32 that it stands for."""
    with numpy.errstate(over="ignore"):
        halves = numpy.ascontiguousarray(values, numpy.float32).astype("<f2")
    return halves.view(numpy.uint8).reshape(-1, 2), halves.astype(numpy.float32)


def extreme(x):
    """The first value of largest magnitude of each row; +0 where all are 0."""
    largest = numpy.take_along_axis(x, numpy.abs(x).argmax(axis=1)[:, None], axis=1)[:, 0]
    return largest + numpy.float32(0)


def ends(x):
    """The smallest and the largest value of each row; of 0 and -0 the first."""
    return [numpy.take_along_axis(x, at[:, None], axis=1)[:, 0] for at in (x.argmin(axis=1), x.argmax(axis=1))]


def join(*parts):
    """Parts of blocks side by side."""
    return numpy.concatenate([numpy.asarray(part).astype(numpy.uint8) for part in parts], axis=1)


def halves(q):
    """Bytes of 4 bits each: in each row the first half of the numbers is low, the second high."""
    middle = q.shape[1] // 2
    return q[:, :middle] & 15 | (q[:, middle:] & 15) << 4


def bits(q, width, run):
    """Packs numbers of `width` bits: of each run, part j of its 8 / width parts lies at bit width * j."""
    parts = q.reshape(len(q), -1, 8 // width, run * width // 8)
    shifts = (numpy.arange(8 // width) * width)[None, None, :, None]
    return (parts << shifts).sum(axis=2).reshape(len(q), -1)


def fifth_bits(q):
    """Bit 4 of 32 numbers as 4 bytes, the first number's lowest."""
    return numpy.packbits(q >> 4 & 1, axis=1, bitorder="little")


def q4_1(x):
    least, most = ends(x)
    scale = (most - least) / numpy.float32(15)
    q = ((x - least[:, None]) * quotient(ONE, scale)[:, None] + numpy.float32(0.5)).astype(numpy.int32)
    return join(half(scale)[0], half(least)[0], halves(numpy.minimum(q, 15)))


def q5_0(x):
    scale = extreme(x) / numpy.float32(-16)
    q = numpy.minimum((x * quotient(ONE, scale)[:, None] + numpy.float32(16.5)).astype(numpy.int32), 31)
    return join(half(scale)[0], fifth_bits(q), halves(q))


def q5_1(x):
    least, most = ends(x)
    scale = (most - least) / numpy.float32(31)
    q = ((x - least[:, None]) * quotient(ONE, scale)[:, None] + numpy.float32(0.5)).astype(numpy.int32)
    return join(half(scale)[0], half(least)[0], fifth_bits(q), halves(q))


def q1_0(x):
    scale = total(numpy.abs(x)) / numpy.float32(x.shape[1])
    return join(half(scale)[0], numpy.packbits(x >= 0, axis=1, bitorder="little"))


def q2_0(x):
    scale = numpy.abs(x).max(axis=1)
    q = (away(x * quotient(ONE, scale)[:, None]) + 1).clip(0, 3)
    return join(half(scale)[0], bits(q, 2, 4))


def ternary(x):
    scale = numpy.abs(x).max(axis=1)
    return half(scale)[0], away(x * quotient(ONE, scale)[:, None]) + 1


def base_three(digits):
    """Bytes from (n, digits, bytes) numbers 0 to 2, the first digit highest: fractions of 1 / 243 as of 1 / 256."""
    value = numpy.zeros((len(digits), digits.shape[2]), numpy.int32)
    for i in range(5):
        value = value * 3 + (digits[:, i] if i < digits.shape[1] else 0)
    return (value * 256 + 242) // 243


def tq1_0(x):
    scale, q = ternary(x)
    parts = [
        base_three(q[:, first : first + count * run].reshape(-1, count, run))
        for first, count, run in ((0, 5, 32), (160, 5, 16), (240, 4, 4))
    ]
    return join(*parts, scale)


def tq2_0(x):
    scale, q = ternary(x)
    return join(bits(q, 2, 128), scale)


def nearest_fp4(x, scale):
    """Of each value the first code whose number times the scale is nearest."""
    errors = numpy.abs(FP4 * scale[:, None, None] - x[:, :, None])
    return errors.argmin(axis=2)


def mxfp4(x):
    """The exponent is that of the largest magnitude, less the 2 of FP4's largest numbers."""
    largest = numpy.abs(x).max(axis=1)
    with numpy.errstate(divide="ignore"):
        log = numpy.floor(numpy.log2(largest.astype(numpy.float64)).astype(numpy.float32))
    exponent = numpy.where(largest > 0, log + numpy.float32(125), 0).astype(numpy.int32) & 255
    scale = numpy.ldexp(ONE, exponent - 128).astype(numpy.float32)  # half of it, as FP4 has doubles
    return join(exponent[:, None], halves(nearest_fp4(x, scale)))


def ue4m3(x):
    """Positive numbers as 4 bits of exponent (bias 7) and 3 of mantissa, halves up; at most 0x7E (448)."""
    x = numpy.minimum(x, numpy.float32(448))
    small = (x * numpy.float32(512) + numpy.float32(0.5)).astype(numpy.int32).clip(0, 7)
    rounded = (x.view(numpy.int32) + (1 << 19) >> 20) - (120 << 3)
    rounded = numpy.where(rounded < 0x78, rounded, 0x7E)  # of the largest exponent only the largest number
    code = numpy.where(x < numpy.float32(2) ** -6, small, rounded)
    exponent, mantissa = code >> 3, (code & 7).astype(numpy.float32)
    value = numpy.where(exponent == 0, numpy.ldexp(mantissa, -9), numpy.ldexp(ONE + mantissa / 8, exponent - 7))
    return code, (value * numpy.float32(0.5)).astype(numpy.float32)


def nvfp4(x):
    groups = x.reshape(-1, 16)
    code, scale = ue4m3(numpy.abs(groups).max(axis=1) / numpy.float32(6))
    return join(code.reshape(-1, 4), halves(nearest_fp4(groups, scale)).reshape(-1, 32))


def with_minimum(x, weights, most, first, step, tries, absolute):
    """Steps 0 to `most`, scale and minimum (negated) of each group: value = scale * step - minimum.

    The scales tried spread the group over most + first, most + first + step ... steps. `absolute`: errors
    count as they are, else their squares.
    """
    sum_w, sum_x = total(weights), total(weights * x)
    least, largest = ends(x)
    minimum = numpy.minimum(least, numpy.float32(0))
    flat, least = largest == minimum, minimum

    def steps(inverse):
        return nearest(inverse[:, None] * (x - minimum[:, None])).clip(0, most)

    def error(q, scale, minimum):
        difference = scale[:, None] * q.astype(numpy.float32) + minimum[:, None] - x
        return total(weights * (numpy.abs(difference) if absolute else difference * difference))

    inverse = quotient(most, largest - minimum)
    best_q, scale = steps(inverse), quotient(ONE, inverse)
    best = error(best_q, scale, minimum)
    for i in range(tries + 1):  # from the best minimum so far, not from the group's own
        reach = numpy.float32(first) + numpy.float32(step) * numpy.float32(i) + numpy.float32(most)
        q = steps(quotient(reach, largest - minimum))
        f = q.astype(numpy.float32)
        wl = weights * f
        sum_l, sum_l2, sum_xl = total(wl), total(wl * f), total(wl * x)
        determinant = sum_w * sum_l2 - sum_l * sum_l
        this_scale = quotient(sum_w * sum_xl - sum_x * sum_l, determinant)
        this_minimum = quotient(sum_l2 * sum_x - sum_l * sum_xl, determinant)
        above = this_minimum > 0
        this_scale = numpy.where(above, quotient(sum_xl, sum_l2), this_scale)
        this_minimum = numpy.where(above, numpy.float32(0), this_minimum)
        this = error(q, this_scale, this_minimum)
        better = (determinant > 0) & (this < best)
        best_q = numpy.where(better[:, None], q, best_q)
        best = numpy.where(better, this, best)
        scale = numpy.where(better, this_scale, scale)
        minimum = numpy.where(better, this_minimum, minimum)
    best_q[flat] = 0
    scale[flat] = 0
    return best_q, scale, -numpy.where(flat, least, minimum)


def requantized(x, scale, minimum, least, most, otherwise):
    """Steps of groups whose scale and minimum are rounded now; `otherwise` where the scale is 0."""
    with numpy.errstate(divide="ignore", invalid="ignore", over="ignore"):
        q = nearest((x + minimum[:, None]) / scale[:, None]).clip(least, most)
    return numpy.where((scale == 0)[:, None], otherwise, q)


def scales_of(values, most):
    """Integers 0 to `most` for the scales (or minimums) of each block, and the fp16 that they are multiples of."""
    largest = numpy.maximum(values.max(axis=1), numpy.float32(0))
    q = nearest(quotient(most, largest)[:, None] * values)
    return (q & 255).clip(0, most), *half(largest / numpy.float32(most))


def q2_k(x):
    groups = x.reshape(-1, 16)
    q, scale, minimum = with_minimum(groups, numpy.abs(groups), 3, -0.5, 0.1, 15, True)
    scales, d_bytes, d = scales_of(scale.reshape(-1, 16), 15)
    minimums, m_bytes, m = scales_of(minimum.reshape(-1, 16), 15)
    q = requantized(
        groups,
        (d[:, None] * scales.astype(numpy.float32)).ravel(),
        (m[:, None] * minimums.astype(numpy.float32)).ravel(),
        0,
        3,
        q,
    )
    return join(scales | minimums << 4, bits(q.reshape(-1, 256), 2, 128), d_bytes, m_bytes)


def groups_of_32(x, most, first, tries):
    """Of Q4_K and Q5_K: steps, and the bytes of d, dmin and of the 6-bit scales and minimums."""
    groups = x.reshape(-1, 32)
    mean = numpy.sqrt(total(groups * groups) / numpy.float32(32))
    weights = mean[:, None] + numpy.abs(groups)
    q, scale, minimum = with_minimum(groups, weights, most, first, 0.1, tries, False)
    s, d_bytes, d = scales_of(scale.reshape(-1, 8), 63)
    m, m_bytes, dm = scales_of(minimum.reshape(-1, 8), 63)
    q = requantized(
        groups,
        (d[:, None] * s.astype(numpy.float32)).ravel(),
        (dm[:, None] * m.astype(numpy.float32)).ravel(),
        0,
        most,
        q,
    )
    packed = join(s[:, :4] | s[:, 4:] >> 4 << 6, m[:, :4] | m[:, 4:] >> 4 << 6, s[:, 4:] & 15 | (m[:, 4:] & 15) << 4)
    return q.reshape(-1, 256), join(d_bytes, m_bytes, packed)


def halves_of_64(q):
    return halves(q.reshape(-1, 64)).reshape(len(q), 128)


def q4_k(x):
    q, head = groups_of_32(x, 15, -1.0, 20)
    return join(head, halves_of_64(q))


def q5_k(x):
    q, head = groups_of_32(x, 31, -0.5, 15)
    return join(head, bits(q >> 4, 1, 256), halves_of_64(q))


def symmetric(x, most):
    """Steps -most to most - 1 and the scale of each group, errors weighted by the values' squares."""
    largest = extreme(x)
    zero = numpy.abs(largest) < TINY
    weights = x * x

    def steps(reach):
        return nearest(quotient(-reach, largest)[:, None] * x).clip(-most, most - 1)

    best_q, scale, best = None, None, None
    for i in (0, *range(-9, 0), *range(1, 10)):
        q = steps(numpy.float32(most) + numpy.float32(0.1) * numpy.float32(i))
        f = q.astype(numpy.float32)
        sum_lx, sum_l2 = total(weights * x * f), total(weights * f * f)
        this = quotient(sum_lx, sum_l2)
        if best_q is None:
            best_q, scale, best = q, this, this * sum_lx
            continue
        better = (sum_l2 > 0) & (sum_lx * sum_lx > best * sum_l2)
        best_q = numpy.where(better[:, None], q, best_q)
        scale = numpy.where(better, this, scale)
        best = numpy.where(better, this * sum_lx, best)
    return numpy.where(zero[:, None], -most, best_q), numpy.where(zero, numpy.float32(0), scale)


def refined(x, most):
    """As `symmetric`, by another search: one step after the other is moved where that lessens the error."""
    largest = extreme(x)
    zero = numpy.abs(largest) < TINY
    weights = x * x
    q = nearest(quotient(-most, largest)[:, None] * x).clip(-most, most - 1)
    f = q.astype(numpy.float32)
    sum_lx, sum_l2 = total(weights * x * f), total(weights * f * f)
    moving = ~zero
    for _ in range(5):
        moved = numpy.zeros(len(x), bool)
        for i in range(x.shape[1]):
            w, v, old = weights[:, i], x[:, i], q[:, i].astype(numpy.float32)
            lx, l2 = sum_lx - w * v * old, sum_l2 - w * old * old
            new = nearest(quotient(v * l2, lx)).clip(-most, most - 1)
            n = new.astype(numpy.float32)
            new_lx, new_l2 = lx + w * v * n, l2 + w * n * n
            take = moving & (lx > 0) & (new != q[:, i]) & (new_l2 > 0)
            take &= new_lx * new_lx * sum_l2 > sum_lx * sum_lx * new_l2
            q[take, i] = new[take]
            sum_lx, sum_l2 = numpy.where(take, new_lx, sum_lx), numpy.where(take, new_l2, sum_l2)
            moved |= take
        moving &= moved
    scale = numpy.where(sum_l2 > 0, quotient(sum_lx, sum_l2), numpy.float32(0))
    return numpy.where(zero[:, None], -most, q), numpy.where(zero, numpy.float32(0), scale)


def groups_of_16(x, search, most, most_scale):
    """Of Q3_K and Q6_K: steps from 0 on, signed steps of the scales, the largest scale and the bytes of d."""
    groups = x.reshape(-1, 16)
    q, scale = search(groups, most)
    scale = scale.reshape(-1, 16)
    largest = extreme(scale)
    inverse = quotient(-most_scale, largest)
    d_bytes, d = half(quotient(ONE, inverse))
    scales = nearest(inverse[:, None] * scale).clip(-most_scale, most_scale - 1)
    by = (d[:, None] * scales.astype(numpy.float32)).ravel()
    q = requantized(groups, by, numpy.zeros_like(by), -most, most - 1, q)
    return (q + most).reshape(-1, 256), scales, largest, d_bytes


def q6_k(x):
    q, scales, largest, d_bytes = groups_of_16(x, symmetric, 32, 128)
    low = halves(q.reshape(-1, 128)).reshape(-1, 128)
    block = join(low, bits(q >> 4, 2, 128), scales, d_bytes)
    block[numpy.abs(largest) < TINY] = 0
    return block


def q3_k(x):
    q, scales, largest, d_bytes = groups_of_16(x, refined, 4, 32)
    scales = numpy.where((largest != 0)[:, None], scales + 32, 0)
    return join(bits(q >> 2, 1, 256), bits(q & 3, 2, 128), halves(scales), bits(scales >> 4, 2, 16), d_bytes)


def nearest_iq4(x):
    """Of each value the index of the nearest step; of two as near the upper one."""
    upper = numpy.searchsorted(IQ4, x, side="right").clip(1, 15)
    index = numpy.where(x - IQ4[upper - 1] < IQ4[upper] - x, upper - 1, upper)
    return numpy.where(x <= IQ4[0], 0, numpy.where(x >= IQ4[15], 15, index))


def iq4_scales(x):
    """The scale of each group of 32, errors weighted by the values' squares."""
    largest = extreme(x)
    weights = x * x
    scale, best = None, None
    for i in (None, *range(-7, 8)):
        if i is None:
            inverse = quotient(ONE, -largest / IQ4[0])
        else:
            inverse = quotient(numpy.float32(i) + IQ4[0], largest)
        steps = IQ4[nearest_iq4(inverse[:, None] * x)]
        sum_qx, sum_q2 = total(weights * steps * x), total(weights * steps * steps)
        this = quotient(sum_qx, sum_q2)
        if scale is None:
            scale, best = this, this * sum_qx
            continue
        better = (sum_q2 > 0) & (sum_qx * sum_qx > best * sum_q2)
        scale, best = numpy.where(better, this, scale), numpy.where(better, this * sum_qx, best)
    return numpy.where(numpy.abs(largest) < TINY, numpy.float32(0), scale)


def iq4_nl(x):
    scale = iq4_scales(x)
    return join(half(scale)[0], halves(nearest_iq4(quotient(ONE, scale)[:, None] * x)))


def iq4_xs(x):
    groups = x.reshape(-1, 32)
    scale = iq4_scales(groups).reshape(-1, 8)
    d = -extreme(scale) / numpy.float32(32)
    scales = nearest(quotient(ONE, d)[:, None] * scale).clip(-32, 31)
    inverse = quotient(ONE, d[:, None] * scales.astype(numpy.float32)).ravel()
    q = nearest_iq4(inverse[:, None] * groups)
    scales = scales + 32
    low = scales[:, 0::2] & 15 | (scales[:, 1::2] & 15) << 4
    high = ((scales >> 4).reshape(-1, 2, 4) << numpy.array([0, 2, 4, 6])).sum(axis=2)
    return join(half(d)[0], high, low, halves(q).reshape(-1, 128))
