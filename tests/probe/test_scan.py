"""What the core lists of a file's frames: times, key frames, and what it leaves out or refuses."""

from __future__ import annotations

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from emomedia import _core
from emomedia.errors import MediaError, UnsupportedMediaError

SETTINGS = "keyint=12:min-keyint=12:scenecut=0:bframes=2:b-adapt=0:b-pyramid=none"


def write(path, frames=40, codec="libx264", more="", first=0, pix_fmt="yuv420p"):
    options = {
        "preset": "ultrafast",
        f"{codec[3:]}-params": SETTINGS + more + ":log-level=error" * ("5" in codec),
    }
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 160, pix_fmt
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((240, 96), 20 + number, np.uint8), "yuv420p")
            frame.pts, frame.time_base = first + number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def copy_from(path, source, skipped):
    """`source` from its second key frame on, or from a few packets after its beginning."""
    with av.open(str(source)) as given, av.open(str(path), "w") as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        packets = [packet for packet in given.demux(video=0) if packet.dts is not None]
        keys = [number for number, packet in enumerate(packets) if packet.is_keyframe]
        for packet in packets[skipped or keys[1] :]:
            packet.stream = stream
            made.mux(packet)
    return path


def show_stretches(path, stretches):
    """Give an MP4, whose index is at its end, an edit list of (first frame, frames) at 25 frames a second."""
    data = bytearray(path.read_bytes())
    entries = data.index(b"elst") + 12
    (begin,) = struct.unpack_from(">i", data, entries + 4)
    units = [struct.unpack_from(">I", data, data.index(box) + 16)[0] for box in (b"mvhd", b"mdhd")]
    edits = [(count * units[0] // 25, begin + first * units[1] // 25, 1 << 16) for first, count in stretches]
    data[entries - 4 : entries + 12] = struct.pack(">I", len(edits)) + b"".join(
        struct.pack(">IiI", *edit) for edit in edits
    )
    for box in (b"moov", b"trak", b"edts", b"elst"):
        size = data.index(box) - 4
        struct.pack_into(">I", data, size, struct.unpack_from(">I", data, size)[0] + 12 * (len(edits) - 1))
    path.write_bytes(data)


def test_an_edit_list_that_leaves_out_frames_in_the_middle_is_refused_where_frames_are_reordered(tmp_path):
    path = write(tmp_path / "cut.mp4")
    show_stretches(path, [(3, 20)])
    assert len(_core.scan(str(path), 0)["pts"]) == 20
    path = write(tmp_path / "edited.mp4")
    show_stretches(path, [(0, 10), (17, 20)])
    with pytest.raises(MediaError, match="in the middle"):
        _core.scan(str(path), 0)
    path = write(tmp_path / "in order.mp4", more=":bframes=0")
    show_stretches(path, [(0, 10), (17, 20)])
    found = _core.scan(str(path), 0)
    assert np.array_equal(np.diff(found["pts"]), np.full(29, found["pts"][1] - found["pts"][0]))


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_leading_pictures_that_refer_to_what_is_not_there_are_left_out(tmp_path, codec):
    """From the second key frame on, an open GOP: the two frames shown before it cannot be decoded."""
    whole = write(tmp_path / "whole.ts", codec=codec, more=":open-gop=1")
    found = _core.scan(str(copy_from(tmp_path / "cut.ts", whole, 0)), 0)
    whole_pts = _core.scan(str(whole), 0)["pts"]
    assert found["undecodable"] == 2
    assert np.array_equal(found["pts"] - found["pts"][0], whole_pts[12:] - whole_pts[12])
    assert found["key"][0]


def test_packets_before_the_first_key_frame_are_left_out(tmp_path):
    cut = copy_from(tmp_path / "cut.ts", write(tmp_path / "whole.ts"), 3)
    found = _core.scan(str(cut), 0)
    assert (len(found["pts"]), found["key"][0]) == (28, True)


def test_a_broken_first_frame_does_not_move_the_takes_beginning(tmp_path):
    path = write(tmp_path / "a.mp4")
    with av.open(str(path)) as container:
        first = next(container.demux(video=0))
    data = bytearray(path.read_bytes())
    data[first.pos : first.pos + first.size] = b"\xff" * first.size
    path.write_bytes(data)
    found = _core.scan(str(path), 0)
    assert (len(found["pts"]), found["undecodable"]) == (40, 0)


def test_a_clock_that_jumps_back_is_refused(tmp_path):
    once = write(tmp_path / "once.ts", frames=150).read_bytes()
    path = tmp_path / "twice.ts"
    path.write_bytes(once + once)
    with pytest.raises(MediaError, match=r"twice\.ts: expected times that run forward"):
        _core.scan(str(path), 0)


def test_a_stream_that_no_camera_records_is_refused(tmp_path):
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flv", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), "yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(UnsupportedMediaError, match=r"a camera's codec.* found flv1"):
        _core.scan(str(path), 0)
