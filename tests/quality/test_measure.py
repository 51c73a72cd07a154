"""What of the stage files concerns a clip, and whose voice is rated."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from emomedia.quality.dnsmos import NAMES, Dnsmos
from emomedia.quality.measure import SessionFacts, Tools, voices_of
from emomedia.quality.people import Seen, opencv_name, people_measures
from emomedia.session import SIDES


def facts(turns: int) -> SessionFacts:
    """A session with a turn every two seconds, and a sync window every second."""
    starts = [Decimal(2 * number) for number in range(turns)]
    spoken = [[start, start + Decimal("1.5")] for start in starts]
    windows = {
        "at": [Decimal(second) for second in range(2 * turns)],
        "residual_ms": [Decimal("0.5")] * 2 * turns,
        "counts": [second != 3 for second in range(2 * turns)],
    }
    return SessionFacts(
        {side: {"activity": spoken, "noise_db": Decimal(-60), "snr_db": Decimal(30)} for side in SIDES},
        {side: {"take": {}, "track": {"windows": windows, "residual_ms": Decimal(2)}} for side in SIDES},
        [
            {"id": f"d{number // 4}_{number % 4}", "dialogue": f"d{number // 4}", "start": start,
             "end": start + 1, "speaker": SIDES[number % 2], "flags": ["loop"] if number == 1 else []}
            for number, start in enumerate(starts)
        ],
    )  # fmt: skip


def test_a_clip_has_its_own_turns_speech_flags_and_windows():
    known = facts(8)
    turn = known.of({"id": "d0_1", "start": 1.9, "end": 3.1})
    assert turn["flags"] == ["loop"]
    assert (turn["left"]["turns"], turn["right"]["turns"]) == ([], [[2.0, 3.0]])
    assert turn["left"]["activity"] == [[2.0, pytest.approx(3.3)]], (
        "who speaks on is looked at for 0.2 s more"
    )
    assert turn["left"]["residual_ms"] == 0.5
    assert known.of({"id": "d0_1", "start": 2.5, "end": 3.1})["left"]["residual_ms"] == 2.0
    dialogue = known.of({"id": "d1", "start": 8.0, "end": 16.0})
    assert dialogue["left"]["turns"] == [[8.0, 9.0], [12.0, 13.0]]
    assert len(dialogue["right"]["activity"]) == 4


def test_facts_of_a_long_session_take_no_time():
    known = facts(1000)
    begin = time.process_time()
    for number in range(1000):
        known.of({"id": f"d{number // 4}_{number % 4}", "start": 2.0 * number, "end": 2.0 * number + 1})
    assert time.process_time() - begin < 2


def test_an_opencv_that_cannot_be_loaded_is_none(tmp_path, monkeypatch):
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    assert opencv_name() is None


@pytest.mark.parametrize(
    ("middle", "off"), [((0.5, 0.3), 0.0), ((0.2, 0.3), 0.3), ((0.8, 0.6), 0.3), ((0.55, 0.9), 0.4)]
)
def test_a_face_is_off_the_frame_to_either_side_and_below(middle, off):
    seen = [Seen((middle[0] - 0.1, middle[1] - 0.1, 0.2, 0.2), 100.0, None)]
    assert people_measures(seen, 16, 235, faces=True)["face_off_centre"] == pytest.approx(off)


@pytest.mark.parametrize(
    ("speaker", "rated"), [("left", ["left"]), ("right", ["right"]), (None, ["left", "right"])]
)
def test_dnsmos_is_asked_of_the_speaker_of_a_turn_and_of_both_in_a_dialogue(speaker, rated):
    tools = replace(Tools(), dnsmos=Dnsmos.found())
    if tools.dnsmos is None:
        pytest.skip("needs speechmos and onnxruntime")
    sounds = {side: np.random.default_rng(0).normal(0, 0.1, 216_000).astype(np.float32) for side in SIDES}
    known = {side: {"turns": [], "activity": [[0.0, 4.5]]} for side in SIDES}
    found = voices_of(sounds, 0.0, known, tools, speaker)
    assert [side for side in SIDES if all(found[side][name] is not None for name in NAMES)] == rated
    assert all(found[side]["loudness_lufs"] is not None for side in SIDES)
    known = {side: {"turns": [], "activity": [[0.0, 4.4]]} for side in SIDES}
    assert all(voices_of(sounds, 0.0, known, tools)[side]["dnsmos_ovrl"] is None for side in SIDES)
