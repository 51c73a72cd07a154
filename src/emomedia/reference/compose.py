"""The compose contract in NumPy: two takes' pictures into one composite, in integers.

Filter tables come as data, from ``_core.compose_filters``; nothing here knows of Lanczos.  With ``P``
an upright source plane of ``depth`` bits, ``T`` the intermediate and ``O`` the output plane:

* vertical:    ``T[j, x] = (Σ_t rows.coeff[j, t] · P[rows.start[j] + t, x] + 2^(depth−1)) >> depth``
* horizontal:  ``O[j, i] = clamp((Σ_t cols.coeff[i, t] · T[j, cols.start[i] + t] + 2^(s−1)) >> s)``
  with ``s = 28 − output_depth``, clamped to ``0 … 2^output_depth − 1``.

``T`` is int16: 1/64 of an 8-bit code value, whatever the source's depth.  The sums fit int32.  Samples beyond
`depth` bits, as raw video can hold, count as int16, and ``T`` saturates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

Plane: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""Rows of samples, ``[height, width]``: uint8 for 8 bits, uint16 for 10."""

Planes: TypeAlias = tuple[Plane, Plane, Plane]
"""Y, Cb, Cr."""

_COEFF_BITS = 14


@dataclass(frozen=True, slots=True, eq=False)
class AxisFilter:
    """One axis of one plane: output ``o`` is the sum over ``t`` of ``coeff[o, t] · source[start[o] + t]``.

    Attributes
    ----------
    start : int32[n]
        First source sample of each output sample; ``start + taps`` never leaves the plane.
    coeff : int16[n, taps]
        Each row sums to 2^14.
    """

    start: npt.NDArray[np.int32]
    coeff: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class PlaneFilter:
    """`rows` makes output rows from source rows, `cols` output columns from source columns."""

    rows: AxisFilter
    cols: AxisFilter


Tables: TypeAlias = tuple[
    npt.NDArray[np.int32], npt.NDArray[np.int16], npt.NDArray[np.int32], npt.NDArray[np.int16]
]
"""One plane's filters as the core gives them: rows_start, rows_coeff, cols_start, cols_coeff."""


def plane_filters(tables: Iterable[Tables]) -> list[PlaneFilter]:
    """The core's tables of the three planes as filters."""
    return [
        PlaneFilter(AxisFilter(rows_start, rows_coeff), AxisFilter(cols_start, cols_coeff))
        for rows_start, rows_coeff, cols_start, cols_coeff in tables
    ]


def upright(plane: Plane, rotate: int, mirrored: bool = False) -> Plane:
    """`plane` turned clockwise by `rotate` degrees (0, 90, 180 or 270), then mirrored left to right."""
    turned = np.rot90(plane, -(rotate // 90))
    return turned[:, ::-1] if mirrored else turned


def _filtered_rows(source: npt.NDArray[np.integer], axis: AxisFilter, shift: int) -> npt.NDArray[np.int32]:
    """Each output row is a weighted sum of source rows, rounded and shifted down by `shift` bits."""
    total = np.full((len(axis.start), source.shape[1]), 1 << (shift - 1), dtype=np.int32)
    for tap in range(axis.coeff.shape[1]):
        total += axis.coeff[:, tap, None].astype(np.int32) * source[axis.start + tap].astype(np.int32)
    return total >> shift


def compose_plane(plane: Plane, tables: PlaneFilter, depth: int, output_depth: int = 8) -> Plane:
    """Crop and scale one upright plane.

    Parameters
    ----------
    plane : uint8 or uint16[height, width]
        The whole upright plane; the crop lies in the tables.
    depth, output_depth : int
        Bits of a source sample and of an output sample: 8 to 12.

    Returns
    -------
    uint8 or uint16[rows, cols]
    """
    samples = plane if plane.dtype == np.uint8 else plane.view(np.int16)
    sums = _filtered_rows(samples, tables.rows, depth)
    intermediate = np.clip(sums, -(1 << 15), (1 << 15) - 1, out=sums).astype(np.int16)
    output = _filtered_rows(intermediate.T, tables.cols, 2 * _COEFF_BITS - output_depth).T
    largest = (1 << output_depth) - 1
    clamped = np.clip(output, 0, largest)
    return clamped.astype(np.uint8) if output_depth == 8 else clamped.astype(np.uint16)


def compose_half(
    planes: Planes,
    tables: Sequence[PlaneFilter],
    rotate: int,
    depth: int,
    output_depth: int = 8,
    *,
    mirrored: bool = False,
) -> Planes:
    """One take's half of the composite from its picture as coded."""
    y, u, v = (
        compose_plane(upright(plane, rotate, mirrored), table, depth, output_depth)
        for plane, table in zip(planes, tables, strict=True)
    )
    return y, u, v


def side_by_side(left: Planes, right: Planes) -> Planes:
    """The composite of two halves: left take left."""
    y, u, v = (cast(Plane, np.hstack(pair)) for pair in zip(left, right, strict=True))
    return y, u, v
