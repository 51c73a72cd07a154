"""Checking a value against a model; its first fault becomes one line."""

from __future__ import annotations

import difflib
import os
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..descriptions import description_error, key_text, show
from ..errors import DescriptionError

_Model = TypeVar("_Model", bound=BaseModel)

_PLAIN = {
    "missing": ("a value", "add it"),
    "dict_type": ("a table of keys", "correct it"),
    "list_type": ("a list", "correct it"),
    "bool_type": ("true or false", "correct it"),
    "string_type": ("text", "correct it"),
    "float_type": ("a decimal number", "correct it"),
    "finite_number": ("a finite number", "correct it"),
    "literal_error": ("one of the words for it", "correct it"),
}
"""pydantic's own error types that these models can give: what belongs there, and the remedy."""


def validate(model: type[_Model], value: Any, source: str | os.PathLike[str]) -> _Model:
    """`value`, as TOML or JSON gave it, as a `model`.

    Raises
    ------
    DescriptionError
        With the first thing that is wrong; an unknown key comes before a missing one.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        first = min(problems, key=lambda problem: problem["type"] != "extra_forbidden")
        raise _translated(model, first, source) from None


def _translated(
    model: type[BaseModel], problem: ErrorDetails, source: str | os.PathLike[str]
) -> DescriptionError:
    location = list(problem["loc"])
    if problem["type"] == "extra_forbidden":
        return _unknown_key(_table_at(model, location[:-1]), location, source)
    if problem["type"] == "model_type":
        return _no_table(_table_at(model, location), location, show(problem["input"]), source)
    found = "nothing" if problem["type"] == "missing" else show(problem["input"])
    context = problem.get("ctx", {})
    expected, remedy = _PLAIN.get(problem["type"], (problem["msg"], "correct it"))
    expected = context.get("expected", expected)
    return description_error(
        source, location, expected=expected, found=found, remedy=context.get("remedy", remedy)
    )


def _no_table(
    table: type[BaseModel], location: list[int | str], found: str, source: str | os.PathLike[str]
) -> DescriptionError:
    return description_error(
        source,
        location,
        expected="a table of keys" + (f" ({', '.join(_known_keys(table))})" if location else ""),
        found=found,
        remedy="correct it",
    )


def _known_keys(table: type[BaseModel]) -> list[str]:
    return [name for name in table.model_fields if name != "made_from"]


def _unknown_key(
    table: type[BaseModel], location: list[int | str], source: str | os.PathLike[str]
) -> DescriptionError:
    known = _known_keys(table)
    nearest = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0)
    key = show(str(location[-1]))
    return description_error(
        source,
        key_text(location),
        expected=f"one of the keys {', '.join(known)}",
        found=f"the unknown key {key}",
        remedy=f"the nearest is '{nearest[0]}': correct or remove it",
    )


def _table_at(model: type[BaseModel], location: list[int | str]) -> type[BaseModel]:
    """The table whose keys stand at `location` within `model`."""
    for part in location:
        if isinstance(part, str):
            model = _tables_in(model.model_fields[part].annotation)[0]
    return model


def _tables_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [table for part in getattr(annotation, "__args__", ()) for table in _tables_in(part)]
