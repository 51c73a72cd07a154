"""From a container's times to samples: gaps, repeats, holes, and times that make no sense."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from emomedia.audio.places import MAX_SECONDS, Hole, Places
from emomedia.errors import MediaError

PATH = Path("a.mka")


def places(per_tick: int = 1, first: int = 0, lengths: tuple[int, int] = (0, 0), origin: int = 0) -> Places:
    return Places(PATH, 48_000, origin, Fraction(per_tick), first, lengths)


def test_frames_follow_each_other_where_times_are_off_by_less_than_the_jitter():
    of = places()
    assert [of.next(pts, 1000) for pts in (0, 1010, 1995, None, 4000)] == [0, 1000, 2000, 3000, 4000]
    assert of.place == 5000


def test_a_gap_and_a_repeat_move_the_place():
    of = places()
    assert (of.next(0, 1000), of.place) == (0, 1000)
    assert (of.next(5000, 1000), of.place) == (5000, 6000)
    assert (of.next(5500, 1000), of.place) == (5500, 6500)
    assert (of.next(2000, 100), of.place) == (2000, 6500)


def test_the_first_frame_counts_from_the_origin():
    assert places(origin=480).next(480, 1000) == 0
    assert places(origin=480, first=700).next(980, 1000) == 500


def test_a_hole_is_as_long_as_the_next_frame_comes_later():
    of = places()
    of.next(0, 100)
    of.skip(Hole(100, 200, "broken"))
    assert (of.place, of.end_of_holes) == (100, 200)
    assert of.next(200, 100) == 200  # less than the jitter, and yet no jitter
    of.skip(Hole(300, 400, "broken"))
    assert of.next(None, 100) == 400
    of.skip(Hole(None, None, "broken"))
    assert of.next(700, 100) == 700


def test_a_hole_at_the_end_has_its_packets_length():
    of = places()
    of.next(0, 100)
    of.skip(Hole(100, 200, "broken"))
    of.skip(Hole(200, 300, "broken"))
    assert (of.place, of.end_of_holes) == (100, 300)
    of.skip(Hole(300, 1 << 62, "broken"))
    assert of.end_of_holes == MAX_SECONDS * 48_000


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_milliseconds_are_exact_after_a_hole_in_frames_of_one_length(lost):
    of = places(48, lengths=(1024, 1024))
    of.next(0, 1024)
    for number in range(lost):
        of.skip(Hole(21 * (number + 1), 21 * (number + 2), "broken"))
    assert of.next(round((1 + lost) * 1024 / 48), 1024) == (1 + lost) * 1024


def test_milliseconds_are_exact_after_a_seek_with_a_shorter_first_frame():
    assert places(48, first=30_000, lengths=(47, 1152)).next(409, 1152) == 47 + 17 * 1152
    assert places(48, first=0, lengths=(47, 1152)).next(0, 47) == 0


@pytest.mark.parametrize("pts", [2300, 1700])
def test_where_no_gap_may_be_any_is_refused(pts):
    of = Places(PATH, 48_000, 0, Fraction(1), 0, gapless=True)
    assert [of.next(at, 1000) for at in (0, 1010)] == [0, 1000]
    with pytest.raises(MediaError, match=r"expected times that continue from packet to packet"):
        of.next(pts, 1000)


def test_a_single_wrong_time_is_no_gap_where_times_may_be_wrong():
    of = Places(PATH, 48_000, 0, Fraction(1), 0, gapless=True, misdated=True)
    assert [of.next(at, 1000) for at in (0, 1448, 2000, 3448)] == [0, 1000, 2000, 3000]
    with pytest.raises(MediaError, match=r"expected times that continue from packet to packet"):
        of.next(4448, 1000)


def test_a_time_that_fits_no_frame_counts_as_it_is():
    assert places(48, first=30_000, lengths=(1024, 1024)).next(436, 1024) == 436 * 48


@pytest.mark.parametrize("pts", [-96_000, MAX_SECONDS * 48_000 + 1, 1 << 62])
def test_times_that_make_no_sense_are_refused(pts):
    of = places()
    of.next(0, 1000)
    of.next(1000, 1000)
    with pytest.raises(MediaError, match=r"a\.mka: expected times that continue.* s after 0\.042 s"):
        of.next(pts, 1000)
