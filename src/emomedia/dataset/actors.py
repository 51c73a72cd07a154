"""Who the actors are: a table by the user, as TOML or CSV, with an id and what is known of each.

TOML: ``[[actor]]`` tables of ``id``, ``gender``, ``age``, ``region``; CSV: a line of these names, then a
line for each actor.  All but the id may be left out; an id is what session.toml calls the actor.
"""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..descriptions import description_error, show
from ..errors import DescriptionError, MediaNotFoundError
from ..files import error_text, read_small

NAMES = ("actors.toml", "actors.csv")
"""Where an output folder may have the table."""

_MAX_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Actor:
    """One person; None for what the table leaves out."""

    id: str
    gender: str | None = None
    age: int | None = None
    region: str | None = None


def find_actors(out: Path, given: Path | None = None) -> dict[str, Actor]:
    """The actors of the file `given`, else of ``actors.toml`` or ``actors.csv`` in `out`, else none."""
    if given is not None:
        return read_actors(given)
    return next((read_actors(out / name) for name in NAMES if (out / name).is_file()), {})


def read_actors(path: Path) -> dict[str, Actor]:
    """The actors of a table by id, in its order.

    Raises
    ------
    MediaNotFoundError
        There is no such file.
    DescriptionError
        It is no such table, a value is not what belongs there, or an id is there twice.
    """
    from ..schema.tables import ActorsTable
    from ..schema.validation import validate

    try:
        text = read_small(path, _MAX_BYTES).decode("utf-8-sig")
        body = {"actor": _csv(text)} if path.suffix.lower() == ".csv" else tomllib.loads(text)
    except OSError as error:
        raise MediaNotFoundError(
            path, expected="the table of actors", found=error_text(error), remedy="correct the name"
        ) from error
    except (ValueError, RecursionError, csv.Error) as error:
        raise DescriptionError(
            path, expected="TOML or CSV in UTF-8", found=show(str(error)), remedy="correct the file"
        ) from error
    actors: dict[str, Actor] = {}
    for number, entry in enumerate(validate(ActorsTable, body, path).actor):
        if entry.id in actors:
            raise description_error(
                path, ["actor", number, "id"], expected="an id that no other actor has",
                found=show(entry.id), remedy="remove one of the two",
            )  # fmt: skip
        actors[entry.id] = Actor(entry.id, entry.gender, entry.age, entry.region)
    return actors


def _csv(text: str) -> list[dict[str, Any]]:
    """The lines of a CSV as TOML would give them: no empty values, ages as numbers."""
    entries: list[dict[str, Any]] = []
    for line in csv.DictReader(text.splitlines(), restkey="", strict=True):
        entry: dict[str, Any] = {key: value for key, value in line.items() if value}
        age = entry.get("age", "")
        if age.isascii() and age.isdigit() and len(age) < 4:
            entry["age"] = int(age)
        entries.append(entry)
    return entries
