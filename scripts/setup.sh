#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the build and the tests need and is not there yet (Debian 12 packages).
set -euo pipefail

build_packages=(g++ cmake ninja-build pkg-config libsystemc-dev nlohmann-json3-dev libfmt-dev libxxhash-dev
  libpcre2-dev zlib1g-dev libprotozero-dev libboost-dev libboost-program-options-dev libboost-iostreams-dev python3
  verilator)  # has the sources of the FST library; the tests also run it
test_packages=(catch2 clang-format-14 python3-numpy yosys)

packages=("${build_packages[@]}")
if [ "${1:-}" = "--tests" ]; then packages+=("${test_packages[@]}"); fi

missing=()
for package in "${packages[@]}"; do
  if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed'; then
    missing+=("$package")
  fi
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

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
