# SPDX-License-Identifier: Apache-2.0
"""The layers of encoders: attention in all directions and a feed-forward network."""

from torch import nn
from torch.nn import functional


class Layer(nn.Module):
    """Attention and a feed-forward network, each behind a layer norm and added to its input."""

    def __init__(self, shape, dropout):
        super().__init__()
        self.heads, self.dropout = shape.heads, dropout
        self.attn_norm = nn.LayerNorm(shape.width, shape.norm_epsilon)
        self.attn_q, self.attn_k, self.attn_v, self.attn_output = (
            nn.Linear(shape.width, shape.width) for _ in range(4)
        )
        self.ffn_norm = nn.LayerNorm(shape.width, shape.norm_epsilon)
        self.ffn_up = nn.Linear(shape.width, shape.feed_forward)
        self.ffn_down = nn.Linear(shape.feed_forward, shape.width)

    def attention(self, x, mask):
        """softmax(q k^T / sqrt(head) + mask) v of each head; x: (batch, rows, width)."""
        batch, rows, width = x.shape
        q, k, v = (
            linear(x).view(batch, rows, self.heads, -1).transpose(1, 2)
            for linear in (self.attn_q, self.attn_k, self.attn_v)
        )
        scores = q @ k.transpose(2, 3) * (width // self.heads) ** -0.5 + mask
        return self.attn_output((scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, rows, width))

    def forward(self, x, mask=0.0):
        x = x + functional.dropout(self.attention(self.attn_norm(x), mask), self.dropout, self.training)
        h = functional.gelu(self.ffn_up(self.ffn_norm(x)), approximate="tanh")
        return x + functional.dropout(self.ffn_down(h), self.dropout, self.training)
