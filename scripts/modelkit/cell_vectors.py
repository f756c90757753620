#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Steps of an LSTM and a GRU as PyTorch computes them in binary64: tests/golden/cell_vectors.json.

Weights and inputs are multiples of 1/256, so that they are exact; weights go through the reordering of the converter
(sources.recurrent_layer). Exit code 77 without PyTorch (Debian: python3-torch).

    python3 -m modelkit.cell_vectors --write ../tests/golden/cell_vectors.json
    python3 -m modelkit.cell_vectors --check ../tests/golden/cell_vectors.json
"""

import json
import sys

import numpy

from . import sources, vectors

WIDTH, TOKENS = 8, 7


def case_of(torch, kind, seed):
    """One layer of random weights over a few tokens."""
    torch.manual_seed(seed)
    network = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](WIDTH, WIDTH).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randint(-256, 257, parameter.shape) / 256)
        inputs = torch.randint(-512, 513, (TOKENS, WIDTH)).double() / 256
        outputs, _ = network(inputs)
    take = {name: parameter.detach().numpy() for name, parameter in network.named_parameters()}
    layer = sources.recurrent_layer(kind, take.__getitem__, 0)
    products = inputs.numpy() @ layer["cell_input.weight"].T + layer["cell_input.bias"]
    return {
        "kind": kind,
        "width": WIDTH,
        "weight": layer["cell_state.weight"].flatten().tolist(),
        "bias": layer.get("cell_state.bias", numpy.zeros(0)).tolist(),
        "x": products.round(9).flatten().tolist(),
        "h": outputs.numpy().round(9).flatten().tolist(),
    }


def compose():
    """The file's text: a case a line."""
    import torch  # not at the top: the check is skipped where it is missing

    cases = [case_of(torch, kind, seed) for kind in ("lstm", "gru") for seed in (1, 2)]
    return "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"


if __name__ == "__main__":
    try:
        import torch  # noqa: F401
    except ImportError:
        print("skipped: no PyTorch")
        sys.exit(77)
    vectors.main(__doc__, compose, lambda text: len(json.loads(text)))
