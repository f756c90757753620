#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the Python package work where it is installed?

Makes the wheel with pip, from the program that a build folder has (TOKENCYCLE_BUILT: nothing is compiled), installs it
into a new virtual environment, and runs test_package.py and the example notebook there. Exits with 77 (skipped) where
pip is missing or cannot fetch a package.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "20"]
NOT_FETCHED = ("No matching distribution", "ConnectionError", "Connection refused", "Could not fetch",
               "Temporary failure in name resolution", "Max retries exceeded", "timed out", "No module named pip")


class Skipped(Exception):
    """What is missing."""


def run(*command, **options):
    """Runs a command; its output is shown where it fails."""
    result = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            **options)
    if result.returncode != 0:
        if command[0] == sys.executable and any(text in result.stdout for text in NOT_FETCHED):
            raise Skipped("pip or a package from its index is not there: " + result.stdout.strip().splitlines()[-1])
        sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}\n{result.stdout}")


def main():
    """Wheel, environment, tests."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    build = parser.parse_args().build.resolve()
    with tempfile.TemporaryDirectory(prefix="tokencycle_wheel_") as name:
        scratch = pathlib.Path(name).resolve()
        run(*PIP, "wheel", ROOT, "--no-deps", "-w", scratch, "-C", f"build-dir={scratch / 'build'}",
            "-C", f"cmake.define.TOKENCYCLE_BUILT={build}")
        (wheel,) = scratch.glob("*.whl")
        run(sys.executable, "-m", "venv", "--without-pip", scratch / "environment")
        python = scratch / "environment" / "bin" / "python"
        run(*PIP, "--python", python, "install", "--prefer-binary", "pytest", f"{wheel}[notebook,search]")
        # Nothing of this tree: neither its package nor its program, machines and model.
        clean = {k: v for k, v in os.environ.items()
                 if not k.startswith(("TOKENCYCLE_", "PYTHON", "MPL", "LD_LIBRARY_PATH"))}
        clean.update(MPLCONFIGDIR=str(scratch / "matplotlib"), PYTHONDONTWRITEBYTECODE="1",
                     IPYTHONDIR=str(scratch / "ipython"))
        for file in ("tests/python/test_package.py", "python/example.ipynb", "traces/dram/sample.trace"):
            (scratch / pathlib.Path(file).name).write_bytes((ROOT / file).read_bytes())
        run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_package.py", cwd=scratch, env=clean)
    print("wheel, functions, plots and notebook work in a new environment")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Skipped as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
