"""Files appear whole or not at all; a folder belongs to one process."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emomedia.errors import MediaNotFoundError, OutputBusyError, OutputError
from emomedia.files import (
    atomic,
    canonical_json,
    is_held,
    locked,
    part_path,
    publish,
    remove_leftovers,
    sha256,
    write_bytes,
)


def listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "a.json"
    with atomic(path) as part:
        assert part == part_path(path) == path.with_name(".a.json.part")
        part.write_bytes(b"half")
        assert not path.exists()
        part.write_bytes(b"whole")
    assert path.read_bytes() == b"whole"
    assert listing(path.parent) == ["a.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    with pytest.raises(error), atomic(path) as part:
        part.write_bytes(b"new")
        raise error
    assert path.read_bytes() == b"old"
    assert listing(tmp_path) == ["a.json"]


def test_a_part_left_by_a_killed_run_is_no_obstacle(tmp_path):
    part_path(tmp_path / "a").write_bytes(b"stale and longer than the new one")
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert listing(tmp_path) == ["a"]


def test_a_link_in_the_part_s_place_is_not_written_through(tmp_path):
    (tmp_path / "elsewhere").write_text("precious")
    part_path(tmp_path / "a.json").symlink_to(tmp_path / "elsewhere")
    write_bytes(tmp_path / "a.json", b"new")
    assert (tmp_path / "elsewhere").read_text() == "precious"
    assert (tmp_path / "a.json").read_bytes() == b"new" and not (tmp_path / "a.json").is_symlink()


def test_the_data_is_synced_before_the_name_and_the_folder_after(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: calls.append(name_of(fd)) or fsync(fd))
    monkeypatch.setattr(Path, "replace", lambda self, target: calls.append("rename") or replace(self, target))
    part, path = tmp_path / "part", tmp_path / "a"
    part.write_bytes(b"x")
    publish(part, path)
    assert calls == [part, "rename", tmp_path]


def test_a_new_folder_is_synced_into_the_one_above_it_before_anything_lies_in_it(tmp_path, monkeypatch):
    calls = []
    fsync, mkdir = os.fsync, Path.mkdir
    monkeypatch.setattr(os, "fsync", lambda fd: calls.append(name_of(fd)) or fsync(fd))
    monkeypatch.setattr(Path, "mkdir", lambda self, **how: calls.append(("new", self)) or mkdir(self, **how))
    write_bytes(tmp_path / "new/folder/a", b"x")
    new, folder = tmp_path / "new", tmp_path / "new/folder"
    assert calls == [("new", new), tmp_path, ("new", folder), new, folder / ".a.part", folder]


@pytest.mark.parametrize("refused", [errno.EBADF, errno.ENOLCK])
def test_where_folders_cannot_be_locked_a_file_in_them_is(tmp_path, monkeypatch, refused):
    """So with NFS."""
    flock = fcntl.flock

    def of_files_alone(descriptor, how):
        if name_of(descriptor).is_dir():
            raise OSError(refused, os.strerror(refused))
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", of_files_alone)
    with locked(tmp_path / "a"):
        assert is_held(tmp_path / "a")
        with pytest.raises(OutputBusyError), locked(tmp_path / "a"):
            pass
    assert not is_held(tmp_path / "a")
    assert listing(tmp_path / "a") == [".lock"]


def test_who_looks_whether_a_folder_is_held_refuses_it_to_nobody(tmp_path, monkeypatch):
    looking = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr("time.sleep", lambda _: fcntl.flock(looking, fcntl.LOCK_UN))
    with locked(tmp_path):
        assert is_held(tmp_path)
    os.close(looking)


@pytest.mark.parametrize("refused", [errno.ENOLCK, errno.ENOSYS])
def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch, refused):
    def none(_descriptor, _how):
        raise OSError(refused, os.strerror(refused))

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(OutputError, match="mount it with locks"), locked(tmp_path / "a"):
        pass


def name_of(descriptor):
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def test_an_output_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        write_bytes(tmp_path / "file" / "below" / "a", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="folder"):
        write_bytes(tmp_path / "folder", b"")
    assert listing(tmp_path) == ["file", "folder"]


def test_errors_about_inputs_go_through_unchanged(tmp_path):
    """A missing take is an OSError too, but no fault of the output."""
    error = MediaNotFoundError("a.mp4", expected="a take", found="nothing", remedy="find it")
    with pytest.raises(MediaNotFoundError), atomic(tmp_path / "a"):
        raise error
    assert listing(tmp_path) == []


def test_leftovers_are_removed_and_nothing_else(tmp_path):
    keep = ["a.part", ".hidden", "clips/b.mp4", "clips/.c.parts", ".d.part/e"]
    for name in [*keep, ".a.json.part", "clips/.b.mp4.part"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".gone.part").symlink_to("nowhere")
    remove_leftovers(tmp_path)
    assert listing(tmp_path) == sorted([*keep, "clips", ".d.part"])


def test_the_hash_is_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 1_000_000)
    assert sha256(tmp_path / "a") == hashlib.sha256(b"x" * 1_000_000).hexdigest()


def test_json_has_one_spelling():
    assert canonical_json({"b": [1, 2.5], "a": "上海"}) == '{"b":[1,2.5],"a":"上海"}'


def test_a_folder_is_held_once_and_given_back(tmp_path):
    folder = tmp_path / "out" / "s"
    with locked(folder):
        with pytest.raises(OutputBusyError, match="another emomedia process"), locked(folder):
            pass
        with locked(tmp_path / "other"):
            pass
    with locked(folder):
        assert listing(folder) == []


def test_a_lock_goes_with_its_process(tmp_path):
    code = "import sys, time; from pathlib import Path; from emomedia.files import locked\n"
    code += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(OutputBusyError), locked(tmp_path):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with locked(tmp_path):
        pass


def test_a_lock_can_be_waited_for(tmp_path):
    code = "import sys, time; from pathlib import Path; from emomedia.files import locked\n"
    code += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(0.5)"
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    start = time.monotonic()
    with locked(tmp_path, wait=True):
        assert time.monotonic() - start > 0.2
    holder.communicate()


def test_a_folder_that_cannot_be_is_an_output_error(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError), locked(folder):
            pass
