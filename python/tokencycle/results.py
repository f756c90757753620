# SPDX-License-Identifier: Apache-2.0
"""What the functions return: a document of the program, and frames made from it when they are asked for.

Every frame has `attrs["units"]`. `tokencycle explain result` (comparison, gemm, dram) says what each field means.
"""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import tempfile
from functools import cached_property
from typing import Any

import pandas as pd

from . import program
from .frames import records, stacks, with_units


class Result:
    """A run of a model.

    Attributes:
        document: the whole result document, as `tokencycle run --result` writes it.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def __repr__(self) -> str:
        return (f"<Result: {self.document['model']['name']} on {self.machine}, {len(self.document['tokens'])} tokens, "
                f"{self.cycles:,} cycles>")

    @property
    def machine(self) -> str:
        """The machine's name."""
        return self.document["configuration"]["name"]

    @property
    def cycles(self) -> int:
        """Of the whole run."""
        return self.document["cycles"]

    @property
    def text(self) -> str | None:
        """What the model wrote; None of a run for cycles alone."""
        return self.document.get("text")

    @cached_property
    def tokens(self) -> pd.DataFrame:
        """One row per generated token: id, text, phase, cycles, start, end."""
        frame = records(self.document["tokens"], ["stack"])
        frame.index.name = "token"
        return frame

    @cached_property
    def stack(self) -> pd.Series:
        """Cycles by cause; they sum to `cycles`."""
        series = pd.Series(self.document["stack"], name="cycles", dtype="int64")
        series.index.name = "cause"
        return with_units(series, {str(cause): "cycles" for cause in series.index})

    @cached_property
    def token_stacks(self) -> pd.DataFrame:
        """Cycles by cause, one row per token; a row sums to the token's cycles."""
        return stacks([token["stack"] for token in self.document["tokens"]], self.tokens.index)

    def _phases_of_operators(self) -> list[tuple[tuple[str, int, str], dict[str, Any]]]:
        return [((operator["name"], operator["layer"], phase), operator[phase])
                for operator in self.document["operators"] for phase in ("prefill", "decode") if phase in operator]

    @cached_property
    def operators(self) -> pd.DataFrame:
        """One row per operator and phase: cycles, instructions, what limits it, bytes, work."""
        rows = [{"operator": name, "layer": layer, "phase": phase, **use}
                for (name, layer, phase), use in self._phases_of_operators()]
        return records(rows, ["stack"])

    @cached_property
    def operator_stacks(self) -> pd.DataFrame:
        """Cycles by cause, one row per operator and phase, in the order of `operators`."""
        keys, uses = zip(*self._phases_of_operators())
        return stacks([use["stack"] for use in uses],
                      pd.MultiIndex.from_tuples(keys, names=["operator", "layer", "phase"]))

    @cached_property
    def kinds(self) -> pd.DataFrame:
        """One row per operator, phase and kind of instruction: count and cycles."""
        rows = [{"operator": name, "layer": layer, "phase": phase, **kind}
                for (name, layer, phase), use in self._phases_of_operators() for kind in use.get("kinds", [])]
        return records(rows, ["stack"])

    @cached_property
    def instructions(self) -> pd.DataFrame:
        """The instructions of one token (`pipeline_token`) with the cycle of each stage; empty without them.

        Cycles are those of the run; a stage that an instruction does not have is missing.
        """
        pipeline = self.document.get("pipeline")
        if not pipeline:
            return pd.DataFrame()
        frame = pd.DataFrame(pipeline["rows"], columns=pipeline["columns"])
        names = {"operator": [operator["name"] for operator in pipeline["operators"]], "kind": pipeline["kinds"],
                 "unit": pipeline["units"]}
        for column, values in names.items():
            frame[column] = frame[column].map(dict(enumerate(values)))
        stages = [column for column in frame.columns if column not in names]
        frame[stages] = frame[stages].astype("Int64") + pipeline["start"]
        return with_units(frame, {stage: "cycle" for stage in stages})

    @cached_property
    def counters(self) -> pd.DataFrame:
        """Every counter: value, unit, meaning, by name."""
        return pd.DataFrame(self.document["counters"]).set_index("name")

    @cached_property
    def units(self) -> pd.DataFrame:
        """Cycles of each unit of the machine (rows) in each state (columns)."""
        frame = stacks(list(self.document["units"].values()), pd.Index(self.document["units"], name="unit"))
        frame.columns.name = "state"
        return frame

    @cached_property
    def timeline(self) -> pd.DataFrame:
        """What happened in each interval, by the cycle in which it begins."""
        timeline = self.document["timeline"]
        frame = pd.DataFrame({series["name"]: series["values"] for series in timeline["series"]})
        frame.index = pd.Index(timeline["start"] + timeline["interval_cycles"] * frame.index, name="cycle")
        return with_units(frame, {series["name"]: series["unit"] for series in timeline["series"]})

    @cached_property
    def phases(self) -> pd.DataFrame:
        """DRAM's bytes and energy of prefill and decode."""
        rows = [{"phase": phase, **values} for phase, values in self.document["phases"].items()]
        return with_units(records(rows).set_index("phase"))

    @cached_property
    def energy(self) -> pd.DataFrame:
        """Energy of the machine by part: low, typical, high, in pJ. Of runs with a `technology`; else empty."""
        return self._ranges(self.document["energy"].get("machine"), "pJ")

    @cached_property
    def area(self) -> pd.DataFrame:
        """Area of the chip by part: low, typical, high, in um2. Of runs with a `technology`; else empty."""
        return self._ranges(self.document.get("area"), "um2")

    @staticmethod
    def _ranges(document: dict[str, Any] | None, unit: str) -> pd.DataFrame:
        columns = ["low", "typical", "high"]
        rows = {**document["parts"], "total": document["total"]} if document else {}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        frame.index.name = "part"
        return with_units(frame, dict.fromkeys(columns, unit))

    @cached_property
    def roofline(self) -> Roofline:
        """Where each operator stands below what the machine could do."""
        with tempfile.TemporaryDirectory(prefix="tokencycle_") as folder:
            file = self.write(pathlib.Path(folder) / "result.json")
            return Roofline(json.loads(program.call(["inspect", str(file), "--roofline", "--json"])))

    def write(self, file: str | os.PathLike[str]) -> pathlib.Path:
        """Writes the result document, for `read`, `compare` and `tokencycle report`."""
        path = pathlib.Path(file)
        path.write_text(json.dumps(self.document, ensure_ascii=False), encoding="utf-8")
        return path


class Roofline:
    """Rooflines of a run.

    Attributes:
        roofs: name, unit and value of each roof: operations or bytes per second.
        points: one row per operator and phase: operations, bytes, intensity, operations per second, roof, limit.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.machine: str = document["machine"]
        self.roofs = pd.DataFrame(document["roofs"]).set_index("name")
        self.points = with_units(pd.DataFrame(document["points"]),
                                 {"intensity": "operations/B", "operations_per_second": "operations/s",
                                  "roof_operations_per_second": "operations/s", "operations": "operations"})

    def __repr__(self) -> str:
        return f"<Roofline: {self.machine}, {len(self.points)} points>"


class Comparison:
    """A model on several machines.

    Attributes:
        document: of `tokencycle compare --json`.
        results: the run on each machine.
    """

    def __init__(self, document: dict[str, Any], results: list[Result]) -> None:
        self.document = document
        self.results = results

    def __repr__(self) -> str:
        return f"<Comparison: {', '.join(self.figures.index)}>"

    def _index(self) -> pd.Index:
        return pd.Index([result["label"] for result in self.document["results"]], name="machine")

    @cached_property
    def figures(self) -> pd.DataFrame:
        """One row per machine: cycles, cycles per token, bandwidth, energy."""
        return with_units(pd.DataFrame([r["figures"] for r in self.document["results"]], index=self._index()))

    @cached_property
    def change_percent(self) -> pd.DataFrame:
        """By how many percent each figure differs from the baseline's."""
        frame = pd.DataFrame([r["change_percent"] or {} for r in self.document["results"]], index=self._index())
        return with_units(frame, {str(name): "%" for name in frame.columns})

    @cached_property
    def keys(self) -> pd.DataFrame:
        """The keys of the machines that differ, one column per machine."""
        rows = {key["path"]: key["values"] for key in self.document["keys"]}
        return pd.DataFrame.from_dict(rows, orient="index", columns=self._index())

    @cached_property
    def stacks(self) -> pd.DataFrame:
        """Cycles by cause of the whole run, one row per machine."""
        return stacks([result.document["stack"] for result in self.results], self._index())

    @cached_property
    def causes(self) -> pd.DataFrame:
        """Why a token takes other cycles than the baseline's: one row per machine, phase and cause."""
        rows = [{"machine": r["label"], "phase": phase, **cause} for r in self.document["results"]
                for phase in ("first_token", "decode") if r[phase] for cause in r[phase]["causes"]]
        return records(rows)


class Gemm:
    """Matrix products.

    Attributes:
        document: of `tokencycle gemm --json`.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def __repr__(self) -> str:
        return f"<Gemm: {len(self.layers)} products on {self.document['configuration']['name']}>"

    @cached_property
    def layers(self) -> pd.DataFrame:
        """One row per product: of the array alone, and from DRAM to DRAM (`end_to_end.`)."""
        return records(self.document["layers"], ["end_to_end.stack", "end_to_end.matrix"])

    @cached_property
    def stacks(self) -> pd.DataFrame:
        """Cycles by cause, one row per product."""
        layers = self.document["layers"]
        return stacks([layer["end_to_end"]["stack"] for layer in layers],
                      pd.Index([layer["name"] for layer in layers], name="product"))


class Dram:
    """Memory requests.

    Attributes:
        document: of `tokencycle dram --json`.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def __repr__(self) -> str:
        return (f"<Dram: {self.document['requests']:,} requests on {self.document['memory']['name']}, "
                f"{self.document['gb_per_s']:.2f} GB/s>")

    @cached_property
    def summary(self) -> pd.Series:
        """Figures of all channels by name."""
        return with_units(records([self.document], ["host", "memory", "latency_clocks", "latency_ns"]).iloc[0])

    @cached_property
    def latency(self) -> pd.DataFrame:
        """Latencies in nanoseconds: reads and writes, one row each."""
        kinds = {kind: values for kind, values in self.document["latency_ns"].items() if values}
        frame = pd.DataFrame(kinds).T
        return with_units(frame, {str(name): "ns" for name in frame.columns if name != "requests"})

    @cached_property
    def channels(self) -> pd.DataFrame:
        """One row per channel."""
        return records(self.document["channels"]).set_index("channel")

    @cached_property
    def banks(self) -> pd.DataFrame:
        """One row per bank of each channel."""
        return records([{"channel": channel["channel"], **bank} for channel in self.document["channels"]
                        for bank in channel.get("banks", [])])


class Sweep:
    """Many runs that differ in keys of the machine and in options.

    Attributes:
        folder: with plan, results and tables, as `tokencycle sweep` leaves it.
        table: one row per point: what the axes set, state, figures. `attrs["units"]`, `attrs["meanings"]`.
    """

    def __init__(self, folder: pathlib.Path, keep_alive: Any = None) -> None:
        self.folder = folder
        self._keep_alive = keep_alive
        self.document: dict[str, Any] = json.loads((folder / "table.json").read_text(encoding="utf-8"))
        columns = self.document["columns"]
        self.table = pd.DataFrame(self.document["points"], columns=[c["name"] for c in columns]).set_index("point")
        self.table.attrs["units"] = {c["name"]: c["unit"] for c in columns if c["unit"]}
        self.table.attrs["meanings"] = {c["name"]: c["meaning"] for c in columns}

    def __repr__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in self.table["state"].value_counts().items())
        return f"<Sweep: {states}, in {self.folder}>"

    @property
    def axes(self) -> list[str]:
        """Columns of the table that the plan sets."""
        names = [column["name"] for column in self.document["columns"]]
        return names[1:names.index("state")]

    @property
    def done(self) -> pd.DataFrame:
        """The points that have a result."""
        return self.table[self.table["state"] == "done"].drop(columns=["state", "error"])

    @property
    def failed(self) -> pd.Series:
        """Why the others have none."""
        return self.table.loc[self.table["state"] == "failed", "error"]

    @property
    def stacks(self) -> pd.DataFrame:
        """Cycles by cause of the whole run, one row per point that has a result."""
        columns = {c: c[len("stack_"):] for c in self.table.columns if c.startswith("stack_")}
        frame = self.done[list(columns)].rename(columns=columns).astype("int64")
        frame.columns.name = "cause"
        return with_units(frame, {cause: "cycles" for cause in frame.columns})

    def report(self, file: str | os.PathLike[str]) -> pathlib.Path:
        """Writes fronts, the best machines and all points of the table as a page (HTML)."""
        program.call(["sweep", str(self.folder / "plan.json"), "-o", str(self.folder), "--collect", "--quiet",
                      "--points", ",".join(map(str, self.table.index)), "--report", os.fspath(file)])
        return pathlib.Path(file)

    def result(self, point: int) -> Result | Gemm:
        """The result of one point, by its number in the table."""
        document = json.loads((self.folder / "points" / f"{point:06}.json").read_text(encoding="utf-8"))
        return Gemm(document) if self.document["command"] == "gemm" else Result(document)


def read(file: str | os.PathLike[str]) -> Result:
    """A result that `tokencycle run --result` or `Result.write` has written, gzipped or not.

    Raises:
        TokencycleError: the file is no result.
    """
    path = pathlib.Path(file)
    program.call(["inspect", str(path)])  # checks it, and names what is wrong
    raw = path.read_bytes()
    return Result(json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw))
