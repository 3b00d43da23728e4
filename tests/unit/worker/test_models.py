from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from offscribe.engines.base import EngineSpec
from offscribe.errors import EngineMissing, ModelMissing
from offscribe.events import Event, ModelLoaded, ModelUnloaded
from offscribe.types import Audio, Hypothesis, LoadOptions, ModelCard, RecognizeOptions, Word
from offscribe.worker.models import ModelInUse, Models, OtherRuntime
from tests.fakes import Clock, Parrot, loud, spoken

RUNTIMES = {"small": "one", "large": "one", "strange": "two", "timer": "three"}
PARROT_CARD = Parrot(lambda _: spoken("")).card
CARDS = {name: replace(PARROT_CARD, id=name, engine=name, times="segment") for name in RUNTIMES}


class Shelf:
    """Has every model of CARDS; *timer* times the words of those that ask for it."""

    def __init__(self, aligner: str | None = None) -> None:
        self._aligner = aligner

    def card(self, model_id: str) -> ModelCard:
        return CARDS[model_id]

    def folder_of(self, model_id: str) -> Path:
        if model_id not in CARDS:
            raise ModelMissing(model_id)
        return Path(model_id)

    def aligner_of(self, _: ModelCard) -> ModelCard | None:
        return CARDS[self._aligner] if self._aligner else None


class Engines:
    """Loads parrots and counts them; *texts* says what each model hears."""

    def __init__(self, texts: dict[str, Hypothesis] | None = None) -> None:
        self.loaded: list[str] = []
        self.cleared: list[str] = []
        self.missing = ""
        self._texts = texts or {}

    def load(self, card: ModelCard, folder: Path, _: LoadOptions) -> Parrot:
        assert folder == Path(card.id)
        self.loaded.append(card.id)
        parrot = Parrot(lambda _: self._texts.get(card.id, spoken("")))
        parrot.card = card
        return parrot

    def require(self, card: ModelCard) -> None:
        if card.id == self.missing:
            raise EngineMissing(card.id)

    def spec(self, name: str) -> EngineSpec:
        return EngineSpec(
            name=name,
            title=name,
            cards=(),
            requires=(),
            extra="",
            runtime=RUNTIMES[name],
            marks=(),
            devices=lambda: (),
            load=self.load,
            recognises=lambda _: False,
            describe=lambda _: PARROT_CARD,
            clear_cache=lambda: self.cleared.append(name),
        )


@pytest.fixture
def engines() -> Engines:
    return Engines()


@pytest.fixture
def said() -> list[Event]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def models(engines: Engines, said: list[Event], clock: Clock) -> Models:
    return made(engines, said, clock)


def made(engines: Engines, said: list[Event], clock: Clock, aligner: str | None = None) -> Models:
    return Models(
        Shelf(aligner),  # type: ignore[arg-type]
        LoadOptions(),
        say=said.append,
        now=clock,
        load=engines.load,
        engine=engines.spec,
        require=engines.require,
    )


def test_a_model_is_loaded_once_and_said(
    models: Models, engines: Engines, said: list[Event]
) -> None:
    for _ in range(3):
        with models.using("small") as recognizer:
            assert recognizer.card.id == "small"
    assert engines.loaded == ["small"]
    assert said == [ModelLoaded("small", "cpu", "a fake")]


def test_another_model_takes_the_place_of_the_first(models: Models, said: list[Event]) -> None:
    models.load("small")
    models.load("large")
    with models.using("large") as recognizer:
        assert recognizer.card.id == "large"
    assert [type(event) for event in said] == [ModelLoaded, ModelUnloaded, ModelLoaded]


def test_what_somebody_uses_is_neither_unloaded_nor_replaced(
    models: Models, engines: Engines
) -> None:
    with models.using("small"):
        with pytest.raises(ModelInUse, match="small is in use"):
            models.unload()
        with pytest.raises(ModelInUse):
            models.load("large")
        models.load("small")
    models.unload()
    assert engines.loaded == ["small"]


def test_another_runtime_takes_another_process_even_after_unloading(models: Models) -> None:
    models.load("small")
    models.unload()
    with pytest.raises(OtherRuntime, match="strange needs the runtime two") as caught:
        models.load("strange")
    assert caught.value.model_id == "strange"
    models.load("large")


def test_a_model_without_its_library_takes_no_other_process(
    models: Models, engines: Engines
) -> None:
    models.load("small")
    engines.missing = "strange"
    with pytest.raises(EngineMissing):
        models.load("strange")


def test_a_model_that_is_in_use_is_named_before_the_other_runtime(models: Models) -> None:
    with models.using("small"), pytest.raises(ModelInUse):
        models.load("strange")


def test_letting_go_clears_the_runtimes_cache(models: Models, engines: Engines) -> None:
    models.unload()
    models.clear_cache()
    assert engines.cleared == []
    models.load("small")
    models.unload()
    assert engines.cleared == ["small"]


def test_only_a_model_that_was_idle_long_enough_is_let_go(
    models: Models, said: list[Event], clock: Clock
) -> None:
    models.load("small")
    clock.at += 50
    with models.using("small"):
        clock.at += 100
        models.unload_idle(60)
    clock.at += 59
    models.unload_idle(60)
    assert ModelUnloaded("small") not in said
    clock.at += 1
    models.unload_idle(60)
    assert said[-1] == ModelUnloaded("small")
    models.unload_idle(60)


def test_two_threads_never_load_two_copies(clock: Clock) -> None:
    class Slow(Engines):
        def load(self, card: ModelCard, folder: Path, options: LoadOptions) -> Parrot:
            entered.set()
            assert may_go_on.wait(10)
            return super().load(card, folder, options)

    entered, may_go_on = threading.Event(), threading.Event()
    slow = Slow()
    models = made(slow, [], clock)
    threads = [threading.Thread(target=models.load, args=("small",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert entered.wait(10)
    may_go_on.set()
    for thread in threads:
        thread.join()
    assert slow.loaded == ["small"]


def hear(models: Models, model_id: str) -> Hypothesis:
    with models.using(model_id) as recognizer:
        [hypothesis] = recognizer.recognize([Audio(loud(2))], RecognizeOptions())
        return hypothesis


def test_an_aligner_times_the_text_of_a_model_that_has_no_times(
    said: list[Event], clock: Clock
) -> None:
    engines = Engines({"small": Hypothesis("今天，很好", "zh"), "timer": spoken("今天狠好")})
    models = made(engines, said, clock, aligner="timer")
    heard = hear(models, "small")
    assert engines.loaded == ["small", "timer"]
    assert heard.text == "今天，很好" == "".join(word.text for word in heard.words)
    assert heard.words[0] == Word("今", 0.0, 0.2)
    assert heard.words[-1] == Word("好", pytest.approx(0.6), pytest.approx(0.8))  # type: ignore[arg-type]
    with models.using("small") as recognizer:
        assert recognizer.card.times == "word"


def test_an_aligner_that_heard_something_else_gives_no_times(
    said: list[Event], clock: Clock
) -> None:
    engines = Engines({"small": Hypothesis("今天很好", "zh"), "timer": spoken("明月几时有")})
    heard = hear(made(engines, said, clock, aligner="timer"), "small")
    assert heard == Hypothesis("今天很好", "zh")
