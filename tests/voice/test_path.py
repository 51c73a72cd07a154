"""The way of a voice into the other microphone: learned where it is alone, in spite of what else is there."""

from __future__ import annotations

import numpy as np
import pytest

from emomedia.voice.noise import FLOOR, without_noise
from emomedia.voice.path import AHEAD, Equations, bled, equations

from .twins import accumulated, filtered, suppressed


def gaussian(rng, *shape) -> np.ndarray:
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


@pytest.mark.parametrize(("bins", "taps", "columns"), [(1, 1, 3), (5, 4, 40), (33, 10, 200)])
def test_the_compiled_loops_do_what_their_twins_do(bins, taps, columns):
    rng = np.random.default_rng(taps)
    source, heard = gaussian(rng, bins, columns + taps - 1), gaussian(rng, bins, columns)
    weight = rng.uniform(0.1, 10, (bins, columns)).astype(np.float32)
    chosen = rng.random(columns) < 0.6
    found = equations(source, heard, weight, chosen, taps)
    within, across = accumulated(source, heard, weight, np.flatnonzero(chosen), taps)
    np.testing.assert_allclose(found.within, within, rtol=0, atol=2e-5 * np.abs(within).max())
    np.testing.assert_allclose(found.across, across, rtol=0, atol=2e-5 * np.abs(within).max())
    assert found.columns == chosen.sum()
    path = gaussian(rng, bins, taps)
    np.testing.assert_allclose(bled(source, path), filtered(source, path), atol=1e-4)


def test_noise_suppression_does_what_its_twin_does():
    rng = np.random.default_rng(1)
    spectrum, noise = gaussian(rng, 20, 100), rng.uniform(0.1, 5, 20).astype(np.float32)
    np.testing.assert_allclose(
        without_noise(spectrum, noise), suppressed(spectrum, noise), rtol=2e-4, atol=1e-5
    )


def test_noise_goes_and_what_is_loud_stays():
    rng = np.random.default_rng(2)
    spectrum = gaussian(rng, 10, 400)  # of power 2
    spectrum[:, 200:] += 100
    cleaned = without_noise(spectrum, np.full(10, 2, np.float32))
    quieter = np.abs(cleaned[:, 20:200]).mean() / np.abs(spectrum[:, 20:200]).mean()
    assert FLOOR <= quieter < 1.5 * FLOOR
    np.testing.assert_allclose(cleaned[:, 203:], spectrum[:, 203:], rtol=1e-2)


def test_a_path_is_found_where_its_voice_is_alone():
    rng = np.random.default_rng(3)
    bins, taps, columns = 8, 6, 500
    source, path = gaussian(rng, bins, columns + taps - 1), gaussian(rng, bins, taps) * 0.1
    own = gaussian(rng, bins, columns) * 5
    own[:, 250:] = 0
    heard = filtered(source, path) + own + 0.001 * gaussian(rng, bins, columns)
    alone = np.arange(columns) >= 250
    learned = equations(source, heard, np.ones((bins, columns), np.float32), alone, taps).solved()
    np.testing.assert_allclose(learned, path, atol=2e-3)


def test_columns_count_by_their_weight():
    """Where the other voice is loud, unweighted least squares go astray, weighted ones do not."""
    rng = np.random.default_rng(4)
    bins, taps, columns = 8, 6, 400
    source, path = gaussian(rng, bins, columns + taps - 1), gaussian(rng, bins, taps) * 0.1
    loud = np.where(rng.random((bins, columns)) < 0.5, 10.0, 0.01)
    heard = filtered(source, path) + loud * gaussian(rng, bins, columns)
    everywhere = np.ones(columns, bool)
    errors = []
    for weight in (np.ones_like(loud), loud**-2):
        learned = equations(source, heard, weight.astype(np.float32), everywhere, taps).solved()
        errors.append(np.abs(learned - path).mean())
    assert errors[1] < 0.02 * errors[0]


def test_equations_add_up_and_fade():
    rng = np.random.default_rng(5)
    source, heard = gaussian(rng, 4, 103), gaussian(rng, 4, 100)
    weight, half = np.ones((4, 100), np.float32), np.arange(100) < 50
    whole = equations(source, heard, weight, half | ~half, 4)
    parts = equations(source, heard, weight, half, 4) + equations(source, heard, weight, ~half, 4)
    np.testing.assert_allclose(parts.solved(), whole.solved(), atol=1e-4)
    np.testing.assert_allclose(whole.faded(0.25).solved(), whole.solved(), atol=1e-4)
    assert whole.faded(0.25).columns == 25


def test_nothing_heard_gives_no_bleed():
    assert not Equations.none(3, 4).solved().any()
    assert not bled(np.ones((3, 10), np.complex64), Equations.none(3, 4).solved()).any()


def test_taps_look_ahead():
    """A track that is late by a column: what bleeds comes before its source."""
    rng = np.random.default_rng(6)
    sound = gaussian(rng, 3, 300)
    heard = np.roll(sound, -AHEAD, axis=1)
    source = np.pad(sound, ((0, 0), (5 - 1 - AHEAD, AHEAD)))
    learned = equations(source, heard, np.ones((3, 300), np.float32), np.arange(300) < 290, 5).solved()
    np.testing.assert_allclose(learned[:, 0], 1, atol=0.05)
    np.testing.assert_allclose(learned[:, 1:], 0, atol=0.05)
