"""From the times of a take's frames to its rate: constant, constant with frames missing, or variable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
import numpy.typing as npt

from ..timeline import MAX_RATE_TERM, STANDARD_RATES, nearest_standard_rate

Times = tuple[Fraction, npt.NDArray[np.int64]]
"""One file's frames: seconds per tick, and strictly increasing presentation times in ticks."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """How a take's frames follow one another.

    Attributes
    ----------
    interval : Fraction
        Seconds from one frame to the next: ``1 / rate``, or the median of a variable rate.
    missing : int
        Places on the grid of a constant rate, between its first frame and its last, without a frame.
    """

    rate: Fraction
    interval: Fraction
    variable: bool
    missing: int = 0


def find_cadence(files: Sequence[Times], declared: Iterable[Fraction]) -> Cadence | None:
    """The cadence of a take's frames, by the first of these rules that fits:

    1. a standard rate, if it is declared by the container or its interval is the median one within one
       tick, and all frames lie within one tick of its grid, one frame a place, places without a frame
       the exception;
    2. the exact rate of frames that all lie equally far apart, if files can be written of it;
    3. any other declared rate, under the condition of 1;
    4. variable: the standard rate nearest to the median interval.

    The first rule stands before the second because in a coarse time base (Matroska's milliseconds) the
    few frames of a short file can lie equally far apart at a rate that is not quite theirs.

    Parameters
    ----------
    files : sequence of Times
        The take's files; each begins its grid at its own first frame.
    declared : iterable of Fraction
        Rates that the container declares, the most trusted first; zeros are passed over.

    Returns
    -------
    Cadence or None
        None if there are not two frames to measure and nothing useful is declared.
    """
    rates = [rate for rate in declared if 0 < rate <= max(STANDARD_RATES)]
    intervals = _intervals(files)
    if not intervals.ticks.size:
        return Cadence(rates[0], 1 / rates[0], variable=False) if rates else None
    median = intervals.tick * int(np.sort(intervals.ticks)[(intervals.ticks.size - 1) // 2])
    coarsest = max(time_base for time_base, _ in files)
    near = [rate for rate in STANDARD_RATES if abs(1 / rate - median) <= coarsest]
    standard = [rate for rate in rates if rate in STANDARD_RATES]
    even = [1 / median] if (intervals.ticks == intervals.ticks[0]).all() and _is_usable(1 / median) else []
    for rate in dict.fromkeys((*standard, *near, *even, *rates)):
        missing = _missing_from_grid(files, rate)
        if missing is not None:
            return Cadence(rate, 1 / rate, variable=False, missing=missing)
    return Cadence(nearest_standard_rate(median), median, variable=True)


def _is_usable(rate: Fraction) -> bool:
    return max(rate.numerator, rate.denominator) <= MAX_RATE_TERM


@dataclass(frozen=True, slots=True)
class _Intervals:
    tick: Fraction
    ticks: npt.NDArray[np.int64]


def _intervals(files: Sequence[Times]) -> _Intervals:
    """Times between neighbouring frames of the same file, all in one tick."""
    tick = Fraction(1, lcm(*(time_base.denominator for time_base, _ in files)))
    parts = [np.diff(pts) * int(time_base / tick) for time_base, pts in files]
    return _Intervals(tick, np.concatenate(parts))


def _missing_from_grid(files: Sequence[Times], rate: Fraction) -> int | None:
    """How many places of the grid lack a frame; None if the frames do not lie on the grid."""
    steps = []
    for time_base, pts in files:
        per_tick = time_base * rate
        a, b = per_tick.numerator, per_tick.denominator
        ticks = (pts - pts[0]).astype(object)  # exact, whatever the time base
        place = (2 * a * ticks + b) // (2 * b)
        if (abs(ticks * a - place * b) > a).any():
            return None
        steps.append(np.diff(place).astype(np.int64))
    every = np.concatenate(steps)
    if every.min() < 1 or np.sort(every)[(every.size - 1) // 2] != 1:
        return None
    return int((every - 1).sum())
