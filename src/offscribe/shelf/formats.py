"""What a folder of weights is, told from its files alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from offscribe.engines.base import EngineSpec
from offscribe.engines.registry import specs
from offscribe.errors import ModelDamaged, ModelError
from offscribe.shelf.manifest import first_wrong_size
from offscribe.types import ModelCard
from offscribe.vad.registry import VAD_CARDS

PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".nemo")
"""Formats that may run code while they are read: PyTorch's are Python pickles."""
CODE = (".py", ".pyc", ".so", ".dll", ".dylib", ".sh", ".bat", ".exe", ".ps1")


@dataclass(frozen=True, slots=True)
class Foreign:
    """A format that is known and cannot be run. *marks* as in EngineSpec."""

    marks: tuple[str, ...]
    what: str
    hint: str


FOREIGN = (
    Foreign(
        ("model.pt", "config.yaml"),
        "an original FunASR checkpoint, a PyTorch pickle, which is not loaded",
        "Take the ONNX or the Hugging Face form: offscribe models pull fun-asr-nano-2512",
    ),
    Foreign(
        ("model.pt", "configuration.json"),
        "an original FunASR checkpoint, a PyTorch pickle, which is not loaded",
        "Take the ONNX or the Hugging Face form: offscribe models pull fun-asr-nano-2512",
    ),
    Foreign(
        ("pytorch_model*.bin",),
        "a PyTorch checkpoint, a pickle, which is not loaded",
        "Take the safetensors, ONNX or CTranslate2 form of the model.",
    ),
    Foreign(("*.gguf",), "a GGUF file for llama.cpp", "Take the ONNX form of the model."),
    Foreign(("*.nemo",), "a NeMo archive", "Take an ONNX form of the model."),
    Foreign(
        ("encoder*.onnx", "joiner*.onnx"),
        "a transducer for sherpa-onnx, which Offscribe has no engine for",
        "See `offscribe models list` for what it can run.",
    ),
    Foreign(("*.tflite",), "a TensorFlow Lite model", "Take the ONNX form of the model."),
    Foreign(("*.mlmodelc",), "a Core ML model", "Take the ONNX form of the model."),
)


def recognised(folder: Path) -> ModelCard:
    """The card of the model whose files lie in *folder*: a known one where all its files are there
    in their sizes, else as the engine describes it.

    Raises ModelDamaged where something is missing, naming it; ModelError where it is a format that
    cannot be run, or none that is known.
    """
    known = [card for spec in specs() for card in spec.cards] + list(VAD_CARDS)
    for card in known:
        if card.files and first_wrong_size(folder, card.files) is None:
            return card
    whole = [spec for spec in specs() if not _missing(spec, folder)]
    for spec in whole:
        if spec.recognises(folder):
            return spec.describe(folder)
    _refuse_foreign(folder)
    _refuse_begun(folder)
    wanted = "; ".join(f"{spec.title}: {', '.join(spec.marks)}" for spec in specs())
    raise ModelError(
        f"no engine recognises the files in {folder}{_architecture(folder)}",
        hint=f"A model folder has, for {wanted}.",
    )


def _refuse_foreign(folder: Path) -> None:
    for foreign in FOREIGN:
        if all(any(folder.glob(mark)) for mark in foreign.marks):
            raise ModelError(f"{folder} holds {foreign.what}", hint=foreign.hint)


def _refuse_begun(folder: Path) -> None:
    """Say what is missing for the engines that miss the fewest files."""
    begun = [spec for spec in specs() if 0 < len(_missing(spec, folder)) < len(spec.marks)]
    if not begun:
        return
    fewest = min(len(_missing(spec, folder)) for spec in begun)
    nearest = [spec for spec in begun if len(_missing(spec, folder)) == fewest]
    missing = "; ".join(f"{spec.title}: {', '.join(_missing(spec, folder))}" for spec in nearest)
    raise ModelDamaged(f"the model folder {folder} is incomplete", hint=f"Missing for {missing}.")


def _missing(spec: EngineSpec, folder: Path) -> list[str]:
    return [mark for mark in spec.marks if not any(folder.glob(mark))]


def _architecture(folder: Path) -> str:
    """What a Hugging Face folder says it is."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return f" (its config.json says model_type {str(config['model_type'])[:40]!r})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
