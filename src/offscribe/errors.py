"""The errors Offscribe raises on purpose.

Each carries a stable ``code`` (translated by the page, documented in docs/errors.md), a
``message`` that says what happened and a ``hint`` that says what to do. The five families decide,
at the edges only, the HTTP status, the exit code and the WebSocket close code. Any other exception
is a bug and is reported as ``internal``.
"""

from __future__ import annotations


class OffscribeError(Exception):
    """What went wrong (*message*), what to do (*hint*) and its stable *code*.

    Subclasses give ``code`` and ``hint`` defaults; both can be overridden per instance.
    """

    code = "internal"
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint
        if code is not None:
            self.code = code


class InputError(OffscribeError):
    """The caller gave something that cannot be used; the same call will fail again."""

    code = "bad_input"


class NotFound(OffscribeError):
    """The named thing does not exist (any more)."""

    code = "not_found"


class Conflict(OffscribeError):
    """The call does not fit the present state; another state may allow it."""

    code = "conflict"


class ModelError(OffscribeError):
    """A model is missing, damaged or cannot run as asked."""

    code = "model_unusable"


class ResourceError(OffscribeError):
    """Disk, memory, a port or another resource of this machine ran out."""

    code = "resource"


# --- Input ------------------------------------------------------------------------------------


class AudioUnreadable(InputError):
    code = "audio_unreadable"
    hint = "Try WAV, MP3, M4A, FLAC, OGG or a video file that has sound."


class AudioEmpty(InputError):
    code = "audio_empty"
    hint = "The recording has no sound samples in it. Check that it was saved completely."


class NoAudioTrack(InputError):
    code = "no_audio_track"
    hint = "The file has pictures but no sound. Choose a file with an audio track."


class UnknownLanguage(InputError):
    code = "unknown_language"


class BadOption(InputError):
    code = "bad_option"


class TooLarge(InputError):
    code = "too_large"


# --- Model ------------------------------------------------------------------------------------


class ModelMissing(ModelError):
    code = "model_missing"
    hint = "Install the starter model: offscribe models pull starter"


class ModelDamaged(ModelError):
    code = "model_damaged"
    hint = "Remove the model folder and install it again."


class EngineMissing(ModelError):
    code = "engine_missing"


class DeviceUnusable(ModelError):
    code = "device_unusable"


# --- Resource ---------------------------------------------------------------------------------


class DiskFull(ResourceError):
    code = "disk_full"
    hint = "Free some disk space and try again; nothing that was accepted before is lost."


class NoPermission(ResourceError):
    code = "no_permission"


class OutOfMemory(ResourceError):
    code = "out_of_memory"
    hint = "Use a smaller batch size or a smaller model."


class WorkerLost(ResourceError):
    """The worker died three times on the same job."""

    code = "worker_lost"
    hint = "The file may trigger a fault in a decoder. Convert it to WAV or try another model."


class LeaseLost(Conflict):
    """The job was cancelled or given to another worker; stop writing."""

    code = "lease_lost"


def revive(code: str, message: str, hint: str) -> OffscribeError:
    """Return an error that was stored as its three texts, in its own class again, so that an edge
    treats it like one that was just raised."""
    families: list[type[OffscribeError]] = [OffscribeError]
    while families:
        family = families.pop()
        if family.code == code:
            return family(message, hint=hint)
        families.extend(family.__subclasses__())
    return OffscribeError(message, hint=hint, code=code)
