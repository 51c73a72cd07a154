"""At other rates than 48 kHz: sines keep level and phase, impulses their places, and nothing is added."""

from __future__ import annotations

from fractions import Fraction
from math import log10, pi

import numpy as np
import pytest

from emomedia.audio.conform import conform
from emomedia.timeline import SAMPLE_RATE, Clock

from .odd_files import found_track
from .sounds import write_wav

RATES = [
    8000,
    11_025,
    12_000,
    16_000,
    22_050,
    24_000,
    32_000,
    44_100,
    64_000,
    88_200,
    96_000,
    176_400,
    192_000,
]
EDGE = 4800
"""Samples at either end that the resampler's filter reaches beyond the track."""


def conformed(folder, reals: np.ndarray, rate: int, clock: Clock, kind: str = "s24") -> np.ndarray:
    """24-bit values of the track at 48 kHz, full scale 1.0."""
    stored = np.rint(reals * (2**23 - 1)).astype(np.int64) if kind == "s24" else reals.astype(np.float32)
    track = found_track(write_wav(folder / "a.wav", stored, kind, rate))
    seconds = len(reals) / rate * float(clock.speed)
    pcm = conform(track, clock, int(seconds * SAMPLE_RATE), folder, "left")
    return pcm.array / (2**23 - 1)


def measured(found: np.ndarray, frequency: float) -> tuple[float, float, float]:
    """Level in dB against 0.5, delay in samples, and signal to noise in dB, of a sine at 48 kHz."""
    time = np.arange(len(found)) / SAMPLE_RATE
    basis = np.stack([np.sin(2 * pi * frequency * time), np.cos(2 * pi * frequency * time)], axis=1)
    (sine, cosine), *_ = np.linalg.lstsq(basis, found, rcond=None)
    error = found - basis @ np.array([sine, cosine])
    delay = -np.arctan2(cosine, sine) / (2 * pi * frequency) * SAMPLE_RATE
    return 20 * log10(np.hypot(sine, cosine) / 0.5), delay, 20 * log10(0.5 / np.sqrt(2) / error.std())


@pytest.mark.parametrize("frequency", [997, 3333])
@pytest.mark.parametrize("drift", [0, 120])
@pytest.mark.parametrize("rate", RATES)
def test_a_sine_keeps_its_level_and_its_phase(tmp_path, rate, drift, frequency):
    speed = 1 + drift * 1e-6
    local = np.arange(4 * rate) / rate
    clock = Clock(Fraction(0), Fraction(drift))
    found = conformed(tmp_path, 0.5 * np.sin(2 * pi * frequency * local), rate, clock)
    level, delay, noise = measured(found[EDGE : len(found) // EDGE * EDGE - EDGE], frequency / speed)
    whole = EDGE * frequency / speed / SAMPLE_RATE  # periods before the part that is measured
    turns = (-delay * frequency / speed / SAMPLE_RATE - whole + 0.5) % 1 - 0.5
    assert abs(level) < 0.002
    assert abs(turns) / (frequency / speed) * SAMPLE_RATE < 0.001
    assert noise > (100 if drift else 130)  # soxr interpolates its filter where the ratio is no simple one


@pytest.mark.parametrize("drift", [0, -90])
@pytest.mark.parametrize("rate", RATES)
def test_impulses_land_on_the_nearest_sample(tmp_path, rate, drift):
    train = np.zeros(6 * rate)
    places = np.arange(rate // 3 + 1, 6 * rate - rate // 3, rate // 2 + 17)
    train[places] = 0.5
    found = np.abs(conformed(tmp_path, train, rate, Clock(Fraction(0), Fraction(drift))))
    assert len(places) >= 10
    for place in places:
        expected = place / rate * SAMPLE_RATE * (1 + drift * 1e-6)
        near = round(expected)
        peak = near - 300 + int(np.argmax(found[near - 300 : near + 300]))
        assert abs(peak - expected) <= 0.5 + 1e-3


def test_floats_at_another_rate(tmp_path):
    local = np.arange(4 * 96_000) / 96_000
    found = conformed(tmp_path, 0.5 * np.sin(2 * pi * 997 * local), 96_000, Clock(), "f32")
    level, _, noise = measured(found[EDGE:-EDGE], 997)
    assert abs(level) < 0.002 and noise > 130
