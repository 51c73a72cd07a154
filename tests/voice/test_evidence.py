"""Evidence of an own voice, from spectra whose every part is known."""

from __future__ import annotations

import numpy as np
import pytest

from emomedia.session import SIDES
from emomedia.voice.evidence import COLUMNS, TAPS, Evidence, evidence
from emomedia.voice.path import AHEAD

from .test_path import gaussian
from .twins import filtered

BINS = 227
LONG = 5000


def made(own_db: float, guess_whole: bool = True) -> tuple[dict, np.ndarray]:
    """The left actor speaks all the time and bleeds at -10 dB; the right one in every other 100 columns,
    from column 2000 on, at `own_db` against that bleed."""
    rng = np.random.default_rng(7)
    voice = gaussian(rng, BINS, LONG + TAPS - 1) * np.exp(rng.standard_normal((1, LONG + TAPS - 1)))
    path = gaussian(rng, BINS, TAPS) * 0.7 ** np.arange(TAPS)
    bleed = filtered(voice, path)
    bleed *= np.float32(10 ** (-10 / 20) * np.abs(voice).std() / np.abs(bleed).std())
    speaks = (np.arange(LONG) // 100 % 2 == 1) & (np.arange(LONG) >= 2000)
    own = gaussian(rng, BINS, LONG) * np.float32(
        10 ** (own_db / 20) * np.sqrt((np.abs(bleed) ** 2).mean() / 2)
    )
    right = bleed + own * speaks + 1e-3 * gaussian(rng, BINS, LONG)
    left = voice[:, TAPS - 1 - AHEAD : -AHEAD] + 1e-3 * gaussian(rng, BINS, LONG)
    spectra = [left.astype(np.complex64), right.astype(np.complex64)]
    parts = [[spectrum[:, n : n + COLUMNS] for n in range(0, LONG, COLUMNS)] for spectrum in spectra]
    guess = {"left": np.ones(LONG, bool), "right": speaks if guess_whole else np.zeros(LONG, bool)}
    return evidence(zip(*parts, strict=True), guess), speaks


@pytest.mark.parametrize("guess_whole", [True, False])
def test_a_voice_under_bleed_stands_out_because_bleed_is_subtracted(guess_whole):
    """8 dB below the bleed; compared by power alone it would not raise a band by 1 dB."""
    found, speaks = made(-8.0, guess_whole)
    margin = found["right"].margin
    assert len(margin) == LONG
    assert np.median(margin[speaks]) > np.median(margin[~speaks]) + 5
    assert np.median(margin[~speaks]) < 2


def test_bleed_alone_is_no_evidence():
    found, _ = made(-200.0)
    assert np.percentile(found["right"].margin, 98) < 2


def test_nothing_is_no_evidence():
    found = evidence([], {side: np.zeros(0, bool) for side in SIDES})
    assert all(len(found[side].level) == len(found[side].margin) == 0 for side in SIDES)
    padded = Evidence(np.zeros(3, np.float32), np.zeros(3, np.float32)).first(5)
    assert padded.level.tolist() == padded.margin.tolist() == [0, 0, 0, -120, -120]
