# SPDX-License-Identifier: Apache-2.0
"""Finds the program and runs it as a process."""

from __future__ import annotations

import json
import logging
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import Any, Iterable, Mapping, Sequence

from .errors import BY_EXIT_CODE, TokencycleError

_LOG = logging.getLogger("tokencycle")
_INTERRUPTED = 130
_HERE = pathlib.Path(__file__).resolve().parent


def path() -> pathlib.Path:
    """The program that the functions of this package start.

    The variable TOKENCYCLE_PROGRAM, else the one of this package, else that of the source tree around it, else
    the first on the PATH.
    """
    named = os.environ.get("TOKENCYCLE_PROGRAM")
    if named:
        return pathlib.Path(named)
    for place in (_HERE / "tree/bin/tokencycle", _HERE.parents[1] / "build/release/tokencycle"):
        if place.is_file():
            return place
    found = shutil.which("tokencycle")
    if found:
        return pathlib.Path(found)
    raise TokencycleError("the program tokencycle is not there; install the package with pip, or set "
                          "TOKENCYCLE_PROGRAM to its path")


def main() -> None:
    """The program itself, as the command `tokencycle`."""
    program = str(path())
    os.execv(program, [program, *sys.argv[1:]])


def arguments_of(options: Mapping[str, Any]) -> list[str]:
    """Options as the program takes them.

    `new_tokens=8` is `--new-tokens=8`, True an option without a value, None and False none, a list one option
    per entry, and a dictionary `--NAME=KEY=VALUE` per entry, as `set` takes them.
    """
    arguments = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            arguments.append(option)
        elif isinstance(value, Mapping):
            arguments += [f"{option}={key}={_text(v)}" for key, v in value.items()]
        elif isinstance(value, Iterable) and not isinstance(value, (str, bytes, os.PathLike)):
            arguments += [f"{option}={_text(v)}" for v in value]
        else:
            arguments.append(f"{option}={_text(value)}")
    return arguments


def _text(value: Any) -> str:
    """A value as the command line has it; booleans as JSON has them."""
    value = plain(value)
    return json.dumps(value) if isinstance(value, (bool, list, dict)) or value is None else str(value)


def plain(value: Any) -> Any:
    """The same without types of numpy and pathlib, as JSON takes it."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # numpy
        return plain(value.tolist())
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [plain(v) for v in value]
    return value


def call(arguments: Sequence[str], progress: bool = False) -> str:
    """Runs the program with these arguments; returns its standard output.

    Its standard error goes to the logger `tokencycle`, and with `progress` to sys.stderr line by line.

    Raises:
        TokencycleError: of the class of its exit code (errors.py).
        KeyboardInterrupt: it was interrupted.
    """
    command = [str(path()), *map(str, arguments)]
    errors = []
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE,
                                       encoding="utf-8", errors="replace")
        except OSError as error:
            raise TokencycleError(f"{command[0]}: cannot be started: {error.strerror}", command=command) from error
        with process:
            assert process.stderr is not None
            try:
                for line in process.stderr:
                    errors.append(line.rstrip("\n"))
                    _LOG.info(errors[-1])
                    if progress:
                        print(errors[-1], file=sys.stderr)
                process.wait()
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)  # it ends in order, and what is finished stays
                process.wait()
                raise
        output.seek(0)
        text = output.read().decode("utf-8", errors="replace")
    if process.returncode == 0:
        return text
    if process.returncode == _INTERRUPTED:
        raise KeyboardInterrupt
    message = "\n".join(errors).replace("tokencycle: ", "") or f"it ended with code {process.returncode}"
    raise BY_EXIT_CODE.get(process.returncode, TokencycleError)(message, process.returncode, command)
