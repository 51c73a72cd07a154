"""SMPTE timecode: frames are counted, dropped numbers are not frames."""

from __future__ import annotations

from fractions import Fraction

import pytest

from emomedia.sync.timecode import day, seconds_of, shortest

NTSC = Fraction(30_000, 1001)


@pytest.mark.parametrize(
    ("text", "rate", "seconds"),
    [
        ("00:00:00:00", Fraction(25), Fraction(0)),
        ("10:20:30:12", Fraction(25), 37_230 + Fraction(12, 25)),
        ("01:00:00:00", NTSC, Fraction(3600 * 1001, 1000)),
        ("00:01:00;02", NTSC, 1800 / NTSC),  # the number after 00:00:59;29
        ("00:00:59;29", NTSC, 1799 / NTSC),
        ("00:10:00;00", NTSC, 17_982 / NTSC),
        ("01:00:00;00", NTSC, 107_892 / NTSC),
        ("00:01:00;04", 2 * NTSC, 3600 / (2 * NTSC)),
        ("00:00:01:00", Fraction(24_000, 1001), Fraction(1001, 1000)),
    ],
)
def test_seconds(text, rate, seconds):
    assert seconds_of(text, rate) == seconds


@pytest.mark.parametrize("text", ["", "10:20", "aa:bb:cc:dd", "10:61:00:00", "10:00:00:25", "10:00:00.1x"])
def test_what_is_none(text):
    assert seconds_of(text, Fraction(25)) is None


@pytest.mark.parametrize(
    ("late", "early", "rate", "frames"),
    [
        ("23:59:50:00", "00:00:10:00", Fraction(25), 500),
        ("23:59:59:29", "00:00:00:01", NTSC, 2),
        ("23:59:59;28", "00:00:00;02", NTSC, 4),
        ("12:00:00:00", "13:00:00:00", NTSC, 108_000),
    ],
)
def test_over_midnight_frames_are_counted_on(late, early, rate, frames):
    difference = seconds_of(early, rate) - seconds_of(late, rate)
    assert shortest(difference, day(late, rate)) == frames / rate
    assert shortest(-difference, day(early, rate)) == -frames / rate
