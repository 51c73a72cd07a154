"""What the engine's observer writes of a composite, against the same written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from emomedia.quality.picture import changes
from emomedia.quality.pixels import LEVELS, PER_HALF, SKETCH, VALUES, values_of


def written_out(half: np.ndarray, colour_range: str) -> dict[str, float]:
    """The definitions of docs/quality.md for a half of uint8[height, width]."""
    black, white, nearly = LEVELS[colour_range]
    height, width = half.shape
    means = half.reshape(height // 4, 4, width // 4, 4).astype(float).sum(axis=(1, 3))
    inner = means[1:-1, 1:-1]
    laplacian = means[:-2, 1:-1] + means[2:, 1:-1] + means[1:-1, :-2] + means[1:-1, 2:] - 4 * inner
    gradient = (means[1:-1, 2:] - inner) ** 2 + (means[2:, 1:-1] - inner) ** 2
    rows = half[::4]
    middle = half[::4][np.arange(0, height, 4) >= height // 5][:, width // 3 : width - width // 3]
    return {
        "luma": half.mean(),
        "sharpness": laplacian.var() / gradient.mean(),
        "shadows": (rows <= black).mean(),
        "highlights": (rows >= white).mean(),
        "centre_highlights": (middle >= white).mean(),
        "black": (rows <= nearly).mean(),
    }


def picture(seed: int, height: int = 216, width: int = 384) -> np.ndarray:
    """Something with edges, shadows and highlights in it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8, width // 8)).repeat(8, axis=0).repeat(8, axis=1)
    return np.clip(coarse + rng.normal(0, 4, coarse.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("colour_range", ["limited", "full"])
def test_the_values_of_both_halves_are_those_of_the_definitions(colour_range):
    whole = picture(1)
    values = values_of(whole, 8, colour_range)
    for side in range(2):
        half = whole[:, 192 * side : 192 * (side + 1)]
        mine = values[side * PER_HALF :][: len(VALUES)]
        assert dict(zip(VALUES, mine, strict=True)) == pytest.approx(
            written_out(half, colour_range), rel=1e-5
        )


def test_ten_bits_are_measured_as_eight():
    whole = picture(2)
    assert np.array_equal(
        values_of(whole.astype(np.uint16) << 2, 10, "limited"), values_of(whole, 8, "limited")
    )


def test_the_distance_of_sketches_is_that_of_the_pictures():
    found, true = [], []
    for seed in range(12):
        one, other = picture(seed), picture(seed)
        rng = np.random.default_rng(seed)
        y, x = rng.integers(0, 100), rng.integers(0, 60)
        other[y : y + 80, x : x + 90] = picture(seed + 50)[y : y + 80, x : x + 90]
        values = np.array([values_of(each, 8, "limited")[:PER_HALF] for each in (one, other)], float)
        found.append(changes(values, 192 * 216)[0])
        means = [each[:, :192].reshape(54, 4, 48, 4).mean(axis=(1, 3)) for each in (one, other)]
        true.append(np.sqrt(((means[0] - means[1]) ** 2).mean()))
    ratio = np.array(found) / np.array(true)
    assert ratio.mean() == pytest.approx(1, abs=3 * np.sqrt(1 / (2 * SKETCH * 12)))
    assert ratio.std() < 2 * np.sqrt(1 / (2 * SKETCH))
    assert changes(values[[0, 0]], 192 * 216)[0] == 0
