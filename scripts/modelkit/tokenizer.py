# SPDX-License-Identifier: Apache-2.0
"""Trains the SentencePiece BPE tokenizer and turns texts into token ids."""

import io

import numpy
import sentencepiece

UNKNOWN, BOS, EOS = 0, 1, 2


def train(texts, vocabulary_size, path):
    """Trains on the paragraphs of `texts` with Llama's settings and writes the model to `path`.

    No normalization, so that decoding gives back the input; a character outside the vocabulary becomes its
    UTF-8 bytes (tokens <0x00> to <0xFF>); a word starts with U+2581 instead of its space.
    """
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in texts for line in text.splitlines()]),
        model_writer=model,
        model_type="bpe",
        vocab_size=vocabulary_size,
        character_coverage=0.9999,
        byte_fallback=True,
        split_digits=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        max_sentence_length=1 << 20,
        unk_id=UNKNOWN,
        bos_id=BOS,
        eos_id=EOS,
        num_threads=1,
        minloglevel=1,
    )
    path.write_bytes(model.getvalue())


def load(path):
    """The tokenizer of a tokenizer.model file."""
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def encode(tokenizer, texts):
    """Token ids of each text with BOS in front: list of int64 arrays."""
    return [numpy.array([BOS] + tokenizer.encode(text), dtype=numpy.int64) for text in texts]
