"""The takes are what truth.json says: decoded by PyAV, every frame's mark read."""

from __future__ import annotations

import json
from fractions import Fraction

import av
import numpy as np
import pytest

from emomedia.session import SIDES
from emomedia.simulate import Mark, SimulateOptions, read

SMALL = {"size": (180, 320), "seconds": Fraction(3)}
KINDS = {
    "plain": {},
    "50 fps, right later": {"fps": Fraction(50), "right_offset": Fraction("0.513"), "gop": 30},
    "29.97, right earlier, parts": {
        "fps": Fraction(30000, 1001), "right_offset": Fraction("-0.4"), "parts": 3, "rotate": 180,
    },
    "HEVC on its side, open GOPs": {
        "codec": "hevc", "depth": 10, "rotate": 90, "gop": 12, "open_gop": True, "bframes": 3,
    },
    "open GOPs, on its other side": {"rotate": 270, "gop": 10, "open_gop": True, "bframes": 3},
    "no B-frames": {"codec": "hevc", "depth": 10, "bframes": 0},
}  # fmt: skip


@pytest.fixture(params=KINDS)
def take_kind(request, simulated):
    session = simulated(**SMALL | KINDS[request.param])
    options = SimulateOptions.of(**SMALL | KINDS[request.param])
    return options, session.parent, json.loads((session.parent / "truth.json").read_text())


def luma_of(frame, depth):
    plane = frame.planes[0]
    kind = np.uint8 if depth == 8 else np.uint16
    stored = np.frombuffer(plane, kind).reshape(plane.height, -1)[:, : plane.width]
    return np.rot90(stored, frame.rotation // 90)  # both count counter-clockwise


def test_every_frame_is_there_in_order_at_its_time_and_upright(take_kind):
    options, folder, truth = take_kind
    for side in SIDES:
        take, index = truth["takes"][side], 0
        for file in take["files"]:
            assert file["first_frame"] == index
            with av.open(str(folder / file["file"])) as container:
                for number, frame in enumerate(container.decode(video=0)):
                    assert read(luma_of(frame, take["bit_depth"])) == Mark(side, index)
                    assert abs(frame.pts * frame.time_base - number / options.fps) <= frame.time_base / 2
                    index += 1
            assert index == file["first_frame"] + file["frames"]
        assert index == take["frames"] == options.frame_count(side)


def test_takes_are_stored_as_asked_for(take_kind):
    options, folder, truth = take_kind
    for side in SIDES:
        for file in truth["takes"][side]["files"]:
            with av.open(str(folder / file["file"])) as container:
                context = container.streams.video[0].codec_context
                frame = next(container.decode(video=0))
                assert (context.name, context.pix_fmt) == {
                    "h264": ("h264", "yuv420p"), "hevc10": ("hevc", "yuv420p10le"),
                }[options.codec]  # fmt: skip
                assert (frame.width, frame.height) == tuple(truth["takes"][side]["coded_size"])
                assert -frame.rotation % 360 == options.rotate
                assert (frame.color_range, frame.colorspace) == (1, 1)  # limited, BT.709
                assert container.streams.video[0].average_rate == options.fps
                assert container.streams.audio[0].codec_context.name == "aac"


def test_key_frames_b_frames_and_open_gops_are_as_asked_for(take_kind):
    options, folder, truth = take_kind
    file = truth["takes"]["left"]["files"][0]
    with av.open(str(folder / file["file"])) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
    order = sorted(packet.pts for packet in packets)
    keys = [number for number, packet in enumerate(packets) if packet.is_keyframe]
    shown = [order.index(packets[number].pts) for number in keys]
    assert shown == list(range(0, file["frames"], options.gop))
    assert (order != [packet.pts for packet in packets]) == (options.bframes > 0)
    leading = [any(p.pts < packets[number].pts for p in packets[number + 1 :]) for number in keys[1:]]
    assert leading == [options.open_gop and options.bframes > 0] * len(leading)


def test_the_left_and_the_right_picture_differ(simulated):
    folder = simulated(**SMALL).parent
    pictures = []
    for side in SIDES:
        with av.open(str(folder / f"{side}.mp4")) as container:
            pictures.append(next(container.decode(video=0)).to_ndarray().astype(int))
    assert np.abs(pictures[0] - pictures[1]).mean() > 10


def test_footage_is_what_both_takes_cover():
    options = SimulateOptions.of(seconds=Fraction(10), right_offset=Fraction("0.513"))
    assert options.frame_count("left") == 250
    assert options.frame_count("right") == 237
    assert options.footage() == (Fraction("0.513"), Fraction("0.513") + Fraction(237, 25))
