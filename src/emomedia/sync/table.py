"""sync.json: its entries as the stage writes them, and the clocks that they stand for.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..descriptions import MAX_DIGITS, show
from ..errors import DescriptionError
from ..session import SIDES
from ..timeline import Clock

if TYPE_CHECKING:
    from ..audio.align import Match
    from ..audio.steps import Step

MAX_OFFSET = 1_000_000
"""Seconds, eleven days, that a recording may begin before or after the left take."""

MAX_GIVEN_DRIFT_PPM = 10_000
"""What a user's own sync.json may say: film speeds differ by 1000 ppm."""

MAX_PIECES = 1000
"""Lines that one track's clock may consist of."""

WINDOW_COLUMNS = ("at", "residual_ms", "counts")
"""Of what was compared: when, how far it is off the clock, and whether it lies on it (1 or 0)."""

Entry = dict[str, Any]


def clocks(body: dict[str, Any], source: Path = Path("sync.json")) -> dict[str, dict[str, Clock]]:
    """The clocks in the content of a sync.json, read from `source`: side → ``take`` or ``track`` → clock.

    Raises
    ------
    DescriptionError
        If the user's own sync.json lacks one, moves the left take, which is the clock, has a take whose
        clock is not one line, or something else than numbers where it says how good a clock is.
    """
    found: dict[str, dict[str, Clock]] = {}
    for side in SIDES:
        entries = body.get(side)
        entries = entries if isinstance(entries, dict) else {}
        found[side] = {
            kind: _clock(entries.get(kind), f"{source}: {side}.{kind}") for kind in ("take", "track")
        }
        if found[side]["take"].later:
            raise DescriptionError(
                f"{source}: {side}.take.later",
                expected="nothing: a take's frames follow one line",
                found=show(entries["take"]["later"]),
                remedy="give only its offset and drift_ppm",
            )
    if found["left"]["take"] != Clock():
        raise DescriptionError(
            f"{source}: left.take",
            expected="offset 0 and drift_ppm 0, because the left take is the session clock",
            found=_clock_text(body["left"]["take"]),
            remedy="move the other take and the tracks instead",
        )
    return found


def entry(clock: Clock, method: str, confidence: float = 1.0, match: Match | None = None) -> Entry:
    """One entry of sync.json; what was found is rounded, what was declared is not.

    Parameters
    ----------
    match : Match, optional
        What was found by sound; its windows' times are local, the entry's are on the session clock.
    """
    digits = 7 if method != "declared" else None
    made: Entry = {
        "offset": decimal(clock.offset, digits),
        "drift_ppm": decimal(clock.drift_ppm, 4),
        "method": method,
        "confidence": decimal(confidence, 4),
    }
    if clock.later:
        made["later"] = [
            {
                "from": decimal(start, 4),
                "offset": decimal(line.offset, 7),
                "drift_ppm": decimal(line.drift_ppm, 4),
            }
            for start, line in clock.later
        ]
    if match:
        made |= _measured(clock, match)
    return made


def _measured(clock: Clock, match: Match) -> Entry:
    """The windows that support an entry."""
    made: Entry = {"residual_ms": decimal(match.residual_ms, 4)}
    if match.paths_ms:
        made["paths_ms"] = [decimal(way, 3) for way in match.paths_ms]
    if match.steps:
        made["steps"] = [_step(step, clock) for step in match.steps]
    if match.windows:
        at = [clock.to_session(Fraction(round(window.time, 3))) for window in match.windows]
        made["windows"] = {
            "at": [decimal(time, 2) for time in at],
            "residual_ms": [decimal(window.residual_ms, 3) for window in match.windows],
            "counts": [int(window.on_it) for window in match.windows],
        }
    return made


def _step(step: Step, clock: Clock) -> Entry:
    """A step: where in the recording, where on the session clock what follows it begins, and how large."""
    return {
        "at": decimal(step.time, 3),
        "session": decimal(clock.to_session(Fraction(round(step.time, 4))), 3),
        "seconds": decimal(step.seconds, 6),
        "within": decimal(step.within, 3),
    }


def decimal(value: Fraction | float, digits: int | None) -> float:
    """`value` as the float that is written with at most `digits` decimals (None: as many as it needs)."""
    return float(value if digits is None else round(Fraction(value), digits))


def _clock_text(entry: Entry) -> str:
    """An entry's offset and drift for a message."""
    return f"offset {entry.get('offset')} and drift_ppm {entry.get('drift_ppm', 0)}"


def _clock(entry: Any, key: str) -> Clock:
    line = _line(entry, key)
    _check_measured(entry, key)
    later = entry.get("later", [])
    if not isinstance(later, list) or len(later) > MAX_PIECES:
        raise DescriptionError(
            f"{key}.later",
            expected=f"a list of at most {MAX_PIECES} lines",
            found=show(later),
            remedy="correct it, or leave it out",
        )
    pieces = [_piece(each, f"{key}.later[{number}]") for number, each in enumerate(later)]
    _check_order(line, pieces, f"{key}.later")
    return Clock(line.offset, line.drift_ppm, tuple(pieces))


def _line(entry: Any, key: str) -> Clock:
    if not isinstance(entry, dict) or "offset" not in entry:
        raise DescriptionError(
            key,
            expected="an 'offset' in seconds",
            found="nothing" if entry is None else show(entry),
            remedy="add it, or delete sync.json",
        )
    offset = _number(entry["offset"], f"{key}.offset", MAX_OFFSET)
    return Clock(offset, _number(entry.get("drift_ppm", 0), f"{key}.drift_ppm", MAX_GIVEN_DRIFT_PPM))


def _check_measured(entry: Entry, key: str) -> None:
    """Refuse what clips cannot be judged by."""
    if entry.get("residual_ms") is not None:
        _number(entry["residual_ms"], f"{key}.residual_ms", MAX_OFFSET)
    windows = entry.get("windows", {})
    columns: list[Any] = (
        [windows.get(name, []) for name in WINDOW_COLUMNS] if isinstance(windows, dict) else [None]
    )
    if not all(isinstance(column, list) for column in columns):
        raise DescriptionError(
            f"{key}.windows",
            expected=f"lists {', '.join(WINDOW_COLUMNS)}",
            found=show(windows),
            remedy="correct it, or leave it out",
        )
    for name, column in zip(WINDOW_COLUMNS, columns, strict=True):
        for number, value in enumerate(column):
            if not (name == "counts" and isinstance(value, bool)):
                _number(value, f"{key}.windows.{name}[{number}]", MAX_OFFSET)


def _piece(entry: Any, key: str) -> tuple[Fraction, Clock]:
    line = _line(entry, key)
    return _number(entry.get("from"), f"{key}.from", MAX_OFFSET), line


def _check_order(first: Clock, pieces: Sequence[tuple[Fraction, Clock]], key: str) -> None:
    """Lines follow each other in the recording and on the session clock, from second zero on."""
    starts = [Fraction(0), *(start for start, _ in pieces)]
    lines = [first, *(line for _, line in pieces)]
    begins = [line.to_session(start) for start, line in zip(starts, lines, strict=True)]
    for times in (starts, begins):
        for number in range(1, len(times)):
            if times[number] <= times[number - 1]:
                raise DescriptionError(
                    f"{key}[{number - 1}].from",
                    expected="lines that begin one after the other",
                    found=f"one that begins at {float(times[number]):.3f} s, before the last one",
                    remedy="correct it, or leave 'later' out",
                )


def _number(value: Any, key: str, most: int) -> Fraction:
    """`value`, read from JSON, as the decimal that is written there."""
    is_number = isinstance(value, int | float | Decimal | Fraction) and not isinstance(value, bool)
    if isinstance(value, Decimal):  # others are short to write and take a lifetime to work out
        is_number = value.is_finite() and abs(value.adjusted()) <= MAX_DIGITS
        is_number = is_number and len(value.as_tuple().digits) <= MAX_DIGITS
    if not is_number or not abs(value) <= most:  # not a number compares false
        raise DescriptionError(
            key,
            expected=f"a number from -{most} to {most}",
            found=show(value),
            remedy="correct it",
        )
    return Fraction(str(value))
