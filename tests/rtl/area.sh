#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the cells that Yosys makes of the pipeline for a small machine and for the defaults of
# configs/README.md: two-input gates, multiplexers and flip-flops; the instruction buffer is a memory. Some
# minutes. README.md has the figures.
set -eu
cd "$(dirname "$0")"
sources="fields.sv local_range.sv dram_range.sv operands.sv loops.sv fetch.sv scoreboard_entry.sv scoreboard.sv
  dispatch.sv writeback.sv decode.sv pipeline.sv"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# area NAME ENTRIES BUFFER_WORDS BURST_WORDS REQUESTS
area() {
  printf '%s: %s scoreboard entries, buffer of %s words, bursts of %s, %s requests a cycle\n' "$@"
  yosys -q -l "$log" -p "
    read_verilog -sv isa_pkg.sv
    read_verilog -sv $(echo $sources)
    hierarchy -check -top pipeline -chparam ENTRIES $2 -chparam BUFFER_WORDS $3 -chparam BURST_WORDS $4 \
      -chparam REQUESTS $5
    proc
    check -assert
    opt
    memory -nomap
    opt
    techmap
    opt -fast
    abc -fast -g AND,OR,XOR,MUX
    opt_clean
    stat" > /dev/null
  # The totals stand behind the design's hierarchy, or behind its only module.
  awk '/^[0-9.]+ Printing statistics|^End of script/ { printing = /Printing/ }
       printing && /=== design hierarchy ===/ { total = 1 }
       total && /Number of cells:/ { print "  cells " $NF; counting = 1; next }
       counting && /^ +\$/ { name = $1; gsub(/[$_]/, "", name)
         if (name ~ /DFF/) flops += $2
         else if (name ~ /^(AND|OR|XOR|NOT|MUX)$/) print "  " tolower(name) " " $2 }
       END { print "  flip-flops " flops }' "$log"
}

area small 8 16 1 1
area default 32 64 2 1
