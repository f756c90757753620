#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast is the simulator beside another build of it, and beside other simulators? Measured and printed, never asserted.

Each row is one piece of work. Both builds run it in turn, several times, and the smallest processor time of each counts:
other work on the computer only ever adds to it. --instructions counts instructions with callgrind beside the times, which
other work does not change; it takes about fifty times as long. The machines and shapes of the rows lie beside this script,
as commit 8acecae reads them, so that every later build can be compared with it. Examples:

    tests/bench/speed.py --list
    tests/bench/speed.py --baseline ../old/build/release/tokencycle
    tests/bench/speed.py --only gemm --instructions --baseline ../old/build/release/tokencycle
    tests/bench/speed.py --scaling
    tests/bench/speed.py --peer onnxim='Simulator --config 8x8.json --models_list opt.json'
"""

import argparse
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REAL_MODEL = ROOT / "build/models/SmolLM2-135M-Instruct.Q4_1.gguf"
DRAM_REQUESTS = 5_000_000


@dataclass
class Row:
    """One piece of work: arguments of the program, and the ratio that was set as its aim (0: none)."""
    name: str
    work: str
    arguments: list
    aim: float = 0
    long: bool = False
    needs: list = field(default_factory=list)


def machine(name):
    """A machine of the benchmark."""
    return str(HERE / "machines" / f"{name}.json")


def timing_only(shape, on, *more):
    """Arguments of a run for cycles alone."""
    return ["run", "-q", "--timing-only", "-m", str(shape), "-c", machine(on), *more]


def rows(folder):
    """The table. Traces are written to `folder` when they are first needed."""
    bundled = str(sorted((ROOT / "models").glob("*q8_0.gguf"))[0])
    golden = ROOT / "tests/golden/shapes"
    text = ["-p", "It was", "-n", "64", "--ignore-eos"]
    return [
        Row("edge", "bundled model, edge, 64 tokens, functional", ["run", "-q", "-m", bundled, "-c", machine("edge"), *text], 4),
        Row("edge-dot", "the same on edge-dot (memory-bound)", ["run", "-q", "-m", bundled, "-c", machine("edge-dot"), *text], 5),
        Row("llama-8b-layer", "Llama-3-8B shape, one layer, decode, timing-only, cloud",
            timing_only(golden / "llama-3-8b-1-layer.json", "cloud", "--weights", "q8_0", "--context", "64", "--prompt-tokens", "1", "-n", "1"), 10),
        Row("opt-125m", "OPT-125M shape, decode of 2 tokens, timing-only, 8 x 8, DDR4",
            timing_only(HERE / "shapes/opt-125m.json", "small", "--weights", "q8_0", "--context", "64", "--prompt-tokens", "1", "-n", "2"), 8),
        Row("15m-prefill", "15 M shape, prefill of 128, timing-only, 8 x 8, DDR4",
            timing_only(golden / "llama-15m.json", "small", "--weights", "q8_0", "--context", "256", "--prompt-tokens", "128", "-n", "1"), 8),
        Row("gemm", "GEMM 2048^3, timing-only, 8 x 8, DDR4",
            ["gemm", "-c", machine("small"), "-M", "2048", "-N", "2048", "-K", "2048", "--dtype", "int8", "--timing-only"], 10),
        Row("dram-sequential", "dram, 5 million sequential reads, as text", ["dram", "-c", "ddr4-3200", str(folder / "sequential.trace")], 5,
            needs=["sequential"]),
        Row("dram-random", "dram, 5 million random reads, as text", ["dram", "-c", "ddr4-3200", str(folder / "random.trace")], 2,
            needs=["random"]),
        Row("smollm2", "SmolLM2-135M Q4_1, 4 tokens, functional, edge-dot",
            ["run", "-q", "-m", str(REAL_MODEL), "-c", "edge-dot", "-p", "The capital of France is", "-n", "4"], needs=["real"]),
        Row("llama-8b", "Llama-3-8B, 2,048 prompt tokens and one decode step, timing-only, cloud",
            timing_only(HERE / "shapes/llama-3-8b.json", "cloud", "--weights", "q8_0", "--context", "2304", "--prompt-tokens", "2048", "-n", "2"),
            long=True),
    ]


def write_trace(path, random_addresses):
    """Reads of 64 bytes, one per line: clock, operation, address."""
    source = random.Random(1)
    with path.open("w", encoding="ascii") as out:
        for i in range(DRAM_REQUESTS):
            address = source.randrange(1 << 26) * 64 if random_addresses else i * 64
            out.write(f"0x{address:x} R\n")


@dataclass
class Use:
    """What a run took."""
    cpu: float
    wall: float
    rss: int
    text: str


def run(command):
    """One run of a command; ends the program if it fails."""
    with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        sys.exit(f"this failed with exit code {process.returncode}: {shlex.join(command)}\n{text}")
    return Use(usage.ru_utime + usage.ru_stime, time.perf_counter() - begin, usage.ru_maxrss * 1024, text)


def in_turn(commands, repeat):
    """The best of `repeat` runs of each command; the commands take turns."""
    runs = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            runs[name].append(run(command))
    return {name: min(uses, key=lambda use: use.cpu) for name, uses in runs.items()}


def instructions(command, folder):
    """Instructions of a run, counted by callgrind."""
    out = folder / "callgrind.out"
    run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *command])
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(encoding="utf-8"), re.M).group(1))


def prepare(row, folder):
    """Makes what a row needs; False if it cannot be had."""
    for need in row.needs:
        if need == "real" and not REAL_MODEL.is_file():
            print(f"{row.work}: skipped, {REAL_MODEL.name} is not there (scripts/fetch_models.sh)", file=sys.stderr)
            return False
        trace = folder / f"{need}.trace"
        if need in ("sequential", "random") and not trace.is_file():
            write_trace(trace, need == "random")
    return True


def reads(binary, row):
    """Whether an older build can do the work at all (formats and options that it does not know)."""
    return subprocess.run([binary, *row.arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def measure(row, options, folder):
    """A row's figures."""
    commands = {"ours": [str(options.binary), *row.arguments]}
    if options.baseline and (row.name != "smollm2" or reads(str(options.baseline), row)):
        commands["baseline"] = [str(options.baseline), *row.arguments]
    uses = in_turn(commands, 1 if row.long else options.repeat)
    figures = {"row": row.name, "work": row.work, "aim": row.aim, "cpu_seconds": uses["ours"].cpu, "rss_bytes": uses["ours"].rss}
    if "baseline" in uses:
        figures |= {"baseline_cpu_seconds": uses["baseline"].cpu, "ratio": uses["baseline"].cpu / uses["ours"].cpu}
    if options.instructions and not row.long:
        counts = {name: instructions(command, folder) for name, command in commands.items()}
        figures["instructions"] = counts["ours"]
        if "baseline" in counts:
            figures |= {"baseline_instructions": counts["baseline"], "instruction_ratio": counts["baseline"] / counts["ours"]}
    return figures


def line(f):
    """A row as a person reads it."""
    ratio = f"{f['ratio']:6.2f} x" if "ratio" in f else f"{'':8}"
    aim = f"(aim {f['aim']:g} x)" if f["aim"] else ""
    text = f"{f['work']:<76} {f['cpu_seconds']:9.2f} s {ratio} {aim:<11} {f['rss_bytes'] / 2**20:8,.0f} MiB"
    if "instructions" in f:
        text += f"  {f['instructions'] / 1e6:,.0f} M instructions"
    if "instruction_ratio" in f:
        text += f" ({f['instruction_ratio']:.2f} x)"
    return text


def table(options, folder):
    """Measures the rows and prints them as they come."""
    results = []
    for row in rows(folder):
        wanted = row.name in options.only if options.only else options.long or not row.long
        if not wanted or not prepare(row, folder):
            continue
        results.append(measure(row, options, folder))
        if not options.json:
            print(line(results[-1]), flush=True)
    return results


def shape(folder, layers, width, feed_forward, heads, vocabulary, context=16384):
    """A llama's config.json."""
    path = folder / f"shape-{layers}-{width}.json"
    path.write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": width, "intermediate_size": feed_forward,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": heads, "vocab_size": vocabulary,
        "max_position_embeddings": context, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
        "tie_word_embeddings": True, "torch_dtype": "float16"}), encoding="utf-8")
    return path


def with_channels(folder, count):
    """The cloud machine of the benchmark with this many channels."""
    description = json.loads((HERE / "machines/cloud.json").read_text(encoding="utf-8"))
    dram = description["dram"]["system"]
    bits = count.bit_length() - 1
    dram["channels"] = count
    dram["mapping"] = [part for part in (m if not m.startswith("channel:") else f"channel:{bits}" for m in dram["mapping"])
                       if part != "channel:0"]
    path = folder / f"channels-{count}.json"
    path.write_text(json.dumps(description), encoding="utf-8")
    return str(path)


def last_step(arguments, binary, folder):
    """Processor time, moved bytes and cycles of the last step: a run with it less a run without it."""
    result = folder / "scaling.json"
    figures = []
    for tokens in (1, 2):
        use = run([str(binary), *arguments, "-n", str(tokens), "--result", str(result)])
        document = json.loads(result.read_text(encoding="utf-8"))
        figures.append((use.cpu, document["cycles"], use.rss))
    return figures[1][0] - figures[0][0], figures[1][1] - figures[0][1], figures[1][2]


def scaling(options, folder):
    """Cost against work: processor time should grow as the work does, and memory not at all."""
    results = []

    def report(kind, value, arguments, whole=False):
        result = folder / "scaling.json"
        if whole:
            use = run([str(options.binary), *arguments, "--result", str(result)])
            cpu, cycles, rss = use.cpu, json.loads(result.read_text(encoding="utf-8"))["cycles"], use.rss
        else:
            cpu, cycles, rss = last_step(arguments, options.binary, folder)
        results.append({"kind": kind, "value": value, "cpu_seconds": cpu, "cycles": cycles, "rss_bytes": rss})
        if not options.json:
            print(f"{kind:<22} {value:>12,} {cpu:9.3f} s {cycles:>14,} cycles {cycles / max(cpu, 1e-9) / 1e6:8.2f} M/s {rss / 2**20:7,.0f} MiB",
                  flush=True)

    common = ["--weights", "q8_0", "--prompt-tokens"]
    small = shape(folder, 1, 256, 704, 8, 512)
    for positions in (128, 512, 2048, 8192):
        report("cached positions", positions, timing_only(small, "edge", *common, str(positions), "--context", "8448"))
    layer = ROOT / "tests/golden/shapes/opt-125m-2-layers.json"
    for channels in (1, 4, 16, 64):
        report("channels", channels, ["run", "-q", "--timing-only", "-m", str(layer), "-c", with_channels(folder, channels), *common, "1",
                                      "--context", "64", "-n", "2"], whole=True)
    for layers, width, feed_forward, heads, vocabulary, parameters in (
            (5, 64, 172, 8, 512, 260_000), (6, 288, 768, 6, 32000, 15_000_000), (12, 768, 2048, 12, 32000, 110_000_000),
            (22, 2048, 5632, 32, 32000, 1_100_000_000), (32, 4096, 14336, 32, 32000, 8_000_000_000)):
        if parameters > 2e9 and not options.long:
            continue
        report("parameters, about", parameters, timing_only(shape(folder, layers, width, feed_forward, heads, vocabulary), "cloud", *common, "1",
                                                            "--context", "64", "-n", "1"), whole=True)
    for tokens in (64, 256, 1024, 4096):
        report("tokens, to the end", tokens, timing_only(shape(folder, 1, 64, 172, 8, 512), "edge", *common, "1", "--context", "8448", "-n", str(tokens)),
               whole=True)
    return results


def peers(options):
    """Other simulators, as commands of their own."""
    results = []
    for name, command in options.peer:
        use = in_turn({name: shlex.split(command)}, options.repeat)[name]
        results.append({"peer": name, "command": command, "cpu_seconds": use.cpu, "wall_seconds": use.wall, "rss_bytes": use.rss})
        if not options.json:
            print(f"{name:<76} {use.cpu:9.2f} s {'':20} {use.rss / 2**20:8,.0f} MiB", flush=True)
    return results


def name_and_command(text):
    """NAME=COMMAND."""
    name, equals, command = text.partition("=")
    if not equals or not name or not command:
        raise argparse.ArgumentTypeError(f"'{text}' should be NAME=COMMAND")
    return name, command


def options_of():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/tokencycle", help="default build/release/tokencycle")
    parser.add_argument("--baseline", type=pathlib.Path, help="another build, to compare with")
    parser.add_argument("--only", action="append", default=[], metavar="ROW", help="this row; may be repeated")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; default 3")
    parser.add_argument("--long", action="store_true", help="also what takes minutes")
    parser.add_argument("--instructions", action="store_true", help="count instructions as well (valgrind)")
    parser.add_argument("--scaling", action="store_true", help="cost against work instead of the table")
    parser.add_argument("--peer", action="append", default=[], type=name_and_command, metavar="NAME=COMMAND",
                        help="time another simulator's command in the same run; may be repeated")
    parser.add_argument("--list", action="store_true", help="print the rows and their commands")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.repeat < 1:
        parser.error("--repeat should be at least 1")
    known = [row.name for row in rows(pathlib.Path("."))]
    for name in options.only:
        if name not in known:
            parser.error(f"--only {name}: known are {', '.join(known)}")
    for binary in filter(None, (options.binary, options.baseline)):
        if not options.list and not binary.is_file():
            parser.error(f"{binary} is not there: build the program first, or name it")
    if options.instructions and not shutil.which("valgrind"):
        parser.error("--instructions needs valgrind (apt-get install valgrind)")
    return options


def main():
    """Prints the table, or the scaling."""
    options = options_of()
    with tempfile.TemporaryDirectory(prefix="tokencycle_speed_") as name:
        folder = pathlib.Path(name)
        if options.list:
            for row in rows(folder):
                print(f"{row.name:<16} {row.work}\n    tokencycle {shlex.join(row.arguments)}")
            return
        results = {"scaling": scaling(options, folder)} if options.scaling else {"rows": table(options, folder)}
        results["peers"] = peers(options)
    if options.json:
        print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
