"""The whole stage on real files: small ones made here, and odd ones from the wild."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emomedia.errors import MediaError, UnsupportedMediaError
from emomedia.observer import Silent
from emomedia.options import Options
from emomedia.probe import from_body, probe_session, remarks, table, to_body
from emomedia.run import run_stage
from emomedia.session import Crop, Mic, Session, Side

from ..audio.sounds import shared
from .found import audio, scan, video


def write_take(path, frames=10, rate=25, sound=True, first_pts=0):
    """A small take with B-frames and, in the same container, mono AAC that begins with it."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "bf": "2"})
        video.width, video.height, video.pix_fmt, video.gop_size = 48, 80, "yuv420p", 4
        audio = container.add_stream("aac", rate=48000, layout="mono") if sound else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((120, 48), 90, np.uint8), "yuv420p")
            frame.pts, frame.time_base = first_pts + number, Fraction(1, rate)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            block = av.AudioFrame.from_ndarray(
                np.zeros((1, 48000 * frames // rate), np.float32), "fltp", "mono"
            )
            block.sample_rate, block.pts = 48000, first_pts * 48000 // rate
            container.mux(audio.encode(block))
            container.mux(audio.encode(None))
    return path


def session(folder, left, right, left_mic=None, right_mic=None):
    sides = Side("A", tuple(left), mic=left_mic), Side("B", tuple(right), mic=right_mic)
    return Session("s", folder / "session.toml", *sides)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shoot")
    write_take(folder / "1.mp4")
    write_take(folder / "2.mkv", frames=5, first_pts=50)
    write_take(folder / "fast.mp4", frames=20, rate=50, sound=False)
    with av.open(str(folder / "rec.wav"), "w") as container:
        stream = container.add_stream("pcm_s24le", rate=48000, layout="stereo")
        block = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.int32), "s32", "stereo")
        block.sample_rate = 48000
        container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    return folder


def test_a_session_of_a_long_take_and_a_fast_one(folder):
    described = session(
        folder,
        [folder / "1.mp4", folder / "2.mkv"],
        [folder / "fast.mp4"],
        right_mic=Mic(folder / "rec.wav", 1),
    )
    found = probe_session(described)
    left, right = found.takes["left"], found.takes["right"]
    assert (left.rate, right.rate, found.rate) == (25, 50, 25)
    assert (left.frames.count, left.frames.end) == (15, Fraction(15, 25))
    assert [file.base for file in left.frames.files] == [0, Fraction(10, 25)]
    assert [file.keys.tolist() for file in left.files] == [[0, 4, 8], [0, 4]]
    assert left.crop == Crop(0, 13, 48, 54)
    assert right.sound is None
    assert found.tracks["left"] == left.sound
    assert (left.sound.own_audio, left.sound.sample_rate, left.sound.bits) == (True, 48000, 24)
    assert left.sound.start == 0
    assert [(file.path.name, file.start) for file in left.sound.later] == [("2.mkv", Fraction(10, 25))]
    track = found.tracks["right"]
    assert (track.path.name, track.channel, track.bits, track.lossless) == ("rec.wav", 1, 24, True)
    assert to_body(from_body(to_body(found), described)) == to_body(found)


def test_the_rate_can_be_given(folder):
    described = session(folder, [folder / "1.mp4"], [folder / "1.mp4"])
    assert probe_session(described, fps=Fraction(50)).rate == 50


def test_a_silent_take_without_microphone_is_refused(folder):
    with pytest.raises(UnsupportedMediaError, match=r"fast\.mp4: expected sound"):
        probe_session(session(folder, [folder / "1.mp4"], [folder / "fast.mp4"]))


class Said:
    """A core that says what it is told, by file name; the first frame agrees with the container."""

    def __init__(self, **streams):
        self.streams = streams

    def probe(self, path):
        return {"format": "mov", "streams": self.streams[Path(path).stem]}

    def scan(self, path, stream):
        return scan(np.arange(10) * 512) | {"decoded": self.streams[Path(path).stem][stream]}


def test_takes_of_different_colours_are_refused():
    streams = {"a": [video()], "b": [video(transfer="arib-std-b67")], "rec": [audio()]}
    mic = Mic(Path("/shoot/rec.wav"), 0)
    described = session(Path("/shoot"), [Path("/shoot/a.mp4")], [Path("/shoot/b.mp4")], mic, mic)
    with pytest.raises(UnsupportedMediaError, match=r"b\.mp4: .*transfer, bt709.*`lut` under \[right\]"):
        probe_session(described, core=Said(**streams))
    streams["b"] = [video()]
    assert probe_session(described, core=Said(**streams)).rate == 25


TAKEN = {
    # name: upright size, rotate, chroma, bits, rate, variable, missing, frames, own sound's start in ms
    "ae_testsrc_with_attachment.mkv": ((640, 360), 0, "4:2:0", 8, "30", False, 0, 60, -23),
    "ax_bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4": (
        (800, 640),
        0,
        "4:2:0",
        8,
        "30",
        False,
        0,
        120,
        None,
    ),
    "ax_dolbyVision-hdr.MOV": ((720, 1280), 90, "4:2:0", 10, "30", False, 0, 4, 0),
    "ax_edit_list_positive_shift.mp4": ((1920, 1080), 0, "4:2:0", 8, "30", False, 0, 270, -1000),
    "ax_iibbibb_editlist_videoonly.mp4": ((704, 576), 0, "4:4:4", 8, "1", False, 0, 12, None),
    "ax_portrait_4k60.mp4": ((2160, 3840), 90, "4:2:0", 8, "60", True, 0, 18, 0),
    "ax_sample_edit_list.mp4": ((1080, 1920), 90, "4:2:0", 10, "30000/1001", False, 0, 77, 0),
    "ax_sample_rotate_and_reflect.mp4": ((720, 1080), 90, "4:2:0", 8, "30000/1001", False, 0, 30, 67),
    "ax_sample_empty_track.mp4": ((1080, 720), 0, "4:2:0", 8, "30000/1001", False, 0, 30, 67),
    "ax_sample_h265.ts": ((854, 480), 0, "4:2:0", 8, "30", False, 0, 30, None),
    "ax_trim_optimization_failure.mp4": ((518, 488), 0, "4:2:0", 8, "30000/1001", True, 0, 167, 3),
    "dc_video_180.mov": ((568, 320), 180, "4:2:0", 8, "30", False, 0, 3, None),
    "dc_video_270.mov": ((320, 568), 270, "4:2:0", 8, "30", False, 0, 3, None),
    "fc_apple-prores-422-hq.mov": ((320, 240), 0, "4:2:2", 10, "25", False, 0, 25, None),
    "fc_dv-pal-interlaced.mov": ((720, 576), 0, "4:2:0", 8, "25", False, 0, 25, None),
    "fc_xdcam-ex-1080i50.mov": ((1920, 1080), 0, "4:2:0", 8, "25", False, 0, 25, None),
    "fc_xdcam-ex-1080p25.mov": ((1920, 1080), 0, "4:2:0", 8, "25", False, 0, 25, None),
    "gcp_googlework_short.mp4": ((320, 180), 0, "4:2:0", 8, "30000/1001", False, 1, 1026, -834),
    "tc_discard_first_keyframe.mp4": ((64, 64), 0, "4:2:0", 8, "25", False, 0, 25, None),
    "tc_testsrc2_12bit_hdr.mp4": ((320, 180), 0, "4:2:0", 12, "30", False, 0, 60, None),
    "tc_testsrc2_444_10bit_hevc.mp4": ((321, 241), 0, "4:4:4", 10, "25", False, 0, 25, None),
    "tc_nasa_13013_vfr.mp4": ((480, 270), 0, "4:2:0", 8, "24000/1001", True, 0, 50, None),
}

REFUSED = {
    "ax_sample_malformed_free_box.mp4": (MediaError, "moov atom not found"),
    "ax_sine_24le.wav": (UnsupportedMediaError, "a video stream, found audio"),
}


def odd(name):
    path = shared(f"odd/{name}")
    mic = Mic(path.with_name("ax_sine_24le.wav"), 0)
    return session(path.parent, [path], [path], left_mic=mic, right_mic=mic)


@pytest.mark.parametrize("name", TAKEN)
def test_odd_takes_are_understood(name):
    take = probe_session(odd(name)).takes["left"]
    start = None if take.sound is None else round(take.sound.start * 1000)
    found = (
        take.upright_size(take.rotate),
        take.rotate,
        take.chroma,
        take.bit_depth,
        str(take.rate),
        take.variable,
        take.missing,
        take.frames.count,
        start,
    )
    assert found == TAKEN[name]


@pytest.mark.parametrize("name", REFUSED)
def test_odd_takes_that_cannot_be_treated_are_refused(name):
    kind, words = REFUSED[name]
    with pytest.raises(kind, match=words):
        probe_session(odd(name))


def test_odd_takes_that_deserve_a_second_look_are_remarked_on():
    def remarks_on(name):
        return " ".join(remarks(probe_session(odd(name))))

    assert "9 frames are hidden by an edit list" in remarks_on("ax_sample_edit_list.mp4")
    assert "the footage is PQ" in remarks_on("ax_hdr10-video-with-sdr-container.mp4")
    assert "interlaced; they are deinterlaced" in remarks_on("fc_dv-pal-interlaced.mov")


def test_what_a_take_is_stands_in_the_table():
    def cells(name):
        return str([list(column.cells) for column in table(probe_session(odd(name))).columns])

    assert "turned by 90°, mirrored" in cells("ax_sample_rotate_and_reflect.mp4")
    assert "720x576, pixels 59:54, interlaced, bottom first" in cells("fc_dv-pal-interlaced.mov")
    assert "11:12:47:22" in cells("gp_hero7.mp4")


def test_other_takes_under_an_id_that_has_clips_are_reported(tmp_path):
    """Whoever copies a session.toml and forgets its id replaces that session's clips."""
    said: list[str] = []
    heard = Silent()
    heard.note = said.append  # type: ignore[method-assign]
    description, audit = tmp_path / "session.toml", tmp_path / "out/s/clips.jsonl"

    def probe(names: str, frames: int) -> int:
        """How often it has been told, once a session of two takes with these names was probed."""
        text = 'id = "s"\n'
        for side, name in zip(("left", "right"), names, strict=True):
            write_take(tmp_path / f"{name}.mp4", frames)
            text += f'[{side}]\nactor = "{side}"\nvideo = "{name}.mp4"\n'
        description.write_text(text)
        run_stage(description, tmp_path / "out", Options(), "probe", heard)
        return len(said)

    assert probe("ab", 10) == probe("ab", 12) == 0
    audit.touch()
    assert probe("cd", 12) == 0, "the same under other names"
    assert probe("cd", 10) == 1
    assert "made from other takes" in said[0]
