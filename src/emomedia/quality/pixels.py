"""What is measured of each composite inside the engine: a C function, compiled by numba.

It gets one frame at a time and keeps nothing, so that the numbers do not depend on which worker made which
chunk.  Frames can still be compared: each half leaves a sketch of itself, and the distance of two
sketches is that of the pictures (see :data:`SKETCH`).  All sums are of integers, so the same on every
processor.  docs/quality.md has the definitions and their sources.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from numba import carray, types  # type: ignore[attr-defined]

from ..native_observer import NativeObserver
from ..session import SIDES
from ..voice.compiled import compiled

VALUES = ("luma", "sharpness", "shadows", "highlights", "centre_highlights", "black")
"""Of each half: mean luma in code values of 8 bits, its sharpness, and shares of pixels."""

SCALE = 4
"""Sharpness and sketches are of means of 4×4 pixels, so of 240×270 for a half: grain does not count there."""

SKETCH = 30
"""Sums that a half's sketch consists of.  Each mean of 4×4 is added to one of them with a random sign, so the
sum of the squared differences of two sketches is on average that of the pictures (count sketch: Charikar,
Chen and Farach-Colton 2002; its second moment: Thorup and Zhang 2004), within 26 % for 30 sums."""

PER_HALF = len(VALUES) + SKETCH
NAMES = tuple(
    f"{side}.{name}" for side in SIDES for name in (*VALUES, *(f"sketch{n}" for n in range(SKETCH)))
)
VERSION = "1"

Luma = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.uint16]
Means = npt.NDArray[np.int32]
Values = npt.NDArray[np.float32]
Levels = npt.NDArray[np.int32]
LEVELS: dict[str, Levels] = {
    "limited": np.array([16, 235, 16 + 219 // 10], np.int32),
    "full": np.array([0, 255, 255 // 10], np.int32),
}
"""By range the code values of black, white, and of a tenth of the way from one to the other (BT.709)."""

_SIGNS = np.random.Generator(np.random.PCG64(2026)).integers(0, 2, (64, 512), np.int32) * 2 - 1


@compiled
def _measure_half(
    rows: Luma, first: int, width: int, height: int, shift: int, levels: Levels, signs: Levels, values: Values
) -> None:
    """Measure columns ``first … first + width - 1`` of the luma [height, stride] into `values`."""
    across, down = width // SCALE, height // SCALE
    means = np.empty((down, across), np.int32)
    lines = np.empty((SCALE, width), np.uint8)
    columns = np.empty(width, np.uint16)
    counts = np.zeros((4, width), np.uint16)
    top = height // 5
    luma = np.int64(0)
    for y in range(down):
        _narrow(rows[SCALE * y : SCALE * (y + 1), first : first + width], shift, lines)
        _count(lines[0], levels, counts[0], counts[1], counts[2] if SCALE * y < top else counts[3])
        _sum_rows(lines, columns)
        for x in range(across):
            here = SCALE * x
            means[y, x] = columns[here] + columns[here + 1] + columns[here + 2] + columns[here + 3]
            luma += means[y, x]
    values[0] = luma / (SCALE * SCALE * across * down)
    _find_sharpness(means, values[1:2])
    _share(counts, down, (top + SCALE - 1) // SCALE, values[2:6])
    _draw(means, signs, values[6:])


@compiled
def _narrow(rows: Luma, shift: int, lines: Bytes) -> None:
    """Rows in code values of 8 bits: what is done with bytes takes a fifth of the time."""
    for y in range(len(lines)):
        if shift == 0:
            for x in range(lines.shape[1]):
                lines[y, x] = rows[y, x]
        else:
            for x in range(lines.shape[1]):
                lines[y, x] = rows[y, x] >> shift


@compiled
def _sum_rows(lines: Bytes, columns: Counts) -> None:
    """Sums over four rows of one width."""
    for x in range(len(columns)):
        columns[x] = lines[0, x] + lines[1, x] + lines[2, x] + lines[3, x]


@compiled
def _find_sharpness(means: Means, sharpness: Values) -> None:
    """The variance of the Laplacian, as a share of the mean squared gradient."""
    down, across = means.shape
    laplacian = squares = gradients = np.int64(0)
    for y in range(1, down - 1):
        for x in range(1, across - 1):
            centre, right, below = means[y, x], means[y, x + 1], means[y + 1, x]
            value = means[y - 1, x] + below + means[y, x - 1] + right - 4 * centre
            laplacian += value
            squares += value * value
            gradients += (right - centre) * (right - centre) + (below - centre) * (below - centre)
    count = (down - 2) * (across - 2)
    sharpness[0] = (squares - laplacian * (laplacian / count)) / gradients if gradients > 0 else 0.0


@compiled
def _count(line: Bytes, levels: Levels, shadows: Counts, dark: Counts, highlights: Counts) -> None:
    """Count in each column whether a row has there a shadow, nearly black, a highlight."""
    black, white, nearly = levels[0], levels[1], levels[2]
    for x in range(len(line)):
        shadows[x] += line[x] <= black
        dark[x] += line[x] <= nearly
        highlights[x] += line[x] >= white


@compiled
def _share(counts: Counts, rows: int, upper: int, shares: Values) -> None:
    """Shares of shadows, highlights, highlights in the middle, and black, of so many rows' pixels.

    `counts` are the columns' shadows, nearly black, highlights of the `upper` rows and of the others.
    """
    width = counts.shape[1]
    left, right = width // 3, width - width // 3
    shares[0] = counts[0].sum() / (rows * width)
    shares[1] = (counts[2].sum() + counts[3].sum()) / (rows * width)
    shares[2] = counts[3, left:right].sum() / ((rows - upper) * (right - left))
    shares[3] = counts[1].sum() / (rows * width)


@compiled
def _draw(means: Means, signs: Levels, sketch: Values) -> None:
    """The sketch of a picture of means."""
    down, across = means.shape
    sums = np.zeros(SKETCH, np.int32)
    for y in range(down):
        for start in range(0, across, SKETCH):
            for k in range(min(SKETCH, across - start)):
                sums[k] += means[y, start + k] * signs[y % 64, (start + k) % 512]
    for k in range(SKETCH):
        sketch[k] = sums[k]


_plane = types.voidptr
_SIGNATURE = types.void(
    types.voidptr, types.int64, types.uint32, _plane, _plane, _plane, types.int64, types.int64, types.int64,
    types.int32, types.int32, types.int32, types.CPointer(types.float32),  # type: ignore[no-untyped-call]
)  # fmt: skip
"""emomedia_observe of csrc/include/emomedia/observer.h; the context points to a range's :data:`LEVELS`."""


def _c_function(function: Callable[..., None]) -> Any:
    """`function` compiled for C to call, and kept on disk where that is possible."""
    try:
        return numba.cfunc(_SIGNATURE, cache=True)(function)
    except Exception:  # no place to keep it, a full one, or a broken one
        return numba.cfunc(_SIGNATURE)(function)


@_c_function
def _observe(  # type: ignore[no-untyped-def]
    context, _frame, _damaged, y, _u, _v, y_stride, _u_stride, _v_stride, width, height, depth, measures
):
    levels = carray(context, (3,), np.int32)
    values = carray(measures, (2 * PER_HALF,))
    half = width // 2
    for side in range(2):
        mine = values[side * PER_HALF : (side + 1) * PER_HALF]
        if depth > 8:
            wide = carray(y, (height, y_stride // 2), np.uint16)
            _measure_half(wide, side * half, half, height, depth - 8, levels, _SIGNS, mine)
        else:
            _measure_half(
                carray(y, (height, y_stride), np.uint8),
                side * half,
                half,
                height,
                0,
                levels,
                _SIGNS,
                mine,
            )


def picture_observer(colour_range: str) -> NativeObserver:
    """What measures the composites of a session whose pictures are of that range, ``limited`` or ``full``."""
    levels = LEVELS[colour_range]
    return NativeObserver("picture", VERSION, NAMES, _observe.address, levels.ctypes.data)


def values_of(luma: npt.NDArray[Any], depth: int, colour_range: str) -> npt.NDArray[np.float32]:
    """The same values for a composite at hand.

    Parameters
    ----------
    luma : uint8 or uint16[height, width]

    Returns
    -------
    float32[2 · PER_HALF]
        As :data:`NAMES` has them.
    """
    values = np.zeros((2, PER_HALF), np.float32)
    half = luma.shape[1] // 2
    picture = np.ascontiguousarray(luma)
    for side in range(2):
        _measure_half(
            picture, side * half, half, luma.shape[0], depth - 8, LEVELS[colour_range], _SIGNS, values[side]
        )
    return values.reshape(-1)
