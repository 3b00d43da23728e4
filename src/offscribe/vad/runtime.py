"""Detector graphs in onnxruntime: one quiet, single-threaded session each."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from offscribe.errors import ModelDamaged, ModelMissing


def open_session(path: Path, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """Load the graph at *path*. Raises ModelMissing, ModelDamaged.

    One thread and no spinning: detection is cheap and must leave the cores to the recognizer.
    """
    if not path.is_file():
        raise ModelMissing(f"{path.name} is missing in {path.parent}")
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own classes have no common public base
        raise ModelDamaged(f"{path} is no graph that onnxruntime can load") from error
