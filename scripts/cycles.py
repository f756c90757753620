#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the cycles of every machine and model with tests/golden/cycles.json, and prints what differs.

A case is a machine of configs/ with a model, a matrix product on a machine, or a trace of requests on a DRAM. A case of a
model has the cycles of the prompt and of each generated token, the causes of the whole run's cycles, and digests of
the program and of all events. A model that a machine refuses has the refusal. Exit code: 0 the same, 1 different,
2 could not be compared. Examples:

    scripts/cycles.py                               compare all cases
    scripts/cycles.py --filter 'edge/*'             those of one machine
    scripts/cycles.py --only cycles                 leave programs, events and stacks out
    scripts/cycles.py --update                      write what is measured now
"""

import argparse
import collections
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "cycles.json"
SCHEMA = "tokencycle-cycles-1"
REFUSED = (3, 4)  # exit codes of the program: the machine or the model is refused

# Models: name, options of `run`, machines (none: all). Shapes run without weights, random models are made by the script.
SHAPE = "--timing-only -m tests/golden/shapes/"
MODELS = [
    ("bundled-q8_0", "-m models/austen-2.9m-q8_0.gguf -n 3 --ignore-eos -p 'It was'", ()),
    ("bundled-q4_0", "-m models/austen-2.9m-q4_0.gguf -n 2 --ignore-eos -p 'It was'", ()),
    ("bundled-q8_0-prompt", "--timing-only -m models/austen-2.9m-q8_0.gguf -n 2 --prompt-tokens 40 --batch 16", ()),
    ("lstm-q8_0", "-m models/austen-lstm-q8_0.gguf -n 3 --ignore-eos -p 'It was'", ("edge", "edge-dot", "tiny")),
    ("random-f16", "-m {random-f16} -n 3 --ignore-eos -p 'Odd sizes'", ()),
    ("random-f32", "-m {random-f32} -n 2 --ignore-eos -p 'In parts' --batch 3 --kv-type f32", ()),
    ("random-experts", "-m {random-experts} -n 3 --ignore-eos -p 'Odd'", ()),
    ("llama-15m-q8_0", SHAPE + "llama-15m.json --weights q8_0 -n 2 --context 64 --prompt-tokens 4", ()),
    ("smollm2-q8_0", SHAPE + "smollm2-135m-6-layers.json --weights q8_0 -n 2 --context 64 --prompt-tokens 4", ()),
    ("opt-f16", SHAPE + "opt-125m-2-layers.json --weights f16 -n 2 --context 64 --prompt-tokens 4", ()),
    ("llama-3-8b-q4_0", SHAPE + "llama-3-8b-1-layer.json --weights q4_0 -n 2 --context 64 --prompt-tokens 4",
     ("edge", "edge-dot", "cloud", "tiny")),
    ("llama-3-8b-q8_0", SHAPE + "llama-3-8b-1-layer.json --weights q8_0 -n 2 --context 64 --prompt-tokens 4",
     ("edge-os", "edge-is")),
    ("llama-3-8b-bf16", SHAPE + "llama-3-8b-1-layer.json -n 1 --context 64 --prompt-tokens 4", ("edge-dot",)),
]
# Random models: the options of make_random_model.py.
RANDOM = {
    "random-experts": "--architecture qwen3moe --experts 8 --experts-used 3 --layers 2 --feed-forward 64 --type q8_0 --seed 9",
    "random-f16": "--layers 2 --width 120 --heads 6 --kv-heads 2 --feed-forward 172 --vocab 307 --context 64 --type f16 --seed 7",
    "random-f32": "--layers 1 --width 72 --heads 4 --kv-heads 1 --feed-forward 100 --vocab 261 --context 64 --type f32 --seed 8",
}
# Products: M, N, K, type.
PRODUCTS = [(64, 64, 64, "int8"), (1, 512, 256, "q8_0"), (33, 65, 100, "fp16"), (16, 96, 160, "q4_0")]
TRACE = "traces/dram/sample.trace"
DIGESTS = ("program", "events")


class Trouble(Exception):
    """Why nothing can be compared; the text says what to do."""


def runs_models(machine):
    """True for a machine of one core: those of several run programs alone."""
    return json.loads(machine.read_text(encoding="utf-8")).get("cores", 1) == 1


def all_cases(scratch):
    """{name: (kind, arguments of the program)} of every case of this tree; random models are files of `scratch`."""
    cases = {}
    places = {f"{{{name}}}": str(scratch / f"{name}.gguf") for name in RANDOM}
    for machine in sorted(path.stem for path in (ROOT / "configs").glob("*.json") if runs_models(path)):
        config = f"configs/{machine}.json"
        for model, options, machines in MODELS:
            if not machines or machine in machines:
                arguments = [places.get(word, word) for word in shlex.split(options)]
                cases[f"{machine}/{model}"] = ("run", ["run", "-q", "-c", config, *arguments])
        for m, n, k, kind in PRODUCTS:
            arguments = ["gemm", "-c", config, "-M", str(m), "-N", str(n), "-K", str(k), "--dtype", kind, "--json"]
            cases[f"{machine}/gemm-{m}x{n}x{k}-{kind}"] = ("gemm", arguments)
    for preset in sorted(path.stem for path in (ROOT / "configs" / "dram").glob("*.json")):
        cases[f"dram/{preset}"] = ("dram", ["dram", "-c", f"configs/dram/{preset}.json", TRACE, "--json"])
    return cases


def make_models(scratch, cases):
    """Writes the random models that the cases use."""
    for name, options in RANDOM.items():
        path = scratch / f"{name}.gguf"
        if any(str(path) in arguments for _, arguments in cases.values()):
            script = ROOT / "scripts" / "make_random_model.py"
            subprocess.run([sys.executable, script, "--out", path, *shlex.split(options)], check=True, stdout=subprocess.DEVNULL)


def nonzero(stack):
    """A stack without the causes that took nothing, so that a new cause changes only the cases that have it."""
    return {cause: cycles for cause, cycles in stack.items() if cycles}


def of_run(result):
    tokens = result["tokens"]
    cycles = {"prefill": tokens[0]["cycles"], "decode": [token["cycles"] for token in tokens[1:]]}
    return {
        "cycles": cycles,
        "stack": nonzero(result["stack"]),
        "program": result["program"]["digest"],
        "events": result["event_digest"],
    }


def of_gemm(result):
    layer = result["layers"][0]
    cycles = {"array_alone": layer["array_alone"]["cycles"], "end_to_end": layer["end_to_end"]["cycles"]}
    return {"cycles": cycles, "stack": nonzero(layer["end_to_end"]["stack"])}


def of_dram(result):
    bus = collections.Counter()
    for channel in result["channels"]:
        bus.update({"busy": channel["bus"]["busy_clocks"], **channel["bus"]["idle_clocks"]})
    return {"cycles": {"clocks": result["clocks"]}, "stack": nonzero(bus)}


def measure(binary, scratch, number, name, kind, arguments):
    """Runs one case; its record, or {"refused": message}. `number` names its result file."""
    path = scratch / f"{number}.json"
    if kind == "run":
        arguments = [*arguments, "--result", str(path), "--pipeline-instructions", "0"]
    done = subprocess.run([binary, *arguments], cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode in REFUSED:
        message = done.stderr.decode("utf-8", "replace").strip()
        for folder in (scratch, ROOT):
            message = message.replace(f"{folder}/", "")
        return {"refused": message.removeprefix("tokencycle: ")}
    if done.returncode != 0:
        message = done.stderr.decode("utf-8", "replace").strip()
        raise Trouble(f"{name}: the program ended with code {done.returncode}: {message}\n  {' '.join(map(str, arguments))}")
    if kind == "run":
        result = json.loads(path.read_bytes())
        path.unlink()
        return of_run(result)
    return {"gemm": of_gemm, "dram": of_dram}[kind](json.loads(done.stdout))


def measure_all(binary, scratch, cases, jobs):
    """{name: record} of all cases, `jobs` at a time."""
    make_models(scratch, cases)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = {
            name: pool.submit(measure, binary, scratch, number, name, kind, arguments)
            for number, (name, (kind, arguments)) in enumerate(cases.items())
        }
        troubles = [str(run.exception()) for run in runs.values() if run.exception()]
        if troubles:
            raise Trouble("\n".join(troubles))
        return {name: run.result() for name, run in runs.items()}


def steps(record):
    """[(step, cycles)] of a record, in order."""
    found = []
    for name, value in record.get("cycles", {}).items():
        values = value if isinstance(value, list) else [value]
        found += [(f"{name} {i + 1}" if len(values) > 1 else name, cycles) for i, cycles in enumerate(values)]
    return found


def percent(old, new):
    return f"{100 * (new - old) / old:+7.2f} %" if old else "        -"


def moved_causes(old, new):
    """Which causes of the stack have other cycles, the largest change first; empty when none has."""
    before, after = old.get("stack", {}), new.get("stack", {})
    changes = {cause: after.get(cause, 0) - before.get(cause, 0) for cause in {**before, **after}}
    order = sorted((cause for cause in changes if changes[cause]), key=lambda cause: (-abs(changes[cause]), cause))
    return ", ".join(f"{cause} {changes[cause]:+,}" for cause in order)


def show_cycles(name, old, new):
    """Lines of a case whose cycles changed: each step, and the causes that moved."""
    before, after = dict(steps(old)), dict(steps(new))
    label = name
    for step in {**before, **after}:
        a, b = before.get(step), after.get(step)
        if a == b:
            continue
        values = f"{a:,}" if a is not None else "-", f"{b:,}" if b is not None else "-"
        change = percent(a, b) if a is not None and b is not None else ""
        print(f"  {label:<34} {step:<12} {values[0]:>14} -> {values[1]:>14}  {change}")
        label = ""
    causes = moved_causes(old, new)
    if causes:
        print(f"  {'':<34} {'causes':<12} {causes}")


def compare(golden, measured, only_cycles):
    """Prints what differs; returns whether anything does."""
    counts = collections.Counter()
    changed, quiet, other = [], collections.defaultdict(list), []
    for name in sorted({**golden, **measured}):
        old, new = golden.get(name), measured.get(name)
        if old is None or new is None:
            counts["new" if old is None else "gone"] += 1
            other.append(f"  {name}: " + ("is not in the golden file" if old is None else "is in the golden file alone"))
        elif "refused" in old or "refused" in new:
            if ("refused" in old) != ("refused" in new):
                counts["refusal changed"] += 1
                now = "refused" in new
                what = f"ran, is refused now: {new['refused']}" if now else f"runs now, was refused: {old['refused']}"
                other.append(f"  {name}: {what}")
            elif old != new and not only_cycles:
                counts["other words of refusal"] += 1
                other.append(f"  {name}: refused in other words\n    old: {old['refused']}\n    new: {new['refused']}")
            else:
                counts["same"] += 1
        elif old["cycles"] != new["cycles"]:
            a, b = (sum(cycles for _, cycles in steps(record)) for record in (old, new))
            counts["faster" if b < a else "slower" if b > a else "shifted"] += 1
            changed.append((name, old, new))
        else:
            parts = [] if only_cycles else [key for key in ("stack", *DIGESTS) if old.get(key) != new.get(key)]
            counts["same" if not parts else "same cycles, other digests or stack"] += 1
            if parts:
                quiet[", ".join(parts) + (f" ({moved_causes(old, new)})" if "stack" in parts else "")].append(name)
    if changed:
        print("Cycles changed")
        for case in changed:
            show_cycles(*case)
    for parts, names in quiet.items():
        print(f"Cycles are the same; changed: {parts}")
        machines = collections.defaultdict(list)
        for name in names:
            machines[name.split("/")[0]].append(name.split("/", 1)[1])
        for machine, models in machines.items():
            print(f"  {machine}/" + (models[0] if len(models) == 1 else "{" + ", ".join(models) + "}"))
    if other and not golden:
        print("All cases are new")
    elif other:
        print("Cases changed")
        print("\n".join(other))
    order = ("slower", "faster", "shifted", "same cycles, other digests or stack", "refusal changed", "other words of refusal",
             "new", "gone", "same")
    print(f"{sum(counts.values())} cases: " + ", ".join(f"{counts[key]} {key}" for key in order if counts[key]))
    return set(counts) - {"same"} != set()


def read_golden(path):
    """{name: record} of the golden file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Trouble(f"{path}: cannot be read: {error.strerror}; scripts/cycles.py --update writes it") from error
    except ValueError as error:
        raise Trouble(f"{path}: is no JSON: {error}; scripts/cycles.py --update writes it anew") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise Trouble(f"{path}: /schema should be \"{SCHEMA}\"; scripts/cycles.py --update writes the file anew")
    cases = document.get("cases")
    if not isinstance(cases, dict):
        raise Trouble(f"{path}: /cases should be an object of names and records")
    for name, record in cases.items():
        if not isinstance(record, dict) or not ("refused" in record or isinstance(record.get("cycles"), dict)):
            raise Trouble(f"{path}: /cases/{name} should have \"cycles\" or \"refused\"")
    return cases


def write_golden(path, cases):
    """One line for each case, so that a change of one is a change of one line."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(cases[name])}" for name in sorted(cases))
    path.write_text(f'{{"schema": "{SCHEMA}",\n"cases": {{\n{lines}\n}}}}\n', encoding="utf-8")


def positive(value):
    if not value.isdigit() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"{value} should be a number of at least 1")
    return int(value)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write the golden file; with --filter only these cases of it")
    parser.add_argument("--only", choices=["cycles"], help="leave digests, stacks and words of refusals out")
    parser.add_argument("--filter", metavar="GLOB", help="cases whose name matches, such as 'edge/*' or '*/gemm-*'")
    parser.add_argument("--list", action="store_true", help="print the cases and how each is run")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build" / "release" / "tokencycle",
                        help="the program; default build/release/tokencycle")
    parser.add_argument("--golden", type=pathlib.Path, default=GOLDEN, help="default tests/golden/cycles.json")
    parser.add_argument("-j", type=positive, default=os.cpu_count() or 1, help="cases at the same time; default: processors")
    return parser.parse_args()


def work(options, scratch):
    """Does what the options say; returns the exit code."""
    cases = all_cases(scratch)
    matches = (lambda name: fnmatch.fnmatchcase(name, options.filter)) if options.filter else (lambda name: True)
    chosen = {name: case for name, case in cases.items() if matches(name)}
    if options.list:
        for name, (_, arguments) in chosen.items():
            print(f"{name}: {' '.join(arguments)}".replace(f"{scratch}/", ""))
        return 0
    keep = options.update and not options.filter
    golden = {} if keep and not options.golden.exists() else read_golden(options.golden)
    old = {name: record for name, record in golden.items() if matches(name)}
    if not chosen and not old:
        raise Trouble(f"--filter '{options.filter}' matches no case; --list prints their names")
    if not options.binary.is_file():
        build = "cmake --build build/release --target tokencycle"
        raise Trouble(f"{options.binary}: no such program; build it ({build}) or give --binary")
    start = time.monotonic()
    measured = measure_all(options.binary.resolve(), scratch, chosen, options.j)
    different = compare(old, measured, options.only == "cycles")
    print(f"{time.monotonic() - start:.1f} s, {options.j} at a time")
    if options.update:
        write_golden(options.golden, {**{name: golden[name] for name in golden if name not in old}, **measured})
        print(f"{options.golden}: {len(measured)} cases written")
        return 0
    if different:
        print("If the change is meant: scripts/cycles.py --update, and say in the commit why.")
    return 1 if different else 0


def main():
    """Runs the script; returns the exit code."""
    options = read_options()
    try:
        with tempfile.TemporaryDirectory(prefix="cycles-") as folder:
            return work(options, pathlib.Path(folder).resolve())
    except Trouble as trouble:
        print(f"cycles.py: {trouble}", file=sys.stderr)
    except OSError as error:
        print(f"cycles.py: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
