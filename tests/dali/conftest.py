"""A finished dataset of two small sessions, at 25 and at 29.97 frames a second."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from emomedia.options import Options
from emomedia.run import run

KINDS: dict[str, dict[str, Any]] = {
    "pal": {"right_offset": Fraction("0.3"), "session": "pal"},
    "ntsc": {"fps": Fraction(30000, 1001), "session": "ntsc"},
}


@pytest.fixture(scope="session")
def dataset(simulated: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder.  Each session has a dialogue of two turns, the left actor's and the right one's."""
    out = tmp_path_factory.mktemp("dataset")
    for kind in KINDS.values():
        session = simulated(size=(270, 480), seconds=Fraction(4), dialogues=1, seed=2, **kind)
        run(session, out, Options(turns=session.parent / "turns.json", preset="veryfast", gop=10))
    return out
