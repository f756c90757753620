# SPDX-License-Identifier: Apache-2.0
"""A vision Transformer: patches, a class row, layers of bidirectional attention, one linear for the classes."""

import dataclasses

import torch
from torch import nn
from torch.nn import functional

from .encoder import Layer


@dataclasses.dataclass
class Shape:
    """Sizes of the network; images are square and have one channel."""

    image: int = 8
    patch: int = 2
    classes: int = 10
    width: int = 64
    layers: int = 3
    heads: int = 4
    feed_forward: int = 128
    norm_epsilon: float = 1e-5


class Network(nn.Module):
    """Images (batch, side, side) of values 0 to 1 to logits (batch, classes).

    The class row has no pixels: it is what position_embd has in its last row. That is the row that the classes are
    read from.
    """

    def __init__(self, shape, dropout=0.0):
        super().__init__()
        self.shape = shape
        rows = (shape.image // shape.patch) ** 2 + 1
        self.patch_embd = nn.Linear(shape.patch**2, shape.width, bias=False)
        self.position_embd = nn.Parameter(torch.randn(rows, shape.width) * 0.1)
        self.blk = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.output_norm = nn.LayerNorm(shape.width, shape.norm_epsilon)
        self.output = nn.Linear(shape.width, shape.classes, bias=False)

    def patches(self, images):
        """(batch, patches, pixels): patches row by row, and so are the pixels of each."""
        side, count = self.shape.patch, self.shape.image // self.shape.patch
        return images.view(-1, count, side, count, side).transpose(2, 3).reshape(len(images), count**2, side**2)

    def forward(self, images):
        x = self.patch_embd(self.patches(images))
        x = functional.pad(x, (0, 0, 0, 1)) + self.position_embd
        for layer in self.blk:
            x = layer(x)
        return self.output(self.output_norm(x[:, -1]))

    def config(self):
        """What config.json says of it."""
        return {"model_type": "vit", **dataclasses.asdict(self.shape)}
