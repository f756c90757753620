# SPDX-License-Identifier: Apache-2.0
"""The program's commands as functions.

Each starts the program and returns what it has counted. Any option of the command can be given by its name with
`_` for `-`: `new_tokens=8` is `--new-tokens 8`, True an option without a value. `tokencycle run --help-all` lists
them.
"""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
import warnings
from typing import Any, Mapping, Sequence, Union

from . import program
from .results import Comparison, Dram, Gemm, Result, Sweep

Path = Union[str, "os.PathLike[str]"]
Keys = Mapping[str, Any]  # of a machine: {"/matrix/rows": 64}


def version() -> str:
    """Of the program."""
    return program.call(["--version"]).strip()


def run(config: Path = "edge", prompt: str | None = None, *, model: Path | None = None,
        new_tokens: int | None = None, timing_only: bool = False, set: Keys | None = None,
        result: Path | None = None, **options: Any) -> Result:
    """Runs a model on a machine.

    Args:
        config: the machine, a file or a name in configs/.
        prompt: text to continue; the default is the bundled model's.
        model: a GGUF file; the default is the bundled model.
        new_tokens: tokens to generate.
        timing_only: only cycles, without values or text: many times faster.
        set: keys of the machine to change, as in {"/matrix/rows": 64}.
        result: a file that keeps the result document.
        options: further options of `tokencycle run`.

    Raises:
        TokencycleError: of the class of the program's exit code (`tokencycle.errors`).
    """
    with tempfile.TemporaryDirectory(prefix="tokencycle_") as folder:
        file = pathlib.Path(result) if result is not None else pathlib.Path(folder) / "result.json"
        program.call(["run", "--quiet", *program.arguments_of(
            {"config": config, "prompt": prompt, "model": model, "new_tokens": new_tokens,
             "timing_only": timing_only, "set": set, "result": file, **options})])
        return _result(file)


def compare(machines: Sequence[Path | Result], prompt: str | None = None, *, model: Path | None = None,
            new_tokens: int | None = None, timing_only: bool = False, set: Keys | None = None,
            **options: Any) -> Comparison:
    """Runs a model on several machines with the same tokens, and says how they differ and why.

    Args:
        machines: files, names in configs/, names with changes ("edge with /matrix/rows=64"), and results of
            earlier runs, which stand behind the machines.
        options: further options of `tokencycle compare`.

    The other arguments, and what is raised, are those of `run`.
    """
    with tempfile.TemporaryDirectory(prefix="tokencycle_") as name:
        folder = pathlib.Path(name)
        names = [machine for machine in machines if not isinstance(machine, Result)]
        given = [machine for machine in machines if isinstance(machine, Result)]
        files = [str(r.write(folder / f"{r.machine}-result-{i}.json")) for i, r in enumerate(given, 1)]
        settings = {"prompt": prompt, "model": model, "new_tokens": new_tokens, "timing_only": timing_only,
                    "set": set, "results": folder / "results" if names else None}
        text = program.call(["compare", *files, "--json", *program.arguments_of(
            {"config": names, **settings, **options})])
        document = json.loads(text)
        by_digest = {}
        for file in (folder / "results").glob("*.json") if names else ():
            result = _result(file)
            by_digest[result.document["configuration"]["digest"]] = result
        own = [by_digest[entry["machine_digest"]] for entry in document["results"][:len(names)]]
        return Comparison(document, own + given)


def gemm(config: Path = "edge", M: int | None = None, N: int | None = None, K: int | None = None, *,
         shapes: Path | None = None, timing_only: bool = False, set: Keys | None = None, **options: Any) -> Gemm:
    """Multiplies matrices, M x K by K x N, on the array alone and from DRAM to DRAM.

    Args:
        shapes: a file with a list of products (CSV) instead of M, N and K.
        options: further options of `tokencycle gemm`, such as dtype="fp16" and dataflow="os".

    The other arguments, and what is raised, are those of `run`.
    """
    return Gemm(json.loads(program.call(["gemm", "--json", *program.arguments_of(
        {"config": config, "M": M, "N": N, "K": K, "shapes": shapes, "timing_only": timing_only, "set": set,
         **options})])))


def dram(config: Path, trace: Path, **options: Any) -> Dram:
    """Replays a trace of memory requests on a DRAM.

    Args:
        config: a memory, file or name in configs/dram.
        trace: the requests.
        options: further options of `tokencycle dram`.

    Raises:
        TokencycleError: of the class of the program's exit code.
    """
    return Dram(json.loads(program.call(["dram", os.fspath(trace), "--json",
                                         *program.arguments_of({"config": config, **options})])))


def plan_of(axes: Mapping[Any, Any], *, command: str = "run", set: Keys | None = None,
            constraints: Sequence[str] = (), sample: Mapping[str, Any] | None = None, name: str | None = None,
            **options: Any) -> dict[str, Any]:
    """A plan for `sweep`, as its JSON file has it.

    Args:
        axes: values by key of the machine ("/matrix/rows") or option ("context"), or a range as
            {"from": 256, "to": 1024, "factor": 2}; a tuple of keys changes them together:
            {("/matrix/rows", "/matrix/columns"): [(16, 16), (32, 32)]}.
        command: "run" or "gemm".
        set: keys of the machine that all points have.
        constraints: expressions that points keep, as in "scratchpad.capacity_kib >= 8 * matrix.rows".
        sample: {"method": "random" or "latin-hypercube", "points": N, "seed": S} instead of all combinations.
        options: options of the command that all points have.
    """
    def axis(key: Any, values: Any) -> dict[str, Any]:
        keys = list(key) if isinstance(key, tuple) else key
        if isinstance(values, Mapping):
            return {"axis": keys, **program.plain(values)}
        return {"axis": keys, "values": program.plain(values)}

    plan: dict[str, Any] = {"schema": "tokencycle-sweep-1", "command": command}
    if name is not None:
        plan["name"] = name
    plan["options"] = {k.replace("_", "-"): program.plain(v) for k, v in options.items() if v is not None}
    if set:
        plan["set"] = program.plain(set)
    plan["axes"] = [axis(key, values) for key, values in axes.items()]
    if constraints:
        plan["constraints"] = list(constraints)
    if sample:
        plan["sample"] = program.plain(sample)
    return plan


def sweep(plan: Path | Mapping[str, Any] | None = None, *, axes: Mapping[Any, Any] | None = None,
          folder: Path | None = None, jobs: int | None = None, retry: bool = False, progress: bool = False,
          **settings: Any) -> Sweep:
    """Runs every point of a plan, several at a time, and returns their table.

    Args:
        plan: a file or a dictionary; or none, and `axes` and `settings` make it (see `plan_of`).
        folder: keeps the results; a sweep that was ended continues there. The default is a temporary one that
            goes with the returned object.
        jobs: processes at a time; the default is one per processor.
        retry: run points that failed again.
        progress: print points an hour and time left to standard error.

    Points that fail do not raise: they are named in `failed` and in a warning.

    Raises:
        TokencycleError: the plan is wrong, or the folder belongs to another one.
        KeyboardInterrupt: what is finished stays in `folder`.
    """
    if (plan is None) == (axes is None):
        raise TypeError("sweep needs a plan or axes, and not both")
    if plan is not None and settings:
        raise TypeError(f"sweep with a plan takes no {', '.join(settings)}: the plan says all of a point")
    scratch = tempfile.TemporaryDirectory(prefix="tokencycle_")
    file: Path
    if isinstance(plan, (str, os.PathLike)):
        file = plan
    else:
        text = json.dumps(plan_of(axes, **settings) if axes is not None else program.plain(plan), indent=1)
        file = pathlib.Path(scratch.name) / "plan.json"
        file.write_text(text + "\n", encoding="utf-8")
    place = pathlib.Path(folder) if folder is not None else pathlib.Path(scratch.name) / "sweep"
    program.call(["sweep", os.fspath(file), "--resume", "--json", *program.arguments_of(
        {"output": place, "jobs": jobs, "retry": retry})], progress)
    found = Sweep(place, scratch)
    if len(found.failed):
        warnings.warn(f"{len(found.failed)} of {len(found.table)} points failed, the first with: "
                      f"{found.failed.iloc[0]}", stacklevel=2)
    return found


def _result(file: pathlib.Path) -> Result:
    return Result(json.loads(file.read_text(encoding="utf-8")))
