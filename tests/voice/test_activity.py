"""From evidence to activity: what counts as speech, and where it begins and ends."""

from __future__ import annotations

import numpy as np

from emomedia.voice.activity import bridged, own_activity, runs, seconds, without_short
from emomedia.voice.evidence import Evidence


def judged(level, margin, speech=1.0, known=None) -> list[tuple[int, int]]:
    level, margin = np.float32(level), np.float32(margin)
    known = np.ones(len(level), bool) if known is None else known
    return runs(own_activity(Evidence(level, margin), np.full(len(level), speech, np.float32), known))


def steps(*parts) -> np.ndarray:
    """``(value, columns)`` one after the other."""
    return np.concatenate([np.full(count, value, np.float32) for value, count in parts])


def test_a_voice_is_what_stands_out():
    margin = steps((-5, 50), (15, 40), (-5, 60))
    assert judged(steps((-60, 50), (0, 40), (-60, 60)), margin) == [(50, 90)]


def test_a_short_pause_is_part_of_a_unit_and_a_longer_one_is_not():
    for pause, count in ((20, 1), (21, 2)):
        level = steps((-60, 30), (0, 40), (-60, pause), (0, 40), (-60, 30))
        assert len(judged(level, np.where(level < 0, -5, 15))) == count


def test_a_margin_that_is_nowhere_certain_is_no_voice():
    level = steps((0, 40), (-60, 40), (0, 40), (-60, 40))
    assert judged(level, steps((15, 40), (-5, 40), (5, 40), (-5, 40))) == [(0, 40)]


def test_what_is_no_speech_is_no_voice():
    level = steps((-60, 30), (0, 40), (-60, 30))
    assert judged(level, np.where(level < 0, -5, 15), speech=0.45) == []


def test_a_click_is_no_voice():
    level = steps((0, 40), (-60, 40), (0, 7), (-60, 40))
    assert judged(level, np.where(level < 0, -5, 15)) == [(0, 40)]


def test_what_lies_far_below_an_actors_voice_is_not_it():
    level = steps((0, 200), (-60, 40), (-35, 40), (-60, 40))
    assert judged(level, np.where(level < -40, -5, 15)) == [(0, 200)]


def test_a_whisper_between_loud_turns_is_kept():
    level = steps((0, 200), (-60, 40), (-22, 40), (-60, 40))
    assert judged(level, np.where(level < -40, -5, 15)) == [(0, 200), (240, 280)]


def test_the_rooms_tail_is_not_speech():
    """A voice that breaks off; the room falls from 10 dB below it by 2 dB every 10 ms."""
    tail = [-10.0 - 2 * n for n in range(30)]
    level = np.concatenate([steps((-60, 30), (0, 50)), np.float32(tail), steps((-80, 40))])
    ((first, end),) = judged(level, np.where(level < -60, -5, 15))
    assert first == 30
    assert 80 <= end <= 83


def test_nobody_known_is_nobody_found():
    level = np.zeros(50, np.float32)
    assert judged(level, level + 20, known=np.zeros(50, bool)) == []


def test_runs_and_seconds():
    active = np.array([1, 1, 0, 0, 1], bool)
    assert runs(active) == [(0, 2), (4, 5)]
    assert runs(bridged(active, 2)) == [(0, 5)]
    assert runs(bridged(active, 1)) == [(0, 2), (4, 5)]
    assert runs(without_short(active, 2)) == [(0, 2)]
    assert seconds(active, 0.045) == [(0.0, 0.02), (0.04, 0.045)]
    assert seconds(active, 0.03) == [(0.0, 0.02)]
