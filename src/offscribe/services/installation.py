"""One opened installation: what every command and the server work with."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from offscribe.home import Home
from offscribe.shelf.shelf import Shelf
from offscribe.store.batches import Batches
from offscribe.store.database import Database
from offscribe.store.jobs import Jobs
from offscribe.store.records import Records
from offscribe.store.settings import Settings
from offscribe.types import LoadOptions, ModelCard
from offscribe.worker.models import Models
from offscribe.worker.work import Bench

DEFAULT_MODEL = "whisper-base"


@dataclass(frozen=True, slots=True)
class Installation:
    """A home with its parts opened. *chosen* is the model that was named when it was opened;
    *model_path* is its folder where that lies outside the shelf."""

    home: Home
    database: Database
    jobs: Jobs
    batches: Batches
    records: Records
    settings: Settings
    shelf: Shelf
    chosen: ModelCard | None
    model_path: Path | None
    load: LoadOptions

    @property
    def model_id(self) -> str:
        """The id of ``model``, also where that is gone."""
        return self.chosen.id if self.chosen else self.settings.default_model or DEFAULT_MODEL

    @property
    def model(self) -> ModelCard:
        """The model that is used where nobody names one: the chosen one, else the home's default.
        Raises NotFound where that is gone."""
        return self.chosen or self.shelf.card(self.model_id)

    def bench(self) -> Bench:
        """What a worker inside this process works with; loads nothing yet."""
        models = Models(self.shelf, self.load, extra=self.model_path)
        return Bench(self.home, self.jobs, self.records, models)

    def relative_path(self, path: Path) -> str:
        """*path* as it is stored: relative to the home where it lies inside, so that a copied
        home keeps its recordings."""
        resolved = path.resolve()
        root = self.home.root.resolve()
        return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else str(path)


def open_installation(
    home: Home,
    *,
    model_id: str | None = None,
    model_path: Path | None = None,
    load: LoadOptions | None = None,
) -> Installation:
    """Open *home*, creating what is missing.

    Raises NotFound for an unknown model id, ModelError for an unusable *model_path*, and what
    opening the database raises. A model that is known but not installed is no error here.
    """
    home.prepare()
    shelf = Shelf(home.models)
    chosen = None
    if model_path is not None:
        chosen, model_path = shelf.open_folder(model_path)
    elif model_id is not None:
        chosen = shelf.card(model_id)
    database = Database(home.database)
    return Installation(
        home=home,
        database=database,
        jobs=Jobs(database),
        batches=Batches(database),
        records=Records(database),
        settings=Settings(database),
        shelf=shelf,
        chosen=chosen,
        model_path=model_path,
        load=load or LoadOptions(),
    )


def clean_scratch(home: Home) -> None:
    """Empty the scratch folder. Only while nothing runs in this home."""
    shutil.rmtree(home.scratch, ignore_errors=True)
    home.prepare()
