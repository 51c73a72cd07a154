"""The mark that a simulated frame carries: whose take it is of, and its index in it.

A mark is 36 bits: a sign for the side (2 bits), the frame's index (22) and a checksum of both (CRC-12).
Each bit is a pair of cells, one above the other, of which one is bright and the other dark, so that
reading needs no threshold and survives any change of brightness, range or bit depth.  Every frame
carries the mark twice, at the upper left and at the lower right of its centred 8:9 part; a reader that
finds different marks there has a torn frame.  Cells are a fortieth of that part's width:
54 pixels of a 4K take, 24 of a composite.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..session import SIDES, Crop, SideName

MAX_INDEX = (1 << 22) - 1
"""The last index that fits: 46 hours at 25 frames a second."""

_INDEX_BITS = 22
_CRC_BITS = 12
_CRC_POLYNOMIAL = 0x80F  # CRC-12, x^12 + x^11 + x^3 + x^2 + x + 1
_BITS_PER_SIDE = {"left": 0b01, "right": 0b10}
_BITS = 2 + _INDEX_BITS + _CRC_BITS
_COLUMNS = 18
_ROWS = 2 * (_BITS // _COLUMNS)
_CELLS = 40
"""Cells across the centred 8:9 part."""

_CORNERS = ((3.0, 2.5), (19.0, 38.5))
"""Upper left corners of the two marks, in cells from that of the centred 8:9 part."""

LEVELS = (40, 210)
"""Code values of an 8-bit picture's dark and bright cells, clear of black and white, where filters clip."""

_INNER = 0.6
"""The part of a cell's width and height that is looked at; what lies around is blurred by its neighbours."""

_LEAST_CONTRAST = 0.5
"""A bit counts when its cells differ by this part of the median difference: a blend of frames does not."""


Real = npt.NDArray[np.floating[Any]]


class MarkError(ValueError):
    """A frame carries no mark that can be read, or two different ones."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a frame says about itself: the side of its take, and its index in the take from zero."""

    side: SideName
    index: int


def draw(
    luma: npt.NDArray[Any], mark: Mark, levels: tuple[int, int] = LEVELS, aspect: Fraction = Fraction(1)
) -> None:
    """Draw `mark` into a frame, in place.

    Parameters
    ----------
    luma : uint8 or uint16[height, width]
        The upright luma plane of a whole frame; any view of it will do.
    levels : (int, int)
        Code values of dark and of bright cells.
    aspect : Fraction
        Width of a pixel by its height.

    Raises
    ------
    ValueError
        If the index is negative or beyond :data:`MAX_INDEX`.
    """
    cells = np.where(_cells(mark), levels[1], levels[0]).astype(luma.dtype)
    height, width = luma.shape
    for rows, columns in _borders(width, height, aspect):
        block = np.repeat(np.repeat(cells, np.diff(rows), axis=0), np.diff(columns), axis=1)
        luma[rows[0] : rows[-1], columns[0] : columns[-1]] = block


def read(
    luma: npt.NDArray[Any],
    size: tuple[int, int] | None = None,
    crop: Crop | None = None,
    aspect: Fraction = Fraction(1),
) -> Mark:
    """Read the mark of a frame, or of one side of a composite.

    Parameters
    ----------
    luma : uint8 or uint16[height, width]
        Upright luma that shows `crop` of a frame, at any scale: the half of a composite, say.
    size : (width, height) or None
        Size of the whole upright frame; that of `luma` if None.
    crop : Crop or None
        The part of the frame that `luma` shows; all of it if None.
    aspect : Fraction
        Width of a pixel of the whole frame by its height.

    Raises
    ------
    MarkError
        If neither mark can be read, or both can and differ.
    """
    height, width = luma.shape
    size = size or (width, height)
    crop = crop or Crop(0, 0, *size)
    copies = [_contrasts(luma, cells) for cells in _places(size, crop, (width, height), aspect)]
    if not copies:
        raise MarkError(f"the part {crop} of a frame of {size} shows no mark in full")
    found = {mark for mark in map(_decoded, copies) if mark}
    if len(found) > 1:
        raise MarkError(f"the frame is torn: it carries the marks of {' and '.join(map(str, found))}")
    mark = found.pop() if found else _decoded(np.sum(copies, axis=0))
    if mark is None:
        raise MarkError("the frame carries no mark that can be read")
    return mark


def centred_part(width: float, height: float) -> tuple[float, float, float]:
    """The largest centred 8:9 part of a picture: its left, its top and its width, in pixels."""
    part = min(width, height * 8 / 9)
    return (width - part) / 2, (height - part * 9 / 8) / 2, part


def _crc(value: int, bits: int) -> int:
    remainder = value << _CRC_BITS
    for bit in range(bits + _CRC_BITS - 1, _CRC_BITS - 1, -1):
        if remainder >> bit & 1:
            remainder ^= (1 << _CRC_BITS | _CRC_POLYNOMIAL) << (bit - _CRC_BITS)
    return remainder


def _cells(mark: Mark) -> npt.NDArray[np.bool_]:
    """Which of the mark's cells are bright, bool[_ROWS, _COLUMNS]."""
    if not 0 <= mark.index <= MAX_INDEX:
        raise ValueError(f"a frame's index is 0 to {MAX_INDEX}, not {mark.index}")
    payload = _BITS_PER_SIDE[mark.side] << _INDEX_BITS | mark.index
    code = payload << _CRC_BITS | _crc(payload, 2 + _INDEX_BITS)
    bits = [code >> bit & 1 for bit in range(_BITS - 1, -1, -1)]
    upper = np.array(bits, dtype=np.bool_).reshape(-1, _COLUMNS)
    return np.stack([upper, ~upper], axis=1).reshape(_ROWS, _COLUMNS)


def _decoded(contrasts: Real) -> Mark | None:
    """The mark with these differences of upper and lower cells, if they are clear and its sum is right."""
    strength = np.abs(contrasts)
    if strength.min() < max(1.0, _LEAST_CONTRAST * float(np.median(strength))):
        return None
    code = int("".join("1" if contrast > 0 else "0" for contrast in contrasts), 2)
    payload, sum_found = code >> _CRC_BITS, code & ((1 << _CRC_BITS) - 1)
    sides = [side for side in SIDES if _BITS_PER_SIDE[side] == payload >> _INDEX_BITS]
    if not sides or _crc(payload, 2 + _INDEX_BITS) != sum_found:
        return None
    return Mark(sides[0], payload & MAX_INDEX)


def _grid(width: int, height: int, aspect: Fraction) -> list[tuple[Real, Real]]:
    """For each mark the cells' borders in a whole frame: float64[_ROWS + 1] rows, [_COLUMNS + 1] columns."""
    left, top, part = centred_part(width * float(aspect), height)
    cell = part / _CELLS
    return [
        (
            top + cell * (y + np.arange(_ROWS + 1)),
            (left + cell * (x + np.arange(_COLUMNS + 1))) / float(aspect),
        )
        for x, y in _CORNERS
    ]


def blocks(width: int, height: int, aspect: Fraction = Fraction(1)) -> list[tuple[slice, slice]]:
    """The rows and columns of a whole frame that its marks cover."""
    return [
        (slice(int(rows[0]), int(rows[-1])), slice(int(columns[0]), int(columns[-1])))
        for rows, columns in _borders(width, height, aspect)
    ]


@lru_cache(maxsize=8)
def _borders(
    width: int, height: int, aspect: Fraction
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    return [(_pixels(rows), _pixels(columns)) for rows, columns in _grid(width, height, aspect)]


def _pixels(borders: Real) -> npt.NDArray[np.int64]:
    return np.rint(borders).astype(np.int64)


_Places = list[list[tuple[slice, slice]]]


@lru_cache(maxsize=64)
def _places(size: tuple[int, int], crop: Crop, shown: tuple[int, int], aspect: Fraction) -> _Places:
    """For each mark that a picture of `shown` pixels shows in full, where to look for its cells."""
    places: _Places = []
    for rows, columns in _grid(*size, aspect):
        rows = (rows - crop.y) * shown[1] / crop.height
        columns = (columns - crop.x) * shown[0] / crop.width
        if min(rows[0], columns[0]) < 0 or rows[-1] > shown[1] or columns[-1] > shown[0]:
            continue
        down, across = _inner(rows), _inner(columns)
        places.append([(row, column) for row in down for column in across])
    return places


def _inner(borders: Real) -> list[slice]:
    """The pixels in the inner part of each cell, at least one."""
    middles, reach = (borders[1:] + borders[:-1]) / 2, _INNER * (borders[1] - borders[0]) / 2
    first = np.floor(middles - reach + 0.5).astype(int)
    end = np.maximum(np.floor(middles + reach + 0.5).astype(int), first + 1)
    return [slice(int(a), int(b)) for a, b in zip(first, end, strict=True)]


def _contrasts(luma: npt.NDArray[Any], cells: list[tuple[slice, slice]]) -> Real:
    """Upper less lower cell of each bit, in the order of the bits."""
    means: Real = np.array([luma[cell].mean() for cell in cells]).reshape(-1, 2, _COLUMNS)
    return np.ravel(means[:, 0] - means[:, 1])
