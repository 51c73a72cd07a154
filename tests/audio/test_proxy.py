"""Proxies: one pass, the same places, memory that does not grow."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from emomedia.audio.proxy import LEVEL_RATE, PROXY_RATE, make_proxy, track_proxy
from emomedia.errors import OutputError

from .sounds import talk, to_s16, track, write_wav


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000, 96_000])
def test_every_sample_stays_at_its_time(tmp_path, rate):
    time = np.arange(3 * rate) / rate
    sine = 0.5 * np.sin(2 * np.pi * 700 * time)
    of = track(write_wav(tmp_path / "a.wav", to_s16(sine), "s16", rate), bits=16, rate=rate)
    with track_proxy(of, tmp_path / "scratch") as proxy:
        assert proxy.seconds == pytest.approx(3, abs=2 / PROXY_RATE)
        found = proxy.read(4000, 8000)
        expected = 0.5 * np.sin(2 * np.pi * 700 * np.arange(4000, 12_000) / PROXY_RATE)
        assert np.abs(found - expected).max() < 2e-3
        assert not proxy.read(-100, 100).any() and not proxy.read(proxy.samples, 50).any()
        np.testing.assert_array_equal(proxy.read(-5, 10)[5:], proxy.read(0, 5))
    assert [*(tmp_path / "scratch").iterdir()] == []


def test_level_and_silence():
    loud = talk(4, rate=PROXY_RATE).astype(np.float32)
    with make_proxy([loud, np.zeros(0, np.float32), loud * 0.1], PROXY_RATE) as proxy:
        half = 4 * LEVEL_RATE
        assert len(proxy.level) == 2 * half
        voiced = proxy.level[:half] > -50
        assert voiced.sum() > half / 4
        assert np.mean((proxy.level[:half] - proxy.level[half:])[voiced]) == pytest.approx(20, abs=0.2)
        assert not proxy.silent
    with make_proxy([np.zeros(9000, np.float32)], PROXY_RATE) as proxy:
        assert proxy.silent
    with make_proxy([], PROXY_RATE) as proxy:
        assert proxy.silent and proxy.samples == 0


def test_memory_is_the_level_alone():
    block = talk(10, rate=48_000).astype(np.float32)
    peaks = []
    for blocks in (6, 36):
        tracemalloc.start()
        with make_proxy((block for _ in range(blocks)), 48_000) as proxy:
            assert proxy.samples == pytest.approx(blocks * 80_000, abs=2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 30 * 10 * LEVEL_RATE * 12  # bytes: the levels, and their concatenation


def test_no_room(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError), make_proxy([np.zeros(9, np.float32)], 8000, tmp_path / "file"):
        pass
