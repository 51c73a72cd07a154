"""How one recording lies on another's clock: offset, drift, steps, and how sure that is.

Coarse to fine: the levels alone show roughly where (:mod:`.coarse`); windows of 8 s all along the recording
are placed to a hundredth of a millisecond around there (:mod:`.gcc`); the clock that most of them confirm
is fitted through them (:mod:`.fit`), and its steps are located in the sound (:mod:`.steps`).  Memory: the
levels and one window, however long the recordings are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from .chain import Reals
from .coarse import SECTION_SECONDS, Course, courses
from .fit import FAR_VOICES, MAX_SLOPE, OWN_VOICE, TWO_VOICES, Fit, Measured, fit_clock
from .gcc import Peak, phat_peak
from .proxy import LEVEL_RATE, PROXY_RATE, Proxy
from .rivals import as_likely
from .steps import Hearing, Line, Step, locate

THRESHOLD = 0.4
"""Confidence below which two recordings do not count as being of one event."""

REACH = 0.5
"""Seconds around the rough place within which a window is looked for."""

WINDOW_SECONDS = (8.192, 4.096)
"""Of a window; the shorter one where the recordings share less than four of the longer."""

MOST_WINDOWS = 600
"""Windows of a pair; farther apart in longer recordings."""

SHORTEST = 0.5
"""Seconds that recordings must share for there to be anything to compare."""

Place = Callable[[float, float], list[tuple[float, float]]]

_PULLED = 1e-3
"""Seconds per second, more or less, by which a recorder is off that is set for film at 24/1.001 frames."""

_GUESSES = (*(n * 1e-4 for n in range(-5, 6)), -_PULLED, _PULLED)
"""Seconds per second, tried with half a window: half of their distance smears its ends by 0.1 ms."""

_FEW, _SPARSE = 12, 60
"""Windows that are tried with every guess; windows that measure drift before it is taken out."""

_SMEAR = 8e-5
"""Seconds by which the ends of a window may be off against its middle."""

_LIVELY_DB = 2.0
"""By how much the level of a window varies, its least and its most tenth aside, if there is more in it than
noise, whose level varies by 1.5."""

_LEAST_LIVELY = 8
"""Windows, the loudest, that are asked in any case: of fewer some lie on one line by chance."""

_MARGIN = 4.0
_KNOWN = 8
_CLEAR = 0.6
"""Confidence from which two far voices count as separated from their echoes."""

_ENOUGH = 1.0
"""Clarity that the windows on the clock must add up to: two windows without a doubt."""


@dataclass(frozen=True, slots=True)
class Piece:
    """From `start` on, in the recording's seconds, it is ``offset + u · (1 + drift_ppm · 1e-6)``."""

    start: float
    offset: float
    drift_ppm: float


@dataclass(frozen=True, slots=True)
class Window:
    """One window's result: the recording's `time`, its distance from the clock, whether it counts."""

    time: float
    residual_ms: float
    on_it: bool


@dataclass(frozen=True, slots=True)
class Match:
    """Where a recording lies on another's clock.

    Its local time ``u`` is at ``offset + u · (1 + drift_ppm · 1e-6)`` seconds there.

    Attributes
    ----------
    confidence : float
        0 to 1: the share of the louder half of the windows that lie on the clock, to a millisecond;
        twice the share to ten milliseconds, of all windows, where both hear voices from afar.
        Recordings of different events stay under 0.25.  Less where the sound repeats itself.
    residual_ms : float
        Median distance of those windows from the clock, in milliseconds.
    pieces : tuple of Piece
        The whole clock where it is not one line, else empty; the first is `offset` and `drift_ppm`.
    steps : tuple of Step
        Where the recording lost or gained time.
    windows : tuple of Window
        All that was measured, in order.
    paths_ms : tuple of float
        Two where the voices reach both microphones by two ways, milliseconds either side of the clock.
    repeats : float
        Seconds from the clock at which the recording fits nearly as well; 0 if there are none.
    """

    offset: float
    drift_ppm: float
    confidence: float
    residual_ms: float
    pieces: tuple[Piece, ...] = ()
    steps: tuple[Step, ...] = ()
    windows: tuple[Window, ...] = field(default=(), repr=False)
    paths_ms: tuple[float, ...] = ()
    repeats: float = 0.0


def align(reference: Proxy, other: Proxy, *, between: bool = False) -> Match | None:
    """Find where `other` lies on the clock of `reference`.

    Parameters
    ----------
    between : bool
        Whether neither is the microphone of one voice: then the clock goes midway between the voices' ways
        (:func:`emomedia.audio.fit.fit_clock`).

    Returns
    -------
    Match or None
        The likeliest place, however low its confidence; None if one recording holds nothing to compare.
    """
    best: Match | None = None
    doubted: Match | None = None
    for rough in courses(reference.level, other.level):
        match = _fine(reference, other, rough, between=between)
        if match is None:
            continue
        windows = len(match.windows)  # a place where fewer are compared is no better than one that is doubted
        if match.confidence >= THRESHOLD and (doubted is None or windows >= len(doubted.windows)):
            return match
        if match.repeats and (doubted is None or windows > len(doubted.windows)):
            doubted = match
        elif best is None or match.confidence > best.confidence:
            best = match
    return doubted or best


def align_near(
    reference: Proxy, other: Proxy, offset: float, drift: float, *, between: bool = False
) -> Match | None:
    """The same for a place that is known: it is looked for within :data:`REACH` of the line alone.

    Parameters
    ----------
    offset, drift : float
        Of the line ``offset + u · (1 + drift)``, in seconds and seconds per second.
    """
    times = np.arange(0.0, other.seconds, SECTION_SECONDS)
    return _fine(reference, other, Course(times, offset + times * drift), between=between, drift=drift)


def _fine(
    reference: Proxy, other: Proxy, rough: Course, *, between: bool, drift: float | None = None
) -> Match | None:
    """The exact place near the course `rough`.

    Drift smears a window's correlation, by 1.2 ms at 150 ppm: so where it is not known it is guessed first,
    measured roughly with a part of the windows, and then taken out of all of them.
    """
    length, starts = _grid(reference, other, rough)
    if len(starts) == 0:
        return None
    if not between:  # a camera across the room may hear all voices in noise
        starts = _lively(other, length, starts)
    place = partial(_placed, reference, other, rough, length)
    if drift is None:
        half = partial(_placed, reference, other, rough, length / 2)
        drift = _guessed(half, _liveliest(other, length / 2, starts))
    pace = drift if abs(drift) > MAX_SLOPE else 0.0
    sparse = starts[:: max(1, len(starts) // _SPARSE)]
    measured = _measured(other, length, place, sparse, drift)
    if measured is None:
        return None
    _, fit = _best_fit(measured, pace, between=between)
    found = float(np.clip(fit.slopes[0], pace - MAX_SLOPE, pace + MAX_SLOPE))
    if len(sparse) < len(starts) or abs(found - drift) > _SMEAR / length:
        measured = _measured(other, length, place, starts, found) or measured
    match = _match(reference, other, *_best_fit(measured, pace, between=between))
    return _doubted(match, reference, other, rough, length, found)


def _doubted(
    match: Match, reference: Proxy, other: Proxy, rough: Course, length: float, drift: float
) -> Match:
    """`match` with no more confidence than other places of the whole recording leave.

    Music in loops and metronomes fit at many.  Where sound repeats itself, peaks of windows lie equally far
    from the clock; where it does not, they are of noise, anywhere.
    """
    windows = [window for window in match.windows if window.on_it]
    if match.confidence < THRESHOLD or not rough.rivals:
        return match
    few = windows[:: max(1, len(windows) // _FEW)]
    starts = [window.time - length / 2 for window in few]
    own = [_peaks(reference, other, rough, length, drift, start) for start in starts]
    for apart in rough.rivals:
        there = replace(rough, offsets=rough.offsets + apart)
        rival = [_peaks(reference, other, there, length, drift, start) for start in starts]
        share = as_likely(own, rival)
        if 1 - share < match.confidence:
            match = replace(match, confidence=1 - share, repeats=apart)
    return match


def _best_fit(measured: Measured, pace: float, *, between: bool) -> tuple[Measured, Fit]:
    """The clock through the windows, around `pace`; a coarser one where far voices leave no fine one.

    Then no window is the recording's own voice, so all count alike.
    """
    measured = replace(measured, offsets=measured.offsets - pace * measured.times)
    fit = fit_clock(measured, TWO_VOICES if between else OWN_VOICE)
    if between and _confidence(measured, fit) < _CLEAR:
        measured = replace(measured, loud=np.ones(len(measured.times), bool))
        fit = fit_clock(measured, FAR_VOICES)
    return measured, replace(fit, slopes=fit.slopes + pace)


def _confidence(measured: Measured, fit: Fit) -> float:
    """The share of the loud windows that lie on the clock, less if they are not clear enough together."""
    loud = measured.loud
    share = len(np.unique(measured.times[loud & fit.on_it])) / len(np.unique(measured.times[loud]))
    return min(1.0, share / fit.acoustics.expected) * min(
        1.0, float(measured.clarity[fit.on_it].sum()) / _ENOUGH
    )


def _grid(reference: Proxy, other: Proxy, rough: Course) -> tuple[float, Reals]:
    """Length of a window and where each begins, in seconds of `other`; none where too little is shared."""
    begin = max(0.0, -rough.around(0.0)[0])
    end = min(other.seconds, reference.seconds - rough.around(other.seconds)[0])
    shared = end - begin
    if shared < SHORTEST:
        return 0.0, np.zeros(0)
    long, short = WINDOW_SECONDS
    length = min(long if shared >= 4 * long else short, shared)
    count = min(MOST_WINDOWS, max(1, round(2 * shared / length) - 1))
    return length, np.linspace(begin, end - length, count)


def _lively(other: Proxy, length: float, starts: Reals) -> Reals:
    """The windows in which something comes and goes: minutes in which nobody speaks tell nothing."""
    levels = np.array([_level(other, start, length) for start in starts])
    moves = np.array([_comes_and_goes(other, start, length) for start in starts])
    least = np.sort(levels)[-min(_LEAST_LIVELY, len(levels))]
    lively: Reals = starts[(moves >= _LIVELY_DB) | (levels >= least)]
    return lively


def _liveliest(other: Proxy, length: float, starts: Reals) -> Reals:
    """The loudest window in each of a few parts of the recording."""
    levels = np.array([_level(other, start, length) for start in starts])
    parts = np.array_split(np.arange(len(starts)), min(_FEW, len(starts)))
    return starts[[part[np.argmax(levels[part])] for part in parts]]


def _guessed(place: Place, starts: Reals) -> float:
    """Of some drifts the one with which the windows' peaks stand out most.

    One that could not be it any more, were all windows left as clear as can be, is given up; so the likelier
    ones come first.
    """
    best, most = 0.0, -1.0
    for drift in sorted(_GUESSES, key=abs):
        clarity = 0.0
        for number, start in enumerate(starts):
            if clarity + len(starts) - number < most:
                break
            clarity += max((peak for _, peak in place(drift, start)), default=0.0)
        if clarity > most or (clarity == most and drift < best):
            best, most = drift, clarity
    return best


def _measured(other: Proxy, length: float, place: Place, starts: Reals, drift: float) -> Measured | None:
    """The measurements of all windows with any sound."""
    rows = [
        (start + length / 2, offset, clarity, _level(other, start, length))
        for start in starts
        for offset, clarity in place(drift, start)
    ]
    if not rows:
        return None
    times, offsets, clarity, levels = np.array(rows).T
    return Measured(times, offsets, clarity, levels >= np.median(levels))


def _placed(
    reference: Proxy, other: Proxy, rough: Course, length: float, drift: float, start: float
) -> list[tuple[float, float]]:
    """Offset at its middle and clarity of the window from `start` on, around each place that it may have."""
    return [(offset, peak.clarity) for offset, peak in _peaks(reference, other, rough, length, drift, start)]


def _peaks(
    reference: Proxy, other: Proxy, rough: Course, length: float, drift: float, start: float
) -> list[tuple[float, Peak]]:
    """Offset at its middle and peak of the window from `start` on, around each place that it may have."""
    import soxr

    first, size = round(start * PROXY_RATE), int(length * PROXY_RATE)
    sound, reach = other.read(first, size), round(REACH * PROXY_RATE)
    if not sound.any():
        return []
    if drift:
        sound = soxr.resample(sound, 1.0, 1.0 + drift, quality="MQ")
    found = []
    for guess in rough.around(start + length / 2):
        begin = first + round(guess * PROXY_RATE) - reach
        heard = reference.read(begin, len(sound) + 2 * reach)
        peak = phat_peak(heard, sound, 2 * reach, PROXY_RATE)
        found.append(((begin + peak.place - first) / PROXY_RATE + drift * length / 2, peak))
    return found


def _level(proxy: Proxy, start: float, length: float) -> float:
    """Mean power of a stretch in dB."""
    part = proxy.level[int(start * LEVEL_RATE) : max(1, int((start + length) * LEVEL_RATE))]
    return float(10 * np.log10(np.mean(10 ** (part.astype(np.float64) / 10)))) if len(part) else -np.inf


def _comes_and_goes(proxy: Proxy, start: float, length: float) -> float:
    """By how many dB the level of a stretch varies, without its lowest and highest tenth."""
    part = proxy.level[int(start * LEVEL_RATE) : max(1, int((start + length) * LEVEL_RATE))]
    return float(np.ptp(np.percentile(part, (10, 90)))) if len(part) else 0.0


def _match(reference: Proxy, other: Proxy, measured: Measured, fit: Fit) -> Match:
    confidence = _confidence(measured, fit)
    ways = np.abs(fit.residuals[:, None] - np.array(fit.paths)).min(axis=1)
    residual = float(np.median(ways[fit.on_it])) if fit.on_it.any() else 0.0
    steps = tuple(_steps(reference, other, measured, fit)) if confidence >= THRESHOLD else ()
    starts = [0.0, *map(float, fit.knots[1:])]
    for number, step in zip(fit.steps, steps, strict=False):
        starts[number] = step.time
    pieces = tuple(
        Piece(*values)
        for values in zip(starts, map(float, fit.values), map(float, fit.slopes * 1e6), strict=True)
    )
    best = _best_of_each(measured, fit)
    windows = tuple(
        Window(float(t), float(r * 1000), bool(on))
        for t, r, on in zip(measured.times[best], fit.residuals[best], fit.on_it[best], strict=True)
    )
    return Match(
        offset=pieces[0].offset,
        drift_ppm=pieces[0].drift_ppm,
        confidence=confidence,
        residual_ms=residual * 1000,
        pieces=pieces if len(pieces) > 1 else (),
        steps=steps,
        windows=windows,
        paths_ms=tuple(1000 * way for way in fit.paths) if len(fit.paths) > 1 else (),
    )


def _steps(reference: Proxy, other: Proxy, measured: Measured, fit: Fit) -> Iterator[Step]:
    """Each step of the clock, looked up in the sound between the windows that are sure of either side."""
    times = measured.times
    piece = np.searchsorted(fit.knots, times, side="right") - 1
    for number in fit.steps:
        sure = times[fit.on_it & (piece < number)], times[fit.on_it & (piece >= number)]
        ends = float(sure[0].max(initial=-np.inf)), float(sure[1].min(initial=np.inf))
        span = max(0.0, ends[0] - _MARGIN), min(other.seconds, ends[1] + _MARGIN)
        before = times <= ends[0]
        after = times >= ends[1]
        lines = (
            _line(fit, number - 1, measured, before & (piece == number - 1), -1),
            _line(fit, number, measured, after & (piece == number), 1),
        )
        yield locate([Hearing(reference, other, lines)], span)


def stepped(match: Match, steps: Sequence[Step]) -> Match:
    """`match` with its steps, of which it has as many, at other times."""
    moved = {old.time: new.time for old, new in zip(match.steps, steps, strict=True)}
    pieces = tuple(replace(piece, start=moved.get(piece.start, piece.start)) for piece in match.pieces)
    placed = tuple(
        replace(old, time=new.time, within=new.within) for old, new in zip(match.steps, steps, strict=True)
    )
    return replace(match, pieces=pieces, steps=placed)


def _line(fit: Fit, number: int, measured: Measured, there: npt.NDArray[np.bool_], way: int) -> Line:
    """One piece of the clock, with the windows of either loudness that are nearest to its end or begin."""
    loud, quiet = (
        tuple(map(float, measured.times[there & of][::way][:_KNOWN]))
        for of in (fit.on_it & measured.loud, ~measured.loud)
    )
    return Line(float(fit.values[number]), float(fit.slopes[number]), loud, quiet)


def _best_of_each(measured: Measured, fit: Fit) -> npt.NDArray[np.intp]:
    """Of the alternatives at one time the one nearest to the clock."""
    order = np.lexsort((np.abs(fit.residuals), measured.times))
    _, first = np.unique(measured.times[order], return_index=True)
    best: npt.NDArray[np.intp] = order[first]
    return best
