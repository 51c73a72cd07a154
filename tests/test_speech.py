"""The speech stage: where there is speech, and whose."""

from __future__ import annotations

import builtins
import json
import os
from pathlib import Path

import numpy as np
import pytest

from emomedia import speech, stages
from emomedia.audio.conform import Pcm
from emomedia.errors import MissingToolError
from emomedia.speech import Heard, held, lasting, listen, measures, own_voice, ranges, speech_session

from .audio.sounds import shared

RATE = 48_000
WINDOW = 0.032


def conformed(path: Path, real: np.ndarray, bits: int = 24) -> Pcm:
    top = 1 << (bits - 1)
    np.clip(np.rint(real * top), -top, top - 1).astype("<i4" if bits == 24 else "<i2").tofile(path)
    return Pcm(path, bits, len(real), 0, (0, len(real)))


def voice(name: str) -> np.ndarray:
    """A real recording of 16 kHz and 16 bits at 48 kHz; float64."""
    import soxr

    raw = shared(name).read_bytes()
    samples = np.frombuffer(raw[raw.index(b"data") + 8 :][: len(raw) // 2 * 2 - 64], "<i2")
    return soxr.resample(samples / 32768, 16_000, RATE, quality="HQ")


def marked(found, seconds: float) -> np.ndarray:
    """Ranges of seconds as one truth value for every 10 ms."""
    mask = np.zeros(round(seconds * 100), bool)
    for start, end in found:
        mask[round(start * 100) : round(end * 100)] = True
    return mask


def heard(levels, speaks) -> Heard:
    """A track that has these levels in dB, and speech at these windows."""
    level = np.repeat(np.float32(levels), 10)
    return Heard(np.repeat(np.float32(speaks), 10), level, level)


def windows(mask: np.ndarray) -> list[int]:
    """One value for each ten windows."""
    return [int(part.all()) if part.all() == part.any() else -1 for part in mask.reshape(-1, 10)[:, 3:7]]


def test_bleed_is_not_speech():
    # The left voice, the right voice, both, nobody; bleed is 20 dB down, the right gain 8 dB lower.
    left = heard([-30, -50, -30, -80], [1, 1, 1, 0])
    right = heard([-58, -38, -38, -85], [1, 1, 1, 0])
    own_left, own_right = own_voice(left, right)
    assert windows(own_left) == [1, 0, 1, 0]
    assert windows(own_right) == [0, 1, 1, 0]


def test_bleed_that_is_nearly_as_loud_as_the_voice():
    left = heard([-30, -37, -30, -37], [1, 1, 1, 1])
    right = heard([-37, -30, -37, -30], [1, 1, 1, 1])
    own_left, own_right = own_voice(left, right)
    assert windows(own_left) == [1, 0, 1, 0]
    assert windows(own_right) == [0, 1, 0, 1]


def test_one_actor_alone_does_not_speak_through_the_other():
    left = heard([-30, -33, -28, -80], [1, 1, 1, 0])
    right = heard([-50, -53, -48, -80], [1, 1, 1, 0])
    own_left, own_right = own_voice(left, right)
    assert windows(own_left) == [1, 1, 1, 0]
    assert not own_right.any()


def test_the_same_sound_on_both_tracks_is_both_actors():
    both = heard([-30, -33, -80], [1, 1, 0])
    own_left, own_right = own_voice(both, both)
    assert windows(own_left) == windows(own_right) == [1, 1, 0]


def test_nobody_speaks():
    nobody = heard([-80, -81], [0.1, 0.3])
    assert not any(side.any() for side in own_voice(nobody, nobody))


def test_held():
    probability = np.float32([0.4, 0.4, 0.2, 0.36, 0.6, 0.4, 0.34, 0.5, 0.1, 0.36])
    assert held(probability).tolist() == [False] * 3 + [True] * 3 + [False, True] + [False] * 2


def test_lasting():
    pattern = "1110001111001100001100001111"
    # 3 windows are 96 ms: as a pause too short to end speech, as speech too short to count.
    expected = "1111111111111100000000001111"
    active = np.array([c == "1" for c in pattern])
    assert "".join("01"[int(on)] for on in lasting(active)) == expected


def test_ranges_are_seconds_of_whole_windows():
    assert ranges(np.array([1, 1, 0, 0, 1], bool)) == [(0.0, 0.064), (0.128, 0.16)]
    assert ranges(np.zeros(0, bool)) == []


def test_measures():
    track = Heard(
        np.zeros(40, np.float32), np.repeat(np.float32([-30, -50, -30, -70]), 10), np.zeros(40, np.float32)
    )
    own, other = np.repeat([True, False, True, False], 10), np.repeat([False, True, True, False], 10)
    assert measures(track, own, other) == {"noise_db": -70.0, "bleed_db": -20.0, "snr_db": 40.0}
    silent = Heard(track.speech, np.full(40, -120, np.float32), track.presence)
    nobody = np.zeros(40, bool)
    assert measures(silent, nobody, nobody) == {"noise_db": None, "bleed_db": None, "snr_db": None}


def test_levels_are_decibels_of_full_scale(tmp_path):
    tone = 0.1 * np.sin(2 * np.pi * 500 * np.arange(3 * RATE) / RATE)
    found = listen(conformed(tmp_path / "a.pcm", tone))
    assert len(found.speech) == len(found.level) == len(found.presence) == -(-3 * 16_000 // 512)
    np.testing.assert_allclose(found.level[2:-2], -23.01, atol=0.05)
    # The difference of neighbours at 16 kHz: 2·sin(π·500/16000) of the tone, 14.15 dB less.
    np.testing.assert_allclose(found.presence[2:-2], -23.01 - 14.15, atol=0.1)


def test_silence_and_noise_are_no_speech(tmp_path):
    rng = np.random.default_rng(0)
    quiet = conformed(tmp_path / "a.pcm", np.zeros(5 * RATE))
    loud = conformed(tmp_path / "b.pcm", 0.05 * rng.standard_normal(5 * RATE), 16)
    body = speech_session("s", {"left": quiet, "right": loud})
    assert body["left"]["activity"] == body["right"]["activity"] == body["overlaps"] == []
    assert body["left"]["noise_db"] is None
    assert body["right"]["noise_db"] == pytest.approx(-26.02 - 4.77, abs=0.3)  # a third is below 8 kHz
    stages.write(tmp_path / "speech.json", body, "")
    assert stages.read(tmp_path / "speech.json")["session"] == "s"


def test_blocks_do_not_show(tmp_path, monkeypatch):
    pcm = conformed(tmp_path / "a.pcm", voice("speech/funasr_asr_example.wav"))
    whole = listen(pcm)
    monkeypatch.setattr(speech, "_BLOCK", 9999)
    parts = listen(pcm)
    for name in ("speech", "level", "presence"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-3)


def resident_mb() -> float:
    """What this process holds, pages of mapped files among them."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def test_the_track_that_was_heard_does_not_stay_in_memory(tmp_path):
    """Ten minutes, 115 MB; a sparse file."""
    samples = 600 * RATE
    (tmp_path / "a.pcm").touch()
    os.truncate(tmp_path / "a.pcm", 4 * samples)
    held_mb = [resident_mb() for _ in speech._windows(Pcm(tmp_path / "a.pcm", 24, samples, 0, (0, samples)))]
    assert len(held_mb) > 10
    assert max(held_mb) - held_mb[1] < 30


def test_the_network_is_fed_as_faster_whisper_feeds_it(tmp_path):
    from faster_whisper.vad import get_vad_model

    real = voice("speech/funasr_asr_example.wav")
    import soxr

    at_16k = soxr.resample(real.astype(np.float32), RATE, 16_000, quality="HQ")
    expected = get_vad_model()(np.pad(at_16k, (0, -len(at_16k) % 512))).reshape(-1)
    found = listen(conformed(tmp_path / "a.pcm", real)).speech
    np.testing.assert_allclose(found, expected[: len(found)], atol=2e-3)


def test_real_speech_against_a_reference(tmp_path):
    """FunASR's own ranges for this file, which it pads and joins; so speech must lie within them."""
    real = voice("speech/funasr_vad_70s.wav")
    reference = [
        (0.07, 2.34), (2.62, 6.2), (6.48, 23.67), (23.95, 26.25), (26.78, 28.99), (29.95, 31.43),
        (31.75, 37.6), (38.21, 46.9), (47.31, 49.63), (49.91, 56.46), (56.74, 59.54), (59.82, 70.45),
    ]  # fmt: skip
    track = conformed(tmp_path / "a.pcm", real)
    found = lasting(held(listen(track).speech))
    mask, known = marked(ranges(found), 70.5), marked(reference, 70.5)
    assert (mask & ~known).sum() <= 5  # of 460 that the reference calls silence
    level = listen(track).level
    power = 10 ** (level / 10)
    assert power[found].sum() > 0.99 * power.sum()
    covered = [mask[round(a * 100) : round(b * 100)].mean() for a, b in reference]
    assert min(covered) > 0.4 and np.mean(covered) > 0.7  # the rest are pauses within


def dialogue(kind: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Two real voices taking turns, and with `overlap` speaking at once as well; and the length."""
    names = sorted(path.name for path in shared("speech/aishell1").glob("*.wav"))
    rng = np.random.default_rng(1)
    voices = np.zeros((2, 40 * RATE))
    place = 0.5
    for number in range(8):
        side = number % 2
        chosen = names[number if side == 0 else -number]
        real = voice(f"speech/aishell1/{chosen}")
        real = real / np.sqrt((real**2).mean()) * 0.05
        begin = round(place * RATE)
        part = real[: voices.shape[1] - begin]
        voices[side, begin : begin + len(part)] += part
        place += len(real) / RATE + (-1.5 if kind == "overlap" else rng.uniform(0.1, 0.6))
        if place > 33:
            break
    return voices[0], voices[1], 40.0


def bled(voice_own: np.ndarray, voice_other: np.ndarray, decibels: float, seed: int) -> np.ndarray:
    """What a microphone hears: its actor, the other 4 ms later with some echo, a little noise."""
    rng = np.random.default_rng(seed)
    echo = rng.standard_normal(9600) * np.exp(-np.arange(9600) / 2000) * 0.01
    echo[192] += 1
    size = len(voice_other) + len(echo)
    other = np.fft.irfft(np.fft.rfft(voice_other, size) * np.fft.rfft(echo, size), size)[: len(voice_other)]
    return voice_own + 10 ** (decibels / 20) * other + 3e-5 * rng.standard_normal(len(voice_own))


def alone(folder: Path, real: np.ndarray, seconds: float) -> np.ndarray:
    """When one voice speaks, as found on a track of its own: the truth to compare with."""
    heard_alone = listen(conformed(folder / "alone.pcm", bled(real, real * 0, -100, 5)))
    return marked(ranges(lasting(held(heard_alone.speech))), seconds)


@pytest.mark.parametrize("gain", [1.0, 0.25])
@pytest.mark.parametrize("bleed", [-100, -18, -10])
def test_real_voices_with_bleed(tmp_path, bleed, gain):
    left, right, seconds = dialogue("turns")
    truth = alone(tmp_path, left, seconds), alone(tmp_path, right, seconds)
    tracks = {
        "left": conformed(tmp_path / "l.pcm", bled(left, right, bleed, 6)),
        "right": conformed(tmp_path / "r.pcm", gain * bled(right, left, bleed, 7)),
    }
    body = speech_session("s", tracks)
    for side, own, other in (("left", *truth), ("right", *truth[::-1])):
        found = marked(body[side]["activity"], seconds)
        assert (found & own).sum() > 0.97 * own.sum()
        assert (found & other & ~own).sum() < 0.01 * other.sum()
        if bleed > -50:
            assert body[side]["bleed_db"] == pytest.approx(bleed, abs=4)


@pytest.mark.parametrize(("bleed", "share"), [(-100, 0.95), (-18, 0.5)])
def test_overlaps_are_found(tmp_path, bleed, share):
    """What lies under the other's bleed is lost to levels alone; more is for a better separation."""
    left, right, seconds = dialogue("overlap")
    tracks = {
        "left": conformed(tmp_path / "l.pcm", bled(left, right, bleed, 6)),
        "right": conformed(tmp_path / "r.pcm", bled(right, left, bleed, 7)),
    }
    body = speech_session("s", tracks)
    first, second = alone(tmp_path, left, seconds), alone(tmp_path, right, seconds)
    assert (first & second).sum() > 200
    found = marked(body["overlaps"], seconds)
    assert (found & first & second).sum() > share * (first & second).sum()
    sides = [marked(body[side]["activity"], seconds) for side in ("left", "right")]
    np.testing.assert_array_equal(found, sides[0] & sides[1])


def test_the_same_input_gives_the_same_file(tmp_path):
    left, right, _ = dialogue("turns")
    tracks = {
        "left": conformed(tmp_path / "l.pcm", bled(left, right, -18, 6)[: 12 * RATE]),
        "right": conformed(tmp_path / "r.pcm", bled(right, left, -18, 7)[: 12 * RATE]),
    }
    assert json.dumps(speech_session("s", tracks)) == json.dumps(speech_session("s", tracks))


def test_a_missing_network_names_the_remedy(tmp_path, monkeypatch):
    original = builtins.__import__

    def without(name, *rest):
        if name.startswith("faster_whisper"):
            raise ImportError("No module named 'faster_whisper'")
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingToolError, match="pip install faster-whisper"):
        listen(conformed(tmp_path / "a.pcm", np.zeros(RATE)))
