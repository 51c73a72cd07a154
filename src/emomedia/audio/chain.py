"""The course of a clock through many guesses, some of them wrong, by dynamic programming.  Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Smoothness:
    """What one clock may do against another.

    Attributes
    ----------
    jitter : float
        Seconds by which two guesses of one place may differ.
    drift : float
        Seconds per second by which places may move.
    jump : float
        What the scores of the guesses beyond a jump must add up to, to be worth it.
    """

    jitter: float
    drift: float
    jump: float

    def joins(self, seconds: Reals, moved: Reals) -> npt.NDArray[np.bool_]:
        """Whether places that are `seconds` apart in time and `moved` in place belong together."""
        return np.abs(moved) <= self.jitter + self.drift * np.abs(seconds)


def best_chain(times: Reals, places: Reals, scores: Reals, smooth: Smoothness) -> npt.NDArray[np.intp]:
    """The guesses that make the chain of the highest score, at most one for each time.

    A guess may follow any earlier one: what lies between is passed over at no cost, a jump has its price.

    Parameters
    ----------
    times : float64[n]
        In order; equal ones are alternatives.
    places, scores : float64[n]

    Returns
    -------
    intp[m]
        Indices, in order; empty without guesses.
    """
    count = len(times)
    total, before = scores.copy(), np.full(count, -1)
    for this in range(1, count):
        earlier = int(np.searchsorted(times, times[this]))
        if earlier == 0:
            continue
        joined = smooth.joins(times[this] - times[:earlier], places[this] - places[:earlier])
        sums = total[:earlier] - np.where(joined, 0.0, smooth.jump)
        best = int(np.argmax(sums))
        if sums[best] > 0:
            total[this] += sums[best]
            before[this] = best
    chain = [int(np.argmax(total))] if count else []
    while chain and before[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    return np.array(chain[::-1], np.intp)


def jumps(times: Reals, places: Reals, smooth: Smoothness) -> npt.NDArray[np.intp]:
    """Indices of the guesses of a chain that do not join the one before."""
    apart = ~smooth.joins(np.diff(times), np.diff(places))
    return np.flatnonzero(apart) + 1
