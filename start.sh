#!/usr/bin/env bash
# Set everything up (once) and serve the page, with the starter model that suits this machine.
#   bash start.sh                      serve http://127.0.0.1:7860
#   bash start.sh --port 8000          the same, with options of `offscribe serve`
#   bash start.sh transcribe talk.mp3  any other command of the offscribe CLI
# The second start needs no network. OFFSCRIBE_PYTHON chooses the Python (3.11 or newer).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ./setup.sh

setup_python requirements/starter.txt
setup_package
export OFFSCRIBE_HOME="${OFFSCRIBE_HOME:-$PWD}"
setup_models recommended

case "${1:-}" in
  "") set -- serve ;;
  --help | -h | --version) ;;
  -*) set -- serve "$@" ;;
esac
cd "$OLDPWD"
exec "$OFFSCRIBE_VENV/bin/offscribe" "$@"
