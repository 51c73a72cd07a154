"""Full disks, kills and stops at random moments of a run, and whether the next run mends all.

By hand, as root, from the repository's root::

    python -m tests.faults.endurance [--full 40] [--kills 40] [--stops 40] [--seed N]

For each point a session is run in a new folder and disturbed: its disk is too small, or the process is
sent SIGKILL, SIGTERM or SIGINT.  Then every clip that is there must be whole; a run that can still speak
must end with status 1 and one line, and must leave no part of a file; and the next undisturbed run
must end with the very bytes of a run that nothing disturbed.  Ends with 77 where mounting is not allowed.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av

from emomedia.simulate import SimulateOptions, simulate

from .damage import SMALL, command, half_written
from .disk import enlarge, enter_private_mounts, mounting_refused, small_disk, used
from .forked import Ended, emomedia_run

sys.path.insert(0, str(Path(__file__).parent.parent))

from exact import tree

SMALLEST = 1 << 14
ROOM = 1 << 28
SKIPPED = 77


@dataclass
class Bench:
    """The session that is disturbed, what an undisturbed run makes of it, and what has been found."""

    folder: Path
    dice: random.Random
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        choices = {"recorder_offset": Fraction("0.7"), "right_offset": Fraction("0.2")}
        options = SimulateOptions.of(**SMALL, **choices)
        simulate(self.folder / "in", options)
        with small_disk(self.folder / "out", ROOM) as out:
            ended = emomedia_run(*command(self.folder), watch=self._measure)
            assert ended.status == 0, ended.errors
            self.expected = tree(out)
        with small_disk(self.folder / "out", ROOM):
            self.seconds = emomedia_run(*command(self.folder)).seconds

    def _measure(self, child: int) -> None:
        """The most that is taken on the disk at any time."""
        self.most = 0
        while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            self.most = max(self.most, used(self.folder / "out"))
            time.sleep(0.002)

    def disturb(self, what: str, size: int, watch: Callable[[int], None] | None) -> None:
        """One point: run on a disk of `size` bytes, look, enlarge it, run again, compare."""
        with small_disk(self.folder / "out", size) as out:
            ended = emomedia_run(*command(self.folder), watch=watch)
            fault = self._fault(what, ended, out)
            enlarge(out, ROOM)
            again = emomedia_run(*command(self.folder))
            if fault is None and again.status != 0:
                fault = f"the next run: {again.errors.strip()}"
            if fault is None and tree(out) != self.expected:
                fault = "the next run ends with other bytes"
        if fault is not None:
            self.findings.append(f"{what}: {fault}")

    def _fault(self, what: str, ended: Ended, out: Path) -> str | None:
        kind = what.split()[0]
        if ended.status == 0:
            self.outcomes[f"{kind}: the run was done before"] += 1
            return None
        self.outcomes[f"{kind}: the run was ended"] += 1
        broken = [path.name for path in out.glob("*/clips/[!.]*.mp4") if not plays(path)]
        if broken:
            return f"{broken[0]} is not whole"
        if ended.signal == signal.SIGKILL and kind == "kill":
            return None
        if ended.signal:
            return f"crash, {signal.Signals(ended.signal).name}"
        if not ended.is_one_line:
            return f"status {ended.status}, said {ended.errors!r}"
        if kind == "full" and not all(
            word in ended.errors.lower() for word in ("no space left", "free space", str(out))
        ):
            return f"said {ended.errors!r}"
        if kind == "stop" and "stopped" not in ended.errors:
            return f"said {ended.errors!r}"
        return half_written(out)


def plays(clip: Path) -> bool:
    """Whether all frames and the sound of a clip decode, as many as its header promises."""
    try:
        with av.open(str(clip)) as container:
            promised = container.streams.video[0].frames
            frames = sum(1 for _ in container.decode(video=0))
        with av.open(str(clip)) as container:
            samples = sum(frame.samples for frame in container.decode(audio=0))
    except av.FFmpegError:
        return False
    return frames == promised > 0 and samples > 0


def after(seconds: float, number: int) -> Callable[[int], None]:
    """Send the signal `number` after `seconds`."""

    def watch(child: int) -> None:
        time.sleep(seconds)
        os.kill(child, number)

    return watch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("full", "kills", "stops"):
        parser.add_argument(f"--{name}", type=int, default=40, help="number of points")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    choices = parser.parse_args()
    if refused := mounting_refused():
        print(refused)
        return SKIPPED
    enter_private_mounts("tests.faults.endurance")
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch).resolve(), random.Random(choices.seed))
        print(
            f"seed {choices.seed}: a run takes {bench.seconds:.1f} s and {bench.most >> 10} KiB", flush=True
        )
        for _ in range(choices.full):
            size = bench.dice.randrange(SMALLEST, bench.most)
            bench.disturb(f"full disk of {size} bytes", size, None)
        for _ in range(choices.kills):
            seconds = bench.dice.uniform(0, bench.seconds)
            bench.disturb(f"kill after {seconds:.3f} s", ROOM, after(seconds, signal.SIGKILL))
        for _ in range(choices.stops):
            seconds, number = (
                bench.dice.uniform(0.02, bench.seconds),
                bench.dice.choice((signal.SIGTERM, signal.SIGINT)),
            )
            bench.disturb(f"stop by {number.name} after {seconds:.3f} s", ROOM, after(seconds, number))
    for outcome, count in sorted(bench.outcomes.items()):
        print(f"  {count:4} {outcome}")
    print("\n".join(f"  FINDING {finding}" for finding in bench.findings) or "  no findings")
    return int(bool(bench.findings))


if __name__ == "__main__":
    sys.exit(main())
