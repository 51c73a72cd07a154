"""Cameras that cannot be are refused by the choice that is wrong, with what would be right."""

from __future__ import annotations

from fractions import Fraction

import pytest

from emomedia.errors import DescriptionError
from emomedia.simulate import Camera, SimulateOptions
from emomedia.simulate.camera import VARIABLE_TIME_BASE
from emomedia.simulate.codecs import CODECS

JPEG = {"codec": "mjpeg", "range": "full", "colour": "bt601"}

REFUSED = [  # the last choice is the wrong one, and what is expected says this
    ({"size": (271, 480)}, "even numbers"),
    ({"size": (90, 160)}, "180 or more"),
    ({"size": (10_000, 20_000)}, "at most 8192"),
    ({"fps": Fraction(0)}, "1 to 240"),
    ({"fps": Fraction(1000)}, "1 to 240"),
    ({"timing": "odd"}, "constant, dropped or variable"),
    ({"late": Fraction(-1)}, "0 to 60"),
    ({"hidden": -1}, "0 to 1000"),
    ({"crf": 52}, "0 to 51"),
    ({"gop": 0}, "1 to 1000"),
    ({"gop": 1001}, "1 to 1000"),
    ({"bframes": 9}, "0 to 8"),
    ({"rotate": 45}, "0, 90, 180 or 270"),
    ({"range": "pc"}, "limited or full"),
    ({"colour": "rec709"}, "bt709, bt601, bt2020, hlg, pq or log"),
    ({"interlaced": "top"}, "tff or bff"),
    ({"rotate": 90, "interlaced": "tff"}, "no rotation"),
    ({"mirrored": True, "interlaced": "tff"}, "no rotation or mirroring"),
    ({"size": (270, 482), "interlaced": "tff"}, "multiple of 4"),
    ({"sample_aspect": Fraction(5)}, "1/4 to 4"),
    ({"timecode": "24:00:00:00"}, "HH:MM:SS:FF"),
    ({"timecode": "10:00:00:25"}, "HH:MM:SS:FF"),
    ({"timecode": "10:00:00"}, "HH:MM:SS:FF"),
    ({"parts": 0}, "1 to 99"),
    ({"codec": "divx"}, "h264, hevc, av1, vp9, prores, dnxhd, mjpeg or mpeg2"),
    ({"chroma": "411"}, "420, 422 or 444"),
    ({"depth": 12}, "8 or 10 bits in h264"),
    ({"codec": "vp9", "depth": 10}, "8 bits in vp9"),
    ({"codec": "av1", "chroma": "422"}, "420 in av1 with 8 bits"),
    ({"codec": "dnxhd", "chroma": "444"}, "422 in dnxhd with 8 bits"),
    ({"codec": "prores", "depth": 10, "chroma": "420"}, "422 or 444 in prores"),
    ({"codec": "vp9", "container": "ts"}, "mkv or mp4 for vp9"),
    ({"codec": "dnxhd", "chroma": "422", "container": "mkv"}, "mov or mxf for dnxhd"),
    ({"codec": "dnxhd", "chroma": "422", "size": (180, 320)}, "256x120 stored pixels in dnxhd"),
    ({"codec": "mpeg2", "fps": Fraction(48)}, "60000/1001 or 60 in mpeg2"),
    ({"codec": "vp9", "open_gop": True}, "closed GOPs in vp9"),
    ({"codec": "hevc", "interlaced": "tff"}, "whole frames in hevc"),
    ({"codec": "mjpeg", "colour": "bt601", "range": "limited"}, "full in mjpeg"),
    ({"codec": "mjpeg", "range": "full", "colour": "bt709"}, "bt601 in mjpeg"),
    ({"codec": "prores", "depth": 10, "chroma": "422", "range": "full"}, "limited in prores"),
    ({"codec": "mpeg2", "range": "full"}, "limited in mpeg2"),
    ({"codec": "dnxhd", "chroma": "422", "colour": "bt601"}, "bt709 or log in dnxhd"),
    (
        {"codec": "dnxhd", "depth": 10, "chroma": "444", "container": "mxf", "range": "full"},
        "limited in dnxhd 4:4:4 in mxf",
    ),
    ({"colour": "pq"}, "another with 8 bits"),
    ({"codec": "mpeg2", "sample_aspect": Fraction(4, 3)}, "1 in mpeg2"),
    ({"codec": "mpeg2", "container": "mxf", "timing": "variable"}, "constant in mxf"),
    ({"start": Fraction(-1)}, "0 to 3600 seconds in mp4"),
    ({"container": "ts", "start": Fraction(-31)}, "-30 or more in ts"),
    ({"codec": "mpeg2", "container": "mxf", "start": Fraction(1)}, "0 to 0 seconds in mxf"),
    ({"codec": "mpeg2", "container": "mxf", "late": Fraction(1)}, "0 in mxf"),
    (
        {"codec": "prores", "depth": 10, "chroma": "422", "container": "mxf", "interlaced": "tff"},
        "whole frames of prores in mxf",
    ),
    ({"container": "mkv", "hidden": 3}, "0 in mkv, which has no edit lists"),
    ({"start": Fraction(1), "hidden": 3}, "0 with another start than 0"),
    ({"container": "ts", "rotate": 90}, "0 in ts, which has no display matrix"),
    ({"container": "ts", "mirrored": True}, "False in ts, which has no display matrix"),
    ({"container": "mkv", "sample_aspect": Fraction(4, 3)}, "1 in mkv"),
    ({"container": "ts", "timecode": "10:00:00:00"}, "none in ts"),
]


@pytest.mark.parametrize(("choices", "expected"), REFUSED)
def test_impossible_choices_are_refused_by_name(choices, expected):
    with pytest.raises(DescriptionError) as refused:
        Camera(**choices)
    assert str(refused.value).startswith(f"simulate: {list(choices)[-1]}")
    assert expected in str(refused.value)


def test_every_picture_that_a_codec_holds_can_be_asked_for_and_no_other():
    for codec, kind in CODECS.items():
        jpeg = JPEG if codec == "mjpeg" else {"codec": codec}
        held = set()
        for depth in (8, 10, 12):
            for chroma in ("420", "422", "444"):
                try:
                    Camera(**jpeg, depth=depth, chroma=chroma)
                except DescriptionError as error:
                    assert f" in {codec}" in str(error)
                else:
                    held.add((depth, chroma))
        assert held == set(kind.pictures)


@pytest.mark.parametrize(
    ("choices", "tick"),
    [
        ({}, Fraction(1, 12_800)),
        ({"fps": Fraction(30000, 1001), "container": "mov"}, Fraction(1, 30_000)),
        ({"timing": "variable"}, VARIABLE_TIME_BASE),
        ({"container": "mkv", "timing": "variable"}, Fraction(1, 1000)),
        ({"container": "ts"}, Fraction(1, 90_000)),
        ({"codec": "mpeg2", "container": "mxf"}, Fraction(1, 25)),
    ],
)
def test_containers_have_their_own_ticks(choices, tick):
    assert Camera(**choices).time_base == tick


def test_the_right_camera_takes_over_what_is_not_said_of_it():
    options = SimulateOptions.of(
        codec="hevc", gop=50, seed=3, right={"codec": "prores", "depth": 10, "chroma": "422"}
    )
    assert options.seed == 3
    assert (options.camera.codec, options.camera.suffix) == ("hevc", "mp4")
    right = options.camera_of("right")
    assert (right.codec, right.suffix, right.gop) == ("prores", "mov", 50)
    assert SimulateOptions.of(gop=50).camera_of("right").gop == 50
