#!/usr/bin/env bash
# Resolve the requirement files anew. Needs uv; review the change before committing it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
compile() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
    --no-emit-index-url --no-emit-find-links --no-annotate "$@"
}
compile pyproject.toml requirements/build.in --extra starter --extra onnx -o requirements/starter.txt
compile pyproject.toml --extra dev --extra starter --extra onnx -c requirements/starter.txt -o requirements/dev.txt
compile requirements/node.in -o requirements/node.txt
compile pyproject.toml --extra starter --extra onnx --extra vosk --extra whisper-cpp -c requirements/starter.txt -c requirements/dev.txt -o requirements/engines.txt
