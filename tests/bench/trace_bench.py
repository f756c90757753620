#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What does tracing cost? Runs the built program with and without traces and reports ratios; nothing is asserted.

Every round runs each kind once, one after the other, so that other work on the computer meets all of them; a ratio is of the
smallest processor times. Each run must report the same events. With --callgrind it counts instructions once in place of
times (Debian: valgrind): repeatable on a computer that is busy, and some 50 times slower. Example:

    tests/bench/trace_bench.py --machine edge --tokens 64 --repeat 5
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bench

# name -> options; FOLDER is a scratch folder.
KINDS = {
    "no trace": [],
    "Perfetto, level 1": ["--trace", "FOLDER/one.pftrace", "--trace-level", "1"],
    "Perfetto, level 1, gzip": ["--trace", "FOLDER/one.pftrace.gz", "--trace-level", "1"],
    "Perfetto, level 2": ["--trace", "FOLDER/two.pftrace", "--trace-level", "2"],
    "Perfetto, level 2, gzip": ["--trace", "FOLDER/two.pftrace.gz", "--trace-level", "2"],
    "Kanata": ["--trace", "FOLDER/t.kanata"],
    "FST": ["--trace", "FOLDER/t.fst"],
    "VCD": ["--trace", "FOLDER/t.vcd"],
    "tables": ["--trace", "FOLDER/t.tokens.csv", "--trace", "FOLDER/t.operators.csv"],
}


def measure(options, model, kind, folder):
    """One run: processor seconds, largest memory in bytes, bytes on disk, digest of the events, where it was cut."""
    result = folder / "result.json"
    traces = [word.replace("FOLDER", str(folder)) for word in KINDS[kind]]
    command = [str(options.binary), "run", "-m", str(model), "-c", options.machine, "-n", str(options.tokens),
               "--ignore-eos", "-q", "--result", str(result), "--trace-max-bytes", str(options.max_bytes)]
    count = folder / "callgrind.out"
    counted = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={count}"] if options.callgrind else []
    process = subprocess.Popen(counted + command + traces, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"this failed with exit code {process.returncode}: {' '.join(command + traces)}")
    document = json.loads(result.read_text(encoding="utf-8"))
    files = [pathlib.Path(word) for word in traces if word.startswith(str(folder))]
    size = sum(f.stat().st_size for f in files)
    for f in files:
        f.unlink()
    if options.callgrind:
        totals = [line for line in count.read_text(encoding="utf-8").splitlines() if line.startswith(("summary:", "totals:"))]
        cost = int(totals[-1].split()[1])
    else:
        cost = usage.ru_utime + usage.ru_stime
    return {"cost": cost, "rss": usage.ru_maxrss * 1024, "size": size,
            "events": document["event_digest"],
            "cut": any(t["truncated_at"] is not None for t in document["host"]["traces"])}


def main():
    """Measures and prints a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=bench.default_binary(),
                        help="default build/release/tokencycle; measure release builds alone")
    parser.add_argument("--model", type=pathlib.Path, help="default: the bundled model, else a random one")
    parser.add_argument("--machine", default="edge", help="default edge")
    parser.add_argument("--tokens", type=int, default=32, help="to generate; default 32")
    parser.add_argument("--repeat", type=int, default=5, help="rounds; default 5")
    parser.add_argument("--max-bytes", type=int, default=1 << 30, help="of each trace; default 1 GiB")
    parser.add_argument("--callgrind", action="store_true", help="count instructions, one round")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if not options.binary.is_file():
        parser.error(f"{options.binary} is not there: build the program first, or name it with --binary")
    runs = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory(prefix="tokencycle_bench_") as name:
        folder = pathlib.Path(name)
        model = bench.chosen_model(options, folder)
        for _ in range(1 if options.callgrind else options.repeat):
            for kind in KINDS:
                runs[kind].append(measure(options, model, kind, folder))
    if len({run["events"] for kind in runs.values() for run in kind}) != 1:
        sys.exit("the events of these runs differ: tracing changed the machine")
    unit = "instructions" if options.callgrind else "processor s"
    base = min(run["cost"] for run in runs["no trace"])
    rows = {}
    for kind, measured in runs.items():
        cost = min(run["cost"] for run in measured)
        rows[kind] = {"cost": cost, "unit": unit, "ratio": cost / base, "peak_memory_bytes": max(r["rss"] for r in measured),
                      "file_bytes": measured[0]["size"], "truncated": measured[0]["cut"]}
    if options.json:
        print(json.dumps({"model": model.name, "machine": options.machine, "tokens": options.tokens, "kinds": rows}, indent=2))
        return
    rounds = "" if options.callgrind else f", best of {options.repeat}"
    print(f"{model.name} on {options.machine}, {options.tokens} tokens{rounds}")
    print(f"  {'':<24} {unit:>15} {'ratio':>6} {'memory MiB':>11} {'file MB':>8}")
    for kind, row in rows.items():
        cost = f"{row['cost']:,}" if options.callgrind else f"{row['cost']:.2f}"
        print(f"  {kind:<24} {cost:>15} {row['ratio']:>6.2f} {row['peak_memory_bytes'] / 2**20:>11.1f} "
              f"{row['file_bytes'] / 1e6:>8.2f}{'  (cut at its cap)' if row['truncated'] else ''}")


if __name__ == "__main__":
    main()
