#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the bundled vision Transformer on scikit-learn's handwritten digits (1,797 images of 8 x 8 pixels).

Everything goes to --out: the best network as config.json and model.safetensors (a folder that export_gguf.py reads),
report.json with the held-out figures, and the held-out images as images/NUMBER-LABEL.pgm. See models/README.md.
"""

import time

import numpy
import torch
from sklearn import datasets, neighbors
from torch.nn import functional

from modelkit import checkpoint, classifier, vit

LARGEST = 16  # pixel value


def parse_arguments():
    """The command line."""
    return classifier.parser(__doc__, "images", validation=200, held_out=400, epochs=120, batch=64).parse_args()


def split(arguments):
    """dict from kind to (images (count, 8, 8) of 0 to 1, labels); the split depends on the seed alone."""
    digits = datasets.load_digits()
    order = numpy.random.default_rng(arguments.seed).permutation(len(digits.target))
    ends = numpy.cumsum([arguments.held_out, arguments.validation])
    return {
        kind: (torch.from_numpy(digits.images[part]).float() / LARGEST, torch.from_numpy(digits.target[part]))
        for kind, part in zip(("test", "validation", "train"), numpy.split(order, ends))
    }


def shifted(images, generator):
    """Each image moved by -1, 0 or 1 pixels to the side and up or down; what comes in is empty."""
    padded = functional.pad(images, (1, 1, 1, 1))
    moves = torch.randint(0, 3, (len(images), 2), generator=generator)
    side = images.shape[1]
    return torch.stack([image[y : y + side, x : x + side] for image, (y, x) in zip(padded, moves.tolist())])


@torch.no_grad()
def predictions(model, images):
    """The likeliest class of each image."""
    model.eval()
    result = model(images).argmax(1)
    model.train()
    return result


def train(arguments, model, data):
    """Trains all epochs, with a learning rate that falls as a cosine, and keeps the best network."""
    images, labels = data["train"]
    optimizer = torch.optim.AdamW(model.parameters(), arguments.learning_rate, weight_decay=arguments.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, arguments.epochs)
    generator = torch.Generator().manual_seed(arguments.seed)
    best = -1
    for epoch in range(arguments.epochs):
        for part in torch.randperm(len(images), generator=generator).split(arguments.batch):
            loss = functional.cross_entropy(model(shifted(images[part], generator)), labels[part], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        right = (predictions(model, data["validation"][0]) == data["validation"][1]).sum().item()
        if right >= best:  # of equal ones the latest, which has trained longest
            best = right
            checkpoint.export(arguments.out, model, labels=[str(label) for label in range(model.shape.classes)])
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1} loss {loss.item():.3f} validation {right / len(data['validation'][1]):.3f}", flush=True)


def held_out_figures(model, data):
    """Accuracy on the test split of the network and of baselines, and the network's confusions."""
    images, labels = data["train"]
    test, truth = data["test"]
    means = torch.stack([images[labels == label].mean(0) for label in range(model.shape.classes)]).flatten(1)
    nearest = neighbors.KNeighborsClassifier(1).fit(images.flatten(1), labels)
    found = {
        "most frequent class": torch.full_like(truth, labels.bincount().argmax().item()),
        "nearest class mean": torch.cdist(test.flatten(1), means).argmin(1),
        "nearest neighbour": torch.from_numpy(nearest.predict(test.flatten(1))),
        "network": predictions(model, test),
    }
    table = numpy.zeros((model.shape.classes,) * 2, dtype=int)
    numpy.add.at(table, (truth.numpy(), found["network"].numpy()), 1)
    figures = {name: round((classes == truth).float().mean().item(), 4) for name, classes in found.items()}
    return {"accuracy": figures, "confusion": table.tolist()}


def write_images(folder, images, labels):
    """Plain PGM files, NUMBER-LABEL.pgm."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (image, label) in enumerate(zip(images, labels)):
        rows = "\n".join(" ".join(f"{round(value * LARGEST):2d}" for value in row) for row in image.tolist())
        text = f"P2\n{image.shape[1]} {image.shape[0]}\n{LARGEST}\n{rows}\n"
        (folder / f"{number:03d}-{label}.pgm").write_text(text)


def main():
    """Trains and reports."""
    arguments = parse_arguments()
    classifier.begin(arguments)
    data = split(arguments)
    model = vit.Network(vit.Shape(), arguments.dropout)
    begin = time.process_time()
    train(arguments, model, data)
    checkpoint.load_weights(arguments.out, model)
    write_images(arguments.out / "images", *data["test"])
    report = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "images": {kind: len(labels) for kind, (_, labels) in data.items()},
        "processor_minutes": round((time.process_time() - begin) / 60, 1),
        **held_out_figures(model, data),
    }
    classifier.write_report(arguments.out, report)


if __name__ == "__main__":
    main()
