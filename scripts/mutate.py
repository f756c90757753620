#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the program on damaged models or machine descriptions, one at a time, and holds it to its promises.

Each input is a sound one with a few seeded changes. `tokencycle run -n 1` (models also with --timing-only, both with
`inspect` before) must end within the limit, without a signal, with a documented exit code, and with a message where
that is not 0. Example:

    scripts/mutate.py --kind model --count 100 --seed 1 --binary build/release/tokencycle
"""

import argparse
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTED = {0, 2, 3, 4, 5, 6, 7, 8}
ODD_INTEGERS = [0, 1, 2, 3, 7, 31, 32, 33, 255, 256, 4095, 4097, 65535, 65536, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 48,
                (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
ODD_FLOATS = [0.0, -0.0, -1.0, 1e-45, 3.4e38, float("inf"), float("-inf"), float("nan")]
FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}  # GGUF value types
STRING, ARRAY = 8, 9
# Elements and bytes of a block, by the type's number in GGUF.
BLOCKS = {2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176),
          14: (256, 210), 20: (32, 18), 23: (256, 136), 34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18), 42: (64, 18)}
ALIGNMENT = 32


class Model:
    """The parts of a GGUF file: keys as [name, type, bytes], tensors as [name, shape, type, offset], data."""

    def __init__(self, data):
        self.data, self.at = data, 0
        if self.take(4) != b"GGUF":
            raise ValueError("the sound model is no GGUF file")
        self.version, tensors, keys = self.number("I"), self.number("Q"), self.number("Q")
        self.counts = [None, None]
        self.keys = [self.key() for _ in range(keys)]
        self.tensors = [self.tensor() for _ in range(tensors)]
        self.weights = bytearray(data[-(-self.at // ALIGNMENT) * ALIGNMENT :])

    def take(self, count):
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, kind):
        return struct.unpack("<" + kind, self.take(struct.calcsize(kind)))[0]

    def text(self):
        return self.take(self.number("Q"))

    def skip(self, kind):
        if kind in FIXED:
            self.number(FIXED[kind])
        elif kind == STRING:
            self.text()
        else:
            element, count = self.number("I"), self.number("Q")
            for _ in range(count):
                self.skip(element)

    def key(self):
        name, kind = self.text(), self.number("I")
        first = self.at
        self.skip(kind)
        return [name, kind, bytearray(self.data[first : self.at])]

    def tensor(self):
        name, dimensions = self.text(), self.number("I")
        shape = [self.number("Q") for _ in range(dimensions)]
        return [name, shape, self.number("I"), self.number("Q")]

    def write(self):
        def text(value):
            return struct.pack("<Q", len(value)) + value

        tensors = len(self.tensors) if self.counts[0] is None else self.counts[0]
        keys = len(self.keys) if self.counts[1] is None else self.counts[1]
        out = bytearray(b"GGUF" + struct.pack("<IQQ", self.version, tensors, keys))
        for name, kind, value in self.keys:
            out += text(name) + struct.pack("<I", kind) + value
        for name, shape, kind, offset in self.tensors:
            out += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        return bytes(out + b"\0" * (-len(out) % ALIGNMENT) + self.weights)


def odd_integer(generator):
    return generator.choice(ODD_INTEGERS) if generator.random() < 0.7 else generator.getrandbits(64) >> generator.randrange(64)


def change_value(entry, generator):
    """Another value of the same type, mostly."""
    name, kind, value = entry
    if kind in FIXED and kind != 7:
        code = FIXED[kind]
        if code in "fd":
            entry[2] = bytearray(struct.pack("<" + code, generator.choice(ODD_FLOATS)))
        else:
            size = struct.calcsize(code)
            entry[2] = bytearray((odd_integer(generator) & ((1 << 8 * size) - 1)).to_bytes(size, "little"))
    elif kind == STRING:
        text = generator.choice([b"", b"llama", b"gpt2", b"mamba", b"\x1b[2J", b"\xff\xfe", b"none", b"x" * 300])
        entry[2] = bytearray(struct.pack("<Q", len(text)) + text)
    elif kind == ARRAY:
        count = struct.unpack("<Q", value[4:12])[0]
        change = generator.randrange(3)
        if change == 0:
            value[4:12] = struct.pack("<Q", generator.choice([count - 1, count + 1, odd_integer(generator)]) & (2**64 - 1))
        elif change == 1:
            value[0:4] = struct.pack("<I", generator.randrange(14))
        elif len(value) > 20:
            at = generator.randrange(12, len(value) - 4)
            value[at : at + 4] = struct.pack("<f", generator.choice(ODD_FLOATS))
    elif value:
        value[0] = generator.randrange(256)


def change_key(model, generator):
    at = generator.randrange(len(model.keys))
    change = generator.randrange(8)
    if change == 0:
        del model.keys[at]
    elif change == 1:
        model.keys.append([bytes(model.keys[at][0]), model.keys[at][1], bytearray(model.keys[at][2])])
    elif change == 2:
        model.keys[at][0] = generator.choice([b"", b"general.alignment", b"llama.expert_count", b"\x1b[1m", b"x" * 500])
    else:
        change_value(model.keys[at], generator)


def change_tensor(model, generator):
    at = generator.randrange(len(model.tensors))
    tensor, other = model.tensors[at], generator.choice(model.tensors)
    change = generator.randrange(8)
    if change == 0:
        del model.tensors[at]
    elif change == 1:
        tensor[0] = generator.choice([other[0], b"", b"blk.0.attn_q.bias", b"\x1b[1m"])
    elif change == 2:
        tensor[1] = list(other[1])
    elif change == 3:
        tensor[1] = tensor[1] + [generator.choice([1, 2, 1 << 32])]
    elif change == 4:
        tensor[1][generator.randrange(len(tensor[1]))] = odd_integer(generator)
    elif change == 5:
        tensor[2] = generator.randrange(45)
    elif change == 6:
        tensor[3] = other[3]
    else:
        tensor[3] = odd_integer(generator)


def change_weights(model, generator):
    """Numbers that are none, in a few places or in many: scales and gains become NaN and infinite."""
    kind = generator.choice(["<e", "<f"])
    for _ in range(generator.choice([1, 3, 100])):
        at = 2 * generator.randrange(len(model.weights) // 2 - 2)
        value = generator.choice([float("nan"), float("inf"), float("-inf"), 65504.0, -65504.0])
        model.weights[at : at + struct.calcsize(kind)] = struct.pack(kind, value)


def put_in_blocks(model, generator):
    """One matrix as blocks of arbitrary bytes: scales of every kind, of any type of blocks."""
    tensor = next(t for t in model.tensors if t[0] in (b"blk.0.ffn_down.weight", b"blk.0.ffn_down_exps.weight"))
    tensor[2] = generator.choice(list(BLOCKS))
    elements, size = BLOCKS[tensor[2]]
    model.weights += b"\0" * (-len(model.weights) % ALIGNMENT)
    tensor[3] = len(model.weights)
    model.weights += generator.randbytes(tensor[1][0] // elements * size * math.prod(tensor[1][1:]))


def mutated_model(sound, generator):
    model = Model(sound)
    if generator.random() < 0.5:
        put_in_blocks(model, generator)
    for _ in range(generator.choice([1, 1, 2, 4])):
        part = generator.randrange(10)
        if part < 4 and model.keys:
            change_key(model, generator)
        elif part < 7 and model.tensors:
            change_tensor(model, generator)
        elif part < 9:
            change_weights(model, generator)
        elif generator.random() < 0.5:
            model.counts[generator.randrange(2)] = odd_integer(generator)
        else:
            model.weights = model.weights[: generator.randrange(64, len(model.weights))]
    data = bytearray(model.write())
    if generator.random() < 0.1:
        data = data[: generator.randrange(len(data))]
    elif generator.random() < 0.1:
        data[generator.randrange(min(4096, len(data)))] = generator.randrange(256)
    return bytes(data)


def places(tree, at=()):
    """Every (container, key) of a JSON tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield tree, key
        yield from places(value, at + (key,))


def odd_value(value, generator):
    """Something else where `value` was; half the time a number that may well be allowed there."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and generator.random() < 0.6:
        return generator.choice([value * 2, value // 2 if isinstance(value, int) else value / 2, value + 1, value - 1,
                                 value * 16, 1, 4096, 1 << 20])
    return generator.choice([None, True, -1, 0, 1.5, 1e300, "", "ideal", "commands", "x" * 200, [], {}, [1], {"a": 1},
                             odd_integer(generator)])


def mutated_configuration(sound, generator):
    tree = json.loads(sound)
    for _ in range(generator.choice([1, 1, 2, 3])):
        container, key = generator.choice(list(places(tree)))
        change = generator.randrange(10)
        if change == 0:
            del container[key]
        elif change == 1 and isinstance(container, dict):
            container[key[:-1]] = container[key]
        else:
            container[key] = odd_value(container[key], generator)
    text = json.dumps(tree)
    if generator.random() < 0.1:
        at = generator.randrange(len(text))
        text = text[:at] + generator.choice('{}[]",:0-.eE\x00\x1b') + text[at + generator.randrange(3) :]
    return text.encode()


class Failure(Exception):
    pass


def check(command, limit):
    """Runs a command; returns its exit code. Raises Failure where it does what is not documented."""
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired as late:
        raise Failure(f"did not end within {limit} s") from late
    message = result.stderr.decode("utf-8", "replace").strip()
    if result.returncode not in DOCUMENTED:
        raise Failure(f"ended with {result.returncode}: {message[:2000]}")
    if result.returncode != 0 and len(message) < 20:
        raise Failure(f"ended with {result.returncode} and says only '{message}'")
    if "internal error" in message or "out of memory" in message:
        raise Failure(f"ended with {result.returncode}: {message[:2000]}")
    if any(ord(c) < 32 and c != "\n" for c in message):
        raise Failure(f"a message with control characters: {message[:2000]!r}")
    return result.returncode


def sound_model(folder):
    """A small model, so that a run of one token is quick."""
    path = folder / "sound.gguf"
    options = ["--layers", "1", "--width", "32", "--heads", "2", "--kv-heads", "1", "--feed-forward", "256"]
    subprocess.run([sys.executable, ROOT / "scripts" / "make_random_model.py", "--out", path, "--context", "32", *options],
                   check=True, capture_output=True)
    return path


def commands(kind, binary, path, model):
    if kind == "model":
        run = [binary, "run", "-m", path, "-c", "tiny", "-p", "ab", "-n", "1", "-q"]
        return [[binary, "inspect", path], run, run + ["--timing-only"]]
    return [[binary, "inspect", path], [binary, "run", "-m", model, "-c", path, "-p", "ab", "-n", "1", "-q"]]


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("model", "configuration"), required=True)
    parser.add_argument("--model", type=pathlib.Path, help="the sound model; default a small one of llama's shape")
    parser.add_argument("--count", type=int, default=100, help="inputs; default 100")
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    parser.add_argument("--first", type=int, default=0, help="number of the first input, to repeat one; default 0")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build" / "release" / "tokencycle")
    parser.add_argument("--limit", type=float, default=2.0, help="seconds a command; default 2, under sanitizers 10")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the inputs that failed")
    return parser.parse_args()


def main():
    options = read_options()
    binary = options.binary.resolve()
    codes, failures = {}, 0
    with tempfile.TemporaryDirectory(prefix="tokencycle_mutate_") as name:
        folder = pathlib.Path(name)
        model = options.model or sound_model(folder)
        machines = sorted((ROOT / "configs").glob("*.json"))
        for number in range(options.first, options.first + options.count):
            generator = random.Random(f"{options.seed}/{number}")
            if options.kind == "model":
                path, data = folder / "input.gguf", mutated_model(model.read_bytes(), generator)
            else:
                path = folder / "input.json"
                data = mutated_configuration(generator.choice(machines).read_text(encoding="utf-8"), generator)
            path.write_bytes(data)
            for command in commands(options.kind, binary, path, model):
                try:
                    code = check([str(word) for word in command], options.limit)
                    codes[code] = codes.get(code, 0) + 1
                except Failure as failure:
                    failures += 1
                    print(f"input {number} of seed {options.seed}: {' '.join(map(str, command[1:]))}: {failure}")
                    if options.keep:
                        options.keep.mkdir(parents=True, exist_ok=True)
                        (options.keep / f"{options.kind}-{options.seed}-{number}{path.suffix}").write_bytes(data)
                    break
    counted = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
    print(f"{options.count} inputs, {failures} failures; exit codes {counted}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
