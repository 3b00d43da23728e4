"""Fun-ASR-Nano's ways, the same in every runtime: what it is asked, how much it may write, and
second thoughts about what it wrote.

The prompt's wording and the language names are those the model was trained with. Source: the
published inference code of Fun-ASR (``FunASRNano.get_prompt``) and its model cards.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from offscribe.engines.clips import check, is_audible
from offscribe.engines.guards import cut_loops, is_parrot, is_repetitive, strip_marks
from offscribe.engines.memory import in_halves
from offscribe.types import (
    SAMPLE_RATE,
    Audio,
    Hypothesis,
    ModelCard,
    RecognizeOptions,
    Samples,
)

log = logging.getLogger(__name__)

NANO_LANGUAGES = {"zh": "中文", "en": "英文", "ja": "日文", "yue": "中文"}
"""Fun-ASR-Nano-2512. Cantonese is one of the seven Chinese dialects it knows, under 中文."""
MLT_LANGUAGES = {
    **{"zh": "中文", "en": "英文", "yue": "粤语", "ja": "日文", "ko": "韩文", "vi": "越南语"},
    **{"id": "印尼语", "th": "泰语", "ms": "马来语", "tl": "菲律宾语", "ar": "阿拉伯语"},
    **{"hi": "印地语", "bg": "保加利亚语", "hr": "克罗地亚语", "cs": "捷克语", "da": "丹麦语"},
    **{"nl": "荷兰语", "et": "爱沙尼亚语", "fi": "芬兰语", "el": "希腊语", "hu": "匈牙利语"},
    **{"ga": "爱尔兰语", "lv": "拉脱维亚语", "lt": "立陶宛语", "mt": "马耳他语", "pl": "波兰语"},
    **{"pt": "葡萄牙语", "ro": "罗马尼亚语", "sk": "斯洛伐克语", "sl": "斯洛文尼亚语"},
    **{"sv": "瑞典语"},
}
"""Fun-ASR-MLT-Nano-2512, 31 languages."""
SYSTEM_PROMPT = "You are a helpful assistant."
MAX_HOTWORDS = 100
"""Its authors advise about 100; beyond 200 it writes them where nobody said them."""
MAX_HOTWORD_CHARS = 20
"""Longer ones are sentences; they crowd out the others."""
TOKENS_PER_S = 10.0
TOKENS_AT_LEAST = 20
"""What fast speech needs; what a stuck decoder writes beyond it is thrown away anyway."""
MIN_HALF_S = 2.0
"""A clip is not heard in shorter halves than this."""
CUT_WINDOW_S = 0.02

_CONTEXT_MARKS = ("上下文信息：", "热词列表：")
"""Of the hotword context; nobody says the colon."""
_SPECIAL = re.compile(r"<\|[^|<>]{1,40}\|>|</?think>")
_KANA, _HANGUL, _HAN = re.compile("[ぁ-ヿ]"), re.compile("[가-힣]"), re.compile("[一-鿿]")
_LATIN = re.compile("[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Request:
    """What a decoder is asked. *language*: the model's own name for it, or None for any."""

    language: str | None
    itn: bool
    hotwords: tuple[str, ...]


class Decoder(Protocol):
    """A loaded Fun-ASR-Nano: greedy, one text a clip, special tokens and all."""

    def decode(
        self, clips: Sequence[Samples], request: Request, budgets: Sequence[int]
    ) -> list[str]:
        """Return the text of each clip, written in at most *budgets* tokens. Blocks; raises
        OutOfMemory, or MemoryError or RuntimeError where memory runs out."""
        ...


def names_of(card: ModelCard) -> dict[str, str]:
    """The model's names of the languages of *card*: those of the larger family where it has any
    that Nano does not know."""
    return MLT_LANGUAGES if set(card.languages) - set(NANO_LANGUAGES) else NANO_LANGUAGES


def languages_of(folder_name: str) -> tuple[str, ...]:
    """What a checkpoint of the family knows, as its publisher's names tell (Fun-ASR-MLT-Nano)."""
    return tuple(MLT_LANGUAGES if "mlt" in folder_name.lower() else NANO_LANGUAGES)


def instruction(request: Request) -> str:
    """The line that asks for the transcript, e.g. ``语音转写成中文，不进行文本规整：``."""
    into = f"成{request.language}" if request.language else ""
    return f"语音转写{into}{'' if request.itn else '，不进行文本规整'}："


def context(hotwords: Sequence[str]) -> str:
    """What stands before the instruction where there are hotwords, else nothing."""
    if not hotwords:
        return ""
    return (
        "请结合上下文信息，更加准确地完成语音转写任务。如果没有相关信息，我们会留空。\n\n\n"
        f"**上下文信息：**\n\n\n热词列表：[{', '.join(hotwords)}]\n"
    )


def token_budget(duration: float) -> int:
    """How many tokens *duration* seconds of speech can need."""
    return TOKENS_AT_LEAST + math.ceil(duration * TOKENS_PER_S)


def fitting_hotwords(hotwords: Sequence[str], most: int = MAX_HOTWORDS) -> tuple[str, ...]:
    """The first *most* of *hotwords*, without those that would break the list they stand in. What
    is left out is said in the log."""
    sayable = (_SPECIAL.sub(" ", word) for word in hotwords)  # else it would end the question
    plain = (" ".join(re.sub(r"[\[\],，;；\n\r\t]", " ", word).split()) for word in sayable)
    usable = [word for word in plain if word and len(word) <= MAX_HOTWORD_CHARS]
    fitting = tuple(dict.fromkeys(usable))[:most]
    if len(fitting) < len(hotwords):
        log.warning("%d of %d hotwords are given to the model", len(fitting), len(hotwords))
    return fitting


def cleaned(text: str) -> str:
    """*text* without special tokens, ``/sil``, breath marks and the space around it."""
    return strip_marks(_SPECIAL.sub("", text)).strip()


def heard_language(text: str, languages: Sequence[str]) -> str:
    """The language of *text* as its script tells it; ``auto`` where it cannot."""
    if _KANA.search(text) and "ja" in languages:
        return "ja"
    if _HANGUL.search(text) and "ko" in languages:
        return "ko"
    if _HAN.search(text):
        return "zh"
    if _LATIN.search(text) and set(languages) <= {"zh", "yue", "en", "ja", "ko"}:
        return "en"
    return "auto"


class NanoRecognizer:
    """A loaded Fun-ASR-Nano. See ``offscribe.types.Recognizer``.

    *names* are the model's names of the languages. *max_hotwords*: how many fit beside the sound.
    """

    def __init__(
        self,
        card: ModelCard,
        decoder: Decoder,
        *,
        names: dict[str, str],
        device: str,
        batch_size: int,
        max_hotwords: int = MAX_HOTWORDS,
    ) -> None:
        self.card = card
        self.device = device
        self.batch_size = batch_size
        self._decoder = decoder
        self._names = names
        self._max_hotwords = max_hotwords

    def recognize(self, batch: Sequence[Audio], options: RecognizeOptions) -> list[Hypothesis]:
        """See ``Recognizer.recognize``; raises what ``clips.check`` does, and OutOfMemory.

        With language ``auto`` each chunk's language is told by the script of its text.
        """
        check(self.card, batch, options)
        request = Request(
            language=self._names.get(options.language),
            itn=options.itn,
            hotwords=fitting_hotwords(options.hotwords, self._max_hotwords),
        )
        clips = [audio.samples for audio in batch if is_audible(audio)]
        texts = iter(in_halves(partial(self._hear, request=request), clips))
        return [
            self._hypothesis(next(texts) if is_audible(audio) else "", options) for audio in batch
        ]

    def _hypothesis(self, text: str, options: RecognizeOptions) -> Hypothesis:
        language = options.language
        if language == "auto":
            language = heard_language(text, self.card.languages)
        return Hypothesis(text, language)

    def _hear(self, clips: Sequence[Samples], request: Request) -> list[str]:
        """The text of each clip. What looks invented is heard again without hotwords, then in
        halves; what still loops is said once."""
        texts = self._decode(clips, request)
        if request.hotwords:
            texts = self._again(clips, texts, replace(request, hotwords=()), told=request)
        return [
            self._in_halves(clip, text, request)
            if _is_invented(text, replace(request, hotwords=()))
            else text
            for clip, text in zip(clips, texts, strict=True)
        ]

    def _again(
        self, clips: Sequence[Samples], texts: list[str], request: Request, *, told: Request
    ) -> list[str]:
        doubtful = [index for index, text in enumerate(texts) if _is_invented(text, told)]
        if not doubtful:
            return texts
        log.info("%d of %d clips are heard again without hotwords", len(doubtful), len(clips))
        better = dict(
            zip(
                doubtful,
                self._decode([clips[index] for index in doubtful], request),
                strict=True,
            )
        )
        return [better.get(index, text) for index, text in enumerate(texts)]

    def _in_halves(self, clip: Samples, text: str, request: Request) -> str:
        plain = replace(request, hotwords=())
        if len(clip) >= 2 * MIN_HALF_S * SAMPLE_RATE:
            middle = _quietest_middle(clip)
            halves = [half for half in (clip[:middle], clip[middle:]) if is_audible(Audio(half))]
            text = _joined(self._decode(halves, plain))
        return "" if _is_recited(text, ()) else cut_loops(text)

    def _decode(self, clips: Sequence[Samples], request: Request) -> list[str]:
        if not clips:
            return []
        budgets = [token_budget(len(clip) / SAMPLE_RATE) for clip in clips]
        return [cleaned(text) for text in self._decoder.decode(clips, request, budgets)]


def _is_invented(text: str, request: Request) -> bool:
    return is_repetitive(text) or _is_recited(text, request.hotwords)


def _is_recited(text: str, hotwords: Sequence[str]) -> bool:
    """The instruction itself is no sign: people do say 语音转写."""
    return any(mark in text for mark in _CONTEXT_MARKS) or is_parrot(text, "", hotwords)


def _joined(texts: Sequence[str]) -> str:
    """Chinese and Japanese are written on without a space."""
    joined = ""
    for text in texts:
        needs_space = joined and text and _LATIN.match(joined[-1]) and _LATIN.match(text[0])
        joined += f" {text}" if needs_space else text
    return joined


def _quietest_middle(clip: Samples) -> int:
    """The sample in the middle half of *clip* at which its quietest 20 ms begin."""
    size = round(CUT_WINDOW_S * SAMPLE_RATE)
    first = len(clip) // 4
    frames = clip[first : len(clip) - first]
    frames = frames[: len(frames) // size * size].reshape(-1, size)
    return first + int(np.square(frames).mean(axis=1).argmin()) * size
