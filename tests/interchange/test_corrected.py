"""What somebody changed by hand in Praat or ELAN, and only that, is changed."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from emomedia.errors import DescriptionError, StageError
from emomedia.interchange import eaf, from_tiers, read_body, textgrid, to_tiers
from emomedia.interchange.tiers import Interval, Tier
from emomedia.session import Dialogue
from emomedia.stages import as_read
from emomedia.turns import Scripted, Turn, TurnsFile, Word, parse_turns

from .test_round_trip import PATH, read, session, written

HAND = Fraction("3.25")


def word(text: str, start: str, end: str) -> Word:
    return Word(text, Fraction(start), Fraction(end), Fraction("0.9"))


TURNS = TurnsFile(
    "s",
    (
        Turn("d_000", "d", "left", Fraction("1.0004"), Fraction("2.0001"), "你好",
             (word("你", "1.1", "1.4004"),)),
        Turn("d_001", "d", "right", Fraction("1.9"), Fraction("2.3"), "嗯", overlap_s=Fraction("0.1001"),
             gap_s=Fraction("-0.1001"), backchannel=True, flags=("odd",)),
        Turn("d_002", "d", "left", Fraction(3), Fraction("4.00000001"), "她说：\"走\"\n",
             gap_s=Fraction("0.7"), script=Scripted("17", Fraction("0.5")), emotion="Joy", topic="Weather"),
        Turn("e_000", "e", "right", Fraction(12), Fraction(13), None, gap_s=None),
    ),
    (Dialogue("d", Fraction(1), Fraction("9.5004"), "Weather", "Joy"),
     Dialogue("e", Fraction(10), Fraction(20))),
)  # fmt: skip


def by_id(turns: TurnsFile) -> dict[str, Turn]:
    return {turn.id: turn for turn in turns.turns}


def in_elan(*edits: tuple[str, str]) -> TurnsFile:
    return read(edited(eaf, edits).encode(), eaf)


def in_praat(*edits: tuple[str, str]) -> TurnsFile:
    return read(edited(textgrid, edits).encode("utf-16"), textgrid)


def edited(form, edits) -> str:
    text = written(TURNS, form)
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def with_tier(form, name: str, *intervals: tuple[int, int, str]) -> TurnsFile:
    """What is read where the tier `name` has these intervals, in milliseconds."""
    tick = Fraction(1, 1000) / form.TICK
    other = Tier(
        name, tuple(Interval(int(first * tick), int(end * tick), label) for first, end, label in intervals)
    )
    tiers = [other if tier.name == name else tier for tier in to_tiers(TURNS, form.TICK)]
    return parse_turns(as_read(from_tiers(tiers, form.TICK, PATH, session())), PATH, session())


def slot(milliseconds: int) -> str:
    return f'TIME_VALUE="{milliseconds}"'


def test_a_moved_edge_moves_one_edge_and_times_its_dialogue_anew():
    found = by_id(in_elan((slot(3000), slot(3250))))
    moved = replace(TURNS.turns[2], start=HAND, gap_s=Fraction("0.95"))
    assert found == by_id(TURNS) | timed_anew() | {"d_002": moved}


def test_a_corrected_text_leaves_times_words_and_all_else():
    found = by_id(in_praat(('text = "你好"', 'text = "您""好"')))
    assert found == by_id(TURNS) | {"d_000": replace(TURNS.turns[0], text='您"好')}


def test_a_corrected_text_is_not_flagged_for_what_stood_there():
    doubtful = replace(TURNS.turns[0], flags=("repetition", "cut", "no_text", "of mine"))
    text = written(replace(TURNS, turns=(doubtful,)), textgrid)
    assert read(text.encode(), textgrid).turns == (doubtful,)
    mended = read(text.replace('text = "你好"', 'text = "您好"').encode(), textgrid)
    assert mended.turns == (replace(doubtful, text="您好", flags=("cut", "of mine")),)


def test_a_turn_deleted_in_praat_vanishes_and_its_dialogue_is_timed_again():
    found = in_praat(('text = "嗯"', 'text = ""'))
    gap = Fraction("0.9999")
    assert found.turns == (TURNS.turns[0], replace(TURNS.turns[2], gap_s=gap), TURNS.turns[3])


def test_a_turn_deleted_in_elan_vanishes_with_what_hangs_on_it():
    root = ET.fromstring(written(TURNS, eaf))
    reference = root.find(".//TIER[@TIER_ID='right']//ALIGNABLE_ANNOTATION").get("ANNOTATION_ID")
    for tier in root.iter("TIER"):
        for annotation in list(tier):
            if reference in (annotation[0].get("ANNOTATION_ID"), annotation[0].get("ANNOTATION_REF")):
                tier.remove(annotation)
    assert [turn.id for turn in read(ET.tostring(root), eaf).turns] == ["d_000", "d_002", "e_000"]


def test_a_new_turn_gets_an_id_that_nothing_has_and_its_dialogue():
    found = by_id(
        with_tier(eaf, "left", (1000, 2000, "你好"), (3000, 4000, '她说："走"'), (5000, 6000, "新的"))
    )
    new = Turn("d_003", "d", "left", Fraction(5), Fraction(6), "新的", gap_s=Fraction("0.99999999"))
    assert found == by_id(TURNS) | {"d_003": new} | timed_anew()


def timed_anew() -> dict[str, Turn]:
    """The turns of ``d`` whose overlap is not what the speech was found to be, but that of the turns."""
    return {
        "d_000": replace(TURNS.turns[0], overlap_s=Fraction("0.1001")),
    }


def test_a_split_turn_keeps_its_id_on_the_larger_part():
    found = by_id(with_tier(eaf, "left", (1000, 2000, "你好"), (3000, 3250, "她说"), (3250, 4000, "走")))
    assert (found["d_003"].text, found["d_003"].end, found["d_003"].script) == ("她说", HAND, None)
    assert (found["d_002"].text, found["d_002"].start) == ("走", HAND)
    assert (found["d_002"].end, found["d_002"].script) == (TURNS.turns[2].end, TURNS.turns[2].script)


def test_a_backchannel_may_be_unmarked():
    found = by_id(in_praat(('text = "backchannel"', 'text = ""')))
    assert found == by_id(TURNS) | {"d_001": replace(TURNS.turns[1], backchannel=False)}


def test_an_emotion_may_be_given():
    found = by_id(with_tier(textgrid, "left emotions", (3100, 3900, "Anger")))
    assert found == by_id(TURNS) | {"d_002": replace(TURNS.turns[2], emotion="Anger")}


def test_a_dialogue_may_be_moved():
    found = in_elan((slot(9500), slot(9700)))
    assert found.dialogues == (replace(TURNS.dialogues[0], end=Fraction("9.7")), TURNS.dialogues[1])
    assert found.turns == TURNS.turns


def test_a_moved_word_is_as_it_stands_and_the_others_as_they_were():
    found = by_id(in_elan((slot(1400), slot(1500))))
    assert found["d_000"].words == (Word("你", Fraction("1.1"), Fraction("1.5")),)


def test_words_that_no_tier_shows_stay_with_a_turn_that_is_moved():
    word = Word("嗯", Fraction(3), Fraction(3))
    turns = replace(TURNS, turns=(replace(TURNS.turns[2], words=(word,)),))
    text = written(turns, eaf).replace(slot(3000), slot(3250))
    assert read(text.encode(), eaf).turns[0].words == (word,)


@pytest.mark.parametrize("where", [200, 5000])
def test_a_turn_copied_with_its_data_is_a_new_one(where):
    copied = []
    for tier in to_tiers(TURNS, eaf.TICK):
        if tier.name in ("right", "right data"):
            copy = Interval(where, where + 400, tier.intervals[0].label)
            tier = Tier(tier.name, tuple(sorted((*tier.intervals, copy), key=lambda one: one.place)))
        copied.append(tier)
    body = as_read(from_tiers(copied, eaf.TICK, PATH, session()))
    found = by_id(parse_turns(body, PATH, session()))
    assert found["d_001"] == replace(TURNS.turns[1], gap_s=found["d_001"].gap_s)
    new = found["d_003" if where == 5000 else "s_000"]
    assert (new.text, new.start, new.end) == ("嗯", Fraction(where, 1000), Fraction(where + 400, 1000))


SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
9.5
<exists>
3
"IntervalTier"
"left"
0
9.5
3
0
1.25
""
1.25
2.5
"I said ""no""!
Twice."
2.5
9.5
""
"TextTier"
"bell"
0
9.5
1
1.5
"ding"
"IntervalTier"
"right"
0
9.5
1
0
9.5
""
"""


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_praats_short_text_of_another_program(codec):
    data = SHORT.encode(codec)
    data = b"\xfe\xff" + data if codec == "utf-16-be" else data
    found = read(data, textgrid)
    assert found.turns == (
        Turn("s_000", None, "left", Fraction("1.25"), Fraction("2.5"), 'I said "no"!\nTwice.'),
    )


def test_turns_of_another_program_are_in_the_dialogues_of_the_session():
    dialogues = (Dialogue("d", Fraction(0), Fraction(4, 3)), Dialogue("e", Fraction(4, 3), Fraction(9)))
    described = replace(session(), dialogues=dialogues)
    body = from_tiers(textgrid.read(SHORT.encode(), PATH), textgrid.TICK, PATH, described)
    assert [(turn["id"], turn["dialogue"]) for turn in body["turns"]] == [("e_000", "e")]
    assert "dialogues" not in body


HANGING = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="milliseconds"/>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="t1" TIME_VALUE="1000"/><TIME_SLOT TIME_SLOT_ID="t2"/>
<TIME_SLOT TIME_SLOT_ID="t3" TIME_VALUE="3000"/></TIME_ORDER>
<TIER TIER_ID="left words" PARENT_REF="left"><ANNOTATION>
<REF_ANNOTATION ANNOTATION_ID="b" ANNOTATION_REF="a">
<ANNOTATION_VALUE>one</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION><ANNOTATION>
<REF_ANNOTATION ANNOTATION_ID="c" ANNOTATION_REF="a" PREVIOUS_ANNOTATION="b">
<ANNOTATION_VALUE>two</ANNOTATION_VALUE>
</REF_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="left"><ANNOTATION>
<ALIGNABLE_ANNOTATION ANNOTATION_ID="a" TIME_SLOT_REF1="t1" TIME_SLOT_REF2="t2">
<ANNOTATION_VALUE>one two</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
</ANNOTATION_DOCUMENT>"""


def test_elans_tiers_that_hang_on_others_and_times_that_are_not_set():
    words = (Word("one", Fraction(1), Fraction("1.5")), Word("two", Fraction("1.5"), Fraction(2)))
    assert read(HANGING.encode(), eaf).turns == (
        Turn("s_000", None, "left", Fraction(1), Fraction(2), "one two", words),
    )


@pytest.mark.parametrize(
    ("form", "edit", "parts"),
    [
        (eaf, ("?>", '?><!DOCTYPE x [<!ENTITY a "aaaa">]>'), ["an ELAN document in XML", "a document type"]),
        (eaf, ("</TIER>", ""), ["an ELAN document in XML", "mismatched tag"]),
        (eaf, ("ANNOTATION_DOCUMENT", "HTML"), ["an ELAN document", "'HTML'"]),
        (eaf, ("milliseconds", "NTSC-frames"), ["times in milliseconds", "'NTSC-frames'"]),
        (eaf, ('TIME_VALUE="1000"', 'TIME_VALUE="1e9"'), ["a TIME_VALUE", "'1e9'"]),
        (eaf, ('TIME_SLOT_REF1="t1"', 'TIME_SLOT_REF1="x"'), ["a TIME_SLOT for", "'x'"]),
        (eaf, ('ANNOTATION_ID="c"', 'ANNOTATION_ID="b"'), ["ANNOTATION_ID of its own", "'b'"]),
        (eaf, ('ANNOTATION_REF="a"', 'ANNOTATION_REF="b"'), ["every annotation to hang on", "'left words'"]),
        (eaf, ('TIER_ID="left"', 'TIER_ID="links"'), ["tiers called 'left' and 'right'", "'links'"]),
        (textgrid, ('"TextGrid"', '"Pitch"'), ["a TextGrid", "'Pitch'"]),
        (textgrid, ('"ding"', ""), ["the name of a tier", "'0'"]),
        (textgrid, ("\n1.5\n", "\n-1.5\n"), ["a time in seconds", "'-1.5'"]),
        (textgrid, ('"right"', '"left"'), ["each tier once", "'left' twice"]),
        (textgrid, ("\n3\n", "\n99999\n"), ["at most 1000 tiers", "99999"]),
        (textgrid, ("\n3\n0\n1.25", "\n9\n0\n1.25"), ["a time", "TextTier"]),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else None,
)  # fmt: skip
def test_what_is_no_such_file_is_refused_in_one_line(form, edit, parts):
    text = (HANGING if form is eaf else SHORT).replace(*edit)
    with pytest.raises(DescriptionError) as caught:
        read(text.encode(), form)
    message = str(caught.value)
    assert [part for part in [PATH.name, *parts] if part not in message] == [], message
    assert "\n" not in message


def test_turns_of_one_side_that_overlap_are_refused():
    turns = (TURNS.turns[0], replace(TURNS.turns[2], start=Fraction(2)))
    with pytest.raises(DescriptionError, match=r"d_002.*that do not overlap"):
        written(replace(TURNS, turns=turns), textgrid)


def test_data_that_somebody_spoiled_are_refused():
    with pytest.raises(DescriptionError, match=r"data.*JSON as emomedia wrote it"):
        in_praat(('{""id"":""d_001"",', '{""ib"":""d_001"",'))


@pytest.mark.parametrize(("name", "text"), [("a.TextGrid", SHORT), ("a.EAF", HANGING)])
def test_a_name_says_how_a_file_is_read(tmp_path: Path, name, text):
    (tmp_path / name).write_text(text)
    assert read_body(tmp_path / name, session())["turns"][0]["speaker"] == "left"


def test_a_broken_file_of_the_users_is_not_to_be_deleted(tmp_path: Path):
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(StageError, match=r"found list; correct the file, or its path$"):
        read_body(tmp_path / "a.json", session())


def test_the_part_of_a_turn_that_nobody_transcribed_has_no_text_either():
    found = by_id(
        with_tier(eaf, "right", (1900, 2300, "嗯"), (12000, 12600, "[no text]"), (12600, 13000, "[no text]"))
    )
    assert [(found[name].text, found[name].words) for name in ("e_000", "e_001")] == [(None, ()), (None, ())]


def test_hours_of_another_programs_turns_are_read_within_seconds():
    """Three hours of turns in no dialogue: ids, gaps and overlaps are found without looking at all others."""
    sides = {"left": 0, "right": 800}
    tiers = [
        Tier(side, tuple(Interval(n * 2000 + at, n * 2000 + at + 1000, "a") for n in range(5000)))
        for side, at in sides.items()
    ]
    begin = time.process_time()
    body = from_tiers(tiers, eaf.TICK, PATH, session())
    assert time.process_time() - begin < 10
    assert [turn["id"] for turn in body["turns"]][-2:] == ["s_9998", "s_9999"]
    assert {float(turn["overlap_s"]) for turn in body["turns"]} == {0.2}
