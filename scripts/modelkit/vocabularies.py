# SPDX-License-Identifier: Apache-2.0
"""Reads vocabularies: SentencePiece models, llama2.c's tokenizer.bin, Hugging Face's tokenizer.json."""

import json
import struct
import sys

from .tensors import TOKEN_BYTE, TOKEN_CONTROL, TOKEN_NORMAL, TOKEN_UNKNOWN, TOKEN_UNUSED, TOKEN_USER, Vocabulary

SPACE = "\u2581"  # stands for a space in SentencePiece's pieces
BYTE_PIECES = {f"<0x{byte:02X}>" for byte in range(256)}


def fields(data):
    """The (field number, value) pairs of a protobuf message: int, bytes, or the raw 4 or 8 bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        wire = key & 7
        if wire == 0:
            yield key >> 3, varint()
            continue
        length = varint() if wire == 2 else {1: 8, 5: 4}[wire]
        yield key >> 3, data[at : at + length]
        at += length


def piece(data):
    """(text, score, type) of a SentencePiece message; its type numbers are GGUF's."""
    text, score, kind = "", 0.0, TOKEN_NORMAL
    for number, value in fields(data):
        if number == 1:
            text = value.decode("utf-8")
        elif number == 2:
            (score,) = struct.unpack("<f", value)
        elif number == 3:
            kind = value
    return text, score, kind


def from_sentencepiece(path):
    """The vocabulary of a tokenizer.model (sentencepiece_model.proto)."""
    message = list(fields(path.read_bytes()))
    pieces = [piece(value) for number, value in message if number == 1]
    trainer = dict(item for number, value in message if number == 2 for item in fields(value))
    normalizer = dict(item for number, value in message if number == 3 for item in fields(value))
    changes = ["characters"] * bool(normalizer.get(2)) + ["repeated blanks"] * bool(normalizer.get(4, 1))
    if changes:
        print(f"note: {path} normalizes {' and '.join(changes)} before it cuts a text into tokens; a GGUF file of this kind does "
              "not, so such texts get other ids (findings/sentencepiece_normalizer_is_lost.sh)", file=sys.stderr)

    def special(number, default):
        value = trainer.get(number, default)
        return -1 if value >= 1 << 63 else value  # a negative id (none) is stored as its 64-bit complement

    return Vocabulary(
        kind="llama",
        tokens=[text for text, _, _ in pieces],
        scores=[score for _, score, _ in pieces],
        types=[kind for _, _, kind in pieces],
        unknown=special(40, 0),
        bos=special(41, 1),
        eos=special(42, 2),
        add_space_prefix=bool(normalizer.get(3, 1)),
    )


def from_llama2c(path, count):
    """The vocabulary of llama2.c's tokenizer.bin: a maximal length, then score, length, bytes a token.

    The file has no types. By SentencePiece's habit the first three tokens are unknown, BOS and EOS; spaces
    are plain there.
    """
    data = path.read_bytes()
    tokens, scores, types, at = [], [], [], 4
    for index in range(count):
        score, length = struct.unpack_from("<fi", data, at)
        text = data[at + 8 : at + 8 + length].decode("utf-8")
        at += 8 + length
        special = ["<unk>", "<s>", "</s>"][index] if index < 3 else None
        tokens.append(special or (text if text in BYTE_PIECES else text.replace(" ", SPACE)))
        scores.append(score)
        types.append(
            TOKEN_UNKNOWN
            if index == 0
            else TOKEN_CONTROL
            if special
            else TOKEN_BYTE
            if text in BYTE_PIECES
            else TOKEN_NORMAL
        )
    return Vocabulary("llama", tokens, types, scores, unknown=0, bos=1, eos=2)


def pre_tokenizer_name(settings):
    """llama.cpp's name for the rule that splits text before byte-level BPE, told by its regular expression."""
    text = json.dumps(settings.get("pre_tokenizer") or {})
    if "{1,3}" in text:
        return "llama-bpe"
    if '"Digits"' in text:
        return "smollm"
    return "gpt-2"


def token_type(text, token, special, byte_fallback):
    """The type of a token of a tokenizer.json; special: dict from id to its entry in added_tokens."""
    if token in special:
        return TOKEN_CONTROL if special[token]["special"] else TOKEN_USER
    return TOKEN_BYTE if byte_fallback and text in BYTE_PIECES else TOKEN_NORMAL


def from_tokenizer_json(path, config, count):
    """The vocabulary of a tokenizer.json with a BPE model, filled up to `count` tokens.

    SentencePiece-style BPE (byte_fallback) gets the score -rank of the first merge that makes a token, which
    gives the merges the order that they have in the list.
    """
    settings = json.loads(path.read_text(encoding="utf-8"))
    model = settings["model"]
    if model.get("type", "BPE") != "BPE":
        raise ValueError(f"{path}: the tokenizer model is {model['type']}; only BPE is supported")
    added = {entry["id"]: entry for entry in settings.get("added_tokens", [])}
    texts = {index: text for text, index in model["vocab"].items()}
    texts.update({index: entry["content"] for index, entry in added.items()})
    count = max(count, max(texts) + 1)
    fallback = model.get("byte_fallback", False)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    result = Vocabulary(
        kind="llama" if fallback else "gpt2",
        tokens=[texts.get(index, f"[PAD{index}]") for index in range(count)],
        types=[token_type(texts[i], i, added, fallback) if i in texts else TOKEN_UNUSED for i in range(count)],
        bos=first_id(config.get("bos_token_id")),
        eos=first_id(config.get("eos_token_id")),
        unknown=model["vocab"].get(model.get("unk_token") or "", -1),
    )
    if fallback:
        if result.unknown >= 0:
            result.types[result.unknown] = TOKEN_UNKNOWN
        ranks = {}
        for rank, merge in enumerate(merges):
            ranks.setdefault(merge.replace(" ", ""), rank)
        result.scores = [-float(ranks.get(text, 0)) for text in result.tokens]
        result.add_space_prefix = "Prepend" in json.dumps(settings.get("normalizer")) or "Metaspace" in json.dumps(
            settings.get("pre_tokenizer")
        )
    else:
        result.merges, result.pre = merges, pre_tokenizer_name(settings)
        result.add_bos = "TemplateProcessing" in json.dumps(settings.get("post_processor"))
    return result


def first_id(value):
    """A token id of a config.json, which may be absent or a list."""
    if isinstance(value, list):
        value = value[0] if value else None
    return -1 if value is None else value
