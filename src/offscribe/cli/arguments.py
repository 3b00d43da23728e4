"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from offscribe.home import ENV_HOME
from offscribe.types import LoadOptions

DEFAULT_LOAD = LoadOptions()

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
BatchSizeOption = Annotated[
    int, typer.Option("--batch-size", min=1, max=256, help="Chunks that are recognised at once.")
]
ComputeTypeOption = Annotated[
    str,
    typer.Option("--compute-type", help="auto, or what the engine knows: int8, float16, bfloat16…"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
