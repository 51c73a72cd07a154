"""Sound files with known samples, written without libav, and talk-like noise."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from emomedia.probe.types import Track

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

BITS = {"u8": 8, "s16": 16, "s24": 24, "s32": 32, "f32": 32, "f64": 64}


def shared(name: str) -> Path:
    """A file or folder of the real recordings and odd media, or a skip where they are not."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no {name} in {SHARED}")
    return path


def write_wav(
    path: Path, samples: np.ndarray, kind: str, rate: int = 48_000, extensible: bool = False
) -> Path:
    """Write `samples` [n] or [n, channels], integers or reals as `kind` says, as WAV."""
    samples = samples[:, None] if samples.ndim == 1 else samples
    channels, bits = samples.shape[1], BITS[kind]
    if kind == "s24":
        data = samples.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3].tobytes()
    else:
        data = samples.astype(
            {"u8": "u1", "s16": "<i2", "s32": "<i4", "f32": "<f4", "f64": "<f8"}[kind]
        ).tobytes()
    tag = 3 if kind.startswith("f") else 1
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, rate, rate * frame, frame, bits)
    if extensible:
        guid = bytes.fromhex("000000001000800000aa00389b71")
        form += struct.pack("<HHI", 22, bits, (1 << channels) - 1) + struct.pack("<H", tag) + guid
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


def noise(count: int, bits: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Integers over all of the range of `bits`, its two ends among them; [n, channels]."""
    rng = np.random.default_rng(seed)
    top = 1 << (bits - 1)
    samples = rng.integers(-top, top, (count, channels))
    samples[0], samples[-1] = -top, top - 1
    return samples


def track(path: Path, *, rate: int = 48_000, bits: int = 24, channel: int = 0, **more) -> Track:
    values = {"stream": 0, "codec": "pcm", "lossless": True, "own_audio": False, "start": Fraction(0)} | more
    return Track(path=path, channel=channel, sample_rate=rate, bits=bits, **values)


def talk(seconds: float, seed: int = 0, rate: int = 48_000) -> np.ndarray:
    """Syllables of shaped noise with pauses between: what can be aligned without being speech; float64."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate)
    loud = np.zeros(count)
    place = 0
    while place < count:
        length = int(rate * rng.uniform(0.08, 0.3))
        loud[place : place + length] = rng.uniform(0.2, 1.0) * np.hanning(length)[: count - place]
        place += length + int(rate * rng.choice([0.02, 0.1, 0.9], p=[0.6, 0.3, 0.1]))
    voice = np.convolve(rng.standard_normal(count), np.ones(8) / 8, "same")
    return 0.1 * loud * voice + 1e-4 * rng.standard_normal(count)


def to_s16(real: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(real * 32768), -32768, 32767).astype(np.int16)


def shifted(real: np.ndarray, seconds: float, rate: int = 48_000) -> np.ndarray:
    """The same sound begun `seconds` later (cut off in front) or earlier (quiet noise in front)."""
    count = round(abs(seconds) * rate)
    if seconds >= 0:
        return real[count:]
    return np.concatenate([1e-4 * np.random.default_rng(9).standard_normal(count), real])
