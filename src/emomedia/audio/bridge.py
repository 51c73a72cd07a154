"""The clock of a take by what both cameras hear of one microphone.  Pure.

Two cameras across a room hear each other's actor late and blurred, and one actor sooner on the left, the
other sooner on the right.  A microphone at a mouth is found far better in each camera's sound; what it says
of one camera against the other is off by the difference of the two ways that the voice takes.  For the
other actor that difference is the other way round, so the mean of both is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .align import Match
from .chain import Reals


@dataclass(frozen=True, slots=True)
class Bridge:
    """One recording's sound against another's: offset and slope of its line, and how straight that is.

    Attributes
    ----------
    offset : float
        Seconds of the reference at second zero of the other.
    speed : float
        Seconds of the reference per second of the other.
    residual_ms : float
        The largest distance of what was measured from the line, in milliseconds.
    apart_ms : float
        By how much two microphones differ, in milliseconds: twice what the ways of the voices do.
    """

    offset: float
    speed: float
    residual_ms: float
    apart_ms: float


def bridged(matches: Sequence[tuple[Match, Match]]) -> Bridge:
    """The line of one camera's sound on the clock of another's, from each microphone's place on both.

    Parameters
    ----------
    matches : sequence of (Match, Match)
        Of each microphone: on the clock of the reference, and on that of the other camera.
    """
    lines, residuals, middles = [], [0.0], []
    for on_reference, on_other in matches:
        times = _sampled(on_reference, on_other)
        there = offset_at(on_other, times) + times
        line = _line(there, offset_at(on_reference, times) + times - there)
        residuals.append(line.residual)
        lines.append(line)
        middles.append(float(there.mean()))
    at = [line.offset + line.slope * float(np.mean(middles)) for line in lines]
    offset, slope = (float(np.mean([getattr(line, name) for line in lines])) for name in ("offset", "slope"))
    return Bridge(offset, 1 + slope, 1000 * max(residuals), 1000 * float(np.ptp(at)))


def straightened(match: Match) -> Match:
    """`match` as one line, for what cannot follow several; its residual is the farthest of them from it."""
    if not match.pieces:
        return match
    times = np.array([window.time for window in match.windows if window.on_it])
    line = _line(times, offset_at(match, times))
    return replace(
        match,
        offset=line.offset,
        drift_ppm=line.slope * 1e6,
        residual_ms=line.residual * 1000,
        pieces=(),
        windows=tuple(
            replace(window, residual_ms=window.residual_ms + 1000 * moved)
            for window, moved in zip(match.windows, _moved(match, line), strict=True)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A line, and the farthest distance from it of what it was drawn through, in seconds."""

    offset: float
    slope: float
    residual: float


def _line(times: Reals, offsets: Reals) -> _Line:
    middle = float(times.mean())
    slope, value = np.polyfit(times - middle, offsets, 1) if np.ptp(times) > 0 else (0.0, offsets.mean())
    residual = np.abs(offsets - value - slope * (times - middle)).max()
    return _Line(float(value - slope * middle), float(slope), float(residual))


def _moved(match: Match, line: _Line) -> Reals:
    """By how much each window's clock was moved to come onto the line."""
    times = np.array([window.time for window in match.windows])
    moved: Reals = offset_at(match, times) - line.offset - line.slope * times
    return moved


def offset_at(match: Match, times: Reals) -> Reals:
    """A match's offset at some of the recording's times, in seconds."""
    starts = np.array([-np.inf, *(piece.start for piece in match.pieces[1:])])
    values = np.array([match.offset, *(piece.offset for piece in match.pieces[1:])])
    slopes = np.array([match.drift_ppm, *(piece.drift_ppm for piece in match.pieces[1:])]) * 1e-6
    piece = np.searchsorted(starts, times, side="right") - 1
    found: Reals = values[piece] + slopes[piece] * times
    return found


def heard_at(match: Match) -> Reals:
    """The reference's time of each of a match's windows."""
    times = np.array([window.time for window in match.windows])
    heard: Reals = offset_at(match, times) + times
    return heard


def _sampled(*matches: Match) -> Reals:
    """Times at which windows of all matches lie on their clocks; away from steps, whose places are vague."""
    times = np.unique([window.time for match in matches for window in match.windows if window.on_it] or [0.0])
    steps = np.array([step.time for match in matches for step in match.steps])
    if len(steps):
        near = np.abs(times[:, None] - steps[None]).min(axis=1) < 1.0
        times = times[~near] if (~near).any() else times
    return times
