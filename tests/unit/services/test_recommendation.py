from __future__ import annotations

import pytest

from offscribe.services.recommendation import recommend
from offscribe.shelf.shelf import STARTER, Shelf

GIB = 1 << 30


@pytest.mark.parametrize(
    ("cores", "memory", "model_id"),
    [
        (2, 24 * GIB, "whisper-base"),
        (16, 4 * GIB, "whisper-base"),
        (4, 8 * GIB - GIB // 2, "whisper-small"),
        (64, 512 * GIB, "whisper-small"),
        (8, 0, "whisper-base"),
    ],
)
def test_the_better_model_needs_cores_and_memory(cores: int, memory: int, model_id: str) -> None:
    recommendation = recommend(cores, memory)
    assert recommendation.model_id == model_id
    assert f"{cores} cores" in recommendation.reason


def test_what_is_recommended_installs_by_package_name(tmp_path: object) -> None:
    for model_id in {recommend().model_id, recommend(8, 16 * GIB).model_id, STARTER[0]}:
        assert Shelf(tmp_path).card(model_id).packages  # type: ignore[arg-type]
