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
    """A model with GGUF's tensor names."""

    name: str
    width: int
    layers: int
    context: int
    vocabulary: Vocabulary | None  # None: its input is no text
    tensors: dict[str, Tensor]
    architecture: str = "llama"  # general.architecture
    own_keys: dict[str, object] = dataclasses.field(default_factory=dict)

    def keys(self):
        """Metadata behind the architecture's name and a dot."""
        size = {"vocab_size": len(self.vocabulary.tokens)} if self.vocabulary else {}
        return {
            "context_length": self.context,
            "embedding_length": self.width,
            "block_count": self.layers,
            **size,
            **self.own_keys,
        }


@dataclasses.dataclass(kw_only=True)
class LlamaModel(Model):
    """One of llama architecture; rotary pairs are (2i, 2i + 1)."""

    heads: int
    kv_heads: int
    head_size: int
    feed_forward: int
    norm_epsilon: float
    rope_base: float
    rope_linear_factor: float = 1.0

    def keys(self):
        """Metadata behind the architecture's name and a dot."""
        result = super().keys() | {
            "feed_forward_length": self.feed_forward,
            "attention.head_count": self.heads,
            "attention.head_count_kv": self.kv_heads,
            "attention.key_length": self.head_size,
            "attention.value_length": self.head_size,
            "attention.layer_norm_rms_epsilon": float(self.norm_epsilon),
            "rope.dimension_count": self.head_size,
            "rope.freq_base": float(self.rope_base),
        }
        if self.rope_linear_factor != 1.0:
            result["rope.scaling.type"] = "linear"
            result["rope.scaling.factor"] = self.rope_linear_factor
        return result
