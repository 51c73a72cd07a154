"""The bars of sync on real speech in a room, noise as loud as the voices at the camera: a few of each."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest

from emomedia.audio.align import THRESHOLD, Match, align
from emomedia.audio.proxy import make_proxy
from emomedia.audio.steps import Hearing, locate

from .rooms import RATE, recorded, scene, session, utterances

SESSION, FOREIGN = "BAC009S076[4-8]*.wav", "BAC009S0[79][07][0-3]*.wav"
"""Speakers of the sessions, and others."""


def aligned(reference: np.ndarray, other: np.ndarray, between: bool = False) -> Match:
    with make_proxy([reference], RATE) as one, make_proxy([other], RATE) as two:
        match = align(one, two, between=between)
    assert match is not None
    return match


@pytest.fixture(scope="module")
def said() -> list[np.ndarray]:
    return utterances(SESSION)


@pytest.mark.parametrize("seed", range(4))
def test_offset_and_drift(said, seed):
    rng = np.random.default_rng(100 + seed)
    begin, ppm = rng.uniform(0, 5), rng.uniform(-150, 150)
    heard = scene(90, said, seed)
    match = aligned(heard.camera, recorded(heard.microphone, begin, ppm))
    assert match.confidence > THRESHOLD + 0.2
    for time in (0, 80):  # both bars in one: 1 ppm is 0.08 ms at the end
        found = match.offset + match.drift_ppm * 1e-6 * time
        assert found == pytest.approx(begin + heard.late + ppm * 1e-6 * time, abs=2e-4)
    assert match.steps == ()


@pytest.mark.parametrize("seed", range(3))
def test_a_lost_buffer(said, seed):
    rng = np.random.default_rng(200 + seed)
    heard, ppm = scene(150, said, 10 + seed), rng.uniform(-100, 100)
    whole = recorded(heard.microphone, 1.0, ppm)
    at, lost = round(rng.uniform(60, 90) * RATE), round([0.0213, 0.128, 3.0][seed] * RATE)
    match = aligned(heard.camera, np.concatenate([whole[:at], whole[at + lost :]]))
    (step,) = match.steps
    assert step.seconds == pytest.approx(lost / RATE * (1 + ppm * 1e-6), abs=2e-4)
    assert abs(step.time - at / RATE) <= max(0.05, step.within)


def test_a_lost_buffer_of_both_channels_is_placed_to_20_ms_in_speech(said):
    """And it is known how well, though a camera's noise is as loud as the voices, and echoes are louder."""
    made, lost = session(110, said, 2000), round(0.48 * RATE)
    tracks = [recorded(microphone, 1.0, 70.0) for microphone in made.microphones]
    loud = np.convolve(tracks[0] ** 2, np.ones(RATE // 4), "same")[: 60 * RATE]
    loud[: 45 * RATE] = 0
    at = int(np.argmax(loud))  # where somebody speaks: in silence it could be anywhere
    with ExitStack() as stack:
        hearings, spans = [], []
        for camera, track in zip(made.cameras, tracks, strict=True):
            heard = np.concatenate([track[:at], track[at + lost :]])
            pair = [stack.enter_context(make_proxy([sound], RATE)) for sound in (camera, heard)]
            match = align(*pair)
            assert match is not None
            (step,) = match.steps
            hearings.append(Hearing(*pair, step.lines))
            spans.append(step.span)
        found = locate(hearings, (min(span[0] for span in spans), max(span[1] for span in spans)))
    assert found.time == pytest.approx(at / RATE, abs=0.02)
    assert found.within < 0.05


@pytest.mark.parametrize("seed", range(2))
def test_wrong_recordings_are_refused(said, seed):
    mine = scene(60, said, 20 + seed)
    others = {
        "other speakers": scene(60, utterances(FOREIGN), 30 + seed).microphone,
        "the same speakers": scene(60, said, 40 + seed).microphone,
    }
    for name, other in others.items():
        assert aligned(mine.camera, other.astype(np.float32)).confidence < THRESHOLD - 0.15, name
    camera = scene(60, said, 50 + seed).camera
    assert aligned(mine.camera, camera, between=True).confidence < THRESHOLD - 0.1
