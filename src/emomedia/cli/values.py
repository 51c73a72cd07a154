"""How texts on the command line become exact values."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import typer

from ..descriptions import MAX_DIGITS, is_text
from ..options import MAX_CRF, MAX_FPS, PICTURES, SIDE_PIXELS, Size
from ..timeline import STANDARD_RATES

_NEAR = Fraction(1, 200)
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


def parse_rate(text: str) -> Fraction:
    """``25``, ``30000/1001``, or a rounded ``29.97``, which means the standard rate next to it."""
    try:
        rate = Fraction(text) if len(text) <= MAX_DIGITS and "e" not in text.lower() else Fraction(0)
    except (ValueError, ZeroDivisionError) as error:
        raise typer.BadParameter(f"{text!r} is not a frame rate; write 25, 29.97 or 30000/1001") from error
    if not 1 <= rate <= MAX_FPS:
        raise typer.BadParameter(f"{text} is not between 1 and {MAX_FPS} frames a second")
    near = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return near if rate.denominator != 1 and abs(near - rate) < _NEAR else rate


def parse_seconds(text: str) -> Fraction:
    """A decimal number of seconds, zero or more."""
    value = parse_decimal(text)
    if value < 0:
        raise typer.BadParameter(f"{text} is negative")
    return value


def parse_crf(text: str) -> Fraction:
    """libx264's range: 0 (lossless) to 51."""
    value = parse_decimal(text)
    if not 0 <= value <= MAX_CRF:
        raise typer.BadParameter(f"{text} is not between 0 and {MAX_CRF}")
    return value


def parse_decimal(text: str) -> Fraction:
    """A finite decimal number, exactly."""
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{text!r} is not a decimal number") from error
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > MAX_DIGITS or value.adjusted() > MAX_DIGITS:
        raise typer.BadParameter(f"{text} is not a number of at most {MAX_DIGITS} digits")
    return Fraction(value)


def parse_layout(text: str) -> frozenset[str]:
    """Names of pictures with commas between them; the composite is one of them."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in PICTURES:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(PICTURES)}")
        if names.count(name) > 1:
            raise typer.BadParameter(f"{name} is named more than once")
    if PICTURES[0] not in names:
        raise typer.BadParameter(f"{text} lacks the composite, which is always made; write composite,{text}")
    return frozenset(names)


def parse_size(text: str) -> Size:
    """``1080x1920``: width and height in pixels."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a size; write width and height, such as 1080x1920")
    return Size(int(match[1]), int(match[2]))


def parse_side_size(text: str) -> Size:
    """A size of even numbers."""
    size = parse_size(text)
    if not all(pixels in SIDE_PIXELS for pixels in size):
        raise typer.BadParameter(
            f"{text} is not of even numbers from {SIDE_PIXELS[0]} to {SIDE_PIXELS[-1]} each way"
        )
    return size


def parse_language(text: str) -> str:
    """A code of two or three letters, as Whisper has them."""
    if _LANGUAGE.fullmatch(text) is None:
        raise typer.BadParameter(f"{text!r} is not a language code; write one such as zh or en")
    return text


def parse_prompt(text: str) -> str:
    """Any text in UTF-8; arguments are bytes, and may be something else."""
    if not is_text(text):
        raise typer.BadParameter(f"{text!r} is not in UTF-8; write it in a terminal that is")
    return text
