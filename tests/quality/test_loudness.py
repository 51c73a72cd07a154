"""Loudness against the standard's own reference tone and against FFmpeg's ebur128."""

from __future__ import annotations

import av
import av.filter
import numpy as np
import pytest

from emomedia.quality.loudness import block_powers, integrated, lufs

RATE = 48_000


def test_a_full_scale_tone_of_997_hz_in_one_channel_is_minus_3_01_lufs():
    tone = np.sin(2 * np.pi * 997 * np.arange(5 * RATE) / RATE).astype(np.float32)
    assert integrated(block_powers(tone)) == pytest.approx(-3.01, abs=0.01)


def by_ffmpeg(sound: np.ndarray) -> float:
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="flt", layout="mono")
    meter = graph.add("ebur128", "metadata=1")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    last = None
    for first in range(0, len(sound), 4800):
        frame = av.AudioFrame.from_ndarray(sound[None, first : first + 4800], format="flt", layout="mono")
        frame.sample_rate, frame.pts = RATE, first
        graph.push(frame)
        while True:
            try:
                last = graph.pull()
            except (av.BlockingIOError, av.EOFError):
                break
    return float(last.metadata["lavfi.r128.I"])


def test_integrated_loudness_is_that_of_ffmpeg():
    rng = np.random.default_rng(0)
    level = np.repeat(10 ** (rng.uniform(-60, -10, 40) / 20), RATE // 2)
    level[:RATE] = 0
    sound = (np.cumsum(rng.normal(0, 1, len(level))) % 2 - 1) * level
    sound = (sound - sound.mean()).astype(np.float32)
    assert integrated(block_powers(sound)) == pytest.approx(by_ffmpeg(sound), abs=0.1)


def test_silence_has_no_loudness_and_too_little_has_no_blocks():
    assert integrated(block_powers(np.zeros(RATE, np.float32))) is None
    assert len(block_powers(np.zeros(19_000, np.float32))) == 0
    assert (lufs(block_powers(np.zeros(RATE, np.float32))) <= -70).all()
