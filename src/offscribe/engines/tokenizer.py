"""The tokenizer.json of a Hugging Face folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from offscribe.errors import ModelDamaged


def read_tokenizer(path: Path) -> Any:
    """A ``tokenizers.Tokenizer``. Raises ModelDamaged."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ModelDamaged(f"{path} is not a tokenizer: {error}") from error
