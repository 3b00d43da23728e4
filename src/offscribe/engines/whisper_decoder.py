"""The model itself: sound in, tokens and their times out. Knows nothing of guards or batching.

Everything here is faster-whisper's and CTranslate2's; this file only puts their calls together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from offscribe.engines.whisper_words import Piece
from offscribe.types import SAMPLE_RATE, Samples

SEED = 0
"""Sampling starts from here each time, so the same recording gives the same text."""

Features = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Search:
    """How tokens are chosen: a beam, or at a *temperature* above 0 the best of as many samples."""

    beam_size: int
    temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class Take:
    """What the model wrote for one clip: its text tokens, what they say, and how sure it was.

    average_logprob: natural log, a token. no_speech: probability (0-1) that nobody speaks.
    """

    tokens: tuple[int, ...]
    text: str
    average_logprob: float
    no_speech: float


class Decoder:
    """One loaded Whisper. ``encode``, ``write`` and ``align`` may run in several threads."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._n_frames = model.feature_extractor.nb_max_frames
        self._tokenizer = cache(self._make_tokenizer)
        self.is_multilingual = bool(model.model.is_multilingual)
        self.max_prompt_tokens = model.max_length // 2 - 1
        """Half the decoder's positions, as in training; one is the mark before the prompt."""

    def has_language(self, code: str) -> bool:
        return self._model.hf_tokenizer.token_to_id(f"<|{code}|>") is not None

    def features(self, samples: Samples) -> Features:
        """Log-mel features padded to the model's window, shape (n_mels, n_frames)."""
        from faster_whisper.audio import pad_or_trim

        features = self._model.feature_extractor(samples)
        return np.asarray(pad_or_trim(features[..., : self._n_frames]), dtype=np.float32)

    def encode(self, features: Sequence[Features]) -> Any:
        """The encoder's answer for a batch: opaque, for the methods below."""
        return self._model.encode(np.stack(features))

    def languages(self, encoded: Any) -> list[dict[str, float]]:
        """For each clip, the probability of every language code."""
        return [
            {token.strip("<|>"): probability for token, probability in answers}
            for answers in self._model.model.detect_language(encoded)
        ]

    def text_tokens(self, text: str) -> list[int]:
        """Ids of plain text. What looks like a control token is left out: text from people must
        not steer the decoder."""
        tokenizer = self._tokenizer("en")
        tokens = tokenizer.encode(text.encode("utf-8", errors="replace").decode("utf-8"))
        return [token for token in tokens if token < tokenizer.eot]

    def write(
        self, encoded: Any, n_clips: int, *, language: str, prompt: Sequence[int], search: Search
    ) -> list[Take]:
        """Write down what the *n_clips* of *encoded* say, after the tokens of *prompt*."""
        import ctranslate2
        from faster_whisper.transcribe import get_suppressed_tokens

        tokenizer = self._tokenizer(language)
        start = self._model.get_prompt(tokenizer, list(prompt), without_timestamps=True)
        if search.temperature > 0:
            ctranslate2.set_random_seed(SEED)  # type: ignore[attr-defined]
            choice = {
                "beam_size": 1,
                "num_hypotheses": search.beam_size,
                "sampling_topk": 0,
                "sampling_temperature": search.temperature,
            }
        else:
            choice = {"beam_size": search.beam_size}
        suppressed: Any = get_suppressed_tokens(tokenizer, [-1])  # type: ignore[arg-type]
        results = self._model.model.generate(
            encoded,
            [start] * n_clips,
            max_length=self._model.max_length,
            suppress_tokens=list(suppressed),
            return_scores=True,
            return_no_speech_prob=True,
            **choice,
        )
        return [_take(result, tokenizer) for result in results]

    def align(
        self, encoded: Any, takes: Sequence[Take], *, language: str, durations: Sequence[float]
    ) -> list[list[Piece]]:
        """When each token of each take was said; *durations* are the clips' lengths."""
        frames_a_second = SAMPLE_RATE // self._model.feature_extractor.hop_length
        n_frames = [
            min(max(int(duration * frames_a_second), 2), self._n_frames) for duration in durations
        ]
        alignments = self._model.find_alignment(
            self._tokenizer(language), [list(take.tokens) for take in takes], encoded, n_frames
        )
        return [
            [Piece(item["word"], float(item["start"]), float(item["end"])) for item in items]
            for items in alignments
        ]

    def _make_tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(
            self._model.hf_tokenizer, self.is_multilingual, task="transcribe", language=language
        )


def _take(result: Any, tokenizer: Any) -> Take:
    tokens = tuple(token for token in result.sequences_ids[0] if token < tokenizer.eot)
    n_tokens = len(result.sequences_ids[0])
    return Take(
        tokens,
        tokenizer.decode(list(tokens)).replace("\ufffd", ""),
        # CTranslate2 divides by the length without the end token; the model was sure of that too.
        float(result.scores[0]) * n_tokens / (n_tokens + 1),
        float(result.no_speech_prob),
    )
