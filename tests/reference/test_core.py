"""Composites of the core and of the reference are equal in every bit."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from emomedia import _core
from emomedia.colour import target_colours
from emomedia.engine import core_colour, core_take
from emomedia.reference.engine import composites
from emomedia.session import Crop
from emomedia.timeline import Clock, source_frames

from .footage import Format, flat, make_probe, make_take, noisy, write

SIZE = (96, 54)

FORMATS = {
    "8 bit": Format(64, 114),
    "10 bit": Format(64, 114, "yuv420p10le"),
    "4:2:2": Format(64, 115, "yuv422p"),
    "4:2:2, 10 bit": Format(64, 114, "yuv422p10le"),
    "lying": Format(114, 64, rotate=90),
    "lying the other way, 10 bit": Format(114, 64, "yuv420p10le", rotate=270),
    "upside down, 4:2:2": Format(64, 114, "yuv422p", rotate=180),
    "lying, 4:2:2": Format(114, 64, "yuv422p", rotate=90),
    "prores": Format(64, 112, "yuv422p10le", "prores_ks"),
    "4:4:4, odd size": Format(65, 115, "yuv444p", "ffv1"),
    "4:4:0": Format(64, 115, "yuv440p", "ffv1"),
    "12 bit": Format(64, 114, "yuv420p12le", "ffv1"),
    "4:4:4, 12 bit, lying": Format(115, 65, "yuv444p12le", "ffv1", rotate=90),
    "alpha": Format(64, 114, "yuva444p10le", "prores_ks"),
}


def assert_equal(probe, clocks, stretches, depth=8):
    """Every composite of `stretches`; returns how many there were."""
    left, right = probe.takes["left"], probe.takes["right"]
    target = target_colours(probe.takes)
    core_takes = [core_take(take, core_colour(take, target, depth)) for take in (left, right)]
    core = _core.Composites(*core_takes, *SIZE, depth)
    count = 0
    for number, wanted in composites(probe, clocks, stretches, size=SIZE, depth=depth):
        index = [
            int(source_frames(probe.takes[side].frames, clocks[side], probe.rate, number, 1).index[0])
            for side in ("left", "right")
        ]
        *found, damaged = core.render(*index)
        assert damaged == 0
        for one, other in zip(wanted, found, strict=True):
            assert one.dtype == other.dtype
            assert np.array_equal(one, other)
        count += 1
    return count


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_and_rotation(tmp_path, name, depth):
    format = FORMATS[name]
    paths = [
        write(tmp_path / f"{part}.mkv", [noisy(format, 10 * part + n) for n in range(4)], format)
        for part in range(2)
    ]
    whole = make_take(paths, format)
    odd = make_take(paths, format, crop=Crop(3, 7, 56, 69))
    assert (
        assert_equal(make_probe(whole, odd), {"left": Clock(), "right": Clock()}, [(0, 3), (5, 3)], depth)
        == 6
    )


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_mirrored_takes(tmp_path, rotate):
    format = Format(64, 115, "yuv422p", rotate=rotate)
    path = write(tmp_path / "a.mkv", [noisy(format, n) for n in range(3)], format)
    mirrored = replace(make_take([path], format, crop=Crop(3, 7, 50, 51)), mirrored=True)
    plain = make_take([path], format)
    clocks = {"left": Clock(), "right": Clock()}
    assert assert_equal(make_probe(mirrored, plain), clocks, [(0, 3)]) == 3


@pytest.mark.parametrize("rotate", [0, 90])
def test_raw_video_whose_samples_go_beyond_their_depth(tmp_path, rotate):
    """Bytes of 8-bit pictures twice as wide are taken for 10-bit samples: each is any 16 bits."""
    format = Format(64, 114, "yuv420p10le", "rawvideo", rotate)
    as_bytes = replace(format, width=128, pix_fmt="yuv420p")
    random = np.random.default_rng(rotate)
    pictures = [[random.integers(0, 256, p.shape, np.uint8) for p in flat(as_bytes, 0)] for _ in range(2)]
    path = write(tmp_path / "a.mkv", pictures, as_bytes)
    written = path.read_bytes()
    fourcc, width = (b"I420", b"Y3\x0b\x0a"), (b"\xb0\x81\x80", b"\xb0\x81\x40")  # PixelWidth
    assert written.count(fourcc[0]) == written.count(width[0]) == 1
    path.write_bytes(written.replace(*fourcc).replace(*width))
    take = make_take([path], format)
    assert assert_equal(make_probe(take, take), {"left": Clock(), "right": Clock()}, [(0, 2)]) == 2


@pytest.mark.parametrize("fields", ["top first", "bottom first"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le"])
def test_interlaced_takes_from_wherever_reading_begins(tmp_path, fields, pix_fmt):
    """The first frame of a file, which has none before it, is filtered differently by FFmpeg's versions."""
    format = Format(64, 114, pix_fmt)
    path = write(tmp_path / "a.mkv", [noisy(format, n) for n in range(20)], format)
    take = replace(make_take([path], format), fields=fields)
    clocks = {"left": Clock(), "right": Clock()}
    for stretches in ([(1, 19)], [(5, 1), (11, 4), (19, 1)]):
        assert assert_equal(make_probe(take, take), clocks, stretches)


CONVERSIONS = {
    "range": ({"range": "full"}, {}),
    "matrix": ({}, {"matrix": "smpte170m"}),
    "range and matrix": ({"range": "full", "matrix": "bt470bg"}, {"matrix": "smpte240m"}),
}


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "yuv444p12le"])
@pytest.mark.parametrize("name", CONVERSIONS)
def test_takes_of_different_colours(tmp_path, name, pix_fmt, depth):
    format = Format(64, 114, pix_fmt, "ffv1")
    path = write(tmp_path / "a.mkv", [noisy(format, n) for n in range(2)], format)
    left, right = (replace(make_take([path], format), **colours) for colours in CONVERSIONS[name])
    assert assert_equal(make_probe(left, right), {"left": Clock(), "right": Clock()}, [(0, 2)], depth) == 2


@pytest.mark.parametrize("size", [2, 5, 33])
def test_takes_with_a_lookup_table(tmp_path, size):
    format = Format(64, 114, "yuv422p10le")
    path = write(tmp_path / "a.mkv", [noisy(format, n) for n in range(2)], format)
    cube = tmp_path / "a.cube"
    values = np.random.default_rng(size).uniform(-0.3, 1.4, (size**3, 3))
    lines = [f"LUT_3D_SIZE {size}", "DOMAIN_MIN -0.1 0 0.05", "DOMAIN_MAX 1 1.2 0.9"]
    cube.write_text("\n".join(lines + [" ".join(map(str, row)) for row in values.tolist()]))
    take = replace(make_take([path], format), lut=cube)
    clocks = {"left": Clock(), "right": Clock()}
    assert assert_equal(make_probe(take, make_take([path], format)), clocks, [(0, 2)]) == 2


def test_other_rates_clocks_and_many_key_frames(tmp_path):
    """Stretches far apart, so that the core seeks, over takes of 25 and 29.97 fps with drift."""
    ntsc = Fraction(30000, 1001)
    left = write(tmp_path / "l.mp4", [noisy(Format(), n) for n in range(60)])
    right = write(tmp_path / "r.mp4", [noisy(Format(), 100 + n) for n in range(60)], rate=ntsc, first_pts=9)
    probe = make_probe(make_take([left]), make_take([right], rate=ntsc), Fraction(50))
    clocks = {"left": Clock(), "right": Clock(Fraction(1, 7), Fraction(5000))}
    assert assert_equal(probe, clocks, [(10, 5), (40, 6), (100, 4)]) == 15


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("last", range(14, 20))
def test_going_back_from_near_the_end(tmp_path, codec, last):
    """Where the decoder has been told that no more comes, and still holds frames."""
    format = Format(64, 114, codec=codec)
    path = write(tmp_path / "a.mkv", [noisy(format, n) for n in range(20)], format)
    take = core_take(make_take([path], format), None)
    core = _core.Composites(take, take, *SIZE, 8)
    before = core.render(0, 0)
    core.render(last, last)
    *planes, damaged = core.render(0, 0)
    assert damaged == 0
    assert all(map(np.array_equal, before, planes))
