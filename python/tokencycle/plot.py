# SPDX-License-Identifier: Apache-2.0
"""The plots that people make of results, with matplotlib.

Every function draws on `ax`, or on a new figure, and returns the axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence, Union

import pandas as pd

from .results import Comparison, Gemm, Result, Roofline, Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LABELS = 30  # on an axis of categories


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib import pyplot  # not before it is needed: it takes a while to load

    return pyplot.subplots(layout="constrained")[1]


def _table(data: Sweep | pd.DataFrame) -> pd.DataFrame:
    return data.done if isinstance(data, Sweep) else data


def _label(name: str, frame: pd.DataFrame) -> str:
    unit = frame.attrs.get("units", {}).get(name, "")
    words = name.strip("/").replace("/", " ").replace("_", " ")
    return words if not unit or words.lower().endswith(unit.lower()) else f"{words} ({unit})"


def _thousands(axis: Any) -> None:
    axis.set_major_formatter(lambda value, _: f"{value:,.10g}")


def _check(frame: pd.DataFrame, *names: str | None) -> None:
    for name in names:
        if name is not None and name not in frame.columns:
            raise KeyError(f"no column {name!r}; there are {', '.join(map(str, frame.columns))}")


def cycles(data: Sweep | pd.DataFrame, x: str, y: str | None = None, *, by: str | None = None,
           ax: Axes | None = None) -> Axes:
    """A figure against an axis of a sweep.

    Args:
        data: a sweep, or rows of its table.
        x: a column that the plan sets, such as "/matrix/rows".
        y: the figure; the default is cycles per decode token, or of all products.
        by: one line per value of this column. Points that share x and line are joined by their mean, with bars
            from the least to the most.
    """
    frame, ax = _table(data), _axes(ax)
    if y is None:
        y = next(name for name in ("decode_median_cycles", "end_to_end_cycles", "cycles")
                 if name in frame.columns and frame[name].notna().any())
    _check(frame, x, y, by)
    numeric = pd.api.types.is_numeric_dtype(frame[x])
    for value, part in [(None, frame)] if by is None else frame.groupby(by, sort=False):
        values = part.groupby(x, sort=numeric)[y].agg(["mean", "min", "max"]).astype(float)
        places = values.index if numeric else values.index.astype(str)
        lines = ax.plot(places, values["mean"], marker="o", label=None if by is None else str(value))
        if (values["min"] < values["max"]).any():
            bars = [values["mean"] - values["min"], values["max"] - values["mean"]]
            ax.errorbar(places, values["mean"], yerr=bars, capsize=3, fmt="none", color=lines[0].get_color())
    if numeric:
        ax.set_xticks(sorted(frame[x].unique()))
    if by is not None:
        ax.legend(title=_label(by, frame))
    ax.set_xlabel(_label(x, frame))
    ax.set_ylabel(_label(y, frame))
    ax.set_ylim(bottom=0)
    _thousands(ax.yaxis)
    ax.grid(alpha=0.3)
    return ax


Stacked = Union[Sweep, Comparison, Result, Gemm, pd.DataFrame]


def stack(data: Stacked, x: str | Sequence[str] | None = None, *, least_percent: float = 1.0,
          ax: Axes | None = None) -> Axes:
    """What cycles were spent on, as stacked bars.

    Args:
        data: tokens of a run, machines of a comparison, products, points of a sweep, or any frame of cycles by
            cause.
        x: of a sweep: the column, or columns, that name the bars. The default is the point's number.
        least_percent: causes with a smaller share of all cycles are drawn together as "other".
    """
    ax = _axes(ax)
    if isinstance(data, Result):
        frame = data.token_stacks
    else:
        frame = data if isinstance(data, pd.DataFrame) else data.stacks
    names, title = list(map(str, frame.index)), str(frame.index.name or "")
    if isinstance(data, Sweep) and x is not None:
        columns = [x] if isinstance(x, str) else list(x)
        _check(data.table, *columns)
        names = [", ".join(map(str, row)) for row in data.done[columns].itertuples(index=False)]
        title = ", ".join(_label(column, data.table) for column in columns)
    elif isinstance(frame.index, pd.MultiIndex):
        names = [" ".join(map(str, key)) for key in frame.index]
    share = frame.sum() / max(1, frame.to_numpy().sum()) * 100
    large = [cause for cause in frame.columns if share[cause] >= least_percent]
    drawn = frame[large].copy()
    other = frame.drop(columns=large).sum(axis=1)
    if other.any():
        drawn["other"] = other
    below = pd.Series(0, index=frame.index)
    from matplotlib import colormaps

    for number, cause in enumerate(drawn.columns):
        ax.bar(range(len(drawn)), drawn[cause].to_numpy(), bottom=below.to_numpy(), label=cause,
               color=colormaps["tab20"](number % 20), width=0.8)
        below = below + drawn[cause]
    step = -(-len(drawn) // _MOST_LABELS) or 1
    ax.set_xticks(range(0, len(drawn), step), names[::step],
                  rotation=90 if len(drawn) > 8 or max(map(len, names), default=0) > 8 else 0)
    ax.set_xlabel(title)
    _thousands(ax.yaxis)
    ax.set_ylabel("cycles")
    handles, causes = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], causes[::-1], loc="center left", bbox_to_anchor=(1, 0.5))  # as they lie
    return ax


def roofline(data: Result | Roofline, *, phase: str | None = None, ax: Axes | None = None) -> Axes:
    """Operations per second against operations per DRAM byte, below the machine's roofs.

    Args:
        data: a run.
        phase: "prefill" or "decode" alone.
    """
    ax = _axes(ax)
    lines = data.roofline if isinstance(data, Result) else data
    points = lines.points.dropna(subset=["intensity"])
    if phase is not None:
        points = points[points["phase"] == phase]
    for name, part in points.groupby("phase", sort=False):
        ax.scatter(part["intensity"], part["operations_per_second"], label=name, alpha=0.7, s=20)
    levels = lines.roofs[lines.roofs["unit"] == "operations/s"]["value"]
    bandwidth = lines.roofs.loc["DRAM", "value"] if "DRAM" in lines.roofs.index else None
    peak = levels.max()
    right = max(points["intensity"].max() if len(points) else 1, 2 * peak / bandwidth if bandwidth else 1) * 2
    left = min(points["intensity"].min() if len(points) else 1, 1) / 2
    for name, level in levels.items():
        start = level / bandwidth if bandwidth else left
        ax.plot([start, right], [level, level], color="black", linewidth=1)
        ax.annotate(str(name), (right, level), ha="right", va="bottom", fontsize="small")
    if bandwidth:
        ax.plot([left, peak / bandwidth], [left * bandwidth, peak], color="black", linewidth=1)
        ax.annotate("DRAM", (left, left * bandwidth), ha="left", va="top", fontsize="small",
                    xytext=(4, -2), textcoords="offset points")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(left, right)
    ax.set_xlabel("operations per DRAM byte")
    ax.set_ylabel("operations per second")
    ax.set_title(lines.machine)
    if len(points):
        ax.legend()
    return ax


def front(data: Sweep | pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """The points of which none is better in both figures; less is better. Ascending by x."""
    frame = _table(data)
    _check(frame, x, y)
    ordered = frame.dropna(subset=[x, y]).sort_values([x, y])
    best = ordered[y].astype(float).cummin().shift(fill_value=float("inf"))
    return ordered[ordered[y] < best]


def pareto(data: Sweep | pd.DataFrame, x: str, y: str, *, by: str | None = None, ax: Axes | None = None) -> Axes:
    """Two figures of a sweep's points against each other, with their Pareto front; less is better.

    Args:
        x, y: figures, such as "decode_median_cycles" and "dram_uj".
        by: one colour per value of this column.
    """
    frame, ax = _table(data), _axes(ax)
    _check(frame, x, y, by)
    for value, part in [("points", frame)] if by is None else frame.groupby(by, sort=False):
        ax.scatter(part[x], part[y], label=str(value), alpha=0.7)
    line = front(frame, x, y)
    ax.step(line[x], line[y], where="post", color="black", linewidth=1, label="Pareto front")
    ax.set_xlabel(_label(x, frame))
    ax.set_ylabel(_label(y, frame))
    ax.legend(title=None if by is None else _label(by, frame))
    _thousands(ax.xaxis)
    _thousands(ax.yaxis)
    ax.grid(alpha=0.3)
    return ax


__all__ = ["cycles", "front", "pareto", "roofline", "stack"]
