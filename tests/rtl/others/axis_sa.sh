#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Cycles of another project's array beside ours: axis_sa of https://github.com/abarajithan11/axis-systolic-array, an
# output-stationary array in SystemVerilog, under Verilator.
#
#   tests/rtl/others/axis_sa.sh CHECKOUT [TOKENCYCLE]
#
# Fetches nothing: CHECKOUT is a clone of that repository (commit 44bbe4ff118f was measured). Its modules are
# copied to a scratch folder, where three declarations get Verilator's split_var, which 5.006 needs for vectors that
# are partly registers; nothing else changes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '3,10s/^# \?//p' "$0" >&2; exit 2; }
rtl=$1/rtl/sa
tokencycle=${2:-$here/../../../build/release/tokencycle}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$rtl"/{axis_sa,mac,n_delay,pe,tri_buffer}.sv "$work"
cd "$work"
split='/*verilator split_var*/'
sed -i "s|logic \[D-1:0\] r_valid, r_last, |logic [D-1:0] r_last $split;\n  logic [D-1:0] r_valid, |" axis_sa.sv
sed -i "s|\[((N+1)\*W)-1:0\] data;|[((N+1)*W)-1:0] data $split;|" n_delay.sv
sed -i "s|\[W-1:0\] buffer;|[W-1:0] buffer $split;|" tri_buffer.sv
printf '%-8s %-18s %10s %10s %11s\n' array product axis_sa ours difference
for size in 8 16; do
  verilator --cc --exe --build -O3 --top-module axis_sa -GR=$size -GC=$size -GWX=8 -GWK=8 -GWY=32 -GLM=1 -GLA=1 \
    -Wno-fatal -Wno-lint --Mdir "obj$size" axis_sa.sv mac.sv n_delay.sv pe.sv tri_buffer.sv \
    "$here/axis_sa_bench.cpp" -o bench >"log$size" 2>&1 || { cat "log$size" >&2; exit 1; }
  for product in "8 8 8" "16 16 64" "64 64 64" "100 70 96" "32 32 256" "1000 700 300"; do
    read -r m n k <<<"$product"
    theirs=$("obj$size/bench" $size $size "$m" "$n" "$k")
    ours=$("$tokencycle" gemm -c edge --set /matrix/rows=$size --set /matrix/columns=$size -M "$m" -N "$n" -K "$k" \
      --dtype int8 --dataflow os --array-alone --json |
      python3 -c 'import json, sys; print(json.load(sys.stdin)["layers"][0]["array_alone"]["cycles"])')
    printf '%-8s %-18s %10d %10d %+11d\n' "${size}x$size" "$m x $n x $k" "$theirs" "$ours" $((theirs - ours))
  done
done
