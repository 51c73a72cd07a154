"""Prompt files: what is read, and what is refused how."""

from __future__ import annotations

import json

import pytest

from emomedia.errors import DescriptionError, MediaNotFoundError
from emomedia.scripts import Line, Scene, Script, prompts, read_script


def scene(*texts: str, **others):
    utterances = [
        {"utterance_id": n, "speaker_id": "AB"[n % 2], "emotion_label": "Joy", "text": text}
        for n, text in enumerate(texts, start=1)
    ]
    return {"topic_label": "Weather", "num_utterances": len(texts), "utterances": utterances} | others


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8-sig")
    return path


def test_one_dialogue(tmp_path):
    path = write(tmp_path / "p.json", {"dialogue": scene("你好", "你好！", author="me")})
    lines = (Line("1", "B", "你好", "Joy"), Line("2", "A", "你好！", "Joy"))
    assert read_script([path]) == Script((Scene("p", "Weather", lines),))


def test_ids_that_come_twice_are_told_apart_by_their_scenes(tmp_path):
    one = write(tmp_path / "one.json", {"a": scene("x"), "b": scene("y", "z")})
    two = write(tmp_path / "two.json", [{"dialogue": scene("x")}, {"dialogue": scene("y")}])
    script = read_script([one, two])
    assert [line.id for line in script.lines] == ["a/1", "b/1", "2", "two.2/1", "two.3/1"]
    assert [part.name for part in script.only("b").scenes] == ["b"]
    assert script.only("none") == script
    again = read_script([one, write(tmp_path / "three.json", {"b": scene("w")}), one])
    assert [part.name for part in again.only("b").scenes] == ["b.1", "b.2", "b.1"]


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ([], ["scenes as", "a list of 0"]),
        ([1], ["scenes as", "a list of 1"]),
        ({}, ["scenes as"]),
        ({"dialogue": 1}, ["'dialogue'", "a table of keys", "found 1"]),
        ({"dialogue": {}}, ["'dialogue'", "utterances", "a value"]),
        ({"dialogue": {"utterances": [{}]}}, ["utterances[0].utterance_id", "a value"]),
        ({"dialogue": scene("x") | {"topic_label": 7}}, ["topic_label", "a line of text", "found 7"]),
        ({"dialogue": {"utterances": [scene("x")["utterances"][0]] * 2}}, ["utterances[1]", "'1' again"]),
        ({"dialogue": {"utterances": [{"utterance_id": 1.5}]}}, ["utterance_id", "a whole number", "1.5"]),
        ({"dialogue": scene("x" * 2001)}, ["utterances[0]", "at most 2000 characters", "2001"]),
        ({"dialogue": scene("\ud800")}, ["utterances[0].text", "\\ud800"]),
    ],
)  # fmt: skip
def test_what_is_no_prompt_is_refused_in_one_line(tmp_path, value, parts):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(value))
    with pytest.raises(DescriptionError) as caught:
        read_script([path])
    message = str(caught.value)
    assert "\n" not in message
    assert [part for part in ["p.json", *parts] if part not in message] == [], message


def test_what_is_no_json_is_refused(tmp_path):
    (tmp_path / "p.json").write_bytes(b"\xff")
    with pytest.raises(DescriptionError, match="a script in JSON and UTF-8"):
        read_script([tmp_path / "p.json"])
    with pytest.raises(MediaNotFoundError):
        read_script([tmp_path / "q.json"])


def test_more_than_a_session_can_have_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(prompts, "MAX_LINES", 1)
    with pytest.raises(DescriptionError, match="at most 1 lines"):
        read_script([write(tmp_path / "p.json", {"dialogue": scene("x", "y")})])
