"""Simulated sessions that several tests share; each is made once a run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emomedia.simulate import SimulateOptions, simulate

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def encoder_of_new_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same on every machine: no test is given NVENC that does not ask for it."""
    monkeypatch.setattr("emomedia.encoder._best", lambda *_: "libx264")


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A session.toml simulated with the given options, made once for each set of them.

    Options are those of the session and of the camera mixed, as for :meth:`SimulateOptions.of`.
    """
    made: dict[SimulateOptions, Path] = {}

    def make(**choices: Any) -> Path:
        options = SimulateOptions.of(**choices)
        if options not in made:
            made[options] = simulate(tmp_path_factory.mktemp("session"), options)
        return made[options]

    return make


@pytest.fixture(scope="session")
def finished(simulated: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder of four sessions with real clips and made-up measures (finished.py)."""
    from finished import make

    session = simulated(size=(216, 384), seconds=6)
    return make(session, tmp_path_factory.mktemp("dataset") / "OUT")
