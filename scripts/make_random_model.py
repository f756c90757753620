#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a small GGUF model of the llama, qwen3moe or olmoe architecture with seeded random weights.

The text it generates means nothing; it is for trying shapes and formats. The same options give the same
file on any machine. Example:

    scripts/make_random_model.py --out tiny.gguf --width 128 --type q4_0
    scripts/make_random_model.py --out mixture.gguf --experts 8 --experts-used 2
"""

import argparse
import random
import struct
import sys

ALIGNMENT = 32
BLOCK = 32
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9  # metadata value types of the format
TENSOR_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q8_0": 8}
UNKNOWN, CONTROL, NORMAL, BYTE = 2, 3, 1, 6  # token types of the format


def text(value):
    data = value.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def key(name, kind, value):
    """One metadata entry; an array is (element kind, values)."""
    packers = {
        U32: lambda v: struct.pack("<I", v),
        I32: lambda v: struct.pack("<i", v),
        F32: lambda v: struct.pack("<f", v),
        BOOL: lambda v: struct.pack("<B", v),
        STRING: text,
    }
    if kind == ARRAY:
        element, values = value
        body = struct.pack("<IQ", element, len(values)) + b"".join(packers[element](v) for v in values)
    else:
        body = packers[kind](value)
    return text(name) + struct.pack("<I", kind) + body


def encode_q8_0(block):
    scale = max(abs(v) for v in block) / 127
    inverse = 1 / scale if scale else 0
    return struct.pack("<e32b", scale, *(max(-127, min(127, round(v * inverse))) for v in block))


def encode_q4_0(block):
    extreme = max(block, key=abs)
    scale = extreme / -8
    inverse = 1 / scale if scale else 0
    nibbles = [max(0, min(15, int(v * inverse + 8.5))) for v in block]
    return struct.pack("<e16B", scale, *(nibbles[i] | nibbles[i + 16] << 4 for i in range(16)))


def encode_q4_1(block):
    least = min(block)
    scale = (max(block) - least) / 15
    inverse = 1 / scale if scale else 0
    nibbles = [max(0, min(15, int((v - least) * inverse + 0.5))) for v in block]
    return struct.pack("<ee16B", scale, least, *(nibbles[i] | nibbles[i + 16] << 4 for i in range(16)))


BLOCKS = {"q8_0": encode_q8_0, "q4_0": encode_q4_0, "q4_1": encode_q4_1}


def encode(kind, values):
    if kind == "f32":
        return struct.pack(f"<{len(values)}f", *values)
    if kind == "f16":
        return struct.pack(f"<{len(values)}e", *values)
    return b"".join(BLOCKS[kind](values[i : i + BLOCK]) for i in range(0, len(values), BLOCK))


def vocabulary(size):
    """Tokens, scores and types of a SentencePiece-style vocabulary: the bytes, then letters and pairs of them."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    kinds = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    pieces = ["\u2581", *letters, ".", ",", "!", "?", "'"]
    pieces += ["\u2581" + c for c in letters] + [a + b for a in letters for b in letters]
    room = size - len(tokens)
    chosen = pieces[:room] + [f"<pad{i}>" for i in range(room - len(pieces))]
    tokens += chosen
    kinds += [CONTROL if t.startswith("<pad") else NORMAL for t in chosen]
    scores = [0.0] * 259 + [-float(i + 1) for i in range(room)]
    return tokens, scores, kinds


def metadata(options):
    tokens, scores, kinds = vocabulary(options.vocab)
    arch = options.architecture
    experts = [
        key(f"{arch}.expert_count", U32, options.experts),
        key(f"{arch}.expert_used_count", U32, options.experts_used),
        key(f"{arch}.expert_feed_forward_length", U32, options.feed_forward),
    ]
    return (experts if options.experts else []) + [
        key("general.architecture", STRING, arch),
        key("general.name", STRING, f"random-{options.seed}"),
        key("general.alignment", U32, ALIGNMENT),
        key(f"{arch}.context_length", U32, options.context),
        key(f"{arch}.embedding_length", U32, options.width),
        key(f"{arch}.block_count", U32, options.layers),
        key(f"{arch}.feed_forward_length", U32, options.feed_forward),
        key(f"{arch}.attention.head_count", U32, options.heads),
        key(f"{arch}.attention.head_count_kv", U32, options.kv_heads),
        key(f"{arch}.attention.layer_norm_rms_epsilon", F32, 1e-5),
        key(f"{arch}.rope.dimension_count", U32, options.width // options.heads),
        key("tokenizer.ggml.model", STRING, "llama"),
        key("tokenizer.ggml.tokens", ARRAY, (STRING, tokens)),
        key("tokenizer.ggml.scores", ARRAY, (F32, scores)),
        key("tokenizer.ggml.token_type", ARRAY, (I32, kinds)),
        key("tokenizer.ggml.unknown_token_id", U32, 0),
        key("tokenizer.ggml.bos_token_id", U32, 1),
        key("tokenizer.ggml.eos_token_id", U32, 2),
        key("tokenizer.ggml.add_bos_token", BOOL, True),
    ]


def shapes(options):
    """(name, rows, columns) of every tensor; a gain has 0 rows, that of all experts (rows, experts)."""
    width, ff = options.width, options.feed_forward
    kv_width = width // options.heads * options.kv_heads
    yield "token_embd.weight", options.vocab, width
    head = width // options.heads
    norms = {"olmoe": (width, kv_width), "qwen3moe": (head, head)}.get(options.architecture)
    for layer in range(options.layers):
        for name, rows, cols in (
            ("attn_norm", 0, width),
            ("attn_q", width, width),
            ("attn_k", kv_width, width),
            ("attn_v", kv_width, width),
            ("attn_output", width, width),
            ("ffn_norm", 0, width),
        ):
            yield f"blk.{layer}.{name}.weight", rows, cols
        if norms:
            yield f"blk.{layer}.attn_q_norm.weight", 0, norms[0]
            yield f"blk.{layer}.attn_k_norm.weight", 0, norms[1]
        if options.experts:
            yield f"blk.{layer}.ffn_gate_inp.weight", options.experts, width
        for name, rows, cols in (("ffn_gate", ff, width), ("ffn_up", ff, width), ("ffn_down", width, ff)):
            if options.experts:
                yield f"blk.{layer}.{name}_exps.weight", (rows, options.experts), cols
            else:
                yield f"blk.{layer}.{name}.weight", rows, cols
    yield "output_norm.weight", 0, width
    yield "output.weight", options.vocab, width


def tensor(generator, kind, rows, cols):
    """(type number, dimensions, bytes): uniform weights of variance 1 / cols, gains around 1."""
    if rows == 0:
        return TENSOR_TYPES["f32"], [cols], encode("f32", [1 + generator.uniform(-0.25, 0.25) for _ in range(cols)])
    if kind.startswith("q") and cols % BLOCK:
        kind = "f16"  # blocks lie along a row and must fill it
    rows, *experts = rows if isinstance(rows, tuple) else (rows,)
    reach = (3 / cols) ** 0.5
    total = rows * experts[0] if experts else rows
    data = b"".join(encode(kind, [generator.uniform(-reach, reach) for _ in range(cols)]) for _ in range(total))
    return TENSOR_TYPES[kind], [cols, rows, *experts], data


def write(options):
    generator = random.Random(options.seed)
    entries = metadata(options)
    directory, data, count = [], bytearray(), 0
    for name, rows, cols in shapes(options):
        number, dimensions, body = tensor(generator, options.type, rows, cols)
        data += b"\0" * (-len(data) % ALIGNMENT)
        directory.append(text(name) + struct.pack("<I", len(dimensions)))
        directory.append(struct.pack(f"<{len(dimensions)}QIQ", *dimensions, number, len(data)))
        data += body
        count += 1
    head = b"GGUF" + struct.pack("<IQQ", 3, count, len(entries)) + b"".join(entries) + b"".join(directory)
    with open(options.out, "wb") as out:
        out.write(head + b"\0" * (-len(head) % ALIGNMENT) + data)
        return out.tell()


def positive(value):
    number = int(value)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} should be at least 1")
    return number


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="the file to write")
    for name, default in (("layers", 2), ("width", 64), ("heads", 4), ("kv-heads", 2), ("feed-forward", 96)):
        parser.add_argument(f"--{name}", type=positive, default=default, help=f"default {default}")
    parser.add_argument("--architecture", choices=("llama", "qwen3moe", "olmoe"), default="llama", help="default llama")
    parser.add_argument("--experts", type=int, default=0, help="in each layer; default 0, none")
    parser.add_argument("--experts-used", type=positive, default=2, help="by each token; default 2")
    parser.add_argument("--vocab", type=positive, default=300, help="tokens, at least 259; default 300")
    parser.add_argument("--context", type=positive, default=128, help="positions; default 128")
    parser.add_argument("--type", choices=sorted(TENSOR_TYPES), default="q8_0", help="of the matrices; default q8_0")
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    options = parser.parse_args()
    if options.vocab < 259:
        parser.error(f"--vocab {options.vocab} should be at least 259: 3 control tokens and 256 bytes")
    if options.width % options.heads or options.width // options.heads % 2:
        parser.error(f"--width {options.width} should be an even multiple of --heads {options.heads}")
    if options.architecture != "llama" and not options.experts:
        parser.error(f"--architecture {options.architecture} needs --experts")
    if options.experts and options.experts_used > options.experts:
        parser.error(f"--experts-used {options.experts_used} should be at most --experts {options.experts}")
    if options.heads % options.kv_heads:
        parser.error(f"--heads {options.heads} should be a multiple of --kv-heads {options.kv_heads}")
    return options


def main():
    options = read_options()
    try:
        size = write(options)
    except OSError as error:
        sys.exit(f"{options.out}: cannot be written: {error.strerror}")
    print(f"{options.out}: {size:,} bytes")


if __name__ == "__main__":
    main()
