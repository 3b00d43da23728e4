"""Which device a model runs on, and why. Chosen once, said aloud, never changed in silence."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from offscribe.errors import DeviceUnusable
from offscribe.types import Device

PREFERENCE: tuple[Device, ...] = ("cuda", "mps", "cpu")
"""What ``auto`` tries, best first."""


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """What one engine can say about one device of this machine.

    *reason* says why it cannot be used, or names what was found. *is_present*: the hardware is
    there, so a person who chose ``auto`` is told why it was passed over.
    """

    device: Device
    is_usable: bool
    reason: str
    is_present: bool = False


CPU = DeviceReport("cpu", True, "always there", is_present=True)


def cpu_only(reason: str) -> tuple[DeviceReport, ...]:
    """The reports of an engine whose package computes on the CPU alone, for *reason*."""
    return (
        DeviceReport("cuda", False, reason, is_present=has_nvidia_gpu()),
        DeviceReport("mps", False, reason, is_present=sys.platform == "darwin"),
        CPU,
    )


def has_nvidia_gpu() -> bool:
    """Whether the hardware and some driver are there, usable or not."""
    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """The device to use and the reason, for people."""

    device: Device
    reason: str

    def __str__(self) -> str:
        return f"{self.device} ({self.reason})"


def choose_device(requested: Device, reports: Sequence[DeviceReport]) -> DeviceChoice:
    """Return the requested device, or for ``auto`` the best usable one.

    Raises DeviceUnusable where the requested device cannot be used: another one is never taken
    in its place.
    """
    by_device = {report.device: report for report in reports}
    if requested == "auto":
        return _best(by_device)
    report = by_device.get(requested)
    if report is None:
        raise _unusable(requested, "this engine has no support for it", by_device)
    if not report.is_usable:
        raise _unusable(requested, report.reason, by_device)
    return DeviceChoice(requested, "as asked")


def _best(by_device: dict[Device, DeviceReport]) -> DeviceChoice:
    passed_over: list[DeviceReport] = []
    for device in PREFERENCE:
        report = by_device.get(device)
        if report is None:
            continue
        if report.is_usable:
            return DeviceChoice(device, _why_not_better(passed_over) or report.reason)
        passed_over.append(report)
    raise DeviceUnusable(
        "no device of this machine can run the model",
        hint="; ".join(f"{report.device}: {report.reason}" for report in passed_over),
    )


def _why_not_better(passed_over: Sequence[DeviceReport]) -> str:
    """Hardware that is there but unusable matters; otherwise that the first choice is absent."""
    present = [report.reason for report in passed_over if report.is_present]
    return "; ".join(present or [report.reason for report in passed_over[:1]])


def _unusable(device: Device, reason: str, by_device: dict[Device, DeviceReport]) -> DeviceUnusable:
    usable = [name for name in PREFERENCE if name in by_device and by_device[name].is_usable]
    return DeviceUnusable(
        f"the device {device} cannot be used: {reason}",
        hint=f"Choose auto or one of: {', '.join(usable) or 'none'}.",
    )
