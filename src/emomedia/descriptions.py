"""Errors about the user's descriptions (session.toml, turns.json): one clear line each.

The line names the file, the key in it (``left.crop.width``, ``turns[3].end``), what belongs there,
what was found, and what to do.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .errors import DescriptionError

ID_PATTERN = re.compile(r"(?!\.)[\w.-]{1,100}")
"""An id: letters of any script, digits, ``_``, ``.`` and ``-``, at most 100, no dot in front."""

ID_BYTES = 200
"""Bytes that an id may take in UTF-8: with what emomedia adds, a file name ends at 255."""

ID_RULE = f"an id (1 to 100 letters, digits, '_', '.' or '-', no dot in front, {ID_BYTES} bytes at most)"

Rule = tuple[str, bool, str]
"""A choice that can be wrong: its name, whether it is right, and what belongs there."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")

MAX_DIGITS = 60
"""Digits before or behind the point that a number may have: more than any double that some script printed."""

_BARE_KEY = re.compile(r"[\w-]{1,40}")

_SHOWN = 80
"""Characters of a found value that a message repeats."""

_SHOWN_BITS = 240
"""Whole numbers with more are shown by their length: writing them out takes long, or is refused."""


def is_id(text: str) -> bool:
    """Whether `text` can be the id of a session, a dialogue or a turn."""
    return ID_PATTERN.fullmatch(text) is not None and len(text.encode(errors="replace")) <= ID_BYTES


def is_text(text: str) -> bool:
    """Whether UTF-8 can hold `text`: JSON can name halves of UTF-16 pairs, no file can hold them."""
    return not _SURROGATE.search(text)


def file_name(identifier: str) -> str:
    """The form in which two ids must differ: some file systems treat names as equal that differ only in
    case or in how their letters are composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", identifier).casefold())


def key_text(location: Iterable[str | int]) -> str:
    """A value's place as readers write it: ``turns[3].words[0].end``."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE_KEY.fullmatch(part) else show(part))
    return text


def show(value: Any) -> str:
    """`value` as a message shows it, on one line and not too long."""
    match value:
        case dict():
            text = "a table"
        case list() | tuple():
            text = f"a list of {len(value)}"
        case None:
            text = "null"
        case bool():
            text = str(value).lower()
        case str():
            text = "'" + value.encode("unicode_escape" if not value.isprintable() else "utf-8").decode() + "'"
        case Fraction():
            text = seconds_text(value)
        case int() if value.bit_length() > _SHOWN_BITS:
            text = f"a number of {value.bit_length()} bits"
        case Decimal() | int() | float() | date() | time():
            text = str(value)
        case _:
            text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def seconds_text(value: Fraction) -> str:
    """A time for people, to a microsecond at most: ``12.44``."""
    return f"{float(value):.6f}".rstrip("0").rstrip(".")


def stretch_text(start: Fraction, end: Fraction) -> str:
    """A stretch of time for people: ``12.44 to 14.98 s``."""
    return f"{seconds_text(start)} to {seconds_text(end)} s"


def description_error(
    source: str | os.PathLike[str],
    location: Sequence[str | int] | str,
    *,
    expected: str,
    found: str,
    remedy: str,
) -> DescriptionError:
    """The error to raise about the value at `location` in the description `source`."""
    key = location if isinstance(location, str) else key_text(location)
    subject = f"{os.fspath(source)}: {key}" if key else os.fspath(source)
    return DescriptionError(subject, expected=expected, found=found, remedy=remedy)


def check_rules(rules: Iterable[Rule], subject: str, *chosen: object) -> None:
    """Refuse the first choice that breaks its rule; it is an attribute of one of `chosen`."""
    for name, right, expected in rules:
        if not right:
            found = next(getattr(owner, name) for owner in chosen if hasattr(owner, name))
            raise DescriptionError(
                f"{subject}: {name}", expected=expected, found=str(found), remedy="choose another value"
            )
