"""How the floor passes, as it is told."""

from __future__ import annotations

from emomedia.turn_taking import find_turns
from emomedia.turn_taking.transitions import Transition, transitions, turns_summary

from .scenes import FOOTAGE, heard, scene, session

LEFT = [(1, 5, "我昨天去了上海"), (5.4, 8, "见了一个朋友"), (13, 16, "那你也去啊")]
RIGHT = [
    (2, 2.4, "嗯"),
    (6, 7.5, "哪个朋友"),
    (7.75, 10, "我也想去"),
    (10.5, 14, "可是没有钱"),
    (16.2, 17, "没钱"),
]


def made():
    return find_turns(session([scene("d", 0, 100)]), heard(LEFT, RIGHT), FOOTAGE)


def test_each_turn_passes_the_floor_in_one_way():
    assert [(kind, float(distance)) for kind, distance in transitions(made().turns)] == [
        (Transition.FIRST, 0),
        (Transition.BACKCHANNEL, -6),
        (Transition.COMPETITIVE_OVERLAP, -2),  # a remark that went on when the other had ended
        (Transition.COMPETITIVE_OVERLAP, -1),
        (Transition.GAP, 0.2),
    ]


def test_short_overlaps_are_terminal_and_remarks_pass_nothing():
    left, right = [(1, 5, "我昨天去了上海"), (7, 8, "怎么")], [(2, 3, "上海"), (4.6, 7.2, "我也想去")]
    turns = find_turns(session([scene("d", 0, 100)]), heard(left, right), FOOTAGE).turns
    kinds = [kind for kind, _ in transitions(turns)]
    assert kinds == [
        Transition.FIRST,
        Transition.REMARK,
        Transition.TERMINAL_OVERLAP,
        Transition.TERMINAL_OVERLAP,
    ]


def test_people_get_a_summary():
    assert turns_summary(made()) == [
        "  1 dialogues, 5 turns, among them 1 backchannels, 0 remarks within the other's turn",
        "  the floor passes: 1 after a gap (0.20 s in the median), 0 in a terminal overlap, "
        "2 in a competitive overlap",
    ]


def test_nothing_said_is_summarised_too():
    silence = find_turns(session([scene("d", 0, 100)]), heard([], []), FOOTAGE)
    assert turns_summary(silence) == [
        "  1 dialogues, 0 turns, among them 0 backchannels, 0 remarks within the other's turn"
    ]
