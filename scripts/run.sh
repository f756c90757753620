#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds tokencycle if needed and runs it. Without arguments: the main job, a model that writes text on the
# edge machine. With arguments: `tokencycle ARGUMENTS`.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
if [ ! -f build/release/build.ninja ]; then cmake --preset release -DTOKENCYCLE_TESTS=OFF >/dev/null; fi
# Quiet when it goes well, everything when it does not.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
jobs=$(nproc)
if [ ! -x build/release/tokencycle ]; then
  # Measured: 200 s of processor time at most; the last sources keep one processor busy.
  echo "building tokencycle: some $((30 + 200 / jobs)) seconds with $jobs idle processors" >&2
fi
if ! cmake --build --preset release --target tokencycle -j "$jobs" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi

if [ $# -gt 0 ]; then exec build/release/tokencycle "$@"; fi

exec build/release/tokencycle run -c edge -n 64 --temperature 0.8 --seed 4 \
  -p '"My dear Mr. Bennet," said his lady to him one day,'
