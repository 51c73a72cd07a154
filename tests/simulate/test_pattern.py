"""Marks survive what happens to them on the way into a clip, and are never read as another frame's."""

from __future__ import annotations

import io
import re
from fractions import Fraction

import av
import numpy as np
import pytest

from emomedia.session import Crop
from emomedia.simulate import Mark, MarkError, draw, read
from emomedia.simulate.camera import Camera
from emomedia.simulate.pattern import LEVELS, MAX_INDEX, centred_part
from emomedia.simulate.picture import Moment, Painter

SIZE = (360, 640)
HALF = (960, 1080)
INDICES = (0, 1, 2, 255, 256, 174_762, MAX_INDEX)


def grey(depth=8, size=SIZE):
    return np.full(size[::-1], 120 << (depth - 8), np.uint8 if depth == 8 else np.uint16)


def marked(index, side="left", size=SIZE):
    luma = grey(size=size)
    draw(luma, Mark(side, index))
    return luma


def copies(size=SIZE):
    """Rectangles around the two marks: (rows, columns) of each."""
    changed = marked(0, size=size) != grey(size=size)
    rows = np.flatnonzero(changed.any(axis=1))
    breaks = np.flatnonzero(np.diff(rows) > 1)
    assert len(breaks) == 1
    halves = [(rows[0], rows[breaks[0]] + 1), (rows[breaks[0] + 1], rows[-1] + 1)]
    found = []
    for top, bottom in halves:
        columns = np.flatnonzero(changed[top:bottom].any(axis=0))
        found.append((slice(top, bottom), slice(columns[0], columns[-1] + 1)))
    return found


@pytest.mark.parametrize("size", [(2160, 3840), (270, 480), (180, 320), (640, 360)])
@pytest.mark.parametrize("depth", [8, 10])
def test_what_is_drawn_is_read(size, depth):
    for index in INDICES:
        for side in ("left", "right"):
            luma = grey(depth, size)
            draw(luma, Mark(side, index), tuple(level << (depth - 8) for level in LEVELS))
            assert read(luma) == Mark(side, index)
    assert [int(value) for value in np.unique(luma)] == [value << (depth - 8) for value in (40, 120, 210)]


@pytest.mark.parametrize("size", [(2160, 3840), (270, 480)])
def test_marks_lie_within_the_centred_8_to_9_part(size):
    left, top, part = centred_part(*size)
    for rows, columns in copies(size):
        assert left <= columns.start and columns.stop <= left + part
        assert top <= rows.start and rows.stop <= top + part * 9 / 8


@pytest.mark.parametrize("size", [(2160, 3840), (270, 480)])
@pytest.mark.parametrize("depth", [8, 10])
def test_painted_frames_are_read_from_an_encoded_composite(size, depth):
    camera = Camera(size=size, codec="hevc", depth=depth)
    indices = [number * 331 for number in range(8)]
    painter = Painter(camera, "right", [Moment(n / 25, n % 5) for n in range(indices[-1] + 1)], 0)
    width, height = size
    crop = Crop(0, (height - width * 9 // 8) // 2, width, width * 9 // 8)
    halves = []
    for index in indices:
        luma = painter.paint(index).to_ndarray()[crop.y : crop.y + crop.height] >> (depth - 8)
        whole = av.VideoFrame.from_ndarray(luma.astype(np.uint8), format="gray")
        halves.append(whole.reformat(*HALF, "yuv420p", interpolation="LANCZOS"))
    shown = [read(luma, size, crop) for luma in encoded(halves, "veryfast", 23)]
    assert shown == [Mark("right", index) for index in indices]


def encoded(frames, preset, crf):
    """The frames' luma after libx264."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": preset, "crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        for frame in frames:
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return [frame.to_ndarray()[: frame.height] for frame in container.decode(video=0)]


@pytest.mark.parametrize("crop", [Crop(11, 127, 337, 379), Crop(0, 68, 360, 405), Crop(20, 110, 340, 382)])
def test_an_odd_or_shifted_crop_still_shows_a_mark(crop):
    for index in INDICES:
        luma = marked(index)[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width]
        half = av.VideoFrame.from_ndarray(np.ascontiguousarray(luma), format="gray").reformat(*HALF)
        assert read(half.to_ndarray(), SIZE, crop) == Mark("left", index)


def test_a_crop_without_a_whole_mark_is_refused():
    with pytest.raises(MarkError, match="shows no mark in full"):
        read(marked(5)[200:300, 100:200], SIZE, Crop(100, 200, 100, 100))


@pytest.mark.parametrize("lost", [0, 1])
def test_one_of_the_two_marks_is_enough(lost):
    luma = marked(77)
    luma[copies()[lost]] = 128
    assert read(luma) == Mark("left", 77)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_mark_is_read_beside_one_turned_into_its_negative(lost):
    luma = marked(77)
    luma[copies()[lost]] = 250 - luma[copies()[lost]]
    assert read(luma) == Mark("left", 77)


def test_two_half_lost_marks_make_up_for_each_other():
    luma = marked(77)
    for place, (rows, columns) in enumerate(copies()):
        half = (columns.stop - columns.start) // 2
        luma[rows, columns][:, place * half : place * half + half] = 125
    assert read(luma) == Mark("left", 77)


def test_a_wrong_bit_never_makes_another_mark():
    """All single bits, and all pairs, turned over in both marks."""
    cell = 9  # a fortieth of 360 pixels
    for one in range(36):
        for other in range(one, 36):
            luma = marked(1234)
            for area in (luma[place] for place in copies()):
                for bit in {one, other}:
                    row, column = 2 * cell * (bit // 18), cell * (bit % 18)
                    pair = area[row : row + 2 * cell, column : column + cell]
                    pair[...] = 250 - pair
            with pytest.raises(MarkError):
                read(luma)


def test_a_torn_frame_is_refused():
    luma = marked(10)
    luma[320:] = marked(11)[320:]
    both = re.escape(f"{Mark('left', 10)}"), re.escape(f"{Mark('left', 11)}")
    with pytest.raises(MarkError, match=f"({both[0]}.*{both[1]}|{both[1]}.*{both[0]})"):
        read(luma)


@pytest.mark.parametrize("weight", [0.3, 0.5, 0.7])
def test_a_blend_of_two_frames_is_refused(weight):
    blend = marked(10) * weight + marked(11) * (1 - weight)
    with pytest.raises(MarkError):
        read(blend.astype(np.uint8))


def test_nothing_is_read_where_nothing_is_drawn():
    rng = np.random.default_rng(1)
    pictures = [grey(), np.zeros_like(grey())]
    pictures += [rng.integers(0, 256, SIZE[::-1]).astype(np.uint8) for _ in range(50)]
    for luma in pictures:
        with pytest.raises(MarkError, match="no mark that can be read"):
            read(luma)


@pytest.mark.parametrize("index", [-1, MAX_INDEX + 1])
def test_an_index_that_does_not_fit_is_refused(index):
    with pytest.raises(ValueError, match=str(index)):
        draw(grey(), Mark("left", index))


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(3, 4)])
def test_marks_of_anamorphic_pictures_lie_within_the_part_that_is_shown(aspect):
    """The largest 8:9 part of the display, at another scale."""
    for index in INDICES:
        luma = grey(size=SIZE)
        draw(luma, Mark("left", index), aspect=aspect)
        width = min(SIZE[0], int(SIZE[1] * Fraction(8, 9) / aspect))
        height = min(SIZE[1], int(width * aspect * Fraction(9, 8)))
        crop = Crop((SIZE[0] - width) // 2, (SIZE[1] - height) // 2, width, height)
        shown = luma[crop.y : crop.y + height, crop.x : crop.x + width]
        half = av.VideoFrame.from_ndarray(np.ascontiguousarray(shown), format="gray").reformat(*HALF)
        assert read(half.to_ndarray(), SIZE, crop, aspect) == Mark("left", index)
