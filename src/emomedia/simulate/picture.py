"""The simulated camera's picture: a soft backdrop, an actor whose head sways and whose mouth moves, grain.

Everything expensive is made once, in the orientation in which the take is stored and in the camera's
colours; a frame is then a few array operations over whole planes.  Drawing knows only upright pictures:
it works on upright views of planes that lie on their side or are mirrored.
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
from .camera import Camera
from .codecs import SUBSAMPLING, pixel_format
from .colour import CODINGS, coded
from .pattern import LEVELS, Mark, blocks, centred_part, draw

Real = npt.NDArray[np.float32]
Plane = npt.NDArray[Any]

MOUTHS = 5
"""Degrees to which a mouth opens, from shut."""

_ALPHA_BITS = 6
_BAND = 256
"""Rows whose colours are converted at a time, to bound the memory it takes."""

_GRAIN_MARGIN = 64
_GRAIN_SIGMA, _GRAIN_MOST = 1.8, 8.0
_STREAM = 4

_HEAD = (0.5, 0.52)
"""Middle of the head in the centred 8:9 part, as a part of its width; so are the lengths below."""
_HEAD_RADII = (0.16, 0.215)
_SWAY = (0.02, 0.008)
_SWAY_SECONDS = (3.1, 1.7)

# Luma and the two chroma values of BT.709, of 8-bit pictures in limited range.
_BACKDROP = {"left": (104, 134, 120), "right": (112, 118, 136)}
_CLOTHES = {"left": (66, 118, 132), "right": (150, 140, 118)}
_SKIN = (158, 112, 148)
_HAIR = (42, 126, 132)
_LIPS = (96, 116, 158)
_EYES = (38, 127, 130)


@dataclass(frozen=True, slots=True)
class Moment:
    """What a frame or a field shows: seconds from the take's first frame, and how wide the mouth is open."""

    seconds: float
    mouth: int


@dataclass(frozen=True, slots=True)
class _Patch:
    """Something to lay over a plane: its values times its opacity, and what is left of what is behind."""

    over: Plane
    behind: Plane


class Painter:
    """Paints the frames of one take.

    Parameters
    ----------
    moments : sequence of Moment
        One for each frame, or two, the earlier field's first, where frames are interlaced.
    """

    def __init__(self, camera: Camera, side: SideName, moments: Sequence[Moment], seed: int) -> None:
        self._camera, self._side, self._moments = camera, side, moments
        self._pixels = pixel_format(camera.depth, camera.chroma)
        self._kind = np.uint8 if camera.depth == 8 else np.uint16
        self._wide = np.uint16 if camera.depth <= 10 else np.uint32  # for values times opacity
        self._steps = _steps(camera)
        dark, bright = (round(self._coded(np.array((level, 128, 128)))[0]) for level in LEVELS)
        self._levels = dark, bright
        rng = np.random.default_rng([seed, _STREAM, SIDES.index(side)])
        self._backdrop = [self._laid(self._plane(plane)) for plane in self._sampled(_backdrop(camera, side))]
        self._heads = [self._patches(level) for level in range(MOUTHS)]
        self._grain = self._laid(self._grain_tile(rng))
        frames = len(moments) // (2 if camera.interlaced else 1)
        self._grain_at = rng.integers(0, _GRAIN_MARGIN, (frames, 2))

    def paint(self, index: int, mark: int | None = None) -> av.VideoFrame:
        """The take's frame `index`, as it is stored; without a time.

        Parameters
        ----------
        mark : int or None
            Another index than its own for the frame to carry.
        """
        frame = self._empty()
        planes = [self._upright(plane) for plane in frame.planes]
        if self._camera.interlaced:
            self._lay_fields(planes, index)
        else:
            self._lay(planes, self._moments[index])
        luma = planes[0]
        x, y = self._grain_at[index]
        # Adding modulo 2^bits: grain below zero wraps, and the sum wraps back.
        np.add(luma, self._grain[y : y + luma.shape[0], x : x + luma.shape[1]], out=luma)
        number = index if mark is None else mark
        draw(luma, Mark(self._side, number), self._levels, self._camera.pixel_aspect)
        return frame

    def _empty(self) -> av.VideoFrame:
        frame = av.VideoFrame(*self._camera.coded_size, self._pixels)
        coding = CODINGS[self._camera.colour]
        frame.color_range = 2 if self._camera.range == "full" else 1
        frame.colorspace, frame.color_primaries = coding.matrix, coding.primaries
        frame.color_trc = coding.transfer
        return frame

    def _lay_fields(self, planes: list[Plane], index: int) -> None:
        """Every other line is of the moment of the earlier field, the others of the later one's."""
        earlier, later = self._moments[2 * index : 2 * index + 2]
        self._lay(planes, earlier)
        other = [np.empty_like(plane) for plane in planes]
        self._lay(other, later)
        second = 1 if self._camera.interlaced == "tff" else 0  # the later field's first line
        for plane, lines in zip(planes, other, strict=True):
            plane[second::2] = lines[second::2]

    def _lay(self, planes: list[Plane], moment: Moment) -> None:
        for plane, backdrop in zip(planes, self._backdrop, strict=True):
            plane[...] = backdrop
        self._lay_head(planes, moment)

    def _upright(self, plane: av.video.plane.VideoPlane) -> Plane:
        stored = np.frombuffer(memoryview(plane), self._kind).reshape(plane.height, -1)[:, : plane.width]
        return self._turned(stored)

    def _turned(self, stored: Plane) -> Plane:
        upright = np.rot90(stored, -self._camera.rotate // 90)
        return np.fliplr(upright) if self._camera.mirrored else upright

    def _laid(self, upright: Plane) -> Plane:
        """An upright view of a copy of `upright` that lies in memory as the take is stored."""
        straight = np.fliplr(upright) if self._camera.mirrored else upright
        return self._turned(np.ascontiguousarray(np.rot90(straight, self._camera.rotate // 90)))

    def _coded(self, palette: Plane) -> npt.NDArray[np.float64]:
        camera = self._camera
        return coded(palette, camera.colour, camera.depth, full_range=camera.range == "full")

    def _sampled(self, palette: Real) -> list[Real]:
        """The camera's planes, chroma subsampled, of a picture in BT.709's palette, float[3, rows, columns].

        In the upright picture chroma is sited at the left of its luma samples, midway between their lines.
        """
        bands = [
            self._coded(palette[:, row : row + _BAND]).astype(np.float32)
            for row in range(0, palette.shape[1], _BAND)
        ]
        planes = np.concatenate(bands, axis=1)
        return [
            plane.reshape(plane.shape[0] // down, down, -1).mean(axis=1)[:, ::across]
            for plane, (across, down) in zip(planes, self._steps, strict=True)
        ]

    def _plane(self, values: Real) -> Plane:
        return np.rint(values).astype(self._kind)

    def _patches(self, level: int) -> list[_Patch]:
        """The head with its mouth open to `level`, for each plane."""
        values, opacity = _head(self._camera, level)
        full = 1 << _ALPHA_BITS
        patches = []
        for plane, (across, down) in zip(self._sampled(values), self._steps, strict=True):
            alpha: Plane = np.rint(opacity[::down, ::across] * full).astype(self._wide)
            over: Plane = self._plane(plane).astype(self._wide) * alpha + full // 2
            patches.append(_Patch(self._laid(over), self._laid(full - alpha)))
        return patches

    def _grain_tile(self, rng: np.random.Generator) -> Plane:
        width, height = self._camera.size
        shape = (height + _GRAIN_MARGIN, width + _GRAIN_MARGIN)
        grain = np.clip(rng.standard_normal(shape, np.float32) * _GRAIN_SIGMA, -_GRAIN_MOST, _GRAIN_MOST)
        signed: Plane = np.rint(grain * (1 << (self._camera.depth - 8))).astype(np.int16)
        return signed.astype(self._kind)

    def _lay_head(self, planes: list[Plane], moment: Moment) -> None:
        aspect = float(self._camera.pixel_aspect)
        left, top, part = centred_part(self._camera.size[0] * aspect, self._camera.size[1])
        seconds = moment.seconds + SIDES.index(self._side)
        x, y = (
            origin + part * (middle - _reach(radius) + sway * sin(2 * pi * seconds / period))
            for origin, middle, radius, sway, period in zip(
                (left, top), _HEAD, _HEAD_RADII, _SWAY, _SWAY_SECONDS, strict=True
            )
        )
        column, row = 2 * round(x / aspect / 2), 2 * round(y / 2)
        for plane, patch, (across, down) in zip(planes, self._heads[moment.mouth], self._steps, strict=True):
            rows, columns = patch.over.shape
            area = plane[row // down :, column // across :][:rows, :columns]
            area[...] = (area * patch.behind + patch.over) >> _ALPHA_BITS


def _steps(camera: Camera) -> list[tuple[int, int]]:
    """For each plane, how many upright pixels one of its samples spans, across and down."""
    across, down = SUBSAMPLING[camera.chroma]
    chroma = (down, across) if camera.rotate % 180 else (across, down)
    return [(1, 1), chroma, chroma]


def mouth_levels(voice: Real, edges: Sequence[int]) -> list[int]:
    """How wide the mouth is open while `voice`, float32[n], is heard between neighbouring `edges`."""
    places = np.clip(np.asarray(edges), 0, len(voice))
    sums = np.concatenate([[0.0], np.cumsum(np.abs(voice), dtype=np.float64)])
    loudness = (sums[places[1:]] - sums[places[:-1]]) / np.maximum(np.diff(places), 1)
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


def _backdrop(camera: Camera, side: SideName) -> Real:
    """What is behind the head, in BT.709's palette, float32[3, rows, columns]: a lit wall, shoulders.

    Behind the marks it is grey, so that their cells are.
    """
    (width, height), aspect = camera.size, float(camera.pixel_aspect)
    left, top, part = centred_part(width * aspect, height)
    y, x = np.ogrid[0:height, 0:width]
    x, y = ((x * aspect - left) / part).astype(np.float32), ((y - top) / part).astype(np.float32)
    body = _soft(_ellipse(x, y, (0.5, 1.22), (0.47, 0.5)), 0.02)
    picture = np.empty((3, height, width), np.float32)
    for plane, wall, cloth in zip(picture, _BACKDROP[side], _CLOTHES[side], strict=True):
        plane[...] = wall * (1 - body) + cloth * body
    light = 24 * (0.6 - y) + 18 * np.sin(2.1 * x + SIDES.index(side))
    picture[0] += np.clip(light, -80, 110) * (1 - body) + 6 * np.sin(40 * x + 9 * y) * body
    for rows, columns in blocks(width, height, camera.pixel_aspect):
        picture[1:, rows, columns] = 128
    return picture


def _head(camera: Camera, level: int) -> tuple[Real, Real]:
    """The head with its mouth open to `level`: BT.709's palette, float32[3, rows, columns], and opacity."""
    aspect = float(camera.pixel_aspect)
    part = centred_part(camera.size[0] * aspect, camera.size[1])[2]
    across, down = (2 * round(part * _reach(radius)) for radius in _HEAD_RADII)
    columns = 2 * round(across / aspect / 2)
    y, x = np.ogrid[0:down, 0:columns]
    x = ((x + 0.5) / (columns / 2) - 1).astype(np.float32) * 1.1
    y = ((y + 0.5) / (down / 2) - 1).astype(np.float32) * 1.1
    values = np.empty((3, down, columns), np.float32)
    values[...] = np.array(_SKIN, np.float32)[:, None, None]
    values[0] += 14 * (-x - 0.5 * y)
    features = [((0.0, -1.0), (1.15, 0.62), _HAIR), ((0.0, 0.5), (0.26, 0.03 + 0.035 * level), _LIPS)]
    features += [((side * 0.38, -0.08), (0.11, 0.05), _EYES) for side in (-1, 1)]
    for middle, radii, colour in features:
        mask = _soft(_ellipse(x, y, middle, radii), 0.08)
        values = values * (1 - mask) + np.array(colour, np.float32)[:, None, None] * mask
    return values, _soft(_ellipse(x, y, (0, 0), (1, 1)), 0.02)
