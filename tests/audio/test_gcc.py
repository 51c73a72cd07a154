"""The peak of a whitened correlation: to a fraction of a sample, and how clear it is."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from emomedia.audio.gcc import phat_peak

from .sounds import talk

RATE = 8000


def voice(seconds: float, seed: int) -> np.ndarray:
    return soxr.resample(talk(seconds, seed=seed), 48_000, RATE).astype(np.float32)


@pytest.mark.parametrize("place", [1, 300, 701, 1999])
def test_a_copy_is_found_where_it_is(place):
    sound = voice(6, 8)
    peak = phat_peak(sound[:34_000], sound[place : place + 32_000], 2000, RATE)
    assert peak.place == pytest.approx(place, abs=0.01)
    assert peak.clarity > 0.8


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.77])
def test_between_samples(fraction):
    # The same sound sampled `fraction` of a sample later, exactly: both come from six times the rate.
    fine = talk(6, seed=3)
    shift = round(fraction * 6)
    band = soxr.resample  # what is above 4 kHz would fold: both are lowpassed at the fine rate
    low = band(band(fine, 48_000, 7000, quality="VHQ"), 7000, 48_000, quality="VHQ")
    one, other = low[::6].astype(np.float32), low[shift::6].astype(np.float32)
    peak = phat_peak(one[:34_000], other[500 : 500 + 32_000], 2000, RATE)
    assert peak.place == pytest.approx(500 + shift / 6, abs=0.01)


def test_polarity_and_level_do_not_count():
    sound = voice(6, 4)
    peak = phat_peak(sound[:34_000], -0.01 * sound[900 : 900 + 32_000], 2000, RATE)
    assert peak.place == pytest.approx(900, abs=0.01) and peak.clarity > 0.8


@pytest.mark.parametrize("seed", range(6))
def test_what_has_nothing_in_common_has_no_clear_peak_and_none_at_the_ends(seed):
    peak = phat_peak(voice(12, seed)[:81_000], voice(10, 50 + seed)[:72_000], 8000, RATE)
    assert peak.clarity < 0.4


def test_silence():
    zeros = np.zeros(9000, np.float32)
    peak = phat_peak(zeros, zeros[:4000], 2000, RATE)
    assert (peak.place, peak.clarity) == (0, 0)
