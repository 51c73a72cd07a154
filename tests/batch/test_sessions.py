"""What a batch's argument names, and what its sessions depend on."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from emomedia.batch.sessions import descriptions, entries, refuse_taken, shared_ids
from emomedia.errors import DescriptionError, MediaNotFoundError
from emomedia.options import Options

OPTIONS = Options()


def session(folder: Path, id: str) -> Path:
    folder.mkdir(parents=True)
    for side in ("left", "right"):
        (folder / f"{side}.mp4").write_bytes(side.encode())
    sides = "".join(f'[{side}]\nactor = "{side}"\nvideo = "{side}.mp4"\n' for side in ("left", "right"))
    (folder / "session.toml").write_text(f'id = "{id}"\n{sides}')
    return folder / "session.toml"


@pytest.fixture
def three(tmp_path):
    return [session(tmp_path / "day" / name, name) for name in ("a", "b", "c")]


def test_a_folder_a_pattern_and_descriptions_name_sessions(three, tmp_path):
    assert descriptions([str(tmp_path)]) == three
    assert descriptions([f"{tmp_path}/day/*/session.toml"]) == three
    assert descriptions([f"{tmp_path}/day/[bc]"]) == three[1:]
    assert descriptions([f"{tmp_path}/**/session.toml"]) == three
    assert descriptions([str(three[1]), str(three[0]), str(tmp_path)]) == [three[1], three[0], three[2]]


def test_a_list_has_a_session_a_line_relative_to_its_folder_and_comments(three, tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text(
        f"# Friday\nday/b/session.toml\n\n{three[2]}  # again\nday/a/*.toml\nday/gone/session.toml\n"
    )
    gone = tmp_path / "day/gone/session.toml"
    assert descriptions([str(listed)]) == [three[1], three[2], three[0], gone]
    (entry,) = entries([gone], OPTIONS)
    assert isinstance(entry.error, MediaNotFoundError)


@pytest.mark.parametrize("text", ["nothing-*.toml", "empty", "none.txt"])
def test_what_names_no_session_is_an_error(tmp_path, text):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DescriptionError, match="no session"):
        descriptions([str(tmp_path / text)])


def test_what_is_neither_file_nor_folder_is_a_session_that_fails(tmp_path):
    (tmp_path / "gone").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    found = entries(descriptions([str(tmp_path / "*")]), Options())
    errors = [str(entry.error) for entry in found]
    assert "no such file" in errors[0]
    assert "not a regular file" in errors[1]


def test_of_two_sessions_of_one_id_the_later_is_refused(three, tmp_path):
    twin = session(tmp_path / "twin", "A")  # some file systems take it for the same name
    found = entries([*three, twin], OPTIONS)
    assert [entry.error is None for entry in found] == [True, True, True, False]
    assert isinstance(found[-1].error, DescriptionError)
    assert len({entry.id for entry in found}) == 4


def test_an_id_that_another_description_has_in_the_folder_is_refused(three, tmp_path):
    """Two days' sessions of one name, in two batches: the later one must not take the earlier one's place."""
    first, twin = three[0], session(tmp_path / "day 2/a", "a")
    for side in ("left", "right"):
        (twin.parent / f"{side}.mp4").write_bytes(b"another day")

    def refused(path, had=str(first)):
        (entry,) = refuse_taken(entries([path], OPTIONS), tmp_path, {"a": had})
        return entry.error is not None

    assert not refused(twin), "nothing of it is in the folder"
    (tmp_path / "a").mkdir()
    assert refused(twin)
    assert not refused(first)
    assert not refused(twin, None), "nobody knows where it was"
    again = shutil.copy(first, first.with_name("again.toml"))
    assert not refused(again), "another description of the same media"
    first.unlink()
    assert not refused(twin), "it was moved"


def test_a_folder_that_cannot_be_read_is_reported(three, tmp_path, monkeypatch):
    def scandir(folder, scan=os.scandir):
        if str(folder).endswith("day/b"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        return scan(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    said = []
    assert descriptions([str(tmp_path)], said.append) == [three[0], three[2]]
    assert said == [f"{tmp_path}/day/b: permission denied; not searched for sessions"]


def test_dialogues_that_sessions_call_the_same_are_told_of(three):
    for path, id in zip(three, ("d1", "d2", "d1"), strict=True):
        path.write_text(f'{path.read_text()}[[dialogue]]\nid = "{id}"\nstart = 1\nend = 2\n')
    assert shared_ids(entries(three[:2], OPTIONS)) == []
    (told,) = shared_ids(entries(three, OPTIONS))
    assert told.startswith("1 dialogues have an id that another session uses too, such as d1 in a and c;")


def test_inputs_change_with_media_description_and_options_that_show(three):
    def inputs(options=OPTIONS):
        return entries(three[:1], options)[0].inputs

    first = inputs()
    assert inputs(replace(OPTIONS, workers=7, device="cpu")) == first
    assert inputs(replace(OPTIONS, preset="slow")) != first
    three[0].write_text(three[0].read_text() + "# a remark\n")
    assert inputs() == first
    turns = replace(OPTIONS, turns=Path("turns.json"))
    without = inputs(turns)
    (three[0].parent / "turns.json").write_text("{}")
    assert inputs(turns) != without
    assert inputs() == first
    os.utime(three[0].parent / "left.mp4", (1, 1))
    assert inputs() != first


def test_a_relative_turns_file_is_each_sessions_own(three):
    found = entries(three, Options(turns=Path("turns.json")))
    assert [entry.options.turns for entry in found] == [path.parent / "turns.json" for path in three]


def test_inputs_change_with_scripts_and_with_what_options_name(three, tmp_path):
    """A session that was set aside for a broken script is tried again once that is mended."""
    scene = "start = 0\nend = 1\n"
    three[0].write_text(
        f'script = "p.json"\n{three[0].read_text()}[[dialogue]]\nid = "d"\n{scene}script = "q.json"\n'
    )
    (tmp_path / "model").mkdir()
    options = Options(turns=Path("t.json"), profile=tmp_path / "profile.toml", asr_model=tmp_path / "model")
    folder = three[0].parent
    named = [folder / "p.json", folder / "q.json", folder / "t.json", tmp_path / "profile.toml"]
    for script in named[:2]:
        script.write_text("{")
    seen = set()
    for file in [*named, tmp_path / "model/model.bin"]:
        seen.add(entries(three[:1], options)[0].inputs)
        file.write_text("{}")
        seen.add(entries(three[:1], options)[0].inputs)
        os.utime(file, (1, 1))
    assert all(entry.error is None for entry in entries(three[:1], options))
    seen.add(entries(three[:1], options)[0].inputs)
    assert len(seen) == 2 * 5 + 1
