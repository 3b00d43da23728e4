from __future__ import annotations

from offscribe.api.failures import status_of
from offscribe.cli.console import exit_code
from offscribe.errors import (
    AudioUnreadable,
    Conflict,
    DiskFull,
    ModelMissing,
    NotFound,
    OffscribeError,
    TooLarge,
    WorkerLost,
    revive,
)


def test_each_family_has_its_status_and_exit_code() -> None:
    cases = [
        (AudioUnreadable("x"), 400, 3),
        (TooLarge("x"), 413, 3),
        (NotFound("x"), 404, 3),
        (Conflict("x"), 409, 3),
        (ModelMissing("x"), 503, 4),
        (DiskFull("x"), 507, 5),
        (WorkerLost("x"), 503, 5),
        (OffscribeError("x"), 500, 70),
    ]
    assert [(status_of(error), exit_code(error)) for error, _, _ in cases] == [
        (status, code) for _, status, code in cases
    ]


def test_a_stored_error_is_revived_in_its_own_class() -> None:
    error = revive("disk_full", "the disk is full", "free some")
    assert isinstance(error, DiskFull)
    assert (error.code, error.message, error.hint) == ("disk_full", "the disk is full", "free some")


def test_a_stored_code_that_nobody_knows_stays_itself() -> None:
    assert revive("gone", "x", "").code == "gone"
