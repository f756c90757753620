# SPDX-License-Identifier: Apache-2.0
"""What the program refuses, as exceptions: one class per exit code."""

from __future__ import annotations

from typing import Sequence


class TokencycleError(RuntimeError):
    """The program ended with an error.

    Attributes:
        exit_code: of the program (0 where it could not be started).
        message: what it printed, without its name.
        command: its arguments.
    """

    def __init__(self, message: str, exit_code: int = 0, command: Sequence[str] = ()):
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.command = list(command)


class UsageError(TokencycleError):
    """Exit code 2: an option that is unknown or has a value that is not allowed."""


class ConfigurationError(TokencycleError):
    """Exit code 3: a machine's or memory's description, or a plan, is wrong."""


class ModelError(TokencycleError):
    """Exit code 4: a model cannot be read or is not supported."""


class ProgramError(TokencycleError):
    """Exit code 5: a program for the machine is wrong."""


class SimulationError(TokencycleError):
    """Exit code 6: the simulation cannot go on."""


class InputOutputError(TokencycleError):
    """Exit code 7: a file is not there, or cannot be read or written."""


class CheckError(TokencycleError):
    """Exit code 8: a result differs from the reference."""


BY_EXIT_CODE = {2: UsageError, 3: ConfigurationError, 4: ModelError, 5: ProgramError, 6: SimulationError,
                7: InputOutputError, 8: CheckError}
