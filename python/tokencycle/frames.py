# SPDX-License-Identifier: Apache-2.0
"""Documents of the program as pandas frames with units."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

import pandas as pd

# Names say their unit by their end, as everywhere in the program's documents.
_UNITS_BY_END = {"cycles": "cycles", "bytes": "B", "percent": "%", "pj": "pJ", "uj": "uJ", "us": "us", "ns": "ns",
                 "clocks": "clocks", "elements": "elements", "accumulates": "multiply-accumulates",
                 "instructions": "instructions", "bursts": "bursts", "tokens": "tokens", "mw": "mW",
                 "count": "instructions", "start": "cycle", "end": "cycle"}
_UNITS_INSIDE = {"gb_per_s": "GB/s", "tokens_per_second": "1/s", "pj_per_bit": "pJ/bit", "dram_bytes_per": "B",
                 "dram_uj_per": "uJ", "clock_ghz": "GHz", "array_cycles": "cycles"}


def unit_of(name: str) -> str:
    """The unit of a field by its name; an empty text where it has none."""
    for inside, unit in _UNITS_INSIDE.items():
        if inside in name:
            return unit
    return _UNITS_BY_END.get(name.rpartition(".")[2].rpartition("_")[2], "")


def with_units(frame: Any, units: Mapping[str, str] | None = None) -> Any:
    """Notes the units in `attrs["units"]`: one per column of a frame, one per entry of a series."""
    names = frame.columns if isinstance(frame, pd.DataFrame) else frame.index
    known = {str(name): unit_of(str(name)) for name in names}
    known.update(units or {})
    frame.attrs["units"] = {name: unit for name, unit in known.items() if unit}
    return frame


def records(entries: Sequence[Mapping[str, Any]], leave_out: Iterable[str] = ()) -> pd.DataFrame:
    """One row per record; inner objects as `outer.inner`, inner lists left out."""
    skip = set(leave_out)

    def flat(record: Mapping[str, Any], before: str = "") -> dict[str, Any]:
        row: dict[str, Any] = {}
        for key, value in record.items():
            if before + key in skip:
                continue
            if isinstance(value, Mapping):
                row.update(flat(value, before + key + "."))
            elif not isinstance(value, list):
                row[before + key] = value
        return row

    return with_units(pd.DataFrame([flat(record) for record in entries]))


def stacks(entries: Sequence[Mapping[str, int]], index: Any) -> pd.DataFrame:
    """Cycles by cause, one row per stack; a cause that a stack does not name is 0."""
    frame = pd.DataFrame(list(entries), index=index).fillna(0).astype("int64")
    frame.columns.name = "cause"
    return with_units(frame, {str(cause): "cycles" for cause in frame.columns})
