"""Many small sessions, some of them damaged; batches that are killed; what must come out all the same."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from emomedia.batch.ledger import FOLDER_NAME, read
from emomedia.simulate import SimulateOptions, simulate

SMALL: dict[str, Any] = {"size": (180, 320), "fps": Fraction(10), "seconds": Fraction(3), "dialogues": 1}
PRESET = ("--preset", "ultrafast")
STOPPED = "emomedia: stopped"


def make_sessions(root: Path, count: int, **choices: Any) -> list[Path]:
    """`count` sessions ``s00``, ``s01``, … below `root`: two that were simulated, and copies by turns."""
    made = []
    for number in range(count):
        name = f"s{number:02}"
        options = SimulateOptions.of(session=name, seed=number, **SMALL | choices)
        if number < 2:
            made.append(simulate(root / name, options))
        else:
            like = made[number % 2].parent
            shutil.copytree(like, root / name, copy_function=os.link)
            made.append(_renamed(root / name / "session.toml", like.name, name))
    return made


def _renamed(description: Path, old: str, new: str) -> Path:
    text = description.read_text().replace(f'"{old}', f'"{new}')
    description.unlink()
    description.write_text(text)
    return description


# -- damage -------------------------------------------------------------------------------------------


def _own(path: Path) -> Path:
    """A copy in place of a link that other sessions share."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    return path


def _change(path: Path, change: Callable[[bytes], bytes]) -> None:
    own = _own(path)
    own.write_bytes(change(own.read_bytes()))


def _noise(data: bytes) -> bytes:
    """The middle of a take overwritten: its index is whole, a third of its pictures are not."""
    first, end = len(data) // 3, len(data) * 2 // 3
    return data[:first] + random.Random(1).randbytes(end - first) + data[end:]


DAMAGE: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "a take that is missing": ("MediaNotFoundError", lambda folder: (folder / "left.mp4").unlink()),
    "half a take": ("MediaError", lambda folder: _change(folder / "right.mp4", lambda d: d[: len(d) // 2])),
    "a description that is none": (
        "DescriptionError", lambda folder: _change(folder / "session.toml", lambda d: b"id = \n" + d),
    ),
    "no media": ("MediaError", lambda folder: _change(folder / "left.mp4", lambda d: bytes(len(d)))),
    "a take with holes": ("DamagedMediaError", lambda folder: _change(folder / "left.mp4", _noise)),
    "an id that is taken": (
        "DescriptionError",
        lambda folder: _change(
            folder / "session.toml", lambda d: d.replace(folder.name.encode(), b"s00", 1)
        ),
    ),
    "an empty recorder file": (
        "MediaError", lambda folder: _change(folder / "recorder.wav", lambda _: b""),
    ),
    "a dialogue past the end": (
        "DescriptionError",
        lambda folder: _change(
            folder / "session.toml", lambda d: d + b'\n[[dialogue]]\nid = "x"\nstart = 500\nend = 400\n'
        ),
    ),
    "another channel than there is": (
        "DescriptionError",
        lambda folder: _change(folder / "session.toml", lambda d: d.replace(b"channel = 1", b"channel = 7")),
    ),
    "a folder for a take": (
        "MediaNotFoundError",
        lambda folder: ((folder / "right.mp4").unlink(), (folder / "right.mp4").mkdir()),
    ),
}  # fmt: skip
"""Ways to damage the session in a folder, each with the class of the error that must be told."""


# -- batches --------------------------------------------------------------------------------------------


def batch_command(what: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "emomedia", "batch", str(what), "--out", str(out), *PRESET, *more]


def dataset(out: Path) -> dict[str, bytes]:
    """Every file that must not vary from batch to batch."""
    varies = ("run.json", "report.html")
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in varies and FOLDER_NAME not in path.relative_to(out).parts
    }


def ray_cluster(nodes: int) -> Any:
    """A Ray cluster on this machine: a head without cores, and nodes of one core each.

    A machine under load answers late, and is not dead for it.
    """
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 << 20}
    patient = {"_system_config": {"health_check_timeout_ms": 120_000}}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0} | small | patient)
    return cluster, [cluster.add_node(num_cpus=1, **small) for _ in range(nodes)]


_NOT_TASKS = ("IDLE", "Agent")
"""A worker without a task, and the services of a node, which goes down with them."""


def ray_workers(ancestor: int) -> dict[int, str]:
    """Ray's workers below a process that have a task, with its name: Ray's title of them."""
    parents, working = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            title = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if title.startswith("ray::") and not any(other in title for other in _NOT_TASKS):
            working[int(folder.name)] = title
    return {process: title for process, title in working.items() if _descends(process, ancestor, parents)}


def _descends(process: int, ancestor: int, parents: dict[int, int]) -> bool:
    while process in parents and process != ancestor:
        process = parents[process]
    return process == ancestor


def times_made(out: Path) -> dict[tuple[str, str], int]:
    """How often each stage of each session was made, as the ledger counts."""
    return {(row["id"], row["stage"]): row["times_made"] for row in read(out)["stages"]}


def kill_often(what: Path, out: Path, kills: int, rng: random.Random, longest: float) -> int:
    """Start the batch and kill its head at a random moment, `kills` times; then let it finish.

    Returns how many had finished before they were to be killed.
    """
    command, finished = batch_command(what, out), 0
    for _ in range(kills):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        time.sleep(rng.uniform(0.3, longest))
        process.send_signal(signal.SIGKILL)
        finished += process.wait() == 0
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return finished


def assert_as_undisturbed(out: Path, undisturbed: dict[str, bytes]) -> None:
    """Nothing lost, nothing twice, the same bytes, and no stage made again that the ledger had."""
    found = dataset(out)
    assert sorted(found) == sorted(undisturbed)
    assert [name for name in found if found[name] != undisturbed[name]] == []
    again = {key: times for key, times in times_made(out).items() if times > 1}
    assert again == {}


def interrupt_twice(command: Sequence[str]) -> tuple[int, str, float, bool]:
    """Press Ctrl-C twice, soon after one another, once work goes on.

    Returns the exit status, what is said, after how many seconds, and whether any process is left.
    """
    process = subprocess.Popen(
        [*command, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # in case it is ignored
    )
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "stage_ends":
            break
    begin = time.monotonic()
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.05)
    _, said = process.communicate(timeout=60)
    return process.returncode, said, time.monotonic() - begin, not _is_empty(process.pid)


def _is_empty(group: int) -> bool:
    """Whether every process of the group has ended, a moment after its first one has."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not any(_belongs(status, group) for status in Path("/proc").glob("[0-9]*/stat")):
            return True
        time.sleep(0.05)
    return False


def _belongs(status: Path, group: int) -> bool:
    """Whether a process is of the group and no mere entry that nobody has asked for."""
    try:
        state, _, its_group = status.read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return False
    return int(its_group) == group and state != "Z"
