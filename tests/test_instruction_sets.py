"""EMOMEDIA_CPU: the same bytes under every instruction set, and no other name is taken.

What composes is chosen once a process, so each is tried in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

import emomedia
import exact
from emomedia import _core
from emomedia.errors import DescriptionError
from emomedia.options import Options
from emomedia.run import run

NAMES = _core.compose_kernels()
TESTS = Path(__file__).parent
SMALL = {"size": (180, 320), "seconds": Fraction(3), "dialogues": 1}
LYING = {**SMALL, "codec": "hevc", "depth": 10, "rotate": 90}


def ended_under(name: str, *command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "EMOMEDIA_CPU": name},
        cwd=TESTS.parent,
    )


def test_names_are_told_narrowest_first():
    assert NAMES[0] == "scalar"
    assert list(NAMES) == [name for name in ("scalar", "avx2", "avx512") if name in NAMES]
    flags = Path("/proc/cpuinfo").read_text()
    assert ("avx2" in NAMES) == (" avx2 " in flags)
    assert ("avx512" in NAMES) == (" avx512_vnni " in flags and " avx512vbmi " in flags)


@pytest.mark.parametrize("name", [*NAMES, ""])
def test_the_one_that_is_named_composes_and_none_means_the_widest(name):
    ended = ended_under(name, "-c", "from emomedia import _core; print(_core.compose_kernel())")
    assert ended.stdout.split() == [name or NAMES[-1]]


@pytest.mark.parametrize("name", NAMES)
def test_composites_equal_the_reference(name):
    """Formats, depths, rotations, mirrors and colours, as tests/reference has them."""
    chosen = "every_format_and_rotation or mirrored or beyond_their_depth or different_colours"
    ended = ended_under(
        name, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, TESTS / "reference/test_core.py"
    )
    assert ended.returncode == 0, ended.stdout
    assert " passed" in ended.stdout
    assert "skipped" not in ended.stdout


@pytest.mark.parametrize("choices", [SMALL, LYING], ids=["upright, 8 bits", "lying, 10 bits"])
def test_it_shows_in_run_json_alone(simulated, tmp_path, choices):
    session = simulated(**choices)
    trees = []
    for name in NAMES:
        out = tmp_path / name
        turns = session.parent / "turns.json"
        arguments = ["run", session, "--out", out, "--turns", turns, "--preset", "ultrafast"]
        ended = ended_under(name, "-m", "emomedia", *arguments, "--layout", "composite,left")
        assert ended.returncode == 0, ended.stderr
        assert json.loads((out / "sim/run.json").read_text())["machine"]["instruction_set"] == name
        trees.append(exact.tree(out))
    assert all(tree == trees[0] for tree in trees)


@pytest.mark.parametrize("name", ["sse9", "AVX2", "avx512 ", "avx2\nscalar"])
@pytest.mark.parametrize("verb", ["run", "cut"])
def test_another_name_ends_a_run_before_any_stage(tmp_path, name, verb):
    """Not even the description is read."""
    ended = ended_under(name, "-m", "emomedia", verb, tmp_path / "none.toml", "--out", tmp_path / "out")
    assert ended.returncode == 1
    assert ended.stderr.startswith("emomedia: EMOMEDIA_CPU: expected an instruction set that this processor")
    assert f"runs: {', '.join(NAMES)}, found {name}".replace("\n", "\\x0a") in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_another_name_is_refused_by_the_library(simulated, tmp_path, monkeypatch):
    session = simulated(**SMALL)
    monkeypatch.setenv("EMOMEDIA_CPU", "sse9")
    for call in (
        lambda: emomedia.frames(session),
        lambda: run(session, tmp_path / "out", Options()),
        _core.compose_kernel,
    ):
        with pytest.raises(DescriptionError, match=r"EMOMEDIA_CPU: expected .*, found sse9; correct the"):
            call()
    assert list(tmp_path.iterdir()) == []
