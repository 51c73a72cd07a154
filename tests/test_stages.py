"""Whether a stage file is missing, fresh, stale or the user's own."""

from __future__ import annotations

import json
import os
from decimal import Decimal

import pytest

from emomedia import stages
from emomedia.errors import MediaNotFoundError, StageError
from emomedia.stages import (
    State,
    content_digest,
    digest,
    found,
    made_from,
    media_fingerprint,
    read,
    was_given,
    write,
)

BODY = {
    "session": "s",
    "left": {"offset": Decimal("-3.2071"), "method": "sound"},
    "n": [1, 0.5, "上海", None],
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "s" / "sync.json"


def state(path, made_from_hash):
    return found(path, made_from_hash)[0]


def edit(path, change):
    body = json.loads(path.read_text(encoding="utf-8"))
    change(body)
    path.write_text(json.dumps(body, indent=3), encoding="utf-8")


def test_a_file_that_is_not_there_is_missing(path):
    assert state(path, "hash") is State.MISSING


def test_what_was_written_is_fresh_until_what_it_was_made_from_changes(path):
    write(path, BODY, "hash")
    assert state(path, "hash") is State.FRESH
    assert state(path, "other") is State.STALE


def test_another_spelling_is_still_fresh(path):
    write(path, BODY, "hash")
    edit(path, lambda body: body.update(session=body.pop("session")))
    assert state(path, "hash") is State.FRESH


def test_changed_by_hand_it_is_the_user_s_own(path):
    write(path, BODY, "hash")
    edit(path, lambda body: body["left"].update(offset=-3.2072))
    assert state(path, "hash") is State.OWN
    assert state(path, "other") is State.OWN


def test_a_key_more_or_less_is_a_change(path):
    write(path, BODY, "hash")
    edit(path, lambda body: body.update(more=None))
    assert state(path, "hash") is State.OWN
    edit(path, lambda body: [body.pop(key) for key in ("more", "n")])
    assert state(path, "hash") is State.OWN


@pytest.mark.parametrize("stamp", [None, 1, [], {}, {"hash": "hash"}])
def test_without_a_stamp_it_is_the_user_s_own(path, stamp):
    write(path, BODY, "hash")
    edit(path, lambda body: body.update(made_from=stamp))
    assert state(path, "hash") is State.OWN
    edit(path, lambda body: body.pop("made_from"))
    assert state(path, "hash") is State.OWN


def test_a_stamp_that_came_with_the_body_is_replaced(path):
    """A turns.json that emomedia wrote once and the user gives again."""
    write(path, BODY, "first")
    write(path, read(path), "second")
    assert state(path, "second") is State.FRESH


def test_what_was_given_is_told_until_it_is_edited(path):
    write(path, BODY, "hash")
    assert not was_given(path)
    write(path, BODY, "hash", given=True)
    assert was_given(path)
    edit(path, lambda body: body.update(more=None))
    assert not was_given(path)


def test_decimals_are_read_exactly(path):
    write(path, BODY, "hash")
    body = read(path)
    assert body["left"]["offset"] == Decimal("-3.2071")
    assert isinstance(body["left"]["offset"], Decimal)
    assert body["n"] == [1, Decimal("0.5"), "上海", None]
    assert content_digest(body) == body["made_from"]["content"]


def test_the_bytes_depend_on_the_values_alone(path):
    write(path, BODY, "hash")
    first = path.read_bytes()
    write(path, BODY, "hash")
    assert path.read_bytes() == first
    assert first.startswith(b'{"made_from": {"hash": "hash"')
    assert first.endswith(b"}\n")
    assert "上海".encode() in first


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"a": NaN}', '{"a": -Infinity}', "[" * 100_000, '"\\q"']
)
def test_what_is_no_json_object_is_a_stage_error(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(StageError, match="JSON object"):
        read(path)
    with pytest.raises(StageError, match=r"sync\.json"):
        state(path, "hash")


def test_bytes_that_are_no_text_and_folders_are_stage_errors(tmp_path):
    (tmp_path / "a").write_bytes(b"\xff")
    for path in (tmp_path / "a", tmp_path):
        with pytest.raises(StageError):
            read(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity")])
def test_what_json_cannot_hold_is_not_written(path, value):
    with pytest.raises(ValueError, match="JSON"):
        write(path, {"snr_db": value}, "hash")
    with pytest.raises(TypeError, match="set"):
        write(path, {"a": {1}}, "hash")
    assert not path.exists()


def test_the_hash_covers_stage_inputs_options_and_version(monkeypatch):
    first = made_from("sync", ["a"], {"x": 1})
    assert first == made_from("sync", ["a"], {"x": 1})
    monkeypatch.setattr(stages, "__version__", "0.0.0")
    others = [made_from("sync", ["a"], {"x": 1}), digest("sync", ["a"])]
    monkeypatch.undo()
    others += [
        made_from("plan", ["a"], {"x": 1}),
        made_from("sync", ["b"], {"x": 1}),
        made_from("sync", ["a"]),
    ]
    assert len({first, *others}) == 6


def test_a_digest_knows_order_and_nesting_but_not_key_order():
    assert digest("ab", "c") != digest("a", "bc")
    assert digest([1, 2]) != digest([2, 1])
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_a_fingerprint_sees_size_time_head_and_tail(tmp_path):
    path = tmp_path / "a.mp4"
    data = bytearray(1 << 20)

    def fingerprint(change=None, mtime=1):
        copy = bytearray(data)
        if change is not None:
            copy[change] = 1
        path.write_bytes(copy)
        os.utime(path, ns=(mtime, mtime))
        return media_fingerprint(path)

    first = fingerprint()
    assert fingerprint() == first
    assert fingerprint(1 << 19) == first, "the middle is not read"
    assert len({str(one) for one in (first, fingerprint(0), fingerprint(-1), fingerprint(mtime=2))}) == 4
    path.write_bytes(b"short")
    assert media_fingerprint(path)[0] == 5


def test_a_missing_file_has_no_fingerprint(tmp_path):
    with pytest.raises(MediaNotFoundError, match="no such file"):
        media_fingerprint(tmp_path / "none.mp4")
    with pytest.raises(MediaNotFoundError, match="directory"):
        media_fingerprint(tmp_path)


def test_a_file_that_is_not_there_cannot_be_read(path):
    """A --turns FILE that was misspelt."""
    with pytest.raises(MediaNotFoundError, match="correct the path"):
        read(path)
