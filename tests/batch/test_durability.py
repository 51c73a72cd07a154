"""In which order a run makes things durable, by the system calls that it makes, the core's among them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)\(?(.*)")
_TRACED = "fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat"


def traced(command: list[str], log: Path) -> list[tuple[str, list[str]]]:
    """Names and paths of the calls that succeeded, in the order in which they began."""
    which = ["-e", f"trace={_TRACED}", "-e", "signal=none", "--seccomp-bpf"]
    strace = ["strace", "-f", "-qq", "-y", "-z", "-s", "4096", *which, "-o", str(log)]
    ended = subprocess.run([*strace, *command], capture_output=True, text=True, check=False)
    if "ptrace" in ended.stderr:
        pytest.skip(f"processes may not be traced here: {ended.stderr.strip()}")
    assert ended.returncode == 0, ended.stderr
    calls = []
    for line in log.read_text().splitlines():
        match = _CALL.match(line)
        paths = re.findall(r'"([^"]*)"|<(/[^>]*)>', match[2]) if match else []
        if match and paths:
            calls.append((match[1], [named or opened for named, opened in paths]))
    return calls


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_data_then_name_then_folder_for_every_file_of_a_run(undisturbed, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "emomedia", "run", str(undisturbed.sessions[0]), "--out", str(out)]
    calls = traced([*command, "--preset", "ultrafast"], tmp_path / "calls")
    ours = [
        (name, [Path(path) for path in paths]) for name, paths in calls if paths[-1].startswith(str(tmp_path))
    ]
    synced = [paths[0] if name in ("fsync", "fdatasync") else None for name, paths in ours]
    renamed: list[Path] = []
    for number, (name, paths) in enumerate(ours):
        if name.startswith("rename"):
            part, path = paths[-2:]
            assert part in synced[:number], f"{path}: its data before its name"
            assert path.parent in synced[number:], f"{path}: its folder after its name"
            renamed.append(path)
        elif name.startswith("mkdir") and paths[-1].name not in ("sound", "spool"):  # these are scratch
            assert paths[-1].parent in synced[number:], f"{paths[-1]}: the folder above it after it"
    assert {path for path in out.rglob("*") if path.is_file()} <= set(renamed)
    audit = len(renamed) - 1 - renamed[::-1].index(out / "s00/clips.jsonl")
    media = [number for number, path in enumerate(renamed) if path.suffix in (".mp4", ".flac")]
    assert max(media) < audit < renamed.index(out / "clips.parquet")
