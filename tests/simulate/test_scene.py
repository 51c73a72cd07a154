"""Scenes are laid out as conversations are, whatever the lengths of their utterances."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emomedia.simulate.scene import arrange
from emomedia.simulate.scripts import RECORDED, SCRIPTS
from emomedia.simulate.voices import MILLISECOND, Spoken


def speaker(lengths):
    """Says everything in one of these lengths, in milliseconds."""

    def say(_side, text):
        return Spoken(text, np.zeros(lengths[len(text) % len(lengths)] * MILLISECOND, np.float32))

    return say


@given(
    st.lists(st.integers(100, 4000), min_size=1, max_size=7),
    st.fractions(0, 5, max_denominator=1000),
    st.integers(2, 90),
    st.integers(1, 9),
    st.booleans(),
    st.integers(0, 1000),
)
def test_utterances_keep_to_their_dialogue_and_their_speaker(lengths, first, seconds, wanted, texts, seed):
    scripts = SCRIPTS if texts else [RECORDED]
    stretch = (first, first + seconds)
    scenes = arrange("s", scripts, stretch, wanted, speaker(lengths), np.random.default_rng(seed))
    assert len(scenes) <= wanted
    for earlier, later in pairwise(scenes):
        assert earlier.end <= later.start
    for number, scene in enumerate(scenes):
        assert scene.id == f"s_{number:03}"
        assert stretch[0] * 1000 <= scene.start < scene.end <= stretch[1] * 1000
        assert [u.id for u in scene.utterances] == [
            f"{scene.id}_{n:03}" for n in range(len(scene.utterances))
        ]
        assert [u.start for u in scene.utterances] == sorted(u.start for u in scene.utterances)
        for utterance in scene.utterances:
            assert scene.start < utterance.start < utterance.end < scene.end
        for side in ("left", "right"):
            own = [u for u in scene.utterances if u.speaker == side]
            assert all(earlier.end < later.start for earlier, later in pairwise(own))
        check_floor(scene)


def check_floor(scene):
    """The actors take turns; a backchannel falls into the other's words."""
    turns = [u for u in scene.utterances if not u.backchannel]
    assert all(earlier.speaker != later.speaker for earlier, later in pairwise(turns))
    for aside in (u for u in scene.utterances if u.backchannel):
        assert any(t.start < aside.start and aside.end < t.end and t.speaker != aside.speaker for t in turns)


def test_a_long_session_has_all_dialogues_pauses_overlaps_and_backchannels():
    say = speaker([300, 900, 1300, 1700])
    scenes = arrange("s", SCRIPTS, (Fraction(0), Fraction(120)), 8, say, np.random.default_rng(0))
    assert len({(scene.topic, scene.emotion) for scene in scenes}) == len(scenes) == 8
    assert {scene.utterances[0].speaker for scene in scenes} == {"left", "right"}
    spoken = [u for scene in scenes for u in scene.utterances]
    assert any(u.backchannel for u in spoken)
    turns = [[u for u in scene.utterances if not u.backchannel] for scene in scenes]
    gaps = [later.start - earlier.end for scene in turns for earlier, later in pairwise(scene)]
    assert min(gaps) < -150 and max(gaps) > 300


def test_a_dialogue_without_time_for_a_line_is_left_out():
    say = speaker([3000])
    stretch = (Fraction(0), Fraction(3))
    assert arrange("s", SCRIPTS, stretch, 1, say, np.random.default_rng(0)) == ()
