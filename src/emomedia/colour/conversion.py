"""From a take's code values to the composite's: which conversion is needed, and its integers.

Everything is exact (fractions) until the factors are rounded, once, for the core's color kernel
(``csrc/kernels/color.h``).  Sources: Rec. ITU-R BT.601, BT.709 and BT.2020 (matrices, ranges), H.273 (names).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import UnsupportedMediaError
from .cube import Cube

if TYPE_CHECKING:
    from ..probe.types import Take

SOURCE_BITS = 12
"""Depth of the samples that compose hands over, whatever the take's."""

OUTPUT_BITS = 14
"""Depth in which converted code values are counted before the last rounding."""

FACTOR_BITS = 13
UNIT = 1 << 14
"""The color kernel's 1.0 of R'G'B'."""

_LUMA = {
    "bt709": (Fraction(2126, 10_000), Fraction(722, 10_000)),
    "bt470bg": (Fraction(299, 1000), Fraction(114, 1000)),
    "smpte170m": (Fraction(299, 1000), Fraction(114, 1000)),
    "fcc": (Fraction(30, 100), Fraction(11, 100)),
    "smpte240m": (Fraction(212, 1000), Fraction(87, 1000)),
    "bt2020nc": (Fraction(2627, 10_000), Fraction(593, 10_000)),
}
"""Weights of red and of blue in luma, by libav's name of the matrix."""

_SAME_MATRIX = {"bt470bg": "smpte170m"}
_SAME_TRANSFER = {"smpte170m": "bt709", "bt2020-10": "bt709", "bt2020-12": "bt709"}
"""Different names of the same formula (H.273)."""

_NEAR_PRIMARIES = {"bt470bg": "bt709", "smpte170m": "bt709", "smpte240m": "bt709"}
"""Primaries so near one another that no conversion is made between them: a few code values of chroma."""

AffineRows = tuple[tuple[int, int, int, int], tuple[int, int, int, int], tuple[int, int, int, int]]
"""Per output channel three factors and an offset, times 2^13."""

_Rows = list[list[Fraction]]


@dataclass(frozen=True, slots=True)
class Colours:
    """How code values map to light, in libav's names."""

    range: str
    matrix: str
    primaries: str
    transfer: str


REC709 = Colours("limited", "bt709", "bt709", "bt709")
"""What a lookup table makes of a take."""


@dataclass(frozen=True, slots=True, eq=False)
class ColourMap:
    """The color kernel's numbers for one take.

    Attributes
    ----------
    to_output : AffineRows
        To 14-bit Y'CbCr: from 12-bit Y'CbCr or, with a cube, from R'G'B' in units of 2^-14.
    to_cube : AffineRows or None
        From 12-bit Y'CbCr to positions in the cube, 0 to 2^14.
    cube : int16[n, n, n, 3] or None
        R'G'B' in units of 2^-14, indexed by blue, green, red.
    """

    to_output: AffineRows
    to_cube: AffineRows | None = None
    cube: npt.NDArray[np.int16] | None = None


def colours_of(take: Take) -> Colours:
    """The take's own."""
    return Colours(take.range, take.matrix, take.primaries, take.transfer)


def target_colours(takes: Mapping[str, Take]) -> Colours:
    """The colours of the composite: the left take's, or those that its lookup table makes.

    Raises
    ------
    UnsupportedMediaError
        A take cannot be brought to them.
    """
    left = takes["left"]
    target = REC709 if left.lut is not None else colours_of(left)
    for side, take in takes.items():
        _refuse_unconvertible(side, take, target)
    return target


def _refuse_unconvertible(side: str, take: Take, target: Colours) -> None:
    own = REC709 if take.lut is not None else colours_of(take)
    known = _known_matrix(take.matrix) and _known_matrix(target.matrix)
    checks = (
        ("transfer", _same(own.transfer, target.transfer, _SAME_TRANSFER)),
        ("primaries", _same(own.primaries, target.primaries, _NEAR_PRIMARIES)),
        ("matrix", known or (take.lut is None and own.matrix == target.matrix)),
    )
    for name, convertible in checks:
        if not convertible:
            raise UnsupportedMediaError(
                take.files[0].path,
                expected=f"colours that can be brought to the clips' {name}, {getattr(target, name)}",
                found=f"{name} {getattr(take if name == 'matrix' else own, name)}",
                remedy=f"give a 3-D table to Rec. 709 as `lut` under [{side}] in session.toml"
                if take.lut is None
                else "give the other take a `lut` too",
            )


def _known_matrix(name: str) -> bool:
    return name in _LUMA


def _same(one: str, other: str, names: Mapping[str, str]) -> bool:
    return names.get(one, one) == names.get(other, other)


def conversion(take: Take, target: Colours, depth: int, cube: Cube | None) -> ColourMap | None:
    """What the color kernel needs to bring `take` to `target`; None where nothing is to be done.

    Parameters
    ----------
    depth : int
        Bits per sample of the composite.
    cube : Cube or None
        The take's lookup table, if it has one.
    """
    encode = _encoded(target, depth)
    decode = _decoded(colours_of(take), take.bit_depth)
    if cube is not None:
        return ColourMap(
            _rounded(_scaled(encode, [Fraction(1, UNIT)] * 3)),
            _rounded(_to_cube(decode, cube)),
            _lattice(cube),
        )
    if take.range == target.range and _same(take.matrix, target.matrix, _SAME_MATRIX):
        return None
    return ColourMap(_rounded(_after(encode, decode)))


def _scales(colours: Colours, depth: int, bits: int) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """Black, luma's width, chroma's middle and its width, of `depth`-bit codes counted in `bits` bits."""
    unit = Fraction(1 << bits, 256)
    top = ((1 << depth) - 1) * Fraction(1 << bits, 1 << depth)
    if colours.range == "full":
        return Fraction(0), top, 128 * unit, top
    return 16 * unit, 219 * unit, 128 * unit, 224 * unit


def luma_weights(matrix: str) -> tuple[Fraction, Fraction, Fraction]:
    """Weights of red, green and blue in luma, by libav's name of the matrix."""
    red, blue = _LUMA[matrix]
    return red, 1 - red - blue, blue


def _decoded(colours: Colours, depth: int) -> _Rows:
    """Rows that make R'G'B', 0 to 1, of 12-bit Y'CbCr."""
    black, luma, middle, chroma = _scales(colours, depth, SOURCE_BITS)
    red, green, blue = luma_weights(colours.matrix)
    from_cb = (Fraction(0), -2 * blue * (1 - blue) / green, 2 * (1 - blue))
    from_cr = (2 * (1 - red), -2 * red * (1 - red) / green, Fraction(0))
    rows = []
    for cb, cr in zip(from_cb, from_cr, strict=True):
        factors = [1 / luma, cb / chroma, cr / chroma]
        offset = -black * factors[0] - middle * (factors[1] + factors[2])
        rows.append([*factors, offset])
    return rows


def _encoded(colours: Colours, depth: int) -> _Rows:
    """Rows that make 14-bit Y'CbCr of R'G'B', 0 to 1."""
    black, luma, middle, chroma = _scales(colours, depth, OUTPUT_BITS)
    red, green, blue = luma_weights(colours.matrix)
    to_cb = [-red, -green, 1 - blue]
    to_cr = [1 - red, -green, -blue]
    return [
        [*(weight * luma for weight in (red, green, blue)), black],
        [*(weight * chroma / (2 * (1 - blue)) for weight in to_cb), middle],
        [*(weight * chroma / (2 * (1 - red)) for weight in to_cr), middle],
    ]


def _after(second: _Rows, first: _Rows) -> _Rows:
    """`second` applied to what `first` makes."""
    rows = []
    for row in second:
        columns = [sum((row[k] * first[k][c] for k in range(3)), Fraction(0)) for c in range(4)]
        columns[3] += row[3]
        rows.append(columns)
    return rows


def _scaled(rows: _Rows, inputs: Sequence[Fraction]) -> _Rows:
    """`rows` for inputs that are counted in other units."""
    return [[*(f * unit for f, unit in zip(row[:3], inputs, strict=True)), row[3]] for row in rows]


def _to_cube(decode: _Rows, cube: Cube) -> _Rows:
    """Rows that make positions in the cube, 0 to 2^14, of 12-bit Y'CbCr."""
    rows = []
    for row, low, high in zip(decode, cube.domain_min, cube.domain_max, strict=True):
        scale = UNIT / (Fraction(high) - Fraction(low))
        rows.append([*(factor * scale for factor in row[:3]), (row[3] - Fraction(low)) * scale])
    return rows


def _lattice(cube: Cube) -> npt.NDArray[np.int16]:
    limits = np.iinfo(np.int16)
    return np.clip(np.rint(cube.values * UNIT), limits.min, limits.max).astype(np.int16)


def _rounded(rows: _Rows) -> AffineRows:
    one, two, three = (
        (a, b, c, d) for a, b, c, d in ([round(value * (1 << FACTOR_BITS)) for value in row] for row in rows)
    )
    return one, two, three
