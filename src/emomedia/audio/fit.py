"""A clock through many measured offsets, some of them wrong: straight, bent, or broken by steps.  Pure.

An offset is measured at a time of the recording, in seconds by which the other clock is ahead then.  Of
a straight clock all offsets lie on one line, whose slope is the drift.  A recorder that paused or lost a
buffer makes a step: the same line, moved.  A clock that warms up bends.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .chain import Reals, Smoothness, best_chain, jumps

MAX_SLOPE = 5e-4
"""Seconds per second of the fastest drift that is looked for."""

MIN_STEP_WINDOWS = 4
"""Offsets that have to bear out a stretch before or after a step."""

_BEND_SECONDS = 300.0
_MIN_BEND_WINDOWS = 8
_MIN_PATH_SHARE = 0.15
_QUIET_VOTE = 0.4
_NO_VOTE = 1e-9
_GATE = 5.0
_MOST_VOTERS = 300


@dataclass(frozen=True, slots=True)
class Acoustics:
    """What the microphones' places make of offsets.

    Attributes
    ----------
    on_it : float
        Seconds from the clock within which an offset confirms it.
    reach : float
        Seconds within which offsets differ because voices take different ways.
    min_step : float
        Seconds of the smallest step that can be distinguished from that.
    expected : float
        Share of the offsets that bear a right clock out if all is well.
    between : bool
        Whether offsets that heap up at two places mean two voices, and the clock lies midway between them.
    """

    on_it: float
    reach: float
    min_step: float
    expected: float
    between: bool

    @property
    def close(self) -> Smoothness:
        """Of a clock whose drift has been taken out."""
        return Smoothness(jitter=1.5 * self.on_it, drift=1e-5, jump=1.0)

    @property
    def kernel(self) -> float:
        """Seconds over which offsets heap up."""
        return 0.4 * self.on_it

    @property
    def min_gate(self) -> float:
        """Seconds within which no offset is an outlier."""
        return 0.2 * self.on_it

    @property
    def min_shift(self) -> float:
        """Seconds by which drift must displace the recordings over what they share to count as found."""
        return 0.25 * self.on_it

    @property
    def min_bend(self) -> float:
        """Seconds by which offsets must lie off the straight line, over minutes, for it to be bent."""
        return 1.5 * self.on_it


OWN_VOICE = Acoustics(on_it=0.001, reach=0.012, min_step=0.01, expected=1.0, between=False)
"""One recording is the microphone at a mouth, whose voice the other hears: one way, but for what the head
moves.  Other voices reach the microphone too, by ways of up to three metres more."""

TWO_VOICES = Acoustics(on_it=0.001, reach=0.012, min_step=0.01, expected=1.0, between=True)
"""Each hears both voices, one of them sooner, and clearly."""

FAR_VOICES = Acoustics(on_it=0.01, reach=0.012, min_step=0.05, expected=0.5, between=False)
"""Both hear voices from so far that echoes are louder than they are: an offset is right to ten milliseconds,
and the mean of many is nearer."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Offsets as they were measured.

    Attributes
    ----------
    times : float64[n]
        Seconds of the recording, in order; equal ones are alternatives.
    offsets : float64[n]
        Seconds.
    clarity : float64[n]
        0 to 1, how far each stands out; see :class:`emomedia.audio.gcc.Peak`.
    loud : bool[n]
        Whether the recording is loud there, so that its own voice speaks rather than one across the room.
    """

    times: Reals
    offsets: Reals
    clarity: Reals
    loud: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A clock, and how the offsets lie to it.

    Attributes
    ----------
    knots : float64[k]
        Times in seconds at which a piece of the clock begins; the first is minus infinity.
    values, slopes : float64[k]
        Offset that each piece has at time zero, and its drift in seconds per second.
    steps : tuple of int
        Pieces that begin with a step; the others continue where the previous one ended.
    residuals : float64[n]
        Seconds from the clock of each measured offset.
    on_it : bool[n]
        Whether it confirms the clock.
    paths : tuple of float
        Seconds from the clock of the ways that the voices take: (0,), or two on either side of it.
    """

    knots: Reals
    values: Reals
    slopes: Reals
    steps: tuple[int, ...]
    residuals: Reals
    on_it: npt.NDArray[np.bool_]
    paths: tuple[float, ...]
    acoustics: Acoustics

    def at(self, times: Reals) -> Reals:
        """The clock's offset at `times`."""
        return _at(self.knots, self.values, self.slopes, times)


def fit_clock(measured: Measured, acoustics: Acoustics) -> Fit:
    """The clock that most of the measured offsets confirm.

    Parameters
    ----------
    measured : Measured
        At least one offset.
    acoustics : Acoustics
        :data:`OWN_VOICE`, :data:`TWO_VOICES` or :data:`FAR_VOICES`.
    """
    votes = measured.clarity * np.where(measured.loud, 1.0, _QUIET_VOTE)
    slope = _rough_slope(measured.times, measured.offsets, votes, acoustics.on_it)
    first = _along(measured, votes, slope, acoustics)
    if not first.model.bends:  # offsets heap up more sharply once the drift is right
        slope += first.model.slope
    return _judged(measured, _along(measured, votes, slope, acoustics), slope, acoustics)


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """The stretches between steps: when each begins and where it lies; the voices' paths; the model."""

    starts: Reals
    places: Reals
    paths: tuple[float, ...]
    model: _Model


def _along(measured: Measured, votes: Reals, slope: float, acoustics: Acoustics) -> _Course:
    """The course of a clock that has about this slope."""
    times, level = measured.times, measured.offsets - slope * measured.times
    chain = best_chain(times, level, votes, acoustics.close)
    parts = _stretches(times, level, chain, acoustics)
    starts, kept = _starts(times, parts), np.concatenate(parts)
    stretch = np.searchsorted(starts, times, side="right") - 1
    medians = [np.sort(level[part])[len(part) // 2] for part in parts]  # each one of the offsets
    places = np.array([_heap(level, votes, at, stretch == n, acoustics) for n, at in enumerate(medians)])
    residuals = level - places[stretch]
    paths = _paths(residuals, votes, acoustics)
    bends = () if len(paths) > 1 else _bends(times, residuals, kept, acoustics.min_bend)
    if bends:
        residuals = level - np.interp(times, times[kept], _smoothed(level[kept], stretch[kept]))
    near = _nearest(residuals, paths, acoustics)
    model = _solved(times, level, votes, stretch, near, bends, acoustics)
    shift = (slope + model.slope) * np.ptp(times[model.inside])
    if not bends and abs(shift) < acoustics.min_shift:
        model = _solved(times, level, votes, stretch, near, None, acoustics, -slope)
    return _Course(starts, places, paths, model)


def _rough_slope(times: Reals, offsets: Reals, votes: Reals, on_it: float) -> float:
    """The slope along which the offsets heap up most, wherever: steps and two voices make several heaps.

    That is a Hough transform, of which for each slope the squares of the heaps are added up.
    """
    span = float(np.ptp(times))
    if span == 0:
        return 0.0
    best = np.argsort(votes)[-_MOST_VOTERS:]
    times, offsets, votes = times[best] - times.mean(), offsets[best], votes[best]
    step = 2 * on_it / span
    found, highest = 0.0, -np.inf
    for number in sorted(range(-int(MAX_SLOPE / step), int(MAX_SLOPE / step) + 1), key=abs):
        score = _heaped((offsets - number * step * times) / on_it, votes)
        if score > highest:
            found, highest = number * step, score
    return found


def _heaped(places: Reals, votes: Reals) -> float:
    """The sum of the squares of the votes in each unit, for two ways of dividing it up."""
    total = 0.0
    for shift in (0.0, 0.5):
        _, unit = np.unique(np.floor(places + shift), return_inverse=True)
        total += float(np.sum(np.bincount(unit, votes) ** 2))
    return total


def _stretches(
    times: Reals, level: Reals, chain: npt.NDArray[np.intp], acoustics: Acoustics
) -> list[npt.NDArray[np.intp]]:
    """The chain in stretches, between which there are steps."""
    parts = np.split(chain, jumps(times[chain], level[chain], acoustics.close))
    least = min(MIN_STEP_WINDOWS, max(map(len, parts)))
    joined: list[npt.NDArray[np.intp]] = []
    for part in parts:
        if len(part) < least:
            continue
        if joined and abs(np.median(level[part]) - np.median(level[joined[-1]])) < acoustics.min_step:
            joined[-1] = np.concatenate([joined[-1], part])
        else:
            joined.append(part)
    return joined


def _starts(times: Reals, parts: list[npt.NDArray[np.intp]]) -> Reals:
    """When each stretch begins, midway between what is known before and after; the first always."""
    steps = [(times[before[-1]] + times[after[0]]) / 2 for before, after in pairwise(parts)]
    return np.array([-np.inf, *steps])


def _heap(
    places: Reals, votes: Reals, around: float, among: npt.NDArray[np.bool_], acoustics: Acoustics
) -> float:
    """Where most votes heap up, within the reach of different paths."""
    near = among & (np.abs(places - around) < acoustics.reach)
    places, votes = places[near], votes[near] + _NO_VOTE
    kernel = acoustics.kernel
    grid = np.arange(places.min(), places.max() + kernel, kernel / 4)
    top = float(grid[np.argmax(_density(grid, places, votes, kernel))])
    close = np.abs(places - top) <= 2 * kernel
    return float(np.average(places[close], weights=votes[close]))


def _density(grid: Reals, places: Reals, votes: Reals, kernel: float) -> Reals:
    distance = np.abs(grid[:, None] - places[None]) / kernel
    density: Reals = np.clip(1 - distance / 2, 0, None) @ votes
    return density


def _paths(residuals: Reals, votes: Reals, acoustics: Acoustics) -> tuple[float, ...]:
    """Where the offsets heap up: at zero, the highest heap, alone, or at a second place too."""
    near = np.abs(residuals) < acoustics.reach
    second = near & (np.abs(residuals) > 2 * acoustics.on_it)
    if not acoustics.between or not second.any():
        return (0.0,)
    other = _heap(residuals, votes, 0.0, second, acoustics)
    counted = [np.abs(residuals - at) <= acoustics.on_it for at in (0.0, other)]
    here, there = (float(votes[heap].sum()) for heap in counted)
    if there < _MIN_PATH_SHARE * (here + there) or counted[1].sum() < MIN_STEP_WINDOWS:
        return (0.0,)
    return (0.0, other)


def _bends(times: Reals, residuals: Reals, chain: npt.NDArray[np.intp], least: float) -> tuple[float, ...]:
    """Times between which the clock is straight, if it is not so throughout."""
    at, off = times[chain], residuals[chain]
    count = int(np.ptp(at) // _BEND_SECONDS)
    edges = np.linspace(at[0], at[-1], count + 1)
    number = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, max(0, count - 1))
    sizes = np.bincount(number, minlength=count)
    if count < 3 or sizes.min() < _MIN_BEND_WINDOWS:
        return ()
    middles = np.array([np.median(at[number == n]) for n in range(count)])
    medians = np.array([np.median(off[number == n]) for n in range(count)])
    line = np.polyval(np.polyfit(middles, medians, 1), middles)
    return tuple(map(float, edges[1:-1])) if np.abs(medians - line).max() > least else ()


def _smoothed(level: Reals, stretch: npt.NDArray[np.intp]) -> Reals:
    """The running median of five within each stretch."""
    smooth = level.copy()
    for number in np.unique(stretch):
        inside = np.flatnonzero(stretch == number)
        padded = np.pad(level[inside], 2, mode="edge")
        smooth[inside] = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    return smooth


def _nearest(
    residuals: Reals, paths: tuple[float, ...], acoustics: Acoustics
) -> tuple[Reals, npt.NDArray[np.bool_]]:
    """Of each residual the path that it is nearest to, and whether it lies on that path."""
    ways = np.array(paths)
    path = ways[np.argmin(np.abs(residuals[:, None] - ways[None]), axis=1)]
    return path, np.abs(residuals - path) <= acoustics.on_it


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """Least squares of what lies inside: slope, its changes at the bends, each stretch's level at time 0."""

    slope: float
    changes: Reals
    bends: tuple[float, ...]
    levels: Reals
    known: npt.NDArray[np.bool_]
    inside: npt.NDArray[np.bool_]


def _solved(
    times: Reals,
    level: Reals,
    votes: Reals,
    stretch: npt.NDArray[np.intp],
    near: tuple[Reals, npt.NDArray[np.bool_]],
    bends: tuple[float, ...] | None,
    acoustics: Acoustics,
    slope: float = 0.0,
) -> _Model:
    """The model, solved again without what lies far off; with `bends` None its slope is `slope`."""
    path, inside = near
    target = level - path
    centre = float(times[inside].mean()) if inside.any() else 0.0
    ramps = [np.maximum(0.0, times - bend) for bend in bends or ()]
    shape = [] if bends is None else [times - centre, *ramps]
    fixed = slope * (times - centre) if bends is None else np.zeros(len(times))
    members = np.eye(int(stretch.max()) + 1)[stretch]
    design = np.column_stack([*shape, members])
    for _ in range(3):
        weight = np.sqrt(votes[inside] + _NO_VOTE)
        solved, *_ = np.linalg.lstsq(
            design[inside] * weight[:, None], (target - fixed)[inside] * weight, rcond=None
        )
        off = np.abs(target - fixed - design @ solved)
        gate = acoustics.on_it
        if inside.any():
            gate = np.clip(_GATE * np.median(off[inside]), acoustics.min_gate, gate)
        if not (off <= gate).any():
            break
        inside = off <= gate
    found = slope if bends is None else float(solved[0])
    changes = solved[1 : len(shape)] if shape else np.zeros(0)
    levels = solved[len(shape) :] - found * centre
    known = np.isin(np.arange(members.shape[1]), stretch[inside])
    return _Model(found, changes, bends or (), levels, known, inside)


def _pieces(course: _Course, slope: float) -> tuple[Reals, Reals, Reals, tuple[int, ...]]:
    """A course's pieces: begins, offsets at time zero, slopes, and which begin with a step."""
    model, starts = course.model, course.starts
    knots = np.unique(np.concatenate([starts, model.bends]))
    stretch = np.searchsorted(starts, knots, side="right") - 1
    levels = np.where(model.known, model.levels, course.places) + float(np.mean(course.paths))
    values, slopes = levels[stretch], np.full(len(knots), slope + model.slope)
    for bend, change in zip(model.bends, model.changes, strict=True):
        values = values - np.where(knots >= bend, change * bend, 0.0)
        slopes = slopes + np.where(knots >= bend, change, 0.0)
    return knots, values, slopes, tuple(map(int, np.flatnonzero(np.isin(knots, starts[1:]))))


def _judged(measured: Measured, course: _Course, slope: float, acoustics: Acoustics) -> Fit:
    """The fit that a course around `slope` makes, and which offsets confirm it."""
    knots, values, slopes, steps = _pieces(course, slope)
    residuals = measured.offsets - _at(knots, values, slopes, measured.times)
    ways = np.array(course.paths) - float(np.mean(course.paths))
    near: npt.NDArray[np.bool_] = np.abs(residuals[:, None] - ways[None]).min(axis=1) <= acoustics.on_it
    return Fit(knots, values, slopes, steps, residuals, near, tuple(map(float, ways)), acoustics)


def _at(knots: Reals, values: Reals, slopes: Reals, times: Reals) -> Reals:
    piece = np.searchsorted(knots, times, side="right") - 1
    found: Reals = values[piece] + slopes[piece] * times
    return found
