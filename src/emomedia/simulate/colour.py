"""One scene in every camera's colours: from BT.709 palettes to the code values of other codings.

The painter's palettes are Y'CbCr of BT.709 in limited range, as a BT.1886 display shows them: that is the
scene.  Here its display light, 1 at the white of 235, is coded as another camera would code a scene that
looks the same:

- ``bt601``, ``bt2020``: the same light in other primaries and another matrix, still for BT.1886 (BT.2087);
- ``hlg``, ``pq``: white at 203 cd/m2 (BT.2408), HLG for a display of 1000 cd/m2 and its system gamma 1.2;
- ``log``: the inverse of the BT.709 OETF, so scene light, through Sony's S-Log3 with the BT.709 primaries
  and matrix kept, and tagged BT.709 as cameras do.

Everything is float64 arithmetic on exact definitions; :func:`to_display` is each coding's inverse, which
the LUTs hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float64]
Colour = Literal["bt709", "bt601", "bt2020", "hlg", "pq", "log"]

LUT_POINTS = 33

_DISPLAY_GAMMA = 2.4  # BT.1886
_WHITE, _HLG_PEAK, _PQ_PEAK = 203.0, 1000.0, 10_000.0  # cd/m2
_SYSTEM_GAMMA = 1.2
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
_PQ_M1, _PQ_M2, _PQ_C1, _PQ_C2, _PQ_C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128

_D65 = (0.3127, 0.3290)
_PRIMARIES = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "smpte170m": ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}
_LUMA = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020": (0.2627, 0.0593)}
"""Of red and of blue."""

_TAGS = {"bt709": 1, "smpte170m": 6, "bt2020": 9}
"""H.273's numbers for primaries and for matrices, which agree for these."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How a camera codes colours: names of its primaries and matrix, its transfer by H.273's number."""

    gamut: str
    transfer: int
    least_depth: int = 8
    lut: bool = False

    @property
    def primaries(self) -> int:
        return _TAGS[self.gamut]

    @property
    def matrix(self) -> int:
        return _TAGS[self.gamut]


CODINGS: dict[Colour, Coding] = {
    "bt709": Coding("bt709", 1),
    "bt601": Coding("smpte170m", 6),
    "bt2020": Coding("bt2020", 14, least_depth=10),
    "hlg": Coding("bt2020", 18, least_depth=10, lut=True),
    "pq": Coding("bt2020", 16, least_depth=10, lut=True),
    "log": Coding("bt709", 1, lut=True),
}


def coded(palette: npt.NDArray[Any], colour: Colour, depth: int, *, full_range: bool) -> Real:
    """The code values by which a camera means the colours of `palette`.

    Parameters
    ----------
    palette : float[3, ...]
        Y', Cb and Cr of BT.709 in limited range, 8-bit code values.

    Returns
    -------
    float64[3, ...]
        The same three of the camera's coding, in its range, with `depth` bits, not rounded.
    """
    y, cb, cr = palette.astype(np.float64)
    luma, chroma = (y - 16) / 219, np.stack([cb - 128, cr - 128]) / 224
    if colour != "bt709":
        rgb = to_camera(_rgb(luma, chroma, "bt709"), colour)
        luma, chroma = _ycc(rgb, CODINGS[colour].gamut)
    if full_range:
        most = (1 << depth) - 1
        return np.concatenate([luma[None] * most, chroma * most + (1 << (depth - 1))])
    return np.concatenate([luma[None] * 219 + 16, chroma * 224 + 128]) * (1 << (depth - 8))


def to_camera(rgb: Real, colour: Colour) -> Real:
    """Non-linear R'G'B' of BT.709, float[3, ...] with 1 for white, in the camera's non-linear R'G'B'."""
    if colour == "log":
        return _slog3(_bt709_light(rgb))
    light = _gamut("bt709", CODINGS[colour].gamut, _power(rgb, _DISPLAY_GAMMA))
    return _FROM_LIGHT.get(colour, _from_display_light)(light)


def to_display(rgb: Real, colour: Colour) -> Real:
    """The inverse of :func:`to_camera`."""
    if colour == "log":
        return _bt709_signal(_slog3_light(rgb))
    light = _TO_LIGHT.get(colour, _to_display_light)(rgb)
    return _power(_gamut(CODINGS[colour].gamut, "bt709", light), 1 / _DISPLAY_GAMMA)


def cube(colour: Colour, title: str) -> str:
    """A LUT in Adobe's and Resolve's format from the camera's R'G'B' to that of BT.709, both 0 to 1."""
    axis = np.linspace(0, 1, LUT_POINTS)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    shown = np.clip(to_display(np.stack([red, green, blue]), colour), 0, 1).reshape(3, -1).T
    lines = [f'TITLE "{title}"', f"LUT_3D_SIZE {LUT_POINTS}"]
    lines += [f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in shown]
    return "\n".join(lines) + "\n"


def _rgb(luma: Real, chroma: Real, gamut: str) -> Real:
    red, blue = _LUMA[gamut]
    r = luma + 2 * (1 - red) * chroma[1]
    b = luma + 2 * (1 - blue) * chroma[0]
    return np.stack([r, (luma - red * r - blue * b) / (1 - red - blue), b])


def _ycc(rgb: Real, gamut: str) -> tuple[Real, Real]:
    red, blue = _LUMA[gamut]
    luma = red * rgb[0] + (1 - red - blue) * rgb[1] + blue * rgb[2]
    return luma, np.stack([(rgb[2] - luma) / (2 * (1 - blue)), (rgb[0] - luma) / (2 * (1 - red))])


def _to_xyz(gamut: str) -> Real:
    """The matrix from linear RGB to CIE XYZ, float64[3, 3], by white and primaries (SMPTE RP 177)."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in _PRIMARIES[gamut]]).T
    x, y = _D65
    matrix: Real = columns * np.linalg.solve(columns, np.array([x / y, 1, (1 - x - y) / y]))
    return matrix


def _gamut(source: str, target: str, light: Real) -> Real:
    if source == target:
        return light
    matrix = np.linalg.solve(_to_xyz(target), _to_xyz(source))
    turned: Real = np.einsum("ij,j...->i...", matrix, light)
    return turned


def _power(values: Real, exponent: float) -> Real:
    """``values ** exponent``, odd about zero."""
    result: Real = np.sign(values) * np.abs(values) ** exponent
    return result


def _from_display_light(light: Real) -> Real:
    return _power(light, 1 / _DISPLAY_GAMMA)


def _to_display_light(signal: Real) -> Real:
    return _power(signal, _DISPLAY_GAMMA)


def _bt2020_luminance(light: Real) -> Real:
    red, blue = _LUMA["bt2020"]
    luminance: Real = red * light[0] + (1 - red - blue) * light[1] + blue * light[2]
    return luminance


def _hlg(light: Real) -> Real:
    """BT.2100: the display's light through the inverse OOTF, then the OETF."""
    shown = np.maximum(light * (_WHITE / _HLG_PEAK), 0)
    luminance = np.maximum(_bt2020_luminance(shown), 1e-12)
    scene = shown * luminance ** ((1 - _SYSTEM_GAMMA) / _SYSTEM_GAMMA)
    upper = _HLG_A * np.log(np.maximum(12 * scene - _HLG_B, 1e-12)) + _HLG_C
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper)


def _hlg_light(signal: Real) -> Real:
    upper = (np.exp((signal - _HLG_C) / _HLG_A) + _HLG_B) / 12
    scene = np.where(signal <= 0.5, signal**2 / 3, upper)
    shown = scene * np.maximum(_bt2020_luminance(scene), 1e-12) ** (_SYSTEM_GAMMA - 1)
    return shown * (_HLG_PEAK / _WHITE)


def _pq(light: Real) -> Real:
    """SMPTE ST 2084's inverse EOTF."""
    power = np.maximum(light * (_WHITE / _PQ_PEAK), 0) ** _PQ_M1
    return ((_PQ_C1 + _PQ_C2 * power) / (1 + _PQ_C3 * power)) ** _PQ_M2


def _pq_light(signal: Real) -> Real:
    power = signal ** (1 / _PQ_M2)
    light = (np.maximum(power - _PQ_C1, 0) / (_PQ_C2 - _PQ_C3 * power)) ** (1 / _PQ_M1)
    return light * (_PQ_PEAK / _WHITE)


_FROM_LIGHT: dict[str, Callable[[Real], Real]] = {"hlg": _hlg, "pq": _pq}
_TO_LIGHT: dict[str, Callable[[Real], Real]] = {"hlg": _hlg_light, "pq": _pq_light}


def _bt709_light(signal: Real) -> Real:
    """The inverse of BT.709's OETF."""
    upper = np.maximum((signal + 0.099) / 1.099, 0) ** (1 / 0.45)
    return np.where(signal < 0.081, signal / 4.5, upper)


def _bt709_signal(light: Real) -> Real:
    return np.where(light < 0.018, 4.5 * light, 1.099 * np.maximum(light, 0.018) ** 0.45 - 0.099)


def _slog3(light: Real) -> Real:
    """Sony's S-Log3 (technical summary, 2014): light 0.18 is 18 % grey, at code value 420 of 1023."""
    upper = 420 + 261.5 * np.log10((np.maximum(light, 0) + 0.01) / (0.18 + 0.01))
    lower = light * (171.2102946929 - 95) / 0.01125000 + 95
    return np.where(light >= 0.01125000, upper, lower) / 1023


def _slog3_light(signal: Real) -> Real:
    code = signal * 1023
    upper = 10 ** ((code - 420) / 261.5) * (0.18 + 0.01) - 0.01
    lower = (code - 95) * 0.01125000 / (171.2102946929 - 95)
    return np.where(code >= 171.2102946929, upper, lower)
