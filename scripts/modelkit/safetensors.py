# SPDX-License-Identifier: Apache-2.0
"""Reads and writes safetensors files: a header length (uint64), a JSON header, then the raw tensors."""

import json
import struct

import numpy

from .tensors import Tensor

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


def write(path, arrays):
    """Writes float32 arrays (dict from name to array) to `path`."""
    header, offset = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + 4 * array.size]}
        offset += 4 * array.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            out.write(numpy.ascontiguousarray(array, dtype="<f4").tobytes())


def load(path, offset, dtype, shape):
    """One tensor as a float32 array of the given shape; `offset` counts from the start of the file."""
    count = int(numpy.prod(shape))
    values = numpy.fromfile(path, TYPES[dtype], count, offset=offset)
    if values.size != count:
        raise ValueError(f"{path}: the file ends inside the tensor at byte {offset}")
    if dtype == "BF16":  # the upper half of a float32
        return (values.astype(numpy.uint32) << 16).view(numpy.float32).reshape(shape)
    return values.astype(numpy.float32).reshape(shape)


def read(path):
    """The tensors of a file by name; their data is read when asked for."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    result = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] not in TYPES:
            raise ValueError(f"{path}: {name} has type {entry['dtype']}; supported are {', '.join(TYPES)}")
        offset = 8 + length + entry["data_offsets"][0]
        result[name] = Tensor.from_file(entry["shape"], load, path, offset, entry["dtype"], entry["shape"])
    return result
