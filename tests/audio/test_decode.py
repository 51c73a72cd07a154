"""Decoding gives the very samples of a file, at the places that its container gives them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emomedia.audio.decode import decode
from emomedia.audio.flac import write_flac
from emomedia.errors import MediaError, MediaNotFoundError, UnsupportedMediaError

from .sounds import noise, shared, write_wav


def whole(path: Path, rate: int = 48_000, first: int = 0, stream: int = 0) -> np.ndarray:
    return np.concatenate(list(decode(path, stream, rate, first)))


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("kind", ["u8", "s16", "s24", "s32", "f32", "f64"])
def test_wav_is_exact(tmp_path, kind, extensible, rate):
    if kind.startswith("f"):
        samples = np.random.default_rng(0).uniform(-1, 1, (9001, 3)).astype(f"f{int(kind[1:]) // 8}")
        expected = samples
    else:
        samples = noise(9001, int(kind[1:]), 3) + (128 if kind == "u8" else 0)
        expected = samples << 8 if kind == "s24" else samples
    path = write_wav(tmp_path / "a.wav", samples, kind, rate, extensible)
    found = whole(path, rate)
    assert found.dtype == {"u8": "u1", "s16": "i2", "s24": "i4", "s32": "i4", "f32": "f4", "f64": "f8"}[kind]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("bits", [16, 24])
def test_flac_is_exact(tmp_path, bits):
    samples = noise(30_001, bits, 2)
    write_flac_stereo(tmp_path / "a.flac", samples, bits)
    np.testing.assert_array_equal(whole(tmp_path / "a.flac"), samples << (8 if bits == 24 else 0))


@pytest.mark.parametrize("samples", [86_400, 100_000])
def test_flac_is_exact_from_near_its_end_on(tmp_path, samples):
    expected = noise(samples, 18)
    write_flac(tmp_path / "a.flac", [expected[:, 0].astype(np.int32)], 24)
    for first in range(samples - 20_000, samples, 499):
        found = whole(tmp_path / "a.flac", first=first)
        np.testing.assert_array_equal(found, expected[first:] << 8, err_msg=str(first))


def write_flac_stereo(path: Path, samples: np.ndarray, bits: int) -> None:
    kind = "s16" if bits == 16 else "s32"
    wide = samples.astype(np.int16) if bits == 16 else (samples << 8).astype(np.int32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=48_000, layout="stereo", format=kind)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wide.reshape(1, -1)), kind, "stereo")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_packets(path: Path, packets: list[tuple[int, np.ndarray]], rate: int = 48_000) -> Path:
    """PCM packets at given times in samples, in a container that keeps times (Matroska: milliseconds)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        container.start_encoding()
        for place, samples in packets:
            packet = av.Packet(samples.astype("<i2").tobytes())
            packet.stream, packet.time_base = stream, Fraction(1, rate)
            packet.pts = packet.dts = place
            packet.duration = len(samples)
            container.mux(packet)
    return path


def test_a_gap_is_filled_with_zeros_and_a_repeat_dropped(tmp_path):
    pieces = noise(24_000, 16)[:, 0].reshape(5, 4800)  # 100 ms each
    times = [0, 4800, 38_400, 40_800, 45_600]  # a hole of 600 ms; then 50 ms that come twice
    path = write_packets(tmp_path / "a.mkv", list(zip(times, pieces, strict=True)))
    expected = np.zeros(50_400, np.int16)
    expected[:9600] = pieces[:2].ravel()
    expected[38_400:43_200] = pieces[2]
    expected[43_200:45_600] = pieces[3][2400:]
    expected[45_600:] = pieces[4]
    np.testing.assert_array_equal(whole(path)[:, 0], expected)


def test_rounded_times_make_no_gaps(tmp_path):
    samples = noise(44_100, 16)[:, 0]
    places = range(0, 44_100, 1000)  # Matroska rounds each to a millisecond
    path = write_packets(tmp_path / "a.mkv", [(p, samples[p : p + 1000]) for p in places], 44_100)
    np.testing.assert_array_equal(whole(path, 44_100)[:, 0], samples)


@pytest.mark.parametrize("first", [1, 8192, 20_000, 40_000])
def test_beginning_later_gives_the_same_samples(tmp_path, first):
    samples = noise(48_000, 24, 2)
    wav = write_wav(tmp_path / "a.wav", samples, "s24")
    write_flac_stereo(tmp_path / "a.flac", samples, 24)
    for path in (wav, tmp_path / "a.flac"):
        np.testing.assert_array_equal(whole(path, first=first), samples[first:] << 8)


def test_beginning_after_the_end_gives_nothing(tmp_path):
    path = write_wav(tmp_path / "a.wav", noise(1000, 16), "s16")
    assert list(decode(path, 0, 48_000, 1000)) == []


def test_real_camera_sound_begins_later_alike():
    path = shared("odd/gp_hero7.mp4")
    everything = whole(path, stream=1)
    np.testing.assert_array_equal(whole(path, first=200_000, stream=1), everything[200_000:])


def test_a_missing_file(tmp_path):
    with pytest.raises(MediaNotFoundError, match=r"none\.wav"):
        whole(tmp_path / "none.wav")


def test_what_is_not_media(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF but no more than that" * 40)
    with pytest.raises(MediaError, match=r"a\.wav: expected readable sound, found invalid data"):
        whole(path)


def test_an_empty_track(tmp_path):
    with pytest.raises(MediaError, match="expected sound, found none"):
        whole(write_wav(tmp_path / "a.wav", np.zeros((0, 1)), "s16"))


def test_another_stream_than_sound(tmp_path):
    path = write_wav(tmp_path / "a.wav", noise(4800, 16), "s16")
    with pytest.raises(UnsupportedMediaError, match="sound in stream 1"):
        whole(path, stream=1)


def test_another_rate_than_probed(tmp_path):
    path = write_wav(tmp_path / "a.wav", noise(4800, 16), "s16", 44_100)
    with pytest.raises(UnsupportedMediaError, match="found 44100 Hz"):
        whole(path)


def test_a_truncated_file_gives_what_is_there(tmp_path):
    samples = noise(48_000, 24)
    path = write_wav(tmp_path / "a.wav", samples, "s24")
    path.write_bytes(path.read_bytes()[: 44 + 3 * 30_000])
    np.testing.assert_array_equal(whole(path), samples[:30_000] << 8)
