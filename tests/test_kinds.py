"""Every kind of footage, left and right mixed: each frame of each clip is the one that the rule demands."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction

import pytest

import exact
from emomedia.dataset.verify import verify
from emomedia.errors import UnsupportedMediaError
from emomedia.options import Options
from emomedia.run import run
from emomedia.simulate import Camera

SMALL = {"size": (270, 480), "seconds": Fraction(3), "dialogues": 1}
TEN = {"depth": 10, "chroma": "422"}
JPEG = {"codec": "mjpeg", "range": "full", "colour": "bt601"}
NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)

PLAIN = {field.name: getattr(Camera(size=SMALL["size"]), field.name) for field in fields(Camera)}
"""The right camera takes nothing over from the left one."""

KINDS = {
    "h264 mp4 | hevc 10 bit mov, 23.98, on its side": (
        {}, {"codec": "hevc", "depth": 10, "container": "mov", "fps": FILM, "rotate": 90},
    ),
    "h264 10 bit 4:2:2 ts from 1.4 s | h264 mkv, 29.97 dropped": (
        {**TEN, "container": "ts", "start": Fraction("1.4")},
        {"container": "mkv", "fps": NTSC, "timing": "dropped"},
    ),
    "prores mov with timecode | dnxhr hqx mxf with timecode": (
        {**TEN, "codec": "prores", "timecode": "10:00:00:05"},
        {**TEN, "codec": "dnxhd", "container": "mxf", "timecode": "23:59:59:20"},
    ),
    "prores mxf, 29.97 | dnxhr sq mov, 50 fps": (
        {**TEN, "codec": "prores", "container": "mxf", "fps": NTSC},
        {"codec": "dnxhd", "chroma": "422", "fps": Fraction(50)},
    ),
    "mjpeg | mjpeg mkv, turned": ({**JPEG, "chroma": "422"}, {**JPEG, "container": "mkv", "rotate": 270}),
    "av1 10 bit mkv, 29.97 | vp9 mp4, 59.94": (
        {"codec": "av1", "depth": 10, "container": "mkv", "fps": NTSC},
        {"codec": "vp9", "container": "mp4", "fps": Fraction(60000, 1001)},
    ),
    "mpeg2 ts | mpeg2 4:2:2 mxf": (
        {"codec": "mpeg2", "start": Fraction("1.4")}, {"codec": "mpeg2", "chroma": "422", "container": "mxf"},
    ),
    "variable mp4 in two files | variable mkv, hevc with many B-frames": (
        {"timing": "variable", "fps": Fraction(30), "parts": 2},
        {"timing": "variable", "fps": Fraction(30), "codec": "hevc", "container": "mkv", "bframes": 4},
    ),
    "30 dropped in two files | 60 constant": (
        {"timing": "dropped", "fps": Fraction(30), "parts": 2}, {"fps": Fraction(60)},
    ),
    "hidden to between key frames | hidden beyond a key frame, open GOPs": (
        {"hidden": 7, "gop": 250},
        {"hidden": 30, "gop": 12, "open_gop": True, "codec": "hevc", "container": "mov"},
    ),
    "from 10 s, picture late | hidden, prores": (
        {"start": Fraction(10), "late": Fraction("0.36")}, {**TEN, "codec": "prores", "hidden": 5},
    ),
    "ts from before zero | from 10 s in mkv, endless GOP without B-frames": (
        {"container": "ts", "start": Fraction("-0.5")},
        {"container": "mkv", "start": Fraction(10), "gop": 1000, "bframes": 0},
    ),
    "48 fps, upside down | av1 in two files": (
        {"fps": Fraction(48), "rotate": 180}, {"codec": "av1", "parts": 2},
    ),
    "hevc 12 bit 4:4:4 | vp9 4:2:2": (
        {"codec": "hevc", "depth": 12, "chroma": "444"}, {"codec": "vp9", "chroma": "422"},
    ),
    "hevc 12 bit 4:2:2 | h264 10 bit 4:4:4": (
        {"codec": "hevc", "depth": 12, "chroma": "422"}, {"depth": 10, "chroma": "444"},
    ),
    "prores 4:4:4 | dnxhr 4:4:4": (
        {"codec": "prores", "depth": 10, "chroma": "444"}, {"codec": "dnxhd", "depth": 10, "chroma": "444"},
    ),
    "vp9 4:4:4 | hevc 12 bit": (
        {"codec": "vp9", "chroma": "444"}, {"codec": "hevc", "depth": 12},
    ),
    "mirrored | mirrored and turned, mkv": (
        {"mirrored": True}, {"mirrored": True, "rotate": 90, "container": "mkv"},
    ),
    "full range | bt601": ({"range": "full"}, {"colour": "bt601"}),
    "hlg | hlg, full range": (
        {"codec": "hevc", **TEN, "colour": "hlg"},
        {"codec": "hevc", "depth": 10, "colour": "hlg", "range": "full"},
    ),
    "bt2020 | bt2020, full range": (
        {**TEN, "colour": "bt2020"}, {"codec": "hevc", "depth": 10, "colour": "bt2020", "range": "full"},
    ),
    "pq with its LUT | log, full range": (
        {**TEN, "colour": "pq", "declare_lut": True}, {**TEN, "colour": "log", "range": "full"},
    ),
    "log, prores | hlg with its LUT": (
        {**TEN, "codec": "prores", "colour": "log"},
        {"codec": "hevc", "depth": 10, "colour": "hlg", "declare_lut": True},
    ),
    "upper field first | lower field first": (
        {"interlaced": "tff"}, {"interlaced": "bff", "container": "ts"},
    ),
    "mpeg2 interlaced | prores interlaced": (
        {"codec": "mpeg2", "interlaced": "tff", "fps": NTSC}, {**TEN, "codec": "prores", "interlaced": "bff"},
    ),
    "wide pixels | wide pixels on their side": (
        {"sample_aspect": Fraction(4, 3), "container": "mov"},
        {"sample_aspect": Fraction(4, 3), "codec": "hevc", "rotate": 90},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_footage_gives_the_right_frames(simulated, tmp_path, kind):
    left, right = KINDS[kind]
    session = simulated(**SMALL | left, right=PLAIN | right, right_offset=Fraction("0.217"))
    run(session, tmp_path, Options(turns=session.parent / "turns.json", preset="ultrafast"), through="cut")
    wrong, total = exact.wrong_frames(session, tmp_path)
    assert total > 60
    assert wrong == 0
    assert [finding for checked in verify(tmp_path) for finding in checked.findings] == []


@pytest.mark.parametrize("colour", ["hlg", "pq"])
def test_takes_whose_light_differs_are_refused(simulated, tmp_path, colour):
    """Only a lookup table could bring them to one."""
    right = PLAIN | {"codec": "hevc", "depth": 10, "colour": colour}
    session = simulated(**SMALL, right=right)
    with pytest.raises(UnsupportedMediaError, match=r"right\.mp4: .*`lut` under \[right\]"):
        run(session, tmp_path, Options())


def test_one_table_serves_both_takes_that_name_none(simulated, tmp_path):
    """--lut gives the very clips that `lut` in session.toml gives."""
    log = {**SMALL, **TEN, "colour": "log"}
    named, unnamed = simulated(**log), simulated(**log, declare_lut=False)
    tables = [(named.parent / f"{side}.cube").read_text().partition("\n")[2] for side in ("left", "right")]
    assert tables[0] == tables[1]
    bodies = []
    for number, (session, lut) in enumerate([(named, None), (unnamed, named.parent / "left.cube")]):
        out = tmp_path / str(number)
        run(
            session,
            out,
            Options(turns=session.parent / "turns.json", preset="ultrafast", lut=lut),
            through="cut",
        )
        bodies.append([path.read_bytes() for path in sorted(out.glob("*/clips/*.mp4"))])
    assert bodies[0] == bodies[1] != []
