# SPDX-License-Identifier: Apache-2.0
"""Reads character vectors from an R package's lazy-load data base (Rdata.rdx and Rdata.rdb).

The index (rdx) is a gzip-compressed R serialization of a list with the names and (offset, length) of each
variable; the data base (rdb) holds one block a variable: a big-endian 32-bit size, then a zlib stream of the
variable's serialization. The serialization is R's binary XDR format ("R Internals", section 1.8): a
big-endian flag word (type in the low byte, bit 9: attributes, bit 10: tag), then the value. Only the types
that character vectors, integer vectors and lists need are read; any other type is an error.
"""

import pathlib
import struct
import zlib

NIL, GLOBAL_ENV, REFERENCE, NA_LENGTH = 254, 253, 255, -1
SYMBOL, PAIRLIST, CHAR, LOGICAL, INTEGER, REAL, STRING, LIST = 1, 2, 9, 10, 13, 14, 16, 19
HAS_ATTRIBUTES, HAS_TAG = 1 << 9, 1 << 10


class XdrReader:
    """One pass over the bytes of one serialized R object."""

    def __init__(self, data):
        self.data = data
        self.at = 0
        self.references = []

    def integer(self):
        """Next big-endian signed 32-bit integer."""
        (value,) = struct.unpack_from(">i", self.data, self.at)
        self.at += 4
        return value

    def header(self):
        """Skips the format mark, the versions and (version 3) the name of the native encoding."""
        if self.data[:2] != b"X\n":
            raise ValueError("not an R serialization in XDR format")
        self.at = 2
        version = self.integer()
        self.at += 8  # version of the writer, oldest version of a reader
        if version == 3:
            length = self.integer()
            self.at += length

    def pairlist(self, flags):
        """A pairlist as a dict from tag to value (R uses it for attributes)."""
        result = {}
        while flags & 0xFF == PAIRLIST:
            if flags & HAS_ATTRIBUTES:
                self.item()
            tag = self.item() if flags & HAS_TAG else None
            result[tag] = self.item()
            flags = self.integer()
        return result

    def vector(self, kind):
        """The elements of a vector of the given type, as a list."""
        count = self.integer()
        if kind in (STRING, LIST):
            return [self.item() for _ in range(count)]
        code, size = (">%dd", 8) if kind == REAL else (">%di", 4)
        values = struct.unpack_from(code % count, self.data, self.at)
        self.at += size * count
        return list(values)

    def item(self):
        """The next object; a list with names becomes a dict."""
        flags = self.integer()
        kind = flags & 0xFF
        if kind in (NIL, GLOBAL_ENV):
            return None
        if kind == REFERENCE:
            return self.references[(flags >> 8) - 1]
        if kind == SYMBOL:
            self.references.append(self.item())
            return self.references[-1]
        if kind == CHAR:
            length = self.integer()
            if length == NA_LENGTH:
                return None
            self.at += length
            return self.data[self.at - length : self.at].decode("utf-8")
        if kind == PAIRLIST:
            return self.pairlist(flags)
        if kind not in (LOGICAL, INTEGER, REAL, STRING, LIST):
            raise ValueError(f"R type {kind} at byte {self.at} is not supported")
        values = self.vector(kind)
        attributes = self.item() if flags & HAS_ATTRIBUTES else None
        if kind == LIST and attributes and "names" in attributes:
            return dict(zip(attributes["names"], values))
        return values


def unserialize(data):
    """The Python value of one serialized R object (bytes)."""
    reader = XdrReader(data)
    reader.header()
    return reader.item()


def read_lazyload(folder):
    """All variables of the data base `folder`/Rdata.{rdx,rdb}: dict from name to value."""
    folder = pathlib.Path(folder)
    index = unserialize(zlib.decompress((folder / "Rdata.rdx").read_bytes(), wbits=47))
    blocks = (folder / "Rdata.rdb").read_bytes()
    result = {}
    for name, (offset, length) in index["variables"].items():
        block = blocks[offset : offset + length]
        (size,) = struct.unpack_from(">I", block)
        data = zlib.decompress(block[4:])
        if len(data) != size:
            raise ValueError(f"{folder}/Rdata.rdb: {name} has {len(data)} bytes, its header says {size}")
        result[name] = unserialize(data)
    return result
