"""Inputs that were findings once stay harmless; the examples are right; mutants get past the parsers."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from . import entries, mutate, seeds

HERE = Path(__file__).parent
REGRESSIONS = sorted((HERE / "regressions").glob("*/*"))
EXAMPLES = {entry: data for entry, _, data in seeds.descriptions()}


@pytest.mark.parametrize("entry", entries.ENTRIES)
def test_the_example_is_right(entry):
    entries.ENTRIES[entry](EXAMPLES[entry])


@pytest.mark.parametrize(
    "path",
    [path for path in REGRESSIONS if path.parent.name in entries.ENTRIES],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
@pytest.mark.filterwarnings("error")
def test_a_past_finding_is_refused_or_read(path):
    entries.run(path.parent.name, path.read_bytes())


def test_every_regression_belongs_to_an_entry():
    native = {path.stem for path in (HERE.parents[1] / "csrc" / "fuzz").glob("*.cpp")}
    assert REGRESSIONS
    assert {path.parent.name for path in REGRESSIONS} <= native | entries.ENTRIES.keys()


@pytest.mark.parametrize("entry", sorted(entries.ENTRIES.keys() - {"cube", "textgrid", "eaf", "sound"}))
def test_most_mutants_are_still_toml_or_json(entry):
    def parses(data):
        try:
            for line in data.splitlines() if entry == "clips" else [data]:
                tomllib.loads(line.decode()) if entry in mutate.TOML else json.loads(line)
        except (ValueError, RecursionError):
            return False
        return True

    example = EXAMPLES[entry]
    mutants = [mutate.mutate(entry, example, 1 << 13, seed, lambda *_: b"\xff") for seed in range(300)]
    assert len(set(mutants)) > 100
    assert sum(map(parses, mutants)) > 120
