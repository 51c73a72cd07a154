"""The sync stage: every take and every track of a session on one clock.

The left take is the clock.  What session.toml declares is taken as it is; a take's own sound is where
its container puts it; everything else is found from the sound (:mod:`emomedia.audio.align`) or refused.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .descriptions import MAX_DIGITS, show
from .errors import DescriptionError, SyncError
from .session import SIDES
from .timeline import Clock

if TYPE_CHECKING:
    from .audio.align import Match
    from .probe.types import Probe, Take, Track

    Align = Callable[[Track, Track], Match | None]

SPEED_OF_SOUND = 343
"""Metres per second, at 20 °C: the camera hears a mouth later than the microphone does."""

MAX_OFFSET = 1_000_000
"""Seconds, eleven days, that a recording may begin before or after the left take."""

MAX_GIVEN_DRIFT_PPM = 10_000
"""What a user's own sync.json may say: film speeds differ by 1000 ppm."""

MAX_DRIFT_PPM = 500
"""What is believed when found: crystals are within 100 ppm, two of them within 200."""

MAX_RESIDUAL_MS = 20.0
"""Milliseconds, half a frame at 25 fps, by which the stretches may lie off the line found through them."""


def sync_session(probe: Probe) -> dict[str, Any]:
    """Find the clock of every take and track.

    Returns
    -------
    dict
        The content of sync.json: offsets in seconds, what was found to 1e-7.

    Raises
    ------
    SyncError
        If a recording's place is neither declared nor to be found with confidence.
    MediaError, MediaNotFoundError, UnsupportedMediaError
        If the sound cannot be read.
    """
    from .audio.align import align, loudness

    aligned = partial(align, curve=cache(loudness))  # each recording is read from end to end but once
    takes = {"left": _entry(Fraction(0), "reference"), "right": _right_take(probe, aligned)}
    body: dict[str, Any] = {"session": probe.session.id}
    for side in SIDES:
        take_clock = _clock(takes[side], f"sync.json: {side}.take")
        body[side] = {"take": takes[side], "track": _track(probe, side, take_clock, aligned)}
    return body


def clocks(body: dict[str, Any], source: Path = Path("sync.json")) -> dict[str, dict[str, Clock]]:
    """The clocks in the content of a sync.json, read from `source`: side → ``take`` or ``track`` → clock.

    Raises
    ------
    DescriptionError
        If the user's own sync.json lacks one, or moves the left take, which is the clock.
    """
    found: dict[str, dict[str, Clock]] = {}
    for side in SIDES:
        entries = body.get(side)
        entries = entries if isinstance(entries, dict) else {}
        found[side] = {
            kind: _clock(entries.get(kind), f"{source}: {side}.{kind}") for kind in ("take", "track")
        }
    if found["left"]["take"] != Clock():
        raise DescriptionError(
            f"{source}: left.take",
            expected="offset 0 and drift_ppm 0, because the left take is the session clock",
            found=_clock_text(body["left"]["take"]),
            remedy="move the other take and the tracks instead",
        )
    return found


def _clock_text(entry: dict[str, Any]) -> str:
    """An entry's offset and drift for a message."""
    return f"offset {entry.get('offset')} and drift_ppm {entry.get('drift_ppm', 0)}"


def _clock(entry: Any, key: str) -> Clock:
    if not isinstance(entry, dict) or "offset" not in entry:
        raise DescriptionError(
            key,
            expected="an 'offset' in seconds",
            found="nothing" if entry is None else show(entry),
            remedy="add it, or delete sync.json",
        )
    offset = _number(entry["offset"], f"{key}.offset", MAX_OFFSET)
    return Clock(offset, _number(entry.get("drift_ppm", 0), f"{key}.drift_ppm", MAX_GIVEN_DRIFT_PPM))


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


def _right_take(probe: Probe, align: Align) -> dict[str, Any]:
    declared = probe.session.right.offset
    if declared is not None:
        return _entry(declared, "declared")
    remedy = "give the right take's 'offset' in session.toml"
    left, right = (_sound(probe.takes[side], remedy) for side in SIDES)
    match = _found(align, left, right, remedy)
    clock = _composed(Clock(left.start), match)  # of the right sound's first sample
    return _entry(clock.offset - right.start * clock.speed, "sound", clock, match)


def _track(probe: Probe, side: str, take_clock: Clock, align: Align) -> dict[str, Any]:
    description = probe.session.side(side)
    track, take = probe.tracks[side], probe.takes[side]
    if description.mic_offset is not None:
        return _entry(description.mic_offset, "declared")
    if track.own_audio:
        return _entry(take_clock.to_session(track.start), "reference", take_clock)
    remedy = f"give the {side} track's 'mic_offset' in session.toml"
    sound = _sound(take, remedy)
    match = _found(align, sound, track, remedy)
    clock = _composed(Clock(take_clock.to_session(sound.start), take_clock.drift_ppm), match)
    return _entry(clock.offset - description.camera_distance / SPEED_OF_SOUND, "sound", clock, match)


def _composed(reference: Clock, match: Match) -> Clock:
    """The session clock of a recording that `match` places on the clock of `reference`."""
    speed = (1 + Fraction(match.drift_ppm) / 1_000_000) * reference.speed
    return Clock(reference.to_session(Fraction(match.offset)), (speed - 1) * 1_000_000)


def _sound(take: Take, remedy: str) -> Track:
    if take.sound is None:
        raise SyncError(
            take.files[0].path,
            expected="the camera's own sound to find its place by",
            found="none",
            remedy=remedy,
        )
    return take.sound


def _found(align: Align, reference: Track, other: Track, remedy: str) -> Match:
    """The place of `other` on the clock of `reference`, or a refusal."""
    from .audio.align import THRESHOLD

    match = align(reference, other)
    if match is None:
        found = "only silence"
    elif match.confidence < THRESHOLD:
        found = f"nothing alike (confidence {match.confidence:.2f}, {THRESHOLD} needed)"
    elif match.residual_ms > MAX_RESIDUAL_MS or abs(match.drift_ppm) > MAX_DRIFT_PPM:
        found = f"no steady clock ({match.drift_ppm:.0f} ppm, {match.residual_ms:.0f} ms off that)"
    else:
        return match
    raise SyncError(
        other.path,
        expected=f"an unbroken recording of what {reference.path.name} also holds",
        found=found,
        remedy=f"name the right recording, or {remedy}",
    )


def _entry(
    offset: Fraction, method: str, clock: Clock | None = None, match: Match | None = None
) -> dict[str, Any]:
    """One entry of sync.json; what was found is rounded, what was declared is not."""
    drift = clock.drift_ppm if clock else Fraction(0)
    entry: dict[str, Any] = {
        "offset": _decimal(offset, 7 if method != "declared" else None),
        "drift_ppm": _decimal(drift, 4),
        "method": method,
        "confidence": _decimal(Fraction(match.confidence), 4) if match else 1.0,
    }
    if match:
        entry["residual_ms"] = _decimal(Fraction(match.residual_ms), 4)
    return entry


def _decimal(value: Fraction, digits: int | None) -> float:
    """`value` as the float that is written with at most `digits` decimals (None: as many as it needs)."""
    return float(value if digits is None else round(value, digits))
