"""SMPTE timecode (ST 12-1) as seconds since midnight.  Pure."""

from __future__ import annotations

import re
from fractions import Fraction

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d\d+)")


def seconds_of(timecode: str, rate: Fraction) -> Fraction | None:
    """Seconds from midnight to the frame called `timecode`, by the camera's clock; None for no timecode.

    Frames are counted, so that at 29.97 without drop-frame an hour of timecode is 3603.6 s.

    Parameters
    ----------
    timecode : str
        ``10:20:30:12``, or with a semicolon before the frames where numbers are dropped: two a minute
        (four at 59.94), but not every tenth minute.
    rate : Fraction
        Frames per second.
    """
    found = _TIMECODE.fullmatch(timecode.strip())
    if found is None:
        return None
    hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
    nominal = round(rate)
    if minutes > 59 or seconds > 59 or frames >= nominal:
        return None
    count = ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
    if found[4] != ":":
        passed = hours * 60 + minutes
        count -= nominal // 15 * (passed - passed // 10)
    return count / rate


def day(timecode: str, rate: Fraction) -> Fraction:
    """Seconds after which a timecode (:func:`seconds_of`) starts over: days are counted in frames, too."""
    last = seconds_of(f"23:59:59{timecode.strip()[8]}{round(rate) - 1:02}", rate)
    assert last is not None
    return last + 1 / rate


def shortest(seconds: Fraction, day: Fraction) -> Fraction:
    """A difference of two times of a `day`, the short way round midnight."""
    return (seconds + day / 2) % day - day / 2
