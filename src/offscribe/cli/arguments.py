"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from offscribe.home import ENV_HOME

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder with models and history.", envvar=ENV_HOME),
]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Id of an installed model; see `offscribe models`.")
]
ModelPathOption = Annotated[
    Path | None, typer.Option("--model-path", help="A model folder, wherever it lies.")
]
DeviceOption = Annotated[
    Literal["auto", "cpu", "cuda", "mps"],
    typer.Option("--device", help="auto takes cuda, then mps, then cpu, and says why."),
]
ThreadsOption = Annotated[
    int, typer.Option("--threads", min=0, max=256, help="0: one a physical core.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
