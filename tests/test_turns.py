"""turns.json: read, checked against the session, written."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emomedia import stages
from emomedia.descriptions import file_name
from emomedia.errors import DescriptionError
from emomedia.session import Dialogue, Session, Side
from emomedia.stretches import SHORTEST
from emomedia.turns import Turn, TurnsFile, Word, check_turns, decimal, parse_turns, to_body

SOURCE = Path("turns.json")

DESIGN = """
{"session": "250418_s01",
 "turns": [{"id": "250418_000_000", "dialogue": "250418_000", "speaker": "left",
            "start": 12.44, "end": 14.98, "text": "你最近去过上海吗？",
            "words": [{"text": "你", "start": 12.44, "end": 12.61, "probability": 0.98}],
            "overlap_s": 0.0, "gap_s": 0.4, "backchannel": false, "flags": []}]}
"""


def exactly(text, tmp_path):
    path = tmp_path / "given.json"
    path.write_text(text, encoding="utf-8")
    return stages.read(path)


def turn(**changes):
    return {"id": "t", "dialogue": None, "speaker": "left", "start": 1, "end": 2} | changes


def body(*turns, **others):
    return {"session": "s", "turns": list(turns)} | others


def scene(name="d", start=0, end=10, **others):
    return {"id": name, "start": start, "end": end} | others


def session(dialogues=(), excluded=()):
    side = Side("A", (Path("a.mp4"),))
    return Session("s", Path("/s/session.toml"), side, side, tuple(dialogues), tuple(excluded))


def key_of(caught):
    return caught.value.subject.removeprefix("turns.json: ")


def test_the_example_of_the_design_is_read_exactly(tmp_path):
    file = parse_turns(exactly(DESIGN, tmp_path), SOURCE)
    word = Word("你", Fraction("12.44"), Fraction("12.61"), Fraction("0.98"))
    assert file.turns == (
        Turn(
            "250418_000_000",
            "250418_000",
            "left",
            Fraction("12.44"),
            Fraction("14.98"),
            text="你最近去过上海吗？",
            words=(word,),
            gap_s=Fraction("0.4"),
        ),
    )
    assert file.session == "250418_s01"
    assert file.dialogues == ()


def test_five_keys_are_enough():
    assert parse_turns(body(turn()), SOURCE).turns == (Turn("t", None, "left", Fraction(1), Fraction(2)),)


@pytest.mark.parametrize("key", ["id", "dialogue", "speaker", "start", "end"])
def test_each_of_them_is_required(key):
    entry = turn()
    del entry[key]
    with pytest.raises(DescriptionError) as caught:
        parse_turns(body(turn(id="a"), entry), SOURCE)
    assert key_of(caught) == f"turns[1].{key}"


def test_dialogues_of_the_file_count_before_those_of_the_session():
    described = Dialogue("d", Fraction(1), Fraction(2), "food")
    assert parse_turns(body(), SOURCE, session([described])).dialogues == (described,)
    assert parse_turns(body(dialogues=[]), SOURCE, session([described])).dialogues == ()
    own = [scene("y", 5, 6, emotion="Joy"), scene("x", 1, 5)]
    found = parse_turns(body(dialogues=own), SOURCE, session([described])).dialogues
    assert [(one.id, one.start, one.end, one.emotion) for one in found] == [
        ("x", 1, 5, None),
        ("y", 5, 6, "Joy"),
    ]


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        (body(turn(strat=1)), "turns[0].strat"),
        (body(turn(), turn(id="t")), "turns[1].id"),
        (body(turn(id="../t")), "turns[0].id"),
        (body(turn(id="d"), dialogues=[scene()]), "turns[0].id"),
        (body(turn(speaker="middle")), "turns[0].speaker"),
        (body(turn(speaker=None)), "turns[0].speaker"),
        (body(turn(dialogue="a/b")), "turns[0].dialogue"),
        (body(turn(start=2)), "turns[0].end"),
        (body(turn(start=1.5)), "turns[0].start"),
        (body(turn(start=True)), "turns[0].start"),
        (body(turn(start="1")), "turns[0].start"),
        (body(turn(start=-1)), "turns[0].start"),
        (body(turn(end=float("nan"))), "turns[0].end"),
        (body(turn(end=None)), "turns[0].end"),
        (body(turn(text=5)), "turns[0].text"),
        (body(turn(text="\ud800")), "turns[0].text"),
        (body(turn(backchannel=0)), "turns[0].backchannel"),
        (body(turn(flags="loop")), "turns[0].flags"),
        (body(turn(flags=[1])), "turns[0].flags[0]"),
        (body(turn(overlap_s=-1)), "turns[0].overlap_s"),
        (body(turn(words=[{"text": "a", "start": 1}])), "turns[0].words[0].end"),
        (body(turn(words=[{"text": "a", "start": 1, "end": 0}])), "turns[0].words[0].end"),
        (
            body(turn(words=[{"text": "a", "start": 1, "end": 2, "probability": 2}])),
            "turns[0].words[0].probability",
        ),
        (body(turn(words=[3])), "turns[0].words[0]"),
        (body(3), "turns[0]"),
        (body() | {"turns": {}}, "turns"),
        (body() | {"session": ".."}, "session"),
        (body(extra=1), "extra"),
        (body(dialogues=[scene(), scene("e", 9, 11)]), "dialogues[1].start"),
        (body(dialogues=[scene(speaker="left")]), "dialogues[0].speaker"),
        ({"turns": []}, "session"),
        ({"session": "s"}, "turns"),
    ],
)
def test_what_turns_json_cannot_say(wrong, key):
    with pytest.raises(DescriptionError) as caught:
        parse_turns(wrong, SOURCE)
    assert key_of(caught) == key
    assert "\n" not in str(caught.value)


def test_null_stands_for_what_is_not_known():
    entry = turn(text=None, gap_s=None, words=[{"text": "a", "start": 1, "end": 1, "probability": None}])
    found = parse_turns(body(entry), SOURCE).turns[0]
    assert (found.text, found.gap_s, found.words[0].probability) == (None, None, None)


def checked(*turns, dialogues=(), described=(), excluded=(), footage=(0, 100), name="s"):
    file = parse_turns(body(*turns, session=name, dialogues=list(dialogues)), SOURCE)
    whole = session([Dialogue(key, Fraction(a), Fraction(b)) for key, a, b in described], excluded)
    check_turns(file, whole, (Fraction(footage[0]), Fraction(footage[1])), SOURCE)


def test_turns_that_fit_pass():
    checked(
        turn(start=0, end=10, dialogue="d"),
        turn(id="u", start=90, end=100),
        turn(id="v", start=9, end=11, dialogue="d"),
        dialogues=[scene(), scene("half", 95, 105)],
        excluded=[(Fraction(11), Fraction(90))],
    )


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"name": "other"}, "session"),
        ({"footage": (Fraction("1.1"), 100)}, "turns[0]"),
        ({"footage": (0, Fraction("1.9"))}, "turns[0]"),
        ({"footage": (50, 100)}, "turns[0]"),
        ({"excluded": [(Fraction("1.9"), Fraction(3))]}, "turns[0]"),
        ({"excluded": [(Fraction("1.4"), Fraction("1.5"))]}, "turns[0]"),
        ({"excluded": [(Fraction("12"), Fraction("13"))], "dialogues": [scene("d", 11, 14)]}, "dialogues.d"),
        ({"dialogues": [scene("d", 100, 110)]}, "dialogues.d"),
        ({"dialogues": [scene("d", 0, 1)], "footage": (1, 100)}, "dialogues.d"),
    ],
)
def test_turns_and_dialogues_that_do_not_fit_are_refused(arguments, key):
    with pytest.raises(DescriptionError) as caught:
        checked(turn(), **arguments)
    assert key_of(caught) == key


@pytest.mark.parametrize("home", ["x", "after", "before"])
def test_a_turn_belongs_to_a_dialogue_at_its_time(home):
    dialogues = [scene("before", 0, 1), scene("after", 2, 3)]
    with pytest.raises(DescriptionError) as caught:
        checked(turn(dialogue=home), dialogues=dialogues)
    assert key_of(caught) == "turns[0].dialogue"


def test_a_fault_of_the_description_names_the_description():
    with pytest.raises(DescriptionError) as caught:
        checked(dialogues=[scene("d", 100, 110)], described=[("d", 100, 110)])
    assert caught.value.subject == "/s/session.toml: dialogue.d"


def test_a_turn_up_to_the_last_frame_survives_being_written(tmp_path):
    """Edges of 29.97 frames are no decimals; rounding must not push them out of the footage."""
    rate = Fraction(30000, 1001)
    excluded = (Fraction(10) / rate, Fraction(20) / rate)
    turns = [
        Turn(f"t{k}", None, "left", a / rate, b / rate)
        for k, (a, b) in enumerate([(Fraction(2), Fraction(10)), (Fraction(20), Fraction(22))])
    ]
    path = tmp_path / "turns.json"
    stages.write(path, to_body(TurnsFile("s", tuple(turns))), "")
    file = parse_turns(stages.read(path), path)
    check_turns(file, session(excluded=[excluded]), (2 / rate, 22 / rate), path)


def test_written_times_are_rounded_to_nanoseconds():
    assert [decimal(Fraction(n, 3)) for n in (1, 2, 3)] == [Decimal("0.333333333"), Decimal("0.666666667"), 1]


def test_a_turn_that_rounding_would_leave_without_length_is_refused():
    turns = {"id": "t", "dialogue": None, "speaker": "left", "start": Decimal(13)}
    for end, right in (("13.000001", True), ("13.00000099", False), ("13", False)):
        body = {"session": "s", "turns": [turns | {"end": Decimal(end)}]}
        if right:
            parse_turns(body, SOURCE)
        else:
            with pytest.raises(DescriptionError, match=r"turns\[0\]\.end"):
                parse_turns(body, SOURCE)


seconds = st.integers(0, 10**15 - int(SHORTEST * 10**9)).map(lambda n: Fraction(n, 10**9))


@st.composite
def turns_files(draw):
    names = draw(
        st.lists(st.from_regex(r"[\w-][\w.-]{0,20}", fullmatch=True), unique_by=file_name, max_size=6)
    )
    edges = sorted(draw(st.sets(seconds, min_size=2 * len(names), max_size=2 * len(names))))
    turns, dialogues = [], []
    for k, name in enumerate(names):
        start, end = edges[2 * k], max(edges[2 * k + 1], edges[2 * k] + SHORTEST)
        if k + 1 < len(names):
            assume(end <= edges[2 * k + 2])
        if draw(st.booleans()):
            label = st.none() | st.text("abc 上海", min_size=1).filter(str.strip)
            dialogues.append(Dialogue(name, start, end, draw(label), draw(label)))
            continue
        words = draw(
            st.lists(
                st.builds(
                    Word, st.text("ab\n上"), st.just(start), st.just(end), st.none() | st.just(Fraction(1, 8))
                )
            )
        )
        turns.append(
            Turn(
                name,
                draw(st.sampled_from([None, *(one.id for one in dialogues)])),
                draw(st.sampled_from(["left", "right"])),
                start,
                end,
                draw(st.none() | st.text("ab\n上")),
                tuple(words),
                draw(seconds),
                draw(st.none() | seconds.map(lambda value: -value)),
                draw(st.booleans()),
                tuple(draw(st.lists(st.sampled_from(["loop", "silence"])))),
            )
        )
    return TurnsFile("s", tuple(turns), tuple(dialogues))


@given(turns_files())
def test_what_is_written_is_read_back(tmp_path_factory, file):
    path = tmp_path_factory.mktemp("turns") / "turns.json"
    stages.write(path, to_body(file), "hash")
    assert parse_turns(stages.read(path), path) == file


def test_the_written_file_looks_like_the_design(tmp_path):
    file = parse_turns(exactly(DESIGN, tmp_path), SOURCE)
    stages.write(tmp_path / "turns.json", to_body(file), "")
    written = json.loads((tmp_path / "turns.json").read_text(encoding="utf-8"))
    assert written["turns"] == json.loads(DESIGN)["turns"]
    assert "12.44" in (tmp_path / "turns.json").read_text(encoding="utf-8")


def test_scripts_are_named_in_session_toml_alone():
    with pytest.raises(DescriptionError, match=r"dialogues\[0\]\.script: .*session\.toml"):
        parse_turns(body(dialogues=[scene(script="p.json")]), SOURCE)
