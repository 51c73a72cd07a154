"""Rates and cadences from frame times."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emomedia.probe.rate import find_cadence
from emomedia.timeline import STANDARD_RATES

MS = Fraction(1, 1000)
NTSC = Fraction(30000, 1001)


def grid(rate, time_base, count, first=0, without=()):
    """Times of a constant rate, rounded to ticks as a muxer rounds them."""
    places = [n for n in range(count) if n not in without]
    return time_base, np.array([first + round(n / rate / time_base) for n in places], np.int64)


def cadence(*files, declared=()):
    found = find_cadence(files, declared)
    return found.rate, found.variable, found.missing


def test_equal_intervals_are_an_exact_rate_whatever_is_declared():
    assert cadence(grid(Fraction(25), Fraction(1, 12800), 9)) == (25, False, 0)
    assert cadence(grid(NTSC, Fraction(1, 30000), 9), declared=[Fraction(30)]) == (NTSC, False, 0)
    odd = Fraction(1, 90000), np.arange(500, dtype=np.int64) * 3008
    assert cadence(odd, declared=[Fraction(30)]) == (Fraction(90000, 3008), False, 0)
    fine = Fraction(1, 10**9), np.arange(500, dtype=np.int64) * 33425813
    assert cadence(fine) == (Fraction(10**9, 33425813), False, 0)


def test_a_rate_of_ticks_that_no_file_counts_is_none():
    finer = Fraction(1, 10**10), np.arange(500, dtype=np.int64) * 334258131
    assert cadence(finer) == (NTSC, True, 0)


@given(
    st.sampled_from(STANDARD_RATES),
    st.sampled_from([MS, Fraction(1, 90000), Fraction(1, 600), Fraction(1, 10**9)]),
    st.integers(3, 400),
    st.integers(0, 10**6),
)
def test_a_declared_rate_is_found_in_any_time_base(rate, time_base, count, first):
    """Matroska's milliseconds round 29.97 to 33, 34, 33, …"""
    assert cadence(grid(rate, time_base, count, first), declared=[rate]) == (rate, False, 0)


def test_a_standard_rate_needs_no_declaration():
    assert cadence(grid(NTSC, MS, 400)) == (NTSC, False, 0)
    assert cadence(grid(NTSC, MS, 400), declared=[Fraction(90000), Fraction(0)]) == (NTSC, False, 0)


def test_a_few_equal_intervals_in_milliseconds_are_the_declared_rate():
    """0, 33, 67 would be; 0, 33, 66 are equal but still within one tick of 30 fps."""
    assert cadence((MS, np.array([0, 33, 66])), declared=[Fraction(30)]) == (30, False, 0)


def test_missing_frames_leave_the_rate_constant():
    holes = grid(Fraction(25), Fraction(1, 90000), 100, without=(3, 40, 41))
    assert cadence(holes, declared=[Fraction(25)]) == (25, False, 3)


def test_times_off_the_grid_are_variable():
    times = grid(Fraction(30), Fraction(1, 90000), 100)[1]
    times[50:] += 700
    assert cadence((Fraction(1, 90000), times), declared=[Fraction(30)]) == (30, True, 0)


def test_every_second_place_of_a_fast_grid_is_not_that_rate():
    """A container that declares 90000 fps, or 50 for 25, says nothing of frames that lie on its grid."""
    jitter = Fraction(1, 90000), np.cumsum([0] + [3000, 3010, 2990, 3005, 2995] * 20)
    found = find_cadence([jitter], [Fraction(90000), Fraction(120)])
    assert (found.rate, found.variable, found.interval) == (30, True, Fraction(1, 30))
    assert cadence(grid(Fraction(25), MS, 50), declared=[Fraction(50)]) == (25, False, 0)


def test_the_interval_of_a_variable_rate_is_the_median():
    times = np.array([0, 41, 82, 123, 163, 180, 260])
    found = find_cadence([(MS, times)], [])
    assert (found.rate, found.variable, found.interval) == (24, True, Fraction(41, 1000))


@pytest.mark.parametrize(("ticks", "variable"), [(-1, False), (1, False), (-2, True), (2, True)])
def test_a_frame_may_be_one_tick_off_its_place(ticks, variable):
    time_base, times = grid(Fraction(25), Fraction(1, 90000), 20)
    times[7] += ticks
    assert cadence((time_base, times)) == (25, variable, 0)


def test_two_frames_do_not_share_a_place():
    times = np.sort(np.append(grid(Fraction(25), MS, 20)[1], 401))
    assert cadence((MS, times), declared=[Fraction(25)]) == (25, True, 0)


def test_a_standard_rate_is_believed_before_another_declared_one():
    times = grid(NTSC, MS, 100)
    assert cadence(times, declared=[Fraction(2997, 100), NTSC]) == (NTSC, False, 0)


def test_a_declared_rate_need_not_be_a_standard_one():
    """15 fps in milliseconds: 67, 66, 67, …"""
    assert cadence(grid(Fraction(15), MS, 40), declared=[Fraction(15)]) == (15, False, 0)
    assert cadence(grid(Fraction(15), MS, 40))[1] is True


def test_files_are_measured_together_each_on_its_own_grid():
    files = [grid(Fraction(25), Fraction(1, 12800), 50), grid(Fraction(25), MS, 50, first=7777)]
    assert cadence(*files) == (25, False, 0)
    assert cadence(grid(Fraction(25), MS, 50), grid(Fraction(25), MS, 1)) == (25, False, 0)


@pytest.mark.parametrize(("declared", "rate"), [([Fraction(0), Fraction(24)], 24), ([Fraction(10**6)], None)])
def test_a_single_frame_has_the_declared_rate_or_none(declared, rate):
    found = find_cadence([(MS, np.array([5]))], declared)
    assert (found.rate if found else None) == rate
