"""Small sessions, three of them damaged, and a batch over all of them that nobody disturbed."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import many

DAMAGED = {"s03": "half a take", "s04": "a take with holes", "s05": "a description that is none"}


@dataclass(frozen=True)
class Undisturbed:
    """What went in, what came out, and how the command ended."""

    sessions: tuple[Path, ...]
    sound: Path
    out: Path
    ended: subprocess.CompletedProcess[str]
    dataset: dict[str, bytes]

    def sound_dataset(self, out: Path) -> dict[str, bytes]:
        """What a batch of the sound sessions alone must have made in `out`."""
        of_sound = {name: data for name, data in self.dataset.items() if name.split("/")[0] not in DAMAGED}
        return of_sound | {"clips.parquet": (out / "clips.parquet").read_bytes()}


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    root = tmp_path_factory.mktemp("batch")
    sessions = many.make_sessions(root / "in", 6)
    for name, damage in DAMAGED.items():
        many.DAMAGE[damage][1](root / "in" / name)
    sound = root / "sound.txt"
    sound.write_text("".join(f"{path}\n" for path in sessions if path.parent.name not in DAMAGED))
    out = root / "out"
    ended = subprocess.run(
        many.batch_command(root / "in", out, "--json"), capture_output=True, text=True, check=False
    )
    return Undisturbed(tuple(sessions), sound, out, ended, many.dataset(out))
