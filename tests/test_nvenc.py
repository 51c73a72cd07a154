"""The machine's own NVENC: every frame where it belongs, IDR pictures where the plan has them.

Skipped where there is none; EMOMEDIA_REQUIRE_NVENC makes that a failure.
"""

from __future__ import annotations

import json
import os
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

import exact
from emomedia.dataset.verify import verify
from emomedia.encoder import Encoder
from emomedia.errors import EmomediaError
from emomedia.layout import SessionFolder
from emomedia.options import PICTURES, Options
from emomedia.run import run, run_stage
from emomedia.session_file import load_session

pytestmark = pytest.mark.gpu

GOP = 12
CODECS = {"h264_nvenc": "avc1", "hevc_nvenc": "hvc1"}


def require(name: str, depth: int = 8) -> None:
    try:
        _ = Encoder(name, depth).card
    except EmomediaError as error:
        if os.environ.get("EMOMEDIA_REQUIRE_NVENC"):
            pytest.fail(f"EMOMEDIA_REQUIRE_NVENC: {error}")
        pytest.skip(f"needs NVENC with {depth} bits: {error.found}")


@pytest.fixture(params=CODECS)
def name(request) -> str:
    require(request.param)
    return str(request.param)


def close_turns(session: Path, path: Path) -> Path:
    """The session's turns and one more that begins a frame after another: a span of one frame."""
    body = json.loads((session.parent / "turns.json").read_text())
    turn = body["turns"][0]
    later = {"id": "close", "speaker": "right", "start": turn["start"] + 0.04, "end": turn["end"] - 0.2}
    body["turns"].append(turn | later)
    path.write_text(json.dumps(body))
    return path


def idr_ids(clip: Path) -> list[int]:
    """The idr_pic_id of a clip's IDR pictures of H.264, in their order, as FFmpeg reads their slices."""
    command = ["ffmpeg", "-nostdin", "-i", clip, "-map", "0:v", "-c", "copy", "-bsf:v", "trace_headers"]
    done = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, check=True)
    return [int(line.split("=")[-1]) for line in done.stderr.splitlines() if " idr_pic_id " in line]


def streams(clip: Path) -> tuple[str, bytes, list[int], list[int]]:
    """A clip's codec tag, parameter sets, and its frames' numbers in decoding order: all, and the keys'."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert stream.average_rate is not None
        assert stream.time_base is not None
        numbers = [round(packet.pts * stream.time_base * stream.average_rate) for packet in packets]
        keys = [number for number, packet in zip(numbers, packets, strict=True) if packet.is_keyframe]
        context = stream.codec_context
        return context.codec_tag, bytes(context.extradata or b""), numbers, keys


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_clips_have_every_frame_and_idr_pictures_where_the_plan_has_them(simulated, tmp_path, name, device):
    session = simulated(size=(540, 960), seconds=Fraction(4), right_offset=Fraction("0.52"))
    turns = close_turns(session, tmp_path / "turns.json")
    choices: Any = {"encoder": name, "device": device}
    options = Options(turns=turns, layout=PICTURES, gop=GOP, workers=3, **choices)
    run(session, tmp_path, options)
    assert exact.wrong_frames(session, tmp_path)[0] == 0
    assert [finding for checked in verify(tmp_path.resolve()) for finding in checked.findings] == []

    plan = run_stage(session, tmp_path, options, "plan").plan
    spans = [span for chunk in plan.chunks for span in plan.chunk_spans(chunk)]
    asked = {
        span.first_frame + position
        for span in spans
        for position in range(0, span.frame_count, GOP)
        if position == 0 or position + 1 < span.frame_count
    }
    folder = SessionFolder(tmp_path.resolve(), load_session(session).id)
    sets = set()
    for clip in plan.clips:
        within = sorted(
            frame - clip.first_frame for frame in asked if clip.first_frame <= frame < clip.end_frame
        )
        for side in (None, "left", "right"):
            path = folder.clip(clip.id) if side is None else folder.side_clip(clip.id, side)
            tag, parameter_sets, numbers, keys = streams(path)
            assert tag == CODECS[name]
            assert numbers == list(range(clip.frame_count))  # decoded as they are shown: no B-frame
            assert keys == within
            sets.add((side is None, parameter_sets))
            if name == "h264_nvenc":  # H.264, 7.4.3: neighbouring IDR pictures differ in it
                ids = dict(zip(keys, idr_ids(path), strict=True))
                assert all(ids[key] != ids.get(key - 1) for key in keys)
    assert len(sets) == 2  # one of the composites, one of both sides
    assert any(span.frame_count == 1 for span in spans)

    report = json.loads(folder.run_report.read_text())["engine"]
    assert report["encoder"]["name"] == name
    if device == "cuda":  # the observer's copies of composites, and no more
        composites = report["composed_frames"] * 1920 * 1080 * 3 // 2
        assert sum(gpu["bytes_to_host"] for gpu in report["gpus"]) == composites


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_ten_bits_are_encoded_as_ten_bits(simulated, tmp_path, device):
    require("hevc_nvenc", 10)
    session = simulated(size=(540, 960), seconds=Fraction(4), codec="hevc", depth=10)
    choices: Any = {"encoder": "hevc_nvenc", "device": device}
    options = Options(turns=session.parent / "turns.json", depth=10, **choices)
    run(session, tmp_path, options)
    assert exact.wrong_frames(session, tmp_path)[0] == 0
    clip = next(SessionFolder(tmp_path, load_session(session).id).clips.iterdir())
    with av.open(str(clip)) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p10le"
