"""One recorder, two cameras, two voices by two ways each; steps, timecode, the table and the picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from emomedia import stages
from emomedia.audio.align import Match, Piece, Window
from emomedia.audio.bridge import bridged, straightened
from emomedia.errors import DescriptionError, SyncError
from emomedia.report.sync_plot import sync_plot
from emomedia.session import Mic, Side
from emomedia.sync import SPEED_OF_SOUND, clocks, sync_session
from emomedia.timeline import Clock

from ..audio.sounds import talk, to_s16, track, write_wav
from .test_sync import probe

RATE = 16_000
SECONDS = 90
NEAR, FAR, ACROSS = 2.0, 2.8, 1.5
"""Metres from an actor to the own camera, to the other camera, to the other actor's microphone."""

BEGAN, RIGHT = 2.5, 1.25
"""Seconds: the recorder began before the left camera, the right one after it."""


def delayed(voice: np.ndarray, metres: float) -> np.ndarray:
    """`voice` as it is heard so far away: later and quieter."""
    spectrum = np.fft.rfft(voice)
    frequency = np.fft.rfftfreq(len(voice), 1 / RATE)
    later = spectrum * np.exp(-2j * np.pi * frequency * metres / SPEED_OF_SOUND) / metres
    return np.fft.irfft(later, len(voice))


@pytest.fixture(scope="module")
def sounds() -> dict[str, np.ndarray]:
    """What each microphone and camera hears; second 0 is the recorder's first sample."""
    count = round((SECONDS + 8) * RATE)
    turns = (np.arange(count) // (3 * RATE)) % 2 == 0
    left, right = (talk(SECONDS + 8, seed=seed, rate=RATE) * who for seed, who in ((21, turns), (22, ~turns)))
    noise = [2e-3 * np.random.default_rng(seed).standard_normal(count) for seed in (1, 2)]
    return {
        "left mic": left + delayed(right, ACROSS) * 0.1,
        "right mic": right + delayed(left, ACROSS) * 0.1,
        "left camera": (delayed(left, NEAR) + delayed(right, FAR) + noise[0])[round(BEGAN * RATE) :],
        "right camera": (delayed(left, FAR) + delayed(right, NEAR) + noise[1])[
            round((BEGAN + RIGHT) * RATE) :
        ],
    }


def described(folder: Path, sounds: dict[str, np.ndarray], **side):
    """A session of two cameras and one recorder with a channel for each actor."""
    cameras = {}
    for name in ("left", "right"):
        path = write_wav(folder / f"{name}.wav", to_s16(sounds[f"{name} camera"]), "s16", RATE)
        cameras[name] = track(path, rate=RATE, bits=16, own_audio=True)
    both = np.stack([to_s16(sounds["left mic"]), to_s16(sounds["right mic"])], axis=1)
    recorder = write_wav(folder / "recorder.wav", both, "s16", RATE)
    tracks = {
        name: track(recorder, rate=RATE, bits=16, channel=channel)
        for channel, name in enumerate(("left", "right"))
    }
    sides = {
        name: Side("A", (Path("c.mp4"),), Mic(recorder, channel), offset=offset, **side)
        for channel, (name, offset) in enumerate((("left", Fraction(0)), ("right", None)))
    }
    return probe(cameras, tracks, **sides)


def test_the_ways_of_the_voices_move_nothing(tmp_path, sounds):
    body = sync_session(described(tmp_path, sounds, camera_distance=Fraction(2)))
    take = body["right"]["take"]
    assert take["offset"] == pytest.approx(RIGHT, abs=5e-5)
    assert take["through"] == "tracks"
    way = (FAR - NEAR) / SPEED_OF_SOUND * 1000
    assert take["paths_ms"] == pytest.approx([-way, way], abs=0.1)
    for side in ("left", "right"):
        assert body[side]["track"]["offset"] == pytest.approx(-BEGAN, abs=5e-5)
        assert body[side]["track"]["confidence"] > 0.7
    assert body["left"]["track"]["offset"] == body["right"]["track"]["offset"]
    assert body["left"]["track"]["apart_ms"] < 0.1


def test_cameras_alone_are_brought_between_their_voices(tmp_path, sounds):
    session = described(tmp_path, sounds)
    alone = replace(session, tracks={side: session.takes[side].sound for side in ("left", "right")})
    take = sync_session(alone)["right"]["take"]
    assert "through" not in take
    assert take["offset"] == pytest.approx(RIGHT, abs=3e-4)


def test_a_recorder_that_lost_a_buffer(tmp_path, sounds):
    lost, at = round(0.2 * RATE), 40 * RATE
    cut = {
        name: np.concatenate([sound[:at], sound[at + lost :]]) if "mic" in name else sound
        for name, sound in sounds.items()
    }
    body = sync_session(described(tmp_path, cut, camera_distance=Fraction(2)))
    assert body["right"]["take"]["offset"] == pytest.approx(RIGHT, abs=5e-5)
    stages.write(tmp_path / "sync.json", body, "")
    found = clocks(stages.read(tmp_path / "sync.json"))
    assert found == clocks(body)
    for side in ("left", "right"):
        (step,) = body[side]["track"]["steps"]
        assert step["seconds"] == pytest.approx(0.2, abs=1e-4)
        assert step["at"] == pytest.approx(40, abs=0.1)
        clock = found[side]["track"]
        assert float(clock.to_session(Fraction(30))) == pytest.approx(30 - BEGAN, abs=1e-4)
        assert float(clock.to_session(Fraction(60))) == pytest.approx(60.2 - BEGAN, abs=1e-4)
    assert found["left"]["track"] == found["right"]["track"]


def test_a_camera_that_lost_a_buffer_is_refused(tmp_path, sounds):
    cut = dict(sounds)
    cut["right camera"] = np.delete(sounds["right camera"], slice(40 * RATE, round(40.4 * RATE)))
    with pytest.raises(SyncError, match=r"right\.wav: .*no steady clock .* a step of -0\.4\d\d s .*'offset'"):
        sync_session(described(tmp_path, cut))


def test_a_declared_offset_that_is_wrong_leaves_the_tracks_with_their_pictures(tmp_path, sounds):
    session = described(tmp_path, sounds)
    right = replace(session.session.right, offset=Fraction(str(RIGHT)) + Fraction(1, 10))
    moved = replace(session, session=replace(session.session, right=right))
    body = sync_session(moved)
    assert body["right"]["track"]["offset"] - body["left"]["track"]["offset"] == pytest.approx(0.1, abs=1e-3)
    assert "apart_ms" not in body["right"]["track"]


def timecoded(session, codes: dict[str, str], began: int | None = None):
    """The session with mute cameras that have timecode, and a recorder that has a time."""
    takes = {
        side: replace(
            take, sound=None, files=(replace(take.files[0], timecode=codes.get(side)), *take.files[1:])
        )
        for side, take in session.takes.items()
    }
    tracks = {side: replace(of, time_reference=began) for side, of in session.tracks.items()}
    return replace(session, takes=takes, tracks=tracks)


def test_timecode_where_no_camera_has_sound(tmp_path, sounds):
    began = (10 * 3600 + 5) * RATE
    session = timecoded(described(tmp_path, sounds), {"left": "10:00:00:00", "right": "10:00:02:10"}, began)
    body = sync_session(session)
    assert body["right"]["take"]["offset"] == 2.4
    for entry in (body["right"]["take"], body["left"]["track"], body["right"]["track"]):
        assert (entry["method"], entry["confidence"], entry["uncertainty_ms"]) == ("timecode", 0.5, 40)
    assert body["left"]["track"]["offset"] == body["right"]["track"]["offset"] == 5


def test_no_sound_and_no_timecode_is_refused(tmp_path, sounds):
    session = described(tmp_path, sounds)
    with pytest.raises(SyncError, match=r"expected the camera's own sound .*found none.*'offset'"):
        sync_session(timecoded(session, {"left": "10:00:00:00"}))
    half = timecoded(session, {"left": "10:00:00:00", "right": "10:00:00:00"})
    with pytest.raises(SyncError, match="'mic_offset'"):
        sync_session(half)


def test_digital_silence_is_no_sound(tmp_path, sounds):
    mute = dict(sounds) | {"right camera": np.zeros(30 * RATE)}
    with pytest.raises(SyncError, match=r"expected the camera's own sound .*only silence"):
        sync_session(described(tmp_path, mute))


def test_the_scratch_folder_is_left_empty(tmp_path, sounds):
    scratch = tmp_path / "scratch"
    sync_session(described(tmp_path, sounds), scratch)
    assert [*scratch.iterdir()] == []


def line(offset: float, ppm: float, **more) -> Match:
    windows = tuple(Window(float(t), 0.0, True) for t in range(0, 600, 10))
    return Match(offset, ppm, 0.9, 0.1, windows=windows, **more)


def test_a_bridge_composes_two_drifts():
    # Local second u of the microphone is 5 + u·(1 + 30e-6) on the left, 2 + u·(1 − 10e-6) on the right.
    found = bridged([(line(5, 30), line(2, -10)), (line(5.004, 30), line(2, -10))])
    assert found.speed == pytest.approx((1 + 30e-6) / (1 - 10e-6), abs=1e-12)
    assert found.offset + 402 * found.speed == pytest.approx(
        5.002 + 400 * (1 + 30e-6) / (1 - 10e-6), abs=1e-6
    )
    assert found.apart_ms == pytest.approx(4, abs=1e-6) and found.residual_ms < 1e-6


def test_a_small_step_in_a_take_is_straightened_and_told():
    broken = line(1, 0, pieces=(Piece(0, 1, 0), Piece(300, 1.012, 0)))
    straight = straightened(broken)
    assert straight.pieces == () and 3 < straight.residual_ms < 12
    assert straight.offset + 300 * straight.drift_ppm * 1e-6 == pytest.approx(1.006, abs=1e-3)
    assert straightened(line(1, 5)) == line(1, 5)


def test_later_lines_of_the_users_own():
    entry = {"offset": 0, "drift_ppm": 0}
    body = {side: {"take": dict(entry), "track": dict(entry)} for side in ("left", "right")}
    body["right"]["track"]["later"] = [{"from": Decimal("60.5"), "offset": Decimal("0.25"), "drift_ppm": 12}]
    clock = clocks(body)["right"]["track"]
    assert clock == Clock(
        Fraction(0), Fraction(0), ((Fraction("60.5"), Clock(Fraction("0.25"), Fraction(12))),)
    )
    assert clock.to_session(Fraction(60)) == 60
    assert clock.to_session(Fraction(61)) == Fraction("61.25") + 61 * Fraction(12, 10**6)
    assert clock.to_local(clock.to_session(Fraction(61))) == 61
    assert clock.to_local(Fraction("60.6")) == Fraction("60.5")  # within what is missing


@pytest.mark.parametrize(
    ("kind", "later", "message"),
    [
        ("take", [{"from": 1, "offset": 1}], r"right\.take\.later: expected nothing"),
        ("track", {"from": 1}, r"track\.later: expected a list"),
        ("track", [{"offset": 1}], r"track\.later\[0\]\.from: expected a number"),
        ("track", [{"from": 1}], r"track\.later\[0\]: expected an 'offset'"),
        ("track", [{"from": 5, "offset": -9}], r"later\[0\]\.from: expected lines that begin one after"),
        ("track", [{"from": 5, "offset": 0}, {"from": 4, "offset": 0}], r"later\[1\]\.from: expected lines"),
    ],
)
def test_impossible_later_lines(kind, later, message):
    entry = {"offset": 0, "drift_ppm": 0}
    body = {side: {"take": dict(entry), "track": dict(entry)} for side in ("left", "right")}
    body["right"][kind]["later"] = later
    with pytest.raises(DescriptionError, match=message):
        clocks(body)


def test_the_picture(tmp_path, sounds):
    body = sync_session(described(tmp_path, sounds))
    body["left"]["track"]["steps"] = [{"at": 40, "session": 37.5, "seconds": 0.0213, "within": 0.05}]
    read = json.loads(json.dumps(body), parse_float=Decimal)
    text = sync_plot(read)
    assert text == sync_plot(body)
    root = ET.fromstring(text)
    name = "{http://www.w3.org/2000/svg}"
    dots = root.findall(f"{name}circle")
    windows = [
        body[side][kind]["windows"]
        for side, kind in (("left", "track"), ("right", "take"), ("right", "track"))
    ]
    assert len(dots) == sum(len(each["at"]) for each in windows)
    assert sum(dot.get("class") == "on" for dot in dots) == sum(sum(each["counts"]) for each in windows)
    _, _, width, height = map(float, root.get("viewBox").split())
    assert all(0 <= float(dot.get("cx")) <= width and 0 <= float(dot.get("cy")) <= height for dot in dots)
    assert "+21.3 ms" in text and "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_no_picture_where_nothing_was_found_by_sound():
    entry = {"offset": 0.0, "drift_ppm": 0.0, "method": "declared", "confidence": 1.0}
    assert sync_plot({side: {"take": entry, "track": entry} for side in ("left", "right")}) == ""
