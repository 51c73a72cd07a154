"""3-D lookup tables in the .cube format (Adobe, *Cube LUT Specification 1.0*, 2013).

Text: comments begin with ``#``; keywords ``TITLE``, ``LUT_3D_SIZE n``, ``DOMAIN_MIN r g b`` and
``DOMAIN_MAX r g b``; then n³ lines of three numbers, red fastest.  Resolve's ``LUT_3D_INPUT_RANGE min max``
counts as a domain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..descriptions import description_error, show
from ..errors import DescriptionError, MediaNotFoundError
from ..files import error_text, read_small

SMALLEST, LARGEST = 2, 129
"""Points a side; grading programs write 17 to 65."""

MAX_BYTES = 128 << 20
"""A table of 129 points a side with ten digits a number takes half of it."""

NARROWEST, WIDEST = 0.5, 64.0
"""Widths of a domain that the fixed-point arithmetic holds."""

FARTHEST = 4
"""Widths from zero at which a domain's ends may lie: further off, the arithmetic's offsets overflow."""

_IGNORED = ("TITLE", "LUT_3D_VIDEO_RANGE", "LUT_IN_VIDEO_RANGE", "LUT_OUT_VIDEO_RANGE")

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Cube:
    """A lattice of colours over a box of R'G'B' values.

    Attributes
    ----------
    values : float64[blue, green, red, 3]
        R'G'B' at each lattice point, 1.0 is white.
    domain_min, domain_max : (r, g, b)
        The inputs at the lattice's first and last points.
    """

    values: npt.NDArray[np.float64]
    domain_min: Triple = (0.0, 0.0, 0.0)
    domain_max: Triple = (1.0, 1.0, 1.0)

    @property
    def size(self) -> int:
        """Lattice points a side."""
        return len(self.values)


def read_cube(path: Path) -> Cube:
    """Read a .cube file.

    Raises
    ------
    MediaNotFoundError
        It is not there, or cannot be read.
    DescriptionError
        It is not a 3-D table of :data:`SMALLEST` to :data:`LARGEST` points a side.
    """
    try:
        text = read_small(path, MAX_BYTES)
    except OSError as error:
        raise MediaNotFoundError(
            path,
            expected="a .cube file",
            found=error_text(error),
            remedy="correct `lut` in session.toml, or its permissions",
        ) from error
    except ValueError as error:
        raise _wrong(path, "a .cube file", str(error)) from error
    return parse_cube(text.decode("utf-8-sig", errors="replace"), path)


def parse_cube(text: str, path: Path) -> Cube:
    """The table in `text`, which was read from `path`.

    Raises
    ------
    DescriptionError
        As :func:`read_cube`.
    """
    size = 0
    domain: dict[str, Triple] = {"DOMAIN_MIN": (0.0, 0.0, 0.0), "DOMAIN_MAX": (1.0, 1.0, 1.0)}
    rows: list[Triple] = []
    for number, words in _lines(text):
        keyword = words[0]
        if keyword == "LUT_3D_SIZE":
            size = _size(words, path, number)
        elif keyword in domain:
            domain[keyword] = _triple(words[1:], path, number)
        elif keyword == "LUT_3D_INPUT_RANGE" and len(words) == 3:
            for name, word in zip(("DOMAIN_MIN", "DOMAIN_MAX"), words[1:], strict=True):
                domain[name] = _triple([word] * 3, path, number)
        elif keyword not in _IGNORED:
            rows.append(_triple(words, path, number))
            if len(rows) > LARGEST**3:
                break
    return _checked(size, rows, domain, path)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if words:
            yield number, words


def _size(words: list[str], path: Path, number: int) -> int:
    if len(words) == 2 and words[1].isascii() and words[1].isdigit() and len(words[1]) < 6:
        return int(words[1])
    raise _wrong(path, "LUT_3D_SIZE and a whole number", show(" ".join(words)), number)


def _triple(words: list[str], path: Path, number: int) -> Triple:
    try:
        red, green, blue = (float(word) for word in words)
    except ValueError:
        raise _wrong(
            path, "three numbers, or a keyword of a 3-D table", show(" ".join(words)), number
        ) from None
    if not all(isfinite(value) for value in (red, green, blue)):
        raise _wrong(path, "finite numbers", show(" ".join(words)), number)
    return red, green, blue


def _checked(size: int, rows: list[Triple], domain: dict[str, Triple], path: Path) -> Cube:
    if not SMALLEST <= size <= LARGEST:
        raise _wrong(path, f"LUT_3D_SIZE of {SMALLEST} to {LARGEST}", str(size) if size else "none")
    if len(rows) != size**3:
        raise _wrong(path, f"{size**3} colours, as LUT_3D_SIZE {size} says", str(len(rows)))
    low, high = domain["DOMAIN_MIN"], domain["DOMAIN_MAX"]
    for start, end in zip(low, high, strict=True):
        width = end - start
        if not NARROWEST <= width <= WIDEST or max(abs(start), abs(end)) > FARTHEST * width:
            expected = f"a domain {NARROWEST} to {WIDEST} wide, near zero"
            raise _wrong(path, expected, f"{low} to {high}")
    return Cube(np.array(rows, np.float64).reshape(size, size, size, 3), low, high)


def _wrong(path: Path, expected: str, found: str, line: int | None = None) -> DescriptionError:
    return description_error(
        path,
        "" if line is None else f"line {line}",
        expected=expected,
        found=found,
        remedy="export the table as a 3-D .cube file again",
    )
