"""Nothing is lost on the way through Praat and ELAN."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from emomedia.interchange import eaf, from_tiers, textgrid, to_tiers
from emomedia.session import Session, Side
from emomedia.stages import as_read
from emomedia.turns import TurnsFile, parse_turns, to_body

from .strategies import turns_files

FORMATS = {"TextGrid": textgrid, "eaf": eaf}
PATH = Path("some.eaf")


def session(name: str = "s") -> Session:
    side = Side("A", (Path("a.mp4"),))
    return Session(name, Path("/session.toml"), side, side)


def written(turns: TurnsFile, form) -> str:
    return form.write(to_tiers(turns, form.TICK))


def read(data: bytes, form, name: str = "s") -> TurnsFile:
    body = as_read(from_tiers(form.read(data, PATH), form.TICK, PATH, session(name)))
    return parse_turns(body, PATH, session(name))


def as_written(turns: TurnsFile) -> TurnsFile:
    """What turns.json keeps of it."""
    return parse_turns(as_read(to_body(turns)), PATH, session())


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
@settings(max_examples=60, deadline=None)
@given(turns=turns_files())
def test_what_nobody_changed_comes_back_as_it_was(form, turns):
    assert read(written(turns, form).encode(), form, "another") == as_written(turns)
