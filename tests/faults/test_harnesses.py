"""A few points of the harnesses of damaged sessions and of disturbed runs; more of them are run by hand."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from emomedia.audio.conform import conform
from emomedia.errors import OutputError
from emomedia.probe.types import Track
from emomedia.timeline import Clock

from .damage import BYTES, TEXT, Case, fault_of, half_written
from .disk import mounting_refused, small_disk
from .endurance import plays
from .forked import Ended, Limits

ROOT = Path(__file__).parent.parent.parent
REFUSED = mounting_refused()
mounts = pytest.mark.skipif(REFUSED is not None, reason=str(REFUSED))


def harness(name: str, *choices: object) -> str:
    paths = os.pathsep.join(filter(None, ("src", os.environ.get("PYTHONPATH"))))
    ended = subprocess.run(
        [sys.executable, "-m", f"tests.faults.{name}", *map(str, choices)],
        capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip
    print(ended.stdout, ended.stderr)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_damaged_sessions_end_with_one_line_or_verify():
    said = harness("damage", 25, "--kinds", 2)
    assert "25 damaged sessions" in said and "0 a finding" in said


@mounts
def test_disturbed_runs_leave_nothing_half_written_and_are_made_good_by_the_next():
    said = harness("endurance", "--full", 3, "--kills", 2, "--stops", 2)
    assert "3 full: the run was ended" in said and "no findings" in said


# --- what the harnesses would see


def ended(**what: object) -> Ended:
    plain = {
        "status": 1,
        "signal": 0,
        "said": "",
        "errors": "emomedia: x\n",
        "seconds": 1.0,
        "peak": 1,
        "leaked": 0,
    }
    return Ended(**plain | what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ({}, None),
        ({"status": None, "signal": 11}, "SIGSEGV"),
        ({"status": None, "signal": 14}, "hang"),
        ({"errors": "Traceback (most recent call last):\nValueError: x\n"}, "ValueError: x"),
        ({"errors": "emomedia: x\nand y\n"}, "2 lines"),
        ({"errors": "x\n"}, "1 lines"),
        ({"status": 2}, "status 2"),
        ({"leaked": 3}, "3 descriptors"),
    ],
)
def test_every_fault_has_its_name(tmp_path, what, fault):
    found = fault_of(Case(0, "take.mp4 flipped", tmp_path), ended(**what), Limits())
    assert found is fault if fault is None else fault in found


def test_what_is_left_is_seen(tmp_path):
    clip = tmp_path / "s/clips/a.mp4"
    clip.parent.mkdir(parents=True)
    (tmp_path / "s/clips.jsonl").write_text("")
    assert half_written(tmp_path) is None
    clip.write_bytes(b"x")
    assert "a.mp4" in (half_written(tmp_path) or "")
    assert not plays(clip)
    clip.rename(clip.with_name(".a.mp4.part"))
    assert ".part" in (half_written(tmp_path) or "")


@pytest.mark.parametrize("way", sorted({*BYTES, *TEXT}, key=lambda way: way.__name__))
def test_damage_damages(way):
    text = b'{"id": "a", "list": [1, 2, {"b": null}]}\n'
    data = text * (1 if way.__name__ == "misvalued" else 100)
    assert any(way(bytearray(data), random.Random(seed)) != data for seed in range(5))


# --- a full disk under what is mapped into memory


@mounts
def test_sound_takes_its_room_at_once_holes_and_all(simulated, tmp_path):
    """Reading a hole of a file on a tmpfs needs room, and without it ends the process by SIGBUS."""
    recorder = simulated(size=(180, 320), seconds=Fraction(3)).parent / "recorder.wav"
    track = Track(recorder, 0, 0, 48_000, 24, "pcm_s24le", True, False, Fraction(0))
    late = Clock(Fraction(2))
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        pcm = conform(track, late, 3 * 48_000, disk, "left")
        (disk / "full").write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
        child = os.fork()
        if child == 0:
            os._exit(int(np.any(pcm.array[: 2 * 48_000])))
        assert os.waitpid(child, 0)[1] == 0
        pcm.path.unlink()
        (disk / "full").write_bytes(bytes((1 << 20) - (1 << 17)))
        with pytest.raises(OutputError, match=r"left\.pcm.*[Nn]o space left"):
            conform(track, late, 3 * 48_000, disk, "left")
        assert [path.name for path in disk.iterdir()] == ["full"]
