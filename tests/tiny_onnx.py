"""Tiny ONNX models of the shapes, names and metadata that sherpa-onnx reads. What they write is
known by construction, so that the real loader and decoder can be held to it."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CACHE = 2048
LFR_DIM = 560
"""Seven frames of 80 mel bands."""


def byte_letters() -> list[str]:
    """The letter that byte-level BPE writes for each byte: printable Latin-1 as it is, the rest
    from U+0100 on. Source: the GPT-2 tokenizer."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    plain += range(ord("®"), ord("ÿ") + 1)
    letters, following = [], 256
    for byte in range(256):
        letters.append(chr(byte) if byte in plain else chr(following))
        following += byte not in plain
    return letters


def vocabulary() -> dict[str, int]:
    names = [*byte_letters(), *SPECIALS]
    return {name: number for number, name in enumerate(names)}


def write_tokenizer(folder: Path) -> None:
    """A Qwen tokenizer whose tokens are single bytes."""
    folder.mkdir(parents=True)
    vocab = vocabulary()
    plain = {name: number for name, number in vocab.items() if name not in SPECIALS}
    (folder / "vocab.json").write_text(json.dumps(plain, ensure_ascii=False), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    added = [
        {
            **{"id": vocab[name], "content": name, "special": True, "normalized": False},
            **{"single_word": False, "lstrip": False, "rstrip": False},
        }
        for name in SPECIALS
    ]
    tokenizer = {
        "version": "1.0",
        "added_tokens": added,
        "pre_tokenizer": {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "use_regex": False,
            "trim_offsets": True,
        },
        "model": {"type": "BPE", "vocab": plain, "merges": []},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")


def write_nano(folder: Path, *, says: str, triggers: dict[str, str], cache: int = CACHE) -> None:
    """A Fun-ASR-Nano that writes *says* (each letter once), and for a prompt that holds the letter
    of a trigger, that trigger's text. All letters are ASCII."""
    vocab = vocabulary()
    n_tokens = len(vocab)
    follows = np.zeros((n_tokens, n_tokens), np.float32)
    for text in (says, *triggers.values()):
        for one, following in zip(text, [*text[1:], "<|im_end|>"], strict=True):
            follows[vocab[one], vocab[following]] = 10
    follows[vocab[byte_letters()[ord("\n")]], vocab[says[0]]] = 10
    pulls = np.zeros((n_tokens, n_tokens), np.float32)
    for letter, text in triggers.items():
        pulls[vocab[letter], vocab[text[0]]] = 50
    write_tokenizer(folder / "Qwen3-0.6B")
    _save(
        folder / "encoder_adaptor.int8.onnx",
        [helper.make_node("MatMul", ["features", "weights"], ["embeddings"])],
        inputs=[_floats("features", 1, "frames", LFR_DIM)],
        outputs=[_floats("embeddings", 1, "frames", n_tokens)],
        weights={"weights": np.zeros((LFR_DIM, n_tokens), np.float32)},
        metadata={"lfr_window_size": 7, "lfr_window_shift": 6, "llm_dim": n_tokens},
    )
    _save(
        folder / "embedding.int8.onnx",
        [helper.make_node("Gather", ["table", "input_ids"], ["embeddings"])],
        inputs=[_numbers("input_ids", 1, "length")],
        outputs=[_floats("embeddings", 1, "length", n_tokens)],
        weights={"table": np.eye(n_tokens, dtype=np.float32)},
        metadata={"hidden_size": n_tokens},
    )
    _save(
        folder / "llm.int8.onnx",
        [
            helper.make_node("MatMul", ["inputs_embeds", "follows"], ["next"]),
            helper.make_node("ReduceSum", ["inputs_embeds", "axis"], ["all"], keepdims=1),
            helper.make_node("MatMul", ["all", "pulls"], ["pulled"]),
            helper.make_node("Add", ["next", "pulled"], ["logits"]),
            helper.make_node("Slice", ["inputs_embeds", "zero", "one", "last"], ["thin"]),
            helper.make_node("Unsqueeze", ["thin", "last"], ["key_delta_0"]),
            helper.make_node("Unsqueeze", ["thin", "last"], ["value_delta_0"]),
        ],
        inputs=[
            _floats("inputs_embeds", 1, "length", n_tokens),
            _numbers("attention_mask", 1, "total"),
            _numbers("cache_position", "length"),
            _floats("past_key_0", 1, cache, 1, 1),
            _floats("past_value_0", 1, cache, 1, 1),
        ],
        outputs=[
            _floats("logits", 1, "length", n_tokens),
            _floats("key_delta_0", 1, "length", 1, 1),
            _floats("value_delta_0", 1, "length", 1, 1),
        ],
        weights={
            "follows": follows,
            "pulls": pulls,
            "axis": np.array([1]),
            "zero": np.array([0]),
            "one": np.array([1]),
            "last": np.array([2]),
        },
        metadata={
            "vocab_size": n_tokens,
            "hidden_size": n_tokens,
            "num_layers": 1,
            "max_total_len": cache,
            "model_type": "tiny_kv_delta",
        },
    )


def write_sense_voice(
    folder: Path, spoken: dict[int, str], *, is_nano: bool = True, leaving_out: str = ""
) -> None:
    """A CTC model that says each token of *spoken* at its LFR frame (60 ms), whatever it hears:
    Nano's CTC head, or SenseVoice, whose first four frames are its tags."""
    names = ["<blank>", *dict.fromkeys(spoken.values())]
    tags = [] if is_nano else ["<|zh|>", "<|NEUTRAL|>", "<|Speech|>", "<|withitn|>"]
    names += tags
    at = dict(enumerate(tags)) | {frame + len(tags): token for frame, token in spoken.items()}
    table = np.zeros((1000, len(names)), np.float32)
    for frame in range(len(table)):
        table[frame, names.index(at.get(frame, "<blank>"))] = 10
    features = [_floats("x", 1, "frames", LFR_DIM)]
    lengths = [] if is_nano else [_small(name, 1) for name in ("x_length", "language", "text_norm")]
    metadata: dict[str, object] = {
        "comment": "Fun-ASR-Nano CTC" if is_nano else "SenseVoice",
        "model_type": "sense_voice_ctc",
        "vocab_size": len(names),
        "lfr_window_size": 7,
        "lfr_window_shift": 6,
        "normalize_samples": 0,
    }
    if not is_nano:
        languages = ("auto", "zh", "en", "ja", "ko", "yue")
        metadata |= {f"lang_{code}": number for number, code in enumerate(languages)}
        metadata |= {"with_itn": 14, "without_itn": 15}
        metadata |= {key: ",".join(["1"] * LFR_DIM) for key in ("neg_mean", "inv_stddev")}
    metadata.pop(leaving_out, None)
    _save(
        folder / "model.int8.onnx",
        [
            helper.make_node("Shape", ["x"], ["frames"], start=1, end=2),
            helper.make_node("Add", ["frames", "n_tags"], ["all_frames"]),
            helper.make_node("Slice", ["table", "zero", "all_frames", "zero"], ["rows"]),
            helper.make_node("Unsqueeze", ["rows", "zero"], ["logits"]),
        ],
        inputs=[*features, *lengths],
        outputs=[_floats("logits", 1, "length", len(names))],
        weights={"table": table, "zero": np.array([0]), "n_tags": np.array([len(tags)])},
        metadata=metadata,
    )
    if is_nano:  # its tokens are bytes, in base64
        names = [b64encode(name.replace("▁", " ").encode()).decode() for name in names]
    lines = (f"{name} {number}\n" for number, name in enumerate(names))
    (folder / "tokens.txt").write_text("".join(lines), "utf-8")


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    *,
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    weights: dict[str, np.ndarray],
    metadata: dict[str, object],
) -> None:
    stored = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def _floats(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _numbers(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64, shape)


def _small(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT32, shape)
