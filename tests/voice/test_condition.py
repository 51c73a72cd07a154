"""What is wrong with a track: each fault is made once, and named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emomedia.voice import condition as module
from emomedia.voice.condition import condition, same_recording

from ..rooms import RATE, conformed


def noise(seconds: float, seed: int = 0, level: float = 0.01) -> np.ndarray:
    return level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


@pytest.mark.parametrize("bits", [16, 24])
def test_a_sound_track_has_no_flags(tmp_path, bits):
    assert condition(conformed(tmp_path / "a.pcm", noise(4), bits)).flags() == []


def test_digital_zero(tmp_path):
    silent = condition(conformed(tmp_path / "a.pcm", np.zeros(2 * RATE)))
    assert silent.flags() == ["digital_zero"]
    assert silent.samples == 0
    sound = noise(5)
    sound[RATE : RATE + RATE // 2] = 0  # half a second is a noise gate's
    assert condition(conformed(tmp_path / "b.pcm", sound)).flags() == []
    sound[2 * RATE : 2 * RATE + 3 * RATE // 2] = 0
    found = condition(conformed(tmp_path / "c.pcm", sound))
    assert found.flags() == ["digital_zero"]
    assert found.zero_seconds == pytest.approx(1.5, abs=1e-4)


@pytest.mark.parametrize("bits", [16, 24])
def test_clipping(tmp_path, bits):
    tone = np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)
    assert condition(conformed(tmp_path / "a.pcm", 0.99 * tone, bits)).flags() == []
    found = condition(conformed(tmp_path / "b.pcm", 1.3 * tone, bits))
    assert found.flags() == ["clipping"]
    assert found.clipped_peaks == 200


def test_a_track_that_begins_late_or_ends_early(tmp_path):
    pcm = conformed(tmp_path / "a.pcm", noise(6))
    late = condition(replace(pcm, covered=(2 * RATE, 6 * RATE)))
    assert late.flags() == ["starts_late"]
    assert late.lead_seconds == 2
    early = condition(replace(pcm, covered=(0, 6 * RATE - round(1.5 * RATE))))
    assert early.flags() == ["ends_early"]
    assert early.tail_seconds == 1.5
    assert condition(replace(pcm, covered=(RATE // 2, 6 * RATE - RATE // 2))).flags() == []


def test_zeros_beyond_a_track_are_not_its_own(tmp_path):
    sound = noise(6)
    sound[3 * RATE :] = 0
    pcm = replace(conformed(tmp_path / "a.pcm", sound), covered=(0, 3 * RATE))
    assert condition(pcm).flags() == ["ends_early"]


def test_blocks_do_not_show(tmp_path, monkeypatch):
    sound = 1.3 * np.sin(2 * np.pi * 100 * np.arange(3 * RATE) / RATE)
    sound[RATE : 2 * RATE + 5] = 0
    pcm = conformed(tmp_path / "a.pcm", sound)
    whole = condition(pcm)
    monkeypatch.setattr(module, "_BLOCK", 997)
    assert condition(pcm) == whole
    assert whole.flags() == ["digital_zero", "clipping"]


def test_one_recording_on_both_tracks(tmp_path):
    left = conformed(tmp_path / "a.pcm", noise(3))
    quieter = conformed(tmp_path / "b.pcm", 0.3 * noise(3) + noise(3, 1, 1e-4))
    other = conformed(tmp_path / "c.pcm", 0.7 * noise(3) + noise(3, 2))
    silent = conformed(tmp_path / "d.pcm", np.zeros(3 * RATE))
    assert same_recording(left, left)
    assert same_recording(left, quieter)
    assert same_recording(left, conformed(tmp_path / "e.pcm", -np.roll(noise(3), 20)))
    assert not same_recording(left, conformed(tmp_path / "f.pcm", np.roll(noise(3), 100)))  # 70 cm away
    assert not same_recording(left, other)
    assert not same_recording(left, silent)
    assert not same_recording(silent, silent)
