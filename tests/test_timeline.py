"""The time rule against an oracle that looks at every frame."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import accumulate
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emomedia.timeline import (
    STANDARD_RATES,
    Clock,
    FileFrames,
    TakeFrames,
    footage,
    frames_covering,
    nearest_standard_rate,
    rate_text,
    sample_at,
    source_frames,
)

NTSC = Fraction(30000, 1001)
RATES = [Fraction(25), Fraction(50), NTSC, Fraction(24000, 1001), Fraction(7, 3)]
TIME_BASES = [Fraction(1, 1000), Fraction(1, 60), Fraction(1, 30000), Fraction(1, 90000)]


def take_of(*files, interval):
    """A take of files given as (time base, base, pts)."""
    return TakeFrames(
        tuple(FileFrames(tick, Fraction(base), np.array(pts, np.int64)) for tick, base, pts in files),
        interval,
    )


def constant(rate, count, *, tick=Fraction(1, 90000), start=0):
    """A file's pts at a constant rate, rounded to ticks."""
    return [start + round(n / rate / tick) for n in range(count)]


@st.composite
def takes(draw):
    """One to three files of uneven frames, each beginning one interval after the last frame before.

    No file's clock is coarser than the interval, as no camera's is.
    """
    ticks = draw(st.lists(st.sampled_from(TIME_BASES), min_size=1, max_size=3))
    interval = draw(st.integers(1, 40)) * max(ticks)
    base, files = Fraction(0), []
    for tick in ticks:
        steps = draw(st.lists(st.integers(1, 2 * ceil(interval / tick)), max_size=8))
        pts = list(accumulate(steps, initial=draw(st.integers(-1000, 10**9))))
        files.append((tick, base, pts))
        base += (pts[-1] - pts[0]) * tick + interval
    return take_of(*files, interval=interval)


clocks = st.builds(
    Clock,
    st.integers(-(10**10), 10**10).map(lambda n: Fraction(n, 10**7)) | st.sampled_from([Fraction(0)]),
    st.integers(-3000, 3000).map(lambda n: Fraction(n, 10)) | st.sampled_from([Fraction(0)]),
)


# --- the oracle: every frame of the take, its local time and its tick


def all_frames(take):
    return [
        (number, int(tick), file.base + int(tick - file.pts[0]) * file.time_base, file.time_base)
        for number, file in enumerate(take.files)
        for tick in file.pts
    ]


def local_time(n, rate, clock):
    return (n / rate - clock.offset) / (1 + clock.drift_ppm / 10**6)


def shown(frames, clock, rate, n):
    """Index of the last frame whose time is at most the composite frame's plus half a tick; −1 for none."""
    now = local_time(n, rate, clock)
    return max((k for k, (_, _, at, tick) in enumerate(frames) if at <= now + tick / 2), default=-1)


def over(frames, interval, clock, rate, n):
    """Whether a frame that followed the take's last one would be shown instead of it."""
    _, _, last, tick = frames[-1]
    return last + interval <= local_time(n, rate, clock) + tick / 2


@given(takes(), clocks, st.sampled_from(RATES), st.integers(0, 10))
@settings(max_examples=200, deadline=None)
def test_each_composite_frame_shows_the_frame_on_display(take, clock, rate, tenths):
    first = round((clock.offset + take.end * tenths / 10) * rate) - 10
    found = source_frames(take, clock, rate, first, 30)
    frames = all_frames(take)
    for n, number, pts, index in zip(
        range(first, first + 30), found.file, found.pts, found.index, strict=True
    ):
        expected = shown(frames, clock, rate, n)
        assert index == expected
        assert expected < 0 or (number, pts) == frames[expected][:2]


@given(takes(), takes(), clocks, clocks, st.sampled_from(RATES))
@settings(max_examples=150, deadline=None)
def test_the_footage_is_where_both_takes_show_a_frame(left, right, left_clock, right_clock, rate):
    both = [(left, left_clock), (right, right_clock)]
    first, end = footage(both, rate)
    assert 0 <= first <= end

    known = [(all_frames(take), take.interval, clock) for take, clock in both]

    def inside(n):
        return n >= 0 and all(
            shown(frames, clock, rate, n) >= 0 and not over(frames, interval, clock, rate, n)
            for frames, interval, clock in known
        )

    around = {0, 1} | {edge + step for edge in (first, end) for step in (-2, -1, 0, 1)} | {(first + end) // 2}
    for n in around:
        assert inside(n) == (first <= n < end)


def test_the_longer_take_ends_with_the_shorter():
    left = take_of((Fraction(1, 90000), 0, constant(25, 100)), interval=Fraction(1, 25))
    right = take_of((Fraction(1, 90000), 0, constant(25, 100)), interval=Fraction(1, 25))
    assert footage([(left, Clock()), (right, Clock(Fraction("0.1")))], Fraction(25)) == (3, 100)
    assert footage([(left, Clock()), (right, Clock(Fraction("-0.1")))], Fraction(25)) == (0, 98)
    assert footage([(left, Clock()), (right, Clock(Fraction(5)))], Fraction(25)) == (125, 125)
    early = Clock(Fraction(-1))
    assert footage([(left, early), (right, early)], Fraction(25)) == (0, 75)


def test_a_file_s_own_ticks_give_the_grace_at_its_edge():
    """The last file's frames are rounded to its own ticks, not to the first one's."""
    rate = Fraction(25)
    fine, coarse = Fraction(1, 90000), Fraction(1, 10)
    take = take_of((fine, 0, [0, 3600]), (coarse, "0.08", [0, 1]), interval=Fraction("0.1"))
    assert take.end == Fraction("0.28")
    assert footage([(take, Clock())], rate) == (0, 6), "0.24 is past 0.28 less half a tick of 0.1"


@pytest.mark.parametrize("rate", STANDARD_RATES)
@pytest.mark.parametrize("tick", [Fraction(1, 1000), Fraction(1, 90000), Fraction(1001, 240000)])
def test_a_take_at_the_composite_s_rate_shows_each_frame_once(rate, tick):
    """Whatever the container rounds its times to."""
    take = take_of((tick, 0, constant(rate, 500, tick=tick, start=77)), interval=1 / rate)
    assert source_frames(take, Clock(), rate, 0, 500).index.tolist() == list(range(500))


def test_missing_frames_and_variable_rates_hold_the_frame_before():
    take = take_of((Fraction(1, 100), 0, [0, 4, 16, 20]), interval=Fraction(1, 25))
    assert source_frames(take, Clock(), Fraction(25), -1, 9).index.tolist() == [-1, 0, 1, 1, 1, 2, 3, 3, 3]
    assert source_frames(take, Clock(), Fraction(50), 0, 9).index.tolist() == [0, 0, 1, 1, 1, 1, 1, 1, 2]


def test_the_next_file_goes_on_with_its_own_times():
    take = take_of(
        (Fraction(1, 25), 0, [100, 101]),
        (Fraction(1, 50), Fraction(2, 25), [0, 2, 4]),
        interval=Fraction(1, 25),
    )
    found = source_frames(take, Clock(), Fraction(25), 0, 5)
    assert found.file.tolist() == [0, 0, 1, 1, 1]
    assert found.pts.tolist() == [100, 101, 0, 2, 4]
    assert (take.count, take.end) == (5, Fraction(1, 5))


def test_a_drifting_camera_stays_right_for_an_hour():
    """145 ppm, seen on real shoots: 9 frames in 44 minutes."""
    count, rate = 44 * 60 * 25, Fraction(25)
    take = take_of((Fraction(1, 90000), 0, np.arange(count) * 3600), interval=1 / rate)
    n = 65_000
    found = source_frames(take, Clock(Fraction("0.12"), Fraction(145)), rate, n, 1).index[0]
    seconds = (n / 25 - 0.12) / 1.000145
    assert found == int(seconds * 25) == n - 13
    late = source_frames(take, Clock(Fraction(1000), Fraction(300)), rate, 24_999, 2)
    assert late.index.tolist() == [-1, 0], "drift counts from the file's own first frame"


def test_a_clock_maps_both_ways():
    clock = Clock(Fraction("-3.2071"), Fraction("41.7"))
    assert clock.to_session(Fraction(1_000_000)) == Fraction("-3.2071") + 1_000_000 + Fraction("41.7")
    assert clock.to_local(clock.to_session(Fraction(7, 3))) == Fraction(7, 3)


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.sampled_from(RATES))
def test_frames_covering_are_those_that_share_time(start, length, rate):
    a, b = Fraction(start, 10**6), Fraction(start + length, 10**6)
    first, end = frames_covering(a, b, rate)
    assert first / rate <= a < (first + 1) / rate
    assert (end - 1) / rate < b <= end / rate


def test_the_design_s_frames_of_a_turn():
    assert frames_covering(Fraction("12.44"), Fraction("14.98"), Fraction(25)) == (311, 375)
    assert frames_covering(Fraction(1), Fraction(2), Fraction(25)) == (25, 50)
    assert frames_covering(Fraction("-0.01"), Fraction("0.01"), Fraction(25)) == (-1, 1)


@given(st.integers(0, 10**7), st.sampled_from(RATES))
def test_a_frame_begins_at_the_nearest_sample(frame, rate):
    assert abs(sample_at(frame, rate) - frame / rate * 48000) <= Fraction(1, 2)


def test_samples_of_an_hour_at_2997():
    assert sample_at(107_892, NTSC) == 172_799_827
    assert sample_at(25, Fraction(25), 44_100) == 44_100


@pytest.mark.parametrize(
    ("interval", "rate"),
    [
        ("0.04", 25),
        ("0.04167", 24),
        ("0.0334", NTSC),
        ("0.0333", 30),
        ("0.02", 50),
        ("0.5", Fraction(24000, 1001)),
        ("0.001", 120),
    ],
)
def test_the_standard_rate_nearest_to_an_interval(interval, rate):
    assert nearest_standard_rate(Fraction(interval)) == rate


def test_rates_are_written_as_fractions():
    assert (rate_text(Fraction(25)), rate_text(NTSC)) == ("25/1", "30000/1001")


def test_an_hour_of_frames_takes_a_moment():
    take = take_of((Fraction(1, 90000), 0, np.arange(108_000) * 3003), interval=1 / NTSC)
    start = time.process_time()
    source_frames(take, Clock(Fraction("0.1234567"), Fraction("41.7")), NTSC, 0, 108_000)
    assert time.process_time() - start < 1
