"""The simulated camera's picture: a soft backdrop, an actor whose head sways and whose mouth moves, grain.

Everything that costs is made once, in the orientation in which the take is stored; a frame is then a
few array operations over whole planes.  Drawing knows upright pictures alone: it works on upright views
of planes that lie on their side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi, sin
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from ..session import SIDES, SideName
from .options import SimulateOptions
from .pattern import Mark, centred_part, draw

Real = npt.NDArray[np.float32]
Plane = npt.NDArray[Any]

MOUTHS = 5
"""Degrees to which a mouth opens, from shut."""

_ALPHA_BITS = 6  # 10-bit values times 64 still fit into 16 bits
_GRAIN_MARGIN = 64
_GRAIN_SIGMA, _GRAIN_MOST = 1.8, 8.0
_STREAM = 4

_HEAD = (0.5, 0.52)
"""Middle of the head in the centred 8:9 part, as a part of its width; so are the lengths below."""
_HEAD_RADII = (0.16, 0.215)
_SWAY = (0.02, 0.008)
_SWAY_SECONDS = (3.1, 1.7)

# Luma and the two chroma values, of 8-bit pictures.
_BACKDROP = {"left": (104, 134, 120), "right": (112, 118, 136)}
_CLOTHES = {"left": (66, 118, 132), "right": (150, 140, 118)}
_SKIN = (158, 112, 148)
_HAIR = (42, 126, 132)
_LIPS = (96, 116, 158)
_EYES = (38, 127, 130)


@dataclass(frozen=True, slots=True)
class _Patch:
    """Something to lay over a plane: its values times its opacity, and what is left of what is behind."""

    over: npt.NDArray[np.uint16]
    behind: npt.NDArray[np.uint16]


class Painter:
    """Paints the frames of one take.

    Parameters
    ----------
    mouth : sequence of int
        For each frame how wide the mouth is open, 0 to ``MOUTHS - 1``.
    """

    def __init__(self, options: SimulateOptions, side: SideName, mouth: Sequence[int]) -> None:
        self._options, self._side, self._mouth = options, side, mouth
        self._turns = options.rotate // 90
        self._shift = options.depth - 8
        self._kind = np.uint8 if options.depth == 8 else np.uint16
        rng = np.random.default_rng([options.seed, _STREAM, SIDES.index(side)])
        self._backdrop = [self._laid(self._plane(plane)) for plane in _backdrop(options.size, side)]
        self._heads = [self._patches(_head(options.size, level)) for level in range(MOUTHS)]
        self._grain = self._laid(self._grain_tile(rng))
        self._grain_at = rng.integers(0, _GRAIN_MARGIN, (len(mouth), 2))

    def paint(self, index: int) -> av.VideoFrame:
        """The take's frame `index`, as it is stored; without a time."""
        pix_fmt = "yuv420p" if self._options.depth == 8 else "yuv420p10le"
        frame = av.VideoFrame(*self._options.coded_size, pix_fmt)
        planes = [self._upright(plane) for plane in frame.planes]
        for plane, backdrop in zip(planes, self._backdrop, strict=True):
            plane[...] = backdrop
        self._lay_head(planes, index)
        luma = planes[0]
        x, y = self._grain_at[index]
        # Adding modulo 2^bits: grain below zero wraps, and the sum wraps back.
        np.add(luma, self._grain[y : y + luma.shape[0], x : x + luma.shape[1]], out=luma)
        draw(luma, Mark(self._side, index), self._options.depth)
        return frame

    def _upright(self, plane: av.video.plane.VideoPlane) -> Plane:
        stored = np.frombuffer(memoryview(plane), self._kind).reshape(plane.height, -1)[:, : plane.width]
        return np.rot90(stored, -self._turns)

    def _laid(self, upright: Plane) -> Plane:
        """An upright view of a copy of `upright` that lies in memory as the take is stored."""
        return np.rot90(np.ascontiguousarray(np.rot90(upright, self._turns)), -self._turns)

    def _plane(self, values: Real) -> Plane:
        return np.rint(values * (1 << self._shift)).astype(self._kind)

    def _patches(self, layers: list[tuple[Real, Real]]) -> list[_Patch]:
        full = 1 << _ALPHA_BITS
        patches = []
        for values, opacity in layers:
            alpha = np.rint(opacity * full).astype(np.uint16)
            over = self._plane(values).astype(np.uint16) * alpha + full // 2
            patches.append(_Patch(self._laid(over), self._laid(full - alpha)))
        return patches

    def _grain_tile(self, rng: np.random.Generator) -> Plane:
        width, height = self._options.size
        shape = (height + _GRAIN_MARGIN, width + _GRAIN_MARGIN)
        grain = np.clip(rng.standard_normal(shape, np.float32) * _GRAIN_SIGMA, -_GRAIN_MOST, _GRAIN_MOST)
        signed: Plane = np.rint(grain * (1 << self._shift)).astype(np.int16)
        return signed.astype(self._kind)

    def _lay_head(self, planes: list[Plane], index: int) -> None:
        left, top, part = centred_part(*self._options.size)
        seconds = index / float(self._options.fps) + SIDES.index(self._side)
        x, y = (
            origin + part * (middle - _reach(radius) + sway * sin(2 * pi * seconds / period))
            for origin, middle, radius, sway, period in zip(
                (left, top), _HEAD, _HEAD_RADII, _SWAY, _SWAY_SECONDS, strict=True
            )
        )
        column, row = round(x / 2), round(y / 2)
        for number, (plane, patch) in enumerate(zip(planes, self._heads[self._mouth[index]], strict=True)):
            scale = 1 if number else 2
            rows, columns = patch.over.shape
            area = plane[row * scale : row * scale + rows, column * scale : column * scale + columns]
            area[...] = (area * patch.behind + patch.over) >> _ALPHA_BITS


def mouth_levels(voice: Real, frames: int) -> list[int]:
    """For each of `frames` frames how wide the mouth is open while `voice`, float32[n], is heard."""
    edges = np.linspace(0, len(voice), frames + 1).astype(int)
    sums = np.concatenate([[0.0], np.cumsum(np.abs(voice), dtype=np.float64)])
    loudness = (sums[edges[1:]] - sums[edges[:-1]]) / np.maximum(np.diff(edges), 1)
    loudest = float(loudness.max(initial=0)) or 1.0
    return [min(MOUTHS - 1, round(float(level) / loudest * MOUTHS)) for level in loudness]


def _reach(radius: float) -> float:
    """Half the side of the patch that holds an ellipse of this radius and its soft edge."""
    return radius * 1.1


def _soft(distance: Real, edge: float) -> Real:
    """1 where `distance` is well below 1, 0 well above, and a soft edge between."""
    softened: Real = np.clip((1 + edge - distance) / (2 * edge), 0, 1)
    return softened


def _ellipse(x: Real, y: Real, middle: tuple[float, float], radii: tuple[float, float]) -> Real:
    distance: Real = np.hypot((x - middle[0]) / radii[0], (y - middle[1]) / radii[1])
    return distance


def _backdrop(size: tuple[int, int], side: SideName) -> list[Real]:
    """The planes behind the head, in 8-bit values: a wall lit from one side, and the actor's shoulders."""
    left, top, part = centred_part(*size)
    planes = []
    for number, (wall, cloth) in enumerate(zip(_BACKDROP[side], _CLOTHES[side], strict=True)):
        scale = 2 if number else 1
        y, x = np.ogrid[0 : size[1] // scale, 0 : size[0] // scale]
        x = ((x * scale - left) / part).astype(np.float32)
        y = ((y * scale - top) / part).astype(np.float32)
        light = (24 * (0.6 - y) + 18 * np.sin(2.1 * x + SIDES.index(side))) if number == 0 else 0 * x * y
        body = _soft(_ellipse(x, y, (0.5, 1.22), (0.47, 0.5)), 0.02)
        folds = 6 * np.sin(40 * x + 9 * y) if number == 0 else 0
        planes.append(np.clip(wall + light, 24, 220) * (1 - body) + (cloth + folds) * body)
    return planes


def _head(size: tuple[int, int], level: int) -> list[tuple[Real, Real]]:
    """The head with its mouth open to `level`: for each plane its 8-bit values and their opacity."""
    part = centred_part(*size)[2]
    across, down = (2 * round(part * _reach(radius)) for radius in _HEAD_RADII)
    layers = []
    for number in range(3):
        scale = 2 if number else 1
        y, x = np.ogrid[0 : down // scale, 0 : across // scale]
        x = ((x * scale + scale / 2) / (across / 2) - 1).astype(np.float32) * 1.1
        y = ((y * scale + scale / 2) / (down / 2) - 1).astype(np.float32) * 1.1
        values = np.full(np.broadcast_shapes(x.shape, y.shape), _SKIN[number], np.float32)
        if number == 0:
            values += 14 * (-x - 0.5 * y)
        features = [((0.0, -1.0), (1.15, 0.62), _HAIR), ((0.0, 0.5), (0.26, 0.03 + 0.035 * level), _LIPS)]
        features += [((side * 0.38, -0.08), (0.11, 0.05), _EYES) for side in (-1, 1)]
        for middle, radii, colour in features:
            mask = _soft(_ellipse(x, y, middle, radii), 0.08)
            values = values * (1 - mask) + colour[number] * mask
        layers.append((values, _soft(_ellipse(x, y, (0, 0), (1, 1)), 0.02)))
    return layers
