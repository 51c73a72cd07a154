"""Long lists of integers as short lists of runs ``[first, step, count]``, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Run = tuple[int, int, int]


def to_runs(values: Sequence[int] | npt.NDArray[np.integer]) -> list[Run]:
    """`values` as runs of equal steps, each as long as it can be, from left to right.

    A run of one has step 0.
    """
    numbers = [int(value) for value in values]
    steps = [b - a for a, b in pairwise(numbers)]
    runs: list[Run] = []
    begin = 0
    while begin < len(numbers):
        step = steps[begin] if begin < len(steps) else 0
        end = begin
        while end < len(steps) and steps[end] == step:
            end += 1
        runs.append((numbers[begin], step, end - begin + 1))
        begin = end + 1
    return runs


def from_runs(runs: Iterable[Sequence[int]], limit: int) -> npt.NDArray[np.int64]:
    """The integers that `runs` stand for, int64[n].

    Raises
    ------
    ValueError
        A run is no ``[first, step, count]`` with a count from 1, or the counts together exceed `limit`.
    """
    checked = [_run(run) for run in runs]
    if sum(count for _, _, count in checked) > limit:
        raise ValueError(f"runs of more than {limit} values")
    parts = [first + step * np.arange(count, dtype=np.int64) for first, step, count in checked]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _run(run: Sequence[int]) -> Run:
    first, step, count = run
    if not all(type(value) is int for value in (first, step, count)) or count < 1:
        raise ValueError(f"{list(run)} is not a run [first, step, count]")
    bounds = np.iinfo(np.int64)
    if not all(bounds.min <= value <= bounds.max for value in (first, step, first + step * (count - 1))):
        raise ValueError(f"{list(run)} is a run beyond 64 bits")
    return first, step, count
