"""Options of a run of the suite, and the fixture through which every benchmark measures."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .machine import state
from .measuring import BUILD, Cost, Record, Store


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("emomedia's benchmarks")
    group.addoption("--smoke", action="store_true", help="small pictures, one round: does everything work?")
    group.addoption("--rounds", type=int, default=3, help="rounds of what runs end to end")
    group.addoption("--long", action="store_true", help="also a session ten times as long, for its memory")


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    smoke: bool
    rounds: int
    long: bool

    @property
    def quick_rounds(self) -> int:
        """Of what takes less than seconds."""
        return 1 if self.smoke else 4 * self.rounds + 1

    @property
    def folder(self) -> Path:
        """Where records and outputs of this kind of run lie."""
        return BUILD / ("smoke" if self.smoke else "full")


def scale_of(config: pytest.Config) -> Scale:
    smoke = config.getoption("--smoke")
    return Scale(smoke, 1 if smoke else config.getoption("--rounds"), config.getoption("--long"))


@pytest.fixture(scope="session")
def scale(pytestconfig: pytest.Config) -> Scale:
    return scale_of(pytestconfig)


@pytest.fixture(scope="session")
def store(scale: Scale) -> Store:
    return Store(scale.folder / "records", state())


Measure = Callable[..., None]


@pytest.fixture
def measure(store: Store, benchmark: Any) -> Measure:
    """Runs one round of one contender, verifies what it made, keeps the record.

    ``measure(group, case, contender, round, frames, work, verify)``: `work` returns a :class:`Cost`; `verify`
    raises AssertionError or returns facts.  A round that this run of the suite has already is skipped.
    """

    def once(
        group: str,
        case: str,
        contender: str,
        number: int,
        frames: int,
        work: Callable[[], Cost],
        verify: Callable[[], dict[str, Any]],
    ) -> None:
        record = Record(group, case, contender, number, frames, Cost(0, 0))
        if store.has(record.name):
            pytest.skip("measured already")
        benchmark.group = f"{group}: {case}"
        cost = benchmark.pedantic(work, rounds=1, iterations=1)
        facts = verify()
        benchmark.extra_info.update(contender=contender, round=number, cpu_s=cost.cpu_s, peak_mb=cost.peak_mb)
        store.put(Record(group, case, contender, number, frames, cost, facts))

    return once


@pytest.fixture
def out() -> Iterator[Path]:
    """An empty folder on the disk of the build, not in memory."""
    folder = BUILD / "work/out"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The table and, from a full run, the results."""
    if session.config.getoption("collectonly"):
        return
    from .report import finish

    scale = scale_of(session.config)
    finish(Store(scale.folder / "records", state()), scale.smoke)
