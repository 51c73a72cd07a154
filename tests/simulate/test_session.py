"""A simulated session as a whole: its descriptions, its sameness, and how it fails."""

from __future__ import annotations

import json
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from emomedia import stages
from emomedia.errors import DescriptionError, MediaError, MediaNotFoundError, MissingToolError, OutputError
from emomedia.session import Crop
from emomedia.session_file import load_session
from emomedia.simulate import SimulateOptions, is_simulated, simulate
from emomedia.turns import check_turns, parse_turns

TINY = {"size": (180, 320), "seconds": Fraction(3), "dialogues": 1}
MOVED = {
    "right_offset": Fraction("0.1234567"), "recorder_offset": Fraction("-1.25"), "parts": 2,
    "crop": Crop(3, 61, 173, 195), "camera_distance": Fraction("1.2"), "session": "演员_01",
}  # fmt: skip


def test_the_description_says_what_was_made(simulated):
    path = simulated(**TINY, **MOVED)
    session = load_session(path)
    assert session.id == "演员_01"
    assert (session.left.offset, session.right.offset) == (0, Fraction("0.1234567"))
    for number, side in enumerate((session.left, session.right)):
        assert [file.name for file in side.video] == [
            f"{('left', 'right')[number]}_{n:02}.mp4" for n in (1, 2)
        ]
        assert side.mic is not None
        assert (side.mic.file.name, side.mic.channel) == ("recorder.wav", number)
        assert side.mic_offset == Fraction("-1.25")
        assert side.crop == MOVED["crop"]
        assert side.camera_distance == Fraction("1.2")
    assert session.left.actor != session.right.actor
    truth = json.loads((path.parent / "truth.json").read_text(encoding="utf-8").splitlines()[0])
    assert truth["takes"]["right"]["offset"] == 0.1234567


def test_what_is_not_declared_is_left_to_be_found(simulated):
    quiet = {"declare_offsets": False, "declare_dialogues": False}
    session = load_session(simulated(**TINY, **MOVED | {"crop": None}, **quiet))
    assert session.dialogues == ()
    assert session.right.offset is session.left.mic_offset is session.right.mic_offset is None
    assert session.left.crop is None


def test_the_turns_belong_to_the_session(simulated):
    path = simulated(**TINY, **MOVED)
    session = load_session(path)
    source = path.parent / "turns.json"
    turns = parse_turns(stages.read(source), source, session)
    footage = SimulateOptions.of(**TINY, **MOVED).footage()
    check_turns(turns, session, footage, source)
    assert turns.dialogues == session.dialogues
    assert {turn.dialogue for turn in turns.turns} == {dialogue.id for dialogue in session.dialogues}
    assert all(turn.text for turn in turns.turns)
    assert session.dialogues[0].topic and session.dialogues[0].emotion


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


KINDS = {
    "h264, hevc": {"right": {"codec": "hevc", "depth": 10}},
    "av1, vp9": {"codec": "av1", "right": {"codec": "vp9"}},
    "prores, dnxhd": {
        "codec": "prores", "depth": 10, "chroma": "422", "size": (256, 320),
        "right": {"codec": "dnxhd", "container": "mxf"},
    },
    "mpeg2, mjpeg": {
        "codec": "mpeg2", "interlaced": "tff",
        "right": {"codec": "mjpeg", "interlaced": None, "range": "full", "colour": "bt601"},
    },
    "variable, dropped": {"timing": "variable", "right": {"timing": "dropped", "container": "mkv"}},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_options_give_the_same_bytes(tmp_path, kind):
    options = SimulateOptions.of(**TINY | KINDS[kind])
    for name in ("once", "again"):
        simulate(tmp_path / name, options)
    assert contents(tmp_path / "once") == contents(tmp_path / "again")
    assert set(contents(tmp_path / "once")) == {
        f"left.{options.camera.suffix}", f"right.{options.camera_of('right').suffix}",
        "recorder.wav", "session.toml", "truth.json", "turns.json",
    }  # fmt: skip


def test_another_seed_gives_other_bytes(simulated):
    one, other = (contents(simulated(**TINY, seed=seed).parent) for seed in (0, 1))
    assert all(other[name] != data for name, data in one.items())


def test_an_equal_session_is_known_again(simulated, tmp_path):
    folder = simulated(**TINY).parent
    assert is_simulated(folder, SimulateOptions.of(**TINY))
    assert not is_simulated(folder, SimulateOptions.of(**TINY, seed=1))
    assert not is_simulated(tmp_path, SimulateOptions.of(**TINY))


def test_progress_is_reported_in_parts_of_one(tmp_path):
    told: list[tuple[str, float]] = []
    simulate(tmp_path, SimulateOptions.of(**TINY), lambda name, done: told.append((name, done)))
    assert {name for name, _ in told} == {"sound", "left take", "right take"}
    for name in ("sound", "left take", "right take"):
        parts = [done for known, done in told if known == name]
        assert parts == sorted(parts) and parts[-1] == 1


def test_an_interrupted_simulation_leaves_no_session_and_no_half_files(tmp_path):
    options = SimulateOptions.of(**TINY)
    simulate(tmp_path, options)
    before = contents(tmp_path)

    def interrupt(name, _done):
        if name == "left take":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path, SimulateOptions.of(**TINY, fps=Fraction(100)), interrupt)
    assert contents(tmp_path)["left.mp4"] == before["left.mp4"]
    assert not (tmp_path / "session.toml").exists()
    assert not list(tmp_path.glob(".*"))
    assert not is_simulated(tmp_path, options)
    simulate(tmp_path, options)
    assert is_simulated(tmp_path, options)


def test_a_session_of_another_origin_is_never_overwritten(tmp_path):
    description = tmp_path / "session.toml"
    description.write_text('id = "mine"\n')
    with pytest.raises(OutputError, match="did not simulate"):
        simulate(tmp_path, SimulateOptions.of(**TINY))
    assert contents(tmp_path) == {"session.toml": b'id = "mine"\n'}


def test_without_espeak_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="apt-get install espeak-ng"):
        simulate(tmp_path / "session", SimulateOptions.of(**TINY))


def test_without_the_mandarin_voice_the_remedy_is_named(tmp_path, monkeypatch):
    program = tmp_path / "espeak-ng"
    program.write_text("#!/bin/sh\necho 'no such voice' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(MissingToolError, match="no such voice"):
        simulate(tmp_path / "session", SimulateOptions.of(**TINY))


def recording(path: Path, seconds: float, pitch: float, text: str | None = None) -> Path:
    """A tone with silence around it."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    tone = np.pad(np.sin(2 * np.pi * pitch * time) * 9000, 4000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(tone.tobytes())
    if text:
        path.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
    return path


def test_recorded_speech_is_spoken_in_turn_without_espeak(tmp_path, monkeypatch):
    left = (recording(tmp_path / "a.wav", 0.8, 300, "你好。"), recording(tmp_path / "b.wav", 0.5, 400))
    right = (recording(tmp_path / "c.wav", 0.6, 500),)
    monkeypatch.setenv("PATH", str(tmp_path))
    options = SimulateOptions.of(**TINY | {"seconds": Fraction(5)}, speech=(left, right))
    path = simulate(tmp_path / "session", options)
    turns = json.loads((path.parent / "turns.json").read_text(encoding="utf-8"))["turns"]
    first = [(t["speaker"], t["text"], round(t["end"] - t["start"], 2)) for t in turns[:3]]
    assert first == [("left", "你好。", 0.8), ("right", None, 0.6), ("left", None, 0.5)]


@pytest.mark.parametrize(("name", "error"), [("missing.wav", MediaNotFoundError), ("broken.wav", MediaError)])
def test_recordings_that_cannot_be_read_are_refused(tmp_path, name, error):
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    speech = ((tmp_path / name,), (tmp_path / name,))
    with pytest.raises(error, match=name):
        simulate(tmp_path / "session", SimulateOptions.of(**TINY, speech=speech))


def test_a_silent_recording_is_refused(tmp_path):
    silence = recording(tmp_path / "silence.wav", 0.5, 0)
    with pytest.raises(MediaError, match="silence"):
        simulate(tmp_path / "session", SimulateOptions.of(**TINY, speech=((silence,), (silence,))))


def test_a_session_too_short_for_its_dialogues_is_refused(tmp_path):
    with pytest.raises(DescriptionError, match="9 dialogues"):
        simulate(tmp_path / "session", SimulateOptions.of(**TINY | {"dialogues": 9}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": Fraction(1)},
        {"parts": 50},
        {"right_offset": Fraction(13)},
        {"right_offset": Fraction(-15)},
        {"recorder_offset": Fraction(20)},
        {"drift_ppm": Fraction(2000)},
        {"camera_distance": Fraction(-1)},
        {"dialogues": 0},
        {"speech": ((), ())},
        {"session": "../elsewhere"},
        {"seed": -1},
    ],
)
def test_impossible_options_are_refused_by_name(wrong):
    with pytest.raises(DescriptionError, match=f"simulate: {next(iter(wrong))}"):
        SimulateOptions.of(**wrong)
