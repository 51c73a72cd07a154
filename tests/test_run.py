"""The main job on simulated footage: frames, sound, determinism, resuming, staleness."""

from __future__ import annotations

import ctypes
import json
import platform
import random
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import exact
from emomedia import _core
from emomedia.dataset.verify import verify
from emomedia.engine import core_take, run_engine
from emomedia.errors import DescriptionError, EmomediaError, OutputBusyError
from emomedia.files import locked
from emomedia.layout import SessionFolder
from emomedia.options import PICTURES, Options
from emomedia.probe import probe_session
from emomedia.run import run, run_stage
from emomedia.session import SIDES, Crop
from emomedia.session_file import load_session
from emomedia.workload import bottleneck_line

SMALL = {"size": (270, 480), "seconds": Fraction(4)}
KINDS = {
    "h264, right camera later": {"right_offset": Fraction("0.52"), "recorder_offset": Fraction("-1.2")},
    "50 fps, odd crop": {"fps": Fraction(50), "crop": Crop(3, 85, 263, 301)},
    "HEVC 10 bit on its side, long open GOPs": {
        "codec": "hevc", "depth": 10, "rotate": 90, "gop": 250, "open_gop": True,
        "right_offset": Fraction("-0.3"),
    },
    "29.97 in two files": {"fps": Fraction(30000, 1001), "parts": 2},
}  # fmt: skip


def options(session: Path, **choices: object) -> Options:
    return Options(turns=session.parent / "turns.json", preset="ultrafast", **choices)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_of_every_clip_is_the_one_that_the_time_rule_demands(simulated, tmp_path, kind):
    session = simulated(**SMALL, **KINDS[kind])
    run(session, tmp_path, options(session))
    wrong, total = exact.wrong_frames(session, tmp_path)
    assert total > 100
    assert wrong == 0
    assert [finding for checked in verify(tmp_path) for finding in checked.findings] == []


def test_without_padding_clips_cover_just_the_turns_frames(simulated, tmp_path):
    session = simulated(**SMALL)
    run(session, tmp_path, options(session, pad=Fraction(0)))
    turns = json.loads((session.parent / "turns.json").read_text(), parse_float=Fraction)["turns"]
    rows = {row["id"]: row for row in exact.rows_of(tmp_path)}
    for turn in turns:
        first = int(Fraction(turn["start"]) * 25)
        end = -int(-Fraction(turn["end"]) * 25 // 1)
        assert (rows[turn["id"]]["first_frame"], rows[turn["id"]]["frame_count"]) == (first, end - first)


def test_voices_are_the_tracks_samples_and_clips_sound_in_step(simulated, tmp_path):
    session = simulated(**SMALL, **KINDS["h264, right camera later"])
    run(session, tmp_path, options(session))
    recorder = exact.decoded_sound(session.parent / "recorder.wav").reshape(-1, 2).T
    for row in exact.rows_of(tmp_path):
        mixed = exact.decoded_sound(tmp_path / row["path"])
        for channel, side in enumerate(SIDES):
            voice = exact.decoded_sound(tmp_path / f"sim/audio/{row['id']}.{side}.flac")[0]
            first = row[side]["track_first_sample"]
            own = recorder[channel][first : first + row["sample_count"]]
            assert np.array_equal(voice, own)
            assert exact.lag(voice / 2.0**31, mixed[channel]) == 0


def test_workers_never_show_in_the_output(simulated, tmp_path, monkeypatch):
    monkeypatch.setattr("emomedia.plan.chunk_frames", lambda *_: 12)
    session = simulated(**SMALL)
    trees = []
    for workers in (1, 2, 3):
        run(session, tmp_path / str(workers), options(session, workers=workers))
        trees.append(exact.tree(tmp_path / str(workers)))
    assert trees[0] == trees[1] == trees[2]


def engine_of(out: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((out / "sim/run.json").read_text())["engine"]
    return body


def test_a_long_dialogue_without_turns_keeps_both_workers_busy(simulated, tmp_path):
    session = simulated(**SMALL | {"seconds": Fraction(10)}, dialogues=1)
    alone = tmp_path / "turns.json"
    alone.write_text(json.dumps(json.loads((session.parent / "turns.json").read_text()) | {"turns": []}))
    for workers in (1, 2):
        run(session, tmp_path / str(workers), Options(turns=alone, preset="ultrafast", workers=workers))
    assert len(json.loads((tmp_path / "1/sim/plan.json").read_text())["chunks"]) > 1
    assert exact.tree(tmp_path / "1") == exact.tree(tmp_path / "2")
    found = engine_of(tmp_path / "2")
    assert found["workers"] == 2
    assert found["wait_seconds"] < 0.5 * found["wall_seconds"] * 2


def test_run_json_tells_what_was_decoded_and_what_for(simulated, tmp_path):
    """Key frames of both takes stand every 25 frames; nothing is decoded that no shown frame needs."""
    session = simulated(**SMALL | {"seconds": Fraction(6)}, dialogues=1, gop=25, bframes=0)
    run(session, tmp_path, options(session, workers=1))
    rows, found = exact.rows_of(tmp_path), engine_of(tmp_path)
    shown = {n for row in rows for n in range(row["first_frame"], row["first_frame"] + row["frame_count"])}
    assert sorted(shown) == list(range(min(shown), max(shown) + 1)), "one stretch"
    assert found["composed_frames"] == len(shown)
    assert found["shown_frames"] == 2 * len(shown)
    assert found["lead_in_frames"] == 2 * (min(shown) % 25)
    assert found["surplus_frames"] == 0
    assert found["decoded_frames"] == 2 * (len(shown) + min(shown) % 25)


def test_no_frame_of_an_open_gop_is_lost_where_reading_ends_soon_after_its_key_frame(simulated, tmp_path):
    session = simulated(size=(180, 320), seconds=Fraction(3), dialogues=1, open_gop=True, gop=12)
    probed = probe_session(load_session(session), None, "deinterlace")
    left, right = (core_take(probed.takes[side]) for side in SIDES)
    reader = _core.Composites(left, right, 320, 240)
    assert [reader.render(index, index)[3] for index in (72, 73, 74)] == [0, 0, 0], "the take's end"
    folder = SessionFolder(tmp_path, "sim")
    folder.spool.mkdir(parents=True)
    for first in range(11, 50):
        job = job_of_frames(left, right, range(first, first + 2), folder)
        report = run_engine(_core.Engine(job), lambda: None, lambda *_: None)
        assert report.damaged_frames == [[0, 0]], first


def job_of_frames(left: _core.Take, right: _core.Take, frames: range, folder: SessionFolder) -> _core.Job:
    """One chunk of these frames of both takes, and one clip."""
    pcm, name = folder.path / "silence.pcm", str(frames.start)
    pcm.write_bytes(bytes(2))
    index = np.array(frames, dtype=np.int64)
    spool = str(folder.spool / f"{name}.spool")
    return _core.Job(
        left=left,
        right=right,
        left_sound=_core.PcmSource(str(pcm), 16),
        right_sound=_core.PcmSource(str(pcm), 16),
        video=_core.VideoSettings(
            width=320, height=240, rate=(25, 1), tags=("tv", "bt709", "bt709", "bt709"),
            preset="ultrafast", crf="20", gop=50,
        ),
        audio_bit_rate=64_000,
        chunks=[_core.Chunk(first_frame=0, spans=[len(frames)], left=index, right=index, spools=[spool])],
        clips=[
            _core.Clip(
                paths=[str(folder.path / f"{name}.mp4")], first_frame=0, frame_count=len(frames),
                first_sample=0, sample_count=1920 * len(frames), chunks=[0],
            )
        ],
        workers=1,
    )  # fmt: skip


def test_of_a_faster_take_of_key_frames_alone_only_those_shown_are_decoded(simulated, tmp_path):
    prores = {"codec": "prores", "depth": 10, "chroma": "422", "gop": 1}
    session = simulated(**SMALL | prores | {"seconds": Fraction(3), "fps": Fraction(50)}, dialogues=1)
    run(session, tmp_path, options(session, fps=Fraction(25), workers=1))
    found = engine_of(tmp_path)
    assert found["decoded_frames"] == found["shown_frames"] == 2 * found["composed_frames"]
    wrong, total = exact.wrong_frames(session, tmp_path)
    assert (wrong, total > 50) == (0, True)


def test_run_json_shares_out_the_workers_time(simulated, tmp_path):
    session = simulated(**SMALL)
    run(session, tmp_path, options(session, workers=2))
    found = engine_of(tmp_path)
    busy = found["busy_seconds"]
    assert set(busy) >= {"decode", "compose", "encode", "write", "sound"}
    assert sum(busy.values()) + found["wait_seconds"] == pytest.approx(2 * found["wall_seconds"], abs=0.02)
    assert busy[found["bottleneck"]] == max(busy.values())
    assert sum(found["shares"].values()) == pytest.approx(found["busy_share"], abs=0.001)
    assert all(found["cpu_seconds"][stage] <= busy[stage] + 0.05 for stage in busy)
    share = round(100 * found["shares"][found["bottleneck"]])
    assert bottleneck_line(found).startswith("bottleneck: ")
    assert f", {share}% of the workers' time; 2 workers busy " in bottleneck_line(found)
    told = found | {"gpus": [{}], "gpus_refused": ["GPU 1: out of memory"]}
    assert bottleneck_line(told).endswith(
        "; decoded: left on cores, right on cores; without GPU 1: out of memory"
    )


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_the_engine_has_large_buffers_given_back_when_they_are_freed(simulated, tmp_path):
    """Even after larger ones were freed, which makes glibc keep such buffers.

    What the heap has left is used first; then each is mapped by itself, as a bit in front of it says.
    """
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    libc.free(libc.malloc(16 << 20))
    session = simulated(**SMALL)
    run(session, tmp_path, options(session))
    buffers = [libc.malloc(2 << 20) for _ in range(100)]
    size_and_flags = ctypes.c_size_t.from_address(buffers[-1] - ctypes.sizeof(ctypes.c_size_t)).value
    for buffer in buffers:
        libc.free(buffer)
    assert size_and_flags & 2


def _dates(out):
    """When each file was written that does not vary from run to run."""
    return {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file() and p.name != "run.json"}


def test_a_second_run_makes_nothing_and_changed_turns_only_their_dialogue(simulated, tmp_path):
    session = simulated(**SMALL | {"seconds": Fraction(9)}, dialogues=2)
    run(session, tmp_path, options(session))
    dates = _dates(tmp_path)
    assert run(session, tmp_path, options(session)).made == 0
    assert _dates(tmp_path) == dates
    turns = json.loads((session.parent / "turns.json").read_text())
    last = turns["dialogues"][-1]["id"]
    changed = next(turn for turn in turns["turns"] if turn["dialogue"] == last)
    changed["end"] = round(changed["end"] - 0.2, 3)
    own = tmp_path / "turns.json"
    own.write_text(json.dumps(turns))
    result = run(
        session, tmp_path / "again", Options(turns=session.parent / "turns.json", preset="ultrafast")
    )
    result = run(session, tmp_path / "again", Options(turns=own, preset="ultrafast"))
    others = [turn["id"] for turn in turns["turns"] if turn["dialogue"] != last]
    assert 0 < result.made <= len(result.rows) - len(others) - 1


def test_a_run_with_nothing_to_make_opens_no_track(simulated, tmp_path, monkeypatch):
    session = simulated(**SMALL)
    run(session, tmp_path, options(session))
    monkeypatch.setattr("emomedia.audio.conform.conform", None)
    assert run(session, tmp_path, options(session)).made == 0


def test_every_stage_leaves_its_file_also_with_turns_given(simulated, tmp_path):
    session = simulated(**SMALL)
    run(session, tmp_path, options(session))
    left = {path.name for path in (tmp_path / "sim").iterdir()}
    stages = {f"{name}.json" for name in ("session", "sync", "speech", "turns", "plan", "run")}
    assert left == stages | {"clips", "audio", "clips.jsonl"}


@pytest.mark.parametrize("text", [None, '{"session": "sim", "turns": [{"id": "sim_000_000"}]}'])
def test_a_file_of_turns_that_is_none_is_refused_before_any_work(simulated, tmp_path, text):
    given = tmp_path / "given.json"
    if text is not None:
        given.write_text(text)
    with pytest.raises(EmomediaError, match=r"given\.json"):
        run(simulated(**SMALL), tmp_path, Options(turns=given))
    assert not (tmp_path / "sim/session.json").exists()


def test_killed_at_any_moment_a_run_goes_on_to_the_same_bytes(simulated, tmp_path):
    session = simulated(**SMALL | {"seconds": Fraction(9)}, dialogues=2)  # several chunks
    run(session, tmp_path / "whole", options(session))
    command = [
        sys.executable, "-m", "emomedia", "run", str(session), "--out", str(tmp_path / "killed"),
        "--turns", str(session.parent / "turns.json"), "--preset", "ultrafast",
    ]  # fmt: skip
    seed = random.randrange(2**32)
    print("seed", seed)
    for seconds in sorted(random.Random(seed).uniform(0.3, 5) for _ in range(6)):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        clips = list((tmp_path / "killed").glob("*/clips/[!.]*.mp4"))
        assert all(exact.decoded_sound(clip).size for clip in clips)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    assert exact.tree(tmp_path / "killed") == exact.tree(tmp_path / "whole")


def test_an_output_folder_in_use_is_refused(simulated, tmp_path):
    session = simulated(**SMALL)
    with locked(tmp_path / "sim"), pytest.raises(OutputBusyError):
        run(session, tmp_path, options(session))


def test_a_damaged_clip_is_found_by_verify(simulated, tmp_path):
    session = simulated(**SMALL)
    run(session, tmp_path, options(session))
    clip = tmp_path / exact.rows_of(tmp_path)[0]["path"]
    data = bytearray(clip.read_bytes())
    data[len(data) // 2] ^= 0xFF
    clip.write_bytes(bytes(data))
    shutil.copy(clip, clip.with_name("stranger.mp4"))
    found = {finding.path.name for checked in verify(tmp_path) for finding in checked.findings}
    assert found == {clip.name, "stranger.mp4"}


def test_another_ffmpeg_probes_anew(simulated, tmp_path, monkeypatch):
    """Which frames a take has is what libav says, and its versions differ in it."""
    session = simulated(**SMALL)

    def stamp() -> str:
        path = run_stage(session, tmp_path, Options(), "probe").folder.stage("session")
        return str(json.loads(path.read_text())["made_from"]["hash"])

    first = stamp()
    assert stamp() == first
    monkeypatch.setattr(_core, "library_versions", lambda: ["libavformat 99.0.0"])
    assert stamp() != first


def test_offsets_and_sound_that_change_are_used(simulated, tmp_path):
    """Neither shows in what session.json says of the media."""
    folder = shutil.copytree(simulated(**SMALL).parent, tmp_path / "in")
    session, out = folder / "session.toml", tmp_path / "out"

    def made() -> set[str]:
        return run_stage(session, out, options(session), "speech").made

    assert made() == {"probe", "sync", "speech"}
    text = session.read_text()
    session.write_text(text.replace("mic_offset = 0.0", "mic_offset = 0.25"))
    assert made() == {"probe", "sync", "speech"}
    sync = json.loads((out / "sim/sync.json").read_text())
    assert sync["right"]["track"]["offset"] == 0.25
    data = (folder / "recorder.wav").read_bytes()
    (folder / "recorder.wav").write_bytes(data[:-600] + bytes(600))
    assert made() == {"probe", "sync", "speech"}
    assert made() == set()
    session.write_text(text.replace("\noffset = 0.0", "\noffset = 9"))
    with pytest.raises(DescriptionError, match=r"right: .* left 0 to 4 s, right 9 to 13 s"):
        run_stage(session, out, options(session), "turns")


@pytest.mark.parametrize("layout", [("composite",), PICTURES])
def test_workers_never_show_in_what_is_made_of_a_damaged_take(simulated, tmp_path, monkeypatch, layout):
    """What a decoder conceals depends on all that it decoded before; the byte is of a frame others need."""
    monkeypatch.setattr("emomedia.plan.chunk_frames", lambda *_: 2)
    monkeypatch.setattr("emomedia.cutting.DAMAGE_LIMIT", 1.0)
    session = simulated(
        size=(180, 320), seconds=Fraction(3), dialogues=1, noise_db=None, open_gop=True, gop=12
    )
    folder = shutil.copytree(session.parent, tmp_path / "in")
    data = bytearray((folder / "left.mp4").read_bytes())
    with av.open(str(folder / "left.mp4")) as container:
        packet = list(container.demux(video=0))[16]
    data[packet.pos + packet.size * 47 // 100] ^= 4
    (folder / "left.mp4").write_bytes(data)
    trees = []
    for workers in (1, 2, 3):
        run(
            folder / "session.toml", tmp_path / str(workers), options(session, workers=workers, layout=layout)
        )
        trees.append(exact.tree(tmp_path / str(workers)))
    assert exact.rows_of(tmp_path / "1")[0]["left"]["damaged_frames"] > 0
    assert trees[0] == trees[1] == trees[2]


def test_verify_hands_arrow_no_file_of_pythons(simulated, tmp_path, monkeypatch):
    # Arrow's threads may give back buffers of such a file after Python has ended, which then aborts.
    import pyarrow as pa
    import pyarrow.parquet as pq

    session = simulated(**SMALL)
    run(session, tmp_path, options(session))
    read, read_table = [], pq.read_table
    monkeypatch.setattr(pq, "read_table", lambda file, **kw: (read.append(file), read_table(file, **kw))[1])
    index = tmp_path / "clips.parquet"
    pq.write_table(read_table(index), index, compression="none")
    assert len([finding for checked in verify(tmp_path) for finding in checked.findings]) == 1
    assert [isinstance(file, pa.NativeFile) for file in read] == [True, True]  # what is there, what is to be
