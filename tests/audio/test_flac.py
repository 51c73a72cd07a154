"""FLAC files hold the very samples, and nothing else that could differ."""

from __future__ import annotations

import hashlib

import av
import numpy as np
import pytest

from emomedia.audio.flac import write_flac

from .sounds import noise


def read(path) -> tuple[np.ndarray, av.AudioFormat, int]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert (stream.rate, stream.channels, container.metadata, stream.metadata) == (48_000, 1, {}, {})
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(stream)])
        return samples, stream.format.name


def pcm(count: int, bits: int, seed: int = 0) -> np.ndarray:
    return noise(count, bits, seed=seed)[:, 0].astype(np.int16 if bits == 16 else np.int32)


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("count", [1, 2, 15, 16, 4607, 4608, 4609, 100_000])
def test_samples_come_back(tmp_path, bits, count):
    samples = pcm(count, bits)
    write_flac(tmp_path / "a.flac", [samples], bits)
    found, format_name = read(tmp_path / "a.flac")
    assert format_name == ("s16" if bits == 16 else "s32")
    np.testing.assert_array_equal(found >> (8 if bits == 24 else 0), samples)


@pytest.mark.parametrize("bits", [16, 24])
def test_the_header_tells_the_truth(tmp_path, bits):
    samples = pcm(10_000, bits)
    write_flac(tmp_path / "a.flac", [samples], bits)
    data = (tmp_path / "a.flac").read_bytes()
    assert data[:4] == b"fLaC" and data[4] & 0x7F == 0
    facts = int.from_bytes(data[18:26], "big")
    assert facts >> 44 == 48_000
    assert (facts >> 41) & 7 == 0  # channels less one
    assert (facts >> 36) & 31 == bits - 1
    assert facts & (2**36 - 1) == 10_000
    raw = samples.astype("<i4").view(np.uint8).reshape(-1, 4)[:, : bits // 8]
    assert data[26:42] == hashlib.md5(raw.tobytes()).digest()


def test_the_same_samples_make_the_same_bytes(tmp_path):
    samples = pcm(50_000, 24)
    np.asarray(samples, "<i4").tofile(tmp_path / "map")
    forms = [
        [samples],
        [np.repeat(samples, 2)[::2]],
        [np.memmap(tmp_path / "map", "<i4", mode="r")],
        np.split(samples, [1, 1, 4608, 4609, 30_000]),
    ]
    made = set()
    for number, form in enumerate(forms):
        write_flac(tmp_path / f"{number}.flac", form, 24)
        made.add((tmp_path / f"{number}.flac").read_bytes())
    assert len(made) == 1


def test_it_is_smaller_than_raw_and_has_no_padding(tmp_path):
    write_flac(tmp_path / "a.flac", [np.zeros(48_000, np.int32)], 24)
    assert (tmp_path / "a.flac").stat().st_size < 500


@pytest.mark.parametrize(
    ("samples", "bits"),
    [
        (np.zeros(0, np.int16), 16),
        (np.zeros(9, np.int16), 24),
        (np.zeros(9, np.int32), 16),
        (np.zeros((9, 1), np.int16), 16),
        (np.zeros(9, np.int16), 20),
    ],
)
def test_what_is_no_track_is_refused(tmp_path, samples, bits):
    with pytest.raises(ValueError, match=f"no track of {bits} bits"):
        write_flac(tmp_path / "a.flac", [samples], bits)
    assert not (tmp_path / "a.flac").exists()


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OSError, match="such file"):
        write_flac(tmp_path / "none" / "a.flac", [pcm(100, 16)], 16)
