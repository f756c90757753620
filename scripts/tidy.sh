#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs clang-tidy with the checks of .clang-tidy over the sources of sim/: scripts/tidy.sh [FILE...]
# Without files: those that are new or changed, themselves or in a header, since they were found clean
# (build/tidy/clean.json). Prints the findings and a summary; exits with 1 if there is a finding.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v clang-tidy-16 >/dev/null || ! command -v clang++-16 >/dev/null; then scripts/setup.sh --tidy; fi
cmake --preset tidy >/dev/null
exec python3 scripts/tidy_units.py build/tidy "$@"
