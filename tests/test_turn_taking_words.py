"""Which turn carries which words, and what is said of turns without."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emomedia.session import SIDES
from emomedia.turn_taking import find_turns
from emomedia.turns import parse_turns, to_body

from .scenes import FOOTAGE, heard, scene, segment, session, spoken

WHOLE = session([scene("d", 0, 100)])


def found(speech, described=WHOLE):
    return find_turns(described, speech, FOOTAGE).turns


def with_segments(activity, left, right=()) -> dict:
    return activity | {"transcript": {"left": list(left), "right": list(right)}}


def test_turns_have_their_words_and_text():
    speech = heard([(1, 3, "你最近去过上海吗？"), (6, 7, "真好")], [(3.2, 5.6, "去过")])
    assert [(turn.speaker, turn.text) for turn in found(speech)] == [
        ("left", "你最近去过上海吗？"),
        ("right", "去过"),
        ("left", "真好"),
    ]
    word = found(speech)[1].words[0]
    assert (word.text, word.start, word.end, word.probability) == (
        "去过",
        Fraction("3.2"),
        Fraction("5.6"),
        Fraction("0.9"),
    )


def test_the_spaces_of_other_languages_are_kept():
    speech = with_segments(
        spoken([[1, 2], [2.5, 4]], []), [segment(1, 4, " Have", " you", " been", " there?")]
    )
    assert [turn.text for turn in found(speech)] == ["Have you been there?"]


def test_without_a_transcript_there_is_no_text():
    turn = found(spoken([[1, 2]], []))[0]
    assert (turn.text, turn.words, turn.flags) == (None, (), ())
    assert "text" not in to_body(find_turns(WHOLE, spoken([[1, 2]], []), FOOTAGE))["turns"][0]


def test_a_turn_in_which_no_word_was_heard_says_so():
    turns = found(heard([(1, 3, "走吧"), (8, 9, "")], [(4, 6, "")]))
    assert [(turn.text, turn.flags) for turn in turns] == [
        ("走吧", ()),
        ("", ("no_text",)),
        ("", ("no_text",)),
    ]
    bare = with_segments(
        spoken([[1, 3]], []), [segment(1, 3, "")]
    )  # a word that was but a mark, without marks
    assert [(turn.text, turn.flags) for turn in found(bare)] == [("", ("no_text",))]
    body = find_turns(WHOLE, heard([(1, 3, "")], []), FOOTAGE)
    assert parse_turns(to_body(body), Path("turns.json"), WHOLE) == body


def test_flags_are_those_of_the_words_segments():
    left = [
        segment(1, 2, "你", flags=["low probability"]),
        segment(2.5, 4, "好", flags=["loop", "low probability"]),
    ]
    speech = with_segments(spoken([[1, 2], [2.5, 4]], [[5, 6]]), left, [segment(5, 6, "走")])
    assert [turn.flags for turn in found(speech)] == [("low probability", "loop"), ()]


def test_a_segment_left_without_words_flags_the_turns_that_it_touches():
    blanked = segment(1, 7, flags=["loop"])
    speech = with_segments(spoken([[1, 2], [6, 7], [9, 10]], [[3, 5]]), [blanked], [segment(3, 5, "不")])
    assert [(turn.speaker, turn.flags) for turn in found(speech)] == [
        ("left", ("loop", "no_text")),
        ("right", ()),
        ("left", ("loop", "no_text")),
    ]


@pytest.mark.parametrize(
    ("start", "end", "which", "cut"),
    [
        (1.8, 2.1, 0, (1.8, 2)),  # over a unit's end
        (2.3, 2.5, 0, (2, 2)),  # in a pause, nearer to the one before
        (4.5, 5.5, 1, (5, 5.5)),  # over a unit's beginning
        (1.9, 5.4, 1, (5, 5.4)),  # over both turns' edges, its middle in neither
        (2.5, 4.5, 0, (2, 2)),  # as near to both
    ],
)
def test_a_word_that_straddles_an_edge_is_in_one_turn(start, end, which, cut):
    """The left actor's turns end at 2 s and begin at 5 s."""
    word = segment(start, end, "词")
    turns = found(with_segments(spoken([[1, 2], [5, 6]], [[2.2, 4.8]]), [word]))
    own = [turn for turn in turns if turn.speaker == "left"]
    assert [len(turn.words) for turn in own] == [int(n == which) for n in range(2)]
    assert (float(own[which].words[0].start), float(own[which].words[0].end)) == cut


def test_a_word_on_the_edge_of_two_dialogues_is_in_one():
    scenes = [scene("a", 0, 10), scene("b", 10, 20)]
    speech = with_segments(spoken([[8, 12]], []), [segment(8, 12, "一", "二", "三")])  # 二: 9.3 to 10.7
    turns = find_turns(session(scenes), speech, FOOTAGE).turns
    assert [turn.text for turn in turns] == ["一", "二三"]
    assert turns[1].words[0].start == 10


def test_words_that_are_excluded_are_in_no_turn():
    excluded = [(Fraction("3.9"), Fraction("6.1"))]
    speech = with_segments(spoken([[1, 9]], []), [segment(1, 9, "一", "二", "三", "四")])  # 2 s each
    turns = find_turns(session([scene("d", 0, 20)], excluded), speech, FOOTAGE).turns
    assert [word.text for turn in turns for word in turn.words] == ["一", "四"]


tenths = st.integers(0, 300).map(lambda n: n / 10)


@st.composite
def sides(draw):
    """Activity of one side, and segments of words anywhere."""
    marks = sorted(draw(st.sets(tenths, min_size=2, max_size=20)))
    activity = [[a, b] for a, b in zip(marks[::2], marks[1::2], strict=False)]
    edges = sorted(draw(st.lists(tenths, min_size=1, max_size=8)))
    return activity, [
        segment(start, end, *(f"{n}.{k} " for k in range(draw(st.integers(1, 3)))))
        for n, (start, end) in enumerate(pairwise(edges))
    ]


@settings(deadline=None)
@given(sides(), sides())
def test_no_word_is_lost_and_none_is_twice(left, right):
    speech = with_segments(spoken(left[0], right[0]), left[1], right[1])
    turns = found(speech)
    for side, segments in zip(SIDES, (left[1], right[1]), strict=True):
        own = [turn for turn in turns if turn.speaker == side]
        said = Counter(word["text"] for one in segments for word in one["words"])
        assert Counter(word.text for turn in own for word in turn.words) == (said if own else Counter())
        for turn in own:
            assert all(turn.start <= word.start <= word.end <= turn.end for word in turn.words)
            starts = [word.start for word in turn.words]
            assert starts == sorted(starts)
            assert turn.text == "".join(word.text for word in turn.words).strip()


def test_a_short_word_far_from_all_others_is_a_turn_of_its_own():
    """Speech of 80 ms is speech; less than 100 ms is dropped just where an edge may have cut it."""
    speech = heard([(1, 3, "走吧"), (20, 20.09, "嗯")], [])
    assert [(turn.text, float(turn.start)) for turn in found(speech, session([scene("d", 0, 19)]))] == [
        ("走吧", 1)
    ]
    assert "嗯" in found(speech)[-1].text and found(speech)[-1].end == Fraction("20.09")
    cut = found(heard([], [(4, 6, "不"), (7, 7.08, "嗯")]), session([scene("d", 0, 7.05)]))
    assert [float(turn.end) for turn in cut] == [6]
