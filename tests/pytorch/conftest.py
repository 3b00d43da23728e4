"""A tiny Fun-ASR-Nano of the real format, with random weights."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.tiny_onnx import SPECIALS, vocabulary, write_tokenizer


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """PyTorch is large; `bash test.sh torch` installs it and insists on these tests."""
    if find_spec("torch") is None and "OFFSCRIBE_TORCH_TESTS" not in os.environ:
        return True if collection_path.name.startswith("test_") else None
    return None


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny checkpoint."""
    import torch
    from transformers import FunAsrNanoConfig, FunAsrNanoForConditionalGeneration

    folder = tmp_path_factory.mktemp("models") / "tiny-nano-hf"
    vocab = vocabulary()
    n_tokens = len(vocab)
    config = FunAsrNanoConfig(
        audio_config={
            "model_type": "fun_asr_nano_encoder",
            **{"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 32},
            **{"num_hidden_layers": 4, "num_timestamp_prediction_layers": 1},
        },
        adaptor_config={
            **{"hidden_size": 64, "num_attention_heads": 2, "intermediate_size": 16},
            **{"num_hidden_layers": 1, "projector_hidden_size": 32},
        },
        text_config={
            "model_type": "qwen3",
            **{"vocab_size": n_tokens, "hidden_size": 64, "intermediate_size": 64},
            **{"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1},
            **{"head_dim": 32, "tie_word_embeddings": False},
        },
        audio_token_id=vocab["<|endoftext|>"],
        tie_word_embeddings=False,  # tied, random weights repeat the last token for ever
        initializer_range=0.3,
    )
    torch.manual_seed(5)
    FunAsrNanoForConditionalGeneration(config).save_pretrained(folder)
    write_tokenizer(folder / "tokenizer")
    tokenizer = json.loads((folder / "tokenizer" / "tokenizer.json").read_text("utf-8"))
    tokenizer["decoder"] = {**tokenizer["pre_tokenizer"]}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "eos_token": "<|im_end|>",
                "pad_token": "<|endoftext|>",
                "additional_special_tokens": list(SPECIALS),
            }
        ),
        "utf-8",
    )
    return folder
