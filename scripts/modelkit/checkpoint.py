# SPDX-License-Identifier: Apache-2.0
"""Keeps training checkpoints, and writes trained networks in Hugging Face's Llama format."""

import json
import os
import pathlib

import torch

from . import safetensors, tokenizer


def save_training(path, state):
    """Writes the state of a training run so that an interruption leaves the old file whole."""
    partial = pathlib.Path(f"{path}.partial")
    torch.save(state, partial)
    os.replace(partial, path)


def export(folder, network):
    """Writes model.safetensors and config.json into `folder`."""
    shape = network.shape
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": shape.width,
        "intermediate_size": shape.feed_forward,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "max_position_embeddings": shape.context,
        "rms_norm_eps": shape.norm_epsilon,
        "rope_theta": shape.rope_base,
        "vocab_size": shape.vocabulary,
        "tie_word_embeddings": True,
        "hidden_act": "silu",
        "bos_token_id": tokenizer.BOS,
        "eos_token_id": tokenizer.EOS,
    }
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().float().cpu().numpy() for name, value in network.state_dict().items()}
    safetensors.write(folder / "model.safetensors.partial", tensors)
    os.replace(folder / "model.safetensors.partial", folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def load_weights(folder, network):
    """Sets the network's parameters from `folder`/model.safetensors."""
    tensors = safetensors.read(folder / "model.safetensors")
    network.load_state_dict({name: torch.from_numpy(tensor.load()) for name, tensor in tensors.items()})
