"""What it means when a library fails to load a model."""

from __future__ import annotations

import re
from pathlib import Path

from offscribe.engines.memory import is_out_of_memory
from offscribe.errors import DeviceUnusable, ModelDamaged, OffscribeError, OutOfMemory
from offscribe.types import Device, ModelCard


def load_failure(
    error: Exception, card: ModelCard, folder: Path, device: Device = "cpu"
) -> OffscribeError:
    """The error of the house for *error*, which a library raised over the model in *folder*."""
    if is_out_of_memory(error):
        return OutOfMemory(f"the memory does not suffice to load {card.title}")
    if device == "cuda" and re.search("cuda|cublas|cudnn", str(error), re.IGNORECASE):
        return DeviceUnusable(
            f"the device cuda cannot be used: {error}", hint="Choose the device cpu."
        )
    return ModelDamaged(f"{card.title} in {folder} cannot be read: {error}")
