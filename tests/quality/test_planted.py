"""Faults planted in a picture of real people: the short version of benchmarks/quality.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emomedia.quality.measure import Tools
from emomedia.quality.profile import judge, read_profile

from .. import planted

FRAMES = 24
SEEN = {"left": True, "right": True}


@pytest.fixture(scope="module")
def halves():
    people = planted.people()
    return [planted.varied(planted.shot(*people[number], FRAMES), 7 + number) for number in (2, -1)]


@pytest.fixture(scope="module")
def tools():
    pytest.importorskip("cv2", reason="faces need the extra quality")
    return replace(Tools.found(), dnsmos=None)


def judged(left, right, tools):
    sides = planted.pictured(left, right, tools)
    return sides, judge({"speaker": None, "frame_count": FRAMES, "quality": sides}, read_profile(), SEEN)


def test_good_pictures_are_kept_and_show_two_people(halves, tools):
    sides, verdict = judged(*halves, tools)
    assert verdict.keep, verdict.reasons
    for side in SEEN:
        assert sides[side]["face_share"] == 1
        assert sides[side]["face_off_centre"] < 0.1
        assert 0.25 < sides[side]["person_share"] < 0.6
        x, y, w, h = sides[side]["face_box"]
        assert 0.3 < x + w / 2 < 0.7
        assert 0.1 < y + h / 2 < 0.5


def test_a_face_is_found_beside_the_middle_and_in_the_dark(halves, tools):
    left, right = halves
    there = judged(left, right, tools)[0]["left"]["face_box"]
    aside = judged(planted.off_frame(left, 0.3), right, tools)[0]["left"]
    assert aside["face_share"] == 1
    assert aside["face_box"] == pytest.approx([there[0] + 0.3, *there[1:]], abs=0.03)
    dim = judged(*map(planted.dim, halves), tools)[0]
    assert [dim[side]["face_share"] for side in SEEN] == [1, 1]


@pytest.mark.parametrize("fault", planted.PICTURE_FAULTS)
def test_a_planted_fault_is_found_on_its_side_alone(halves, tools, fault):
    left, right = halves
    _, verdict = judged(planted.PICTURE_FAULTS[fault][0](left), right, tools)
    names = {reason.partition(" (")[0] for reason in verdict.reasons}
    assert names & {f"left: {reason}" for reason in planted.reasons(fault)}
    assert not any(name.startswith("right") for name in names)
