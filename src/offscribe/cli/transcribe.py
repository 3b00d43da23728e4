"""``offscribe transcribe``: recordings on this machine to text, in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from offscribe.cli import console
from offscribe.cli.arguments import (
    DEFAULT_LOAD,
    BatchSizeOption,
    ComputeTypeOption,
    DeviceOption,
    HomeOption,
    ModelOption,
    ModelPathOption,
    ThreadsOption,
)
from offscribe.errors import (
    BadOption,
    InputError,
    LeaseLost,
    NoPermission,
    NotFound,
    OffscribeError,
)
from offscribe.export.document import ExportDocument
from offscribe.export.names import DEFAULT_TEMPLATE, check_template, file_name, numbered
from offscribe.export.registry import ExportOptions, find_format, render
from offscribe.home import find_home
from offscribe.services.gathering import gather
from offscribe.services.history import History
from offscribe.services.installation import Installation, open_installation
from offscribe.services.intake import Intake, recognize_options
from offscribe.store.jobs import Job, new_id
from offscribe.types import LoadOptions, RecognizeOptions
from offscribe.worker.work import Bench, work_on

STDOUT = "-"


def transcribe(
    paths: Annotated[
        list[str],
        typer.Argument(help="Audio or video files, or folders of them.", metavar="PATHS…"),
    ],
    language: Annotated[
        str, typer.Option(help="zh, en, ja, ko, yue, another of the model, or auto.")
    ] = "zh",
    itn: Annotated[bool, typer.Option("--itn/--no-itn", help="Write numbers as digits.")] = True,
    hotwords: Annotated[
        str | None, typer.Option(help="A file with one term a line, or 'a,b'.")
    ] = None,
    script: Annotated[
        Literal["auto", "simplified", "traditional", "keep"],
        typer.Option(help="Chinese script; auto is simplified for zh and yue."),
    ] = "auto",
    formats: Annotated[
        str, typer.Option("--format", help="txt, srt, vtt, json, csv, md; several with commas.")
    ] = "txt",
    output_dir: Annotated[
        str, typer.Option("--output-dir", "-o", help="Folder for results; - is standard output.")
    ] = STDOUT,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Also the folders inside folders.")
    ] = False,
    next_to_source: Annotated[
        bool, typer.Option("--next-to-source", help="Write each result beside its recording.")
    ] = False,
    skip_done: Annotated[
        bool,
        typer.Option(
            "--skip-done",
            help="Do not recognise again what was transcribed with this model and these options.",
        ),
    ] = False,
    name_template: Annotated[
        str,
        typer.Option("--name", help="Of result files: {name}, {lang}, {index}, {model}, {ext}."),
    ] = DEFAULT_TEMPLATE,
    times: Annotated[bool, typer.Option("--times", help="Show times in txt and md.")] = False,
    model: ModelOption = None,
    model_path: ModelPathOption = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
    batch_size: BatchSizeOption = DEFAULT_LOAD.batch_size,
    compute_type: ComputeTypeOption = DEFAULT_LOAD.compute_type,
    home: HomeOption = None,
) -> None:
    """Transcribe recordings. The text is also kept in the history."""
    if next_to_source and output_dir != STDOUT:
        raise BadOption("--next-to-source and --output-dir exclude each other", hint="Give one.")
    is_printing = output_dir == STDOUT and not next_to_source
    wanted = _formats(formats, is_printing=is_printing)
    check_template(name_template)
    recordings = gather(paths, is_recursive=recursive)
    if not recordings:
        raise NotFound("there is no recording in these folders", hint="Try --recursive.")
    installation = open_installation(
        find_home(home),
        model_id=model,
        model_path=model_path,
        load=LoadOptions(device, threads, compute_type, batch_size),
    )
    options = recognize_options(
        installation.model,
        language=language,
        itn=itn,
        hotwords=_read_hotwords(hotwords) if hotwords else None,
        script=script,
    )
    output = (
        _Printed(wanted[0], ExportOptions(times=times), is_single=len(recordings) == 1)
        if is_printing
        else _Files(
            None if next_to_source else Path(output_dir),
            wanted,
            ExportOptions(times=times),
            template=name_template,
        )
    )
    failures = _transcribe_all(installation, recordings, options, output, skips_done=skip_done)
    if failures:
        is_single = len(recordings) == 1
        raise typer.Exit(console.exit_code(failures[0]) if is_single else console.SOME_FAILED)


class _Printed:
    """Results on standard output."""

    def __init__(self, format_name: str, options: ExportOptions, *, is_single: bool) -> None:
        self._format = format_name
        self._options = options
        self._is_single = is_single
        self._documents: list[object] = []

    def add(self, path: Path, document: ExportDocument) -> None:
        text = render(document, self._format, self._options)
        if self._is_single:
            console.write_out(text)
        elif self._format == "json":
            self._documents.append(json.loads(text))
        else:
            console.write_out(f"==> {path} <==\n{text}")

    def close(self) -> None:
        if self._format == "json" and not self._is_single:
            console.print_json(self._documents)


class _Files:
    """Results as files in *folder*, or beside each recording where that is None. Each is written
    whole or not at all."""

    def __init__(
        self, folder: Path | None, formats: list[str], options: ExportOptions, *, template: str
    ) -> None:
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NoPermission(
                f"the folder {folder} cannot be made: {error.strerror}",
                hint="Choose another --output-dir.",
            ) from error
        self._folder = folder
        self._formats = formats
        self._options = options
        self._template = template
        self._n_recordings = 0
        self._written: dict[Path, set[str]] = {}

    def add(self, path: Path, document: ExportDocument) -> None:
        self._n_recordings += 1
        folder = self._folder or path.absolute().parent
        for format_name in self._formats:
            name = file_name(
                self._template,
                name=path.name,
                lang=document.language,
                ext=find_format(format_name).extension,
                index=self._n_recordings,
                model=document.model,
            )
            # Two recordings of one name do not overwrite each other.
            target = folder / numbered(name, self._written.setdefault(folder, set()))
            _write(target, render(document, format_name, self._options))
            console.stderr.print(f"  {escape(str(target))}")

    def close(self) -> None:
        pass


def _write(target: Path, text: str) -> None:
    partial = target.with_name(f".{target.name}.part")
    try:
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise NoPermission(
            f"{target} cannot be written: {error.strerror}",
            hint="The text is in the history: offscribe history list",
        ) from error


def _transcribe_all(
    installation: Installation,
    paths: list[Path],
    options: RecognizeOptions,
    output: _Printed | _Files,
    *,
    skips_done: bool,
) -> list[OffscribeError]:
    """Transcribe each of *paths*; one that fails does not stop the others. Returns the errors."""
    intake, history, bench = Intake(installation), History(installation), installation.bench()
    failures: list[OffscribeError] = []
    with closing(output), _progress() as progress:
        for path in paths:
            try:
                record_id = intake.record_of(path, options=options) if skips_done else None
                if record_id is None:
                    record_id = _transcribe_one(path, options, intake, bench, progress).id
                else:
                    console.stderr.print(f"{escape(path.name)}: done before")
                output.add(path, history.document(record_id))
            except OffscribeError as error:
                console.complain(error, about=str(path))
                failures.append(error)
    return failures


def _transcribe_one(
    path: Path, options: RecognizeOptions, intake: Intake, bench: Bench, progress: Progress
) -> Job:
    owner = f"cli-{os.getpid()}-{new_id()}"
    job = intake.submit_path(path, options=options, owner=owner)
    task = progress.add_task(escape(path.name), total=None)
    try:
        with closing(work_on(job, owner, bench)) as passages:
            for passage in passages:
                total = bench.jobs.get(job.id).duration
                progress.update(task, completed=passage.until, total=total)
    except LeaseLost:
        raise
    except OffscribeError as error:
        bench.jobs.fail(job.id, owner, error)
        raise
    except BaseException:
        bench.jobs.cancel(job.id)
        raise
    finally:
        progress.remove_task(task)
    finished = bench.jobs.get(job.id)
    _summarise(finished)
    return finished


def _summarise(job: Job) -> None:
    speed = job.speed(job.finished_at or 0.0)
    pace = f", {speed:.1f}× real time" if speed else ""
    console.stderr.print(f"{escape(job.name)}: {_clock(job.duration or 0.0)}{pace}")
    for warning in job.warnings:
        console.stderr.print(f"  [yellow]warning[/] {escape(warning)}")


class _AudioColumn(ProgressColumn):
    """Audio done of audio in all, speed and time left."""

    def render(self, task: Task) -> Text:
        total = _clock(task.total) if task.total else "?"
        parts = [f"{_clock(task.completed)}/{total}"]
        elapsed = task.elapsed or 0.0
        if task.completed and elapsed:
            speed = task.completed / elapsed
            parts.append(f"{speed:.1f}×")
            if task.total and not task.finished:
                parts.append(f"{_clock(max(task.total - task.completed, 0) / speed)} left")
        return Text("  ".join(parts))


@contextmanager
def _progress() -> Iterator[Progress]:
    """A live display where somebody watches; nothing in a pipe or log."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        _AudioColumn(),
        console=console.stderr,
        disable=not console.stderr.is_terminal,
        transient=True,
    ) as progress:
        yield progress


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def _formats(source: str, *, is_printing: bool) -> list[str]:
    names = [name.strip().lower() for name in source.split(",") if name.strip()]
    for name in names:
        find_format(name)
    if not names:
        raise BadOption("--format names no format", hint="For example --format srt,txt")
    if len(names) > 1 and is_printing:
        raise BadOption(
            "several formats cannot share standard output", hint="Give a folder: --output-dir DIR"
        )
    return names


def _read_hotwords(source: str) -> str:
    path = Path(source)
    try:
        if path.is_file():
            return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the hotword file {source[:200]} cannot be read as UTF-8 text",
            hint="Save it as UTF-8, one term a line.",
        ) from error
    return source
