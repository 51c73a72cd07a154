"""A batch against the same sessions one after another: wall time, busy cores, bookkeeping.

    python -m benchmarks.batches [--sessions 12] [--seconds 8] [--size 1080x1920] [--cores 2] [--record FILE]

The sessions are simulated; both sides make the same bytes, which is checked.  On a machine that others use
too, walls say little: so the kernel is asked how long each thread ran and how long it waited for a processor.
A core is busy where a thread runs or would; walls are what they would be without the waiting.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from tests import many

BUSY, RATIO, BOOKKEEPING = 0.92, 0.85, 0.01


@dataclass(frozen=True)
class Used:
    """Seconds of wall time, on processors, and of waiting for one, of a command and all its processes."""

    wall_s: float
    cpu_s: float
    waited_s: float

    @property
    def alone_s(self) -> float:
        """About the wall time if no one else had used the processors."""
        return self.wall_s * self.cpu_s / (self.cpu_s + self.waited_s)

    def busy(self, cores: int) -> float:
        """Share of the cores' time in which there was something to run."""
        return (self.cpu_s + self.waited_s) / (cores * self.wall_s)


def watched(command: list[str]) -> tuple[Used, str]:
    """Run a command, and look at its processes' threads every tenth of a second."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    last: dict[str, tuple[int, int]] = {}
    watcher = threading.Thread(target=_watch, args=(process, last), daemon=True)
    watcher.start()
    output, _ = process.communicate()
    wall = time.monotonic() - begin
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: status {process.returncode}")
    cpu, waited = (sum(times[which] for times in last.values()) / 1e9 for which in (0, 1))
    return Used(wall, cpu, waited), output


def _watch(process: subprocess.Popen[str], last: dict[str, tuple[int, int]]) -> None:
    """Keep of every thread its last nanoseconds on and waiting for a processor (`/proc/…/schedstat`)."""
    while process.poll() is None:
        for one in _family(process.pid):
            for task in Path(f"/proc/{one}/task").glob("*/schedstat"):
                try:
                    on, waited = task.read_text().split()[:2]
                except OSError:
                    continue
                last[str(task)] = int(on), int(waited)
        time.sleep(0.1)


def _family(root: int) -> list[int]:
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        for children in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            try:
                waiting += map(int, children.read_text().split())
            except OSError:
                continue
    return found


def measure(root: Path, paths: list[Path], cores: int) -> dict[str, object]:
    """Both ways, on just so many cores."""
    pin = ["taskset", "-c", ",".join(map(str, range(cores)))]
    batch, told = watched([*pin, *many.batch_command(root / "in", root / "batch", "--json")])
    result = json.loads(told.splitlines()[-1])
    single = Used(0, 0, 0)
    for path in paths:
        run = [
            sys.executable,
            "-m",
            "emomedia",
            "run",
            str(path),
            "--out",
            str(root / "single"),
            *many.PRESET,
        ]
        used, _ = watched([*pin, *run])
        single = Used(*(a + b for a, b in zip(asdict(single).values(), asdict(used).values(), strict=True)))
    assert many.dataset(root / "batch") == many.dataset(root / "single"), "the same bytes"
    return {
        "batch": asdict(batch), "single": asdict(single), "cores": cores,
        "busy": batch.busy(cores), "single_busy": single.busy(cores),
        "wall_ratio": batch.wall_s / single.wall_s,
        "alone_ratio": batch.alone_s / single.alone_s,
        "cpu_ratio": batch.cpu_s / single.cpu_s,
        "bookkeeping": result["bookkeeping_share"],
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=12)
    parser.add_argument("--seconds", type=Fraction, default=Fraction(8))
    parser.add_argument("--size", default="1080x1920", help="of the takes, upright")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the figures there, as JSON")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        choices = {"size": (width, height), "seconds": arguments.seconds, "fps": Fraction(25)}
        paths = many.make_sessions(root / "in", arguments.sessions, **choices)
        found = measure(root, paths, arguments.cores)
    bars = [
        ("busy cores", found["busy"], BUSY, found["busy"] >= BUSY),
        ("wall, batch / one after another", found["alone_ratio"], RATIO, found["alone_ratio"] <= RATIO),
        ("bookkeeping", found["bookkeeping"], BOOKKEEPING, found["bookkeeping"] <= BOOKKEEPING),
    ]
    for name, value, bar, met in bars:
        print(f"{name:<34}{value:>8.3f}   bar {bar:<6} {'met' if met else 'MISSED'}")
    print(f"{'the same as the clock had it':<34}{found['wall_ratio']:>8.3f}")
    print(f"{'busy cores, one after another':<34}{found['single_busy']:>8.3f}")
    print(f"{'CPU, batch / one after another':<34}{found['cpu_ratio']:>8.3f}")
    print(json.dumps(found))
    if arguments.record:
        arguments.record.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if all(met for *_, met in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
