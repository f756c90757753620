#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints how many cells of each type Yosys makes of the integer arrays: array_area.sh [SIZE ...], 4 and 8 by
# default. Generic gates, flattened, without a cell library.
set -eu
cd "$(dirname "$0")"
if ! command -v yosys > /dev/null; then
  echo "array_area.sh: yosys is not installed; install it (apt install yosys)" >&2
  exit 1
fi
[ $# -gt 0 ] || set -- 4 8
for design in ws os; do
  sources="array_cell_$design.sv array_$design.sv"
  if [ "$design" = os ]; then sources="array_bus.sv $sources"; fi
  for size in "$@"; do
    echo "array_$design $size x $size"
    yosys -q -p "
      read_verilog -sv $sources
      chparam -set ROWS $size -set COLUMNS $size array_$design
      hierarchy -check -top array_$design
      synth -flatten
      tee -o /dev/stdout stat" | grep -E 'Number of cells|\$_' | sort -u
  done
done
