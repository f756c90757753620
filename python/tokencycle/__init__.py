# SPDX-License-Identifier: Apache-2.0
"""A cycle-accurate simulator of an accelerator for language models.

    import tokencycle as tc
    sweep = tc.sweep(axes={("/matrix/rows", "/matrix/columns"): [(32, 32), (64, 64)]}, timing_only=True)
    tc.plot.cycles(sweep, "/matrix/rows")

Functions start the program as a process and return objects with pandas frames; nothing is computed in Python that
the program computes.
"""

from . import errors, plot
from .commands import compare, dram, gemm, plan_of, run, sweep, version
from .errors import TokencycleError
from .optimizer import Search, search
from .results import Comparison, Dram, Gemm, Result, Roofline, Sweep, read

__all__ = ["Comparison", "Dram", "Gemm", "Result", "Roofline", "Search", "Sweep", "TokencycleError", "compare",
           "dram", "errors", "gemm", "plan_of", "plot", "read", "run", "search", "sweep", "version"]
