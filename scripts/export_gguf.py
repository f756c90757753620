#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a model of llama architecture, or one of this project's own, as a GGUF file.

SOURCE is a folder in Hugging Face's format (config.json, *.safetensors, tokenizer.model or tokenizer.json;
also what the train_*.py leave), or a llama2.c checkpoint together with --tokenizer. Norms stay F32; a
matrix whose rows do not fill a format's blocks is stored in the one that llama.cpp's tool takes, or F16.
"""

import argparse
import pathlib

from modelkit import blocks, gguf, sources

QUANTIZATION_VERSION = 2  # of ggml's block layouts


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("source", type=pathlib.Path, metavar="SOURCE")
    add("output", type=pathlib.Path, metavar="OUTPUT.gguf")
    add("--type", choices=list(blocks.NAMES), default="Q8_0", help="format of the matrices (default: Q8_0)")
    add("--embedding-type", choices=list(blocks.NAMES), help="format of the embedding and the output, if another")
    add("--tokenizer", type=pathlib.Path, help="llama2.c's tokenizer.bin that goes with SOURCE")
    add("--context", type=int, help="context length, if not the source's")
    add("--name", help="general.name, if not the source's")
    add("--author", help="general.author")
    add("--license", help="general.license: SPDX identifier of the weights")
    add("--description", help="general.description: what the model is and what it was made from")
    add("--dataset", help="general.dataset.0.name: the text that it was trained on, with that text's licence")
    add("--source-url", help="general.source.url: where the model comes from")
    return parser.parse_args()


def metadata(model, kind, arguments):
    """The key-value pairs of the file."""
    given = {
        "general.author": arguments.author,
        "general.license": arguments.license,
        "general.description": arguments.description,
        "general.source.url": arguments.source_url,
        "general.dataset.count": 1 if arguments.dataset else None,
        "general.dataset.0.name": arguments.dataset,
    }
    parameters = sum(count_elements(tensor.shape) for tensor in model.tensors.values())
    result = {
        "general.architecture": model.architecture,
        "general.type": "model",
        "general.name": arguments.name or model.name,
        "general.size_label": size_label(parameters),
        **{key: value for key, value in given.items() if value is not None},
        "general.file_type": blocks.FILE_TYPES[kind],
        "general.quantization_version": QUANTIZATION_VERSION,
    }
    if arguments.context:
        model.context = arguments.context
    result.update({f"{model.architecture}.{key}": value for key, value in model.keys().items()})
    return result | vocabulary_metadata(model.vocabulary) if model.vocabulary else result


def vocabulary_metadata(vocabulary):
    """The key-value pairs that describe the tokenizer."""
    result = {
        "tokenizer.ggml.model": vocabulary.kind,
        "tokenizer.ggml.pre": vocabulary.pre,
        "tokenizer.ggml.tokens": vocabulary.tokens,
        "tokenizer.ggml.token_type": vocabulary.types,
    }
    if vocabulary.kind == "llama":
        result["tokenizer.ggml.scores"] = vocabulary.scores
        result["tokenizer.ggml.add_space_prefix"] = vocabulary.add_space_prefix
    else:
        result["tokenizer.ggml.merges"] = vocabulary.merges
    for key, value in (("bos", vocabulary.bos), ("eos", vocabulary.eos), ("unknown", vocabulary.unknown)):
        if value >= 0:
            result[f"tokenizer.ggml.{key}_token_id"] = value
    result["tokenizer.ggml.add_bos_token"] = vocabulary.add_bos and vocabulary.bos >= 0
    result["tokenizer.ggml.add_eos_token"] = False
    return result


def count_elements(shape):
    """The product of the dimensions."""
    result = 1
    for dimension in shape:
        result *= dimension
    return result


def size_label(parameters):
    """A number of parameters in three digits or fewer: 260K, 2.9M, 70B."""
    for unit, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if parameters >= unit:
            value = parameters / unit
            return f"{value:.1f}{letter}" if value < 10 else f"{value:.0f}{letter}"
    return str(parameters)


def tensor_type(name, shape, kind, embedding_kind):
    """The format of one tensor: vectors stay F32."""
    if len(shape) == 1:
        return blocks.F32
    if name in ("token_embd.weight", "output.weight"):
        kind = embedding_kind
    return blocks.fitting(kind, shape[-1])


def main():
    """Reads the source and writes the file."""
    arguments = parse_arguments()
    if arguments.source.is_dir():
        model = sources.from_huggingface(arguments.source)
    elif arguments.tokenizer:
        model = sources.from_llama2c(arguments.source, arguments.tokenizer)
    else:
        raise SystemExit(f"{arguments.source} is no folder: a llama2.c checkpoint needs --tokenizer tokenizer.bin")
    kind = blocks.NAMES[arguments.type]
    embedding_kind = blocks.NAMES[arguments.embedding_type or arguments.type]
    tensors = {
        name: (tensor, tensor_type(name, tensor.shape, kind, embedding_kind)) for name, tensor in model.tensors.items()
    }
    gguf.write(arguments.output, metadata(model, kind, arguments), tensors)
    print(f"{arguments.output}: {arguments.output.stat().st_size} bytes, {len(tensors)} tensors")


if __name__ == "__main__":
    main()
