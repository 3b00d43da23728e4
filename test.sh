#!/usr/bin/env bash
# Set everything up and run the tests.
#   bash test.sh         everything: linters, types, all tests, in a real browser too
#   bash test.sh unit    the quick part, under a minute once set up
#   bash test.sh FILE…   pytest with these arguments
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ./setup.sh

setup_python requirements/starter.txt requirements/dev.txt
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

case "${1:-all}" in
  unit)
    lint
    unit
    ;;
  all)
    setup_system
    export OFFSCRIBE_HOME="${OFFSCRIBE_HOME:-$PWD}"
    setup_models
    lint
    node --test tests/web/*.test.mjs
    "$bin/python" -m pytest -q tests
    ;;
  *)
    exec "$bin/python" -m pytest "$@"
    ;;
esac
