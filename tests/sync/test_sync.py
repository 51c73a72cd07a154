"""The sync stage: what is declared, what is found, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emomedia import stages
from emomedia.audio import proxy
from emomedia.audio.align import Match
from emomedia.errors import DescriptionError, MediaNotFoundError, SyncError
from emomedia.probe.types import Probe, Take, TakeFile, Track
from emomedia.session import SIDES, Mic, Session, Side
from emomedia.sync import SPEED_OF_SOUND, clocks, sync_session
from emomedia.timeline import Clock, FileFrames, TakeFrames
from plain import plain_take

from ..audio.sounds import shifted, talk, to_s16, track, write_wav

RATE = 16_000
STEP = 1 / 48_000


def take(sound: Track | None) -> Take:
    """A take of which only the sound counts here."""
    path = Path("camera.mp4") if sound is None else sound.path.with_suffix(".mp4")
    return plain_take(
        (TakeFile(path, 0, "h264", np.zeros(1, np.int64)),),
        TakeFrames((FileFrames(Fraction(1, 25), Fraction(0), np.arange(9)),), Fraction(1, 25)),
        sound=sound,
    )


def probe(sounds: dict[str, Track | None], tracks: dict[str, Track], **sides: Side) -> Probe:
    """A session whose takes hear `sounds`."""
    plain = Side("A", (Path("camera.mp4"),), offset=Fraction(0))
    described = {"left": plain, "right": replace(plain, offset=None)} | sides
    session = Session("s", Path("/s/session.toml"), described["left"], described["right"])
    takes = {side: take(sound) for side, sound in sounds.items()}
    return Probe(session, takes, tracks, Fraction(25))


def own(path: Path, real: np.ndarray, start: Fraction = Fraction(0)) -> Track:
    write_wav(path, to_s16(real), "s16", RATE)
    return track(path, rate=RATE, bits=16, own_audio=True, start=start)


def recorder(path: Path, real: np.ndarray) -> Track:
    return replace(own(path, real), own_audio=False)


@pytest.fixture(scope="module")
def room() -> np.ndarray:
    return talk(30, rate=RATE)


@pytest.fixture
def session(tmp_path, room) -> Probe:
    """Two cameras, the right one started 1.5 s after the left; their sound starts after their picture.

    The left track is a recorder's, started 2 s before the left camera, the right track the camera's own.
    """
    left = own(tmp_path / "left.wav", shifted(room, 0.02, RATE), Fraction(1, 50))
    right = own(tmp_path / "right.wav", shifted(room, 1.54, RATE), Fraction(4, 100))
    mic = recorder(tmp_path / "mic.wav", shifted(room, -2, RATE))
    described = Side("A", (Path("camera.mp4"),), Mic(mic.path, 0), offset=Fraction(0))
    return probe({"left": left, "right": right}, {"left": mic, "right": right}, left=described)


def test_what_is_found_and_what_is_given_by_the_container(session):
    body = sync_session(session)
    assert body["session"] == "s"
    assert body["left"]["take"] == {
        "offset": 0.0,
        "drift_ppm": 0.0,
        "method": "reference",
        "confidence": 1.0,
    }
    assert body["right"]["take"]["offset"] == pytest.approx(1.5, abs=STEP)
    assert body["left"]["track"]["offset"] == pytest.approx(-2, abs=STEP)
    for found in (body["right"]["take"], body["left"]["track"]):
        assert found["method"] == "sound"
        assert 0.5 < found["confidence"] <= 1
        assert found["residual_ms"] < 0.1
    own_track = body["right"]["track"]
    assert own_track["method"] == "reference"
    assert own_track["offset"] == pytest.approx(body["right"]["take"]["offset"] + 0.04, abs=1e-9)


def test_found_offsets_have_seven_decimals_and_come_back_exactly(session, tmp_path):
    body = sync_session(session)
    stages.write(tmp_path / "sync.json", body, "")
    again = stages.read(tmp_path / "sync.json")
    assert clocks(again) == clocks(body)
    for side in ("left", "right"):
        for entry in again[side].values():
            assert entry["offset"] == round(entry["offset"], 7)


def test_the_camera_hears_later_than_the_microphone(session):
    plain = sync_session(session)["left"]["track"]["offset"]
    far = replace(session.session.left, camera_distance=Fraction(12, 10))
    moved = replace(session, session=replace(session.session, left=far))
    assert sync_session(moved)["left"]["track"]["offset"] == pytest.approx(
        plain - 1.2 / SPEED_OF_SOUND, abs=1e-6
    )


def test_a_microphone_that_a_camera_recorded_is_where_its_container_puts_it(session, tmp_path, monkeypatch):
    """Another channel or stream of either camera's file: what both hear need not be alike."""
    monkeypatch.setattr("emomedia.audio.align.align", lambda *_, **__: pytest.fail("nothing is to be found"))
    two = tmp_path / "two.mka"
    with av.open(str(two), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in SIDES]
        for start, stream in zip((0.1, 0.25), streams, strict=True):
            frame = av.AudioFrame.from_ndarray(np.ones((1, RATE), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), int(start * RATE)
            container.mux([*stream.encode(frame), *stream.encode(None)])
    camera = replace(session.takes["right"].sound, path=two)
    lapels = {
        side: replace(camera, own_audio=False, stream=stream, start=Fraction(0))
        for stream, side in enumerate(SIDES)
    }
    right = replace(session.session.right, offset=Fraction("1.5"))
    takes = {"left": session.takes["left"], "right": take(camera)}
    described = replace(session.session, right=right)
    body = sync_session(replace(session, session=described, takes=takes, tracks=lapels))
    assert [body[side]["track"]["method"] for side in SIDES] == ["reference"] * 2
    assert [body[side]["track"]["offset"] for side in SIDES] == [1.54, 1.69]


def test_each_recording_is_read_once(session, monkeypatch):
    read = []
    blocks = proxy.blocks
    monkeypatch.setattr(proxy, "blocks", lambda of: read.append(of.path.name) or blocks(of))
    sync_session(session)
    assert sorted(read) == ["left.wav", "mic.wav", "right.wav"]


def test_declared_offsets_are_taken_as_they_are(session, monkeypatch):
    monkeypatch.setattr("emomedia.audio.align.align", lambda *_, **__: pytest.fail("nothing is to be found"))
    left = replace(session.session.left, mic_offset=Fraction("-3.20710123"))
    right = replace(session.session.right, offset=Fraction("0.12"), mic_offset=Fraction("0.1"))
    body = sync_session(replace(session, session=replace(session.session, left=left, right=right)))
    assert body["right"]["take"] == {
        "offset": 0.12,
        "drift_ppm": 0.0,
        "method": "declared",
        "confidence": 1.0,
    }
    found = clocks(json.loads(json.dumps(body), parse_float=Decimal))
    assert found["right"]["take"] == Clock(Fraction("0.12"))
    assert found["left"]["track"] == Clock(Fraction("-3.20710123"))
    assert found["right"]["track"] == Clock(Fraction("0.1"))


def test_a_track_follows_its_takes_clock(session, monkeypatch):
    drifting = iter([Match(1.54 - 0.02, 20.0, 0.9, 0.1), Match(-1.0, 10.0, 0.8, 0.2)])
    monkeypatch.setattr("emomedia.audio.align.align", lambda *_, **__: next(drifting))
    mic = session.tracks["left"]
    swapped = replace(session, tracks={"left": session.takes["left"].sound, "right": mic})
    body = sync_session(swapped)
    found = clocks(body)
    right = found["right"]["take"]
    # The right sound's first sample is 0.04 s after the take's first frame.
    assert float(right.to_session(Fraction(4, 100))) == pytest.approx(1.54, abs=1e-6)
    assert float(right.drift_ppm) == pytest.approx(20)
    # The track's u = 0 is 1 s before that sample on the take's clock.
    assert float(found["right"]["track"].offset) == pytest.approx(
        float(right.to_session(Fraction("-0.96"))), abs=1e-6
    )
    assert float(found["right"]["track"].drift_ppm) == pytest.approx(30.0002, abs=1e-4)


def test_another_recording_is_refused(session, tmp_path):
    stranger = recorder(tmp_path / "stranger.wav", talk(30, seed=50, rate=RATE))
    wrong = replace(session, tracks=session.tracks | {"left": stranger})
    with pytest.raises(
        SyncError, match=r"stranger\.wav: .*what left\.wav also holds.*confidence 0\.\d+.*mic_offset"
    ):
        sync_session(wrong)


def test_another_scenes_take_is_refused(session, tmp_path):
    stranger = own(tmp_path / "stranger.wav", talk(30, seed=51, rate=RATE))
    with pytest.raises(SyncError, match=r"stranger\.wav: .*give the right take's 'offset'"):
        sync_session(replace(session, takes=session.takes | {"right": take(stranger)}))


def test_silence_is_refused(session, tmp_path):
    silent = recorder(tmp_path / "silent.wav", np.zeros(20 * RATE))
    with pytest.raises(SyncError, match="only silence"):
        sync_session(replace(session, tracks=session.tracks | {"left": silent}))


@pytest.mark.parametrize("match", [Match(0.0, 0.0, 0.9, 25.0), Match(0.0, -700.0, 0.9, 0.1)])
def test_clocks_that_jump_or_race_are_refused(session, monkeypatch, match):
    monkeypatch.setattr("emomedia.audio.align.align", lambda *_, **__: match)
    with pytest.raises(SyncError, match="no steady clock"):
        sync_session(session)


def test_a_take_without_sound_needs_a_declared_offset(session):
    mute = replace(session, takes=session.takes | {"right": take(None)})
    with pytest.raises(SyncError, match=r"camera\.mp4: expected the camera's own sound .* 'offset'"):
        sync_session(mute)


def test_a_microphone_beside_a_mute_take_needs_a_declared_offset(session):
    right = replace(session.session.right, offset=Fraction(1))
    mute = replace(
        session,
        session=replace(session.session, right=right),
        takes=session.takes | {"left": take(None)},
    )
    with pytest.raises(SyncError, match="'mic_offset'"):
        sync_session(mute)


def test_a_vanished_file(session):
    session.tracks["left"].path.unlink()
    with pytest.raises(MediaNotFoundError, match=r"mic\.wav"):
        sync_session(session)


def given(**changes):
    entry = {"offset": 0, "drift_ppm": 0}
    body = {side: {"take": dict(entry), "track": dict(entry)} for side in ("left", "right")}
    for key, value in changes.items():
        side, kind = key.split("_")
        body[side][kind] = value
    return body


def test_the_users_own_clocks_are_honoured():
    body = given(right_track={"offset": Decimal("-3.2071"), "drift_ppm": Decimal("41.7"), "method": "mine"})
    assert clocks(body)["right"]["track"] == Clock(Fraction("-3.2071"), Fraction("41.7"))
    assert clocks(given(right_take={"offset": 1}))["right"]["take"] == Clock(Fraction(1))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (given(right_take={}), "right.take: expected an 'offset'"),
        (given(right_take=None), "right.take: expected an 'offset'"),
        ({"left": given()["left"]}, "right.take: expected an 'offset'"),
        (given(left_take={"offset": Decimal("0.5")}), "left.take: expected offset 0"),
        (given(left_take={"offset": 0, "drift_ppm": 3}), "left.take: expected offset 0 and drift_ppm 0"),
        (given(left_track={"offset": "1"}), "left.track.offset: expected a number"),
        (given(left_track={"offset": True}), "left.track.offset: expected a number"),
        (given(left_track={"offset": float("nan")}), "left.track.offset: expected a number"),
        (given(left_track={"offset": 10**7}), "left.track.offset: expected a number from -1000000"),
        (given(left_track={"offset": 0, "drift_ppm": -(10**6)}), "left.track.drift_ppm: expected a number"),
    ],
)
def test_the_users_own_clocks_are_checked(body, message):
    with pytest.raises(DescriptionError, match=f"sync.json: {message}"):
        clocks(body)
