"""Whole runs on every kind of track: the right samples in every clip, faults counted or refused."""

from __future__ import annotations

import json
import os
import shutil
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

import exact
from emomedia.cli import main
from emomedia.dataset.verify import verify
from emomedia.errors import DamagedMediaError
from emomedia.options import Options
from emomedia.run import run
from emomedia.session import SIDES
from emomedia.simulate import RecorderOptions

SMALL = {"size": (180, 320), "fps": Fraction(5), "seconds": Fraction(8), "dialogues": 1, "noise_db": None}
MOVED = {"recorder_offset": Fraction("-0.75")}
KINDS = {
    "16 bits at 44.1 kHz, a file each": {"file_format": "wav16", "sample_rate": 44_100, "separate": True},
    "16 bits": {"file_format": "wav16"},
    "32 bits": {"file_format": "wav32"},
    "floats at 96 kHz after two mixes": {"file_format": "wavfloat", "sample_rate": 96_000, "mix_channels": 2},
    "RF64 at 192 kHz": {"file_format": "rf64", "sample_rate": 192_000},
    "BWF after a mix": {"file_format": "bwf", "mix_channels": 1},
    "FLAC at 88.2 kHz": {"file_format": "flac", "sample_rate": 88_200},
    "FLAC": {"file_format": "flac"},
    "AAC": {"file_format": "m4a"},
}


def options(session: Path) -> Options:
    return Options(turns=session.parent / "turns.json", preset="ultrafast")


def voices(out: Path):
    """Every clip's row, side and FLAC samples, full scale 1.0."""
    for row in exact.rows_of(out):
        for side in SIDES:
            samples = exact.decoded_sound(out / f"sim/audio/{row['id']}.{side}.flac")[0]
            yield row, side, samples / (2.0**15 if samples.dtype == np.int16 else 2.0**31), samples.dtype


@pytest.mark.parametrize("kind", KINDS)
def test_every_clip_has_the_samples_of_its_time(simulated, tmp_path, kind):
    choices = KINDS[kind]
    session = simulated(**SMALL, **MOVED, recorder=RecorderOptions(**choices))
    run(session, tmp_path, options(session))
    assert [finding for checked in verify(tmp_path) for finding in checked.findings] == []
    ideal = exact.decoded_sound(
        simulated(**SMALL, **MOVED, recorder=RecorderOptions(file_format="wav32")).parent / "recorder.wav"
    )
    ideal = ideal.reshape(-1, 2).T / 2.0**31
    error = []
    for row, side, found, kept in voices(tmp_path):
        first = row[side]["track_first_sample"]
        expected = ideal[SIDES.index(side), first : first + row["sample_count"]]
        error.append(np.abs(found - expected).max())
        assert kept == (np.int16 if choices["file_format"] == "wav16" else np.int32)
        assert (row[side]["damaged_samples"], row[side]["filled_samples"]) == (0, 0)
    same_rate = choices.get("sample_rate", 48_000) == 48_000
    step = {"wav16": 2.0**-15, "m4a": 0.1}.get(choices["file_format"], 2.0**-23)
    assert max(error) <= (step * 0.5001 if same_rate else max(3 * step, 2e-5))


def test_without_a_recorder_the_cameras_own_sound_is_cut_in_step(simulated, tmp_path):
    choices = SMALL | {"right_offset": Fraction("0.37")}
    session = simulated(**choices, recorder=RecorderOptions(used=False))
    run(session, tmp_path, options(session))
    ideal = exact.decoded_sound(simulated(**choices).parent / "recorder.wav").reshape(-1, 2).T / 2.0**31
    loud = 0
    for row, side, found, _ in voices(tmp_path):
        first = row["first_frame"] * 9600
        own = ideal[SIDES.index(side), first : first + row["sample_count"]]
        other = ideal[1 - SIDES.index(side), first : first + row["sample_count"]]
        if np.sum(own**2) > 4 * np.sum(other**2):
            loud += 1
            correlation = np.correlate(found, own[2000:-2000], "valid")
            assert abs(int(np.argmax(np.abs(correlation))) - 2000) <= 1
    assert loud >= 2


def damaged_copy(session: Path, folder: Path, packets: range) -> Path:
    """A copy of a session whose recorder's packets do not decode from where the clips are."""
    shutil.copytree(session.parent, folder)
    (path,) = folder.glob("recorder.*")
    with av.open(str(path)) as container:
        found = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    data = bytearray(path.read_bytes())
    for number in packets:
        begin = data.index(found[number])
        data[begin : begin + len(found[number])] = b"\xff" * len(found[number])
    path.write_bytes(data)
    return folder / "session.toml"


def test_a_few_broken_packets_are_counted_in_every_clip_that_has_them(simulated, tmp_path):
    session = simulated(**SMALL, recorder=RecorderOptions(file_format="m4a"))
    broken = damaged_copy(session, tmp_path / "broken", range(70, 71))
    out = tmp_path / "out"
    run(broken, out, options(broken))
    lost = (69 * 1024, 70 * 1024)  # the first packet is the encoder's priming
    total = 0
    for row, side, found, _ in voices(out):
        first = row[side]["track_first_sample"]
        begin, end = max(lost[0], first), min(lost[1], first + row["sample_count"])
        assert row[side]["damaged_samples"] == max(0, end - begin)
        assert not found[max(0, begin - first) : max(0, end - first)].any()
        total += max(0, end - begin)
    assert total > 0
    indexed = pq.read_table(out / "clips.parquet").to_pylist()
    assert sum(row[side]["damaged_samples"] for row in indexed for side in SIDES) == total
    assert [finding for checked in verify(out) for finding in checked.findings] == []


def test_more_than_a_hundredth_is_refused_before_anything_is_made(simulated, tmp_path):
    session = simulated(**SMALL, recorder=RecorderOptions(file_format="m4a"))
    broken = damaged_copy(session, tmp_path / "broken", range(60, 80))
    with pytest.raises(
        DamagedMediaError, match=r"recorder\.m4a: expected at most 1% samples missing or broken"
    ):
        run(broken, tmp_path / "out", options(broken))
    assert not list((tmp_path / "out").rglob("*.mp4"))


def test_a_cut_track_is_filled_and_counted(simulated, tmp_path):
    session = simulated(**SMALL)
    folder = tmp_path / "cut"
    shutil.copytree(session.parent, folder)
    path = folder / "recorder.wav"
    path.write_bytes(path.read_bytes()[: 44 + 6 * 60_000])
    run(folder / "session.toml", tmp_path / "out", options(session))
    filled = 0
    for row, side, found, _ in voices(tmp_path / "out"):
        end = row[side]["track_first_sample"] + row["sample_count"]
        expected = min(row["sample_count"], max(0, end - 60_000))
        assert (row[side]["filled_samples"], row[side]["damaged_samples"]) == (expected, 0)
        assert not found[row["sample_count"] - expected :].any()
        filled += expected
    assert filled > 0


def without_sound(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 32
        container.mux(video.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(video.encode(None))


def refusal(monkeypatch, verb: str, session: Path, out: Path) -> str:
    """The one line that the command line ends with."""
    monkeypatch.setattr(sys, "argv", ["emomedia", verb, str(session), "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, str) and "\n" not in ended.value.code
    return ended.value.code


FAULTS = {
    "missing": (Path.exists, "found nothing"),
    "empty": (lambda path: path.write_bytes(b""), "recorder.wav: expected to open"),
    "text": (lambda path: path.write_text("no sound at all\n" * 999), "recorder.wav: expected to open"),
    "a folder": (lambda path: path.mkdir(), "found a folder"),
    "a pipe": (lambda path: os.mkfifo(path), "found something that is not a regular file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "found something that is not a regular file"),
    "a video": (without_sound, "found video"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "recorder.wav: expected the file"),
    "a playlist": (lambda path: path.write_text("#EXTM3U\nleft.mp4\n"), "recorder.wav: expected to open"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_microphone_ends_the_run_in_one_line(simulated, tmp_path, monkeypatch, fault):
    make, words = FAULTS[fault]
    folder = tmp_path / "session"
    shutil.copytree(simulated(**SMALL).parent, folder)
    (folder / "recorder.wav").unlink()
    make(folder / "recorder.wav")
    said = refusal(monkeypatch, "run", folder / "session.toml", tmp_path / "out")
    assert words in said


def test_a_channel_that_is_not_there_ends_the_run_in_one_line(simulated, tmp_path, monkeypatch):
    folder = tmp_path / "session"
    shutil.copytree(simulated(**SMALL).parent, folder)
    toml = folder / "session.toml"
    toml.write_text(toml.read_text().replace("channel = 1", "channel = 2"))
    said = refusal(monkeypatch, "probe", toml, tmp_path / "out")
    assert "right.mic.channel" in said and "from 0 to 1" in said


def test_a_videos_sound_can_be_the_microphone(simulated, tmp_path):
    folder = tmp_path / "session"
    shutil.copytree(simulated(**SMALL).parent, folder)
    toml = folder / "session.toml"
    toml.write_text(toml.read_text().replace('"recorder.wav", channel = 1', '"right.mp4", channel = 0'))
    run(toml, tmp_path / "out", options(toml))
    body = json.loads((tmp_path / "out/sim/session.json").read_text())
    assert (body["right"]["track"]["codec"], body["right"]["track"]["own_audio"]) == ("aac", False)


def test_the_probe_tells_when_a_broadcast_wave_says_it_began(simulated, tmp_path, monkeypatch, capsys):
    session = simulated(**SMALL, **MOVED, recorder=RecorderOptions(file_format="bwf"), declare_offsets=False)
    monkeypatch.setattr(sys, "argv", ["emomedia", "probe", str(session), "--out", str(tmp_path)])
    try:
        main()
    except SystemExit as ended:
        assert not ended.code
    body = json.loads((tmp_path / "sim/session.json").read_text())
    assert body["left"]["track"]["time_reference"] == 34_200 * 48_000 - 36_000
    assert "9:29:59.2" in capsys.readouterr().out
