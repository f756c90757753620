# SPDX-License-Identifier: Apache-2.0
"""Reads models of llama architecture from llama2.c checkpoints and Hugging Face folders."""

import json
import math
import pathlib
import struct

import numpy

from . import safetensors, vocabularies
from .tensors import LlamaModel, Model, Tensor

# Parts of a layer: GGUF's name, Hugging Face's name.
PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def from_llama2c(path, tokenizer):
    """A checkpoint of llama2.c (version 0): seven int32, then float32 tensors, each for all layers.

    The sign of the vocabulary size says whether the output is tied to the embedding. Rotary pairs are
    already adjacent.
    """
    header = struct.unpack("<7i", path.read_bytes()[:28])
    width, hidden, layers, heads, kv_heads, vocabulary, positions = header
    if min(width, hidden, layers, heads, kv_heads, positions) <= 0 or vocabulary == 0 or width % heads:
        raise ValueError(f"{path} is no llama2.c checkpoint: its header is {header}")
    tied, vocabulary = vocabulary > 0, abs(vocabulary)
    size = width // heads
    at = 28
    tensors = {}

    def take(*shape):
        nonlocal at
        values = numpy.fromfile(path, "<f4", math.prod(shape), offset=at)
        at += 4 * math.prod(shape)
        return values.reshape(shape)

    def each_layer(part, *shape):
        for layer, array in enumerate(take(layers, *shape)):
            tensors[f"blk.{layer}.{part}.weight"] = Tensor.of(array)

    tensors["token_embd.weight"] = Tensor.of(take(vocabulary, width))
    each_layer("attn_norm", width)
    each_layer("attn_q", heads * size, width)
    each_layer("attn_k", kv_heads * size, width)
    each_layer("attn_v", kv_heads * size, width)
    each_layer("attn_output", width, heads * size)
    each_layer("ffn_norm", width)
    each_layer("ffn_gate", hidden, width)
    each_layer("ffn_down", width, hidden)
    each_layer("ffn_up", hidden, width)
    tensors["output_norm.weight"] = Tensor.of(take(width))
    take(2, positions, size // 2)  # cosines and sines, computed anew by whoever runs the model
    if not tied:
        tensors["output.weight"] = Tensor.of(take(vocabulary, width))
    return LlamaModel(
        name=path.stem,
        width=width,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_size=size,
        feed_forward=hidden,
        context=positions,
        norm_epsilon=1e-5,
        rope_base=10000.0,
        vocabulary=vocabularies.from_llama2c(tokenizer, vocabulary),
        tensors=tensors,
    )


def adjacent_pairs(heads):
    """Reorders the rows of a query or key matrix from rotary pairs (i, i + half) to pairs (2i, 2i + 1)."""

    def reorder(weight):
        rows, columns = weight.shape
        return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)

    return reorder


def llama3_factors(scaling, size, base):
    """The divisors of the rotary frequencies (size / 2) of Llama 3.1's scaling, from config.json's entry.

    Wavelengths above old_context / low_freq_factor are stretched by the factor, those below old_context /
    high_freq_factor are kept, and those between are interpolated.
    """
    wavelength = 2 * math.pi * base ** (numpy.arange(0, size, 2) / size)
    old, low, high = (
        scaling[key] for key in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor")
    )
    smooth = ((old / wavelength - low) / (high - low)).clip(0.0, 1.0)
    return (1.0 / ((1.0 - smooth) / scaling["factor"] + smooth)).astype(numpy.float32)


def read_scaling(config, model):
    """Takes over the scaling of rotary positions: none, linear, or Llama 3's factors as a tensor."""
    scaling = config.get("rope_scaling") or {}
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind == "linear":
        model.rope_linear_factor = float(scaling["factor"])
    elif kind == "llama3":
        factors = llama3_factors(scaling, model.head_size, model.rope_base)
        model.tensors["rope_freqs.weight"] = Tensor.of(factors)
    elif kind != "default":
        raise ValueError(f"rope_scaling of type {kind} is not supported (default, linear and llama3 are)")


def huggingface_vocabulary(folder, config):
    """The vocabulary of a folder: its tokenizer.model or else its tokenizer.json."""
    if (folder / "tokenizer.model").exists():
        vocabulary = vocabularies.from_sentencepiece(folder / "tokenizer.model")
        missing = config["vocab_size"] - len(vocabulary.tokens)
        first = len(vocabulary.tokens)
        vocabulary.tokens += [f"[PAD{first + i}]" for i in range(missing)]
        vocabulary.scores += [0.0] * max(0, missing)
        vocabulary.types += [vocabularies.TOKEN_UNUSED] * max(0, missing)
    else:
        vocabulary = vocabularies.from_tokenizer_json(folder / "tokenizer.json", config, config["vocab_size"])
    settings = folder / "tokenizer_config.json"
    if settings.exists():
        vocabulary.add_bos = json.loads(settings.read_text()).get("add_bos_token", vocabulary.add_bos)
    return vocabulary


def recurrent_layer(cell, take, layer):
    """The tensors of one layer as the file has them; take(name): a float32 array of torch's.

    An LSTM's gates are reordered from input, forget, cell, output to input, forget, output, cell: the three
    sigmoids lie together. Its two biases are one, since only their sum counts; of a GRU's the new state
    multiplies one alone, so both stay.
    """
    names = [f"{part}_{side}_l{layer}" for part in ("weight", "bias") for side in ("ih", "hh")]
    w_input, w_state, b_input, b_state = (take(name) for name in names)
    if cell == "gru":
        return {
            "cell_input.weight": w_input,
            "cell_input.bias": b_input,
            "cell_state.weight": w_state,
            "cell_state.bias": b_state,
        }
    gates = numpy.arange(len(b_input)).reshape(4, -1)[[0, 1, 3, 2]].flatten()
    return {
        "cell_input.weight": w_input[gates],
        "cell_input.bias": (b_input + b_state)[gates],
        "cell_state.weight": w_state[gates],
    }


def recurrent_model(folder, config, weights):
    """An LSTM or GRU that train_model.py left."""
    model = Model(
        name=folder.name,
        width=config["hidden_size"],
        layers=config["num_hidden_layers"],
        context=config["max_position_embeddings"],
        vocabulary=huggingface_vocabulary(folder, config),
        tensors={"token_embd.weight": weights["embed_tokens.weight"]},
        architecture=config["model_type"],
    )
    for layer in range(model.layers):
        parts = recurrent_layer(model.architecture, lambda name: weights[f"cells.{name}"].load(), layer)
        model.tensors.update({f"blk.{layer}.{name}": Tensor.of(array) for name, array in parts.items()})
    return model


def encoder_model(folder, config, weights):
    """A classifier that train_vit.py or train_spam.py left: its tensors have the file's names already, but for two."""
    weights["position_embd.weight"] = weights.pop("position_embd")
    weights["cls.output.weight"] = weights.pop("output.weight")
    text = config["model_type"] == "encoder"
    rows = config["context"] if text else (config["image"] // config["patch"]) ** 2 + 1
    vocabulary, own = None, {}
    if text:
        vocabulary = huggingface_vocabulary(folder, {**config, "vocab_size": config["vocabulary"]})
        vocabulary.add_bos = False
        own["input_text"] = config["input_text"]
    else:
        own.update({"image_size": config["image"], "patch_size": config["patch"]})
    return Model(
        name=folder.name,
        width=config["width"],
        layers=config["layers"],
        context=rows,
        vocabulary=vocabulary,
        tensors=weights,
        architecture=config["model_type"],
        own_keys={
            **own,
            "feed_forward_length": config["feed_forward"],
            "attention.head_count": config["heads"],
            "attention.layer_norm_epsilon": float(config["norm_epsilon"]),
            "classifier.output_labels": config["labels"],
        },
    )


def from_huggingface(folder):
    """A Hugging Face folder: config.json, one or more *.safetensors, tokenizer.model or tokenizer.json."""
    folder = pathlib.Path(folder)
    config = json.loads((folder / "config.json").read_text())
    weights = {}
    for path in sorted(folder.glob("*.safetensors")):
        weights.update(safetensors.read(path))
    if config.get("model_type") in ("lstm", "gru"):
        return recurrent_model(folder, config, weights)
    if config.get("model_type") in ("vit", "encoder"):
        return encoder_model(folder, config, weights)
    if config.get("model_type") != "llama":
        raise ValueError(f"{folder}: model_type is {config.get('model_type')}; llama, lstm, gru, vit and encoder are supported")
    heads = config["num_attention_heads"]
    model = LlamaModel(
        name=config.get("_name_or_path") or folder.name,
        width=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        head_size=config.get("head_dim") or config["hidden_size"] // heads,
        feed_forward=config["intermediate_size"],
        context=config["max_position_embeddings"],
        norm_epsilon=config["rms_norm_eps"],
        rope_base=float(config.get("rope_theta", 10000.0)),
        vocabulary=huggingface_vocabulary(folder, config),
        tensors={"token_embd.weight": weights.pop("model.embed_tokens.weight")},
    )
    for layer in range(model.layers):
        for part, name in PARTS.items():
            tensor = weights.pop(f"model.layers.{layer}.{name}.weight")
            count = {"attn_q": model.heads, "attn_k": model.kv_heads}.get(part)
            model.tensors[f"blk.{layer}.{part}.weight"] = tensor.then(adjacent_pairs(count)) if count else tensor
    model.tensors["output_norm.weight"] = weights.pop("model.norm.weight")
    head = weights.pop("lm_head.weight", None)
    if not config.get("tie_word_embeddings", False):
        if head is None:
            raise ValueError(f"{folder}: lm_head.weight is missing, and tie_word_embeddings is not set")
        model.tensors["output.weight"] = head
    unused = [name for name in weights if not name.endswith("rotary_emb.inv_freq")]
    if unused:
        raise ValueError(f"{folder}: tensors without a place in a llama model: {', '.join(sorted(unused)[:5])}")
    read_scaling(config, model)
    return model
