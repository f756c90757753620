# SPDX-License-Identifier: Apache-2.0
"""The network that is trained: a Llama-style decoder with grouped-query attention and a tied output.

Parameters carry the names of Hugging Face's Llama checkpoints, and rotary pairs are (i, i + head_dim/2) as
there, so that a trained model is an ordinary checkpoint of that format.
"""

import dataclasses
import math

import torch
from torch import nn
from torch.nn import functional


@dataclasses.dataclass
class Shape:
    """Sizes of the network."""

    vocabulary: int = 2048
    width: int = 256
    layers: int = 4
    heads: int = 8
    kv_heads: int = 4
    feed_forward: int = 512
    context: int = 512
    rope_base: float = 10000.0
    norm_epsilon: float = 1e-5


class CausalAttention(torch.autograd.Function):
    """softmax(q k^T) v with the fewest passes over the scores.

    q, k, v: (batch, time, head_dim), q already divided by sqrt(head_dim). Queries are taken in blocks, and a
    block looks only at the keys up to its end, which spares most of the masked half of the scores.
    """

    BLOCK = 128

    @staticmethod
    def forward(ctx, q, k, v):
        """(batch, time, head_dim)"""
        mask = torch.full((CausalAttention.BLOCK,) * 2, float("-inf"), dtype=q.dtype, device=q.device).triu(1)
        out, kept = torch.empty_like(q), []
        for first in range(0, q.shape[1], CausalAttention.BLOCK):
            last = min(first + CausalAttention.BLOCK, q.shape[1])
            scores = torch.bmm(q[:, first:last], k[:, :last].transpose(1, 2))
            scores[:, :, first:].add_(mask[: last - first, : last - first])
            kept.append(torch.softmax(scores, dim=-1))
            out[:, first:last] = torch.bmm(kept[-1], v[:, :last])
        ctx.save_for_backward(q, k, v, out, *kept)
        return out

    @staticmethod
    def backward(ctx, grad):
        """Gradients of q, k and v."""
        q, k, v, out, *kept = ctx.saved_tensors
        grad_q, grad_k, grad_v = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        weighted = (grad * out).sum(dim=-1, keepdim=True)
        for index, probabilities in enumerate(kept):
            last = probabilities.shape[2]
            rows = slice(index * CausalAttention.BLOCK, last)
            grad_v[:, :last] += torch.bmm(probabilities.transpose(1, 2), grad[:, rows])
            grad_scores = torch.bmm(grad[:, rows], v[:, :last].transpose(1, 2))
            grad_scores.sub_(weighted[:, rows]).mul_(probabilities)
            grad_q[:, rows] = torch.bmm(grad_scores, k[:, :last])
            grad_k[:, :last] += torch.bmm(grad_scores.transpose(1, 2), q[:, rows])
        return grad_q, grad_k, grad_v


class SwiGlu(torch.autograd.Function):
    """silu(gate) * up, faster in bfloat16 than the two operations that it is made of."""

    @staticmethod
    def forward(ctx, gate, up):
        """Same shape as both inputs."""
        sigmoid = torch.sigmoid(gate)
        silu = gate * sigmoid
        ctx.save_for_backward(up, sigmoid, silu)
        return silu * up

    @staticmethod
    def backward(ctx, grad):
        """Gradients of gate and up; silu' = sigmoid + silu * (1 - sigmoid)."""
        up, sigmoid, silu = ctx.saved_tensors
        slope = (sigmoid + silu).addcmul_(sigmoid, silu, value=-1.0)
        return slope.mul_(up).mul_(grad), silu * grad


class Normalize(torch.autograd.Function):
    """x / sqrt(mean of x^2 + epsilon) * weight over the last dimension, in float32, given out in `dtype`."""

    @staticmethod
    def forward(ctx, x, weight, epsilon, dtype):
        """Same shape as x."""
        inverse = torch.rsqrt(x.square().mean(dim=-1, keepdim=True).add_(epsilon))
        unit = x * inverse
        ctx.save_for_backward(unit, inverse, weight)
        return (unit * weight).to(dtype)

    @staticmethod
    def backward(ctx, grad):
        """Gradients of x and the weight."""
        unit, inverse, weight = ctx.saved_tensors
        grad = grad.float()
        product = grad * unit
        grad_weight = product.sum(dim=tuple(range(product.dim() - 1)))
        mean = product.mul_(weight).mean(dim=-1, keepdim=True)
        return (grad * weight).addcmul_(unit, mean, value=-1.0).mul_(inverse), grad_weight, None, None


class TokenLoss(torch.autograd.Function):
    """Mean cross-entropy of logits (rows, vocabulary) and targets (rows) with probabilities in the logits' type.

    For training: in bfloat16 a fifth of the time of the exact loss, and the gradient is rounded no more than
    the logits are.
    """

    @staticmethod
    def forward(ctx, logits, targets):
        """A scalar (nats)."""
        probabilities = torch.softmax(logits, dim=-1)
        ctx.save_for_backward(probabilities, targets)
        tiny = torch.finfo(torch.float32).tiny
        return -probabilities.gather(1, targets[:, None]).float().clamp_(min=tiny).log().mean()

    @staticmethod
    def backward(ctx, grad):
        """Gradient of the logits: (probabilities - one-hot targets) / rows."""
        probabilities, targets = ctx.saved_tensors
        ones = torch.ones_like(targets[:, None], dtype=probabilities.dtype)
        return probabilities.scatter_add(1, targets[:, None], -ones).mul_(grad / len(targets)), None


class RmsNorm(nn.Module):
    """RMS norm with a gain; the result has the type of the products that follow."""

    def __init__(self, shape, dtype):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape.width))
        self.epsilon, self.dtype = shape.norm_epsilon, dtype

    def forward(self, x):
        """Same shape as x."""
        return Normalize.apply(x, self.weight, self.epsilon, self.dtype)


class Linear(nn.Module):
    """x times the transposed weight, in the type of x; the weight is kept in float32."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))

    def forward(self, x):
        """(..., inputs) to (..., outputs)"""
        return functional.linear(x, self.weight.to(x.dtype))


def rotate(x, cosine, sine):
    """Turns the pairs (i, i + half) of x (batch, time, heads, head_dim) by tables of (time, 1, half)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cosine - b * sine, b * cosine + a * sine), dim=-1)


def drop_channels(x, probability, training):
    """Dropout of whole channels: one mask (batch, 1, width) for all positions of a sequence."""
    if not training or probability == 0.0:
        return x
    mask = torch.empty(x.shape[0], 1, x.shape[2], dtype=x.dtype, device=x.device).bernoulli_(1.0 - probability)
    return x * mask.div_(1.0 - probability)


class Attention(nn.Module):
    """Grouped-query attention with rotary positions."""

    def __init__(self, shape):
        super().__init__()
        self.heads, self.kv_heads, self.size = shape.heads, shape.kv_heads, shape.width // shape.heads
        self.q_proj = Linear(shape.width, shape.heads * self.size)
        self.k_proj = Linear(shape.width, shape.kv_heads * self.size)
        self.v_proj = Linear(shape.width, shape.kv_heads * self.size)
        self.o_proj = Linear(shape.heads * self.size, shape.width)

    def by_head(self, x):
        """(batch, time, heads or kv_heads, size) to (batch * heads, time, size), key heads repeated."""
        batch, time, count, size = x.shape
        x = x.transpose(1, 2)
        if count != self.heads:
            x = x.repeat_interleave(self.heads // count, dim=1)
        return x.reshape(batch * self.heads, time, size)

    def forward(self, x, tables):
        batch, time, _ = x.shape
        q = self.q_proj(x).view(batch, time, self.heads, self.size) * (1.0 / math.sqrt(self.size))
        k = self.k_proj(x).view(batch, time, self.kv_heads, self.size)
        v = self.v_proj(x).view(batch, time, self.kv_heads, self.size)
        cosine, sine = (table.to(q.dtype) for table in tables)
        q, k = rotate(q, cosine, sine), rotate(k, cosine, sine)
        out = CausalAttention.apply(self.by_head(q), self.by_head(k), self.by_head(v))
        out = out.view(batch, self.heads, time, self.size).transpose(1, 2)
        return self.o_proj(out.reshape(batch, time, self.heads * self.size))


class FeedForward(nn.Module):
    """SwiGLU: down(silu(gate x) * up x)."""

    def __init__(self, shape):
        super().__init__()
        self.gate_proj = Linear(shape.width, shape.feed_forward)
        self.up_proj = Linear(shape.width, shape.feed_forward)
        self.down_proj = Linear(shape.feed_forward, shape.width)

    def forward(self, x):
        return self.down_proj(SwiGlu.apply(self.gate_proj(x), self.up_proj(x)))


class Layer(nn.Module):
    """Attention and feed-forward, each behind a norm and added to the residual stream."""

    def __init__(self, shape, dropout, dtype):
        super().__init__()
        self.input_layernorm = RmsNorm(shape, dtype)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = RmsNorm(shape, dtype)
        self.mlp = FeedForward(shape)
        self.dropout = dropout

    def forward(self, x, tables):
        out = self.self_attn(self.input_layernorm(x), tables)
        x = x + drop_channels(out, self.dropout, self.training)
        out = self.mlp(self.post_attention_layernorm(x))
        return x + drop_channels(out, self.dropout, self.training)


class Decoder(nn.Module):
    """Embedding, layers, final norm."""

    def __init__(self, shape, dropout, dtype):
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape, dropout, dtype) for _ in range(shape.layers))
        self.norm = RmsNorm(shape, dtype)


class Network(nn.Module):
    """The whole model: token ids (batch, time) to logits (batch, time, vocabulary).

    dtype: of the matrix products; weights, residual stream and norms are float32.
    """

    def __init__(self, shape, dropout=0.0, dtype=torch.float32):
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.model = Decoder(shape, dropout, dtype)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                into_residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                deviation = 0.02 / math.sqrt(2 * shape.layers) if into_residual else 0.02
                nn.init.normal_(parameter, std=deviation)

    def tables(self, time):
        """Cosines and sines (time, 1, half)."""
        half = self.shape.width // self.shape.heads // 2
        frequency = self.shape.rope_base ** (-torch.arange(half, dtype=torch.float64) / half)
        angle = torch.outer(torch.arange(time, dtype=torch.float64), frequency).unsqueeze(1)
        return angle.cos().float(), angle.sin().float()

    def forward(self, tokens):
        tables = [table.to(tokens.device) for table in self.tables(tokens.shape[1])]
        x = self.model.embed_tokens(tokens)
        x = drop_channels(x, self.dropout, self.training)
        for layer in self.model.layers:
            x = layer(x, tables)
        x = self.model.norm(x)
        return functional.linear(x, self.model.embed_tokens.weight.to(x.dtype))

    def config(self):
        """What config.json says of it."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": self.shape.width,
            "intermediate_size": self.shape.feed_forward,
            "num_hidden_layers": self.shape.layers,
            "num_attention_heads": self.shape.heads,
            "num_key_value_heads": self.shape.kv_heads,
            "max_position_embeddings": self.shape.context,
            "rms_norm_eps": self.shape.norm_epsilon,
            "rope_theta": self.shape.rope_base,
            "vocab_size": self.shape.vocabulary,
            "tie_word_embeddings": True,
            "hidden_act": "silu",
        }
