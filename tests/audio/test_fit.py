"""The clock through measured offsets: straight, between two voices, broken by steps, bent."""

from __future__ import annotations

import numpy as np
import pytest

from emomedia.audio.fit import FAR_VOICES, OWN_VOICE, TWO_VOICES, Measured, fit_clock


def measured(offsets: np.ndarray, every: float = 4.0, wrong: float = 0.3, noise: float = 5e-5, seed: int = 0):
    """Windows every few seconds, of which a share is anywhere within half a second."""
    rng = np.random.default_rng(seed)
    count = len(offsets)
    found = offsets + noise * rng.standard_normal(count)
    bad = rng.random(count) < wrong
    found[bad] = offsets[bad] + rng.uniform(-0.5, 0.5, bad.sum())
    clarity = np.where(bad, rng.uniform(0.0, 0.3, count), rng.uniform(0.3, 0.7, count))
    return Measured(every * np.arange(count), found, clarity, rng.random(count) < 0.5)


@pytest.mark.parametrize("ppm", [0.0, 0.5, -40.0, 145.0, 420.0])
def test_a_straight_clock_in_half_an_hour(ppm):
    times = 4.0 * np.arange(450)
    fit = fit_clock(measured(2.5 + ppm * 1e-6 * times), OWN_VOICE)
    assert fit.steps == () and len(fit.knots) == 1
    assert fit.slopes[0] * 1e6 == pytest.approx(ppm, abs=0.02)
    assert fit.values[0] == pytest.approx(2.5, abs=2e-5)
    assert 0.6 < fit.on_it.mean() < 0.8


def test_drift_that_shows_nowhere_is_none():
    fit = fit_clock(measured(np.full(10, 1.0)), OWN_VOICE)
    assert fit.slopes[0] == 0


def test_the_louder_voice_counts_at_its_own_microphone():
    # The actor's own voice a third of the time, loud; the other's reaches both 4 ms nearer together.
    rng = np.random.default_rng(1)
    own = rng.random(300) < 0.35
    base = measured(np.where(own, 0.0, -0.004), wrong=0.2)
    heard = Measured(base.times, base.offsets, base.clarity, own)
    assert fit_clock(heard, OWN_VOICE).values[0] == pytest.approx(0, abs=5e-5)
    assert fit_clock(heard, OWN_VOICE).steps == ()


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_the_clock_lies_between_two_voices(share):
    rng = np.random.default_rng(2)
    places = np.where(rng.random(300) < share, 0.0043, -0.0043) + 20e-6 * 4 * np.arange(300)
    fit = fit_clock(measured(places, wrong=0.2), TWO_VOICES)
    assert fit.values[0] == pytest.approx(0, abs=5e-5)
    assert sorted(fit.paths) == pytest.approx([-0.0043, 0.0043], abs=5e-5)
    assert fit.slopes[0] * 1e6 == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("size", [0.0107, -0.0213, 0.4, -3.0])
def test_a_step(size):
    times = 4.0 * np.arange(200)
    places = 1 + 60e-6 * times + np.where(times > 500, size, 0)
    fit = fit_clock(measured(places), OWN_VOICE)
    assert fit.steps == (1,)
    assert fit.knots[1] == pytest.approx(502, abs=20)
    assert fit.values[1] - fit.values[0] == pytest.approx(size, abs=6e-5)
    assert fit.slopes == pytest.approx([60e-6] * 2, abs=1e-7)


def test_two_steps_and_none_made_up_between():
    times = 4.0 * np.arange(300)
    places = np.where(times > 300, 0.03, 0) + np.where(times > 900, 0.05, 0)
    fit = fit_clock(measured(places), OWN_VOICE)
    assert fit.steps == (1, 2)
    assert np.diff(fit.values) == pytest.approx([0.03, 0.05], abs=2e-5)


def test_a_clock_that_warms_up_bends():
    times = 4.0 * np.arange(900)
    places = 0.5 + 30e-6 * times + 8e-3 * np.exp(-times / 900)
    fit = fit_clock(measured(places), OWN_VOICE)
    assert fit.steps == () and len(fit.knots) > 3
    assert np.abs(fit.at(times) - places).max() < 5e-4
    for begin, before, after in zip(
        fit.knots[1:], range(len(fit.knots)), range(1, len(fit.knots)), strict=False
    ):
        ends = fit.values[before] + fit.slopes[before] * begin
        assert fit.values[after] + fit.slopes[after] * begin == pytest.approx(ends, abs=1e-9)


def test_far_voices_give_the_mean_of_what_their_echoes_scatter():
    rng = np.random.default_rng(4)
    base = measured(3 + rng.uniform(-0.007, 0.007, 200), wrong=0.2)
    fit = fit_clock(base, FAR_VOICES)
    assert fit.values[0] == pytest.approx(3, abs=1.5e-3)
    assert fit.on_it.mean() > 0.7


@pytest.mark.parametrize("acoustics", [OWN_VOICE, TWO_VOICES])
def test_chance_bears_no_clock_out(acoustics):
    rng = np.random.default_rng(5)
    for _ in range(50):
        count = int(rng.integers(8, 60))
        chance = Measured(
            4.0 * np.arange(count),
            rng.uniform(-0.5, 0.5, count),
            rng.uniform(0, 0.3, count),
            rng.random(count) < 0.5,
        )
        assert fit_clock(chance, acoustics).on_it.mean() < 0.4


@pytest.mark.parametrize("acoustics", [OWN_VOICE, TWO_VOICES, FAR_VOICES])
@pytest.mark.parametrize("offsets", [[2.5], [2.5, 2.53], [2.5, -0.1, 2.5]])
def test_the_fewest_offsets(offsets, acoustics):
    count = len(offsets)
    few = Measured(3000.0 * np.arange(count), np.array(offsets), np.full(count, 0.5), np.ones(count, bool))
    assert fit_clock(few, acoustics).at(np.zeros(1))[0] == pytest.approx(2.5, abs=0.04)
