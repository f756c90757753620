# SPDX-License-Identifier: Apache-2.0
"""`python -m tokencycle search ...` (see optimizer.py); anything else is for the program."""

import sys

from . import optimizer, program

if sys.argv[1:2] == ["search"]:
    sys.exit(optimizer.main(sys.argv[2:]))
program.main()
