"""The config.json of a Hugging Face folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from offscribe.errors import ModelDamaged


def read_config(folder: Path) -> dict[str, Any]:
    """Raises ModelDamaged where there is none or it is no JSON object."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelDamaged(f"{path} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise ModelDamaged(f"{path} is not a JSON object")
    return config
