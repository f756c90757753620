#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast does it simulate? Runs the built program and reports; nothing is asserted, and no test depends on it.

Measured for one model on one machine: the time from start to first token, simulated cycles per second while
decoding (wall clock and processor time), the same with every clock edge delivered, and the largest memory. Each figure
is the best of several runs, because other work on the computer only ever slows a run down. Example:

    tests/bench/bench.py --model models/some-q8_0.gguf --machine edge --tokens 64
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def measure(options, model, tokens, clock, folder):
    """One run: wall and processor seconds, largest memory in bytes, and the result document."""
    result = folder / "result.json"
    command = [str(options.binary), "run", "-m", str(model), "-c", options.machine, "-p", options.prompt, "-n",
               str(tokens), "--ignore-eos", "--clock", clock, "-q", "--result", str(result)]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"this failed with exit code {process.returncode}: {' '.join(command)}")
    return {"wall_seconds": wall, "cpu_seconds": usage.ru_utime + usage.ru_stime, "rss_bytes": usage.ru_maxrss * 1024,
            "result": json.loads(result.read_text(encoding="utf-8"))}


def best(options, model, tokens, clock, folder):
    """The smallest times and memory of several runs."""
    runs = [measure(options, model, tokens, clock, folder) for _ in range(options.repeat)]
    return {key: min(run[key] for run in runs) for key in ("wall_seconds", "cpu_seconds", "rss_bytes")} | {
        "result": runs[0]["result"]}


def rate(long, short, key):
    """Simulated decode cycles per second: what the long run has more than the one that stops after the prefill."""
    cycles = long["result"]["cycles"] - short["result"]["cycles"]
    return cycles / max(long[key] - short[key], 1e-9)


def report(options, model, folder):
    """All figures as a dictionary: name -> (value, unit, meaning)."""
    first = best(options, model, 1, "gated", folder)
    gated = best(options, model, options.tokens, "gated", folder)
    first_every = best(options, model, 1, "every-edge", folder)
    every = best(options, model, options.tokens, "every-edge", folder)
    decode_cycles = gated["result"]["cycles"] - first["result"]["cycles"]
    decoded = options.tokens - 1
    wall, wall_every = rate(gated, first, "wall_seconds"), rate(every, first_every, "wall_seconds")
    cpu, cpu_every = rate(gated, first, "cpu_seconds"), rate(every, first_every, "cpu_seconds")
    return {
        "time_to_first_token": (first["wall_seconds"], "s", "from the program's start to its end with -n 1"),
        "decode_cycles_per_token": (decode_cycles / decoded, "cycles", "simulated"),
        "decode_speed": (wall, "cycles/s", "simulated decode cycles per second of wall clock"),
        "decode_speed_cpu": (cpu, "cycles/s", "simulated decode cycles per second of processor time"),
        "decode_time_per_token": ((gated["wall_seconds"] - first["wall_seconds"]) / decoded, "s", "wall clock"),
        "every_edge_speed": (wall_every, "cycles/s", "the same with every clock edge delivered"),
        "gated_speedup": (cpu / cpu_every, "x", "gated over every-edge, processor time"),
        "edges_delivered": (gated["result"]["host"]["clock_edges"] / gated["result"]["cycles"], "1/cycle",
                            "gated: edges delivered a cycle"),
        "peak_memory": (gated["rss_bytes"] / 2**20, "MiB", "largest resident set"),
        "model_file": (model.stat().st_size / 2**20, "MiB", "mapped, and a part of the resident set"),
    }


def chosen_model(options, folder):
    """The model asked for, the bundled one, or a random one."""
    if options.model:
        return options.model
    bundled = sorted((ROOT / "models").glob("*q8_0.gguf"))
    if bundled:
        return bundled[0]
    path = folder / "random-q8_0.gguf"
    subprocess.run([sys.executable, ROOT / "scripts/make_random_model.py", "--out", path, "--layers", "4", "--width",
                    "128", "--feed-forward", "352", "--context", "256"], check=True, stdout=subprocess.DEVNULL)
    return path


def default_binary():
    """The release build, or else what is on the PATH."""
    built = ROOT / "build/release/tokencycle"
    found = None if built.is_file() else shutil.which("tokencycle")
    return pathlib.Path(found) if found else built


def main():
    """Measures and prints a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=default_binary(),
                        help="default build/release/tokencycle; measure release builds alone")
    parser.add_argument("--model", type=pathlib.Path, help="default: the bundled model, else a random one")
    parser.add_argument("--machine", default="edge", help="default edge")
    parser.add_argument("--prompt", default="Once upon a time", help='default "Once upon a time"')
    parser.add_argument("--tokens", type=int, default=32, help="to generate, at least 2; default 32")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each kind; default 3")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.tokens < 2 or options.repeat < 1:
        parser.error("--tokens should be at least 2 and --repeat at least 1")
    if not options.binary.is_file():
        parser.error(f"{options.binary} is not there: build the program first, or name it with --binary")
    with tempfile.TemporaryDirectory(prefix="tokencycle_bench_") as name:
        folder = pathlib.Path(name)
        model = chosen_model(options, folder)
        figures = report(options, model, folder)
    if options.json:
        rows = {key: {"value": value, "unit": unit, "meaning": meaning} for key, (value, unit, meaning) in figures.items()}
        print(json.dumps({"model": model.name, "machine": options.machine, "tokens": options.tokens, "figures": rows},
                         indent=2))
        return
    print(f"{model.name} on {options.machine}, {options.tokens} tokens, best of {options.repeat}")
    for key, (value, unit, meaning) in figures.items():
        text = f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
        print(f"  {key:<24} {text:>14} {unit:<9} {meaning}")


if __name__ == "__main__":
    main()
