# SPDX-License-Identifier: Apache-2.0
"""The training text: Jane Austen's six novels as plain paragraphs, split into passages."""

import random
import re

from . import rdata

DEBIAN_PACKAGE_DATA = "/usr/lib/R/site-library/janeaustenr/data"
PASSAGE_BYTES = 12_000  # a passage is some 6 pages: long against the context, short against a novel

HEADING = re.compile(r"(chapter|volume)\b.{0,12}|finis|the end", re.IGNORECASE)
END_NOTE = "A NOTE ON THE TEXT"  # an editor's words after the end of Northanger Abbey


def paragraphs(lines):
    """Joins the wrapped lines of one novel into paragraphs and keeps the prose.

    Left out: what comes before the first chapter heading (title page, advertisement), headings, an editor's
    end note, paragraphs with editorial marks, and the underscores that stand for italics.
    """
    blocks = re.split(r"\n\s*\n", "\n".join(lines))
    blocks = [re.sub(r"\s+", " ", block.replace("_", "")).strip() for block in blocks]
    first = next(i for i, block in enumerate(blocks) if re.match(r"chapter\b", block, re.IGNORECASE))
    result = []
    for block in blocks[first:]:
        if block.upper().startswith(END_NOTE):
            break
        if block and not HEADING.fullmatch(block) and not re.search(r"[\[\]*]", block):
            result.append(block)
    return result


def passages(lines):
    """The novel as consecutive passages of about PASSAGE_BYTES, each a list of whole paragraphs."""
    result, size = [[]], 0
    for paragraph in paragraphs(lines):
        if size >= PASSAGE_BYTES:
            result.append([])
            size = 0
        result[-1].append(paragraph)
        size += len(paragraph.encode()) + 1
    return result


def split(folder, held_out, seed):
    """Reads the novels and splits them by passage.

    folder: where the R package's Rdata.rdx and Rdata.rdb lie; held_out: passages each for validation and
    test. Returns a dict with "train" (texts: runs of passages that follow one another), "validation" and
    "test" (texts: one passage each). In a text one newline ends each paragraph.
    """
    novels = [passages(lines) for _, lines in sorted(rdata.read_lazyload(folder).items())]
    places = [(n, p) for n, novel in enumerate(novels) for p in range(len(novel))]
    random.Random(seed).shuffle(places)
    kinds = {place: "validation" for place in places[:held_out]}
    kinds.update({place: "test" for place in places[held_out : 2 * held_out]})
    result = {"train": [], "validation": [], "test": []}
    for n, novel in enumerate(novels):
        run = []
        for p, passage in enumerate(novel):
            text = "".join(paragraph + "\n" for paragraph in passage)
            kind = kinds.get((n, p), "train")
            if kind == "train":
                run.append(text)
                continue
            result[kind].append(text)
            result["train"].append("".join(run))
            run = []
        result["train"].append("".join(run))
    result["train"] = [text for text in result["train"] if text]
    return result
