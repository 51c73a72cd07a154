"""The colour contract in NumPy: one composed half, 4:4:4 with 12 bits, in the composite's colours.

The twin of ``csrc/kernels/color.h``, which has the formulas.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..colour.conversion import FACTOR_BITS, OUTPUT_BITS, UNIT, AffineRows, ColourMap
from .compose import Plane, Planes

Channels = npt.NDArray[np.int32]
"""``[height, width, 3]``."""


def convert_half(planes: Planes, colours: ColourMap, depth: int) -> Planes:
    """Y, Cb, Cr of 4:4:4 with 12 bits as 4:2:0 of `depth` bits, left-sited, in other colours."""
    code: Channels = np.stack(planes, axis=2).astype(np.int32)
    if colours.cube is not None and colours.to_cube is not None:
        code = _looked_up(colours.cube, np.clip(_affine(colours.to_cube, code), 0, UNIT))
    code = _affine(colours.to_output, code)
    luma = _rounded(code[:, :, 0], OUTPUT_BITS - depth, depth)
    cb, cr = (_rounded(_halved(code[:, :, k]), OUTPUT_BITS + 3 - depth, depth) for k in (1, 2))
    return luma, cb, cr


def _affine(rows: AffineRows, code: Channels) -> Channels:
    table = np.array(rows, np.int32)
    summed: Channels = code @ table[:, :3].T + table[:, 3] + np.int32(1 << (FACTOR_BITS - 1))
    return summed >> FACTOR_BITS


def _looked_up(cube: npt.NDArray[np.int16], colours: Channels) -> Channels:
    """Tetrahedral interpolation: from each colour's lattice point along its channels by falling rest."""
    size = len(cube)
    position = colours * np.int32(size - 1)
    point = np.minimum(position // UNIT, size - 2)
    rest = position - point * UNIT
    order = np.argsort(-rest, axis=2, kind="stable")
    rests = np.take_along_axis(rest, order, axis=2)
    weights = -np.diff(rests, axis=2, prepend=UNIT, append=0)
    total = np.full(colours.shape, UNIT // 2, np.int32)
    corner = point.copy()
    for step in range(4):
        value = cube[corner[..., 2], corner[..., 1], corner[..., 0]]
        total += weights[..., step, None].astype(np.int32) * value
        if step < 3:
            moved = np.take_along_axis(corner, order[..., step, None], axis=2) + 1
            np.put_along_axis(corner, order[..., step, None], moved, axis=2)
    return total // UNIT


def _halved(channel: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Eight times the mean of each pair of rows over the columns 2i − 1, 2i, 2i, 2i + 1."""
    pairs = channel[0::2] + channel[1::2]
    before = np.pad(pairs, ((0, 0), (1, 0)), mode="edge")[:, 0:-1:2]
    halved: npt.NDArray[np.int32] = before + 2 * pairs[:, 0::2] + pairs[:, 1::2]
    return halved


def _rounded(values: npt.NDArray[np.int32], shift: int, depth: int) -> Plane:
    clamped: npt.NDArray[np.int32] = np.clip((values + (1 << (shift - 1))) >> shift, 0, (1 << depth) - 1)
    return clamped.astype(np.uint8) if depth == 8 else clamped.astype(np.uint16)
