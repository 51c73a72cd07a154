"""Steps are found, sized, and located in the sound."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest

from emomedia.audio.align import align
from emomedia.audio.proxy import make_proxy
from emomedia.audio.steps import Hearing, locate

from .sounds import talk

RATE = 8000


def room(seconds: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """What a microphone and a camera in the same room hear, the camera with echoes and as loud a noise."""
    rng = np.random.default_rng(seed)
    voice = talk(seconds, seed=seed, rate=RATE)
    echo = rng.standard_normal(1600) * np.exp(-np.arange(1600) / 300) * 0.02
    echo[48] = 0.5
    size = len(voice) + len(echo)
    heard = np.fft.irfft(np.fft.rfft(voice, size) * np.fft.rfft(echo, size), size)[: len(voice)]
    return voice, heard + heard.std() * rng.standard_normal(len(heard))


def without(sound: np.ndarray, at: float, seconds: float) -> np.ndarray:
    """The recording that lost, from its own second `at` on, so much; or has it twice, if negative."""
    begin = round(at * RATE)
    return np.concatenate([sound[:begin], sound[begin + round(seconds * RATE) :]])


def proxy(sound: np.ndarray):
    return make_proxy([sound.astype(np.float32)], RATE)


def matched(reference: np.ndarray, other: np.ndarray):
    with proxy(reference) as one, proxy(other) as two:
        return align(one, two)


@pytest.mark.parametrize("seconds", [0.0213, 0.1, 0.75, 12.0, -0.064])
def test_a_step_at_the_voice(seconds):
    voice, heard = room(200, seed=round(abs(seconds) * 100))
    loud = np.convolve(np.abs(voice), np.ones(800) / 800, "same")
    at = (RATE * 90 + int(np.argmax(loud[RATE * 90 : RATE * 110]))) / RATE
    match = matched(heard, without(voice, at, seconds))
    (step,) = match.steps
    assert step.seconds == pytest.approx(round(seconds * RATE) / RATE, abs=5e-5)
    assert step.time == pytest.approx(at, abs=0.05)
    assert [piece.start for piece in match.pieces] == [0.0, step.time]
    assert match.offset == pytest.approx(48 / RATE, abs=1e-4)
    assert match.pieces[1].offset == pytest.approx(48 / RATE + step.seconds, abs=1e-4)
    assert match.confidence > 0.7


def test_two_steps():
    voice, heard = room(300, seed=3)
    match = matched(heard, without(without(voice, 90, 0.5), 200, 2.0))
    assert [step.seconds for step in match.steps] == pytest.approx([0.5, 2.0], abs=1e-4)
    for step, at in zip(match.steps, (90, 200), strict=True):
        assert abs(step.time - at) <= max(0.05, step.within)


def test_a_step_in_silence_is_as_vague_as_it_is():
    voice, heard = room(200, seed=5)
    pause = slice(95 * RATE, 98 * RATE)
    voice[pause] = 1e-4 * np.random.default_rng(1).standard_normal(3 * RATE)
    echo_free = heard.copy()
    echo_free[pause] = heard.std() * np.random.default_rng(2).standard_normal(3 * RATE) / 2
    (step,) = matched(echo_free, without(voice, 96.5, 0.3)).steps
    assert abs(step.time - 96.5) <= step.within < 3
    assert step.within > 0.5


def test_two_channels_are_asked_together():
    voice, _ = room(200, seed=6)
    other, _ = room(200, seed=7)
    turns = (np.arange(len(voice)) // (4 * RATE)) % 2 == 0
    mine, theirs = np.where(turns, voice, 1e-4), np.where(turns, 1e-4, other)
    cameras = [
        np.convolve(sound, np.ones(2) / 2, "same")
        + 0.002 * np.random.default_rng(8).standard_normal(len(sound))
        for sound in (mine, theirs)
    ]
    at = 102.0  # while the second one talks
    recorder = [without(sound, at, 0.4) for sound in (mine, theirs)]
    hearings, spans = [], []
    with ExitStack() as stack:
        for camera, channel in zip(cameras, recorder, strict=True):
            pair = stack.enter_context(proxy(camera)), stack.enter_context(proxy(channel))
            (step,) = align(*pair).steps
            hearings.append(Hearing(*pair, step.lines))
            spans.append(step.span)
        together = locate(hearings, (min(s[0] for s in spans), max(s[1] for s in spans)))
    assert together.time == pytest.approx(at, abs=0.05)


def test_none_where_there_is_none():
    voice, heard = room(200, seed=9)
    match = matched(heard, voice)
    assert match.steps == () and match.pieces == ()
