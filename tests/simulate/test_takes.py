"""The takes are what truth.json says: decoded by PyAV, every frame's mark read."""

from __future__ import annotations

import os
from fractions import Fraction
from itertools import pairwise, product

import av
import numpy as np
import pytest

from emomedia import _core
from emomedia.session import SIDES
from emomedia.simulate import Mark, SimulateOptions, read
from emomedia.simulate.camera import Camera
from emomedia.simulate.codecs import CODECS, FORMATS
from emomedia.simulate.colour import CODINGS
from emomedia.simulate.pattern import MAX_INDEX, centred_part
from emomedia.simulate.picture import Moment, Painter
from emomedia.simulate.take import Part, write_part
from emomedia.simulate.timing import take_times
from simulate.takes import PLAIN, heard, shown_frames, truth_of, upright_planes
from simulate.test_sound import place_of, tracks_of

SMALL = {"size": (180, 320), "seconds": Fraction(3)}
WIDE = {"size": (256, 320)}
TEN = {"depth": 10, "chroma": "422"}
JPEG = {"codec": "mjpeg", "range": "full", "colour": "bt601"}
NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)
KINDS = {
    "h264 | hevc 10 bit on its side, open GOPs": (
        {}, {"codec": "hevc", "depth": 10, "rotate": 90, "gop": 12, "open_gop": True, "bframes": 3},
    ),
    "50 fps, GOPs of 30 | no B-frames": (
        {"fps": Fraction(50), "gop": 30}, {"codec": "hevc", "depth": 10, "bframes": 0},
    ),
    "29.97 in parts, upside down | open GOPs, on its other side": (
        {"fps": NTSC, "parts": 3, "rotate": 180, "timecode": "09:59:59:28"},
        {"rotate": 270, "gop": 10, "open_gop": True, "bframes": 3},
    ),
    "h264 10 bit 4:2:2 ts from 1.4 s | h264 mkv, dropped": (
        {**TEN, "container": "ts", "start": Fraction("1.4")},
        {"container": "mkv", "timing": "dropped", "fps": NTSC},
    ),
    "prores mov | dnxhr hqx mxf": (
        {**WIDE, **TEN, "codec": "prores", "timecode": "10:00:00:05"},
        {**WIDE, **TEN, "codec": "dnxhd", "container": "mxf", "fps": NTSC, "timecode": "23:59:59:20"},
    ),
    "prores 4:4:4 mxf | dnxhr 4:4:4": (
        {**WIDE, "codec": "prores", "depth": 10, "chroma": "444", "container": "mxf"},
        {**WIDE, "codec": "dnxhd", "depth": 10, "chroma": "444", "hidden": 4},
    ),
    "dnxhr sq turned, mxf | prores mkv, variable": (
        {**WIDE, "codec": "dnxhd", "chroma": "422", "container": "mov", "rotate": 90},
        {**TEN, "codec": "prores", "container": "mkv", "timing": "variable"},
    ),
    "mjpeg, dropped in parts | mjpeg mkv 4:4:4": (
        {**JPEG, "chroma": "422", "timing": "dropped", "parts": 2},
        {**JPEG, "chroma": "444", "container": "mkv", "rotate": 270},
    ),
    "av1, hidden | av1 10 bit mkv": (
        {"codec": "av1", "hidden": 7}, {"codec": "av1", "depth": 10, "container": "mkv"},
    ),
    "vp9 4:2:2 | vp9 4:4:4 mp4": (
        {"codec": "vp9", "chroma": "422", "fps": FILM}, {"codec": "vp9", "chroma": "444", "container": "mp4"},
    ),
    "hevc 12 bit 4:4:4 | hevc 12 bit ts": (
        {"codec": "hevc", "depth": 12, "chroma": "444"},
        {"codec": "hevc", "depth": 12, "container": "ts", "start": Fraction("-0.5")},
    ),
    "mpeg2 ts, upper field first | mpeg2 mov 4:2:2, open GOPs": (
        {"codec": "mpeg2", "interlaced": "tff", "start": Fraction("1.4")},
        {"codec": "mpeg2", "chroma": "422", "container": "mov", "open_gop": True, "gop": 12},
    ),
    "mpeg2 mxf | prores, lower field first": (
        {"codec": "mpeg2", "container": "mxf", "fps": NTSC},
        {**TEN, "codec": "prores", "interlaced": "bff"},
    ),
    "h264, upper field first | lower field first": (
        {"interlaced": "tff"}, {**TEN, "interlaced": "bff", "container": "ts"},
    ),
    "variable | variable in parts, mkv, from 10 s": (
        {"timing": "variable", "fps": Fraction(30)},
        {"timing": "variable", "parts": 2, "container": "mkv", "bframes": 3, "start": Fraction(10)},
    ),
    "hidden | picture late, from 2 s": (
        {"hidden": 30, "gop": 250}, {"late": Fraction("0.36"), "start": Fraction(2)},
    ),
    "mirrored, turned 4:2:2 | mirrored, upside down, mkv": (
        {"mirrored": True, "rotate": 90, "chroma": "422"},
        {"mirrored": True, "rotate": 180, "container": "mkv"},
    ),
    "mirrored | mirrored, turned the other way": ({"mirrored": True}, {"mirrored": True, "rotate": 270}),
    "wide pixels | wide pixels on their side": (
        {"sample_aspect": Fraction(4, 3), "container": "ts"}, {"sample_aspect": Fraction(4, 3), "rotate": 90},
    ),
    "as many B-frames as there may be | shortest files": (
        {"codec": "hevc", "bframes": 8, "gop": 1000},
        {"codec": "hevc", "bframes": 8, "parts": 9, "fps": Fraction(24)},
    ),
    "full | hlg": ({"range": "full"}, {"codec": "hevc", "depth": 10, "colour": "hlg"}),
    "bt2020 | pq": (
        {"codec": "av1", "depth": 10, "colour": "bt2020"}, {**TEN, "colour": "pq", "range": "full"},
    ),
}  # fmt: skip


@pytest.fixture(params=KINDS)
def take_kind(request, simulated):
    left, right = KINDS[request.param]
    choices = {**SMALL, **left, "right": PLAIN | right, "right_offset": Fraction("-0.117")}
    return SimulateOptions.of(**choices), simulated(**choices).parent


def test_every_shown_frame_is_there_in_order_at_its_time_and_upright(take_kind):
    options, folder = take_kind
    for side in SIDES:
        take, index = truth_of(folder)["takes"][side], 0
        tick, aspect = Fraction(take["time_base"]), Fraction(take["pixel_aspect"])
        for file in take["files"]:
            assert file["first_frame"] == index
            shown = shown_frames(folder / file["file"])
            camera = options.camera_of(side)
            assert shown[0][0] == camera.start + camera.late
            for (time, frame), pts in zip(shown, file["pts"], strict=True):
                assert read(upright_planes(frame)[0], aspect=aspect) == Mark(side, index)
                assert time - shown[0][0] == pts * tick
                index += 1
            assert index == file["first_frame"] + file["frames"]
        assert index == take["frames"] == options.frame_count(side)


def test_takes_are_stored_as_asked_for(take_kind):
    options, folder = take_kind
    for side in SIDES:
        camera = options.camera_of(side)
        for file in truth_of(folder)["takes"][side]["files"]:
            with av.open(str(folder / file["file"])) as container:
                stream, frame = container.streams.video[0], next(container.decode(video=0))
                assert FORMATS[camera.suffix] in (*container.format.name.split(","), "matroska")
                assert stream.codec_context.codec.canonical_name == {"mpeg2": "mpeg2video"}.get(
                    camera.codec, camera.codec
                )
                bits, chroma = frame.format.components[0].bits, frame.format.name.lstrip("yuvj")[:3]
                assert (bits, chroma) == (
                    (12, "444") if (camera.codec, camera.chroma) == ("prores", "444")
                    else (camera.depth, camera.chroma)
                )  # fmt: skip
                assert (frame.width, frame.height) == camera.coded_size
                assert frame.interlaced_frame == (camera.interlaced is not None)
                sound = container.streams.audio[0].codec_context.name
                assert sound == ("pcm_s16le" if camera.pcm else "aac")
                if camera.timing == "constant" and camera.hidden == 0 and stream.average_rate:
                    assert stream.average_rate == camera.fps
                if camera.sample_aspect != 1:
                    assert stream.sample_aspect_ratio == camera.sample_aspect


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts", "mpeg2", "prores"])
def test_takes_of_fields_say_which_is_the_first(simulated, container):
    """libav's filter for "upper first" leaves those frames alone that are so already; it takes 4:2:2."""
    codec = {"mpeg2": {"codec": "mpeg2", "chroma": "422"}, "prores": {**TEN, "codec": "prores"}}
    kind = codec.get(container, {**TEN, "container": container})
    folder = simulated(**SMALL, **kind, interlaced="tff", right={"interlaced": "bff"}).parent
    for side in SIDES:
        path = next(folder.glob(f"{side}.*"))
        frames = [frame for _, frame in shown_frames(path)]
        assert [upper_field_first(frame) for frame in frames] == [side == "left"] * len(frames)
        (stream,) = (stream for stream in _core.probe(str(path))["streams"] if stream["type"] == "video")
        assert stream["field_order"] == {"left": "tt", "right": "bb"}[side]  # what the headers say


def upper_field_first(frame):
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    turned, sink = graph.add("fieldorder", "tff"), graph.add("buffersink")
    source.link_to(turned)
    turned.link_to(sink)
    graph.configure()
    before = upright_planes(frame)[0].copy()
    graph.push(frame)
    return np.array_equal(upright_planes(graph.pull())[0], before)


TAGS = {  # primaries, transfer, matrix of H.273
    "bt709": (1, 1, 1), "bt601": (6, 6, 6), "bt2020": (9, 14, 9), "hlg": (9, 18, 9), "pq": (9, 16, 9),
    "log": (1, 1, 1),
}  # fmt: skip


def test_takes_say_how_their_colours_are_coded(take_kind):
    options, folder = take_kind
    for side in SIDES:
        camera = options.camera_of(side)
        frame = shown_frames(folder / truth_of(folder)["takes"][side]["files"][0]["file"])[0][1]
        assert frame.color_range == (2 if camera.range == "full" else 1)
        matrix = {5: 6}.get(frame.colorspace, frame.colorspace)  # 5 and 6 are the same matrix
        assert (frame.color_primaries, frame.color_trc, matrix) == TAGS[camera.colour]


def sayable(codec):
    """Cameras of a codec with each range and colour that it can say, in its richest picture."""
    kind = CODECS[codec]
    depth, chroma = kind.pictures[-1]
    for container, range_, colour in product(kind.containers, kind.ranges, kind.colours):
        if depth >= CODINGS[colour].least_depth and (container, range_) != ("mxf", "full"):
            yield Camera(
                size=(256, 192), codec=codec, depth=depth, chroma=chroma, container=container, range=range_,
                colour=colour,
            )  # fmt: skip


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_says_the_range_and_the_colours_that_it_can(tmp_path, codec):
    scheduling = os.sched_getscheduler(0)
    for camera in sayable(codec):
        times = take_times(camera, Fraction(8) / camera.fps, (0,))
        part = Part(tmp_path / f"take.{camera.suffix}", times.files[0], None)
        painter = Painter(camera, "left", [Moment(0, 0)] * 8, 0)
        write_part(part, painter, np.zeros((2, 15_360), np.float32), camera, times, lambda: None)
        _, frame = shown_frames(part.path)[0]
        # dnxhd 4:4:4 in mxf leaves its range unsaid, which means limited
        assert (frame.color_range or 1) == (2 if camera.range == "full" else 1), camera
        matrix = {5: 6}.get(frame.colorspace, frame.colorspace)  # 5 and 6 are the same matrix
        assert (frame.color_primaries, frame.color_trc, matrix) == TAGS[camera.colour], camera
    assert os.sched_getscheduler(0) == scheduling  # libsvtav1 makes root's thread a real-time one


def test_cameras_hear_in_step_with_their_pictures(take_kind):
    options, folder = take_kind
    tracks = tracks_of(folder) / 2.0**23
    for side in SIDES:
        take, camera = options.times(side), options.camera_of(side)
        for file, times in zip(truth_of(folder)["takes"][side]["files"], take.files, strict=True):
            first_shown = shown_frames(folder / file["file"])[0][0]
            began, sound = heard(folder / file["file"])
            local = times.base + began - first_shown
            assert began <= first_shown - camera.late
            begin = round((options.offset(side) + local) * 48_000)
            track = np.pad(tracks, ((max(0, -begin), 0), (0, 0)))[max(0, begin) :][: len(sound)]
            voice = track.sum(axis=1)
            if np.abs(voice).max() > 0.1:
                assert abs(place_of(voice, sound[: len(voice)])) <= 1


GOPS = {
    name: kind
    for name, kind in KINDS.items()
    if name.startswith(("h264 |", "50 fps", "29.97", "av1 | vp9", "mpeg2 ts", "variable"))
}


@pytest.mark.parametrize("kind", GOPS)
def test_key_frames_b_frames_and_open_gops_are_as_asked_for(simulated, kind):
    left, right = KINDS[kind]
    choices = {**SMALL, **left, "right": PLAIN | right, "right_offset": Fraction("-0.117")}
    options, folder = SimulateOptions.of(**choices), simulated(**choices).parent
    for side in SIDES:
        camera, file = options.camera_of(side), truth_of(folder)["takes"][side]["files"][0]
        with av.open(str(folder / file["file"])) as container:
            packets = [p for p in container.demux(video=0) if p.pts is not None]
        order = sorted(packet.pts for packet in packets)
        keys = [number for number, packet in enumerate(packets) if packet.is_keyframe]
        assert [order.index(packets[number].pts) for number in keys] == list(
            range(0, file["frames"], camera.gop)
        )
        assert (order != [packet.pts for packet in packets]) == (camera.bframes > 0)
        leading = [any(p.pts < packets[number].pts for p in packets[number + 1 :]) for number in keys[1:]]
        assert leading == [camera.open_gop and camera.bframes > 0] * len(leading)


def test_hidden_frames_are_stored_before_the_shown_ones(simulated):
    choices = {**SMALL, "hidden": 30, "gop": 250}
    folder = simulated(**choices).parent
    with av.open(str(folder / "left.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    shown = truth_of(folder)["takes"]["left"]["frames"]
    assert len(packets) == shown + 30
    assert sum(packet.pts < 0 for packet in packets) == 30
    assert [packet.pts for packet in packets if packet.is_keyframe] == [min(p.pts for p in packets)]
    with av.open(str(folder / "left.mp4"), options={"ignore_editlist": "1"}) as container:
        marks = [read(upright_planes(frame)[0]).index for frame in container.decode(video=0)]
    assert marks == [*range(MAX_INDEX, MAX_INDEX - 30, -1), *range(shown)]


def test_timecodes_go_on_from_file_to_file(simulated):
    left, right = KINDS["29.97 in parts, upside down | open GOPs, on its other side"]
    folder = simulated(**SMALL, **left, right=PLAIN | right, right_offset=Fraction("-0.117")).parent
    files = truth_of(folder)["takes"]["left"]["files"]
    assert [file["timecode"] for file in files] == ["09:59:59:28", "10:00:00:27", "10:00:01:27"]
    for file in files:
        with av.open(str(folder / file["file"])) as container:
            assert container.streams.video[0].metadata["timecode"] == file["timecode"]


def test_mxf_has_its_timecode(simulated):
    left, right = KINDS["prores mov | dnxhr hqx mxf"]
    folder = simulated(**SMALL | left, right=PLAIN | right, right_offset=Fraction("-0.117")).parent
    with av.open(str(folder / "right.mxf")) as container:
        assert container.metadata["timecode"] == "23:59:59:20"


def test_dropped_frames_are_missing_from_the_grid():
    times = SimulateOptions.of(seconds=Fraction(20), timing="dropped", parts=2).times("left")
    ticks = [round(seconds * 25) for seconds in times.seconds]
    assert [Fraction(tick, 25) for tick in ticks] == list(times.seconds)
    steps = [later - earlier for earlier, later in pairwise(ticks)]
    assert set(steps) >= {1, 2} and steps.count(1) > len(steps) / 2
    assert (ticks[0], ticks[-1]) == (0, 499)
    assert times.end == 20


def test_dropped_frames_are_missing_from_the_shortest_take_too():
    short = {"seconds": Fraction(3, 2), "timing": "dropped", "fps": Fraction(6)}
    counts = {SimulateOptions.of(**short, seed=seed).frame_count("left") for seed in range(20)}
    assert max(counts) == 8 and min(counts) > 4


def test_variable_intervals_are_irregular_and_lie_around_the_rate():
    times = SimulateOptions.of(seconds=Fraction(20), timing="variable", fps=Fraction(30)).times("left")
    steps = [float(later - earlier) for earlier, later in pairwise(times.seconds)]
    assert len(set(steps)) > 100
    assert np.mean(steps) == pytest.approx(1 / 30, rel=0.02)
    assert max(steps) > 1.5 / 30 and min(steps) < 0.9 / 30
    assert 19.9 < times.end <= 20.1


def test_seeds_and_sides_have_other_times():
    def of(seed, side):
        return SimulateOptions.of(seconds=Fraction(5), timing="variable", seed=seed).times(side).seconds

    assert of(0, "left") == of(0, "left")
    assert len({of(0, "left"), of(1, "left"), of(0, "right")}) == 3


@pytest.mark.parametrize("order", ["tff", "bff"])
def test_the_fields_of_a_frame_are_of_two_moments_and_have_one_mark(order):
    """Lines of an interlaced frame are those of progressive frames at twice the rate, first field first."""
    moments = [Moment(number * 0.6, number % 5) for number in range(8)]
    fields = Painter(Camera(size=(360, 640), interlaced=order), "left", moments, 0)
    frames = Painter(Camera(size=(360, 640)), "left", moments, 0)
    left, top, part = (round(value) for value in centred_part(360, 640))
    head = slice(top + part * 3 // 10, top + part * 8 // 10), slice(left + part // 4, left + 3 * part // 4)
    for index in range(4):
        whole = fields.paint(index).to_ndarray()[:640]
        lines = [read(whole[n::2], aspect=Fraction(1, 2)) for n in (0, 1)]
        assert lines == [read(whole)] * 2 == [Mark("left", index)] * 2
        earlier, later = (frames.paint(2 * index + n).to_ndarray()[:640][head].astype(int) for n in (0, 1))
        first, second = (0, 1) if order == "tff" else (1, 0)
        shown = whole[head].astype(int)
        for line, right, wrong in ((first, earlier, later), (second, later, earlier)):
            near = np.abs(shown[line::2] - right[line::2]).mean()
            assert near < 3 < np.abs(shown[line::2] - wrong[line::2]).mean()


def test_the_left_and_the_right_picture_differ(simulated):
    folder = simulated(**SMALL).parent
    pictures = [upright_planes(shown_frames(folder / f"{side}.mp4")[0][1])[0].astype(int) for side in SIDES]
    assert np.abs(pictures[0] - pictures[1]).mean() > 10


def test_footage_is_what_both_takes_cover():
    options = SimulateOptions.of(seconds=Fraction(10), right_offset=Fraction("0.513"))
    assert options.frame_count("left") == 250
    assert options.frame_count("right") == 237
    assert options.footage() == (Fraction("0.513"), Fraction("0.513") + Fraction(237, 25))
