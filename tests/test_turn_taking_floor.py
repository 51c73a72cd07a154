"""Whose turn it is where words are known: backchannels, answers, remarks, interruptions."""

from __future__ import annotations

from itertools import pairwise

import pytest

from emomedia.turn_taking import find_turns
from emomedia.turn_taking.backchannels import asks, is_listening_sign

from .conversations import simulated, speech_of
from .scenes import FOOTAGE, heard, scene, session


def found(left, right):
    """The turns as (speaker, text, backchannel)."""
    turns = find_turns(session([scene("d", 0, 100)]), heard(left, right), FOOTAGE).turns
    return [(turn.speaker, turn.text, turn.backchannel) for turn in turns]


@pytest.mark.parametrize(
    "text",
    ["嗯", "嗯嗯。", "对，对，对！", "啊", "哦，是吗？", "好的，好的", "對對", "真的啊", "这样啊", "太好了！",
     "沒錯", "mm-hm", "Uh-huh.", "Yeah, yeah.", " Right", "Oh, I see.", "OK"],
)  # fmt: skip
def test_signs_of_listening(text):
    assert is_listening_sign(text)


@pytest.mark.parametrize(
    "text",
    ["", "，", "不是", "对不起", "好吃", "是我", "嗯，我觉得", "好100", "Yeah, but", "right there", "no"],
)
def test_no_signs_of_listening(text):
    assert not is_listening_sign(text)


@pytest.mark.parametrize(
    "text",
    [
        "你去过上海吗？",
        "你去过上海吗",
        "是不是你",
        "好不好",
        "有没有去过",
        "对吧。",
        "真的么",
        "Ready?",
        "你呢？",
        "هل أنت هنا؟",
    ],
)
def test_questions(text):
    assert asks(text)


@pytest.mark.parametrize("text", ["", "我去过上海。", "我不知道是什么", "就这么", "Ready.", "不是我不想"])
def test_no_questions(text):
    assert not asks(text)


def test_a_sign_of_listening_leaves_the_floor_however_long_the_pause():
    left = [(1, 3, "我昨天去了上海。"), (5.5, 8, "见了一个朋友。")]
    assert found(left, [(3.4, 4.2, "嗯嗯。")]) == [
        ("left", "我昨天去了上海。见了一个朋友。", False),
        ("right", "嗯嗯。", True),
    ]


def test_a_sign_of_listening_is_one_however_long_it_is():
    left = [(1, 6, "我昨天去了上海看朋友")]
    assert found(left, [(3, 4.6, "对对对对对")])[1] == ("right", "对对对对对", True)


def test_the_same_word_answers_a_question():
    left = [(1, 3, "你去过上海吗？"), (3.9, 6, "那你说说。")]
    assert found(left, [(3.2, 3.6, "嗯。")]) == [
        ("left", "你去过上海吗？", False),
        ("right", "嗯。", False),
        ("left", "那你说说。", False),
    ]


def test_an_answer_may_begin_before_the_question_ends():
    left = [(1, 3, "你去过上海，对吧？"), (3.9, 6, "那你说说。")]
    assert found(left, [(2.7, 3.2, "对。")])[1:] == [("right", "对。", False), ("left", "那你说说。", False)]


def test_a_sign_of_listening_under_a_question_is_one():
    left = [(1, 4, "你上次说你去过上海吗？")]
    assert found(left, [(2, 2.3, "嗯"), (4.2, 5, "去过")])[1:] == [
        ("right", "嗯", True),
        ("right", "去过", False),
    ]


def test_a_short_word_that_says_something_takes_the_floor():
    left = [(1, 3, "我走了。"), (3.8, 5, "为什么不行？")]
    assert found(left, [(3.2, 3.6, "不行！")]) == [
        ("left", "我走了。", False),
        ("right", "不行！", False),
        ("left", "为什么不行？", False),
    ]


def test_a_remark_under_the_others_speech_leaves_the_floor_and_is_no_backchannel():
    left = [(1, 6, "我昨天去了上海看一个朋友")]
    assert found(left, [(3, 3.5, "上海")]) == [
        ("left", "我昨天去了上海看一个朋友", False),
        ("right", "上海", False),
    ]


def test_who_outlasts_the_other_has_interrupted():
    left = [(1, 5, "我昨天去了上海看一个"), (9, 10, "真烦")]
    assert found(left, [(3, 8, "你别说了我不想听")]) == [
        ("left", "我昨天去了上海看一个", False),
        ("right", "你别说了我不想听", False),
        ("left", "真烦", False),
    ]


def test_a_bid_goes_on_in_the_turn_that_wins_the_floor():
    left = [(1, 5, "我昨天去了上海看一个")]
    assert found(left, [(3, 3.6, "你别"), (3.9, 8, "你别说了")])[1:] == [("right", "你别你别说了", False)]
    assert found(left, [(3, 3.6, "你别"), (4.2, 8, "你别说了")])[1:] == [
        ("right", "你别", False),
        ("right", "你别说了", False),
    ]


def test_a_sign_at_a_turns_beginning_belongs_to_it():
    left = [(1, 3, "我昨天去了上海。"), (8, 9, "下次吧")]
    assert found(left, [(3.2, 3.5, "嗯，"), (4.1, 7, "我也想去。")])[1] == ("right", "嗯，我也想去。", False)


def test_the_others_sign_of_listening_does_not_take_that_beginning_away():
    left = [(1, 3, "我昨天去了上海。"), (3.7, 4.0, "对"), (8, 9, "下次吧")]
    assert found(left, [(3.2, 3.5, "哦，"), (4.1, 7, "我也想去。")])[1:3] == [
        ("right", "哦，我也想去。", False),
        ("left", "对", True),
    ]


def test_where_the_recogniser_heard_nothing_length_and_place_decide():
    left = [(1, 3, "我昨天去了上海。"), (4, 8, "见了一个朋友。")]
    assert found(left, [(3.2, 3.6, "")])[1] == ("right", "", True)
    assert found(left, [(3.2, 4.6, "")])[1] == ("right", "", False)


def test_the_last_sign_of_listening_stays_one():
    assert found([(1, 3, "我走了。")], [(3.2, 3.5, "好。")])[1] == ("right", "好。", True)


def test_simulated_conversations_are_as_they_are_meant():
    talks = [simulated(300, seed) for seed in range(3)]
    assert all(0.15 < talk.overlap_share < 0.25 for talk in talks)
    for talk in talks:
        for speaker in range(2):
            units = talk.activity(speaker)
            assert all(before[1] + 0.2 <= after[0] for before, after in pairwise(units))
    speech = speech_of(talks[0], 0)
    assert {"left", "right", "transcript"} == set(speech)
