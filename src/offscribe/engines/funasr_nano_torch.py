"""Fun-ASR-Nano on PyTorch, through transformers: batched, for CUDA, Apple's GPU and the CPU."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offscribe.engines.base import EngineSpec, card_like
from offscribe.engines.config_json import read_config
from offscribe.engines.devices import CPU, DeviceReport, choose_device, has_nvidia_gpu
from offscribe.engines.failures import load_failure
from offscribe.engines.nano import (
    NANO_LANGUAGES,
    SYSTEM_PROMPT,
    NanoRecognizer,
    Request,
    context,
    instruction,
    languages_of,
    names_of,
)
from offscribe.engines.nano_features import nano_features
from offscribe.engines.processors import usable_cores
from offscribe.errors import BadOption, ModelDamaged, OffscribeError
from offscribe.types import Device, HubSource, LoadOptions, ModelCard, Samples

MARKS = ("config.json", "tokenizer.json", "tokenizer_config.json", "*.safetensors")
"""Pickled weights (.bin, .pt) are never loaded: reading them runs code."""
REPO = "FunAudioLLM/Fun-ASR-Nano-2512-hf"
LOW_FRAME_RATE = "offscribe_low_frame_rate"
"""A key of config.json: keep only the first eighth of the adaptor's frames. See
docs/decisions/0006-fun-asr-nano-runtimes.md."""
COMPUTE_TYPES: dict[Device, str] = {"cuda": "bfloat16", "mps": "float32", "cpu": "float32"}
"""What ``auto`` takes: bfloat16 where the hardware is made for it. It is the language model's;
encoder and adaptor always compute in float32, as FunASR's own code has them: their first layer adds
positions of size 1 to values of some 200, which bfloat16 holds in steps of 1."""
CHAT_TOKENS = ("<|im_start|>", "<|im_end|>")
END_TOKENS = ("<|im_end|>", "<|endoftext|>")
"""Qwen3 ends an answer with the first, and may end a text with the second."""

NANO_HF = ModelCard(
    id="fun-asr-nano-2512-hf",
    title="Fun-ASR-Nano-2512 (PyTorch)",
    engine="funasr_nano_torch",
    kind="recognizer",
    licence="Apache-2.0",
    homepage="https://github.com/FunAudioLLM/Fun-ASR",
    languages=tuple(NANO_LANGUAGES),
    times="segment",
    aligned_by=("fun-asr-nano-2512-ctc",),
    max_chunk_s=30.0,
    takes_hotwords=True,
    approximate_bytes=2_000_000_000,
    origins=tuple(
        HubSource(
            hub,
            REPO,
            (
                *((name, name) for name in MARKS[:3]),
                ("model.safetensors", "model.safetensors"),
                ("generation_config.json", "generation_config.json"),
            ),
        )
        for hub in ("huggingface", "modelscope")
    ),
)


def devices() -> tuple[DeviceReport, ...]:
    """What this PyTorch can use here."""
    import torch

    mps = torch.backends.mps.is_available()
    return (
        _cuda(torch),
        DeviceReport(
            "mps",
            mps,
            "Apple GPU found" if mps else "no Apple GPU",
            is_present=mps or sys.platform == "darwin",
        ),
        CPU,
    )


def load(card: ModelCard, folder: Path, options: LoadOptions) -> NanoRecognizer:
    """See ``EngineSpec``. Reads everything from *folder*, and only safetensors."""
    import torch

    choice = choose_device(options.device, devices())
    compute_type = _compute_type(options.compute_type, choice.device)
    if choice.device == "cpu":
        torch.set_num_threads(options.threads or usable_cores())
    model, tokenizer = _open(card, folder, choice.device, compute_type)
    decoder = TorchDecoder(
        model, tokenizer, keeps_eighth=bool(read_config(folder).get(LOW_FRAME_RATE))
    )
    return NanoRecognizer(
        card, decoder, names=names_of(card), device=str(choice), batch_size=options.batch_size
    )


def recognises(folder: Path) -> bool:
    return read_config(folder).get("model_type") == "fun_asr_nano"


def describe(folder: Path) -> ModelCard:
    """The card of a checkpoint that is not the publisher's."""
    return card_like(NANO_HF, folder, languages=languages_of(folder.name))


def clear_cache() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch is not None and torch.backends.mps.is_available():
        torch.mps.empty_cache()


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids before and after the sound."""

    before: list[int]
    after: list[int]


def n_audio_tokens(n_frames: int, *, keeps_eighth: bool) -> int:
    """How many of the adaptor's *n_frames* go into the language model.

    All of them, as in transformers and sherpa-onnx; or the first eighth, as FunASR's own code
    counts it with ``use_low_frame_rate``: halved three times, rounded up each time.
    """
    if not keeps_eighth:
        return n_frames
    for _ in range(3):
        n_frames = (n_frames + 1) // 2
    return n_frames


class TorchDecoder:
    """See ``nano.Decoder``: one padded batch, greedy."""

    def __init__(self, model: Any, tokenizer: Any, *, keeps_eighth: bool = False) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._keeps_eighth = keeps_eighth
        ends = (tokenizer.convert_tokens_to_ids(token) for token in END_TOKENS)
        self._ends = [end for end in ends if end is not None]

    def decode(
        self, clips: Sequence[Samples], request: Request, budgets: Sequence[int]
    ) -> list[str]:
        import torch

        prompt = self.prompt(request)
        with torch.inference_mode():
            embeddings, mask = self._embeddings(self._heard(clips), prompt)
            written = self._model.generate(
                inputs_embeds=embeddings,
                attention_mask=mask,
                do_sample=False,
                num_beams=1,
                max_new_tokens=max(budgets),
                eos_token_id=self._ends,
                pad_token_id=self._ends[0],
            )
        return [
            self._tokenizer.decode(row[:budget], skip_special_tokens=True)
            for row, budget in zip(written.tolist(), budgets, strict=True)
        ]

    def prompt(self, request: Request) -> Prompt:
        """The chat around the sound, in the words of ``engines.nano``."""
        before = (
            f"<|im_start|>system\n{SYSTEM_PROMPT}<|im_end|>\n"
            f"<|im_start|>user\n{context(request.hotwords)}{instruction(request)}"
        )
        after = "<|im_end|>\n<|im_start|>assistant\n"
        return Prompt(
            *(self._tokenizer.encode(text, add_special_tokens=False) for text in (before, after))
        )

    def _heard(self, clips: Sequence[Samples]) -> list[Any]:
        """The sound of each clip as embeddings of shape (n_audio_tokens, width)."""
        import torch

        features = [torch.from_numpy(nano_features(clip)) for clip in clips]
        lengths = [len(rows) for rows in features]
        padded = torch.nn.utils.rnn.pad_sequence(features, batch_first=True)
        mask = torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]
        heard = self._model.get_audio_features(
            padded.to(self._model.device),
            mask.to(self._model.device, torch.long),
            return_dict=True,
        ).pooler_output
        return [
            rows[: n_audio_tokens(len(rows), keeps_eighth=self._keeps_eighth)]
            for rows in heard.split(lengths)
        ]

    def _embeddings(self, heard: Sequence[Any], prompt: Prompt) -> tuple[Any, Any]:
        """Prompt and sound of each clip, padded at the left, and the mask of the rest."""
        import torch

        device = self._model.device
        embed = self._model.get_input_embeddings()
        before, after = (
            embed(torch.tensor(ids, device=device)) for ids in (prompt.before, prompt.after)
        )
        rows = [torch.cat([before, sound.to(before.dtype), after]) for sound in heard]
        length = max(len(row) for row in rows)
        embeddings = torch.stack(
            [torch.nn.functional.pad(row, (0, 0, length - len(row), 0)) for row in rows]
        )
        mask = torch.zeros(len(rows), length, dtype=torch.long, device=device)
        for index, row in enumerate(rows):
            mask[index, length - len(row) :] = 1
        return embeddings, mask


def _open(card: ModelCard, folder: Path, device: Device, compute_type: str) -> tuple[Any, Any]:
    import torch
    from transformers import AutoTokenizer, FunAsrNanoForConditionalGeneration

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model, found = FunAsrNanoForConditionalGeneration.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
        _check(card, folder, model, tokenizer, missing=found["missing_keys"])
        for part in (model.model.language_model, model.lm_head):
            part.to(getattr(torch, compute_type))
        # transformers 5.23 leaves the adaptor without one and then ignores its padding mask: a
        # short clip in a batch would hear the silence behind it.
        adaptor = model.config.adaptor_config
        adaptor._attn_implementation = model.config._attn_implementation
        return model.to(device).eval(), tokenizer
    except OffscribeError:
        raise
    except Exception as error:  # safetensors and tokenizers raise bare ones
        raise load_failure(error, card, folder, device) from error


def _check(
    card: ModelCard, folder: Path, model: Any, tokenizer: Any, *, missing: Collection[str]
) -> None:
    """Raise ModelDamaged where weights are missing, for which transformers makes random numbers up,
    or where the tokenizer writes what the weights do not know."""
    if missing:
        raise ModelDamaged(
            f"{card.title} in {folder} lacks {len(missing)} of its weights, such as {min(missing)}"
        )
    ids = [tokenizer.convert_tokens_to_ids(token) for token in CHAT_TOKENS]
    if None in ids or tokenizer.unk_token_id in ids:
        raise ModelDamaged(f"the tokenizer in {folder} lacks one of {', '.join(CHAT_TOKENS)}")
    n_known = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > n_known:
        raise ModelDamaged(
            f"the tokenizer in {folder} has {len(tokenizer)} tokens, its model knows {n_known}"
        )


def _compute_type(requested: str, device: Device) -> str:
    if requested == "auto":
        return COMPUTE_TYPES[device]
    if requested == "float16":
        raise BadOption(
            "float16 is too narrow for this model: its adaptor's values overflow",
            hint="Take bfloat16, which needs as little memory, or float32.",
        )
    if requested not in ("bfloat16", "float32"):
        raise BadOption(
            f"PyTorch has no compute type {requested!r} for this model",
            hint="Choose auto, bfloat16 or float32.",
        )
    return requested


def _cuda(torch: Any) -> DeviceReport:
    if torch.cuda.is_available():
        return DeviceReport("cuda", True, torch.cuda.get_device_name(0), is_present=True)
    is_present = has_nvidia_gpu()
    if torch.version.cuda is None:
        return DeviceReport("cuda", False, "this PyTorch is built for the CPU", is_present)
    if is_present:
        reason = "there is an NVIDIA GPU, but PyTorch cannot use its driver"
        return DeviceReport("cuda", False, reason, is_present=True)
    return DeviceReport("cuda", False, "no CUDA device")


SPEC = EngineSpec(
    name="funasr_nano_torch",
    title="transformers (Fun-ASR-Nano)",
    cards=(NANO_HF,),
    requires=("torch", "transformers"),
    extra="torch",
    runtime="torch",
    marks=MARKS,
    devices=devices,
    load=load,
    recognises=recognises,
    describe=describe,
    clear_cache=clear_cache,
)
