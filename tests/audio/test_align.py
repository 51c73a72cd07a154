"""Alignment finds the place of a recording to the sample, and knows when there is none."""

from __future__ import annotations

import numpy as np
import pytest

from emomedia.audio.align import THRESHOLD, Match, align
from emomedia.audio.proxy import track_proxy

from .sounds import shared, shifted, talk, to_s16, track, write_wav

RATE = 48_000


def recorded(path, real: np.ndarray, rate: int = RATE):
    return track(write_wav(path, to_s16(real), "s16", rate), bits=16, rate=rate)


def aligned(reference, other, between: bool = False) -> Match | None:
    with track_proxy(reference) as one, track_proxy(other) as two:
        return align(one, two, between=between)


@pytest.fixture(scope="module")
def room() -> np.ndarray:
    """What both recordings hear: 40 s."""
    return talk(40)


@pytest.mark.parametrize("place", [3.20713, -2.5, 0.0, 17.0001, -19.99])
def test_the_offset_to_the_sample(tmp_path, room, place):
    # `other` begins `place` seconds into the reference (before it, if negative).
    reference = recorded(tmp_path / "reference.wav", room)
    other = recorded(tmp_path / "other.wav", shifted(room, place))
    match = aligned(reference, other)
    assert match.offset == pytest.approx(round(place * RATE) / RATE, abs=0.2 / RATE)
    assert match.drift_ppm == 0
    assert match.residual_ms < 0.01
    assert match.confidence > 0.8


def test_noise_echo_polarity_and_level_do_not_move_it(tmp_path, room):
    rng = np.random.default_rng(3)
    echo = rng.standard_normal(12_000) * np.exp(-np.arange(12_000) / 2000) * 0.01
    echo[0] = 1
    size = len(room) + len(echo)
    heard = np.fft.irfft(np.fft.rfft(room, size) * np.fft.rfft(echo, size), size)[: len(room)]
    heard = -0.05 * (heard + heard.std() * rng.standard_normal(len(heard)) * 0.3)
    match = aligned(recorded(tmp_path / "a.wav", heard), recorded(tmp_path / "b.wav", shifted(room, 5)))
    assert match.offset == pytest.approx(5, abs=1 / RATE)
    assert match.confidence > THRESHOLD + 0.2


def test_other_rates(tmp_path, room):
    reference = recorded(tmp_path / "a.wav", room)
    for rate in (44_100, 16_000):
        places = np.arange(round(30 * rate)) / rate * RATE + 4 * RATE
        slow = np.interp(places, np.arange(len(room)), room)
        match = aligned(reference, recorded(tmp_path / f"{rate}.wav", slow, rate))
        assert match.offset == pytest.approx(4, abs=0.5 / RATE)


@pytest.mark.parametrize("ppm", [60.0, -145.0, 1040.0])
def test_drift_over_minutes(tmp_path, ppm):
    rate = 16_000
    long = talk(340, seed=5, rate=rate)
    reference = recorded(tmp_path / "a.wav", long, rate)
    # The other recorder's sample k stands at k · (1 + ppm·1e-6), from 10 s on.
    places = 10 * rate + np.arange(320 * rate) * (1 + ppm * 1e-6)
    other = recorded(tmp_path / "b.wav", np.interp(places, np.arange(len(long)), long), rate)
    match = aligned(reference, other)
    assert match.offset == pytest.approx(10, abs=2e-4)
    assert match.offset + 320 * match.drift_ppm * 1e-6 == pytest.approx(10 + 320 * ppm * 1e-6, abs=2e-4)
    assert match.residual_ms < 0.1
    assert match.confidence > THRESHOLD


def test_no_drift_is_made_up(tmp_path):
    rate = 16_000
    long = talk(340, seed=6, rate=rate)
    reference = recorded(tmp_path / "a.wav", long, rate)
    match = aligned(reference, recorded(tmp_path / "b.wav", shifted(long, 20.5, rate), rate))
    assert (match.drift_ppm, match.offset) == (0, pytest.approx(20.5, abs=0.5 / RATE))


@pytest.mark.parametrize("seed", range(4))
def test_another_recording_is_not_believed(tmp_path, room, seed):
    other = recorded(tmp_path / "b.wav", talk(40, seed=100 + seed))
    assert aligned(recorded(tmp_path / "a.wav", room), other).confidence < THRESHOLD - 0.05


def test_real_voices(tmp_path):
    path = shared("speech/ms_zhcn_continuous.wav")
    reference = track(path, rate=16_000, bits=16)
    raw = path.read_bytes()
    voice = np.frombuffer(raw, "<i2", offset=raw.index(b"data") + 8)
    later = track(write_wav(tmp_path / "b.wav", voice[16_000 * 9 + 7 :], "s16", 16_000), rate=16_000, bits=16)
    match = aligned(reference, later)
    assert match.offset == pytest.approx(9 + 7 / 16_000, abs=1 / RATE)
    assert match.confidence > 0.6
    stranger = track(shared("speech/funasr_vad_70s.wav"), rate=16_000, bits=16)
    assert aligned(reference, stranger).confidence < THRESHOLD - 0.05


def test_minutes_of_nothing_before_the_talk(tmp_path):
    rate = 8_000
    rooms = [1e-4 * np.random.default_rng(seed).standard_normal(390 * rate) for seed in (1, 2)]
    said = np.concatenate([np.zeros(350 * rate), talk(40, rate=rate)])
    one, two = (recorded(tmp_path / f"{n}.wav", room + said, rate) for n, room in enumerate(rooms))
    match = aligned(one, two)
    assert (match.offset, match.confidence) == (pytest.approx(0, abs=1e-4), pytest.approx(1, abs=0.2))


@pytest.mark.parametrize("voice", [0.0, 1.0])
def test_a_sound_that_repeats_itself_has_a_place_only_with_others(tmp_path, voice):
    rate = 8_000
    loop = np.tile(talk(8, seed=7, rate=rate), 8)
    rooms = [1e-3 * np.random.default_rng(seed).standard_normal(64 * rate) for seed in (1, 2)]
    said = loop + voice * talk(64, seed=8, rate=rate)
    sounds = rooms[0] + said, shifted(rooms[1] + said, 3.0, rate)
    match = aligned(*(recorded(tmp_path / f"{n}.wav", sound, rate) for n, sound in enumerate(sounds)))
    assert (match.confidence > 0.9) == (voice > 0)
    assert match.offset == pytest.approx(3.0, abs=1e-4) if voice else match.repeats % 8 == pytest.approx(0)


@pytest.mark.parametrize("seconds", [18, 22])
def test_of_places_that_fit_alike_none_is_taken_for_being_compared_less(tmp_path, seconds):
    rate = 8_000
    loop = np.tile(talk(8, seed=7, rate=rate), 3)[: seconds * rate]
    rooms = [0.5 * loop.std() * np.random.default_rng(seed).standard_normal(len(loop)) for seed in (3, 4)]
    sounds = rooms[0] + loop, shifted(rooms[1] + loop, 3.0, rate)
    match = aligned(*(recorded(tmp_path / f"{n}.wav", sound, rate) for n, sound in enumerate(sounds)))
    assert (match.confidence < THRESHOLD, abs(match.repeats)) == (True, pytest.approx(8, abs=0.1))


@pytest.mark.parametrize("pause", [3, 20])
def test_a_recorder_that_paused_does_not_repeat_itself(tmp_path, pause):
    rate = 8_000
    said = talk(180, seed=9, rate=rate)
    rooms = [1e-3 * np.random.default_rng(seed).standard_normal(180 * rate) for seed in (1, 2)]
    one, two = (said + room for room in rooms)
    two = np.delete(two, slice(90 * rate, (90 + pause) * rate))
    match = aligned(recorded(tmp_path / "a.wav", one, rate), recorded(tmp_path / "b.wav", two, rate))
    assert (match.confidence > 0.8, match.repeats) == (True, 0)
    assert [step.seconds for step in match.steps] == [pytest.approx(pause, abs=1e-4)]


def test_silence_has_no_place(tmp_path, room):
    silent = track(write_wav(tmp_path / "b.wav", np.zeros(200_000), "s16"), bits=16)
    assert aligned(recorded(tmp_path / "a.wav", room), silent) is None


def test_a_recording_of_a_few_samples_has_no_place(tmp_path, room):
    blip = track(write_wav(tmp_path / "b.wav", np.ones(20), "s16"), bits=16)
    assert aligned(recorded(tmp_path / "a.wav", room), blip) is None


def test_a_recording_shorter_than_a_stretch(tmp_path, room):
    short = recorded(tmp_path / "b.wav", room[7 * RATE : 10 * RATE])
    match = aligned(recorded(tmp_path / "a.wav", room), short)
    assert match.offset == pytest.approx(7, abs=1 / RATE)
