#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Follows the recipes "to add X" of the READMEs in a copy of the tree, builds it and uses what was added.

Each folder here is one example: new files at the places where they belong, and rows.json with the lines that go into
existing files. An example may touch only files that its recipe names, so a recipe that has become longer than it says
fails. All examples go into one copy, which is built once.
"""

import argparse
import fnmatch
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Failure(Exception):
    """What does not hold, in one sentence."""


def program(copy, *arguments):
    """Runs the copy's program in a scratch folder of it; returns its output."""
    command = [copy / "build" / "release" / "tokencycle", *arguments]
    done = subprocess.run(command, cwd=copy / "build", capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failure(f"tokencycle {' '.join(map(str, arguments))} ended with code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def expect(condition, what):
    if not condition:
        raise Failure(what)


def check_trace_writer(copy):
    program(copy, "run", "-n", "2", "-q", "--trace", "run.retired", "--result", "run.json", "--pipeline-instructions", "0")
    result = json.loads((copy / "build" / "run.json").read_text(encoding="utf-8"))
    lines = (copy / "build" / "run.retired").read_text(encoding="utf-8").splitlines()
    executed = {counter["name"]: counter["value"] for counter in result["counters"]}["decode.instructions"]
    expect(len(lines) == executed == result["host"]["traces"][0]["entries"], f"{len(lines)} lines of {executed} instructions")
    cycles = [int(line.split()[0]) for line in lines]
    expect(cycles == sorted(cycles), "the lines are not in the order of retirement")
    help_text = " ".join(program(copy, "run", "--help").split())
    expect(".retired (any editor)" in help_text, "--help does not name the extension")


def check_dram_scheduler(copy):
    latency = {}
    for scheduler in ("fcfs", "lowest-bank"):
        system = {"schema": "tokencycle-dram-system-1", "name": "one", "preset": "ddr4-3200", "scheduler": scheduler}
        (copy / "build" / "system.json").write_text(json.dumps(system), encoding="utf-8")
        result = json.loads(program(copy, "dram", "-c", "system.json", "../traces/dram/sample.trace", "--json"))
        served = sum(result[key] for key in ("row_hits", "row_misses", "row_conflicts", "forwarded", "coalesced"))
        expect(result["memory"]["scheduler"] == scheduler and served == result["requests"] == 2048,
               f"{scheduler}: {served} requests were served")
        latency[scheduler] = result["latency_clocks"]
    expect(latency["fcfs"] != latency["lowest-bank"], "the new scheduler gives the latencies of fcfs")


def check_weight_format(copy):
    """Weights that cubes and q8_0 hold alike: the machine must compute the same from both, bit for bit."""
    sys.path.insert(0, str(ROOT / "scripts"))
    import make_random_model as maker

    table = [int((half - 8) ** 3 / 4) for half in range(16)]

    def halves(block):
        scale = max(abs(v) for v in block) / 128
        return scale, [min(range(16), key=lambda i: abs(table[i] * scale - v)) for v in block]

    def encode(kind, values):
        blocks = [halves(values[i : i + maker.BLOCK]) for i in range(0, len(values), maker.BLOCK)]
        if kind == "q8_0":
            return b"".join(struct.pack("<e32b", scale, *(table[h] for h in block)) for scale, block in blocks)
        return b"".join(struct.pack("<e16B", scale, *(b[i] | b[i + 16] << 4 for i in range(16))) for scale, b in blocks)

    plain = maker.encode
    maker.encode = lambda kind, values: plain(kind, values) if kind == "f32" else encode(kind, values)
    maker.TENSOR_TYPES["cubes"] = 36
    outcomes = []
    try:
        for kind in ("q8_0", "cubes"):
            options = argparse.Namespace(layers=1, width=64, heads=4, kv_heads=2, feed_forward=96, vocab=300, context=32,
                                         seed=3, type=kind, out=copy / "build" / f"{kind}.gguf")
            maker.write(options)
            program(copy, "run", "-m", options.out, "-n", "4", "-q", "--ignore-eos", "--check", "--result", "out.json")
            result = json.loads((copy / "build" / "out.json").read_text(encoding="utf-8"))
            expect(result["model"]["weights"] == kind, f"the weights are {result['model']['weights']}, not {kind}")
            outcomes.append([token["id"] for token in result["tokens"]])
    finally:
        maker.encode = plain
        del maker.TENSOR_TYPES["cubes"]
    expect(outcomes[0] == outcomes[1], f"q8_0 gives the tokens {outcomes[0]}, cubes with the same values {outcomes[1]}")


def check_vector_function(copy):
    (copy / "build" / "relu.tcasm").write_text("""
.data 0x1000 f32 -2 -0.5 0 0.5 3 1 -1 4
load dst=s:0x0 dst_stride=32 dram=0x1000 dram_stride=32 rows=1 cols=32
relu_squared dst=s:0x100 dst_stride=32 a=s:0x0 a_stride=32 rows=1 cols=8
store a=s:0x100 a_stride=32 dram=0x2000 dram_stride=32 rows=1 cols=8 a_format=f32 dst_format=f32
halt
""", encoding="utf-8")
    program(copy, "asm", "relu.tcasm", "-o", "relu.tcp")
    program(copy, "disasm", "relu.tcp", "-o", "again.tcasm")
    expect("relu_squared" in (copy / "build" / "again.tcasm").read_text(encoding="utf-8"), "disasm does not know the function")
    values = program(copy, "run", "-q", "-c", "edge", "--program", "relu.tcp", "--dump", "dram:0x2000:f32:8")
    expect([float(v) for v in values.split()[-8:]] == [0, 0, 0, 0.25, 9, 1, 0, 16], f"the machine computes {values.strip()}")


def check_architecture(copy):
    """A random model of the new architecture: simulated bits equal the reference's, and its tensors are asked for."""
    sys.path.insert(0, str(ROOT / "scripts"))
    import make_random_model as maker

    shapes = maker.shapes

    def with_more(options):
        head = options.width // options.heads
        yield from shapes(options)
        for layer in range(options.layers):
            for name, cols in (("attn_q.bias", options.width), ("attn_k.bias", head * options.kv_heads),
                               ("attn_v.bias", head * options.kv_heads), ("attn_q_norm.weight", head),
                               ("attn_k_norm.weight", head)):
                yield f"blk.{layer}.{name}", 0, cols

    options = argparse.Namespace(layers=1, width=64, heads=4, kv_heads=2, feed_forward=96, vocab=300, context=32, seed=3,
                                 type="q8_0", out=copy / "build" / "example.gguf")

    def key(name, kind, value):
        if name.startswith("llama."):
            name = "example." + name[6:]
        return plain(name, kind, "example" if name == "general.architecture" else value)

    plain, maker.key = maker.key, key
    try:
        maker.write(options)
        failed = subprocess.run([copy / "build" / "release" / "tokencycle", "run", "-m", options.out, "-n", "1", "-q"],
                                capture_output=True, text=True, cwd=copy / "build")
        expect(failed.returncode == 4 and "attn_" in failed.stderr, f"without its tensors: {failed.stderr.strip()}")
        maker.shapes = with_more
        maker.write(options)
    finally:
        maker.key, maker.shapes = plain, shapes
    program(copy, "run", "-m", options.out, "-n", "3", "-q", "--ignore-eos", "--check", "--result", "out.json")
    result = json.loads((copy / "build" / "out.json").read_text(encoding="utf-8"))
    expect(result["model"]["architecture"] == "example", f"the architecture is {result['model']['architecture']}")


# name of the folder here: README, heading of the recipe in it, what must then work
RECIPES = {
    "architecture": ("sim/model/README.md", "To add an architecture", check_architecture),
    "vector_function": ("sim/isa/README.md", "To add a vector function", check_vector_function),
    "dram_scheduler": ("sim/memory/dram/README.md", "To add a scheduler", check_dram_scheduler),
    "weight_format": ("sim/numerics/README.md", "To add a weight format", check_weight_format),
    "trace_writer": ("sim/observe/README.md", "To add a trace writer", check_trace_writer),
}


def steps_of(readme, heading):
    """The text of a recipe: from its heading to the next one. It must have numbered steps."""
    text = (ROOT / readme).read_text(encoding="utf-8")
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.M | re.S)
    if not found:
        raise Failure(f"{readme}: the heading \"{heading}\" is missing")
    if not re.search(r"^1\. ", found[1], re.M):
        raise Failure(f"{readme}: \"{heading}\" has no numbered steps")
    return found[1]


def named_files(readme, steps):
    """Patterns of the paths that a recipe names: in backticks, from the README's folder or the root; NAME is any name."""
    folder = pathlib.PurePosixPath(readme).parent
    patterns = set()
    for word in re.findall(r"`([^`\s]+)`", steps):
        pattern = word.replace("NAME", "*")
        patterns |= {pattern, os.path.normpath(f"{folder}/{pattern}")}
    return patterns


def insert(copy, row):
    """Puts the lines of one row of rows.json into a file of the copy, at the only place where its pattern is."""
    path = copy / row["file"]
    text = path.read_text(encoding="utf-8")
    pattern = row.get("after") or row["before"]
    places = list(re.finditer(pattern, text, re.M))
    if not places:
        raise Failure(f"{row['file']}: nothing matches '{pattern}' any more; mend the example")
    place = places[0]
    at = text.index("\n", place.end()) + 1 if "after" in row else place.start()
    path.write_text(text[:at] + row["insert"] + text[at:], encoding="utf-8")


def follow(copy, name):
    """Applies an example to the copy; returns the files that it touches."""
    readme, heading, _ = RECIPES[name]
    patterns = named_files(readme, steps_of(readme, heading))
    folder = HERE / name
    new = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != "rows.json")
    rows = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
    touched = new + sorted({row["file"] for row in rows})
    for file in touched:
        if not any(fnmatch.fnmatchcase(file, pattern) for pattern in patterns):
            raise Failure(f"{readme}: \"{heading}\" does not name {file}, which the example touches")
    for file in new:
        target = copy / file
        if target.exists():
            raise Failure(f"{file} is there already; give the example another name")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / file, target)
    for row in rows:
        insert(copy, row)
    return touched


def copy_tree(target):
    """The tree without what was built in it."""
    shutil.copytree(ROOT, target, ignore=lambda folder, names: [n for n in names if n in ("build", ".git", "__pycache__")])


def build(copy, jobs):
    """Without optimisation: the examples run for a moment, and most of the tree has to be compiled."""
    for command in (["cmake", "--preset", "release", "-DTOKENCYCLE_TESTS=OFF", "-DCMAKE_CXX_FLAGS_RELEASE=-O0"],
                    ["cmake", "--build", "build/release", "--target", "tokencycle", "-j", str(jobs)]):
        done = subprocess.run(command, cwd=copy, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Failure(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")


def main():
    """Follows the chosen recipes; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"of {', '.join(RECIPES)}; default: all")
    parser.add_argument("--no-build", action="store_true", help="only apply them and compare with what the READMEs name")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER", help="make the copy there and leave it")
    parser.add_argument("-j", type=int, default=os.cpu_count() or 1, help="jobs of the build")
    options = parser.parse_args()
    for name in options.recipes:
        if name not in RECIPES:
            parser.error(f"{name} is no recipe; there are {', '.join(RECIPES)}")
    failures = 0
    with tempfile.TemporaryDirectory(prefix="recipes-") as scratch:
        copy = (options.keep or pathlib.Path(scratch) / "tree").resolve()
        try:
            copy_tree(copy)
            chosen = options.recipes or list(RECIPES)
            for name in chosen:
                print(f"{name}: {', '.join(follow(copy, name))}", flush=True)
            if options.no_build:
                return 0
            build(copy, options.j)
        except (Failure, OSError, ValueError) as failure:
            print(f"FAILED: {failure}")
            return 1
        for name in chosen:
            try:
                RECIPES[name][2](copy)
                print(f"{name}: works", flush=True)
            except (Failure, KeyError, OSError, ValueError) as failure:
                print(f"{name}: FAILED: {failure}")
                failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
