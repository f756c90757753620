#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a bundled model on Jane Austen's novels: tokenizer, network, held-out figures, sample text.

Everything goes to --out: tokenizer.model, the best network so far as config.json and model.safetensors
(a folder that export_gguf.py reads), latest.pt to resume from, log.csv, report.json.
Start the same command again to resume. See models/README.md.
"""

import argparse
import csv
import json
import math
import pathlib
import time

import numpy
import torch
from torch.nn import functional

from modelkit import baselines, checkpoint, corpus, network, recurrent, tokenizer

PROMPTS = ["It was", "Captain Wentworth", "Elizabeth"]  # of the samples in the report


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--data", default=corpus.DEBIAN_PACKAGE_DATA, help="data folder of the R package janeaustenr")
    add("--out", type=pathlib.Path, required=True, help="folder for checkpoints and results")
    add("--heldout-text", type=pathlib.Path, help="where to write a passage of the test split")
    add("--network", choices=("llama", *recurrent.CELLS), default="llama")
    add("--held-out", type=int, default=8, help="passages each for validation and test")
    add("--seed", type=int, default=1811)
    for field in ("vocabulary", "width", "layers", "heads", "kv_heads", "feed_forward", "context"):
        add("--" + field.replace("_", "-"), type=int, default=getattr(network.Shape, field))
    add("--steps", type=int, default=4000)
    add("--warmup", type=int, default=200, help="steps of linear rise of the learning rate")
    add("--decay", type=int, default=1600, help="last steps, in which the learning rate falls linearly")
    add("--batch", type=int, default=8, help="sequences a step")
    add("--learning-rate", type=float, default=2e-3)
    add("--weight-decay", type=float, default=0.1)
    add("--dropout", type=float, default=0.15)
    add("--evaluate-every", type=int, default=200)
    add("--patience", type=int, default=10, help="evaluations without a better loss before training ends")
    add("--precision", choices=("bf16", "fp32"), default="bf16", help="of matrix products; weights are fp32")
    add("--threads", type=int, default=1)
    return parser.parse_args()


def learning_rate(arguments, step):
    """Linear rise, constant, linear fall to 2 %."""
    rise = min(1.0, (step + 1) / arguments.warmup)
    fall = min(1.0, max(0.02, (arguments.steps - step) / arguments.decay))
    return arguments.learning_rate * min(rise, fall)


def training_batch(stream, arguments, step):
    """Inputs and targets (batch, context) of one step; depends on the seed and the step alone.

    An epoch cuts the stream into windows from a random offset and visits them in random order. The first
    input of a window is BOS, as it is when the model is used.
    """
    context = arguments.context
    windows = len(stream) // context - 1
    rows = []
    for index in range(step * arguments.batch, (step + 1) * arguments.batch):
        epoch, place = divmod(index, windows)
        random = numpy.random.default_rng((arguments.seed, epoch))
        first = random.integers(context) + random.permutation(windows)[place] * context
        rows.append(stream[first : first + context])
    return with_bos(torch.from_numpy(numpy.stack(rows)))


def with_bos(targets):
    """(inputs, targets): the inputs are the targets one place later, behind BOS."""
    inputs = torch.roll(targets, 1, dims=1)
    inputs[:, 0] = tokenizer.BOS
    return inputs, targets


def device_of(model):
    """Where the model's parameters are."""
    return next(model.parameters()).device


@torch.no_grad()
def total_loss(model, sequences, arguments):
    """Summed cross-entropy (nats) over all tokens, each text cut into windows that start from BOS."""
    model.eval()
    result = 0.0
    for sequence in sequences:
        tokens = torch.from_numpy(sequence)
        full = len(tokens) // arguments.context * arguments.context
        parts = list(tokens[:full].view(-1, arguments.context).split(arguments.batch))
        if full < len(tokens):
            parts.append(tokens[full:].unsqueeze(0))
        for part in parts:
            inputs, targets = (ids.to(device_of(model)) for ids in with_bos(part))
            logits = model(inputs).flatten(0, 1).float()
            result += functional.cross_entropy(logits, targets.flatten(), reduction="sum").item()
    model.train()
    return result


def update(arguments, model, optimizer, stream, step):
    """One training step; returns the loss of its batch."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(arguments, step)
    torch.manual_seed(arguments.seed * 1_000_003 + step)  # dropout, too, depends on the step alone
    inputs, targets = (ids.to(device_of(model)) for ids in training_batch(stream, arguments, step))
    loss = network.TokenLoss.apply(model(inputs).flatten(0, 1), targets.flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def train(arguments, model, optimizer, data):
    """Trains to the last step or until the validation loss stops falling; keeps the best network."""
    path = arguments.out / "latest.pt"
    state = {"step": 0, "best": math.inf, "waited": 0, "seconds": 0.0}
    if path.exists():
        state = torch.load(path, map_location=device_of(model))
        model.load_state_dict(state.pop("model"))
        optimizer.load_state_dict(state.pop("optimizer"))
        print(f"resumed at step {state['step']}", flush=True)
    stream = numpy.concatenate(data["train"])
    tokens = sum(len(sequence) for sequence in data["validation"])
    running, since, counted = 0.0, time.time(), 0
    while state["step"] < arguments.steps and state["waited"] < arguments.patience:
        running += update(arguments, model, optimizer, stream, state["step"])
        counted += 1
        state["step"] += 1
        if state["step"] % 20 == 0:
            left = (time.time() - since) / counted * (arguments.steps - state["step"])
            print(
                f"step {state['step']}/{arguments.steps} loss {running / counted:.4f} left {left / 60:.1f} min",
                flush=True,
            )
        if state["step"] % arguments.evaluate_every == 0 or state["step"] == arguments.steps:
            validation = total_loss(model, data["validation"], arguments) / tokens
            state["seconds"] += time.time() - since
            evaluate_step(arguments, model, state, running / counted, validation)
            checkpoint.save_training(path, {**state, "model": model.state_dict(), "optimizer": optimizer.state_dict()})
            running, since, counted = 0.0, time.time(), 0
    return state


def evaluate_step(arguments, model, state, train_loss, validation):
    """Logs an evaluation and keeps the network if it is the best so far."""
    better = validation < state["best"]
    state["waited"] = 0 if better else state["waited"] + 1
    if better:
        state["best"] = validation
        checkpoint.export(arguments.out, model, bos_token_id=tokenizer.BOS, eos_token_id=tokenizer.EOS)
    print(
        f"step {state['step']} train {train_loss:.4f} validation {validation:.4f}{' *' if better else ''}", flush=True
    )
    with open(arguments.out / "log.csv", "a", newline="", encoding="utf-8") as out:
        csv.writer(out).writerow([state["step"], f"{train_loss:.5f}", f"{validation:.5f}", f"{state['seconds']:.0f}"])


@torch.no_grad()
def sample(model, start, count, temperature, seed):
    """Continues the tokens `start` by `count` tokens drawn at the given temperature."""
    model.eval()
    generator = torch.Generator().manual_seed(seed)
    tokens = list(start)
    for _ in range(count):
        window = torch.tensor([tokens[-model.shape.context :]], device=device_of(model))
        logits = model(window)[0, -1].float().cpu() / temperature
        tokens.append(int(torch.multinomial(torch.softmax(logits, 0), 1, generator=generator)))
    return tokens


def held_out_figures(arguments, model, data, texts):
    """Perplexity per token and per byte on the test split, of the network and of n-gram baselines."""
    seen, test = [list(ids) for ids in data["train"]], [list(ids) for ids in data["test"]]
    losses = {
        "unigram": baselines.unigram(seen, test, arguments.vocabulary),
        "trigram (Kneser-Ney)": baselines.KneserNey(seen, arguments.vocabulary).loss(test),
        "network": total_loss(model, data["test"], arguments),
    }
    tokens, size = sum(map(len, test)), sum(len(text.encode()) for text in texts["test"])
    return {
        name: {"per_token": round(math.exp(loss / tokens), 3), "per_byte": round(math.exp(loss / size), 4)}
        for name, loss in losses.items()
    }


def prepare(arguments):
    """The split texts, their tokens without BOS, and the tokenizer (trained if it is not there yet)."""
    texts = corpus.split(arguments.data, arguments.held_out, arguments.seed)
    path = arguments.out / "tokenizer.model"
    if not path.exists():
        tokenizer.train(texts["train"], arguments.vocabulary, path)
    processor = tokenizer.load(path)
    data = {kind: [ids[1:] for ids in tokenizer.encode(processor, texts[kind])] for kind in texts}
    for kind, parts in texts.items():
        size, tokens = sum(len(part.encode()) for part in parts), sum(map(len, data[kind]))
        print(f"{kind}: {len(parts)} texts, {size} bytes, {tokens} tokens, {size / tokens:.3f} bytes a token")
    if arguments.heldout_text:
        arguments.heldout_text.write_text(texts["test"][0], encoding="utf-8")
    return texts, data, processor


def make_model(arguments):
    """The network, on the GPU when there is one, and its optimizer; norm gains have no weight decay."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if arguments.network == "llama":
        fields = ("vocabulary", "width", "layers", "heads", "kv_heads", "feed_forward", "context")
        shape = network.Shape(**{field: getattr(arguments, field) for field in fields})
        dtype = torch.bfloat16 if arguments.precision == "bf16" else torch.float32
        model = network.Network(shape, arguments.dropout, dtype).to(device)
    else:
        fields = ("vocabulary", "width", "layers", "context")
        shape = recurrent.Shape(arguments.network, **{field: getattr(arguments, field) for field in fields})
        model = recurrent.Recurrent(shape, arguments.dropout).to(device)
    matrices = [parameter for parameter in model.parameters() if parameter.dim() == 2]
    gains = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    groups = [{"params": matrices, "weight_decay": arguments.weight_decay}, {"params": gains, "weight_decay": 0.0}]
    return model, torch.optim.AdamW(groups, lr=arguments.learning_rate, betas=(0.9, 0.95))


def main():
    """Prepares the text, trains, and reports."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    texts, data, processor = prepare(arguments)
    model, optimizer = make_model(arguments)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"{parameters} parameters on {device_of(model)}", flush=True)
    state = train(arguments, model, optimizer, data)

    checkpoint.load_weights(arguments.out, model)
    starts = [ids.tolist() for ids in tokenizer.encode(processor, PROMPTS)]
    report = {
        "parameters": parameters,
        "steps": state["step"],
        "training_minutes": round(state["seconds"] / 60, 1),
        "validation_loss": round(state["best"], 4),
        "test_perplexity": held_out_figures(arguments, model, data, texts),
        "samples": [processor.decode(sample(model, ids, 200, 0.8, seed)[1:]) for seed, ids in enumerate(starts)],
    }
    text = json.dumps(report, indent=2, ensure_ascii=False)
    (arguments.out / "report.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
