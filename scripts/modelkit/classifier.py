# SPDX-License-Identifier: Apache-2.0
"""What the scripts that train classifiers have in common: their options, how they begin, and their report."""

import argparse
import json
import pathlib

import torch


def parser(description, inputs, *, validation, held_out, epochs, batch):
    """The options; `inputs` is what is classified, as in "images", and the numbers are the defaults."""
    result = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = result.add_argument
    add("--out", type=pathlib.Path, required=True, help="folder for the network and results")
    add("--seed", type=int, default=1811)
    add("--validation", type=int, default=validation, help=f"{inputs} that choose the best network")
    add("--held-out", type=int, default=held_out, help=f"{inputs} for the figures alone")
    add("--epochs", type=int, default=epochs)
    add("--batch", type=int, default=batch)
    add("--learning-rate", type=float, default=2e-3)
    add("--weight-decay", type=float, default=0.05)
    add("--dropout", type=float, default=0.1)
    add("--threads", type=int, default=1)
    return result


def begin(arguments):
    """Threads, seed and folder as the options say."""
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)


def write_report(folder, report):
    """To report.json of the folder, and printed."""
    text = json.dumps(report, indent=2)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    print(text)
