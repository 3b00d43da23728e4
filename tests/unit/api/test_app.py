from __future__ import annotations

import subprocess
import sys

import pytest

from offscribe.api.guarding import _host_name
from offscribe.api.records import attachment


def test_the_server_process_imports_no_recognition_library() -> None:
    libraries = {"ctranslate2", "faster_whisper", "torch", "sherpa_onnx"}
    imports = "import sys, offscribe.cli.main, offscribe.api.app"
    script = f"{imports}; print(sorted({libraries} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        ("127.0.0.1:7860", "127.0.0.1"),
        ("LOCALHOST", "localhost"),
        ("[::1]:7860", "::1"),
        ("user@evil.example:1", "evil.example"),
        ("", ""),
    ],
)
def test_a_host_is_read_without_its_port(authority: str, name: str) -> None:
    assert _host_name(authority) == name


def test_a_download_keeps_its_name_and_cannot_break_the_header() -> None:
    header = attachment('周会"\r\nx: y.srt')
    assert "\r" not in header
    assert "\n" not in header
    assert header.count('"') == 2
    assert "filename*=UTF-8''%E5%91%A8%E4%BC%9A%22%0D%0Ax%3A%20y.srt" in header
