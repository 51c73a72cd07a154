"""Dialogues by the script, and the script in a session's run."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from emomedia.errors import MediaNotFoundError
from emomedia.observer import Silent
from emomedia.options import Options
from emomedia.run import run_stage
from emomedia.scripts import by_script, match, with_script
from emomedia.scripts.scenes import dialogues_of, match_summary
from emomedia.session import Dialogue, Session, Side
from emomedia.session_file import load_session
from emomedia.turn_taking import find_turns
from emomedia.turns import Turn, TurnsFile

from ..scenes import heard
from .test_matching import WEATHER, script
from .test_prompts import scene, write

FOOTAGE = (Fraction(0), Fraction(100))
TWO = script("A: 今天天气真不错 / B: 是啊我们出去走走吧", "A: 你的小狗找到了吗 / B: 找到了在邻居家的院子里")


def said(*parts: tuple[float, float, str, str]) -> list[Turn]:
    return [
        Turn(f"t{n}", None, side, Fraction(str(start)), Fraction(str(end)), text)
        for n, (start, end, side, text) in enumerate(parts)
    ]


PLAYED = said(
    (1, 2, "left", "今天天气真不错"),
    (2.5, 4, "right", "是啊我们出去走走吧"),
    (4.5, 5, "left", "哈哈那就走咯"),
    (7, 8, "right", "下面那一场怎么演来着"),
    (8.5, 10, "left", "你的小狗找到了吗"),
    (10.5, 12, "right", "找到了在邻居家的院子里"),
    (30, 31, "left", "咱们中午吃什么呢"),
)


def stretches(turns, lines, shown=(FOOTAGE,)):
    found = dialogues_of("s", turns, lines, match(turns, lines), shown)
    assert [dialogue.id for dialogue in found] == [f"s_{n:03d}" for n in range(len(found))]
    return [(float(dialogue.start), float(dialogue.end)) for dialogue in found]


def test_scenes_part_at_the_longest_pause_between_them():
    assert stretches(PLAYED, TWO) == [(0.5, 5.5), (6.5, 12.5)]


def test_a_scene_that_nobody_plays_is_no_dialogue():
    assert stretches(PLAYED[:3], TWO) == [(0.5, 5.5)]
    assert stretches(PLAYED[-1:], TWO) == []
    assert stretches(PLAYED[:1], WEATHER) == []


def test_a_margin_ends_where_the_next_scene_begins():
    close = [*PLAYED[:2], replace(PLAYED[4], start=Fraction("4.2")), PLAYED[5]]
    assert stretches(close, TWO) == [(0.5, 4.1), (4.1, 12.5)]


def test_what_is_excluded_parts_a_scene():
    shown = ((Fraction(0), Fraction("2.2")), (Fraction("2.4"), Fraction(100)))
    assert stretches(PLAYED[:2], WEATHER, shown) == [(0.5, 2.2), (2.4, 4.5)]


def described(folder: Path, **others) -> Session:
    side = Side("A", (Path("a.mp4"),))
    return Session("s", folder / "session.toml", side, replace(side, actor="B"), **others)


def test_turns_are_found_once_more_in_the_scenes(tmp_path):
    path = write(tmp_path / "p.json", {"a": scene("今天天气真不错", "是啊我们出去走走吧")})
    asked: list[tuple[Dialogue, ...]] = []

    def find(session: Session) -> TurnsFile:
        asked.append(session.dialogues)
        if not session.dialogues:
            return TurnsFile("s", tuple(PLAYED))
        inside = (replace(turn, dialogue=session.dialogues[0].id) for turn in PLAYED[:2])
        return TurnsFile("s", tuple(inside), session.dialogues)

    found = by_script(described(tmp_path, script=(path,)), find, FOOTAGE)
    assert [len(dialogues) for dialogues in asked] == [0, 1]
    assert [turn.script.utterance_id for turn in found.turns] == ["1", "2"]
    assert found.dialogues[0].topic == found.turns[0].topic == "Weather"
    assert found.unmatched == ()


def test_a_director_who_speaks_into_a_scene_is_in_no_turn(tmp_path):
    path = write(tmp_path / "p.json", {"a": scene("今天天气真不错", "是啊我们出去走走吧")})
    cue = (5, 6, "等一下再来一遍")
    speech = heard([(1, 3, "今天天气真不错"), cue], [cue, (8, 10, "是啊我们出去走走吧")])

    def find(session: Session) -> TurnsFile:
        return find_turns(session, speech, FOOTAGE, directed=True)

    found = by_script(described(tmp_path, script=(path,)), find, FOOTAGE)
    assert [(float(one.start), float(one.end)) for one in found.dialogues] == [(0.5, 10.5)]
    assert [turn.script.utterance_id for turn in found.turns] == ["1", "2"]


def test_a_dialogues_own_script_is_for_its_own_turns(tmp_path):
    own = write(tmp_path / "own.json", {"x": scene("不是这一场"), "d": scene("今天天气真不错", "你说什么")})
    whole = write(
        tmp_path / "whole.json",
        {"dialogue": scene("今天天气真不错", "是啊我们出去走走吧", topic_label="Other")},
    )
    dialogues = (
        Dialogue("d", Fraction(0), Fraction(20), script=own),
        Dialogue("e", Fraction(20), Fraction(40)),
    )
    turns = [replace(turn, dialogue="d") for turn in PLAYED[:2]]
    for turn in PLAYED[:2]:
        later = {"start": turn.start + 20, "end": turn.end + 20}
        turns.append(replace(turn, dialogue="e", id=f"e{turn.id}", **later))
    file = TurnsFile("s", tuple(turns), dialogues)
    found = with_script(described(tmp_path, dialogues=dialogues, script=(whole,)), file)
    assert [turn.topic for turn in found.turns] == ["Weather", None, "Other", "Other"]
    assert found.unmatched == ("d/2",)
    assert with_script(described(tmp_path, dialogues=dialogues, script=(whole,)), found) is found


def test_lines_of_two_dialogues_scripts_are_told_apart(tmp_path):
    """Each script counts its lines from one."""
    lines = ("今天天气真不错", "是啊我们出去走走吧")
    files = [write(tmp_path / f"{name}.json", {"dialogue": scene(*lines)}) for name in ("one", "two")]
    dialogues = tuple(
        Dialogue(name, Fraction(n * 20), Fraction(n * 20 + 20), script=files[n])
        for n, name in enumerate("de")
    )
    turns = [replace(turn, dialogue="d") for turn in PLAYED[:2]]
    turns.append(replace(PLAYED[0], id="e0", dialogue="e", start=Fraction(21), end=Fraction(22)))
    found = with_script(described(tmp_path, dialogues=dialogues), TurnsFile("s", tuple(turns), dialogues))
    assert [turn.script.utterance_id for turn in found.turns] == ["one/1", "one/2", "two/1"]
    assert found.unmatched == ("two/2",)
    assert match_summary(found) == "script: 3 of 3 turns say a line, 3 of 4 lines are said; not two/2"


def test_the_turns_stage_takes_the_script_of_the_session(simulated, tmp_path):
    session = simulated(size=(180, 320), seconds=Fraction(3), dialogues=1)
    folder = session.parent
    text = session.read_text().partition("[[dialogue]]")[0]
    for name in ("left.mp4", "right.mp4", "recorder.wav"):
        text = text.replace(f'"{name}"', f'"{folder / name}"')
    path = tmp_path / "session.toml"
    path.write_text('script = "p.json"\n' + text)
    write(tmp_path / "p.json", {"dialogue": scene("今天天气真不错", "是啊我们出去走走吧")})
    assert load_session(path).script == (tmp_path / "p.json",)
    turns = {
        "session": "sim",
        "turns": [
            {"id": "t", "dialogue": None, "speaker": "left", "start": 1, "end": 2, "text": "今天天气不错"}
        ],
    }
    (tmp_path / "turns.json").write_text(json.dumps(turns))
    options = Options(turns=tmp_path / "turns.json")

    heard: list[str] = []
    observer = Silent()
    observer.note = heard.append

    def stage() -> dict:
        run_stage(path, tmp_path / "out", options, "turns", observer)
        return json.loads((tmp_path / "out/sim/turns.json").read_text())

    body = stage()
    assert body["turns"][0]["script"]["utterance_id"] == "1"
    assert body["script"] == {"unmatched": ["2"]}
    assert heard == ["script: 1 of 1 turns say a line, 1 of 2 lines are said; not 2"]
    stage()
    assert len(heard) == 1
    named = path.read_text()
    path.write_text(re.sub('actor = "[^"]*"', 'actor = "A"', named, count=1))
    stage()
    assert len(heard) == 2, "who is called like a speaker of the script sits where that one does"
    write(tmp_path / "p.json", {"dialogue": scene("今天天气真不错", topic_label="Changed")})
    assert stage()["turns"][0]["topic"] == "Changed"
    (tmp_path / "p.json").unlink()
    with pytest.raises(MediaNotFoundError, match=r"the file of script in session\.toml"):
        stage()


def test_without_words_no_line_is_said_to_be_left_out(tmp_path):
    path = write(tmp_path / "p.json", {"dialogue": scene("今天天气真不错", "是啊我们出去走走吧")})
    mute = tuple(replace(turn, text=None) for turn in PLAYED)
    found = with_script(described(tmp_path, script=(path,)), TurnsFile("s", mute))
    assert match_summary(found) == "script: no turn has words to compare with its 2 lines"
