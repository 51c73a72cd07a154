"""Mutations of a description's values, so that most inputs get past the parser of TOML or JSON.

Bytes that parse are changed as values and written again; others, and a third of them all, as bytes.
"""

from __future__ import annotations

import copy
import datetime
import json
import random
import tomllib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

MutateBytes = Callable[[bytes, int], bytes]

ODD_TEXT = (
    "",
    ".",
    "..",
    "a" * 300,
    "é" * 120,
    "\0",
    "\ud800",
    "\u2028",
    "/",
    "file:x",
    "right",
    "0/0",
    "1e999999999",
)
ODD_NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 0.0, 0.1, -0.5, 1e-7, 1e300)
LITERALS = (
    "1e99999999",
    "0x" + "f" * 5000,
    "1e-99999999",
    "-0.0",
    "1E+9999999999999999999",
    "NaN",
    "1" * 5000,
)
"""Numbers as they may stand in a file, that no value of ours is written as."""

TOML = ("session", "profile")
"""The entries of it; others are JSON, where they parse."""

_MARK = "\u0001literal"


class _Literal(str):
    """Text of a number that is written as it stands."""


def _odd_value(rng: random.Random) -> Any:
    return rng.choice(
        [None, True, [], {}, [[]], {"": None}, rng.choice(ODD_TEXT), rng.choice(ODD_NUMBERS),
         _Literal(rng.choice(LITERALS)), rng.uniform(0, 20), rng.randrange(500)]
    )  # fmt: skip


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in `value` with each of its keys."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    found = [(value, key) for key in keys]
    return found + [place for key in list(keys) for place in _places(value[key])]


def _nudged(value: Any, rng: random.Random) -> Any:
    """A value near `value` where it is a number or text, an odd one otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str) or rng.random() < 0.3:
        return _odd_value(rng)
    if isinstance(value, str):
        return value[: rng.randrange(len(value) + 1)] + rng.choice(("", "0", "_", "é", "/", "-", "."))
    return float(value) * rng.choice((-1, 0.5, 2)) if rng.random() < 0.3 else value + rng.choice((-1, 1))


def _change(value: Any, rng: random.Random) -> Any:
    places = _places(value)
    if not places:
        return _odd_value(rng)
    container, key = rng.choice(places)
    other, other_key = rng.choice(places)
    match rng.randrange(6):
        case 0:
            del container[key]
        case 1:
            container[key] = copy.deepcopy(other[other_key])
        case 2 if isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        case 3 if isinstance(container, dict):
            container[rng.choice(("x", "made_from", "dialogues", str(other_key)))] = container[key]
        case _:
            container[key] = _nudged(container[key], rng)
    return value


def _literal_text(value: Any) -> Any:
    """`value` with marked text in place of literals, which :func:`_unmarked` takes out again."""
    if isinstance(value, _Literal):
        return _MARK + value
    if isinstance(value, dict):
        return {str(key): _literal_text(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_literal_text(entry) for entry in value]
    return float(value) if isinstance(value, Decimal) else value


def _unmarked(text: str) -> str:
    before, *rest = text.split('"\\u0001literal')
    return before + "".join(part.replace('"', "", 1) for part in rest)


def json_bytes(value: Any) -> bytes:
    """`value` as JSON, literals as they stand."""
    return _unmarked(json.dumps(_literal_text(value))).encode()


def _toml(value: Any) -> str:
    match value:
        case dict():
            return (
                "{" + ", ".join(f"{_toml(str(key))} = {_toml(entry)}" for key, entry in value.items()) + "}"
            )
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _Literal():
            return str(value)
        case str():
            return json.dumps(value.encode(errors="replace").decode(), ensure_ascii=False).replace(
                "\x7f", " "
            )
        case datetime.date() | datetime.time():
            return value.isoformat()
        case bool():
            return str(value).lower()
        case None:
            return '""'
        case _:
            return str(value)


def toml_bytes(value: Any) -> bytes:
    """`value` as TOML, tables inline."""
    entries = value.items() if isinstance(value, dict) else [("id", value)]
    return "".join(f"{_toml(str(key))} = {_toml(entry)}\n" for key, entry in entries).encode()


def _mutate_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.decode().splitlines()
    number = rng.randrange(len(lines))
    lines[number] = json_bytes(_change(json.loads(lines[number]), rng)).decode()
    return "\n".join(lines).encode()


def _mutate_values(entry: str, data: bytes, rng: random.Random) -> bytes:
    if entry in TOML:
        return toml_bytes(_change(tomllib.loads(data.decode()), rng))
    if entry == "clips":
        return _mutate_lines(data, rng)
    return json_bytes(_change(json.loads(data), rng))


def mutate(entry: str, data: bytes, max_size: int, seed: int, mutate_bytes: MutateBytes) -> bytes:
    """`data`, changed; the signature that atheris wants, behind the entry's name."""
    rng = random.Random(seed)
    if rng.random() < 0.67:
        try:
            changed = data
            for _ in range(rng.randint(1, 3)):
                changed = _mutate_values(entry, changed, rng)
            return changed[:max_size]
        except (ValueError, ArithmeticError, TypeError, RecursionError):
            pass
    return mutate_bytes(data, max_size)
