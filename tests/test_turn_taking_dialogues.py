"""Dialogues that nobody named."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from emomedia.session import SIDES
from emomedia.speech import speech_session
from emomedia.turn_taking import find_turns

from .rooms import RATE, Conversation, conformed, speakers, utterances
from .scenes import FOOTAGE, heard, scene, session, spoken


def stretches(speech, described=None):
    """The dialogues as (start, end) in seconds."""
    body = find_turns(described or session(), speech, FOOTAGE)
    return [(float(dialogue.start), float(dialogue.end)) for dialogue in body.dialogues]


def test_dialogues_lie_between_long_pauses():
    body = find_turns(session(), spoken([[2, 4], [20, 22]], [[7.9, 9], [30.2, 31]]), FOOTAGE)
    assert [(d.id, float(d.start), float(d.end)) for d in body.dialogues] == [
        ("s_000", 1.5, 9.5),
        ("s_001", 19.5, 22.5),
        ("s_002", 29.7, 31.5),
    ]
    assert [turn.id for turn in body.turns] == ["s_000_000", "s_000_001", "s_001_000", "s_002_000"]


def test_a_pause_of_just_over_four_seconds_is_long():
    speech = spoken([[2, 12], [15.9, 17], [21.1, 22]], [[3, 4]])
    dialogues = find_turns(session(), speech, FOOTAGE).dialogues
    assert [(float(d.start), float(d.end)) for d in dialogues] == [(1.5, 17.5), (20.6, 22.5)]


def test_found_dialogues_end_at_what_is_excluded_or_unfilmed():
    excluded = [(Fraction(5), Fraction(6))]
    footage = Fraction(1), Fraction(10)
    body = find_turns(session(excluded=excluded), spoken([[0, 4.9], [6.2, 9.8]], []), footage)
    assert [(float(d.start), float(d.end)) for d in body.dialogues] == [(1, 5), (6, 10)]


def test_silence_has_no_dialogue():
    body = find_turns(session(), spoken([], []), FOOTAGE)
    assert (body.turns, body.dialogues) == ((), ())


def test_what_the_description_says_of_a_dialogue_is_kept():
    scenes = [scene("d", 0, 20)]
    assert find_turns(session(scenes), spoken([[1, 2]], []), FOOTAGE).dialogues == tuple(scenes)


TALK = [[3, 5], [8, 9]], [[5.2, 7.5]]
"""Six seconds of conversation."""


def with_cues(*twins):
    """That conversation, and what both tracks hold alike."""
    left, right = TALK
    return spoken(sorted([*left, *twins]), sorted([*right, *([a + 0.02, b - 0.03] for a, b in twins)]))


def test_what_both_tracks_hold_alike_is_a_cue():
    assert stretches(with_cues([1, 2], [10, 11])) == [(2.5, 9.5)]
    body = find_turns(session(), with_cues([1, 2], [10, 11]), FOOTAGE)
    assert [(turn.speaker, float(turn.start)) for turn in body.turns] == [
        ("left", 3),
        ("right", 5.2),
        ("left", 8),
    ]


def test_a_cue_divides_what_has_no_long_pause():
    speech = with_cues([10, 10.6], [10.9, 12])
    for side, more in (("left", [13, 15]), ("right", [15.5, 17])):
        speech[side]["activity"].append(more)
    assert stretches(speech) == [(2.5, 9.5), (12.5, 17.5)]


def test_who_speaks_at_once_with_the_other_gives_no_cue():
    """In the middle of talk, however alike."""
    assert stretches(with_cues([5.3, 7.4])) == [(2.5, 9.5)]
    assert stretches(with_cues([9.3, 10])) == [(2.5, 10.5)]


def test_one_recording_in_both_tracks_has_no_cues():
    said = [[1, 2], [3, 5], [8, 9]]
    assert stretches(spoken(said, said)) == [(0.5, 9.5)]


def cued(*texts):
    """Conversation before and between two cues with these texts, the actors' own talk after the first."""
    left = [
        (1, 3, "我们走吧"),
        (5, 6, texts[0]),
        (8, 9, "刚才我忘词了"),
        (12, 13, texts[1]),
        (14, 16, "你来了"),
    ]
    right = [
        (3.2, 4.3, "不走"),
        (5, 6, texts[0]),
        (9.5, 10, "没事"),
        (12, 13, texts[1]),
        (16.2, 18, "我来了"),
    ]
    return heard(left, right)


def test_between_cut_and_action_nobody_plays():
    assert stretches(cued("卡！", "预备，开始！")) == [(0.5, 4.8), (13.5, 18.5)]
    assert stretches(cued("OK, cut.", "Action!")) == [(0.5, 4.8), (13.5, 18.5)]


def test_cues_that_say_nothing_known_only_divide():
    assert stretches(cued("大家", "那个")) == [(0.5, 4.8), (7.5, 10.5), (13.5, 18.5)]


def test_actors_who_say_different_things_at_once_give_no_cue():
    speech = heard([(1, 3, "走吧"), (5, 6, "快")], [(3.2, 4.3, "不走"), (5, 6, "停")])
    assert stretches(speech) == [(0.5, 6.5)]


def test_a_cues_words_alone_in_a_silence_are_one():
    left = [(2, 3, "Action!"), (4.5, 6, "走吧"), (9, 9.5, "好，卡！"), (11, 12, "我忘词了")]
    right = [(6.2, 7.5, "不走")]
    speech = heard(left, right)
    assert stretches(speech) == [(4, 8), (10.5, 12.5)]
    assert [turn.text for turn in find_turns(session(), speech, FOOTAGE).turns] == [
        "走吧",
        "不走",
        "我忘词了",
    ]


@pytest.mark.parametrize("text", ["停！", "那就开始吧", "别卡我"])
def test_what_an_actor_may_say_is_no_cue(text):
    assert stretches(heard([(1, 3, "走吧"), (5, 6, text)], [(3.2, 3.9, "不走"), (7.5, 9, "行")])) == [
        (0.5, 9.5)
    ]


def test_a_cues_word_in_talk_is_none():
    assert stretches(heard([(1, 3, "走吧"), (4.5, 5, "开始")], [(3.2, 3.9, "不走")])) == [(0.5, 5.5)]


def test_named_dialogues_are_not_cut():
    assert stretches(with_cues([10, 11]), session([scene("d", 0, 20)])) == [(0, 20)]


def test_a_third_voice_in_both_microphones_is_no_turn(tmp_path):
    """Said before the scene and after it, and heard by the two microphones alike, at real distances."""
    voices = {side: np.zeros(15 * RATE, np.float32) for side in SIDES}
    first, second, third = (utterances(pool[0]) for pool in speakers(held_out=True)[:3])
    scene_of = {"left": (4, first[0]), "right": (7, second[0])}
    for side, (at, said) in scene_of.items():
        voices[side][at * RATE : at * RATE + len(said[: 2 * RATE])] = said[: 2 * RATE]
    recording = Conversation(voices, {}).in_room(bleed_db=-18, seed=5)
    heard_by = {side: recording.track(side).copy() for side in SIDES}
    cue = third[0][:RATE] * np.float32(0.4)
    for at in (1, 12):
        for side, late, gain in (("left", 0, 1.0), ("right", 90, 0.8)):
            heard_by[side][at * RATE + late : at * RATE + late + len(cue)] += cue * np.float32(gain)
    pcm = {side: conformed(tmp_path / f"{side}.pcm", heard_by[side]) for side in SIDES}
    body = find_turns(session(), speech_session("s", pcm), (Fraction(0), Fraction(15)))
    assert len(body.dialogues) == 1
    assert [turn.speaker for turn in body.turns] == ["left", "right"]
    assert 3.4 < body.dialogues[0].start < 4 < 7 < body.dialogues[0].end < 11
