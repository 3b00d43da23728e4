"""What a folder of weights is, told from its files alone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from offscribe.engines.base import EngineSpec
from offscribe.engines.registry import specs
from offscribe.errors import ModelDamaged, ModelError
from offscribe.shelf.manifest import first_wrong_size
from offscribe.types import ModelCard
from offscribe.vad.registry import VAD_CARDS

PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".nemo", ".ptl", ".joblib", ".pdparams")
"""Formats that may run code while they are read: PyTorch's are Python pickles."""
CODE = (".py", ".pyc", ".so", ".dll", ".dylib", ".sh", ".bat", ".cmd", ".exe", ".ps1")
_PICKLE_MAGICS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04")
"""How a ``.bin`` of PyTorch begins: a zip since version 1.6, a bare pickle before. Neither
CTranslate2 nor GGML begins so."""
_WEIGHTS = (".onnx", ".bin", ".safetensors", ".mdl")
ONNX_HINT = "Take the ONNX form of the model."
FUNASR_HINTS = (
    ("FunASRNano", "fun-asr-nano-2512 (ONNX) or fun-asr-nano-2512-hf (safetensors)"),
    ("SenseVoice", "sensevoice-small"),
    ("Paraformer", "paraformer-zh"),
    ("", "fun-asr-nano-2512, sensevoice-small or paraformer-zh"),
)
"""Part of the class that FunASR's config.yaml names, and the models that stand for it here."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A format that is known and cannot be run. *marks* as in EngineSpec."""

    marks: tuple[str, ...]
    what: str
    hint: str


FOREIGN = (
    Foreign(
        ("pytorch_model*.bin",),
        "a PyTorch checkpoint, a pickle, which is not loaded",
        "Take the safetensors, ONNX or CTranslate2 form of the model.",
    ),
    Foreign(("*.gguf",), "a GGUF file for llama.cpp", ONNX_HINT),
    Foreign(("*.nemo",), "a NeMo archive, which holds pickles", ONNX_HINT),
    Foreign(
        ("encoder*.onnx", "joiner*.onnx"),
        "a transducer (zipformer) for sherpa-onnx, which Offscribe has no engine for",
        "See `offscribe models list` for what it can run.",
    ),
    Foreign(("*.tflite",), "a TensorFlow Lite model", ONNX_HINT),
    Foreign(("*.mlmodelc",), "a Core ML model", ONNX_HINT),
    Foreign(("*.mlpackage",), "a Core ML model", ONNX_HINT),
    Foreign(("*.mlmodel",), "a Core ML model", ONNX_HINT),
)


def recognised(folder: Path) -> ModelCard:
    """The card of the model whose files lie in *folder*: a known one where all its files are there
    in their sizes, else as ``described``. Raises like it."""
    known = [card for spec in specs() for card in spec.cards] + list(VAD_CARDS)
    for card in known:
        if card.files and first_wrong_size(folder, card.files) is None:
            return card
    return described(folder)


def described(folder: Path) -> ModelCard:
    """The card of the model in *folder* as its engine describes it, known or not.

    Raises ModelDamaged where something is missing, naming it; ModelError where it is a format that
    cannot be run, or none that is known.
    """
    whole = [spec for spec in specs() if not _missing(spec, folder)]
    for spec in whole:
        if spec.recognises(folder):
            return spec.describe(folder)
    _refuse_foreign(folder)
    _refuse_pickles(folder)
    if not whole:
        _refuse_begun(folder)
    wanted = "; ".join(f"{spec.title}: {', '.join(spec.marks)}" for spec in specs())
    raise ModelError(
        f"no engine recognises the files in {folder}{_architecture(folder)}",
        hint=f"A model folder has, for {wanted}.",
    )


def is_pickled(path: Path) -> bool:
    """Whether reading the file as weights could run code. Looks at its name and first bytes."""
    if path.suffix.lower() in PICKLES:
        return True
    if path.suffix.lower() != ".bin":
        return False
    with path.open("rb") as file:
        return file.read(4).startswith(_PICKLE_MAGICS)


def _refuse_foreign(folder: Path) -> None:
    is_configured = (folder / "config.yaml").is_file() or (folder / "configuration.json").is_file()
    if (folder / "model.pt").is_file() and is_configured:
        raise ModelError(
            f"{folder} holds an original FunASR checkpoint, a PyTorch pickle, which is not loaded",
            hint=f"Take the form that Offscribe runs: offscribe models pull ID, where ID is"
            f" {_instead_of_funasr(folder)}.",
        )
    for foreign in FOREIGN:
        if all(any(folder.glob(mark)) for mark in foreign.marks):
            raise ModelError(f"{folder} holds {foreign.what}", hint=foreign.hint)


def _instead_of_funasr(folder: Path) -> str:
    try:
        text = (folder / "config.yaml").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        text = ""
    named = re.search(r"^model:\s*(\S+)", text, re.MULTILINE)
    name = named[1] if named else ""
    return next(models for part, models in FUNASR_HINTS if part in name)


def _refuse_pickles(folder: Path) -> None:
    """Pickles that lie beside weights of an engine are no reason to call the folder theirs."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    pickled = next((path.name for path in files if is_pickled(path)), None)
    marks = [mark for spec in specs() for mark in spec.marks if mark.endswith(_WEIGHTS)]
    weights = [path for mark in marks for path in folder.glob(mark) if not is_pickled(path)]
    if pickled is not None and not weights:
        raise ModelError(
            f"{folder} holds a PyTorch checkpoint ({pickled[:60]}), a pickle: reading it could run"
            " any code, so it is not loaded",
            hint="Take the safetensors, ONNX, GGML or CTranslate2 form of the model.",
        )


def _refuse_begun(folder: Path) -> None:
    """Say what is missing for the engines that miss the fewest files."""
    begun = [spec for spec in specs() if 0 < len(_missing(spec, folder)) < len(spec.marks)]
    if not begun:
        return
    fewest = min(len(_missing(spec, folder)) for spec in begun)
    nearest = [spec for spec in begun if len(_missing(spec, folder)) == fewest]
    missing = "; ".join(f"{spec.title}: {', '.join(_missing(spec, folder))}" for spec in nearest)
    raise ModelDamaged(
        f"the model folder {folder} is incomplete{_architecture(folder)}",
        hint=f"Missing for {missing}.",
    )


def _missing(spec: EngineSpec, folder: Path) -> list[str]:
    return [mark for mark in spec.marks if not any(folder.glob(mark))]


def _architecture(folder: Path) -> str:
    """What a Hugging Face folder says it is."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return f" (its config.json says model_type {str(config['model_type'])[:40]!r})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
