"""The list of modules in docs/ARCHITECTURE.md is whole, and imports go upwards in it, late ones too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/emomedia"
TEXT = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
LIST = TEXT.partition("| place | what it is | pure? |")[2].partition("\n\n")[0]
PLACES = {
    place: row
    for row, line in enumerate(LIST.splitlines())
    for place in re.findall(r"`(\w+)(?:\.py|/)`", line.split("|")[1] if "|" in line else "")
}
"""Row of each module and package; a row's own may import each other."""

EVERYWHERE = "probe.types"
"""The model of what was found, which the text excepts."""


def places() -> list[str]:
    found = [path for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    return sorted(path.stem for path in found if not path.name.startswith("_"))


def imported(path: Path) -> Iterator[str]:
    """Modules within the package, by their dotted names below it."""
    package = path.relative_to(SOURCE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            stem = ".".join(part for part in base if part)
            yield from ([stem] if stem else [name.name for name in node.names])


def test_every_place_is_in_the_list():
    assert sorted(PLACES) == places()


@pytest.mark.parametrize("place", PLACES)
def test_a_place_imports_only_what_stands_above_it(place):
    folder = SOURCE / place
    for path in folder.rglob("*.py") if folder.is_dir() else [SOURCE / f"{place}.py"]:
        for name in imported(path):
            row = PLACES.get(name.partition(".")[0], -1)
            assert row <= PLACES[place] or name == EVERYWHERE, f"{path.name} imports {name}"
