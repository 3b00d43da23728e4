"""Real speech comes out of the decoder whole."""

from __future__ import annotations

import csv
from pathlib import Path

import av
import numpy as np
import pytest

from offscribe.audio.decode import open_audio
from offscribe.types import Samples


def decode(path: Path) -> Samples:
    with open_audio(path) as source:
        return np.concatenate([window.samples for window in source.windows()])
