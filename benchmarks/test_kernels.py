"""Compose alone, one take to its half of the composite: emomedia's kernels, zimg, swscale, NumPy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Measure, Scale, scale_of
from .kernels import LEAST_PSNR, TASKS, Entry, entries
from .measuring import Cost
from .native_peers import Task
from .pictures import expected, take_picture

FRAMES = 10
"""Pictures a round; two buffers do for a smoke test."""
CPUS = ("scalar", "avx2", "avx512")
SMOKE_TASKS = {
    "upright 8 bit": Task(540, 960, crop=(0, 176, 540, 608), out=(240, 270)),
    "rotated 10 bit": Task(540, 960, depth=10, rotate=90, crop=(0, 176, 540, 608), out=(240, 270)),
}
KINDS = ("chosen", *CPUS, "zimg", "zimg-32", "swscale", "swscale-fast")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Rounds outside, contenders inside: they take turns."""
    scale = scale_of(metafunc.config)
    tasks = SMOKE_TASKS if scale.smoke else TASKS
    if "kind" in metafunc.fixturenames:
        rounds = range(scale.quick_rounds)
        every = [(task, number, kind) for task in tasks for number in rounds for kind in KINDS]
        metafunc.parametrize(("task", "number", "kind"), every, indirect=["task"])
    else:
        metafunc.parametrize(("task", "number"), [(name, 0) for name in tasks], indirect=["task"])


@pytest.fixture(scope="module")
def task(request: pytest.FixtureRequest, scale: Scale) -> Iterator[tuple[str, Task]]:
    yield request.param, (SMOKE_TASKS if scale.smoke else TASKS)[request.param]


@pytest.fixture(scope="module")
def found(task: tuple[str, Task], scale: Scale) -> Iterator[dict[str, Entry]]:
    """The task's contenders by kind, verified."""
    with entries(task[1], 2 if scale.smoke else None, CPUS) as every:
        yield every


def test_compose(
    task: tuple[str, Task], number: int, kind: str, found: dict[str, Entry], measure: Measure
) -> None:
    if kind not in found:
        pytest.skip(f"this processor or library lacks {kind}")
    entry = found[kind]

    def work() -> Cost:
        begin = time.perf_counter()
        cpu = entry.contender.run(FRAMES)
        return Cost(time.perf_counter() - begin, cpu)

    def verify() -> dict[str, Any]:
        assert entry.psnr >= LEAST_PSNR
        return {
            "name": entry.contender.name,
            "psnr_db": entry.psnr,
            "largest_difference": entry.largest,
            "exact": entry.exact,
        }

    measure("compose", task[0], kind, number, FRAMES, work, verify)


def test_reference(task: tuple[str, Task], number: int, measure: Measure) -> None:
    picture = take_picture(task[1])

    def work() -> Cost:
        begin, cpu = time.perf_counter(), time.thread_time()
        expected(task[1], picture)
        return Cost(time.perf_counter() - begin, time.thread_time() - cpu)

    measure("compose", task[0], "reference in NumPy", number, 1, work, lambda: {"exact": True})
