"""Cores and memory within control groups, of files as kernels and Docker write them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emomedia import machine

GIB = 1 << 30
NO_LIMIT = 9223372036854771712  # as version 1 tells it

V2 = {
    "own": "0::/job/step",
    "job/cpu.max": "150000 100000",
    "job/step/cpu.max": "max 100000",
    "job/memory.max": f"{3 * GIB}",
    "job/memory.current": f"{2 * GIB}",
    "job/memory.stat": f"anon {GIB}\nfile {GIB}\ninactive_file {GIB // 2}\nactive_file {GIB // 4}",
    "job/step/memory.max": "max",
    "job/step/memory.current": f"{GIB}",
}
V1 = {
    # A container without a namespace for groups: its own one is the root, under a path that is the host's.
    "own": "4:memory:/docker/f00\n2:cpu,cpuacct:/docker/f00\n0::/",
    "cpu,cpuacct/cpu.cfs_quota_us": "150000",
    "cpu,cpuacct/cpu.cfs_period_us": "100000",
    "memory/memory.limit_in_bytes": f"{3 * GIB}",
    "memory/memory.usage_in_bytes": f"{2 * GIB}",
    "memory/memory.stat": f"inactive_file 1\ntotal_inactive_file {GIB // 2}\ntotal_active_file {GIB // 4}",
}
TURNED = {
    # As CentOS 7 has it: the order of the name is another one than the folder's, which links stand for.
    "own": "4:memory:/\n2:cpuacct,cpu:/job",
    "cpu/job/cpu.cfs_quota_us": "150000",
    "cpu/job/cpu.cfs_period_us": "100000",
} | {name: text for name, text in V1.items() if name.startswith("memory")}
FREE = {"own": "4:memory:/\n2:cpu:/", "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"} | {
    "memory/memory.limit_in_bytes": f"{NO_LIMIT}", "memory/memory.usage_in_bytes": f"{GIB}",
}  # fmt: skip


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    for name, text in request.param.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    monkeypatch.setattr(machine, "_GROUPS", tmp_path)
    monkeypatch.setattr(machine, "_OWN", tmp_path / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))


@pytest.mark.parametrize("group", [V2, V1, TURNED], indirect=True)
@pytest.mark.usefixtures("group")
def test_a_groups_limits_hold_and_cached_files_give_way():
    assert machine.usable_cores() == 2
    assert machine.free_memory() == GIB + GIB // 2 + GIB // 4


@pytest.mark.parametrize("group", [FREE, {}], indirect=True)
@pytest.mark.usefixtures("group")
def test_without_limits_there_is_what_the_machine_has():
    assert machine.usable_cores() == 64
    assert machine.free_memory() > 0
