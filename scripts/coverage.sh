#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Says which lines of sim/ the tests run: scripts/coverage.sh [LEAST per cent, default 90]
# Prints a table by folder and the least covered files; build/coverage/report/index.html shows every line.
# Exits with 1 if a test fails or if less than LEAST of the lines of sim/ run.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

least=${1:-90}
if ! [[ $least =~ ^[0-9]+(\.[0-9]+)?$ ]]; then
  echo "coverage: '$least' is no percentage; usage: scripts/coverage.sh [LEAST]" >&2
  exit 2
fi
scripts/setup.sh --coverage || exit 1
jobs=$(nproc)
build=build/coverage
cmake --preset coverage >/dev/null || exit 1
cmake --build --preset coverage -j "$jobs" || exit 1

# Left out: what runs no line of sim/, and what runs the program only as the tests of cli/ do (READMEs, foreign readers).
left_out='tree|quantizer_vectors|readme|page|consumers_.*'
find "$build" -name '*.gcda' -delete  # counters of earlier runs
failed=0
ctest --preset coverage -j "$jobs" -E "^($left_out)\$" || failed=1

# A process that a signal or _exit ends leaves no counters: handlers of sim/host/interrupt.cpp count too low.
rm -rf "$build/report"
mkdir -p "$build/report"
gcovr -j "$jobs" --root . --filter sim/ --object-directory "$build" --csv "$build/report/files.csv" \
  --html-details "$build/report/index.html" --html-title "tokencycle: lines that the tests run" "$build" || exit 1

# The columns of files.csv: name, lines, lines that ran.
totals() { awk -F, 'NR > 1 && $2 > 0 { split($1, part, "/"); print part[2], $1, $2, $3 }' "$build/report/files.csv"; }
echo
printf '%-10s %8s %8s %9s\n' folder lines run "per cent"
totals | awk '{ lines[$1] += $3; run[$1] += $4 }
  END { for (f in lines) printf "%-10s %8d %8d %9.1f\n", f, lines[f], run[f], 100 * run[f] / lines[f] }' | sort
all=$(totals | awk '{ lines += $3; run += $4 } END { printf "%-10s %8d %8d %9.1f\n", "sim", lines, run, 100 * run / lines }')
echo "$all"
echo
echo "least covered files of ten lines or more (lines, run, per cent)"
totals | awk '$3 >= 10 { printf "%.2f %s %d %d\n", 100 * $4 / $3, $2, $3, $4 }' | sort -n | head -10 |
  awk '{ printf "  %-42s %6d %6d %9.1f\n", $2, $3, $4, $1 }'
echo
echo "report: $build/report/index.html"
if ! awk -v run="${all##* }" -v least="$least" 'BEGIN { exit !(run >= least) }'; then
  echo "coverage: ${all##* } % of the lines of sim/ ran, less than $least %" >&2
  failed=1
fi
exit $failed
