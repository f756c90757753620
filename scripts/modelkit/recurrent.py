# SPDX-License-Identifier: Apache-2.0
"""Recurrent networks of the same text: embedding, LSTM or GRU layers, and the embedding again as the output."""

import dataclasses

from torch import nn
from torch.nn import functional

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


@dataclasses.dataclass
class Shape:
    """Sizes of the network. `width`: of the embedding and of the state of each layer."""

    cell: str = "lstm"
    vocabulary: int = 2048
    width: int = 256
    layers: int = 1
    context: int = 512


class Recurrent(nn.Module):
    """The whole model: token ids (batch, time) to logits (batch, time, vocabulary), from an empty state."""

    def __init__(self, shape, dropout=0.0):
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embed_tokens.weight, std=shape.width**-0.5)
        self.cells = CELLS[shape.cell](shape.width, shape.width, shape.layers, batch_first=True)

    def forward(self, tokens):
        x = functional.dropout(self.embed_tokens(tokens), self.dropout, self.training)
        x, _ = self.cells(x)
        x = functional.dropout(x, self.dropout, self.training)
        return functional.linear(x, self.embed_tokens.weight)

    def config(self):
        """What config.json says of it."""
        return {
            "model_type": self.shape.cell,
            "hidden_size": self.shape.width,
            "num_hidden_layers": self.shape.layers,
            "max_position_embeddings": self.shape.context,
            "vocab_size": self.shape.vocabulary,
        }

