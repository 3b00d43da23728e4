"""Which device is chosen, and what is said about it."""

from __future__ import annotations

import pytest

from offscribe.engines.devices import DeviceChoice, DeviceReport, choose_device
from offscribe.errors import DeviceUnusable

CPU = DeviceReport("cpu", True, "always there", is_present=True)
CUDA = DeviceReport("cuda", True, "CUDA device found", is_present=True)
NO_CUDA = DeviceReport("cuda", False, "no CUDA device")
BROKEN_CUDA = DeviceReport("cuda", False, "the driver does not answer", is_present=True)
NO_MPS = DeviceReport("mps", False, "no Metal backend")
APPLE = DeviceReport("mps", False, "no Metal backend", is_present=True)
MPS = DeviceReport("mps", True, "Apple GPU", is_present=True)


@pytest.mark.parametrize(
    ("reports", "device", "reason"),
    [
        ((CPU, MPS, CUDA), "cuda", "CUDA device found"),
        ((NO_CUDA, MPS, CPU), "mps", "no CUDA device"),
        ((NO_CUDA, NO_MPS, CPU), "cpu", "no CUDA device"),
        ((BROKEN_CUDA, NO_MPS, CPU), "cpu", "the driver does not answer"),
        ((NO_CUDA, APPLE, CPU), "cpu", "no Metal backend"),
        ((CPU,), "cpu", "always there"),
    ],
)
def test_auto_takes_the_best_and_says_why_not_a_better_one(
    reports: tuple[DeviceReport, ...], device: str, reason: str
) -> None:
    choice = choose_device("auto", reports)
    assert (choice.device, choice.reason) == (device, reason)


def test_the_device_asked_for_is_taken() -> None:
    assert choose_device("cpu", (CUDA, CPU)) == DeviceChoice("cpu", "as asked")


def test_an_unusable_device_is_refused_with_its_reason_never_replaced() -> None:
    with pytest.raises(DeviceUnusable, match="the driver does not answer") as caught:
        choose_device("cuda", (BROKEN_CUDA, CPU))
    assert "cpu" in caught.value.hint


def test_a_device_the_engine_does_not_know_is_refused() -> None:
    with pytest.raises(DeviceUnusable, match="no support"):
        choose_device("mps", (CPU,))


def test_without_any_usable_device_auto_says_why() -> None:
    with pytest.raises(DeviceUnusable) as caught:
        choose_device("auto", (NO_CUDA, NO_MPS))
    assert "no CUDA device" in caught.value.hint


def test_a_choice_reads_as_device_and_reason() -> None:
    assert str(DeviceChoice("cpu", "no CUDA device")) == "cpu (no CUDA device)"
