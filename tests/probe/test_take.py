"""Takes from what the core says of their files, and why some are refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emomedia.errors import DescriptionError, UnsupportedMediaError
from emomedia.probe.take import as_decoded, largest_crop, make_take, refuse_unsuitable, video_stream
from emomedia.session import Crop

from .found import audio, found, session, video

PATH = Path("/shoot/a.mp4")


def take(*files, **left):
    return make_take(session(left=left), "left", files or [found()])


def test_a_plain_take():
    made = take(found(keys=(0, 25, 50, 75)))
    assert (made.width, made.height, made.bit_depth, made.chroma) == (2160, 3840, 8, "4:2:0")
    assert (made.rate, made.variable, made.missing, made.rotate) == (25, False, 0, 0)
    assert made.crop == Crop(0, 705, 2160, 2430)
    assert made.frames.count == 100
    assert made.frames.end == 4
    assert made.files[0].keys.tolist() == [0, 25, 50, 75]


def test_a_lying_take_is_cropped_upright():
    made = take(found(width=3840, height=2160, rotate=90))
    assert made.rotate == 90
    assert made.upright_size(made.rotate) == (2160, 3840)
    assert made.crop == Crop(0, 705, 2160, 2430)


def test_the_description_outdoes_the_file():
    crop = Crop(1, 2, 800, 900)
    made = take(found(width=3840, height=2160, rotate=None), rotate=270, crop=crop)
    assert (made.rotate, made.crop) == (270, crop)


def test_what_is_unspecified_counts_as_the_usual():
    names = ("range", "matrix", "primaries", "transfer", "siting")
    made = take(found(**dict.fromkeys(names, "unspecified")))
    assert [getattr(made, name) for name in names] == ["limited", "bt709", "bt709", "bt709", "left"]


def test_the_next_file_begins_one_frame_after_the_last():
    first = found("1.mp4", pts=np.arange(10) * 512 + 99)
    second = found("2.mp4", pts=np.arange(5) * 1000 + 7, time_base=(1, 25000))
    made = take(first, second)
    assert [file.base for file in made.frames.files] == [0, Fraction(10, 25)]
    assert made.frames.end == Fraction(15, 25)
    assert [file.path.name for file in made.files] == ["1.mp4", "2.mp4"]


def test_a_short_last_file_may_lack_frames():
    """Two frames, one missing between them, say nothing of another rate."""
    made = take(found(frame_rate=(50, 1), pts=np.arange(90) * 256), found("2.mp4", pts=np.array([0, 512])))
    assert (made.rate, made.missing) == (50, 1)


def test_the_largest_picture_is_the_take():
    streams = [
        audio(index=0),
        video(index=1, width=4000, height=4000, attached_picture=True),
        video(index=2, width=160, height=90),
        video(index=3),
        video(index=4),
    ]
    assert video_stream(PATH, streams)["index"] == 3


@given(st.integers(16, 16384), st.integers(16, 16384))
@example(900, 1000)
@example(1000, 900)
def test_the_default_crop_is_as_large_as_can_be_and_in_the_middle(width, height):
    crop = largest_crop(width, height)
    assert crop.x == (width - crop.width) // 2
    assert crop.y == (height - crop.height) // 2
    assert crop.width == width or crop.height == height
    assert crop.width <= width
    assert crop.height <= height
    assert abs(crop.width * 9 - crop.height * 8) < 9


def test_a_mirrored_take_is_turned_and_then_mirrored():
    made = take(found(rotate=90, mirrored=True))
    assert (made.rotate, made.mirrored) == (90, True)
    assert take(found(rotate=90, mirrored=True), rotate=0).mirrored is False


@given(st.integers(16, 16384), st.integers(16, 16384), st.fractions(Fraction(1, 4), 4, max_denominator=99))
def test_the_default_crop_is_shown_as_8_to_9_whatever_the_pixels(width, height, aspect):
    crop = largest_crop(width, height, aspect)
    shape = crop.width * aspect / crop.height
    step = max(aspect / crop.height, crop.width * aspect / (crop.height * (crop.height + 1)))
    assert abs(shape - Fraction(8, 9)) <= step
    assert crop.width == width or crop.height == height


def test_anamorphic_pixels_make_the_crop_narrower_and_turn_with_the_picture():
    wide = take(found(width=1440, height=1080, sample_aspect=(4, 3)))
    assert (wide.aspect, wide.crop) == ("4/3", Crop(360, 0, 720, 1080))
    lying = take(found(width=1440, height=1080, sample_aspect=(4, 3), rotate=90))
    assert lying.crop == Crop(0, (1440 - 911) // 2, 1080, 911)


UNSUITABLE = {
    "RGB": ({"pix_fmt": "gbrp", "chroma": "gbrp", "composable": False}, "another layout"),
    "4:1:1": ({"pix_fmt": "yuv411p", "chroma": "yuv411p", "composable": False}, "yuv411p"),
    "16 bit": ({"pix_fmt": "yuv420p16le", "bit_depth": 16, "composable": False}, "16 bits"),
    "anamorphic beyond measure": ({"sample_aspect": (9, 2)}, "9/2"),
    "odd siting": ({"siting": "bottomleft"}, "bottomleft"),
    "too wide": ({"width": 16385}, "16385x3840"),
    "too small": ({"height": 15}, "2160x15"),
}


@pytest.mark.parametrize("name", UNSUITABLE)
def test_what_cannot_be_treated_right_is_refused(name):
    changes, found_text = UNSUITABLE[name]
    with pytest.raises(UnsupportedMediaError, match=f"a.mp4: expected .* found .*{found_text}"):
        refuse_unsuitable(PATH, video(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"pix_fmt": "yuvj420p", "range": "full"},
        {"pix_fmt": "yuv422p10le", "chroma": "4:2:2", "bit_depth": 10},
        {"pix_fmt": "yuv444p12le", "chroma": "4:4:4", "bit_depth": 12},
        {"field_order": "unknown", "sample_aspect": (0, 1), "siting": "unspecified"},
        {"field_order": "tt", "sample_aspect": (4, 3), "mirrored": True},
        {"sample_aspect": (1, 0)},
        {"width": 16384, "height": 16},
    ],
)
def test_what_can_be_treated_right_is_taken(changes):
    refuse_unsuitable(PATH, video(**changes))


@pytest.mark.parametrize(
    ("order", "fields"),
    [("tt", "top first"), ("bt", "top first"), ("bb", "bottom first"), ("tb", "bottom first"),
     ("progressive", "progressive"), ("unknown", "progressive")],
)  # fmt: skip
def test_the_field_that_is_shown_first_counts(order, fields):
    assert take(found(field_order=order)).fields == fields


def test_interlaced_takes_can_be_kept_or_refused():
    file = found(field_order="tt")
    assert make_take(session(), "left", [file], "keep").fields == "progressive"
    with pytest.raises(UnsupportedMediaError, match=r"interlaced fields \(top first\)"):
        refuse_unsuitable(PATH, file.stream, "refuse")
    refuse_unsuitable(PATH, video(), "refuse")


def test_files_that_differ_in_fields_alone_are_one_take_where_fields_are_kept():
    files = [found(), found("2.mp4", field_order="tt")]
    assert make_take(session(), "left", files, "keep").fields == "progressive"


def test_a_decoded_frame_knows_better_than_the_container():
    stream = video(transfer="bt709", range="full", field_order="tt", pix_fmt="none", composable=False)
    decoded = video(transfer="smpte2084", range="unspecified", field_order="progressive", width=1920)
    merged = as_decoded(stream, decoded)
    assert (merged["transfer"], merged["range"], merged["width"]) == ("smpte2084", "full", 1920)
    assert (merged["field_order"], merged["pix_fmt"], merged["composable"]) == ("tt", "yuv420p", True)
    assert as_decoded(video(), video(field_order="bb"))["field_order"] == "bb"


def test_a_jump_in_the_times_is_no_take_of_many_days():
    with pytest.raises(UnsupportedMediaError, match="at most 24 hours"):
        take(found(pts=np.array([0, 512, 25 * 3600 * 12800])))


@pytest.mark.parametrize("streams", [[], [audio()], [video(attached_picture=True)]])
def test_a_file_without_pictures_is_refused(streams):
    with pytest.raises(UnsupportedMediaError, match="a video stream"):
        video_stream(PATH, streams)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ([found(rotate=None)], "another angle"),
        ([found(pts=[], keys=())], "found 0"),
        ([found(pts=[7], frame_rate=(0, 1), avg_rate=(0, 0))], "neither"),
        ([found(), found("2.mp4", rotate=90)], "2.mp4: expected the rotation of a.mp4, 0 degrees, found 90"),
        ([found(), found("2.mp4", mirrored=True)], "0 degrees, found 0 degrees and a mirror"),
        ([found(), found("2.mp4", field_order="tt")], "fields progressive, found fields top first"),
        ([found(), found("2.mp4", width=1080)], "2.mp4: .* width 2160, found width 1080"),
        ([found(), found("2.mp4", range="full")], "range limited, found range full"),
        ([found(), found("2.mp4", pts=np.arange(20) * 256)], "2.mp4: .*rate of a.mp4, 25/1, found 50/1"),
    ],
)
def test_files_that_make_no_take_are_refused(files, complaint):
    with pytest.raises(UnsupportedMediaError, match=complaint):
        take(*files)


def test_files_that_say_the_same_in_other_words_are_one_take():
    assert take(found(), found("2.mp4", range="unspecified", siting="unspecified")).frames.count == 200


@pytest.mark.parametrize(
    "crop",
    [Crop(0, 0, 7, 9), Crop(0, 0, 8, 8), Crop(-1, 0, 80, 90), Crop(2081, 0, 80, 90), Crop(0, 3751, 80, 90)],
)
def test_a_crop_that_does_not_fit_is_refused(crop):
    with pytest.raises(DescriptionError, match=r"session\.toml.*left\.crop.*2160x3840"):
        take(crop=crop)


@pytest.mark.parametrize("crop", [Crop(0, 0, 8, 9), Crop(2080, 3750, 80, 90), Crop(0, 0, 2160, 3840)])
def test_a_crop_that_just_fits_is_taken(crop):
    assert take(crop=crop).crop == crop
