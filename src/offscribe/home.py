"""The home folder: everything one installation owns, copyable on a USB stick."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from offscribe.errors import NoPermission

ENV_HOME = "OFFSCRIBE_HOME"


@dataclass(frozen=True, slots=True)
class Home:
    """Paths inside one home folder. Nothing is created until ``prepare``."""

    root: Path

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def database(self) -> Path:
        return self.root / "webui" / "data" / "history.db"

    @property
    def audio(self) -> Path:
        """Recordings that were uploaded, named by job."""
        return self.root / "webui" / "data" / "audio"

    @property
    def presence(self) -> Path:
        """Where the server of this home says that it runs."""
        return self.root / "webui" / "server.json"

    @property
    def scratch(self) -> Path:
        """Safe to delete when nothing runs."""
        return self.root / "temp" / "audio_chunks"

    def prepare(self) -> None:
        """Create the folders. Raises NoPermission where the home cannot be written."""
        try:
            for folder in (self.models, self.audio, self.scratch):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NoPermission(
                f"the home folder {self.root} cannot be written: {error.strerror}",
                hint=f"Choose a writable folder with --home or {ENV_HOME}.",
            ) from error


def find_home(explicit: Path | None = None) -> Home:
    """Return the home: *explicit*, else OFFSCRIBE_HOME, else the per-user data folder."""
    if explicit is not None:
        return Home(explicit.expanduser().resolve())
    if configured := os.environ.get(ENV_HOME):
        return Home(Path(configured).expanduser().resolve())
    return Home(user_data_path("offscribe", appauthor=False))
