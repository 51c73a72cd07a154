"""Types of single values: times, rates, ids, paths, counts; each refuses anything else, with a remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from ..descriptions import ID_RULE, MAX_DIGITS, is_id, is_text
from ..timeline import MAX_RATE_TERM

MAX_SECONDS = 1_000_000
"""No time of a session is further from zero: eleven days."""

MAX_CAMERA_DISTANCE = 100
"""Metres; a larger number was meant in another unit."""

MAX_PIXELS = 1 << 16
"""No frame is wider or higher."""

MAX_CHANNEL = 1 << 10
"""No recorder has more channels."""

MAX_FRAMES = 1 << 31
"""No session has more frames."""

_RATE = re.compile(r"([1-9][0-9]{0,9})/([1-9][0-9]{0,9})")

_PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def refusal(expected: str, remedy: str) -> PydanticCustomError:
    """The error to raise about a value; :mod:`.validation` words it."""
    return PydanticCustomError("emomedia", "{expected}", {"expected": expected, "remedy": remedy})


def _number(expected: str, least: int, most: int) -> Callable[[Any], Fraction]:
    """A validator of exact numbers from `least` to `most`; binary floats, NaN and booleans are refused."""

    def validate(value: Any) -> Fraction:
        exact = isinstance(value, int | Decimal | Fraction) and not isinstance(value, bool)
        if isinstance(value, Decimal):
            exponent = value.as_tuple().exponent
            exact = isinstance(exponent, int) and -MAX_DIGITS <= exponent <= MAX_DIGITS
        if not exact or not least <= value <= most:
            raise refusal(expected, "write a plain decimal number such as 12.5")
        return Fraction(value)

    return validate


def _whole(expected: str, least: int, most: int) -> Callable[[Any], int]:
    def validate(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise refusal(expected, "write a whole number")
        return value

    return validate


def _rotation(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in (0, 90, 180, 270):
        raise refusal("0, 90, 180 or 270", "give the degrees clockwise that make the picture upright")
    return value


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise refusal(ID_RULE, "choose another id")
    return value


def _text(expected: str, *, line: bool) -> Callable[[Any], str]:
    """A validator of text; with `line` it is one line that says something."""

    def validate(value: Any) -> str:
        good = isinstance(value, str) and is_text(value)
        if not good or (line and (not value.strip() or not value.isprintable())):
            raise refusal(expected, "write it in quotes, on one line" if line else "write it in quotes")
        return str(value)

    return validate


def _line_id(value: Any) -> str:
    """An id of a script, which may be a number there."""
    if type(value) is int and 0 <= value <= MAX_FRAMES:
        return str(value)
    return _text("a whole number or a line of text", line=True)(value)


def _rate(value: Any) -> Fraction:
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or max(map(int, match.groups())) > MAX_RATE_TERM:
        raise refusal("frames per second as a fraction such as '25/1'", "correct it")
    return Fraction(int(match[1]), int(match[2]))


def _pair(value: Any) -> tuple[int, int]:
    good = isinstance(value, list) and len(value) == 2
    if not good or not all(type(part) is int and 0 <= part <= MAX_FRAMES for part in value):
        raise refusal("a pair of whole numbers", "correct it")
    return value[0], value[1]


def _stretch(value: Any) -> tuple[Fraction, Fraction]:
    number = _number("", 0, MAX_SECONDS)
    try:
        start, end = (number(part) for part in value)
    except (TypeError, ValueError):
        start, end = Fraction(1), Fraction(0)
    if start > end:
        raise refusal("two times in seconds, the later one last", "correct it")
    return start, end


def _local_path(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value or not is_text(value):
        raise refusal("the path of a file", "write it in quotes, relative to the description's folder")
    if _PROTOCOL.match(value):
        raise refusal(
            "the path of a local file", "copy the media here, or write './' before a name with a colon"
        )
    return value


def _paths(value: Any) -> tuple[str, ...]:
    files = value if isinstance(value, list) else [value]
    if not files:
        raise refusal("a file, or a list of files", "name the take's files in order")
    return tuple(_local_path(file) for file in files)


Time = Annotated[
    Fraction,
    PlainValidator(_number("seconds on the session clock, 0 or later and under eleven days", 0, MAX_SECONDS)),
]
Offset = Annotated[
    Fraction, PlainValidator(_number("seconds, less than eleven days either way", -MAX_SECONDS, MAX_SECONDS))
]
Distance = Annotated[
    Fraction, PlainValidator(_number(f"metres, 0 to {MAX_CAMERA_DISTANCE}", 0, MAX_CAMERA_DISTANCE))
]
Decibels = Annotated[Fraction, PlainValidator(_number("decibels, -1000 to 1000", -1000, 1000))]
Rate = Annotated[Fraction, PlainValidator(_rate)]
Stretch = Annotated[tuple[Fraction, Fraction], PlainValidator(_stretch)]
Index = Annotated[int, PlainValidator(_whole("a whole number of 63 bits", -(1 << 62), 1 << 62))]
Pair = Annotated[tuple[int, int], PlainValidator(_pair)]
Count = Annotated[int, PlainValidator(_whole("a whole number, 0 or more", 0, MAX_FRAMES))]
Probability = Annotated[Fraction, PlainValidator(_number("a probability, 0 to 1", 0, 1))]
Position = Annotated[int, PlainValidator(_whole("a whole number of pixels, 0 or more", 0, MAX_PIXELS))]
Length = Annotated[int, PlainValidator(_whole("a whole number of pixels, 1 or more", 1, MAX_PIXELS))]
Age = Annotated[int, PlainValidator(_whole("years, 0 to 150", 0, 150))]
Channel = Annotated[int, PlainValidator(_whole("the number of a channel, 0 or more", 0, MAX_CHANNEL))]
Rotation = Annotated[int, PlainValidator(_rotation)]
Id = Annotated[str, PlainValidator(_identifier)]
Label = Annotated[str, PlainValidator(_text("a line of text", line=True))]
LineId = Annotated[str, PlainValidator(_line_id)]
Text = Annotated[str, PlainValidator(_text("text", line=False))]
LocalPath = Annotated[str, PlainValidator(_local_path)]
LocalPaths = Annotated[tuple[str, ...], PlainValidator(_paths)]
