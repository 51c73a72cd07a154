"""clips.jsonl: what is written is read back, what else is there is refused."""

from __future__ import annotations

import json
from fractions import Fraction
from types import SimpleNamespace

import pytest

from emomedia.dataset.audit import described, read_rows, write_rows
from emomedia.errors import StageError
from emomedia.plan import Clip
from emomedia.session import Dialogue
from emomedia.turns import Turn, TurnsFile, Word
from fuzz.examples import rows


@pytest.fixture
def audit(tmp_path):
    """Where the audit of the examples' session belongs."""
    path = tmp_path / rows()[0]["session"] / "clips.jsonl"
    path.parent.mkdir()
    return path


@pytest.mark.parametrize("end", "\n\r\x0b\x0c\x1c\x85\u2028\u2029")
def test_text_may_hold_whatever_unicode_calls_the_end_of_a_line(audit, end):
    written = [row | {"text": f"one{end}two"} for row in rows()]
    write_rows(audit, written)
    assert read_rows(audit) == written


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        ([{"path": "s1/clips/d.mp4"}], r"sides\[0\]: expected 's1/clips/d\.left\.mp4'"),
        ([{"path": "../../d.left.mp4"}], r"sides\[0\]: expected 's1/clips/d\.left\.mp4'"),
        ([{}, {}], "sides: expected left before right, each once"),
        ([{"width": 0}], r"sides\[0\]\.width: expected a whole number of pixels"),
        (None, "sides: expected a list"),
    ],
)
def test_sides_that_are_not_the_clips_own_are_refused(audit, sides, said):
    path = "s1/clips/d.left.mp4"
    left = {"side": "left", "path": path, "sha256": "", "bytes": 1, "width": 96, "height": 54}
    row = rows()[0] | {"sides": sides and [left | other for other in sides]}
    write_rows(audit, [row])
    with pytest.raises(StageError, match=said):
        read_rows(audit)


@pytest.mark.parametrize(
    ("quality", "said"),
    [
        ({"left": {"sharpness": "1.5"}}, "quality.left: expected numbers"),
        ({"left": [1]}, "quality.left: expected numbers"),
        ({"right": {"face_box": [0.1, 0.2, 0.3]}}, "quality.right: expected numbers, boxes of four"),
        ({"measured": "engine"}, "quality.measured: expected a table"),
        ({"transcript_flags": "loop"}, "quality.transcript_flags: expected a list"),
    ],
)
def test_measures_that_are_none_are_refused(audit, quality, said):
    write_rows(audit, [rows()[0] | {"quality": quality}])
    with pytest.raises(StageError, match=said):
        read_rows(audit)


@pytest.mark.parametrize(
    "line", [b"{", b"[1]", b"null", b'{"id": "\xd0"}', b'{"id": "\\ud800"}', b"[" * 10**5]
)
def test_a_line_that_is_no_row_is_refused_with_its_number(audit, line):
    audit.write_bytes(json.dumps(rows()[0]).encode() + b"\n" + line + b"\n")
    with pytest.raises(StageError, match=r"clips\.jsonl: line 2: "):
        read_rows(audit)


def test_a_clip_has_its_turns_and_words_on_its_own_clock_topic_and_emotion():
    def seconds(*hundredths: int) -> tuple[Fraction, ...]:
        return tuple(Fraction(value, 100) for value in hundredths)

    turns = TurnsFile(
        "s",
        (
            Turn(
                "d_1", "d", "right", *seconds(140, 160), text="b", overlap_s=Fraction(1, 10), flags=("odd",)
            ),
            Turn(
                "d_0", "d", "left", *seconds(90, 150), text="a c", emotion="Anger", topic="Work",
                words=(Word("a", *seconds(90, 100), Fraction(1, 2)), Word("c", *seconds(130, 150))),
                gap_s=Fraction(-1, 10), backchannel=True,
            ),
        ),
        (Dialogue("d", *seconds(100, 200), topic="Home", emotion="Joy"),),
    )  # fmt: skip
    work = SimpleNamespace(
        actors={"left": "A", "right": "B"}, models={}, plan=SimpleNamespace(rate=Fraction(25))
    )

    def row(clip_id: str, kind: str, first_frame: int) -> dict:
        return described(
            {"provenance": {}}, Clip(clip_id, kind, "d", None, first_frame, 25, 0, 1), turns, work
        )

    def named(clip: dict) -> tuple:
        return clip["text"], clip["topic"], clip["emotion"]

    dialogue, one, other = row("d", "dialogue", 25), row("d_0", "turn", 22), row("d_1", "turn", 35)
    assert named(dialogue) == ("a c\nb", "Home", "Joy")
    assert named(one) == ("a c", "Work", "Anger")
    assert named(other) == ("b", "Home", "Joy")
    first = {
        "id": "d_0", "speaker": "left", "start": -0.1, "end": 0.5, "text": "a c", "emotion": "Anger",
        "backchannel": True, "overlap_s": 0.0, "gap_s": -0.1, "flags": [],
    }  # fmt: skip
    second = {
        "id": "d_1", "speaker": "right", "start": 0.4, "end": 0.6, "text": "b", "emotion": "Joy",
        "backchannel": False, "overlap_s": 0.1, "gap_s": None, "flags": ["odd"],
    }  # fmt: skip
    assert dialogue["turns"] == [first, second]
    assert one["turns"] == [first | {"start": 0.02, "end": 0.62}]
    assert other["turns"] == [second | {"start": 0.0, "end": 0.2}]
    said = {"speaker": "left", "turn": "d_0"}
    assert dialogue["words"] == [
        {"text": "a", "start": -0.1, "end": 0.0, "probability": 0.5, **said},
        {"text": "c", "start": 0.3, "end": 0.5, "probability": None, **said},
    ]
    assert [word["start"] for word in one["words"]] == [0.02, 0.42]
    assert other["words"] == []
