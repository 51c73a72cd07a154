"""The voices are where turns.json and truth.json say, on the recorder's tracks and in the cameras' sound."""

from __future__ import annotations

import json
import wave
from fractions import Fraction

import av
import numpy as np
import pytest

from emomedia.session import SIDES
from emomedia.simulate.voices import prepared

SILENT = {"size": (180, 320), "seconds": Fraction(8), "dialogues": 1, "noise_db": None}
MOVED = SILENT | {"recorder_offset": Fraction("-1.5"), "right_offset": Fraction("0.37")}


def tracks_of(folder):
    """The recorder's 24-bit values: int32[samples, channels]."""
    with wave.open(str(folder / "recorder.wav")) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (48_000, 3, 2)
        packed = np.frombuffer(file.readframes(file.getnframes()), np.uint8).reshape(-1, 2, 3)
    wide = np.zeros((*packed.shape[:2], 4), np.uint8)
    wide[..., 1:] = packed
    return wide.view("<i4")[..., 0] >> 8


def read_json(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def told(folder, side):
    """The side's turns in samples of the session clock, by turns.json."""
    turns = read_json(folder, "turns.json")["turns"]
    return [(round(t["start"] * 48_000), round(t["end"] * 48_000)) for t in turns if t["speaker"] == side]


def test_each_track_is_silent_outside_its_turns_and_sounds_at_their_very_edges(simulated):
    folder = simulated(**SILENT).parent
    tracks = tracks_of(folder)
    assert len(tracks) == read_json(folder, "truth.json")["recorder"]["samples"] == 9 * 48_000
    for channel, side in enumerate(SIDES):
        track = tracks[:, channel].copy()
        assert len(told(folder, side)) >= 2
        for start, end in told(folder, side):
            assert track[start : start + 96].any() and track[end - 96 : end].any()
            loudness = np.sqrt(np.mean((track[start:end] / 2.0**23) ** 2))
            assert -26 < 20 * np.log10(loudness) < -19
            track[start:end] = 0
        assert not track.any()


def test_turns_overlap_as_turns_json_says(simulated):
    folder = simulated(**SILENT).parent
    turns = read_json(folder, "turns.json")["turns"]
    assert any(turn["overlap_s"] > 0.15 for turn in turns)
    for number, turn in enumerate(turns):
        shared = sum(
            max(0, min(turn["end"], other["end"]) - max(turn["start"], other["start"]))
            for other in turns
            if other["speaker"] != turn["speaker"]
        )
        assert turn["overlap_s"] == pytest.approx(shared, abs=1e-9)
        if number == 0:
            assert turn["gap_s"] is None
        else:
            before = max(other["end"] for other in turns[:number])
            assert turn["gap_s"] == pytest.approx(turn["start"] - before, abs=1e-9)


def test_noise_has_its_level(simulated):
    folder = simulated(**SILENT | {"noise_db": -50.0}).parent
    track = tracks_of(folder)[:, 0] / 2.0**23
    first = told(folder, "left")[0][0]
    quiet = track[:first] if first > 4000 else track[-40_000:]
    assert 20 * np.log10(np.sqrt(np.mean(quiet**2))) == pytest.approx(-50, abs=0.3)


def test_bleed_is_the_others_voice_later_and_at_its_level(simulated):
    own = tracks_of(simulated(**SILENT).parent)
    both = tracks_of(simulated(**SILENT | {"bleed_db": -20.0}).parent)
    for channel in (0, 1):
        bleed = both[:, channel] - own[:, channel]
        late = np.concatenate([np.zeros(210), own[:-210, 1 - channel]])  # 1.5 m of air
        assert np.abs(bleed - late * 0.1).max() <= 2
        assert np.abs(bleed).max() > 1000


@pytest.mark.parametrize("drift", ["0", "150", "-90.5"])
def test_a_moved_and_drifting_recorder_has_the_voices_where_truth_says(simulated, drift):
    still = tracks_of(simulated(**SILENT | {"right_offset": Fraction("0.37")}).parent)
    folder = simulated(**MOVED, drift_ppm=Fraction(drift)).parent
    moved, truth = tracks_of(folder), read_json(folder, "truth.json")
    recorder = truth["recorder"]
    assert recorder["offset"] == -1.5 and recorder["drift_ppm"] == float(drift)
    for said in truth["utterances"]:
        channel = recorder["channels"][said["speaker"]]
        (start, end), (first, last) = said["session_samples"], said["track_samples"]
        speed = 1 + Fraction(drift) / 1_000_000
        local = (Fraction(start, 48_000) - Fraction("-1.5")) / speed * 48_000
        assert first == round(local)
        middle, place = (start + end) // 2, (first + last) // 2
        reference = still[middle - 2400 : middle + 2400, channel]
        assert abs(lag(reference, moved[place - 2640 : place + 2640, channel]) - 240) <= 1
        assert moved[first - 20 : first + 200, channel].any()


def lag(short, long):
    """Where `short` lies in `long`."""
    return int(np.argmax(np.correlate(long.astype(float), short.astype(float), mode="valid")))


@pytest.mark.parametrize("distance", ["0", "3.43"])
@pytest.mark.parametrize("parts", [1, 2])
def test_cameras_hear_both_voices_in_step_with_their_pictures(simulated, distance, parts):
    folder = simulated(**MOVED, parts=parts, camera_distance=Fraction(distance)).parent
    truth, tracks = read_json(folder, "truth.json"), tracks_of(folder)
    late = round(float(distance) / 343 * 48_000)
    for side in SIDES:
        take = truth["takes"][side]
        for file in take["files"]:
            sound = decoded(folder / file["file"])
            seconds = file["frames"] / 25
            assert abs(sound.shape[1] - seconds * 48_000) < 2048
            begin = round((1.5 + take["offset"] + file["first_frame"] / 25) * 48_000)
            heard = tracks[begin : begin + sound.shape[1]] / 2.0**23
            for channel in (0, 1):
                count = min(len(heard), sound.shape[1])
                assert place_of(heard[:count, channel], sound[0, :count]) == late


def decoded(path):
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def place_of(voice, sound):
    """By how many samples `voice` comes later in `sound`."""
    size = 2 * len(voice)
    bright = [np.fft.rfft(np.diff(signal), size) for signal in (sound, voice)]
    product = bright[0] * np.conj(bright[1])
    place = int(np.argmax(np.fft.irfft(product)))
    return place - size if place > len(voice) else place


def test_utterances_are_trimmed_levelled_and_whole_milliseconds():
    rng = np.random.default_rng(0)
    speech = rng.standard_normal(16_000).astype(np.float32) * 0.02
    recording = np.concatenate([np.zeros(5000, np.float32), speech, np.zeros(3000, np.float32)])
    sound = prepared(recording, 16_000)
    assert len(sound) % 48 == 0
    assert abs(len(sound) / 48_000 - 1) < 0.004
    assert 20 * np.log10(np.sqrt(np.mean(sound**2))) == pytest.approx(-20, abs=0.2)
    assert np.abs(prepared(np.eye(1, 16_000, 8000, dtype=np.float32)[0], 16_000)).max() <= 0.7
