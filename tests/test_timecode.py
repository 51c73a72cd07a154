"""SMPTE timecode: frames are counted, dropped numbers are not frames."""

from __future__ import annotations

from fractions import Fraction

import pytest

from emomedia.timecode import seconds_of, shortest

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


def test_over_midnight():
    assert shortest(Fraction(10 - 86_390)) == 20
    assert shortest(Fraction(86_390 - 10)) == -20
    assert shortest(Fraction(-3600)) == -3600
