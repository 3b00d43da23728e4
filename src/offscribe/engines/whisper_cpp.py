"""OpenAI Whisper through whisper.cpp, by the native module of the package pywhispercpp.

Its Python class is passed by: it reaches for the network where a file is not found, and does not
notice when a model could not be loaded. The native module has all that is needed.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from offscribe.engines.base import EngineSpec, card_like
from offscribe.engines.clips import check, is_audible
from offscribe.engines.devices import CPU, DeviceReport, choose_device, has_nvidia_gpu
from offscribe.engines.ggml import GgmlFile, is_whisper, read_ggml
from offscribe.engines.guards import cut_loops, is_parrot, is_repetitive, strip_marks
from offscribe.engines.processors import usable_cores
from offscribe.engines.whisper_family import LANGUAGES, WHISPER, WINDOW_S
from offscribe.engines.whisper_prompts import NO_PROMPT, Prompt, build_prompt
from offscribe.engines.whisper_recognizer import UNHEARD_LOGPROB, UNHEARD_NO_SPEECH
from offscribe.errors import BadOption, DeviceUnusable, ModelDamaged, ModelError, OutOfMemory
from offscribe.types import (
    SAMPLE_RATE,
    Audio,
    Device,
    HubSource,
    Hypothesis,
    LoadOptions,
    ModelCard,
    ModelFile,
    RecognizeOptions,
    Samples,
)

MARKS = ("ggml-*.bin",)
MAX_BEAM = 8
"""WHISPER_MAX_DECODERS of whisper.cpp; it refuses more."""
MIN_S = 1.1
"""It hears nothing in less than a tenth of a second and a bit, before 1.8 in less than one."""
TEMPERATURE_STEP = 0.2
"""The library's own."""
SMALLEST = 1e-10
ERROR_LEVEL = 4
"""GGML_LOG_LEVEL_ERROR."""
BACKENDS: dict[Device, tuple[str, ...]] = {"cuda": ("CUDA",), "mps": ("MTL", "METAL")}
"""How whisper.cpp names what it was built with."""
_WORD = re.compile(r" ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+")


LIKE_ALL = replace(
    WHISPER, engine="whisper_cpp", homepage="https://github.com/ggml-org/whisper.cpp"
)


def _card(name: str, title: str, size_bytes: int, sha256: str) -> ModelCard:
    path = f"ggml-{name}.bin"
    return replace(
        LIKE_ALL,
        id=f"whisper-{name}-ggml",
        title=title,
        files=(ModelFile(path, size_bytes, sha256),),
        origins=(HubSource("huggingface", "ggerganov/whisper.cpp", ((path, path),)),),
    )


CARDS = (
    _card(
        "base",
        "Whisper base (GGML)",
        147_951_465,
        "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe",
    ),
    _card(
        "small",
        "Whisper small (GGML)",
        487_601_967,
        "1be3a9b2063867b937e64e2ec7483364a79917e157fa98c5d94b5c1fffea987b",
    ),
    _card(
        "large-v3-turbo-q5_0",
        "Whisper large v3 turbo (GGML, 5 bits)",
        574_041_195,
        "394221709cd5ad1f40c46e6031ca61bce88931e6e088c188294c6d5a55ffa7e2",
    ),
)


def devices() -> tuple[DeviceReport, ...]:
    """What this build of whisper.cpp has. Whether a GPU answers is only known at loading."""
    import _pywhispercpp

    built_in = _built_in(_pywhispercpp.whisper_print_system_info())
    return (
        _gpu("cuda", built_in, is_present=has_nvidia_gpu()),
        _gpu("mps", built_in, is_present=sys.platform == "darwin"),
        CPU,
    )


def load(card: ModelCard, folder: Path, options: LoadOptions) -> WhisperCppRecognizer:
    """See ``EngineSpec``. The file itself says in which precision it computes."""
    if options.compute_type != "auto":
        raise BadOption(
            f"whisper.cpp has no compute type {options.compute_type!r}",
            hint="Leave it at auto: a GGML file has its precision inside.",
        )
    choice = choose_device(options.device, devices())
    file = read_ggml(_model_file(folder))
    context = _open(card, _model_file(folder).resolve(), choice.device)
    return WhisperCppRecognizer(
        card,
        CppDecoder(context, file, threads=options.threads or usable_cores()),
        device=str(choice),
        batch_size=options.batch_size,
    )


def recognises(folder: Path) -> bool:
    return is_whisper(next(iter(sorted(folder.glob(MARKS[0])))))


def describe(folder: Path) -> ModelCard:
    """The card of a GGML Whisper that is not one of ours."""
    file = read_ggml(_model_file(folder))
    languages = LANGUAGES if file.is_multilingual else ("en",)
    return card_like(LIKE_ALL, folder, languages=languages)


@dataclass(frozen=True, slots=True)
class Task:
    """How to listen: in which *language* of the model, told what, with how wide a beam."""

    language: str
    prompt: Prompt
    beam_size: int


@dataclass(frozen=True, slots=True)
class Take:
    """What the library wrote for one clip. *logprob*: mean natural log-probability of a token."""

    text: str
    logprob: float


class WhisperCppRecognizer:
    """A loaded Whisper. See ``offscribe.types.Recognizer``."""

    def __init__(
        self, card: ModelCard, decoder: CppDecoder, *, device: str, batch_size: int
    ) -> None:
        self.card = card
        self.device = device
        self.batch_size = batch_size
        self._decoder = decoder

    def recognize(self, batch: Sequence[Audio], options: RecognizeOptions) -> list[Hypothesis]:
        """See ``Recognizer.recognize``; raises what ``clips.check`` does, and ModelError.

        With language ``auto`` the whole batch is taken for one language; where nothing was
        audible it stays ``auto``.
        """
        check(self.card, batch, options)
        clips = [audio.samples for audio in batch if is_audible(audio)]
        language = options.language
        if language == "auto" and clips:
            language = self._language_of(clips)
        task = self._task(language, options)
        return [
            Hypothesis(self._hear(audio.samples, task) if is_audible(audio) else "", language)
            for audio in batch
        ]

    def _task(self, language: str, options: RecognizeOptions) -> Task:
        known = language if self._decoder.has_language(language) else "zh"
        prompt = build_prompt(
            known,
            options.hotwords,
            encode=self._decoder.text_tokens,
            max_tokens=self._decoder.max_prompt_tokens,
        )
        return Task(known, prompt, min(options.beam_size, MAX_BEAM))

    def _language_of(self, clips: Sequence[Samples]) -> str:
        """The language of most of the seconds; each clip votes with its probabilities."""
        if not self._decoder.is_multilingual:
            return "en"
        votes = [self._decoder.languages(clip) * len(clip) for clip in clips]
        return self._decoder.language_names[int(np.argmax(np.sum(votes, axis=0)))]

    def _hear(self, samples: Samples, task: Task) -> str:
        take = self._decoder.write(samples, task)
        is_doubtful = not take.text or (
            is_repetitive(take.text)
            or is_parrot(take.text, task.prompt.style, task.prompt.hotwords)
        )
        if is_doubtful or take.logprob < UNHEARD_LOGPROB:
            again = replace(task, prompt=NO_PROMPT) if is_doubtful else task
            take = self._decoder.write_carefully(samples, again)
        return cut_loops(strip_marks(take.text)).strip()


class CppDecoder:
    """One context of whisper.cpp. It holds the state of its last call: one caller at a time."""

    def __init__(self, context: Any, file: GgmlFile, *, threads: int) -> None:
        import _pywhispercpp

        self._native = _pywhispercpp
        self._context = context
        self._file = file
        self._threads = threads
        self._ids = {token: at for at, token in reversed(list(enumerate(file.tokens)))}
        self.is_multilingual = file.is_multilingual
        self.max_prompt_tokens = file.n_text_ctx // 2 - 1
        """The library keeps no more, and cuts at the front."""
        self.language_names: tuple[str, ...] = tuple(
            self._native.whisper_lang_str(at)
            for at in range(self._native.whisper_lang_max_id() + 1)
        )

    def has_language(self, code: str) -> bool:
        """The library knows Cantonese, but in older models its token means something else."""
        return code in self.language_names and (code != "yue" or self._file.has_cantonese)

    def text_tokens(self, text: str) -> list[int]:
        """Ids of plain text, for every word the longest tokens from its start on, as whisper.cpp
        does it. No text gives a control token: those have no bytes here."""
        ids = []
        for word in _WORD.findall(text):
            data = word.encode("utf-8", errors="replace")
            while data:
                end = next((n for n in range(len(data), 1, -1) if data[:n] in self._ids), 1)
                ids += [self._ids[data[:end]]] if data[:end] in self._ids else []
                data = data[end:]
        return ids

    def languages(self, samples: Samples) -> npt.NDArray[np.float32]:
        """The probability of each of ``language_names``."""
        native, context = self._native, self._context
        probabilities = np.zeros(len(self.language_names), np.float32)
        samples = _padded(samples)
        if native.whisper_pcm_to_mel(context, samples, len(samples), self._threads) != 0:
            raise ModelError("whisper.cpp could not take the sound in")
        code = native.whisper_lang_auto_detect(context, 0, self._threads, probabilities)
        if code < 0:
            raise ModelError(f"whisper.cpp could not tell the language: it answers {code}")
        return probabilities

    def write(self, samples: Samples, task: Task) -> Take:
        """What whisper.cpp writes for one window at first; nothing where it gets stuck."""
        return self._run(samples, self._settings(task))

    def write_carefully(self, samples: Samples, task: Task) -> Take:
        """The same with the library's own second thoughts: higher temperatures where it gets stuck
        or is unsure, and nothing where it is unsure and nobody seems to speak.

        It takes the probability of that from the first row of its last logits, and these are only
        the ones meant, after the start token, where the language was asked for just before. Seen
        in 1.8.5; held by tests/integration/test_small_engines.py.
        """
        self.languages(samples)
        settings = self._settings(task)
        settings.no_speech_thold = UNHEARD_NO_SPEECH
        settings.logprob_thold = UNHEARD_LOGPROB
        settings.temperature_inc = TEMPERATURE_STEP
        return self._run(samples, settings)

    def __del__(self) -> None:
        self._native.whisper_free(self._context)

    def _settings(self, task: Task) -> Any:
        """One window, no time tokens, no prompt but ours, no second thoughts, nothing printed."""
        strategies = self._native.whisper_sampling_strategy
        is_greedy = task.beam_size == 1
        settings = self._native.whisper_full_default_params(
            strategies.WHISPER_SAMPLING_GREEDY
            if is_greedy
            else strategies.WHISPER_SAMPLING_BEAM_SEARCH
        )
        if not is_greedy:
            settings.beam_search = {"beam_size": task.beam_size, "patience": -1.0}
        settings.n_threads = self._threads
        settings.language = task.language
        settings.no_timestamps = settings.single_segment = True
        settings.no_context = settings.suppress_nst = True
        settings.temperature_inc = 0.0
        settings.no_speech_thold = 1.0
        settings.print_progress = settings.print_realtime = settings.print_timestamps = False
        if task.prompt.token_ids:
            settings.set_prompt_tokens(list(task.prompt.token_ids))
        return settings

    def _run(self, samples: Samples, settings: Any) -> Take:
        """Raises ModelError."""
        native, context = self._native, self._context
        samples = _padded(samples[: round(WINDOW_S * SAMPLE_RATE)])
        code = native.whisper_full(context, settings, samples, len(samples))
        if code != 0:
            raise ModelError(
                f"whisper.cpp could not decode a chunk: it answers {code}",
                hint="Try a smaller beam or a smaller model.",
            )
        texts, logprobs = [], []
        for at in range(native.whisper_full_n_segments(context)):
            texts.append(bytes(native.whisper_full_get_segment_text(context, at)))
            logprobs += [
                math.log(max(native.whisper_full_get_token_p(context, at, token), SMALLEST))
                for token in range(native.whisper_full_n_tokens(context, at))
            ]
        text = b"".join(texts).decode("utf-8", errors="ignore").strip()
        return Take(text, sum(logprobs) / len(logprobs) if logprobs else 0.0)


def _padded(samples: Samples) -> Samples:
    missing = max(round(MIN_S * SAMPLE_RATE) - len(samples), 0)
    return np.pad(samples, (0, missing)).astype(np.float32)


def _model_file(folder: Path) -> Path:
    """The only GGML file of *folder*. Raises ModelDamaged."""
    files = sorted(folder.glob(MARKS[0]))
    if not files:
        raise ModelDamaged(f"no file {MARKS[0]} is in {folder}")
    if len(files) > 1:
        raise ModelDamaged(
            f"{folder} has {len(files)} files {MARKS[0]}",
            hint="Give every model a folder of its own.",
        )
    return files[0]


def _open(card: ModelCard, path: Path, device: Device) -> Any:
    """A context, or the reason from the library's log: a failure gives a null pointer that cannot
    be told from a context in any other way."""
    import _pywhispercpp

    settings = _pywhispercpp.whisper_context_default_params()
    settings.use_gpu = device != "cpu"
    lines: list[tuple[int, str]] = []
    _pywhispercpp.whisper_log_set(lambda level, text: lines.append((int(level), str(text))))
    try:
        context = _pywhispercpp.whisper_init_from_file_with_params(str(path), settings)
    finally:
        _pywhispercpp.whisper_log_set(None)
    errors = " ".join(text.strip() for level, text in lines if level >= ERROR_LEVEL)
    if not errors and (device == "cpu" or _took_gpu(lines)):
        return context
    _pywhispercpp.whisper_free(context)
    if "alloc" in errors.lower():
        raise OutOfMemory(f"the memory does not suffice to load {card.title}")
    if device != "cpu" and not _took_gpu(lines):
        raise DeviceUnusable(
            f"whisper.cpp could not take the device {device}: {errors or 'it found no GPU'}",
            hint="Choose the device cpu.",
        )
    raise ModelDamaged(f"{card.title} in {path} cannot be read: {errors}")


def _took_gpu(lines: Sequence[tuple[int, str]]) -> bool:
    return any("whisper_backend_init_gpu: using" in text for _, text in lines)


def _built_in(info: str) -> frozenset[str]:
    """The backends in whisper.cpp's line about itself: ``CUDA : ARCHS = 890 | CPU : AVX = 1``."""
    parts = (part.split(":")[0].strip().upper() for part in info.split("|") if ":" in part)
    return frozenset(parts)


def _gpu(device: Device, built_in: frozenset[str], *, is_present: bool) -> DeviceReport:
    if built_in.isdisjoint(BACKENDS[device]):
        reason = f"this build of whisper.cpp has no {BACKENDS[device][-1]}"
        return DeviceReport(device, False, reason, is_present=is_present)
    return DeviceReport(device, True, f"whisper.cpp has {BACKENDS[device][-1]}", is_present=True)


SPEC = EngineSpec(
    name="whisper_cpp",
    title="whisper.cpp",
    cards=CARDS,
    requires=("pywhispercpp",),
    extra="whisper-cpp",
    runtime="ggml",
    marks=MARKS,
    devices=devices,
    load=load,
    recognises=recognises,
    describe=describe,
)
