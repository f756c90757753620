#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the build and the tests need and is not there yet: Debian 12 packages, a few npm packages in build/npm,
# and for the tests a real model in build/models.
#   scripts/setup.sh [--tests | --fuzz | --tidy | --coverage]
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(g++ cmake ninja-build pkg-config libsystemc-dev nlohmann-json3-dev libfmt-dev libxxhash-dev
  libpcre2-dev libmuparser-dev zlib1g-dev libprotozero-dev libcereal-dev libboost-dev libboost-program-options-dev libboost-iostreams-dev python3
  verilator  # has the sources of the FST library; the tests also run it
  openssl)   # checks the digests of npm packages
test_packages=(catch2 clang-format-14 git gtkwave python3-numpy python3-pip python3-pyte yosys)
# Programs that may have come from elsewhere.
if ! command -v npm >/dev/null; then build_packages+=(nodejs npm); fi
if ! command -v chromium >/dev/null; then test_packages+=(chromium); fi

packages=("${build_packages[@]}")
if [ "${1:-}" = "--tests" ]; then packages+=("${test_packages[@]}"); fi
if [ "${1:-}" = "--fuzz" ]; then packages+=(clang-16 libclang-rt-16-dev); fi  # for scripts/fuzz.sh
if [ "${1:-}" = "--tidy" ]; then packages+=(clang-16 clang-tidy-16); fi  # for scripts/tidy.sh
if [ "${1:-}" = "--coverage" ]; then packages+=(gcovr "${test_packages[@]}"); fi  # for scripts/coverage.sh

missing=()
for package in "${packages[@]}"; do
  if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed'; then
    missing+=("$package")
  fi
done
if [ ${#missing[@]} -ne 0 ]; then
  echo "installing: ${missing[*]}" >&2
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "setup: these packages are missing and only root can install them: ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo)
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq >&2
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi

# Everything but HTML reports works without these.
if ! scripts/npm_packages.sh "$@"; then
  echo "setup: npm packages could not be fetched; without them reports are refused and some tests are skipped" >&2
fi
if [ "${1:-}" = "--tests" ] && ! scripts/fetch_models.sh; then
  echo "setup: a model could not be fetched; the tests that use it are skipped" >&2
fi
