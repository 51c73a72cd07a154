"""A track whose recorder lost time, or whose pace changed: each stretch is where its own line puts it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from emomedia.audio.conform import conform
from emomedia.timeline import Clock

from .sounds import noise, track, write_wav

SECOND = 48_000


def stepped(offset: str, *steps: tuple[str, str, str], drift: str = "0") -> Clock:
    """A clock with further lines, each (from, offset, drift in ppm)."""
    later = tuple((Fraction(at), Clock(Fraction(to), Fraction(ppm))) for at, to, ppm in steps)
    return Clock(Fraction(offset), Fraction(drift), later)


@pytest.mark.parametrize(("kind", "bits"), [("s16", 16), ("s24", 24)])
def test_what_a_recorder_lost_is_zeros_and_the_rest_its_own_samples(tmp_path, kind, bits):
    samples = noise(3 * SECOND, bits)[:, 0]
    clock = stepped("0.25", ("1", "0.75", "0"), ("2.5", "0.8", "0"))
    of = track(write_wav(tmp_path / "a.wav", samples, kind), bits=bits)
    pcm = conform(of, clock, 4 * SECOND, tmp_path, "left")
    expected = np.zeros(4 * SECOND, samples.dtype)
    for first, end, at in ((0, 1, 0.25), (1, 2.5, 1.75), (2.5, 3, 3.3)):
        begin = round(at * SECOND)
        part = samples[int(first * SECOND) : int(end * SECOND)]
        expected[begin : begin + len(part)] = part
    np.testing.assert_array_equal(pcm.array, expected)
    assert not pcm.corrected
    assert pcm.damaged == ((60_000, 84_000), (156_000, 158_400))
    assert pcm.covered == (12_000, 182_400)
    assert pcm.damaged_samples(0, 4 * SECOND) == 26_400
    for place in (12_000, 59_999, 84_000, 155_999, 158_400, 182_399):
        assert expected[place] == samples[pcm.track_sample(place)]


def test_time_that_is_in_the_track_twice_is_there_once(tmp_path):
    samples = noise(2 * SECOND, 16)[:, 0]
    of = track(write_wav(tmp_path / "a.wav", samples, "s16"), bits=16)
    pcm = conform(of, stepped("0", ("1", "-0.1", "0")), 2 * SECOND, tmp_path, "left")
    begin = round(0.9 * SECOND)
    np.testing.assert_array_equal(pcm.array[:begin], samples[:begin])
    np.testing.assert_array_equal(pcm.array[begin:91_200], samples[SECOND : 2 * SECOND])
    assert pcm.covered == (0, 91_200) and pcm.damaged == ()


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_a_step_in_a_track_that_drifts(tmp_path, rate):
    local = np.arange(60 * rate) / rate
    s24 = np.rint(0.5 * np.sin(2 * np.pi * 997 * local) * 2**23).astype(np.int64)
    clock = stepped("1", ("30", "3", "80"), drift="80")
    of = track(write_wav(tmp_path / "a.wav", s24, "s24", rate), rate=rate)
    pcm = conform(of, clock, 64 * SECOND, tmp_path, "left")
    assert pcm.corrected
    session = np.arange(64 * SECOND) / SECOND
    speed = float(clock.speed)
    for begin, end, offset in ((1.1, 30.9, 1), (33.1, 62.9, 3)):
        inside = slice(round(begin * SECOND), round(end * SECOND))
        expected = 0.5 * np.sin(2 * np.pi * 997 * (session[inside] - offset) / speed)
        error = pcm.array[inside] / 2**23 - expected
        assert np.abs(error).max() < 0.5 * 2 * np.pi * 997 * 0.51 / SECOND  # half a sample
    ((first, end),) = pcm.damaged
    assert abs(first - 31.0024 * SECOND) <= 1 and abs(end - 33.0024 * SECOND) <= 1
    assert not pcm.array[first:end].any()


def test_a_bend_is_heard_nowhere(tmp_path):
    # The pace changes at 20 s; both lines meet there, so a sine goes on without a click.
    rate = SECOND
    s24 = np.rint(0.5 * np.sin(2 * np.pi * 997 * np.arange(40 * rate) / rate) * 2**23).astype(np.int64)
    offset = Fraction(1) + 20 * (Fraction(100) - 160) / 1_000_000
    clock = Clock(Fraction(1), Fraction(100), ((Fraction(20), Clock(offset, Fraction(160))),))
    later = clock.later[0][1]
    assert clock.to_session(Fraction(20)) == later.to_session(Fraction(20)) == Fraction("21.002")
    of = track(write_wav(tmp_path / "a.wav", s24, "s24", rate), rate=rate)
    pcm = conform(of, clock, 41 * SECOND, tmp_path, "left")
    assert pcm.damaged == ()
    found = pcm.array[2 * SECOND : 40 * SECOND] / 2**23
    # What no sine of its frequency has: a second difference larger than its own.
    bent = np.abs(np.diff(found, 2)).max()
    assert bent < 1.02 * 0.5 * (2 * np.pi * 997 / SECOND) ** 2


def test_one_sample_is_neither_doubled_nor_missing_at_a_bend_that_needs_no_correction(tmp_path):
    samples = noise(2 * SECOND, 16)[:, 0]
    of = track(write_wav(tmp_path / "a.wav", samples, "s16"), bits=16)
    clock = stepped("0", ("1", "0.000004", "1"), drift="5")
    pcm = conform(of, clock, 2 * SECOND, tmp_path, "left")
    assert not pcm.corrected and pcm.damaged == ()
    np.testing.assert_array_equal(pcm.array, samples)
