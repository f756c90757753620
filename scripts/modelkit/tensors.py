# SPDX-License-Identifier: Apache-2.0
"""What a model is between its source format and GGUF."""

import dataclasses
import functools
from collections.abc import Callable

import numpy


@dataclasses.dataclass
class Tensor:
    """A float32 array of a known shape that is made when asked for, so that large models fit in memory."""

    shape: tuple[int, ...]
    load: Callable[[], numpy.ndarray]

    @staticmethod
    def from_file(shape, function, *arguments):
        """The tensor that function(*arguments) returns."""
        return Tensor(tuple(shape), functools.partial(function, *arguments))

    @staticmethod
    def of(array):
        """A tensor that is in memory."""
        return Tensor(array.shape, lambda: array)

    def then(self, change):
        """This tensor with `change`, which keeps the shape, applied after loading."""
        return Tensor(self.shape, lambda: change(self.load()))


@dataclasses.dataclass
class Vocabulary:
    """A tokenizer as GGUF describes it."""

    kind: str  # "llama": SentencePiece-style BPE with scores; "gpt2": byte-level BPE with merges
    tokens: list[str]
    types: list[int]  # one of the TOKEN_ constants each
    scores: list[float] = dataclasses.field(default_factory=list)
    merges: list[str] = dataclasses.field(default_factory=list)
    pre: str = "default"
    bos: int = -1  # -1: none
    eos: int = -1
    unknown: int = -1
    add_bos: bool = True
    add_space_prefix: bool = True


TOKEN_NORMAL, TOKEN_UNKNOWN, TOKEN_CONTROL, TOKEN_USER, TOKEN_UNUSED, TOKEN_BYTE = range(1, 7)


@dataclasses.dataclass
class Model:
    """A model of llama architecture with GGUF's tensor names; rotary pairs are (2i, 2i + 1)."""

    name: str
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    feed_forward: int
    context: int
    norm_epsilon: float
    rope_base: float
    vocabulary: Vocabulary
    tensors: dict[str, Tensor]
    rope_linear_factor: float = 1.0
