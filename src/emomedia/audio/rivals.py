"""Whether a sound that repeats itself fits at another place as well as on the clock.  Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .gcc import Peak

Peaks = Sequence[Sequence[tuple[float, Peak]]]

_ALIKE = 0.001
"""Seconds by which the distances of two windows from the clock may differ."""

_AGREE = 3
"""Windows that have to fit equally far from the clock, or all of fewer: of twelve, two do by chance."""

_EVEN = 4
"""Times the share of the windows that fit better there is how much it counts: a quarter of them is enough."""


def as_likely(own: Peaks, rival: Peaks) -> float:
    """How likely another place is, 0 to 1: on the true clock the peaks are higher throughout.

    Parameters
    ----------
    own, rival : sequence of sequences of (float, Peak)
        Of some windows, offset in seconds and peak around the places that each may have: on the clock, and at
        the other place.
    """
    both = [(here, there) for here, there in zip(own, rival, strict=True) if here and there]
    highest = [(max(here, key=_height), max(there, key=_height)) for here, there in both]
    # a recorder that paused is at one place before and at the other one after
    highest = [(here, there) for here, there in highest if abs(there[0] - here[0]) > _ALIKE]
    if not highest:
        return 0.0
    apart = np.array([there[0] - here[0] for here, there in highest])
    higher = np.array([_height(there) >= _height(here) for here, there in highest])
    agree = np.abs(apart[:, None] - apart[None]) <= _ALIKE
    most = agree[np.argmax(agree.sum(axis=1))]
    return (
        min(1.0, _EVEN * float(higher[most].sum()) / len(own)) if most.sum() >= min(_AGREE, len(own)) else 0.0
    )


def _height(placed: tuple[float, Peak]) -> float:
    return placed[1].height
