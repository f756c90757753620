#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs all tests: first with the address and undefined-behaviour sanitizers, then the release build.
# TOKENCYCLE_SKIP_SANITIZE=1 leaves the first part out.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh --tests
jobs=$(nproc)
if [ "${TOKENCYCLE_SKIP_SANITIZE:-0}" != 1 ]; then
  cmake --preset sanitize >/dev/null
  cmake --build --preset sanitize -j "$jobs"
  ctest --preset sanitize -j "$jobs"
fi
cmake --preset release -DTOKENCYCLE_TESTS=ON >/dev/null
cmake --build --preset release -j "$jobs"
ctest --preset release -j "$jobs"
