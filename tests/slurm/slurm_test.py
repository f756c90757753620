#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does a sweep on a cluster end with the table of one that ran here?

Starts a cluster of one node (cluster.py) and submits a plan of 60 points, of which some fail. Of its tasks some are
cancelled and some are requeued, the node's daemon is killed once, and what is missing is submitted again. Exits with
77 (skipped) where Slurm is not installed or the user is not root.
"""

import argparse
import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile

import cluster

MOST_TASKS = 24  # of an array on this cluster: the 45 points that can be run are two
FAILURES = []
PLAN = {
    "schema": "tokencycle-sweep-1", "command": "run",
    "options": {"config": "edge", "timing-only": True, "prompt-tokens": 4, "new-tokens": 4, "context": 64},
    "set": {"/matrix/group_buffer_rows": 64},
    "axes": [{"axis": ["/matrix/rows", "/matrix/columns"], "values": [[16, 16], [32, 32], [64, 64], [32, 0]]},
             {"axis": "/vector/lanes", "values": [8, 16, 32]},
             {"axis": "/scratchpad/capacity_kib", "values": [256, 320, 384, 448, 512]}],
}


def expect(holds, what):
    """Notes what does not hold."""
    if not holds:
        FAILURES.append(what)


class Sweep:
    """The plan in a folder, run by the program with the cluster's environment."""

    def __init__(self, binary, scratch, environment):
        self.binary, self.scratch, self.environment = binary, scratch, environment
        self.plan = scratch / "plan with a space.json"
        self.plan.write_text(json.dumps(PLAN))

    def __call__(self, folder, *arguments, code=0):
        result = subprocess.run([self.binary, "sweep", self.plan, "-o", self.scratch / folder, *arguments],
                                capture_output=True, text=True, env=self.environment, stdin=subprocess.DEVNULL)
        if result.returncode != code:
            raise RuntimeError(f"sweep {arguments}: exit code {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout + result.stderr

    def tables(self, folder):
        """Both tables' bytes."""
        return [(self.scratch / folder / name).read_bytes() for name in ("table.csv", "table.json")]

    def done(self, folder):
        """How many points have a result."""
        return len(list((self.scratch / folder / "points").glob("[0-9]*.json")))


def check_disturbed(c, sweep, seed):
    """Arrays, of which tasks are cancelled and requeued while the node's daemon dies."""
    chance = random.Random(seed)
    said = sweep("cluster", "--slurm", "--sbatch=--time=0:10:00", "--sbatch=--nice=5")
    jobs = re.search(r"submitted (\d+) points as \1 tasks: jobs (.*)", said)
    expect(jobs and len(jobs[2].split(", ")) == 2, f"submission: two arrays of at most {MOST_TASKS} tasks: {said}")
    expect("10:00" in c.output("squeue", "-h", "-r", "-o", "%l"), "sbatch's own options reach the job")
    said = sweep("cluster", "--slurm", "--resume")
    expect("nothing is submitted" in said, f"what waits is not submitted twice: {said}")

    c.until("tasks run", lambda: c.tasks("running"))
    waiting = c.tasks("pending")
    for array, task in chance.sample(waiting, min(10, len(waiting))):
        c.output("scancel", f"{array}_{task}")
    for array, task in c.tasks("running"):
        c.output("scontrol", "requeue", f"{array}_{task}", check=False)  # it may have ended in between
    c.until("some points are done", lambda: sweep.done("cluster") >= 8)
    for array, task in c.tasks("running")[:2]:
        c.output("scancel", f"{array}_{task}", check=False)
    c.until("the cancelled tasks have ended", lambda: not c.tasks("completing"))
    c.kill_node()
    said = sweep("cluster", "--status")
    expect("wait or run" in said, f"status while the node is away: {said}")
    sweep("cluster", "--collect", "--quiet")
    part = json.loads(sweep.tables("cluster")[1])["points"]
    expect(any(p["state"] == "open" for p in part), "a table of a part has open points")
    c.start_node()
    requeued = [line.split()[0] for line in c.output("squeue", "-h", "-r", "-o", "%F_%K %r").splitlines()
                if line.endswith("BeginTime")]
    expect(requeued, "tasks wait after their requeue")
    for task in requeued:  # for two minutes; not here
        c.output("scontrol", "update", f"JobId={task}", "StartTime=now")
    c.until("the queue is empty", lambda: not c.tasks())
    said = sweep("cluster", "--status")
    expect(re.search(r"[1-9]\d* open", said), f"cancelled tasks leave points open: {said}")

    said = sweep("cluster", "--slurm", "--resume", "--chunk", "4")
    expect("submitted" in said, f"what is missing is submitted again: {said}")
    c.until("the queue is empty", lambda: not c.tasks())
    expect(" 0 open" in sweep("cluster", "--status"), "a second submission ends the sweep")
    sweep("cluster", "--collect", "--quiet")


def check_chunks(c, sweep):
    """Several points per task, several at a time in each; a cancelled task keeps what it has done."""
    said = sweep("chunks", "--slurm", "--chunk", "15", "--sbatch=--cpus-per-task=2")
    expect("as 3 tasks" in said, f"tasks of 15 points: {said}")
    c.until("some points are done", lambda: sweep.done("chunks") >= 3)
    array, task = c.tasks("running")[0]
    c.output("scancel", f"{array}_{task}")
    c.until("the queue is empty", lambda: not c.tasks())
    said = sweep("chunks", "--status")
    expect(re.search(r"[1-9]\d* open", said), f"a cancelled task leaves points open: {said}")
    expect(sweep.done("chunks") >= 3, "a cancelled task keeps its results")
    left = [p.name for p in (sweep.scratch / "chunks" / "points").glob(".*")]
    expect(not left, f"a cancelled task leaves nothing else: {left}")
    sweep("chunks", "--slurm", "--resume", "--chunk", "7")
    c.until("the queue is empty", lambda: not c.tasks())
    sweep("chunks", "--collect", "--quiet")


def check_refusals(sweep):
    """What sbatch says reaches the user."""
    said = sweep("refused", "--slurm", "--sbatch=--partition=none", code=7)
    expect("invalid partition" in said, f"sbatch's reason: {said}")
    said = sweep("refused", "--slurm", "--resume", "--sbatch=--array=1-2", code=2)
    expect("--chunk" in said, f"an option that the sweep sets itself: {said}")


def main():
    """Runs all parts on one cluster."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1, help="chooses the tasks that are cancelled")
    arguments = parser.parse_args()
    reason = cluster.missing()
    if reason:
        print(f"skipped: {reason}")
        return 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # the daemons end, too
    with tempfile.TemporaryDirectory(prefix="tokencycle_slurm_") as name:
        scratch = pathlib.Path(name).resolve()
        with cluster.Cluster(scratch / "daemons", MOST_TASKS) as c:
            sweep = Sweep(arguments.binary.resolve(), scratch, c.environment)
            sweep("here", "--quiet")
            points = json.loads(sweep.tables("here")[1])["points"]
            expect(len(points) == 60 and {p["state"] for p in points} == {"done", "failed"},
                   f"the plan has 60 points, and some fail: {len(points)}")
            check_refusals(sweep)
            check_disturbed(c, sweep, arguments.seed)
            expect(sweep.tables("cluster") == sweep.tables("here"), "the cluster's tables are those from here")
            check_chunks(c, sweep)
            expect(sweep.tables("chunks") == sweep.tables("here"), "the tables of chunks are those from here")
    for failure in FAILURES:
        print(failure)
    print(f"60 points, {len(FAILURES)} failures")
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
