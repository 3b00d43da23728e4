from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offscribe.errors import BadOption
from offscribe.export.names import MAX_NAME_BYTES, check_template, file_name, numbered


def named(template: str, name: str) -> str:
    return file_name(template, name=name, lang="zh", ext="srt", index=7, model="m")


def test_a_template_is_filled() -> None:
    assert named("{index}-{name}.{lang}.{ext}", "周会.v2.mp3") == "0007-周会.v2.zh.srt"


@pytest.mark.parametrize(
    "template",
    [
        *("{name}", "x.{ext}", "{name", "{}.{ext}", "{name!r}.{ext}", "{name:>99}.{ext}"),
        *("{name.__class__}.{ext}", "{name[0]}.{ext}", "{other}{name}.{ext}", "{name}.{ext}" * 99),
    ],
)
def test_templates_that_mix_results_up_or_reach_into_objects_are_refused(template: str) -> None:
    with pytest.raises(BadOption):
        check_template(template)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd.srt"),
        ("CON.wav", "_CON.srt"),
        ('a<b>:"|?*.wav', "a_b______.srt"),
    ],
)
def test_a_name_stays_one_file_on_every_system(name: str, safe: str) -> None:
    assert named("{name}.{ext}", name) == safe


@given(st.text(max_size=400))
def test_any_name_is_safe_and_keeps_its_extension(name: str) -> None:
    made = named("{name}.{ext}", name)
    assert made.endswith("srt")
    assert len(made.encode(errors="replace")) <= MAX_NAME_BYTES
    assert not set(made) & set('/\\:*?"<>|\0\n')


def test_equal_names_are_numbered_whatever_their_case() -> None:
    taken: set[str] = set()
    names = ["a.srt", "A.srt", "a.txt", "a.srt"]
    assert [numbered(name, taken) for name in names] == [
        *("a.srt", "A (2).srt", "a.txt", "a (3).srt")
    ]
