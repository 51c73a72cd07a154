"""Every loop over samples gives what its twin in NumPy gives, for random and for the worst values."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emomedia.audio._pcm import cut, pick, quantise, to_real

from . import pcm_twin as twin

WORST = {
    np.uint8: [0, 1, 127, 128, 129, 255],
    np.int16: [-32768, -32767, -1, 0, 1, 32767],
    np.int32: [-(2**31), -(2**31) + 1, -385, -384, -383, -129, -128, -127, 127, 128, 129, 384, 2**31 - 1],
    np.float32: [-1, 1, 1.5, -1.5, 0, 1e-8, 0.5 / 2**23, 1.5 / 2**23, 1 - 2**-24, np.inf, -np.inf, np.nan],
    np.float64: [-1, 1, 1e300, -1e300, 0, 0.5 / 2**23, 1.5 / 2**23, -2.5 / 2**23, np.inf, -np.inf, np.nan],
}


def values(kind: type, count: int = 5000) -> np.ndarray:
    rng = np.random.default_rng(7)
    if np.issubdtype(kind, np.integer):
        info = np.iinfo(kind)
        random = rng.integers(info.min, info.max, count, endpoint=True)
    else:
        random = rng.uniform(-1.1, 1.1, count)
    return np.concatenate([np.array(WORST[kind], kind), random.astype(kind)])


def layouts(column: np.ndarray) -> list[np.ndarray]:
    """The same column as channel 1 of blocks laid out in every way that a decoder gives them."""
    packed = np.stack([column[::-1], column, column[::-1]], axis=1)
    planar = np.ascontiguousarray(packed.T).T
    locked = packed.copy()
    locked.flags.writeable = False
    return [packed, planar, packed[::-1][::-1], np.repeat(packed, 2, axis=0)[::2], locked]


@pytest.mark.parametrize(
    ("kind", "bits"),
    [
        (np.uint8, 16),
        (np.uint8, 24),
        (np.int16, 16),
        (np.int16, 24),
        (np.int32, 24),
        (np.float32, 24),
        (np.float64, 24),
    ],
)
def test_pick_equals_its_twin(kind, bits):
    column = values(kind)
    for block in layouts(column):
        picked = pick(block, 1, bits)
        assert picked.dtype == (np.int16 if bits == 16 else np.int32)
        np.testing.assert_array_equal(picked, twin.pick(block, 1, bits))


def test_pick_keeps_the_very_samples():
    s16, s24 = values(np.int16), np.random.default_rng(1).integers(-(2**23), 2**23, 5000).astype(np.int32)
    np.testing.assert_array_equal(pick(s16[:, None], 0, 16), s16)
    np.testing.assert_array_equal(pick(s16[:, None], 0, 24), s16.astype(np.int32) * 256)
    np.testing.assert_array_equal(pick((s24 * 256)[:, None], 0, 24), s24)
    np.testing.assert_array_equal(pick((s24 / 2**23).astype(np.float32)[:, None], 0, 24), s24)


@pytest.mark.parametrize("kind", [np.int32, np.float32, np.float64])
def test_pick_never_shortens_to_16_bits(kind):
    with pytest.raises(TypeError, match="16 bits"):
        pick(np.zeros((4, 1), kind), 0, 16)


@pytest.mark.parametrize("channel", [-1, 2])
def test_pick_refuses_a_channel_that_is_not_there(channel):
    with pytest.raises(IndexError, match="2 channels"):
        pick(np.zeros((4, 2), np.int16), channel, 16)


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_to_real_is_exact(real):
    s16, s24 = values(np.int16), np.random.default_rng(2).integers(-(2**23), 2**23, 5000).astype(np.int32)
    for pcm in (s16, s24, s24[::3]):
        made = to_real(pcm, real)
        assert made.dtype == real
        np.testing.assert_array_equal(made, twin.to_real(pcm, np.float64))


def test_to_real_refuses_other_types():
    with pytest.raises(TypeError):
        to_real(np.zeros(3, np.float32))


def test_quantise_to_24_bits_equals_its_twin_and_returns_what_was_there():
    real = values(np.float64)
    np.testing.assert_array_equal(quantise(real, 24), twin.quantise(real, 24, 0))
    s24 = np.random.default_rng(3).integers(-(2**23), 2**23, 5000).astype(np.int32)
    np.testing.assert_array_equal(quantise(to_real(s24, np.float64), 24), s24)


@pytest.mark.parametrize("first", [0, 1, 2**31, 2**40])
def test_quantise_to_16_bits_equals_its_twin(first):
    real = values(np.float64)
    np.testing.assert_array_equal(quantise(real, 16, first), twin.quantise(real, 16, first))


def test_the_twin_hash_is_splitmix64():
    # The first outputs for seed 0, as in the reference code at https://prng.di.unimi.it/splitmix64.c
    known = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [int(value) for value in twin.hashed(np.arange(1, 4))] == known


@given(st.lists(st.integers(1, 700), min_size=1, max_size=6))
def test_dither_does_not_depend_on_the_blocks(lengths):
    real = np.random.default_rng(4).uniform(-0.1, 0.1, sum(lengths))
    places = np.cumsum([0, *lengths])
    parts = [quantise(real[a:b], 16, int(a)) for a, b in pairwise(places)]
    np.testing.assert_array_equal(np.concatenate(parts), quantise(real, 16))


def test_dither_makes_the_error_of_a_faint_tone_noise():
    # A tone of a quarter of a step: plain rounding would give silence, dither keeps it.
    tone = 0.25 / 32768 * np.sin(2 * np.pi * 1000 * np.arange(480_000) / 48_000)
    error = quantise(tone, 16).astype(np.float64) - tone * 32768
    assert abs(error.mean()) < 0.01
    assert error.var() == pytest.approx(0.25, rel=0.02)  # uniform rounding 1/12 and the triangle's 2/12
    assert abs(np.corrcoef(error, tone)[0, 1]) < 0.01


def test_quantise_refuses_other_depths():
    with pytest.raises(ValueError, match="16 or 24"):
        quantise(np.zeros(1), 20)


@given(st.integers(0, 40), st.integers(-60, 60), st.integers(-60, 60))
def test_cut_fills_with_zeros_outside(count, first, end):
    for kind in (np.int16, np.int32, np.float32):
        pcm = np.arange(1, count + 1).astype(kind)
        made = cut(pcm, first, end)
        assert made.dtype == kind
        np.testing.assert_array_equal(made, twin.cut(pcm, first, end))


def test_cut_reads_a_map_and_gives_a_copy(tmp_path):
    np.arange(100, dtype="<i4").tofile(tmp_path / "pcm")
    pcm = np.memmap(tmp_path / "pcm", "<i4", mode="r")
    made = cut(pcm, 90, 110)
    made[:] += 1
    np.testing.assert_array_equal(made, [*range(91, 101), *[1] * 10])


def test_cut_refuses_other_types():
    with pytest.raises(TypeError):
        cut(np.zeros(3, np.int64), 0, 1)
