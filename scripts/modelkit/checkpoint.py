# SPDX-License-Identifier: Apache-2.0
"""Keeps training checkpoints, and writes trained networks as folders in Hugging Face's format."""

import json
import os
import pathlib

import torch

from . import safetensors


def save_training(path, state):
    """Writes the state of a training run so that an interruption leaves the old file whole."""
    partial = pathlib.Path(f"{path}.partial")
    torch.save(state, partial)
    os.replace(partial, path)


def export(folder, network, **more):
    """Writes model.safetensors and config.json, which has `more` keys than the network's own, into `folder`."""
    config = {**network.config(), **more}
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().float().cpu().numpy() for name, value in network.state_dict().items()}
    safetensors.write(folder / "model.safetensors.partial", tensors)
    os.replace(folder / "model.safetensors.partial", folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def load_weights(folder, network):
    """Sets the network's parameters from `folder`/model.safetensors."""
    tensors = safetensors.read(folder / "model.safetensors")
    network.load_state_dict({name: torch.from_numpy(tensor.load()) for name, tensor in tensors.items()})
