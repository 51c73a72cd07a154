"""Batches that are killed, and batches of which a part is damaged: what comes out all the same.

    python -m benchmarks.kills [--kills 60] [--ray-kills 20] [--damaged 10 --of 50] [--seed N]

The head of a batch over small simulated sessions is killed (SIGKILL) at random moments, and started again;
with Ray, workers are, amid a stage.  In the end the dataset must be that of a batch that nobody disturbed,
and the ledger must have no stage that was made twice.  Fails where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from emomedia.batch.head import CRASHES
from emomedia.batch.ledger import read
from emomedia.batch.run import run_batch
from emomedia.batch.status import status
from emomedia.options import Options
from tests import many
from tests.batch.quiet import Quiet

SESSIONS = 6


def kill_heads(root: Path, kills: int, rng: random.Random) -> None:
    """In rounds: as soon as a batch has finished all its sessions, the next begins from nothing."""
    what = _sessions(root, SESSIONS)
    expected, seconds = _undisturbed(what, root / "undisturbed")
    done = rounds = finished = 0
    attempts: Counter[str] = Counter()
    while done < kills:
        out = root / f"killed-{rounds}"
        now = min(kills - done, 12)
        finished += many.kill_often(what, out, now, rng, seconds / 2)
        many.assert_as_undisturbed(out, expected)
        attempts.update(row["outcome"] for row in read(out)["attempts"])
        shutil.rmtree(out)
        done, rounds = done + now, rounds + 1
        print(f"  {done} kills, {rounds} rounds", flush=True)
    print(f"{kills} kills of the head in {rounds} rounds: the same bytes, no stage made twice")
    print(f"  attempts: {dict(attempts)}; {finished} were killed after their end")
    assert attempts["interrupted"] > kills / 4, "the kills came amid the work"


def kill_ray_workers(root: Path, kills: int, rng: random.Random) -> None:
    """Two nodes of a core each; workers that have a task are killed, one after another."""
    what = _sessions(root, SESSIONS)
    expected, _ = _undisturbed(what, root / "undisturbed")
    cluster, _ = many.ray_cluster(2)
    done = rounds = 0
    attempts: Counter[str] = Counter()
    while done < kills:
        out, ended = root / f"ray-{rounds}", threading.Event()
        killed: list[str] = []
        killer = threading.Thread(target=_kill_workers, args=(kills - done, rng, ended, killed))
        killer.start()
        summary = run_batch([str(what)], out, Options(preset="ultrafast"), Quiet(), ray=cluster.address)
        ended.set()
        killer.join()
        assert not summary.figures.failed, summary.figures.failed
        many.assert_as_undisturbed(out, expected)
        attempts.update(row["outcome"] for row in read(out)["attempts"])
        done, rounds = done + len(killed), rounds + 1
        print(f"  {done} kills, {rounds} rounds", flush=True)
    cluster.shutdown()
    print(f"{done} kills of Ray workers in {rounds} rounds: the same bytes, no stage made twice")
    print(f"  attempts: {dict(attempts)}")


def _kill_workers(most: int, rng: random.Random, ended: threading.Event, killed: list[str]) -> None:
    """Kill a worker that works, every few seconds; never one session's stage too often for its retries."""
    while len(killed) < min(most, 4) and not ended.wait(rng.uniform(2, 6)):
        spared = {title for title in killed if killed.count(title) == CRASHES - 1}
        working = [item for item in many.ray_workers(os.getpid()).items() if item[1] not in spared]
        if working:
            process, title = rng.choice(working)
            os.kill(process, signal.SIGKILL)
            killed.append(title)


def damaged(root: Path, broken: int, of: int) -> None:
    """Of so many sessions some are damaged: the others are done, and each cause is told."""
    paths = many.make_sessions(root / "damaged-in", of)
    kinds = list(many.DAMAGE.items())
    wrong = {}
    for number in range(broken):
        path = paths[1 + number * (of - 1) // broken]
        name, (cause, damage) = kinds[number % len(kinds)]
        damage(path.parent)
        wrong[path.parent.name] = (cause, name)
    out = root / "damaged-out"
    command = many.batch_command(root / "damaged-in", out, "--json")
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    figures = status(out)
    found = {Path(one.id.removesuffix("/session.toml")).name: one.cause for one in figures.failed}
    for name, (cause, damage_name) in sorted(wrong.items()):
        print(f"  {name}  {damage_name:<32}{found.get(name, 'NOT FOUND'):<24}expected {cause}")
    assert found == {name: cause for name, (cause, _) in wrong.items()}
    assert (figures.done, ended.returncode) == (of - broken, 1)
    result = json.loads(ended.stdout.splitlines()[-1])
    print(f"{result['done']} of {of} done, {broken} set aside with their causes, exit status 1")


def _sessions(root: Path, count: int) -> Path:
    folder = root / "in"
    if not folder.exists():
        many.make_sessions(folder, count)
    return folder


def _undisturbed(what: Path, out: Path) -> tuple[dict[str, bytes], float]:
    """The dataset of a batch that nobody disturbs, and the seconds that it takes."""
    begin = time.monotonic()
    if not out.exists():
        subprocess.run(many.batch_command(what, out), stdout=subprocess.DEVNULL, check=True)
    return many.dataset(out), max(6.0, time.monotonic() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=60, help="of the head")
    parser.add_argument("--ray-kills", type=int, default=20, help="of workers of a Ray cluster")
    parser.add_argument("--damaged", type=int, default=10, help="sessions that are damaged")
    parser.add_argument("--of", type=int, default=50, help="sessions altogether")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    arguments = parser.parse_args()
    print("seed", arguments.seed)
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if arguments.damaged:
            damaged(root, arguments.damaged, arguments.of)
        if arguments.kills:
            kill_heads(root, arguments.kills, rng)
        if arguments.ray_kills:
            kill_ray_workers(root, arguments.ray_kills, rng)


if __name__ == "__main__":
    sys.exit(main())
