"""The shelf as people see it: what there is, what it needs and runs on, what is the default."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files

from offscribe.engines.devices import DeviceReport
from offscribe.engines.registry import (
    find_engine,
    install_command,
    missing_modules,
    require_library,
)
from offscribe.errors import BadOption, Conflict, ModelError, revive
from offscribe.services.installation import Installation
from offscribe.types import ModelCard, Times
from offscribe.worker.measure import REFUSED, Measurement

PROBE_S = 120.0
MEASURE_S = 1800.0


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model on this machine. *times*: the finest it gives here. *missing*: Python modules
    that it needs and that are not here; *install* brings them. *source*: where it came from."""

    card: ModelCard
    is_installed: bool
    is_default: bool
    times: Times
    missing: tuple[str, ...]
    install: str
    source: str


class ModelCatalogue:
    """Asks and changes the shelf of one installation."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._devices: dict[str, tuple[DeviceReport, ...]] | None = None

    def all(self) -> list[ModelEntry]:
        """Known and installed models: recognizers first, and of those the installed ones first."""
        shelf = self._installation.shelf
        installed = {model.card.id: model.card for model in shelf.installed()}
        known = {card.id: card for card in shelf.known()}
        entries = [self._entry(card, card.id in installed) for card in (known | installed).values()]
        return sorted(
            entries, key=lambda entry: (entry.card.kind != "recognizer", not entry.is_installed)
        )

    def one(self, model_id: str) -> ModelEntry:
        """Raises NotFound, listing the known ids."""
        card = self._installation.shelf.card(model_id)
        return self._entry(card, self._is_installed(model_id))

    def devices(self) -> dict[str, tuple[DeviceReport, ...]]:
        """What every installed engine can use here, by engine; asked once. Takes seconds."""
        if self._devices is None:
            answers = json.loads(_child("offscribe.worker.probe", timeout_s=PROBE_S))
            self._devices = {
                engine: tuple(DeviceReport(**report) for report in reports)
                for engine, reports in answers.items()
            }
        return self._devices

    def use(self, model_id: str) -> ModelEntry:
        """Make an installed recognizer the one that is used where nobody names one. Raises
        NotFound, BadOption, ModelMissing, EngineMissing."""
        entry = self.one(model_id)
        if entry.card.kind != "recognizer":
            raise BadOption(f"{model_id} detects speech, it does not recognise it")
        self._installation.shelf.folder_of(model_id)
        require_library(entry.card)
        self._installation.settings.default_model = model_id
        return self.one(model_id)

    def check_removable(self, model_id: str) -> None:
        """Raises Conflict for the default model, and ModelMissing for what is not there."""
        self._installation.shelf.folder_of(model_id)
        if model_id == self._installation.model_id:
            raise Conflict(
                f"{model_id} is the default model",
                hint="Choose another first: offscribe models use ID",
            )

    def measure(self, model_id: str) -> Measurement:
        """Load *model_id* in a process of its own and let it hear the sample recording for about
        a minute of audio. Raises ModelMissing, ModelError."""
        installation = self._installation
        card = installation.shelf.card(model_id)
        installation.shelf.folder_of(model_id)
        language = "zh" if "zh" in card.languages else "en"
        with as_file(files("offscribe") / "sample" / f"{language}.flac") as sample:
            answer = _child(
                "offscribe.worker.measure",
                *("--models", str(installation.home.models), "--model", model_id),
                *("--audio", str(sample), "--language", language),
                *("--load", json.dumps(asdict(installation.load))),
                timeout_s=MEASURE_S,
            )
        return Measurement(**json.loads(answer))

    def _entry(self, card: ModelCard, is_installed: bool) -> ModelEntry:
        spec = find_engine(card.engine) if card.kind == "recognizer" else None
        missing = missing_modules(spec) if spec else ()
        return ModelEntry(
            card=card,
            is_installed=is_installed,
            is_default=card.id == self._installation.model_id,
            times=self._installation.shelf.times_of(card),
            missing=missing,
            install=install_command(spec) if spec and missing else "",
            source=self._installation.shelf.source_of(card.id) if is_installed else "",
        )

    def _is_installed(self, model_id: str) -> bool:
        try:
            self._installation.shelf.folder_of(model_id)
        except ModelError:
            return False
        return True


def _child(module: str, *arguments: str, timeout_s: float) -> str:
    """Run *module* and return what it printed. Raises ModelError with its last words."""
    try:
        run = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"no answer within {timeout_s:.0f} s") from error
    if run.returncode == REFUSED:
        raise revive(**json.loads(run.stdout))
    if run.returncode != 0:
        last = next((line for line in reversed(run.stderr.splitlines()) if line.strip()), "")
        raise ModelError(
            f"the model's process ended with code {run.returncode}: {last[:300]}",
            hint="Run `offscribe doctor` for more.",
        )
    return run.stdout
