"""Whether the tracks are on the right sides, by what the cameras hear."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from emomedia.timeline import Clock
from emomedia.voice.cameras import SWAPPED_DB, camera_sound, facing_db

from ..audio.sounds import noise, track, write_wav

ALONE = {
    "left": [(float(n), n + 0.8) for n in range(0, 10, 2)],
    "right": [(n + 1.0, n + 1.8) for n in range(0, 10, 2)],
}


def hearing(own: float, gain: float = 1.0):
    """A camera in whose sound the left voice (at even seconds) has a level of `own`, the right one of 1."""

    def heard(start: float, seconds: float) -> np.ndarray:
        level = own if int(start) % 2 == 0 else 1.0
        rng = np.random.default_rng(round(start * 100))
        return np.float32(gain * level * rng.standard_normal(round(seconds * 8000)))

    return heard


@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_each_camera_hears_its_own_actor_louder(gain):
    facing = facing_db(ALONE, {"left": hearing(2.0, gain), "right": hearing(0.5)})
    assert facing == pytest.approx(6.02, abs=0.3)


def test_exchanged_tracks_are_negative():
    facing = facing_db(ALONE, {"left": hearing(0.7), "right": hearing(1.4)})
    assert facing == pytest.approx(-3.0, abs=0.3)
    assert facing < -SWAPPED_DB


def test_too_little_to_tell():
    few = {"left": ALONE["left"], "right": ALONE["right"][:2]}
    assert facing_db(few, {"left": hearing(2.0), "right": hearing(0.5)}) is None
    short = {"left": ALONE["left"], "right": [(start, start + 0.4) for start, _ in ALONE["right"]]}
    assert facing_db(short, {"left": hearing(2.0), "right": hearing(0.5)}) is None


def test_a_cameras_sound_is_found_by_its_clock(tmp_path):
    samples = noise(20_000, 16)
    path = write_wav(tmp_path / "a.wav", samples, "s16", 8000)
    heard = camera_sound(track(path, rate=8000, bits=16, start=Fraction(1, 2)), Clock(Fraction(3)))
    np.testing.assert_allclose(heard(4.0, 0.5), samples[4000:8000, 0] / 32768, atol=1e-4)
