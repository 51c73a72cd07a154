"""The simulated room: parts that add up, levels as asked, paths that move."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

from emomedia.errors import MissingToolError
from emomedia.session import SIDES
from emomedia.simulate.room import Room, record

RATE = 16_000


def voices(seconds: float = 6) -> dict[str, np.ndarray]:
    """The left voice in the first half, the right one in the second."""
    rng = np.random.default_rng(0)
    count, half = round(seconds * RATE), round(seconds * RATE / 2)
    made = {side: (0.05 * rng.standard_normal(count)).astype(np.float32) for side in SIDES}
    made["left"][half:] = 0
    made["right"][:half] = 0
    return made


def level(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(sound.astype(float) ** 2)))


@pytest.mark.parametrize("bleed", [-30.0, -18.0, -6.0])
def test_bleed_and_noise_have_the_levels_asked_for(bleed):
    heard = record(voices(), RATE, Room(bleed_db=bleed, noise_db=-50))
    for side, other in zip(SIDES, reversed(SIDES), strict=True):
        assert level(heard.bleed[other]) - level(heard.own[side]) == pytest.approx(bleed, abs=0.05)
        assert level(heard.noise[side]) == pytest.approx(-50, abs=0.1)
        assert level(heard.own[side]) == pytest.approx(level(voices()[side]), abs=0.05)
        parts = heard.own[side] + heard.bleed[side] + heard.noise[side]
        np.testing.assert_array_equal(heard.track(side), parts)


def test_without_bleed_and_noise_a_track_is_its_own_voice():
    heard = record(voices(), RATE, Room(bleed_db=None, noise_db=None))
    for side in SIDES:
        np.testing.assert_array_equal(heard.track(side), heard.own[side])


def test_a_voice_comes_at_once_to_its_own_microphone_and_later_to_the_other():
    click = {side: np.zeros(RATE, np.float32) for side in SIDES}
    click["left"][4000] = 1
    heard = record(click, RATE, Room(movement=0, noise_db=None, distance=1.4, microphone_distance=0.25))
    arrivals = {
        "left": int(np.abs(heard.own["left"]).argmax()), "right": int(np.abs(heard.bleed["right"]).argmax())
    }  # fmt: skip
    assert arrivals["left"] - 4000 == pytest.approx(0.25 / 343 * RATE, abs=2)
    assert 1.0 < (arrivals["right"] - 4000) / RATE * 343 < 1.8


def test_longer_reverberation_lasts_longer():
    click = {side: np.zeros(RATE, np.float32) for side in SIDES}
    click["left"][4000] = 1
    tails = []
    for seconds in (0.2, 0.5):
        heard = record(click, RATE, Room(reverberation=seconds, noise_db=None)).bleed["right"]
        tails.append(level(heard[4000 + RATE // 5 :]) - level(heard))
    assert tails[1] > tails[0] + 10


def test_heads_move():
    """The same sound a second later comes along another path, unless nothing moves."""
    rng = np.random.default_rng(1)
    piece = (0.05 * rng.standard_normal(RATE)).astype(np.float32)
    said = {"left": np.tile(piece, 6), "right": np.zeros(6 * RATE, np.float32)}
    changes = []
    for movement in (0.0, 0.03):
        bleed = record(said, RATE, Room(movement=movement, noise_db=None)).bleed["right"]
        changes.append(level(bleed[5 * RATE :] - bleed[2 * RATE : 3 * RATE]) - level(bleed))
    assert changes[0] < -60
    assert changes[1] > -25


def test_the_same_choices_give_the_same_sound():
    first, second, other = (record(voices(2), RATE, Room(seed=seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.track("left"), second.track("left"))
    assert np.abs(first.bleed["left"] - other.bleed["left"]).max() > 1e-3


def test_a_missing_package_names_the_remedy(monkeypatch):
    original = builtins.__import__

    def without(name, *rest):
        if name == "pyroomacoustics":
            raise ImportError("No module named 'pyroomacoustics'")
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingToolError, match="pip install pyroomacoustics"):
        record(voices(1), RATE, Room())
