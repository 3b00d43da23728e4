"""The real loader and decoder on a tiny checkpoint with random weights."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offscribe.engines.funasr_nano_torch import (
    CHAT_TOKENS,
    LOW_FRAME_RATE,
    TorchDecoder,
    n_audio_tokens,
)
from offscribe.engines.nano import NanoRecognizer, Request, token_budget
from offscribe.engines.registry import load_recognizer
from offscribe.errors import BadOption, DeviceUnusable, InputError, ModelDamaged, UnknownLanguage
from offscribe.shelf.shelf import Shelf
from offscribe.types import SAMPLE_RATE, Audio, LoadOptions, RecognizeOptions
from tests.fakes import silence

ZH = RecognizeOptions(language="zh")


def loaded(folder: Path, **options: object) -> NanoRecognizer:
    card, path = Shelf(folder.parent / "none").open_folder(folder)
    recognizer = load_recognizer(card, path, LoadOptions(threads=1, **options))  # type: ignore[arg-type]
    assert isinstance(recognizer, NanoRecognizer)
    return recognizer


@pytest.fixture(scope="module")
def nano(checkpoint: Path) -> NanoRecognizer:
    return loaded(checkpoint)


@pytest.fixture(scope="module")
def decoder(nano: NanoRecognizer) -> TorchDecoder:
    assert isinstance(nano._decoder, TorchDecoder)
    return nano._decoder


def noise(seconds: float, seed: int) -> np.ndarray:
    samples = np.random.default_rng(seed).normal(0, 0.1, round(seconds * SAMPLE_RATE))
    return samples.astype(np.float32)


def test_the_folder_is_known_by_its_files(nano: NanoRecognizer) -> None:
    assert (nano.card.engine, nano.card.times) == ("funasr_nano_torch", "segment")
    assert nano.device.startswith("cpu (")


def test_a_batch_gives_what_its_clips_give_alone(decoder: TorchDecoder) -> None:
    clips = [noise(seconds, seed) for seed, seconds in enumerate((1.0, 3.3, 0.4, 2.0))]
    budgets = [token_budget(len(clip) / SAMPLE_RATE) for clip in clips]
    request = Request("中文", True, ())
    together = decoder.decode(clips, request, budgets)
    alone = [
        decoder.decode([clip], request, [budget])[0]
        for clip, budget in zip(clips, budgets, strict=True)
    ]
    assert together == alone
    assert len(set(together)) > 1


def test_no_text_is_longer_than_its_budget(decoder: TorchDecoder) -> None:
    clips = [noise(1, 1), noise(2, 2)]
    short, long = decoder.decode(clips, Request(None, True, ()), [3, 12])
    assert len(short.encode("utf-8", "surrogateescape")) <= 3 * 3  # a token is a byte
    assert decoder.decode(clips, Request(None, True, ()), [12, 12])[1] == long


def spoken_to(decoder: TorchDecoder, request: Request) -> str:
    prompt = decoder.prompt(request)
    ids = [*prompt.before, *prompt.after]
    text: str = decoder._tokenizer.decode(ids)
    return text


def test_the_prompt_carries_language_itn_and_hotwords(decoder: TorchDecoder) -> None:
    system = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    end = "<|im_end|>\n<|im_start|>assistant\n"
    assert spoken_to(decoder, Request(None, True, ())) == f"{system}语音转写：{end}"
    assert (
        spoken_to(decoder, Request("英文", False, ()))
        == f"{system}语音转写成英文，不进行文本规整：{end}"
    )
    with_hotwords = spoken_to(decoder, Request("中文", True, ("阿里巴巴", "通义")))
    assert "热词列表：[阿里巴巴, 通义]\n语音转写成中文：" in with_hotwords


def test_hotwords_change_what_the_model_computes(decoder: TorchDecoder) -> None:
    clip = [noise(1, 1)]
    plain = decoder.decode(clip, Request("中文", True, ()), [20])
    told = decoder.decode(clip, Request("中文", True, ("阿里巴巴",)), [20])
    assert plain != told


def test_the_contract_holds(nano: NanoRecognizer) -> None:
    assert nano.recognize([], ZH) == []
    quiet = nano.recognize([Audio(silence(2)), Audio(silence(0))], ZH)
    assert [heard.text for heard in quiet] == ["", ""]
    with pytest.raises(InputError):
        nano.recognize([Audio(silence(31))], ZH)
    with pytest.raises(UnknownLanguage):
        nano.recognize([Audio(noise(1, 1))], replace(ZH, language="ko"))
    [heard] = nano.recognize([Audio(noise(1, 1))], ZH)
    assert heard.words == ()


def test_an_eighth_of_thirty_seconds_is_63_tokens() -> None:
    # 500 frames: 250, 125, 63. Frame counts of FunASR's own code with use_low_frame_rate.
    assert n_audio_tokens(500, keeps_eighth=True) == 63
    assert n_audio_tokens(500, keeps_eighth=False) == 500
    assert [n_audio_tokens(n, keeps_eighth=True) for n in (1, 8, 9, 16, 17)] == [1, 1, 2, 2, 3]


def test_both_frame_rates_run_and_differ(checkpoint: Path, tmp_path: Path) -> None:
    low = tmp_path / "low"
    shutil.copytree(checkpoint, low)
    config = json.loads((low / "config.json").read_text("utf-8"))
    (low / "config.json").write_text(json.dumps(config | {LOW_FRAME_RATE: True}), "utf-8")
    clip, request = noise(3, 3), Request("中文", True, ())
    sounds = []
    for folder in (checkpoint, low):
        decoder = loaded(folder)._decoder
        assert isinstance(decoder, TorchDecoder)
        [heard] = decoder._heard([clip])
        sounds.append(len(heard))
        decoder.decode([clip], request, [5])
    assert sounds == [50, 7]  # 298 frames, every sixth; an eighth of them


def test_too_narrow_and_unknown_number_formats_are_refused(checkpoint: Path) -> None:
    with pytest.raises(BadOption, match="overflow"):
        loaded(checkpoint, compute_type="float16")
    with pytest.raises(BadOption, match="int8"):
        loaded(checkpoint, compute_type="int8")


def test_a_device_that_is_not_there_is_refused(checkpoint: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(DeviceUnusable):
        loaded(checkpoint, device="cuda")


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]
)
@pytest.mark.parametrize("share", [0.0, 0.6])
def test_a_file_that_was_cut_off_is_refused(
    checkpoint: Path, tmp_path: Path, name: str, share: float
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(checkpoint, damaged)
    content = (damaged / name).read_bytes()
    (damaged / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelDamaged):
        loaded(damaged)


def test_pickled_weights_are_never_read(checkpoint: Path, tmp_path: Path) -> None:
    import torch

    pickled = tmp_path / "pickled"
    shutil.copytree(checkpoint, pickled)
    (pickled / "model.safetensors").unlink()
    torch.save({"weight": torch.zeros(1)}, pickled / "pytorch_model.bin")
    card, _ = Shelf(tmp_path / "none").open_folder(checkpoint)
    with pytest.raises(ModelDamaged, match="safetensors"):
        load_recognizer(card, pickled, LoadOptions())


def test_loading_and_hearing_reach_for_no_network(checkpoint: Path) -> None:
    script = f"""
from pathlib import Path
from offscribe import guard
watch = guard.install()
import numpy as np
from offscribe.engines.registry import load_recognizer
from offscribe.shelf.shelf import Shelf
from offscribe.types import Audio, LoadOptions, RecognizeOptions
card, folder = Shelf(Path("none")).open_folder(Path({str(checkpoint)!r}))
recognizer = load_recognizer(card, folder, LoadOptions(threads=1))
recognizer.recognize([Audio(np.full(16000, 0.1, np.float32))], RecognizeOptions())
print("attempts", watch.attempts)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "attempts 0" in run.stdout


def changed(checkpoint: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of *checkpoint* with *change* made to its weights."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(checkpoint, folder)
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def test_a_checkpoint_that_lacks_a_weight_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    name = "model.audio_tower.layers.1.self_attn.q_proj.bias"
    partial = changed(checkpoint, tmp_path / "partial", lambda weights: weights.pop(name))
    with pytest.raises(
        ModelDamaged, match=rf"^partial in \S+ lacks 1 of its weights, such as {name}$"
    ):
        loaded(partial)


def test_the_tied_output_layer_is_no_missing_weight(checkpoint: Path, tmp_path: Path) -> None:
    tied = changed(checkpoint, tmp_path / "tied", lambda weights: weights.pop("lm_head.weight"))
    config = json.loads((tied / "config.json").read_text("utf-8"))
    config["tie_word_embeddings"] = config["text_config"]["tie_word_embeddings"] = True
    (tied / "config.json").write_text(json.dumps(config), "utf-8")
    model = loaded(tied, compute_type="bfloat16")._decoder._model  # type: ignore[attr-defined]
    assert model.lm_head.weight is model.get_input_embeddings().weight


@pytest.mark.parametrize("ending", ["<|im_end|>", "<|endoftext|>"])
def test_an_answer_ends_where_the_model_ends_it(
    checkpoint: Path, tmp_path: Path, decoder: TorchDecoder, ending: str
) -> None:
    clip, request = noise(1, 1), Request("中文", True, ())
    embeddings, mask = decoder._embeddings(decoder._heard([clip]), decoder.prompt(request))
    [ids] = decoder._model.generate(
        inputs_embeds=embeddings, attention_mask=mask, do_sample=False, max_new_tokens=8
    ).tolist()
    position = next(index for index in range(2, 8) if ids[index] not in ids[:index])
    end = decoder._tokenizer.convert_tokens_to_ids(ending)

    def swap(weights: dict[str, Any]) -> None:
        rows = weights["lm_head.weight"]
        rows[[ids[position], end]] = rows[[end, ids[position]]]
        if ending not in CHAT_TOKENS:  # unheeded, it would lead on as the other token did
            embeddings = weights["model.language_model.embed_tokens.weight"]
            embeddings[end] = embeddings[ids[position]]

    ends = loaded(changed(checkpoint, tmp_path / "ends", swap))._decoder
    [until_the_end] = decoder.decode([clip], request, [position])
    assert ends.decode([clip], request, [20]) == [until_the_end]


@pytest.mark.parametrize("token", ["<|im_start|>", "<|im_end|>"])
def test_a_tokenizer_without_the_chat_tokens_is_refused(
    checkpoint: Path, tmp_path: Path, token: str
) -> None:
    other = tmp_path / "other"
    shutil.copytree(checkpoint, other)
    path = other / "tokenizer.json"
    path.write_text(path.read_text("utf-8").replace(token, "<|other|>"), "utf-8")
    with pytest.raises(ModelDamaged, match="its model knows"):  # its config adds a new number
        loaded(other)
    (other / "tokenizer_config.json").write_text("{}", "utf-8")
    with pytest.raises(ModelDamaged, match="lacks one of"):
        loaded(other)


def test_pickles_beside_foreign_safetensors_are_never_read(
    checkpoint: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    folder = tmp_path / "beside"
    shutil.copytree(checkpoint, folder)
    (folder / "model.safetensors").rename(folder / "other.safetensors")
    torch.save(load_file(folder / "other.safetensors"), folder / "pytorch_model.bin")
    with pytest.raises(ModelDamaged, match="cannot be read"):
        loaded(folder)


def test_the_sound_is_heard_in_float32_whatever_writes_the_text(checkpoint: Path) -> None:
    model = loaded(checkpoint, compute_type="bfloat16")._decoder._model  # type: ignore[attr-defined]
    parts = (model.model.audio_tower, model.model.multi_modal_projector)
    assert {str(weight.dtype) for part in parts for weight in part.parameters()} == {
        "torch.float32"
    }
    assert str(model.get_input_embeddings().weight.dtype) == "torch.bfloat16"
    assert str(model.lm_head.weight.dtype) == "torch.bfloat16"


def test_bfloat16_writes_a_text(checkpoint: Path) -> None:
    [text] = loaded(checkpoint, compute_type="bfloat16")._decoder.decode(
        [noise(1, 1)], Request("中文", True, ()), [5]
    )
    assert text
