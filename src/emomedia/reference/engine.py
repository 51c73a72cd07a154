"""The engine in plain Python: which source frames a composite shows, the composite, the encoded clip.

One frame at a time, in order, in one thread of Python.  Composites are equal to the core's in every
bit; the clips are not, because each is encoded for itself instead of being joined from spans.  They
hold the picture alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..colour import ColourMap, Colours, conversion, read_cube, target_colours
from ..colour.conversion import SOURCE_BITS
from ..options import COMPOSITE_SIZE
from ..plan import Clip, Plan
from ..probe.types import Probe, Take
from ..session import SIDES, Crop
from ..sides import SidePicture
from ..timeline import Clock, SourceFrames, source_frames
from .colour import convert_half
from .compose import PlaneFilter, Planes, compose_half, plane_filters, side_by_side
from .decode import pictures

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

SIZE: tuple[int, int] = COMPOSITE_SIZE
"""Width and height of the composite in pixels."""


def take_filters(take: Take, size: tuple[int, int] = SIZE, *, full_chroma: bool = False) -> list[PlaneFilter]:
    """The core's filter tables for one half of a composite of `size`, 4:2:0 or 4:4:4."""
    return _filters(take, take.crop, (size[0] // 2, size[1]), full_chroma)


def _filters(take: Take, crop: Crop, size: tuple[int, int], full_chroma: bool) -> list[PlaneFilter]:
    """The core's filter tables for a picture of `size` that shows `crop` of a take."""
    from .. import _core

    return plane_filters(
        _core.compose_filters(
            take.width,
            take.height,
            *take.subsampling,
            take.siting,
            take.rotate,
            take.mirrored,
            (crop.x, crop.y, crop.width, crop.height),
            *size,
            full_chroma,
        )
    )


def composites(
    probe: Probe,
    clocks: Mapping[str, Clock],
    stretches: Iterable[tuple[int, int]],
    *,
    size: tuple[int, int] = SIZE,
    depth: int = 8,
    filters: Mapping[str, Sequence[PlaneFilter]] | None = None,
) -> Iterator[tuple[int, Planes]]:
    """Composites of some stretches of the session, before any encoder.

    Parameters
    ----------
    clocks : by side, the take's clock
    stretches : iterable of (first_frame, frame_count)
        Composite frames within the footage, in order: a chunk, a clip, the spans of a plan.
    size, depth : int
        Width, height and bits per sample of the composite.
    filters : by side, optional
        Other filter tables than the core's.

    Yields
    ------
    (frame, (Y, U, V))
        The composite's number, and uint8 or uint16 planes, 4:2:0.
    """
    every = list(stretches)
    colours = _conversions(probe.takes, depth)
    filters = filters or {
        side: take_filters(probe.takes[side], size, full_chroma=colours[side] is not None) for side in SIDES
    }
    halves = [_halves(probe, clocks, side, every, filters[side], colours[side], depth) for side in SIDES]
    numbers = (first + n for first, count in every for n in range(count))
    for number, left, right in zip(numbers, *halves, strict=True):
        yield number, side_by_side(left, right)


def alone(
    probe: Probe,
    clocks: Mapping[str, Clock],
    picture: SidePicture,
    stretches: Iterable[tuple[int, int]],
    *,
    depth: int = 8,
) -> Iterator[tuple[int, Planes]]:
    """One side of each composite alone, as :func:`composites` gives those.

    Of the composite's size and crop this is just its half of :func:`side_by_side`.
    """
    every = list(stretches)
    side, size = picture.side, (picture.width, picture.height)
    colours = _conversions(probe.takes, depth)[side]
    filters = _filters(probe.takes[side], picture.crop, size, colours is not None)
    numbers = (first + n for first, count in every for n in range(count))
    yield from zip(numbers, _halves(probe, clocks, side, every, filters, colours, depth), strict=True)


def _halves(
    probe: Probe,
    clocks: Mapping[str, Clock],
    side: str,
    stretches: Iterable[tuple[int, int]],
    filters: Sequence[PlaneFilter],
    colours: ColourMap | None,
    depth: int,
) -> Iterator[Planes]:
    """One side of each composite; a source frame that is shown again is not composed again."""
    take = probe.takes[side]
    source = [source_frames(take.frames, clocks[side], probe.rate, *stretch) for stretch in stretches]
    wanted = [pair for shown in source for pair in _pairs(shown)]
    last: Planes | None = None
    half: Planes | None = None
    for planes in pictures(take, wanted):
        if half is None or planes is not last:
            last, half = planes, _half(take, planes, filters, colours, depth)
        yield half


def _half(
    take: Take, planes: Planes, filters: Sequence[PlaneFilter], colours: ColourMap | None, depth: int
) -> Planes:
    composed_depth = depth if colours is None else SOURCE_BITS
    half = compose_half(planes, filters, take.rotate, take.bit_depth, composed_depth, mirrored=take.mirrored)
    return half if colours is None else convert_half(half, colours, depth)


def _conversions(takes: Mapping[str, Take], depth: int) -> dict[str, ColourMap | None]:
    target = target_colours(takes)
    return {
        side: conversion(take, target, depth, None if take.lut is None else read_cube(take.lut))
        for side, take in takes.items()
    }


def _pairs(shown: SourceFrames) -> Iterator[tuple[int, int]]:
    if (shown.index < 0).any():
        raise ValueError("a stretch begins before the footage")
    return zip(shown.file.tolist(), shown.pts.tolist(), strict=True)


def cut(
    probe: Probe,
    clocks: Mapping[str, Clock],
    plan: Plan,
    folder: Path,
    *,
    preset: str = "veryfast",
    crf: int = 20,
    size: tuple[int, int] = SIZE,
) -> list[Path]:
    """Cut every clip of `plan` into ``folder/<clip id>.mp4``, picture alone, each with its own encoder.

    Each composite is made once and given to every clip that shows it.

    Returns
    -------
    list of Path
        In the order of ``plan.clips``.
    """
    paths = [folder / f"{clip.id}.mp4" for clip in plan.clips]
    spans = [(span.first_frame, span.frame_count) for span in plan.spans]
    waiting = list(zip(plan.clips, paths, strict=True))
    writing: list[tuple[Clip, _ClipWriter]] = []
    target = target_colours(probe.takes)
    for number, planes in composites(probe, clocks, spans, size=size):
        while waiting and waiting[0][0].first_frame == number:
            clip, path = waiting.pop(0)
            writing.append((clip, _ClipWriter(path, plan.rate, size, target, preset, crf)))
        for _, writer in writing:
            writer.write(planes)
        for clip, writer in writing:
            if clip.end_frame == number + 1:
                writer.close()
        writing = [(clip, writer) for clip, writer in writing if clip.end_frame != number + 1]
    return paths


class _ClipWriter:
    """One MP4 with one H.264 stream."""

    def __init__(
        self, path: Path, rate: Fraction, size: tuple[int, int], colours: Colours, preset: str, crf: int
    ) -> None:
        import av

        self._container: OutputContainer = av.open(str(path), "w", options={"movflags": "+faststart"})
        self._stream: VideoStream = self._container.add_stream("libx264", rate=rate)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"preset": preset, "crf": str(crf), **_colours(colours)}
        self._time_base = 1 / rate
        self._count = 0

    def write(self, planes: Planes) -> None:
        import av

        frame = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], "yuv420p")
        for target, plane in zip(frame.planes, planes, strict=True):
            rows = np.frombuffer(memoryview(target), dtype=np.uint8).reshape(-1, target.line_size)
            rows[: plane.shape[0], : plane.shape[1]] = plane
        frame.pts, frame.time_base = self._count, self._time_base
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()


def _colours(target: Colours) -> dict[str, str]:
    """How the composite's code values map to light, as options of libav's encoders."""
    return {
        "color_range": "pc" if target.range == "full" else "tv",
        "colorspace": target.matrix,
        "color_trc": target.transfer,
        "color_primaries": target.primaries,
    }
