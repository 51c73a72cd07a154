"""What a side alone shows of its take, whatever its shape."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from emomedia.errors import DescriptionError
from emomedia.options import Size
from emomedia.probe.types import Take, TakeFile
from emomedia.session import Crop
from emomedia.sides import side_crop
from emomedia.timeline import TakeFrames
from plain import plain_take

WHOLE = Crop(0, 0, 2160, 3840)
HALF = Crop(0, 705, 2160, 2430)


def take(crop: Crop = HALF, width: int = 2160, height: int = 3840, **choices: object) -> Take:
    file = TakeFile(Path("left.mp4"), 0, "h264", np.zeros(1, np.int64))
    frames = TakeFrames((), Fraction(1, 25))
    return plain_take((file,), frames, width=width, height=height, crop=crop, **choices)


@pytest.mark.parametrize("size", [Size(960, 1080), Size(480, 540), Size(1920, 2160)])
def test_what_has_the_shape_of_a_half_shows_what_the_half_does(size):
    assert side_crop(take(), None, size) == HALF
    odd = Crop(3, 85, 263, 301)  # not quite 8:9, and shown as 8:9 all the same
    assert side_crop(take(odd), odd, size) == odd


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (Size(1080, 1920), WHOLE),
        (Size(90, 160), WHOLE),
        (Size(1920, 1080), Crop(0, 1312, 2160, 1215)),
        (Size(512, 512), Crop(0, 840, 2160, 2160)),
        (Size(500, 2000), Crop(600, 0, 960, 3840)),
    ],
)
def test_other_shapes_are_as_large_as_the_whole_picture_allows(size, expected):
    assert side_crop(take(), None, size) == expected


def test_other_shapes_stay_within_the_crop_that_the_description_gives():
    given = Crop(100, 200, 1600, 1800)
    assert side_crop(take(given), given, Size(1080, 1920)) == Crop(100 + 294, 200, 1012, 1800)
    assert side_crop(take(given), given, Size(1600, 900)) == Crop(100, 200 + 450, 1600, 900)


def test_turned_takes_and_pixels_that_are_not_square_are_seen_as_shown():
    assert side_crop(take(width=3840, height=2160, rotate=90), None, Size(1080, 1920)) == WHOLE
    wide = take(width=1440, height=1080, aspect="4/3")  # shown as 1920x1080
    assert side_crop(wide, None, Size(1920, 1080)) == Crop(0, 0, 1440, 1080)
    assert side_crop(wide, None, Size(1080, 1080)) == Crop(315, 0, 810, 1080)


def test_a_shape_of_which_next_to_nothing_fits_is_refused():
    given = Crop(0, 0, 80, 90)
    with pytest.raises(
        DescriptionError, match=r"--side-size 16x4096: .*8 pixels.*80x90.*left\.mp4.*found 0x90"
    ):
        side_crop(take(given), given, Size(16, 4096))
