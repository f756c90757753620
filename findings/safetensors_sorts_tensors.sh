#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A safetensors file (Python package safetensors 0.8.0) has its tensors neither in the order in which they were saved nor in that of the layers:
# wider types come first, and within a type names are sorted as texts. One float32 norm at the end of a float16 model is the first tensor of the
# file, and layer 10 lies before layer 2. Reading layer by layer from such a file jumps back and forth; addresses that follow a file's order
# differ from those of the same model as GGUF.
source "$(dirname "$0")/support/steps.sh"
python_packages numpy==2.4.6 safetensors==0.8.0
found=$(python3 - <<'CODE'
import json
import numpy as np
from safetensors.numpy import save_file

half = lambda: np.zeros((2, 2), np.float16)
save_file({"embed": half(), "layers.0": half(), "layers.2": half(), "layers.10": half(), "norm": np.zeros(2, np.float32)}, "model.safetensors")
with open("model.safetensors", "rb") as file:
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
print(*sorted(header, key=lambda name: header[name]["data_offsets"]))
CODE
)
expect "the order of embed layers.0 layers.2 layers.10 norm" "$found" "norm embed layers.0 layers.10 layers.2"
