# SPDX-License-Identifier: Apache-2.0
"""Parts of train_model.py and export_gguf.py: text, tokenizer, network, formats, checkpoints."""
