# SPDX-License-Identifier: Apache-2.0
"""The installed package; wheel_test.py runs this in an environment of its own."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import matplotlib
import pandas as pd
import pytest
import tokencycle as tc
from matplotlib import pyplot

matplotlib.use("agg")
HERE = pathlib.Path(__file__).parent
AXES = {("/matrix/rows", "/matrix/columns"): [(16, 16), (32, 32)],
        "/matrix/dataflow": ["weight-stationary", "output-stationary"]}
SHORT = {"set": {"/matrix/group_buffer_rows": 64}, "timing_only": True, "prompt_tokens": 4, "new_tokens": 2}


@pytest.fixture(scope="module")
def result():
    return tc.run("edge", "My dear Miss", new_tokens=3)


@pytest.fixture(scope="module")
def sweep():
    return tc.sweep(axes=AXES, **SHORT)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    pyplot.close("all")


def printed(*arguments):
    return subprocess.run([tc.program.path(), *arguments], capture_output=True, text=True, check=True).stdout


def test_the_program_is_the_packages_own():
    assert tc.program.path().is_relative_to(pathlib.Path(tc.__file__).parent)
    assert tc.version().startswith("tokencycle ")
    command = pathlib.Path(sys.executable).parent / "tokencycle"
    assert subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout.startswith(
        "tokencycle ")


def test_a_run_is_the_programs(result, tmp_path):
    by_hand = tmp_path / "out.json"
    text = printed("run", "-c", "edge", "-p", "My dear Miss", "-n", "3", "-q", "--result", str(by_hand))
    again = tc.read(by_hand)
    for key in ("cycles", "stack", "tokens", "event_digest"):
        assert again.document[key] == result.document[key]
    assert text.strip().endswith(result.text.strip())


def test_frames_of_a_run_sum_to_its_cycles(result):
    assert result.stack.sum() == result.cycles == result.tokens["cycles"].sum()
    assert (result.token_stacks.sum(axis=1) == result.tokens["cycles"]).all()
    assert result.operators["cycles"].sum() == result.kinds["cycles"].sum() == result.cycles
    assert (result.operator_stacks.sum(axis=1).to_numpy() == result.operators["cycles"].to_numpy()).all()
    assert (result.units.sum(axis=1) == result.cycles).all()
    assert result.timeline["matrix0.busy"].sum() == result.units.loc["matrix0", "busy"]
    assert result.phases["cycles"].sum() == result.cycles
    assert result.counters.loc["decode.instructions", "value"] > 0


def test_instructions_go_through_their_stages_in_order(result):
    frame = result.instructions
    assert len(frame) == result.document["pipeline"]["instructions"]
    assert {"load", "multiply"} <= set(frame["kind"]) and "blk.0.attn_q" in set(frame["operator"])
    assert (frame["started"].dropna() >= frame["decoded"][frame["started"].notna()]).all()
    token = result.tokens.loc[result.document["pipeline"]["token"]]
    assert frame["written_back"].max() <= token["end"]


def test_frames_have_units(result, sweep):
    assert result.tokens.attrs["units"]["cycles"] == "cycles"
    assert result.operators.attrs["units"]["loaded_bytes"] == "B"
    assert result.phases.attrs["units"]["dram_pj"] == "pJ"
    assert result.timeline.attrs["units"]["dram.read_bytes"]
    assert sweep.table.attrs["units"]["tokens_per_second"] == "1/s"
    assert sweep.done.attrs["meanings"]["dram_bytes"] == "moved"


def test_a_roofline_is_above_its_points(result):
    lines = result.roofline
    assert (lines.points["operations_per_second"] <= lines.points["roof_operations_per_second"]).all()
    assert lines.roofs.loc["DRAM", "unit"] == "B/s"


def test_machines_are_compared(result):
    found = tc.compare(["edge", "edge with /vector/lanes=16", result], "My dear Miss", new_tokens=3)
    assert list(found.figures["cycles"]) == [r.cycles for r in found.results]
    assert found.figures["cycles"].iloc[0] == result.cycles
    assert list(found.stacks.sum(axis=1)) == list(found.figures["cycles"])
    assert list(found.keys.loc["/vector/lanes"]) == [32, 16, 32]
    slower = found.causes[found.causes["machine"] == found.figures.index[1]]
    decode = slower[slower["phase"] == "decode"]
    assert decode["cycles"].sum() - decode["baseline_cycles"].sum() == (
        found.results[1].tokens["cycles"][1:].sum() - result.tokens["cycles"][1:].sum())


def test_a_sweep_has_a_row_per_point_and_its_results(sweep):
    assert len(sweep.table) == 4 and len(sweep.done) == 4 and sweep.failed.empty
    assert sweep.axes == ["/matrix/rows", "/matrix/columns", "/matrix/dataflow"]
    for point, row in sweep.done.iterrows():
        assert sweep.result(point).cycles == row["cycles"] == sweep.stacks.loc[point].sum()


def test_a_sweep_has_a_page(sweep, tmp_path):
    before = (sweep.folder / "table.csv").read_bytes()
    try:
        page = sweep.report(tmp_path / "page.html")
    except tc.TokencycleError as refused:
        if "npm" in refused.message:
            pytest.skip(refused.message)  # the program was built without what pages are made of
        raise
    assert "output-stationary" in page.read_text(encoding="utf-8")
    assert (sweep.folder / "table.csv").read_bytes() == before


def test_points_that_fail_are_named_and_warned_of(tmp_path):
    with pytest.warns(UserWarning, match="1 of 2 points failed.*exit code 3"):
        found = tc.sweep(axes={"/vector/lanes": [0, 16]}, folder=tmp_path / "sweep", **SHORT)
    assert "/vector/lanes" in found.failed.loc[1]
    with pytest.raises(tc.errors.UsageError, match="another plan"):
        tc.sweep(axes={"/vector/lanes": [16]}, folder=tmp_path / "sweep", **SHORT)


def test_a_plan_is_a_dictionary_or_a_file(tmp_path):
    plan = tc.plan_of({"M": [8, 16]}, command="gemm", N=16, K=32, timing_only=True)
    table = tc.sweep(plan, folder=tmp_path / "gemm", jobs=1).table
    assert list(table["M"]) == [8, 16] and (table["end_to_end_cycles"] > table["array_cycles"]).all()
    assert tc.sweep(tmp_path / "gemm/plan.json", folder=tmp_path / "gemm").table.equals(table)
    with pytest.raises(TypeError, match="not both"):
        tc.sweep(plan, axes=AXES)
    with pytest.raises(TypeError, match="new_tokens"):
        tc.sweep(plan, new_tokens=1)


def test_products_and_memories():
    product = tc.gemm(M=16, N=32, K=64, dtype="fp16", dataflow="os")
    assert product.layers.loc[0, "end_to_end.cycles"] == product.stacks.iloc[0].sum()
    memory = tc.dram("ddr4-3200", HERE / "sample.trace")
    assert memory.summary["requests"] == 2048 == memory.latency["requests"].sum()
    assert memory.channels["row_hits"].sum() == memory.summary["row_hits"]
    assert len(memory.banks) == 16


@pytest.mark.parametrize("call, kind, code, text", [
    (lambda: tc.run(nonsense=1), tc.errors.UsageError, 2, "--nonsense"),
    (lambda: tc.run(set={"/matrix/rows": 0}), tc.errors.ConfigurationError, 3, "/matrix/rows: 0 is not allowed"),
    (lambda: tc.run(model=__file__), tc.errors.ModelError, 4, "test_package.py"),
    (lambda: tc.run("nowhere"), tc.errors.InputOutputError, 7, "nowhere"),
    (lambda: tc.read("none.json"), tc.errors.InputOutputError, 7, "none.json"),
])
def test_errors_are_exceptions_with_exit_code_and_message(call, kind, code, text):
    with pytest.raises(kind, match=text) as caught:
        call()
    assert caught.value.exit_code == code
    assert isinstance(caught.value, tc.TokencycleError)


def test_a_program_that_cannot_start_is_named(monkeypatch):
    monkeypatch.setenv("TOKENCYCLE_PROGRAM", "/nowhere/tokencycle")
    with pytest.raises(tc.TokencycleError, match="/nowhere/tokencycle"):
        tc.version()


def test_an_interrupt_ends_the_program_too():
    timer = threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        tc.run(new_tokens=400, timing_only=True, clock="every-edge")
    assert time.monotonic() - begin < 60


def test_plots_show_the_frames(sweep, result):
    lines = tc.plot.cycles(sweep, "/matrix/rows", by="/matrix/dataflow")
    assert [line.get_label() for line in lines.lines] == ["weight-stationary", "output-stationary"]
    first = sweep.done.query("`/matrix/dataflow` == 'weight-stationary'")
    assert list(lines.lines[0].get_ydata()) == list(first["decode_median_cycles"])
    bars = tc.plot.stack(sweep, ["/matrix/rows", "/matrix/dataflow"], least_percent=0)
    assert sum(bar.get_height() for bar in bars.patches) == sweep.stacks.to_numpy().sum()
    some = tc.plot.stack(result, least_percent=10)
    assert "other" in [text.get_text() for text in some.get_legend().get_texts()]
    assert sum(bar.get_height() for bar in some.patches) == result.cycles
    points = tc.plot.roofline(result, phase="decode").collections[0].get_offsets()
    wanted = result.roofline.points.query("phase == 'decode'").dropna(subset=["intensity"])
    assert sorted(points[:, 1]) == sorted(wanted["operations_per_second"])
    with pytest.raises(KeyError, match="no column 'rows'"):
        tc.plot.cycles(sweep, "rows")


def test_a_front_has_what_nothing_beats():
    frame = pd.DataFrame({"a": [3, 1, 2, 2, 4, 1], "b": [2, 5, 3, 4, 2, 6]})
    assert tc.plot.front(frame, "a", "b")[["a", "b"]].to_numpy().tolist() == [[1, 5], [2, 3], [3, 2]]
    assert tc.plot.pareto(frame, "a", "b").get_xlabel() == "a"


def test_energy_and_area_are_those_of_the_technology(result):
    assert result.energy.empty and result.area.empty
    found = tc.run(new_tokens=1, timing_only=True, technology="7nm")
    for frame, document in ((found.energy, found.document["energy"]["machine"]), (found.area, found.document["area"])):
        assert frame.loc["total", "typical"] == document["total"]["typical"]
        assert frame.drop(index="total")["typical"].sum() == pytest.approx(frame.loc["total", "typical"])
        assert (frame["low"] <= frame["typical"]).all() and (frame["typical"] <= frame["high"]).all()
        assert frame.attrs["units"]["low"] == document["unit"]


PRODUCTS = {"command": "gemm", "M": 16, "N": 64, "K": 64, "timing_only": True, "axes": {
    "/matrix/rows": [16, 32, 64], "/matrix/columns": [16, 32, 64], "/vector/lanes": [8, 16],
    "dataflow": ["ws", "os", "is"]}}
BOTH = ["end_to_end_cycles", "array_cycles"]


@pytest.mark.parametrize("sampler", ["nsga2", "tpe"])
def test_a_search_runs_its_budget_and_ends_with_the_same_points_again(sampler, tmp_path):
    pytest.importorskip("optuna")
    first, again = (tc.search(objectives=BOTH, budget=12, sampler=sampler, folder=tmp_path / name, jobs=jobs,
                              **PRODUCTS) for name, jobs in (("first", 2), ("again", 1)))
    assert len(first.done) == 12
    assert (tmp_path / "first/table.csv").read_bytes() == (tmp_path / "again/table.csv").read_bytes()
    assert set(first.front.index) <= set(first.done.index)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "first/points").iterdir()}
    more = tc.search(objectives=BOTH, budget=15, sampler=sampler, folder=tmp_path / "first", **PRODUCTS)
    assert set(first.done.index) < set(more.done.index)  # what is done is not run again
    assert all(file.stat().st_mtime_ns == time_of for file, time_of in before.items())


def test_a_search_with_a_budget_for_all_finds_the_front_of_the_sweep(tmp_path):
    pytest.importorskip("optuna")
    with pytest.warns(UserWarning, match="failed"):  # weight-stationary arrays of 16 rows lack a group buffer
        everything = tc.sweep(folder=tmp_path / "all", **PRODUCTS)
    found = tc.search(objectives=BOTH, budget=len(everything.table), folder=tmp_path / "search", **PRODUCTS)
    assert len(found.done) == len(everything.done)
    values = {tuple(row) for row in found.front[BOTH].to_numpy().tolist()}
    assert values == {tuple(row) for row in tc.plot.front(everything, *BOTH)[BOTH].to_numpy().tolist()}
    for point, row in found.done.iterrows():  # the same numbers mean the same points
        assert (everything.done.loc[point, BOTH] == row[BOTH]).all()


def test_a_search_as_a_command(tmp_path):
    pytest.importorskip("optuna")
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(tc.plan_of(**PRODUCTS)))

    def command(*more):
        return subprocess.run([sys.executable, "-m", "tokencycle", "search", *more], capture_output=True, text=True,
                              cwd=tmp_path)
    found = command(plan, "--objective", "max:end_to_end_cycles", "--budget", "4", "-o", "found")
    assert found.returncode == 0 and "4 points run" in found.stdout, found.stderr
    assert "4 done, " in printed("sweep", plan, "-o", tmp_path / "found", "--status")
    wrong = command(plan, "--objective", "nothing", "--budget", "4", "-o", "wrong")
    assert wrong.returncode == 2 and "nothing" in wrong.stderr and "array_cycles" in wrong.stderr
    none = command("none.json", "--objective", "array_cycles", "--budget", "4")
    assert none.returncode == 7 and "none.json" in none.stderr
    assert subprocess.run([sys.executable, "-m", "tokencycle", "--version"], capture_output=True, text=True,
                          check=True).stdout == printed("--version")


def test_the_example_runs():
    nbformat, client = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.read(HERE / "example.ipynb", as_version=4)
    client.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    kinds = {kind for cell in notebook.cells for output in cell.get("outputs", []) for kind in output.get("data", {})}
    assert {"image/png", "text/html"} <= kinds
