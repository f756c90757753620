#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what the descriptions in configs/ claim against runs: claims.json has each claim with what is measured.

A claim quotes its machine's description (`says`), so that neither changes without the other. What is measured:
`dram_percent` (bytes on DRAM's buses in the phase, of the peak), `largest_cause` (of the phase's cycles),
`weights_per_matrix_cycle` (multiply-accumulates of the operators in a cycle in which the array is busy),
`at_most_as_slow_as` (cycles of the phase on another machine, to a thousandth), the peaks of the description itself, or that a random
model runs. A description that says what bounds it has a claim. Exit code: 0 all hold, 1 one does not.

    tests/golden/claims_test.py --binary build/release/tokencycle [--filter cloud]
"""

import argparse
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLAIMS = pathlib.Path(__file__).with_name("claims.json")
BOUND = re.compile(r"\bbound\b", re.I)
KEYS = {"machine", "says", "shape", "weights", "prompt_tokens", "phase", "dram_percent", "largest_cause",
        "weights_per_matrix_cycle", "at_most_as_slow_as", "peak_gb_per_s", "peak_bytes_per_cycle", "peak_tera_multiplies",
        "random"}


def description_of(machine):
    return json.loads((ROOT / "configs" / f"{machine}.json").read_text(encoding="utf-8"))


def peak_gb_per_s(values):
    dram = values["dram"]
    return dram["channel_gb_per_s"] * dram.get("system", dram).get("channels", 1)


def run(binary, machine, claim, scratch):
    """The result of the claim's run on a machine."""
    command = [binary, "run", "-q", "-c", ROOT / "configs" / f"{machine}.json", "-n", "2", "--ignore-eos", "--result",
               scratch / "result.json"]
    if "random" in claim:
        model = scratch / "random.gguf"
        script = ROOT / "scripts" / "make_random_model.py"
        subprocess.run([sys.executable, script, "--out", model, *shlex.split(claim["random"])], check=True,
                       stdout=subprocess.DEVNULL)
        command += ["-m", model, "-p", "it"]
    else:
        command += ["--timing-only", "-m", ROOT / "tests" / "golden" / "shapes" / f"{claim['shape']}.json", "--weights",
                    claim["weights"], "--context", "256", "--prompt-tokens", str(claim.get("prompt_tokens", 4))]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return json.loads((scratch / "result.json").read_text(encoding="utf-8"))


def within(what, value, bounds):
    low, high = bounds
    return None if low <= value <= high else f"{what} is {value:.4g}, not {low} to {high}"


def stack_of(result, phase):
    stack = {}
    for token in result["tokens"]:
        for cause, cycles in token["stack"].items():
            if token["phase"] == phase:
                stack[cause] = stack.get(cause, 0) + cycles
    return stack


def measured(binary, claim, scratch):
    """Yields what does not hold of a claim that is about a run."""
    phase = claim.get("phase", "decode")
    result = run(binary, claim["machine"], claim, scratch)
    use, values = result["phases"][phase], result["configuration"]["values"]
    if "dram_percent" in claim:
        peak = peak_gb_per_s(values) / values["clock_ghz"]
        yield within("DRAM's share of its peak", 100 * use["bus_bytes"] / use["cycles"] / peak, claim["dram_percent"])
    stack = stack_of(result, phase)
    if "largest_cause" in claim:
        largest = max(stack, key=stack.get)
        if largest != claim["largest_cause"]:
            share = 100 * stack[largest] / sum(stack.values())
            yield f"the largest cause is {largest} ({share:.1f} %), not {claim['largest_cause']}"
    if "weights_per_matrix_cycle" in claim:
        products = sum(operator[phase]["multiply_accumulates"] for operator in result["operators"])
        yield within("weights in a cycle of the array", products / stack["matrix"], claim["weights_per_matrix_cycle"])
    if "at_most_as_slow_as" in claim:
        other = run(binary, claim["at_most_as_slow_as"], claim, scratch)["phases"][phase]["cycles"]
        if use["cycles"] > 1.001 * other:
            yield f"{use['cycles']} cycles, more than the {other} of {claim['at_most_as_slow_as']}"


def of_description(claim, values):
    """Yields what does not hold of a claim that follows from the description alone."""
    peak, matrix = peak_gb_per_s(values), values["matrix"]
    figures = {"peak_gb_per_s": peak, "peak_bytes_per_cycle": peak / values["clock_ghz"],
               "peak_tera_multiplies": matrix["rows"] * matrix["columns"] * values["clock_ghz"] / 1e3}
    for name, figure in figures.items():
        if name in claim and abs(figure - claim[name]) > 1e-9 * figure:
            yield f"{name} is {figure:g}, not {claim[name]:g}"


def check(binary, claim, scratch):
    """What does not hold of a claim."""
    values = description_of(claim["machine"])
    faults = [f"unknown key {key}" for key in claim if key not in KEYS]
    if claim["says"] not in values["description"]:
        faults.append("its description does not say so")
    faults += of_description(claim, values)
    if "shape" in claim or "random" in claim:
        faults += [fault for fault in measured(binary, claim, scratch) if fault]
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build" / "release" / "tokencycle")
    parser.add_argument("--filter", default="", help="only claims of machines with this in their name")
    options = parser.parse_args()
    claims = json.loads(CLAIMS.read_text(encoding="utf-8"))["claims"]
    failed = 0
    for path in sorted((ROOT / "configs").glob("*.json")):
        if BOUND.search(description_of(path.stem)["description"]) and path.stem not in {c["machine"] for c in claims}:
            print(f"{path.stem}: its description says what bounds it, and claims.json has no claim of it")
            failed += 1
    with tempfile.TemporaryDirectory(prefix="tokencycle_claims_") as folder:
        for claim in claims:
            if options.filter not in claim["machine"]:
                continue
            faults = check(options.binary.resolve(), claim, pathlib.Path(folder))
            failed += 1 if faults else 0
            print(f"{claim['machine']}: \"{claim['says']}\" ({claim.get('weights', '-')}): {'; '.join(faults) or 'holds'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
