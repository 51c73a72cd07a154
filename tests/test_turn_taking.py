"""From voice activity to turns and dialogues."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emomedia.errors import DescriptionError
from emomedia.turn_taking import find_turns, turns_of, units
from emomedia.turn_taking.floor import BACKCHANNEL_LENGTH
from emomedia.turn_taking.ranges import common, without
from emomedia.turn_taking.units import IPU_PAUSE, Unit
from emomedia.turns import check_turns, parse_turns, to_body

from .scenes import FOOTAGE, scene, session, spoken


def found(left, right, **described):
    """The turns as (id, speaker, start, end) in seconds."""
    turns = find_turns(session(**described), spoken(left, right), FOOTAGE).turns
    return [(turn.id, turn.speaker, float(turn.start), float(turn.end)) for turn in turns]


def test_turns_alternate():
    whole = scene("d", 0, 60)
    assert found([[1, 2], [2.5, 4], [9, 10]], [[4.3, 6], [6.9, 8]], dialogues=[whole]) == [
        ("d_000", "left", 1, 4),
        ("d_001", "right", 4.3, 8),
        ("d_002", "left", 9, 10),
    ]


def test_decimals_are_exact():
    turns = find_turns(session([scene("d", 0, 60)]), spoken([[Decimal("0.1"), 0.3]], []), FOOTAGE).turns
    assert (turns[0].start, turns[0].end) == (Fraction(1, 10), Fraction(3, 10))


def test_gaps_and_overlaps():
    turns = find_turns(session([scene("d", 0, 60)]), spoken([[1, 4], [6.5, 8]], [[3.5, 6]]), FOOTAGE).turns
    assert [(turn.gap_s, turn.overlap_s) for turn in turns] == [
        (None, Fraction(1, 2)),
        (Fraction(-1, 2), Fraction(1, 2)),
        (Fraction(1, 2), 0),
    ]


def test_a_backchannel_is_a_turn_of_its_own_and_leaves_the_floor():
    left, right = [[1, 5], [5.4, 9]], [[2, 2.5], [5.1, 5.3], [9.5, 12]]
    turns = find_turns(session([scene("d", 0, 60)]), spoken(left, right), FOOTAGE).turns
    assert [(turn.speaker, float(turn.start), float(turn.end), turn.backchannel) for turn in turns] == [
        ("left", 1, 9, False),
        ("right", 2, 2.5, True),  # within the other's speech
        ("right", 5.1, 5.3, True),  # in a pause too short to be an end
        ("right", 9.5, 12, False),
    ]
    assert turns[0].overlap_s == Fraction(1, 2)


def test_a_short_answer_is_no_backchannel():
    turns = find_turns(session([scene("d", 0, 60)]), spoken([[1, 3], [5, 8]], [[3.5, 4.2]]), FOOTAGE).turns
    assert [(turn.speaker, turn.backchannel) for turn in turns] == [
        ("left", False),
        ("right", False),
        ("left", False),
    ]


def test_the_first_words_take_the_floor_however_short():
    turns = find_turns(session([scene("d", 0, 60)]), spoken([[1, 1.4]], [[1.5, 6]]), FOOTAGE).turns
    assert [(turn.speaker, turn.backchannel) for turn in turns] == [("left", False), ("right", False)]


def test_a_long_remark_within_the_others_turn_does_not_end_it():
    assert found([[1, 10], [11, 12]], [[3, 6]], dialogues=[scene("d", 0, 60)]) == [
        ("d_000", "left", 1, 12),
        ("d_001", "right", 3, 6),
    ]


def test_a_gap_counts_from_whoever_spoke_last():
    whole = session([scene("d", 0, 60)])
    turns = find_turns(whole, spoken([[1, 10]], [[3, 6], [10.5, 12]]), FOOTAGE).turns
    assert [turn.gap_s for turn in turns] == [None, -7, Fraction(1, 2)]


def test_two_units_in_a_pause_are_an_answer():
    assert found([[1, 5], [9, 10]], [[5.05, 5.2], [5.45, 7]], dialogues=[scene("d", 0, 60)]) == [
        ("d_000", "left", 1, 5),
        ("d_001", "right", 5.05, 7),
        ("d_002", "left", 9, 10),
    ]


def test_a_long_remark_over_a_pause_takes_the_floor():
    assert found([[1, 5], [5.5, 9]], [[4.9, 6.2]], dialogues=[scene("d", 0, 60)]) == [
        ("d_000", "left", 1, 5),
        ("d_001", "right", 4.9, 6.2),
        ("d_002", "left", 5.5, 9),
    ]


def test_an_interruption_takes_the_floor():
    assert found([[1, 5]], [[4, 8]], dialogues=[scene("d", 0, 60)]) == [
        ("d_000", "left", 1, 5),
        ("d_001", "right", 4, 8),
    ]


def test_speech_counts_only_inside_its_dialogue():
    scenes = [scene("a", 2, 10), scene("b", 10, 20)]
    assert found([[0, 1], [1.5, 3], [9, 11], [19.95, 30]], [[15, 16]], dialogues=scenes) == [
        ("a_000", "left", 2, 10),  # without the other, a pause leaves the floor
        ("b_000", "left", 10, 11),
        ("b_001", "right", 15, 16),
    ]


def test_turns_that_are_cut_say_so():
    scenes = [scene("a", 2, 10), scene("b", 10, 20)]
    speech = spoken([[1, 3], [9, 11], [15, 20]], [[4, 8], [19, 21]])
    turns = find_turns(session(scenes), speech, FOOTAGE).turns
    assert [(float(turn.start), turn.flags) for turn in turns] == [
        (2, ("cut",)),
        (4, ()),
        (9, ("cut",)),
        (10, ("cut",)),
        (19, ("cut",)),
    ]


def test_excluded_and_unfilmed_speech_is_left_out():
    excluded = [(Fraction(5), Fraction(8)), (Fraction(7), Fraction(9))]
    speech = spoken([[0, 6], [8.95, 10]], [[7, 8.5]])
    turns = find_turns(session([scene("d", 0, 20)], excluded), speech, (Fraction(2), Fraction(9.5))).turns
    assert [(float(turn.start), float(turn.end)) for turn in turns] == [(2, 9.5)]
    alone = find_turns(session([scene("d", 0, 5)], excluded), speech, (Fraction(2), Fraction(9.5))).turns
    assert [(float(turn.start), float(turn.end)) for turn in alone] == [(2, 5)]


def test_activity_by_hand_may_be_in_any_order():
    speech = spoken([[5, 6], [1, 3], [2, 4]], [])
    turns = find_turns(session([scene("d", 0, 60)]), speech, FOOTAGE).turns
    assert [(turn.start, turn.end) for turn in turns] == [(1, 6)]


def test_an_id_too_long_to_name_turns_after_is_refused():
    said = spoken([[1, 2]], [])
    fits = find_turns(session([scene("d" * 96, 0, 10)]), said, FOOTAGE)
    assert len(fits.turns[0].id) == 100
    with pytest.raises(DescriptionError, match=r"session\.toml: dialogue: .*101 characters"):
        find_turns(session([scene("d" * 97, 0, 10)]), said, FOOTAGE)


times = st.integers(0, 400).map(lambda n: Fraction(n, 10))


@st.composite
def activities(draw):
    marks = sorted(draw(st.sets(times, max_size=24)))
    return [[start, end] for start, end in zip(marks[::2], marks[1::2], strict=False)]


@st.composite
def stretches(draw):
    start, length = draw(times), draw(st.integers(1, 80))
    return start, start + Fraction(length, 10)


@settings(deadline=None)
@given(activities(), activities(), st.lists(stretches(), max_size=3), stretches(), st.booleans())
def test_whatever_is_said_fits_the_session(left, right, excluded, footage, described):
    holes = sorted(excluded)
    scenes = []
    if described:  # dialogues may not touch what is excluded, nor lie outside the footage
        scenes = [scene(f"d{n}", a, b) for n, (a, b) in enumerate(without([footage], holes)) if b - a > 1]
    of = session(scenes, holes)
    speech = {side: {"activity": [[float(a), float(b)] for a, b in value]} for side, value in
              (("left", left), ("right", right))}  # fmt: skip
    body = find_turns(of, speech, footage)
    check_turns(body, of, footage, Path("turns.json"))
    assert parse_turns(to_body(body), Path("turns.json"), of) == body
    assert body == find_turns(of, speech, footage)
    starts = [turn.start for turn in body.turns]
    assert starts == sorted(starts)
    shown = without([footage], holes)
    within = common([(d.start, d.end) for d in body.dialogues], shown)
    for side, said in (("left", left), ("right", right)):
        own = [(turn.start, turn.end) for turn in body.turns if turn.speaker == side]
        joined = units([tuple(pair) for pair in said], within, side)
        # Every unit lies in a turn of its speaker, and every turn begins and ends with one.
        assert all(any(a <= unit.start and unit.end <= b for a, b in own) for unit in joined)
        assert {a for a, _ in own} <= {unit.start for unit in joined}
        assert {b for _, b in own} <= {unit.end for unit in joined}


@settings(deadline=None)
@given(activities(), activities())
def test_turns_of_one_speaker_do_not_overlap(left, right):
    whole = [FOOTAGE]
    said = [
        unit
        for side, value in (("left", left), ("right", right))
        for unit in units([tuple(pair) for pair in value], whole, side)
    ]
    turns = turns_of("d", said)
    assert [turn.id for turn in turns] == [f"d_{n:03d}" for n in range(len(turns))]
    for side in ("left", "right"):
        own = [turn for turn in turns if turn.speaker == side]
        for before, after in pairwise(own):
            assert before.end <= after.start
    for turn in turns:
        assert 0 <= turn.overlap_s <= turn.end - turn.start
        assert not turn.backchannel or turn.end - turn.start <= BACKCHANNEL_LENGTH


@settings(deadline=None)
@given(activities())
def test_units_have_no_longer_pause(said):
    joined = units([tuple(pair) for pair in said], [FOOTAGE], "left")
    for before, after in pairwise(joined):
        assert after.start - before.end > IPU_PAUSE
    assert joined == [Unit(u.start, u.end, "left") for u in joined if u.end > u.start]
