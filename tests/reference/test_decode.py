"""The frames of a take by file and time."""

from __future__ import annotations

import av
import numpy as np
import pytest

from emomedia.errors import MediaError
from emomedia.reference.decode import _decoded, pictures

from .footage import Format, flat, make_take, noisy, write

FORMATS = [
    Format(),
    Format(50, 90, "yuv420p10le"),
    Format(50, 35, "yuv422p"),
    Format(64, 48, "yuv422p10le", "prores_ks"),
]


def luma(planes):
    return int(planes[0][0, 0])


def times(take, *wanted):
    return [(file, int(take.frames.files[file].pts[frame])) for file, frame in wanted]


@pytest.mark.parametrize("format", FORMATS, ids=lambda f: f"{f.pix_fmt} {f.codec}")
def test_gives_every_plane_as_coded(tmp_path, format):
    written = [noisy(format, seed) for seed in range(3)]
    take = make_take([write(tmp_path / "take.mov", written, format)], format)
    found = list(pictures(take, times(take, (0, 0), (0, 1), (0, 2))))
    for wanted, planes in zip(written, found, strict=True):
        for one, other in zip(wanted, planes, strict=True):
            assert other.dtype == one.dtype
            assert other.shape == one.shape
            if format.codec == "libx264":
                assert (other == one).all()
            else:
                assert np.abs(other.astype(int) - one).mean() < 16


def test_asked_frames_come_in_order_repeated_and_skipped_as_asked(tmp_path):
    """The files have B-frames; the second begins at another time than zero."""
    names = [write(tmp_path / "1.mp4", [flat(Format(), 20 + n) for n in range(12)])]
    names.append(write(tmp_path / "2.mp4", [flat(Format(), 60 + n) for n in range(8)], first_pts=50))
    take = make_take(names)
    asked = [(0, 0), (0, 0), (0, 3), (0, 4), (0, 11), (1, 0), (1, 5), (1, 5)]
    found = [luma(planes) for planes in pictures(take, times(take, *asked))]
    assert found == [20, 20, 23, 24, 31, 60, 65, 65]


def test_a_frame_that_does_not_come_out_is_stood_in_for(tmp_path):
    take = make_take([write(tmp_path / "1.mp4", [flat(Format(), 20 + n) for n in range(4)])])
    tick = int(take.frames.files[0].pts[2])
    assert [luma(p) for p in pictures(take, [(0, tick), (0, tick + 1)])] == [22, 22]


def test_a_damaged_packet_costs_its_frames_alone(tmp_path):
    """The third packet claims a NAL unit of 4 GB; decoding goes on behind it."""
    path = write(tmp_path / "1.mp4", [flat(Format(), 20 + n) for n in range(12)])
    take = make_take([path])
    with av.open(str(path)) as container:
        third = [packet.pos for packet in container.demux(video=0)][2]
    data = bytearray(path.read_bytes())
    data[third : third + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    found = [luma(planes) for planes in pictures(take, times(take, *((0, n) for n in range(12))))]
    assert found[0] == 20
    assert found != list(range(20, 32))
    assert found[5:] == list(range(25, 32))


def test_a_file_that_is_no_media_is_refused(tmp_path):
    path = write(tmp_path / "1.mp4", [flat(Format(), 20)])
    take = make_take([path])
    path.write_bytes(b"no media at all" * 100)
    with pytest.raises(MediaError, match=r"1\.mp4"):
        next(pictures(take, [(0, 0)]))


@pytest.mark.parametrize("empty", [0, 1])
def test_a_file_without_a_frame_is_refused(tmp_path, monkeypatch, empty):
    """No frame of another file stands in for it."""
    paths = [write(tmp_path / f"{n}.mp4", [flat(Format(), 20)]) for n in range(2)]
    take = make_take(paths)

    def decoded(path, *rest):
        return iter(()) if path == paths[empty] else _decoded(path, *rest)

    monkeypatch.setattr("emomedia.reference.decode._decoded", decoded)
    with pytest.raises(MediaError, match=rf"{empty}\.mp4: expected frames that decode"):
        list(pictures(take, [(0, 0), (1, 0)]))
