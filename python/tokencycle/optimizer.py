# SPDX-License-Identifier: Apache-2.0
"""Search in a plan's grid with Optuna, where running all of it would take too long.

    python -m tokencycle search PLAN.json --objective cycles,dram_uj --budget 100 -o FOLDER

Points are chosen here and run by `tokencycle sweep --points`: the folder is that of a sweep of which only the chosen
points are done, and `tokencycle sweep PLAN.json -o FOLDER --resume` would run the rest. The same plan, seed and budget
choose the same points; what is done in the folder is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import sys
import tempfile
from typing import TYPE_CHECKING, Any, Mapping, Sequence

import pandas as pd

from . import program
from .commands import Path, plan_of
from .errors import ConfigurationError, InputOutputError, TokencycleError, UsageError
from .results import Sweep

if TYPE_CHECKING:
    from optuna.study import Study

_ALIASES = {"energy": "energy_uj_per_token", "area": "area_mm2"}
_MOST_POINTS = 100_000  # of the grid
SAMPLERS = ("nsga2", "tpe")


class Search(Sweep):
    """A search's results: as of a sweep, of the points that were run.

    Attributes:
        objectives: columns of the table; "max:" before one means that more is better.
        study: Optuna's.
    """

    def __init__(self, folder: pathlib.Path, objectives: Sequence[str], study: Study, keep_alive: Any = None) -> None:
        super().__init__(folder, keep_alive)
        self.objectives = list(objectives)
        self.study = study

    @property
    def front(self) -> pd.DataFrame:
        """The points that no other one beats in all objectives."""
        names = [objective.removeprefix("max:") for objective in self.objectives]
        signs = [-1 if objective.startswith("max:") else 1 for objective in self.objectives]
        points = self.done.dropna(subset=names)
        values = points[names].astype(float) * signs
        beaten = [((values <= row).all(axis=1) & (values < row).any(axis=1)).any() for _, row in values.iterrows()]
        return points[[not b for b in beaten]].sort_values(names)


class _Grid:
    """The points of a plan, as the program lists them, by their positions on its axes."""

    def __init__(self, plan: Mapping[str, Any], folder: pathlib.Path) -> None:
        self.folder = folder
        self.plan = folder / "plan.json"
        rows = json.loads(self.sweep("--collect", "--json"))["points"]
        if len(rows) > _MOST_POINTS:
            raise UsageError(f"the plan has {len(rows):,} points; a search takes at most {_MOST_POINTS:,}", 2)
        knobs = [axis["axis"] if isinstance(axis["axis"], list) else [axis["axis"]] for axis in plan["axes"]]
        self.names = [", ".join(axis) for axis in knobs]
        self.values: list[list[str]] = [[] for _ in knobs]  # in the plan's order
        self.numbers: dict[tuple[int, ...], int] = {}
        known: list[dict[str, int]] = [{} for _ in knobs]
        for row in rows:
            at = []
            for axis, values, places in zip(knobs, self.values, known):
                text = ", ".join(map(str, (row[knob] for knob in axis)))
                if text not in places:
                    places[text] = len(values)
                    values.append(text)
                at.append(places[text])
            self.numbers[tuple(at)] = row["point"]

    def sweep(self, *arguments: str) -> str:
        """The program's sweep on the folder."""
        return program.call(["sweep", str(self.plan), "-o", str(self.folder), *arguments])

    def figures(self, numbers: Sequence[int], jobs: int | None) -> dict[int, dict[str, Any]]:
        """Runs these points where they have no result yet; their rows of the table."""
        chosen = ["--points", ",".join(map(str, sorted(numbers)))]
        self.sweep("--resume", "--quiet", *chosen, *program.arguments_of({"jobs": jobs}))
        return {row["point"]: row for row in json.loads(self.sweep("--collect", "--json", *chosen))["points"]}


def _column(objective: str) -> str:
    """An objective with the name that the table has."""
    more, name = ("max:", objective[4:]) if objective.startswith("max:") else ("", objective)
    return more + _ALIASES.get(name, name)


def _sampler(name: str, seed: int, population: int) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if name == "nsga2":
        return optuna.samplers.NSGAIISampler(seed=seed, population_size=population)
    if name == "tpe":
        return optuna.samplers.TPESampler(seed=seed, multivariate=False, n_startup_trials=population)
    raise UsageError(f"the sampler is {name!r}; it must be one of {', '.join(SAMPLERS)}", 2)


def _values(row: Mapping[str, Any], objectives: Sequence[str]) -> list[float] | None:
    """The objectives of a point; None of one that failed."""
    if row["state"] != "done":
        return None
    values = [row.get(objective.removeprefix("max:")) for objective in objectives]
    if any(value is None for value in values):
        known = ", ".join(name for name in list(row)[list(row).index("state") + 1:]
                          if isinstance(row[name], (int, float)))
        raise UsageError(f"point {row['point']} has no number for each of {', '.join(objectives)}; it has {known}", 2)
    return [float(value) for value in values if value is not None]


def search(plan: Path | Mapping[str, Any] | None = None, objectives: Sequence[str] = ("cycles",), budget: int = 100, *,
           axes: Mapping[Any, Any] | None = None, folder: Path | None = None, sampler: str = "nsga2", seed: int = 0,
           batch: int = 8, jobs: int | None = None, progress: bool = False, **settings: Any) -> Search:
    """Looks for the points of a plan's grid with the least objectives, and runs at most `budget` of them.

    Args:
        plan, axes, settings, folder, jobs: as of `sweep`; the plan is a grid.
        objectives: columns of the table of a sweep, or "energy" and "area" (with technology=...); "max:" before
            one means that more is better.
        sampler: "nsga2" (Deb et al. 2002) or "tpe" (Bergstra et al. 2011), of Optuna.
        batch: points that are chosen together, and population of NSGA-II; with `seed` it fixes what is chosen.
        progress: print a line per batch to standard error.

    Points that fail do not count. Needs Optuna: `pip install 'tokencycle[search]'`.

    Raises:
        TokencycleError: the plan or an objective is wrong, or all chosen points failed.
    """
    if (plan is None) == (axes is None):
        raise TypeError("search needs a plan or axes, and not both")
    if plan is not None and settings:
        raise TypeError(f"search with a plan takes no {', '.join(settings)}: the plan says all of a point")
    if budget < 1 or batch < 2:
        raise UsageError(f"budget is {budget} and batch is {batch}; they must be at least 1 and 2", 2)
    try:
        import optuna
    except ImportError as error:
        raise InputOutputError("search needs Optuna; install it with pip install 'tokencycle[search]'", 7) from error
    if isinstance(plan, (str, os.PathLike)):
        try:
            text = pathlib.Path(plan).read_text(encoding="utf-8")
        except OSError as error:
            raise InputOutputError(f"{plan}: cannot be read: {error.strerror}; check the path", 7) from error
    else:
        text = json.dumps(plan_of(axes, **settings) if axes is not None else program.plain(plan), indent=1) + "\n"
    objectives = [_column(objective) for objective in objectives]
    scratch = tempfile.TemporaryDirectory(prefix="tokencycle_")
    place = pathlib.Path(folder) if folder is not None else pathlib.Path(scratch.name) / "sweep"
    grid = _begin(text, place)
    directions = [optuna.study.StudyDirection.MAXIMIZE if o.startswith("max:") else
                  optuna.study.StudyDirection.MINIMIZE for o in objectives]
    study = optuna.create_study(directions=directions, sampler=_sampler(sampler, seed, batch))
    rows = _run(study, grid, objectives, budget, batch, jobs, seed, progress)
    grid.sweep("--collect", "--quiet", "--points", ",".join(map(str, sorted(rows))))
    if all(row["state"] != "done" for row in rows.values()):
        raise ConfigurationError(f"all points failed, the first with: {next(iter(rows.values()))['error']}", 3)
    return Search(place, objectives, study, scratch)


def _begin(text: str, place: pathlib.Path) -> _Grid:
    """The folder of a sweep with this plan; the program checks both."""
    (place / "points").mkdir(parents=True, exist_ok=True)
    (place / "failed").mkdir(exist_ok=True)
    file = place / "plan.json"
    begun = file.exists()
    if not begun:
        file.write_text(text, encoding="utf-8")
    elif file.read_text(encoding="utf-8") != text:
        raise UsageError(f"{place}: this folder belongs to another plan ({file}); take another folder", 2)
    try:
        program.call(["sweep", str(file), "-o", str(place), "--status"])  # names what is wrong with the plan
        plan = json.loads(text)
        if "sample" in plan:
            raise UsageError("the plan takes a sample; a search chooses points itself: leave \"sample\" out", 2)
    except TokencycleError:
        if not begun:
            file.unlink()
        raise
    return _Grid(plan, place)


def _run(study: Study, grid: _Grid, objectives: Sequence[str], budget: int, batch: int, jobs: int | None, seed: int,
         progress: bool) -> dict[int, dict[str, Any]]:
    """Asks, runs and tells until the budget is used; the rows of all points that were run."""
    from optuna.distributions import CategoricalDistribution, IntDistribution
    from optuna.trial import TrialState, create_trial

    # Positions of numbers have an order, words have none.
    def ordered(values: list[str]) -> bool:
        try:
            return all(float(value.split(",")[0]) is not None for value in values)
        except ValueError:
            return False

    space: dict[str, Any] = {
        name: IntDistribution(0, len(values) - 1) if ordered(values) else CategoricalDistribution(values)
        for name, values in zip(grid.names, grid.values)}
    chance = random.Random(seed)
    rows: dict[int, dict[str, Any]] = {}
    done = 0
    while done < budget and len(rows) < len(grid.numbers):
        asked = [study.ask(space) for _ in range(batch)]
        numbers: dict[int, int | None] = {}
        for trial in asked:
            at = tuple(trial.params[name] if isinstance(space[name], IntDistribution)
                       else values.index(trial.params[name]) for name, values in zip(grid.names, grid.values))
            numbers[trial.number] = grid.numbers.get(at)  # None: constraints leave it out
        new = list(dict.fromkeys(n for n in numbers.values() if n is not None and n not in rows))
        extra = {}
        if not new:  # the sampler proposes what is known: one of the others, so that there is an end
            at, number = chance.choice([(a, n) for a, n in grid.numbers.items() if n not in rows])
            new, extra = [number], {number: at}
        rows.update(grid.figures(new[:budget - done], jobs))
        done = sum(row["state"] == "done" for row in rows.values())
        for trial in asked:
            row = rows.get(numbers[trial.number] or 0)
            values = None if row is None else _values(row, objectives)
            study.tell(trial, values, state=TrialState.COMPLETE if values else TrialState.PRUNED)
        for number, at in extra.items():
            params = {name: place if isinstance(space[name], IntDistribution) else values[place]
                      for name, values, place in zip(grid.names, grid.values, at)}
            values = _values(rows[number], objectives) if number in rows else None
            if values:
                study.add_trial(create_trial(params=params, distributions=space, values=values))
        if progress:
            print(f"tokencycle: {done} of {budget} points", file=sys.stderr)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tokencycle search", description=__doc__.splitlines()[0])
    parser.add_argument("plan", help="the plan (JSON), a grid")
    parser.add_argument("--objective", required=True, help="columns of a sweep's table, energy or area, as in a,max:b")
    parser.add_argument("--budget", type=int, required=True, help="points to run, at most")
    parser.add_argument("-o", "--output", help="folder of the results (default: the plan's name without .json)")
    parser.add_argument("--sampler", choices=SAMPLERS, default="nsga2")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=8, help="points that are chosen together (default: 8)")
    parser.add_argument("-j", "--jobs", type=int, help="processes at a time (default: one per processor)")
    options = parser.parse_args(arguments)
    folder = options.output or pathlib.Path(options.plan).stem
    try:
        found = search(options.plan, options.objective.split(","), options.budget, folder=folder,
                       sampler=options.sampler, seed=options.seed, batch=options.batch, jobs=options.jobs,
                       progress=True)
    except TokencycleError as error:
        print(f"tokencycle: {error.message}", file=sys.stderr)
        return error.exit_code or 1
    names = found.axes + [objective.removeprefix("max:") for objective in found.objectives]
    print(f"{len(found.done)} points run, {len(found.failed)} failed; the front:\n{found.front[names].to_string()}\n"
          f"table    written to {found.folder / 'table.csv'}")
    return 0

