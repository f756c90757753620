#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One row of SCALE-Sim's COMPUTE_REPORT implies three lengths of the same layer. For an 8 x 8 x 8 product on an 8 x 8
# weight-stationary array, which takes M + 2R + C - 2 = 30 cycles, "Total Cycles" is 29 (the index of the last cycle),
# "Overall Util %" is 512 / (64 x 29), and "Compute Util %" is 512 / (64 x 37): computing alone is used less than everything
# together. On an output-stationary array the three are 21, 21 and 22. Seen with scalesim 3.0.0 and numpy 2.2.6 (with
# numpy 2.4.0 the same run ends with a TypeError, and scalesim's own requirements allow it).
source "$(dirname "$0")/support/steps.sh"
python_packages scalesim==3.0.0 numpy==2.2.6 pandas==2.2.3
printf 'Layer, M, N, K,\nproduct, 8, 8, 8,\n' >gemm.csv
lengths() {
  cat >machine.cfg <<CFG
[general]
run_name = run
[architecture_presets]
ArrayHeight: 8
ArrayWidth: 8
IfmapSramSzkB: 64
FilterSramSzkB: 64
OfmapSramSzkB: 64
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Bandwidth: 100
Dataflow: $1
MemoryBanks: 1
ReadRequestBuffer: 32
WriteRequestBuffer: 32
[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 10
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 10
FilterSRAMBankPort: 2
[sparsity]
SparsitySupport: false
SparseRep: ellpack_block
OptimizedMapping: false
BlockSize: 8
RandomNumberGeneratorSeed: 40
[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
CFG
  python3 -m scalesim.scale -c machine.cfg -t gemm.csv -l gemm.csv -i gemm -p "$1" >"$1.log" 2>&1
  python3 - "$1/run/COMPUTE_REPORT.csv" <<'CODE'
import csv, sys
row = {name.strip(): value for name, value in list(csv.DictReader(open(sys.argv[1])))[0].items()}
implied = [round(8 * 8 * 8 / 64 / float(row[name]) * 100) for name in ("Overall Util %", "Compute Util %")]
print(int(float(row["Total Cycles"])), *implied)
CODE
}
expect "weight-stationary: total cycles, cycles of overall and of compute utilization" "$(lengths ws)" "29 29 37"
expect "output-stationary: the same three" "$(lengths os)" "21 21 22"
