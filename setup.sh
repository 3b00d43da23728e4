# Shared by start.sh and test.sh; source it from the checkout. Each step leaves a stamp and does
# nothing when its inputs have not changed, so that a second run is fast and needs no network.

OFFSCRIBE_VENV="${OFFSCRIBE_VENV:-$PWD/.venv}"

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "error: $1"
  [ $# -lt 2 ] || say "  $2"
  exit 1
}

# The first Python that is 3.11 or newer.
find_python() {
  local candidate
  for candidate in "${OFFSCRIBE_PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.14; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer was not found" "Install it, or name it: OFFSCRIBE_PYTHON=/path/to/python3 bash start.sh"
}

# fingerprint FILE…: one hash of their contents
fingerprint() {
  "$OFFSCRIBE_VENV/bin/python" - "$@" <<'PY'
import hashlib, pathlib, sys
digest = hashlib.sha256(sys.version.encode())
for name in sys.argv[1:]:
    digest.update(pathlib.Path(name).read_bytes())
print(digest.hexdigest())
PY
}

# done_before NAME FINGERPRINT
done_before() { [ "$(cat "$OFFSCRIBE_VENV/.done-$1" 2>/dev/null)" = "$2" ]; }
mark_done() { printf '%s\n' "$2" >"$OFFSCRIBE_VENV/.done-$1"; }

# setup_python REQUIREMENTS…: the virtual environment with exactly these hashed packages
setup_python() {
  if ! [ -x "$OFFSCRIBE_VENV/bin/python" ]; then
    local python
    python="$(find_python)"
    say "making the Python environment .venv"
    if ! "$python" -m venv "$OFFSCRIBE_VENV" 2>/dev/null; then
      rm -rf "$OFFSCRIBE_VENV"
      fail "$python cannot make a virtual environment" "On Debian or Ubuntu: apt-get install python3-venv"
    fi
  fi
  local file mark name
  for file in "$@"; do
    name="$(basename "$file" .txt)"
    mark="$(fingerprint "$file")"
    done_before "$name" "$mark" && continue
    say "installing Python packages ($name)"
    pip_install --require-hashes -r "$file"
    mark_done "$name" "$mark"
  done
}

pip_install() {
  "$OFFSCRIBE_VENV/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2 ||
    fail "the packages could not be installed" "This needs the network once. Behind a mirror, set it in pip's configuration and try again."
}

# setup_package: Offscribe itself, with the page's libraries
setup_package() {
  local mark
  mark="$(fingerprint pyproject.toml hatch_build.py package.json package-lock.json)"
  done_before package "$mark" && [ -f src/offscribe/web/lib/LIBRARIES.json ] && return
  if ! command -v npm >/dev/null; then
    setup_python requirements/node.txt
  fi
  say "installing Offscribe and the page's libraries"
  PATH="$PATH:$OFFSCRIBE_VENV/bin" pip_install --no-build-isolation --no-deps --editable .
  mark_done package "$mark"
}

# setup_models WHICH: detectors and a recognizer, verified, in the home; nothing where they are.
# WHICH: starter, or recommended for this machine.
setup_models() {
  local models="$OFFSCRIBE_HOME/models" bin="$OFFSCRIBE_VENV/bin"
  if [ -f "$models/silero-vad/manifest.json" ] && [ -f "$models/fsmn-vad/manifest.json" ]; then
    [ -f "$models/whisper-base/manifest.json" ] && return
    [ "$1" = recommended ] && [ -f "$models/whisper-small/manifest.json" ] && return
  fi
  say "installing the $1 models (150 to 250 MB)"
  "$bin/offscribe" models pull "$1" && return
  [ "$1" = recommended ] || return 1
  say "the recommended model could not be installed (see above); taking the starter model"
  "$bin/offscribe" models pull starter
}
