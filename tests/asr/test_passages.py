"""What is sent to the recogniser: cut at pauses, in windows and batches that depend on the speech alone."""

from __future__ import annotations

from itertools import count, pairwise

import numpy as np
import pytest

from emomedia.asr.passages import (
    GAP,
    LONGEST,
    MARGIN,
    PAUSE,
    Passage,
    Window,
    batches,
    passages,
    shown,
    windows,
)
from emomedia.asr.sound import AFTER, EDGE, Tracks, own_gain

from ..rooms import conformed


def mask(columns: int, *runs: tuple[int, int]) -> np.ndarray:
    made = np.zeros(columns, bool)
    for start, end in runs:
        made[start:end] = True
    return made


def test_speech_is_cut_at_long_pauses_alone():
    own = mask(1000, (100, 200), (200 + PAUSE - 1, 300), (300 + PAUSE, 400))
    found = passages(own, "left")
    assert [(one.start, one.end) for one in found] == [(100, 300), (300 + PAUSE, 400)]
    assert [(one.begin, one.stop) for one in found] == [(100 - MARGIN, 325), (325, 400 + MARGIN)]


def test_margins_stay_within_the_track_and_never_reach_other_speech():
    own = mask(8000, (5, 7990))
    found = passages(own, "left")
    assert found[0].begin == 0 and found[-1].stop == 8000
    assert all(before.stop <= after.begin for before, after in pairwise(found))


def test_long_speech_is_cut_at_its_longest_pause_and_fits_a_window():
    own = mask(5000, (0, 2400), (2410, 3000), (3040, 4900))
    found = passages(own, "right")
    assert [(one.start, one.end) for one in found] == [(0, 2400), (2410, 3000), (3040, 4900)]
    assert all(one.columns <= LONGEST for one in found)
    assert all(one.columns <= LONGEST for one in passages(np.ones(10_000, bool), "right"))


def test_a_passage_is_prompted_by_what_its_beginning_lies_in():
    own = mask(1000, (100, 200), (400, 500))
    assert [one.prompt for one in passages(own, "left", {1: range(350, 600)})] == [0, 1]


def test_full_windows_hold_what_fits_of_one_prompt():
    found = [Passage("left", n * 1000, n * 1000 + 900, n * 1000, n * 1000 + 900, n // 4) for n in range(6)]
    made = windows(found, short=False)
    assert [len(window.passages) for window in made] == [3, 1, 2]
    assert made[0].places == (0, 900 + GAP, 1800 + 2 * GAP)
    assert all(window.columns <= LONGEST for window in made)
    assert [len(window.passages) for window in windows(found, short=True)] == [1] * 6


def test_batches_hold_like_lengths_and_no_more_than_they_may():
    lengths = (2900, 300, 310, 1200, 450, *range(200, 240))
    spoken = [Passage("left", at, at + n, at, at + n) for at, n in zip(count(0, 5000), lengths)]
    made = [Window((passage,), (0,)) for passage in spoken]
    most = 8 * LONGEST
    found = batches(made, short=True, most=most)
    assert sum(len(batch.windows) for batch in found) == len(lengths)
    assert all(len(batch.windows) * batch.columns <= most for batch in found)
    assert all(window.columns <= batch.columns for batch in found for window in batch.windows)
    assert batches(made[::-1], short=True, most=most) == found
    assert {batch.columns for batch in batches(made, short=False, most=most)} == {LONGEST}


@pytest.fixture
def tone(tmp_path):
    """Two tracks of a constant level, so that what is silenced shows."""
    level = np.full(48_000 * 6, 0.25, np.float32)
    return {side: conformed(tmp_path / f"{side}.pcm", level) for side in ("left", "right")}


def test_nothing_is_heard_where_the_other_actor_speaks_alone(tone):
    active = {"left": mask(600, (100, 200), (400, 500)), "right": mask(600, (180, 380))}
    gain = own_gain(active, "left", 0, 600)
    assert gain[:200].all() and not gain[200 + EDGE : 380 + AFTER - EDGE].any() and gain[401:].all()
    sound = Tracks(tone, active).sound(Passage("left", 100, 500, 80, 520))
    assert len(sound) == 440 * 160
    assert abs(sound[: 110 * 160]).min() > 0.2 and abs(sound[340 * 160 :]).min() > 0.2
    assert abs(sound[130 * 160 : 300 * 160]).max() < 1e-3


def test_what_is_hidden_is_not_heard_around_a_passage_nor_within(tone):
    """The actor speaks on into an excluded stretch, and in a short one that parts her passage."""
    active = {"left": mask(600, (100, 150), (180, 300)), "right": mask(600)}
    hidden = mask(600, (150, 180), (300, 420))
    (passage,) = passages(active["left"], "left")
    assert (passage.start, passage.end, passage.stop) == (100, 300, 340)
    sound = abs(Tracks(tone, active, hidden).sound(passage))
    places = {"before": (100, 149), "within": (150, 180), "after": (181, 299), "around": (300, 340)}
    heard = {
        name: sound[(first - passage.begin) * 160 : (end - passage.begin) * 160]
        for name, (first, end) in places.items()
    }
    assert heard["before"][200:-200].min() > 0.2 and heard["after"][200:-200].min() > 0.2
    assert heard["within"][40:-40].max() < 5e-3 and heard["around"][40:].max() < 5e-3


@pytest.mark.parametrize("short", [False, True])
def test_what_is_excluded_leaves_all_other_batches_as_they_were(short):
    own = mask(9000, *((at, at + 200 + at % 90) for at in range(50, 8700, 300)))
    active = {"left": own, "right": np.zeros(9000, bool)}
    formed = batches(windows(passages(own, "left"), short=short), short=short, most=4 * LONGEST)
    assert [shown(before, active, short=short) for before in formed] == [[before] for before in formed]
    active["left"] = left = own.copy()
    left[4300:4360] = left[6000:6500] = False
    made = [(before, shown(before, active, short=short)) for before in formed]
    assert sum(after == [before] for before, after in made) >= len(formed) - 3
    assert all(len(one.windows) <= len(before.windows) for before, after in made for one in after)
    found = [window for _, after in made for one in after for window in one.windows]
    heard = [passage for window in found for passage in window.passages]
    covered = mask(9000, *((one.start, one.end) for one in heard))
    assert (covered >= left).all() and not covered[6000:6500].any() and not covered[4310:4350].any()
    assert all(one.begin <= one.start < one.end <= one.stop for one in heard)
