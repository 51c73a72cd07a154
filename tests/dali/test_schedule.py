"""Windows, orders, shares: each window once, every rank alike, every epoch another order."""

from __future__ import annotations

import numpy as np
import pytest

from emomedia.dali.schedule import Schedule, windows


def schedule(**choices):
    usual = {"window_count": 103, "batch_size": 4, "seed": 5, "rank": 0, "world_size": 1, "drop_last": False}
    return Schedule(**usual | choices)


def given(made, epoch):
    return [number for batch in made.batches(epoch) for number in batch.tolist()]


@pytest.mark.parametrize(("frames", "step"), [(1, 1), (5, 5), (5, 2), (4, 7), (11, 1)])
def test_windows_lie_within_their_clips_one_every_step(frames, step):
    counts = [10, 3, 0, 25, 5, 4]
    clip, first = windows(np.array(counts), frames, step)
    expected = [
        (k, n) for k, count in enumerate(counts) for n in range(0, count, step) if n + frames <= count
    ]
    assert list(zip(clip.tolist(), first.tolist(), strict=True)) == expected


def test_each_window_comes_once_over_all_ranks():
    ranks = [given(schedule(rank=rank, world_size=3), epoch=2) for rank in range(3)]
    assert sorted(number for rank in ranks for number in rank) == list(range(103))
    assert {len(rank) for rank in ranks} == {34, 35}


def test_with_drop_last_all_ranks_have_equally_many_full_batches_and_none_in_common():
    ranks = [schedule(rank=rank, world_size=3, drop_last=True) for rank in range(3)]
    for made in ranks:
        assert len(made) == 103 // (3 * 4) == len(made.batches(1))
        assert {len(batch) for batch in made.batches(1)} == {4}
    every = [number for made in ranks for number in given(made, 1)]
    assert len(set(every)) == len(every)


def test_an_epochs_order_follows_from_the_seed_and_is_another_in_each_epoch():
    assert given(schedule(), 1) == given(schedule(), 1)
    assert given(schedule(), 1) != given(schedule(), 2)
    assert given(schedule(), 1) != given(schedule(seed=6), 1)
    assert given(schedule(), 1) != sorted(given(schedule(), 1))
    assert given(schedule(seed=None), 1) == list(range(103))


def test_an_order_is_the_same_with_any_numpy():
    """Whose shuffling may change; a state that was saved must not mean other batches then."""
    assert given(schedule(window_count=12), 3) == [4, 1, 8, 11, 5, 9, 3, 10, 2, 0, 6, 7]
