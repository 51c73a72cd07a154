"""The guard itself: it fails on a worsening, on a kernel that is gone, and on nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from .check import TOLERANCES, main
from .instructions import COUNTER, by_object, kernel_counts

NAME = "compose, upright 8 bit, scalar"


@pytest.fixture(scope="module")
def counted() -> dict[str, Any]:
    """What a check finds: counted here, on one kernel."""
    if shutil.which("valgrind") is None or not COUNTER.exists():
        pytest.skip("no valgrind, or no native benchmarks built")
    found = kernel_counts(["scalar"], ["upright 8 bit"])
    return {"counts": {"environment": {"compiler": "1"}, "values": found}}


def _check(folder: Path, measured: dict[str, Any], baseline: dict[str, Any], *more: str) -> int:
    for name, body in (("measured", measured), ("baseline", {"counts": [baseline["counts"]]})):
        (folder / f"{name}.json").write_text(json.dumps(body))
    files = ["--measured", str(folder / "measured.json"), "--baseline", str(folder / "baseline.json")]
    return main([*files, *more])


def _scaled(counted: dict[str, Any], factor: float) -> dict[str, Any]:
    entry = counted["counts"]
    values = {name: value * factor for name, value in entry["values"].items()}
    return {"counts": {**entry, "values": values}}


def test_counts_are_the_same_twice(counted: dict[str, Any]) -> None:
    again = kernel_counts(["scalar"], ["upright 8 bit"])[NAME]
    assert abs(again / counted["counts"]["values"][NAME] - 1) < TOLERANCES["compose"] / 5


def test_the_same_passes(counted: dict[str, Any], tmp_path: Path) -> None:
    assert _check(tmp_path, counted, counted) == 0


def test_a_worsening_fails(
    counted: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _check(tmp_path, counted, _scaled(counted, 0.99)) == 1
    assert f"WORSE   {NAME}" in capsys.readouterr().out


def test_an_improvement_passes(counted: dict[str, Any], tmp_path: Path) -> None:
    assert _check(tmp_path, counted, _scaled(counted, 1.5)) == 0


def test_a_kernel_that_is_gone_fails(counted: dict[str, Any], tmp_path: Path) -> None:
    baseline = json.loads(json.dumps(counted))
    baseline["counts"]["values"]["compose, upright 8 bit, avx2"] = 1
    assert _check(tmp_path, counted, baseline) == 1


def test_another_environment_has_no_baseline(
    counted: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline = _scaled(counted, 0.5)
    baseline["counts"] = {**baseline["counts"], "environment": {"compiler": "2"}}
    assert _check(tmp_path, counted, baseline) == 0
    assert "no baseline for this environment" in capsys.readouterr().out


def test_an_update_becomes_the_baseline(counted: dict[str, Any], tmp_path: Path) -> None:
    assert _check(tmp_path, counted, _scaled(counted, 0.5), "--update") == 0
    files = ["--measured", str(tmp_path / "measured.json"), "--baseline", str(tmp_path / "baseline.json")]
    assert main(files) == 0
    assert len(json.loads((tmp_path / "baseline.json").read_text())["counts"]) == 1


def test_own_costs_count_once() -> None:
    """A call's inclusive cost is in the callee's lines already."""
    text = "ob=(1) a\nfn=(1) main\n1 10\ncob=(2) b\ncfn=(2) work\ncalls=1 1\n2 30\n\nob=(2)\nfn=(2)\n+1 30\n"
    assert by_object(text) == {"a": 10, "b": 30}
