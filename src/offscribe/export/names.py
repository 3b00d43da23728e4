"""File names of exports, made from a template."""

from __future__ import annotations

import re
import string

from offscribe.errors import BadOption

DEFAULT_TEMPLATE = "{name}.{ext}"
FIELDS = ("name", "lang", "ext", "index", "model")
MAX_TEMPLATE_CHARS = 200
MAX_NAME_BYTES = 240
"""Of 255 that file systems allow; the rest is for ``.part`` and a number."""
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}$")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
"""Windows: https://learn.microsoft.com/windows/win32/fileio/naming-a-file."""


def check_template(template: str) -> None:
    """Raises BadOption unless *template* can be filled and keeps results apart by {name} or
    {index}, and formats by {ext}."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise _bad(template) from error
    used = {field for _, field, _, _ in parts if field is not None}
    plain = all(not spec and conversion is None for _, _, spec, conversion in parts)
    if (
        len(template) > MAX_TEMPLATE_CHARS
        or not plain
        or not used <= set(FIELDS)
        or "ext" not in used
        or not used & {"name", "index"}
    ):
        raise _bad(template)


def file_name(template: str, *, name: str, lang: str, ext: str, index: int, model: str) -> str:
    """Return *template* filled: one safe file name on any system, at most MAX_NAME_BYTES long.

    *name* is the recording's, its extension is left out; *index* counts from 1.
    """
    stem = _EXTENSION.sub("", name) or name
    filled = template.format(name=stem, lang=lang, ext=ext, index=f"{index:04}", model=model)
    safe = _FORBIDDEN.sub("_", filled).strip(". ") or f"{index:04}.{ext}"
    if _RESERVED.match(safe):
        safe = f"_{safe}"
    if len(safe.encode()) > MAX_NAME_BYTES:
        kept = safe.encode()[: MAX_NAME_BYTES - len(ext) - 1].decode(errors="ignore")
        safe = f"{kept}.{ext}"
    return safe


def numbered(name: str, taken: set[str]) -> str:
    """Return *name*, with a number before its extension where *taken* has it, and add it there.
    Case does not tell names apart: on Windows and macOS it would not."""
    stem, dot, extension = name.rpartition(".")
    candidate, number = name, 2
    while candidate.casefold() in taken:
        candidate = f"{stem} ({number}){dot}{extension}"
        number += 1
    taken.add(candidate.casefold())
    return candidate


def _bad(template: str) -> BadOption:
    return BadOption(
        f"the file name template {template[:100]!r} cannot be used",
        hint="Use {ext} and {name} or {index}; there are also {lang} and {model}.",
    )
