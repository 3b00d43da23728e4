"""How many recordings come in at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from offscribe.audio.decode import check_file
from offscribe.audio.files import sha256_of
from offscribe.errors import BadOption, NotFound
from offscribe.services.gathering import gather
from offscribe.services.installation import Installation
from offscribe.services.intake import Intake, Upload, clean_name
from offscribe.store.batches import Batch
from offscribe.store.jobs import BATCH_PRIORITY, NewJob, new_id
from offscribe.types import ModelCard, RecognizeOptions


class BatchIntake:
    """Queues batches: all of a batch's recordings or none."""

    def __init__(
        self, installation: Installation, intake: Intake, *, roots: Sequence[Path] = ()
    ) -> None:
        self._installation = installation
        self._intake = intake
        self._roots = tuple(roots)

    def submit_uploads(
        self,
        received: Sequence[tuple[Upload, str | None]],
        *,
        card: ModelCard,
        options: RecognizeOptions,
        name: str = "",
        source: Literal["page", "api"] = "api",
        reuses: bool = True,
    ) -> Batch:
        """Queue what was received, each with its own file name. An empty file becomes a job that
        fails, so that it harms no other. Raises BadOption for no recording at all, DiskFull."""
        if not received:
            raise BadOption(
                "the form has no recording",
                hint="Send each as a file in the field 'audios'.",
                code="audio_missing",
            )
        jobs: list[tuple[str, NewJob]] = []
        try:
            for upload, file_name in received:
                cleaned = clean_name(file_name)
                path = self._intake.keep(upload, cleaned)
                new = NewJob(
                    name=cleaned,
                    source=source,
                    audio_path=path,
                    size_bytes=upload.size_bytes,
                    model=card.id,
                    options=options,
                    priority=BATCH_PRIORITY,
                    sha256=upload.sha256,
                    reuses=reuses,
                )
                jobs.append((upload.job_id, new))
            return self._installation.batches.add(_named(name, jobs), source, jobs)
        except BaseException:
            for _, new in jobs:
                (self._installation.home.root / new.audio_path).unlink(missing_ok=True)
            raise

    def submit_paths(
        self,
        wishes: Sequence[str],
        *,
        card: ModelCard,
        options: RecognizeOptions,
        is_recursive: bool = False,
        name: str = "",
        reuses: bool = True,
    ) -> Batch:
        """Queue recordings that stay where they are. Raises OutsideRoots for a place that no
        allowed root holds, NotFound and InputError where a file cannot be read."""
        paths = gather(wishes, is_recursive=is_recursive, roots=self._roots)
        if not paths:
            raise NotFound(
                "there is no recording in these folders", hint="Name files, or say recursive."
            )
        jobs = [
            (new_id(), self._staying(path, card=card, options=options, reuses=reuses))
            for path in paths
        ]
        return self._installation.batches.add(_named(name, jobs), "api", jobs)

    def _staying(
        self, path: Path, *, card: ModelCard, options: RecognizeOptions, reuses: bool
    ) -> NewJob:
        check_file(path)
        status = path.stat()
        return NewJob(
            name=clean_name(path.name),
            source="api",
            audio_path=self._installation.relative_path(path.resolve()),
            size_bytes=status.st_size,
            model=card.id,
            options=options,
            priority=BATCH_PRIORITY,
            sha256=sha256_of(path) if reuses else None,
            modified_ns=status.st_mtime_ns,
            reuses=reuses,
        )


def _named(name: str, jobs: Sequence[tuple[str, NewJob]]) -> str:
    if name.strip():
        return clean_name(name)
    first = jobs[0][1].name
    return first if len(jobs) == 1 else f"{first} + {len(jobs) - 1}"
