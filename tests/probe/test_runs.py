"""Lists of integers as runs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emomedia.probe.runs import from_runs, to_runs

NUMBERS = st.integers(-(2**62), 2**62)
LISTS = st.one_of(
    st.lists(NUMBERS, max_size=20),
    st.lists(st.sampled_from([0, 33, 34]), max_size=40).map(lambda steps: np.cumsum(steps).tolist()),
)


@given(LISTS)
def test_come_back_as_they_went(values):
    runs = to_runs(values)
    assert from_runs(runs, len(values)).tolist() == values
    assert sum(count for _, _, count in runs) == len(values)


@given(NUMBERS, st.integers(-1000, 1000), st.integers(2, 50))
def test_equal_steps_are_one_run(first, step, count):
    assert to_runs([first + step * n for n in range(count)]) == [(first, step, count)]


@given(LISTS)
def test_neighbouring_runs_could_not_be_one(values):
    """Each run is as long as it can be: the next value does not continue it."""
    runs = to_runs(values)
    for (first, step, count), (following, _, _) in pairwise(runs):
        assert count > 1
        assert following != first + step * count


def test_known_lists():
    assert to_runs([]) == []
    assert to_runs([7]) == [(7, 0, 1)]
    assert to_runs([0, 1, 2, 10, 20, 30]) == [(0, 1, 3), (10, 10, 3)]
    assert to_runs([0, 50, 250]) == [(0, 50, 2), (250, 0, 1)]
    assert from_runs([], 0).tolist() == []


@pytest.mark.parametrize(
    "runs",
    [
        [[0, 1]],
        [[0, 1, 0]],
        [[0, 1, -1]],
        [[0, 1.0, 3]],
        [[0, True, 3]],
        [[0, 1, 60], [100, 1, 41]],
        [[0, 1, 10**15]],
        [[2**63 - 2, 1, 3]],
        [[-(2**63), 2**63, 1]],
    ],
)
def test_what_is_no_run_is_refused(runs):
    with pytest.raises(ValueError, match=r"run|unpack"):
        from_runs(runs, 100)
