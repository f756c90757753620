#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Searches inputs that break a reader: scripts/fuzz.sh [SECONDS a target, default 60] [TARGET...]
# Corpora stay in build/fuzz/corpus, findings in build/fuzz/findings. Exits with 1 if there is a finding.
set -uo pipefail
cd "$(dirname "$0")/.."

seconds=60
if [[ "${1:-}" =~ ^[0-9]+$ ]]; then seconds=$1; shift; fi
targets=("$@")
command -v clang++-16 >/dev/null || scripts/setup.sh --fuzz || exit 1
cmake --preset fuzz >/dev/null || exit 1
cmake --build --preset fuzz || exit 1
build=build/fuzz
known=()
for program in "$build"/fuzz_*; do
  name=${program#"$build"/fuzz_}
  [ "$name" = seeds ] || [ "$name" = replay ] || known+=("$name")
done
[ ${#targets[@]} -gt 0 ] || targets=("${known[@]}")
"$build/fuzz_seeds" "$build/seeds" || exit 1

# The longest input of each: past the readers' own limits on what is cheap to make.
longest() {
  case $1 in
    gguf) echo 65536 ;;
    configuration) echo 131072 ;;
    *) echo 32768 ;;
  esac
}

# The value of "stat::NAME: VALUE" in a log.
statistic() { sed -n "s/^stat::$2: *//p" "$1" | tail -1; }

mkdir -p "$build/findings"
table=()
failed=0
for target in "${targets[@]}"; do
  if [ ! -x "$build/fuzz_$target" ]; then
    echo "fuzz: there is no target '$target'; there are: ${known[*]}" >&2
    exit 2
  fi
  corpus=$build/corpus/$target
  log=$build/$target.log
  mkdir -p "$corpus"
  found=tests/fuzz/found/$target
  [ -d "$found" ] || found=
  "$build/fuzz_$target" "$corpus" "$build/seeds/$target" ${found:+"$found"} -dict="tests/fuzz/$target.dict" \
    -max_total_time="$seconds" -max_len="$(longest "$target")" -timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=512 \
    -artifact_prefix="$build/findings/$target-" -print_final_stats=1 -use_value_profile=1 >"$log" 2>&1
  status=$?
  result="nothing found"
  if [ $status -ne 0 ]; then
    failed=1
    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -1)
    result="FINDING: $build/fuzz_$target ${input:-(see $log)}"
    grep -m3 -e 'ERROR: ' -e 'runtime error' -e 'what():' "$log" >&2
  fi
  table+=("$(printf '%-14s %12s %8s %8s %9s  %s' "$target" "$(statistic "$log" number_of_executed_units)" \
    "$(statistic "$log" average_exec_per_sec)" "$(find "$corpus" -type f | wc -l)" \
    "$(statistic "$log" peak_rss_mb)" "$result")")
done
printf '%-14s %12s %8s %8s %9s  %s\n' target inputs "per s" corpus "peak MiB" result
printf '%s\n' "${table[@]}"
exit $failed
