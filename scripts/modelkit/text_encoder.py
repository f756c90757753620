# SPDX-License-Identifier: Apache-2.0
"""A text classifier: tokens and a last one for all, layers of attention in all directions, one linear for the classes."""

import dataclasses

import torch
from torch import nn

from .encoder import Layer


@dataclasses.dataclass
class Shape:
    """Sizes of the network."""

    vocabulary: int = 2048
    classes: int = 2
    context: int = 128
    width: int = 64
    layers: int = 2
    heads: int = 4
    feed_forward: int = 128
    norm_epsilon: float = 1e-5


class Network(nn.Module):
    """Token ids (batch, rows) and lengths (batch) to logits (batch, classes): those of each text's last row."""

    def __init__(self, shape, dropout=0.0):
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.position_embd = nn.Parameter(torch.randn(shape.context, shape.width) * 0.02)
        nn.init.normal_(self.token_embd.weight, std=0.1)
        self.blk = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.output_norm = nn.LayerNorm(shape.width, shape.norm_epsilon)
        self.output = nn.Linear(shape.width, shape.classes, bias=False)

    def forward(self, tokens, lengths):
        x = self.token_embd(tokens) + self.position_embd[: tokens.shape[1]]
        unused = torch.arange(tokens.shape[1]) >= lengths[:, None]
        mask = torch.zeros(unused.shape).masked_fill(unused, float("-inf"))[:, None, None]
        for layer in self.blk:
            x = layer(x, mask)
        return self.output(self.output_norm(x[torch.arange(len(x)), lengths - 1]))

    def config(self):
        """What config.json says of it."""
        return {"model_type": "encoder", **dataclasses.asdict(self.shape)}
