"""What work costs: wall time, processor time, peak memory; and the records that are kept of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from emomedia.files import write_bytes

HERE = Path(__file__).parent
BUILD = HERE.parent / "build/bench"


@dataclass(frozen=True)
class Cost:
    """Seconds of wall time, seconds on processors, and the largest resident memory in MB, if known."""

    wall_s: float
    cpu_s: float
    peak_mb: float | None = None

    def __add__(self, other: Cost) -> Cost:
        """One after the other."""
        peaks = [peak for peak in (self.peak_mb, other.peak_mb) if peak is not None]
        return Cost(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s, max(peaks, default=None))


def run(commands: Iterable[Sequence[str]]) -> Cost:
    """Run commands one after the other, in processes that do not share this one's memory.

    Raises
    ------
    RuntimeError
        One of them fails; with what it wrote.
    """
    total = Cost(0, 0)
    for command in commands:
        with tempfile.NamedTemporaryFile(suffix=".json") as result:
            launch = [sys.executable, "-I", "-S", str(HERE / "launch.py"), result.name, *map(str, command)]
            done = subprocess.run(launch, capture_output=True, text=True, errors="replace")
            if done.returncode != 0:
                raise RuntimeError(
                    f"{' '.join(map(str, command))}: {done.stderr[-2000:] or done.stdout[-2000:]}"
                )
            total += Cost(**json.loads(result.read()))
    return total


@dataclass(frozen=True)
class Record:
    """One round of one contender.

    Attributes
    ----------
    group, case, contender : str
        What is compared, on what, and who.
    frames : int
        How many frames the cost is for.
    facts : dict
        What verifying the output found: kernel, dB, bytes.
    """

    group: str
    case: str
    contender: str
    round: int
    frames: int
    cost: Cost
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the record's file."""
        text = f"{self.group} {self.case} {self.contender} {self.round}"
        return "".join(c if c.isalnum() or c in ".-" else "_" for c in text)


class Store:
    """Records kept as files, so that an interrupted run of the suite goes on where it stopped.

    `state` is what all of them depend on; records of another state are not seen.
    """

    def __init__(self, root: Path, state: object) -> None:
        key = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:16]
        self.folder = root / key

    def has(self, record: str) -> bool:
        return (self.folder / f"{record}.json").exists()

    def put(self, record: Record) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self.folder / f"{record.name}.json", json.dumps(asdict(record), indent=1).encode())

    def all(self) -> list[Record]:
        """In the order of their names."""
        bodies = [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json"))]
        return [Record(**{**body, "cost": Cost(**body["cost"])}) for body in bodies]
