"""How recordings and wishes come in: checked, cleaned, stored, queued."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Literal, get_args

from offscribe.audio.decode import check_file
from offscribe.audio.files import sha256_of
from offscribe.engines.registry import require_library
from offscribe.errors import (
    AudioEmpty,
    BadOption,
    DiskFull,
    TooLarge,
    UnknownLanguage,
)
from offscribe.services.installation import Installation
from offscribe.store.jobs import Job, JobKind, NewJob, new_id
from offscribe.text.hotwords import parse_hotwords
from offscribe.types import LANGUAGES, ModelCard, RecognizeOptions, Script, VadOptions
from offscribe.vad.registry import DEFAULT_VAD

MAX_UPLOAD_BYTES = 8 * 2**30
"""One recording; ten hours of CD-quality WAV are 6 GiB."""
KEEP_FREE_BYTES = 256 * 2**20
"""Disk space that an upload leaves for the database and results."""
MAX_NAME_CHARS = 200

_BIDI_CONTROLS = "".join(
    map(chr, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
"""They can make ``gpj.exe`` read ``exe.jpg``. Source: Unicode UAX #9, section 2."""
_UNWANTED = {ord(character): None for character in _BIDI_CONTROLS}


@dataclass(slots=True)
class Upload:
    """A recording that is coming in. Nothing of it is visible until it is submitted."""

    job_id: str
    file: BinaryIO
    size_bytes: int = 0
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> None:
        """Raises TooLarge, DiskFull."""
        self.size_bytes += len(data)
        if self.size_bytes > MAX_UPLOAD_BYTES:
            raise TooLarge(
                f"the upload is larger than {MAX_UPLOAD_BYTES // 2**30} GiB",
                hint="Split it, or convert it to a compressed format such as FLAC or M4A.",
            )
        self._hash.update(data)
        with _disk_errors():
            self.file.write(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def seal(self) -> None:
        """Everything has arrived: have it on the disk, not only in memory. Raises DiskFull."""
        if self.file.closed:
            return
        with _disk_errors():
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()


class Intake:
    """The one way in for uploads and for paths on this machine."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    @contextmanager
    def receive(self, *, expected_bytes: int = 0) -> Iterator[Upload]:
        """Open a scratch file for an upload; it is removed again unless it was submitted.

        Raises DiskFull before the first byte where *expected_bytes* cannot fit.
        """
        home = self._installation.home
        home.prepare()
        free = shutil.disk_usage(home.scratch).free
        if expected_bytes + KEEP_FREE_BYTES > free:
            raise DiskFull(f"only {free // 2**20} MiB of disk space are free in {home.root}")
        upload_id = new_id()
        path = home.scratch / f"{upload_id}.part"
        try:
            with path.open("wb") as file:
                yield Upload(upload_id, file)
        finally:
            path.unlink(missing_ok=True)

    def submit_upload(
        self,
        upload: Upload,
        *,
        name: str | None,
        source: Literal["page", "api"],
        options: RecognizeOptions,
        kind: JobKind = "transcribe",
        model_id: str | None = None,
    ) -> Job:
        """Make the received recording durable, then queue it. Raises AudioEmpty for zero bytes."""
        if upload.size_bytes == 0:
            raise AudioEmpty("the uploaded file has no content")
        cleaned = clean_name(name)
        new = NewJob(
            name=cleaned,
            source=source,
            audio_path=self.keep(upload, cleaned),
            size_bytes=upload.size_bytes,
            model=model_id or self._installation.model.id,
            options=options,
            kind=kind,
            sha256=upload.sha256,
        )
        return self._installation.jobs.add(new, job_id=upload.job_id)

    def keep(self, upload: Upload, name: str) -> str:
        """Move the received recording to the others; return its path as jobs store it."""
        upload.seal()
        target = self._installation.home.audio / f"{upload.job_id}{safe_suffix(name)}"
        with _disk_errors():
            Path(upload.file.name).replace(target)
        return self._installation.relative_path(target)

    def record_of(self, path: Path, *, options: RecognizeOptions) -> str | None:
        """The id of the record that transcribing *path* with these options gave before, wherever
        it lay then. Raises like ``submit_path``."""
        check_file(path)
        installation = self._installation
        return installation.jobs.twin_of(
            sha256_of(path), model=installation.model.id, options=options
        )

    def submit_path(self, path: Path, *, options: RecognizeOptions, owner: str) -> Job:
        """Enter a recording that stays where it is as a job that *owner* does itself.

        Raises NotFound, NoPermission, InputError for what is no file.
        """
        installation = self._installation
        check_file(path)
        status = path.stat()
        new = NewJob(
            name=clean_name(path.name),
            source="cli",
            audio_path=installation.relative_path(path.absolute()),
            size_bytes=status.st_size,
            model=installation.model.id,
            options=options,
            sha256=sha256_of(path),
            modified_ns=status.st_mtime_ns,
        )
        return installation.jobs.add(new, owner=owner)

    def card(self, model_id: str | None) -> ModelCard:
        """The recognizer that *model_id* names, or the installation's own. Raises NotFound,
        BadOption for a model that does not recognise, ModelMissing for one not installed,
        EngineMissing."""
        installation = self._installation
        if not model_id or model_id == installation.model.id:
            return installation.model
        card = installation.shelf.card(model_id)
        if card.kind != "recognizer":
            raise BadOption(f"{model_id} detects speech, it does not recognise it")
        installation.shelf.folder_of(model_id)
        require_library(card)
        return card

    def vad_card(self, model_id: str | None) -> ModelCard:
        """The detector that *model_id* names, or the default one. Raises like ``card``."""
        shelf = self._installation.shelf
        card = shelf.card(model_id or DEFAULT_VAD)
        if card.kind != "vad":
            raise BadOption(f"{card.id} recognises speech, it does not detect it")
        shelf.folder_of(card.id)
        return card

    def discard(self, job_id: str) -> None:
        """Remove a finished job that makes no record, with its uploaded recording."""
        home = self._installation.home
        job = self._installation.jobs.get(job_id)
        self._installation.jobs.cancel(job_id)
        self._installation.jobs.remove(job_id)
        path = home.root / job.audio_path
        if path.is_relative_to(home.audio):
            path.unlink(missing_ok=True)


def recognize_options(
    card: ModelCard,
    *,
    language: str | None = None,
    itn: bool = True,
    hotwords: str | None = None,
    script: str | None = None,
    vad: VadOptions | None = None,
) -> RecognizeOptions:
    """Check what a person asked *card* for, as text from any entrance.

    Raises UnknownLanguage, BadOption.
    """
    language = (language or "zh").strip().lower()
    if language != "auto" and language not in card.languages:
        known = ", ".join(["auto", *(code for code in LANGUAGES if code in card.languages)])
        raise UnknownLanguage(
            f"{card.id} does not know the language {language[:40]!r}",
            hint=f"Choose one of: {known}.",
        )
    script = (script or "auto").strip().lower()
    if script not in get_args(Script):
        raise BadOption(
            f"unknown script {script[:40]!r}", hint=f"Choose one of: {', '.join(get_args(Script))}."
        )
    return RecognizeOptions(
        language=language,
        itn=itn,
        hotwords=parse_hotwords(hotwords) if hotwords else (),
        script=script,  # type: ignore[arg-type]  # checked above
        vad=vad or VadOptions(),
    )


def vad_options(*, max_segment_ms: str | None = None) -> VadOptions:
    """Detection options from text. Raises BadOption."""
    if max_segment_ms is None or not max_segment_ms.strip():
        return VadOptions()
    try:
        return replace(VadOptions(), max_segment_ms=int(max_segment_ms))
    except ValueError as error:
        raise BadOption(
            f"max_segment_ms {max_segment_ms[:40]!r} is not a whole number",
            hint="Give milliseconds from 1000 to 60000.",
        ) from error


def parse_flag(name: str, value: str | None, *, default: bool) -> bool:
    """A boolean form field. Raises BadOption."""
    if value is None or not value.strip():
        return default
    match value.strip().lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
    raise BadOption(f"{name} {value[:40]!r} is neither true nor false")


def clean_name(name: str | None) -> str:
    """Return a person's file name as one printable line without its folders.

    What it cannot contain: path separators, control characters, bidirectional overrides.
    """
    last = re.split(r"[/\\]", name or "")[-1]
    line = "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs") else character
        for character in unicodedata.normalize("NFC", last).translate(_UNWANTED)
    )
    cleaned = " ".join(line.split())
    if len(cleaned) > MAX_NAME_CHARS:
        suffix = safe_suffix(cleaned)
        cleaned = cleaned[: MAX_NAME_CHARS - len(suffix)] + suffix
    return cleaned if cleaned.strip(". ") else "recording"


def safe_suffix(name: str) -> str:
    """The extension of *name* where it is short and plain, else nothing."""
    match = re.search(r"\.[A-Za-z0-9]{1,8}$", name)
    return match.group().lower() if match else ""


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull("the disk is full; the recording was not accepted") from error
        raise
