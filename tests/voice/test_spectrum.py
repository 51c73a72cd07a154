"""Short-time spectra: aligned to their 10 ms, independent of blocks, and back to the very sound."""

from __future__ import annotations

import numpy as np
import pytest

from emomedia.voice.spectrum import HOP, RATE, in_bands, power, smoothed, spectra
from emomedia.voice.stft import HOP as LONG_HOP
from emomedia.voice.stft import column_middles, restored, transformed


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(count).standard_normal(count).astype(np.float32)


@pytest.mark.parametrize("count", [1, 159, 160, 161, 5000, 16_000])
def test_blocks_do_not_show(count):
    sound = noise(count)
    whole = np.concatenate(list(spectra([sound], 1000)), axis=1)
    parts = list(spectra(np.array_split(sound, 7), 13))
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    assert whole.shape[1] == -(-count // HOP)
    assert all(part.shape[1] == 13 for part in parts[:-1])


def test_no_sound_has_no_columns():
    assert list(spectra([], 10)) == []


def test_a_column_is_of_its_own_10_ms():
    sound = np.zeros(RATE, np.float32)
    sound[50 * HOP + HOP // 2 - 1 : 50 * HOP + HOP // 2 + 1] = 1  # the middle lies between two samples
    (spectrum,) = spectra([sound], 1000)
    loud = power(spectrum).sum(axis=0)
    assert loud.argmax() == 50
    np.testing.assert_allclose(loud[49], loud[51], rtol=1e-3)
    assert loud[:49].sum() == loud[52:].sum() == 0


def test_bands_hold_all_that_is_kept():
    values = power(next(spectra([noise(4000)], 1000)))
    np.testing.assert_allclose(in_bands(values).sum(axis=0), values.sum(axis=0), rtol=1e-5)
    assert in_bands(values).shape[0] == 20


def test_smoothing_is_a_mean_of_neighbours():
    values = np.float32([[0, 3, 6, 0, 9]])
    np.testing.assert_allclose(smoothed(values, 3), [[1.5, 3, 3, 5, 4.5]])


@pytest.mark.parametrize("count", [1, 4096, 30_001])
def test_spectra_go_back_to_the_sound(count):
    sound = noise(count)
    np.testing.assert_allclose(restored(transformed(sound), 0, count), sound, atol=2e-5)


@pytest.mark.parametrize(("first", "end"), [(0, 1), (1023, 1025), (5000, 9001), (29_000, 30_001)])
def test_a_part_of_the_sound_comes_back_alone(first, end):
    sound = noise(30_001)
    np.testing.assert_allclose(restored(transformed(sound), first, end), sound[first:end], atol=2e-5)


def test_column_middles():
    sound = np.zeros(40_000, np.float32)
    sound[20 * LONG_HOP] = 1
    middles = column_middles(len(sound))
    loudest = int(np.abs(transformed(sound)).sum(axis=0).argmax())
    assert transformed(sound).shape[1] == len(middles)
    assert abs(middles[loudest] - 20 * LONG_HOP) <= LONG_HOP // 2
