"""The rules for stretches of a session's time, which session.toml and turns.json share.

Times are exact, in seconds on the session clock, half-open ``[start, end)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from .descriptions import description_error, file_name, seconds_text, show, stretch_text
from .errors import DescriptionError
from .session import Dialogue

SHORTEST = Fraction(1, 1_000_000)
"""Seconds that a dialogue, a turn or an excluded stretch lasts at the least."""


def check_dialogues(dialogues: Sequence[Dialogue], source: Path, key: str) -> None:
    """Refuse dialogues that end before they start, share an id, or overlap.

    `dialogues` stand in the order of the list `key` of the description `source`.
    """
    seen: dict[str, int] = {}
    for number, dialogue in enumerate(dialogues):
        check_range(dialogue.start, dialogue.end, source, [key, number])
        name = file_name(dialogue.id)
        if name in seen:
            raise description_error(
                source,
                [key, number, "id"],
                expected="a unique id",
                found=f"{show(dialogue.id)}, as in {key}[{seen[name]}]",
                remedy="rename one of the two",
            )
        seen[name] = number
    in_time = sorted(range(len(dialogues)), key=lambda number: dialogues[number].start)
    for earlier, later in pairwise(in_time):
        if dialogues[later].start < dialogues[earlier].end:
            raise description_error(
                source,
                [key, later, "start"],
                expected=f"{seconds_text(dialogues[earlier].end)} or later, because dialogues do not overlap",
                found=f"{seconds_text(dialogues[later].start)}, within {show(dialogues[earlier].id)}",
                remedy="correct the times of the two",
            )


def check_range(start: Fraction, end: Fraction, source: Path, location: list[str | int]) -> None:
    """Refuse a stretch of time without length, or of less than outlives the rounding of stage files."""
    if end - start < SHORTEST:
        raise description_error(
            source,
            [*location, "end"],
            expected=f"a time after the start, {seconds_text(start)}",
            found=seconds_text(end),
            remedy="correct the times",
        )


def overlapping(
    start: Fraction, end: Fraction, excluded: Sequence[tuple[Fraction, Fraction]]
) -> tuple[Fraction, Fraction] | None:
    """The first of the `excluded` stretches that shares some time with ``[start, end)``."""
    return next((stretch for stretch in excluded if stretch[0] < end and start < stretch[1]), None)


def excluded_error(
    start: Fraction,
    end: Fraction,
    stretch: tuple[Fraction, Fraction],
    source: Path,
    location: list[str | int],
) -> DescriptionError:
    """The error about ``[start, end)`` at `location`, of which the excluded `stretch` takes a part."""
    return description_error(
        source,
        location,
        expected="a time without an excluded stretch",
        found=f"{stretch_text(start, end)}, while {stretch_text(*stretch)} is excluded",
        remedy="shorten it, or the [[exclude]] in session.toml",
    )
