#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands that the READMEs show, and fails if one of them does.

Every fenced block marked `sh` is a script; if lines in it begin with `$ `, those are its commands and the rest is
their output. A block marked `sh no-run` is left out. The blocks of one README run in order in one scratch folder
that looks like the root of the repository, so what they write stays out of the tree. `tokencycle` is on the PATH.
"""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^\s*(```+|~~~+)\s*(.*?)\s*$")
SHOWN_LINES = 20  # of a failed block's output


def blocks(text):
    """Yields (line number, info string, lines) of each fenced block."""
    mark, info, first, lines = None, "", 0, []
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if mark is None and fence:
            mark, info, first, lines = fence[1], fence[2], number + 1, []
        elif mark is not None and fence and fence[1].startswith(mark) and not fence[2]:
            yield first, info, lines
            mark = None
        elif mark is not None:
            lines.append(line)


def script_of(lines):
    """The commands of a block as one text."""
    if not any(line.lstrip().startswith("$ ") for line in lines):
        return "\n".join(lines)
    commands, goes_on = [], False
    for line in lines:
        if goes_on:
            commands.append(line)
        elif line.lstrip().startswith("$ "):
            commands.append(line.lstrip()[2:])
        else:
            continue
        goes_on = line.endswith("\\")
    return "\n".join(commands)


def lay_out(scratch, binary):
    """Makes `scratch` look like the repository with the program built."""
    for entry in ROOT.iterdir():
        if entry.name not in (".git", "build", "scripts"):
            (scratch / entry.name).symlink_to(entry)
    (scratch / "build/release").mkdir(parents=True)
    (scratch / "build/release/tokencycle").symlink_to(binary)
    (scratch / "scripts").mkdir()
    for entry in (ROOT / "scripts").iterdir():
        place = scratch / "scripts" / entry.name
        if entry.suffix == ".sh":  # they go to the folder that they lie in: call them by their own path
            place.write_text(f'#!/bin/sh\nexec "{entry}" "$@"\n', encoding="utf-8")
            place.chmod(0o755)
        else:
            place.symlink_to(entry)


def run(script, folder, binary, limit):
    """Returns (exit status or a reason, output)."""
    environment = dict(os.environ, TOKENCYCLE_HOME=str(ROOT), PATH=f"{binary.parent}:{os.environ['PATH']}")
    command = ["bash", "-e", "-u", "-o", "pipefail", "-c", script]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=limit)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # with what it started
        output, _ = process.communicate()
        return f"no end after {limit:g} s", output


def check(readme, binary, limit):
    """Runs one README's blocks; returns (run, left out, failed)."""
    counts = [0, 0, 0]
    name = readme.relative_to(ROOT) if readme.is_relative_to(ROOT) else readme
    with tempfile.TemporaryDirectory(prefix="tokencycle_readme_") as folder:
        scratch = pathlib.Path(folder)
        lay_out(scratch, binary)
        for line, info, lines in blocks(readme.read_text(encoding="utf-8")):
            words = info.split()
            if not words or words[0] != "sh":
                continue
            if "no-run" in words:
                counts[1] += 1
                continue
            begin = time.monotonic()
            status, output = run(script_of(lines), scratch, binary, limit)
            counts[0] += 1
            if status == 0:
                print(f"{name}:{line}: ok ({time.monotonic() - begin:.1f} s)")
                continue
            counts[2] += 1
            reason = f"exit status {status}" if isinstance(status, int) else status
            print(f"{name}:{line}: FAILED: {reason}; the end of its output:")
            for shown in output.decode("utf-8", "replace").splitlines()[-SHOWN_LINES:]:
                print(f"    {shown}")
    return counts


def main():
    """Checks all READMEs, or those named; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readme", nargs="*", type=pathlib.Path, help="default: every README.md of the repository")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/tokencycle",
                        help="the program; default build/release/tokencycle")
    parser.add_argument("--timeout", type=float, default=600, help="seconds a block may take; default 600")
    options = parser.parse_args()
    binary = options.binary.resolve()
    if not binary.is_file():
        parser.error(f"{options.binary} is not there: build the program first, or name it with --binary")
    readmes = [r.resolve() for r in options.readme] or sorted(
        r for r in ROOT.rglob("README.md") if r.relative_to(ROOT).parts[0] not in ("build", ".git"))
    totals = [sum(column) for column in zip(*(check(r, binary, options.timeout) for r in readmes))] or [0, 0, 0]
    print(f"{len(readmes)} READMEs: {totals[0]} blocks run, {totals[1]} left out, {totals[2]} failed")
    return 1 if totals[2] else 0


if __name__ == "__main__":
    sys.exit(main())
