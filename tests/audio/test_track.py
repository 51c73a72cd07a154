"""A track: its channel, at its depth, its files one after another."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from emomedia.audio.track import blocks, rebatched, stretch
from emomedia.errors import UnsupportedMediaError
from emomedia.probe.types import TrackFile

from .sounds import noise, track, write_wav


def whole(of, first: int = 0) -> np.ndarray:
    return np.concatenate([*blocks(of, first), np.zeros(0, np.int16 if of.bits == 16 else np.int32)])


@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize(("kind", "bits"), [("s16", 16), ("s24", 24)])
def test_the_channel_at_its_depth(tmp_path, kind, bits, channel):
    samples = noise(20_000, bits, 3)
    found = whole(track(write_wav(tmp_path / "a.wav", samples, kind), bits=bits, channel=channel))
    assert found.dtype == (np.int16 if bits == 16 else np.int32)
    np.testing.assert_array_equal(found, samples[:, channel])


def test_float_and_32_bits_become_24(tmp_path):
    s24 = noise(20_000, 24)[:, 0]
    real = track(write_wav(tmp_path / "f.wav", (s24 / 2**23).astype(np.float32), "f32"))
    np.testing.assert_array_equal(whole(real), s24)
    s32 = noise(20_000, 32)[:, 0]
    wide = track(write_wav(tmp_path / "i.wav", s32, "s32"))
    np.testing.assert_array_equal(whole(wide), np.minimum(np.rint(s32 / 256), 2**23 - 1))


def test_files_of_a_take_stand_at_their_own_times(tmp_path):
    parts = [noise(10_000, 16, seed=seed)[:, 0] for seed in range(3)]
    paths = [write_wav(tmp_path / f"{n}.wav", part, "s16") for n, part in enumerate(parts)]
    start = Fraction(1, 50)
    later = (
        TrackFile(paths[1], 0, start + Fraction(9000, 48_000)),  # begins before the first one ends
        TrackFile(paths[2], 0, start + Fraction(25_000, 48_000)),  # begins 6000 samples after the second
    )
    of = track(paths[0], bits=16, own_audio=True, start=start, later=later)
    expected = np.zeros(35_000, np.int16)
    expected[:9000], expected[9000:19_000], expected[25_000:] = parts[0][:9000], parts[1], parts[2]
    np.testing.assert_array_equal(whole(of), expected)
    for first in (1, 8999, 9000, 9100, 18_999, 20_000, 25_000, 34_999):
        np.testing.assert_array_equal(whole(of, first), expected[first:])


def test_a_stretch_has_zeros_beyond_the_ends(tmp_path):
    samples = noise(1000, 16)[:, 0]
    of = track(write_wav(tmp_path / "a.wav", samples, "s16"), bits=16)
    real = samples / np.float32(32768)
    np.testing.assert_array_equal(stretch(of, 100, 50), real[100:150])
    np.testing.assert_array_equal(stretch(of, -20, 50), np.concatenate([np.zeros(20), real[:30]]))
    np.testing.assert_array_equal(stretch(of, 980, 50), np.concatenate([real[980:], np.zeros(30)]))
    assert not stretch(of, 2000, 50).any()
    assert not stretch(of, -100, 50).any()


@pytest.mark.parametrize("lengths", [[], [1], [9, 1, 0, 25, 3], [100], [10, 10]])
def test_rebatched_keeps_the_samples(lengths):
    samples = np.arange(sum(lengths), dtype=np.int16)
    parts = np.split(samples, np.cumsum(lengths)[:-1]) if lengths else []
    found = list(rebatched(iter(parts), 10))
    assert [len(part) for part in found[:-1]] == [10] * (len(found) - 1)
    np.testing.assert_array_equal(np.concatenate([*found, samples[:0]]), samples)


def test_a_channel_that_is_not_there(tmp_path):
    path = write_wav(tmp_path / "a.wav", noise(1000, 16, 2), "s16")
    with pytest.raises(
        UnsupportedMediaError, match=r"a\.wav: expected channel 2 .* found channel 2 of a block with 2"
    ):
        whole(track(path, bits=16, channel=2))


def test_samples_that_do_not_fit_the_track(tmp_path):
    path = write_wav(tmp_path / "a.wav", noise(1000, 24), "s24")
    with pytest.raises(UnsupportedMediaError, match="fit 16 bits"):
        whole(track(path, bits=16))
