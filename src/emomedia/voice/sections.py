"""Which stretches of a session are analysed together to clean the overlaps in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..session import SIDES, SideName

Mask = npt.NDArray[np.bool_]
Run = tuple[int, int]

LEAST, STEP, MOST = 200, 100, 2000
"""Columns of 10 ms before and after an overlap: at least, more by steps, at most."""

ALONE = 300
"""Columns of each actor alone that a section should hold; they are near, because heads move."""

LONGEST = 4500
"""Columns of a section that is to take in the next overlap too."""


@dataclass(frozen=True, slots=True)
class Section:
    """Columns ``[first, end)`` of a session, and the overlaps in them that are to be cleaned."""

    first: int
    end: int
    overlaps: tuple[Run, ...]


def sections(active: Mapping[SideName, Mask], overlaps: Sequence[Run]) -> list[Section]:
    """Sections that hold each overlap once, with enough around it to learn from, in order.

    Parameters
    ----------
    active : mapping by side of bool[n]
    overlaps : sequence of (int, int)
        Columns ``[first, end)``, in order.
    """
    alone = {side: active[side] & ~active[other] for side, other in zip(SIDES, SIDES[::-1], strict=True)}
    before = {side: np.concatenate([[0], np.cumsum(alone[side])]) for side in SIDES}
    found: list[Section] = []
    for overlap in overlaps:
        first, end = _around(overlap, before)
        last = found[-1] if found else None
        if last is not None and overlap[0] < last.end and end - last.first <= LONGEST:
            found[-1] = Section(min(first, last.first), max(end, last.end), (*last.overlaps, overlap))
        else:
            found.append(Section(first, end, (overlap,)))
    return found


def _around(overlap: Run, before: Mapping[SideName, npt.NDArray[np.int64]]) -> Run:
    """The least stretch around an overlap in which each actor is alone for long enough."""
    length = len(before["left"]) - 1
    for margin in range(LEAST, MOST + 1, STEP):
        first, end = max(0, overlap[0] - margin), min(length, overlap[1] + margin)
        if all(before[side][end] - before[side][first] >= ALONE for side in SIDES):
            break
    return first, end
