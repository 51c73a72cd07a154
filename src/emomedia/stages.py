"""The one rule by which a stage is fresh, stale or the user's own.

Every stage file is a JSON object that begins with a stamp::

    "made_from": {"hash": "…", "content": "…", "version": "…"}

``hash`` covers what the file was made from: the inputs, the options that matter to this stage and
emomedia's version.  ``content`` is the digest of everything else in the file.  From the two follows:

* fresh: both agree, the stage is skipped;
* stale: the content is what a stage wrote, but from something else, so it is made again;
* the user's own: there is no stamp, or the content was changed by hand; it is kept and used.

A file that says what one of the user's does (``--turns``) has ``"given": true`` in its stamp besides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from . import __version__
from .containers import regular_file
from .descriptions import show
from .errors import MediaNotFoundError, StageError
from .files import canonical_json, error_text, read_small, write_bytes

MAX_BYTES = 64 << 20
"""Bytes that a stage file or an audit may have: more than a day's frame times or a year's turns take."""

_ENDS = 1 << 16
"""Bytes at a media file's head and at its tail that go into its fingerprint."""


class State(Enum):
    """How a stage file relates to what it would be made from now."""

    MISSING = "missing"
    FRESH = "fresh"
    STALE = "stale"
    OWN = "the user's own"


def digest(*parts: Any) -> str:
    """Hex SHA-256 of values that JSON can hold, in their order."""
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def media_fingerprint(path: Path) -> list[Any]:
    """What identifies a media file without reading all of it: size, mtime, digest of head and tail."""
    status = regular_file(path)
    try:
        with path.open("rb") as file:
            ends = hashlib.sha256(file.read(_ENDS))
            file.seek(max(0, status.st_size - _ENDS))
            ends.update(file.read(_ENDS))
    except OSError as error:
        raise MediaNotFoundError(
            path,
            expected="a readable file",
            found=error_text(error),
            remedy="correct its path in session.toml, or its permissions",
        ) from error
    return [status.st_size, status.st_mtime_ns, ends.hexdigest()]


def made_from(stage: str, inputs: Any, options: Any = None) -> str:
    """The hash of all that a stage's result depends on."""
    return digest(stage, __version__, inputs, options)


def content_digest(body: dict[str, Any]) -> str:
    """Digest of a stage file without its stamp; what it holds, however it is spelled."""
    return digest({key: value for key, value in body.items() if key != "made_from"})


def read(path: Path) -> dict[str, Any]:
    """A stage file's content; decimals stay exact (:class:`decimal.Decimal`).

    Raises
    ------
    MediaNotFoundError
        There is no such file.
    StageError
        It is not a JSON object in UTF-8, has a number that JSON does not know (NaN, Infinity) or the
        same key twice, or is larger than :data:`MAX_BYTES`.
    """
    try:
        value = parse(read_small(path, MAX_BYTES))
    except FileNotFoundError as error:
        raise MediaNotFoundError(
            path, expected="a JSON file", found="nothing", remedy="correct the path"
        ) from error
    except (OSError, ValueError) as error:
        raise _no_object(path, error_text(error)) from error
    if not isinstance(value, dict):
        raise _no_object(path, type(value).__name__)
    return value


def parse(data: bytes, real: Callable[[str], Any] = Decimal) -> Any:
    """The value of a JSON text in UTF-8, its decimals made by `real`: as they are, exact.

    Raises
    ------
    ValueError
        Whatever is wrong with it.
    """
    try:
        return json.loads(
            data.decode("utf-8-sig"),
            parse_float=real,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except ArithmeticError:
        raise ValueError("a number out of all bounds") from None
    except RecursionError:
        raise ValueError("lists or objects nested without end") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {show(next(key for key in keys if keys.count(key) > 1))} twice")
    return value


def _no_object(path: Path, found: str) -> StageError:
    return StageError(
        path,
        expected="a JSON object in UTF-8",
        found=found,
        remedy="correct the file, or delete it so that it is made again",
    )


def found(path: Path, made_from_hash: str) -> tuple[State, dict[str, Any]]:
    """Whether the stage file at `path` is missing, fresh, stale or the user's own; and its content."""
    if not path.exists():
        return State.MISSING, {}
    body = read(path)
    stamp = body.get("made_from")
    if not isinstance(stamp, dict) or stamp.get("content") != content_digest(body):
        return State.OWN, body
    return State.FRESH if stamp.get("hash") == made_from_hash else State.STALE, body


def was_given(path: Path) -> bool:
    """Whether the stage file at `path` was written from a file that the user gave, and not changed since."""
    state, body = found(path, "")
    return state is State.STALE and body["made_from"].get("given") is True


def write(path: Path, body: dict[str, Any], made_from_hash: str, *, given: bool = False) -> None:
    """Write a stage file atomically: its stamp, then `body`, one top-level key a line."""
    body = {key: value for key, value in body.items() if key != "made_from"}
    stamp = {"hash": made_from_hash, "content": content_digest(as_read(body)), "version": __version__}
    entries = {"made_from": stamp | ({"given": True} if given else {})} | body
    lines = [f"{canonical_json(key)}: {_dumps(value)}" for key, value in entries.items()]
    write_bytes(path, ("{" + ",\n ".join(lines) + "}\n").encode())


def as_read(body: dict[str, Any]) -> dict[str, Any]:
    """What :func:`read` gives of `body` once it is written: decimals exact, tuples as lists."""
    value: dict[str, Any] = json.loads(_dumps(body), parse_float=Decimal)
    return value


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_decimal)


def _no_number(text: str) -> None:
    raise ValueError(f"{text}, which is no JSON number")


def _decimal(value: Any) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"a stage file cannot hold a {type(value).__name__}")
