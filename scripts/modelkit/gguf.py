# SPDX-License-Identifier: Apache-2.0
"""Reads and writes GGUF files, version 3 (docs/gguf.md of ggml), little-endian."""

import struct

import numpy

from . import blocks
from .tensors import Tensor

ALIGNMENT = 32
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    U32: "<I",
    I32: "<i",
    F32: "<f",
    BOOL: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}


def pack_string(text):
    """A 64-bit length and the UTF-8 bytes."""
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def value_type(value):
    """The metadata type of a Python value: bool, int (u32), float (f32) or str."""
    for kind, number in ((bool, BOOL), (int, U32), (float, F32), (str, STRING)):
        if isinstance(value, kind):
            return number
    raise TypeError(f"no metadata type for {type(value).__name__}")


def pack_value(value, kind):
    """The bytes of one value without its type."""
    return pack_string(value) if kind == STRING else struct.pack(SCALARS[kind], value)


def pack_entry(key, value):
    """One key with its value; a list is an array of the type of its first element, lists of int are i32."""
    if not isinstance(value, list):
        kind = value_type(value)
        return pack_string(key) + struct.pack("<I", kind) + pack_value(value, kind)
    kind = value_type(value[0])
    kind = I32 if kind == U32 else kind
    items = b"".join(pack_value(item, kind) for item in value)
    return pack_string(key) + struct.pack("<IIQ", ARRAY, kind, len(value)) + items


def write(path, metadata, tensors):
    """Writes a file.

    metadata: dict from key to value; tensors: dict from name to (Tensor, format). Shapes are stored with
    the contiguous dimension first. Each tensor starts at a multiple of ALIGNMENT.
    """
    head = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata))]
    head += [pack_entry(key, value) for key, value in metadata.items()]
    offset = 0
    for name, (tensor, kind) in tensors.items():
        dimensions = tensor.shape[::-1]
        head.append(pack_string(name) + struct.pack(f"<I{len(dimensions)}Q", len(dimensions), *dimensions))
        head.append(struct.pack("<IQ", kind, offset))
        size = blocks.size(int(numpy.prod(tensor.shape)), kind)
        offset += size + -size % ALIGNMENT
    with open(path, "wb") as out:
        out.write(b"".join(head))
        for tensor, kind in tensors.values():
            out.write(b"\0" * (-out.tell() % ALIGNMENT))
            out.write(blocks.encode(tensor.load(), kind))
        out.write(b"\0" * (-out.tell() % ALIGNMENT))


class Reader:
    """A cursor over the bytes of a file."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def numbers(self, layout):
        """The values of a struct layout."""
        values = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return values

    def string(self):
        """A 64-bit length and the UTF-8 bytes."""
        (length,) = self.numbers("<Q")
        self.at += length
        return self.data[self.at - length : self.at].decode("utf-8")

    def value(self, kind):
        """A metadata value of the given type."""
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            element, count = self.numbers("<IQ")
            return [self.value(element) for _ in range(count)]
        return self.numbers(SCALARS[kind])[0]


def read(path):
    """(metadata, tensors) of a file: dict from key to value, dict from name to (Tensor, format)."""
    with open(path, "rb") as file:
        reader = Reader(file.read())
    if reader.data[:4] != b"GGUF":
        raise ValueError(f"{path} is not a GGUF file")
    reader.at = 4
    _, tensor_count, key_count = reader.numbers("<IQQ")
    metadata = {}
    for _ in range(key_count):
        key = reader.string()
        metadata[key] = reader.value(reader.numbers("<I")[0])
    directory = []
    for _ in range(tensor_count):
        name = reader.string()
        shape = reader.numbers(f"<{reader.numbers('<I')[0]}Q")[::-1]
        directory.append((name, shape, *reader.numbers("<IQ")))
    alignment = metadata.get("general.alignment", ALIGNMENT)
    start = reader.at + -reader.at % alignment
    tensors = {}
    for name, shape, kind, offset in directory:
        if kind not in blocks.DECODED:
            supported = ", ".join(blocks.ROWS[number][0] for number in blocks.DECODED)
            raise ValueError(f"{path}: {name} has ggml type {kind}; supported are {supported}")
        first = start + offset
        data = reader.data[first : first + blocks.size(int(numpy.prod(shape)), kind)]
        tensors[name] = (Tensor.from_file(shape, blocks.decode, data, kind, shape), kind)
    return metadata, tensors
