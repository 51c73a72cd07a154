"""The proof sheet: three frames of each take, upright, with the crop drawn in, to check before a long run.

The part that the composite will show keeps its brightness; the rest is darkened.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .containers import opened
from .errors import MediaError
from .files import write_bytes
from .probe.table import duration_for_people
from .probe.types import Probe, Take
from .session import SIDES, Crop
from .timeline import FileFrames

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

_TILE_SIDE = 480
"""The longer side of a frame on the sheet, in pixels."""

_MARGIN = 16
_LINE = 20
_TEXT = 15
_GROUND = (24, 24, 24)
_INK = (235, 235, 235)
_FRAME = (80, 220, 120)
_CHINESE = ("NotoSansCJK-Regular.ttc", "wqy-zenhei.ttc", "wqy-microhei.ttc", "DroidSansFallbackFull.ttf")
"""Fonts of Linux systems that have Latin letters, too."""

_TRIES = 3
"""Key frames that are tried before decoding begins at the file's beginning."""

_DARKEN = 3
"""What the crop leaves out has this fraction of its brightness."""


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One frame of the sheet.

    Attributes
    ----------
    picture : uint8[height, width, 3]
        RGB, upright, scaled down.
    crop : Crop
        In pixels of `picture`.
    lines : tuple of str
        What is written under it.
    """

    picture: npt.NDArray[np.uint8]
    crop: Crop
    lines: tuple[str, ...]


def write_proof(probe: Probe, path: Path) -> None:
    """Write the proof sheet of a session as a PNG.

    Raises
    ------
    MediaError
        One of the frames cannot be decoded.
    OutputError
        The sheet cannot be written.
    """
    rows = []
    for side in SIDES:
        take = probe.takes[side]
        last = take.frames.count - 1
        tiles = [_tile(probe, take, index) for index in (0, last // 2, last)]
        rows.append((f"{side}: {probe.session.side(side).actor}", tiles))
    encoded = io.BytesIO()
    draw_sheet(probe.session.id, rows).save(encoded, format="PNG")
    write_bytes(path, encoded.getvalue())


def draw_sheet(title: str, rows: Sequence[tuple[str, Sequence[Tile]]]) -> Image:
    """Rows of tiles, each row under its heading."""
    from PIL import Image, ImageDraw

    lines = [line for _, tiles in rows for tile in tiles for line in tile.lines]
    font = sheet_font("".join([title, *(heading for heading, _ in rows), *lines]))
    heights = [max(tile.picture.shape[0] + _LINE * len(tile.lines) for tile in tiles) for _, tiles in rows]
    width = max(sum(tile.picture.shape[1] + _MARGIN for tile in tiles) for _, tiles in rows) + _MARGIN
    height = _MARGIN + _LINE + sum(h + 2 * _MARGIN + _LINE for h in heights)
    sheet = Image.new("RGB", (width, height), _GROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN // 2), title, _INK, font)
    top = _MARGIN + _LINE
    for (heading, tiles), tall in zip(rows, heights, strict=True):
        draw.text((_MARGIN, top), heading, _FRAME, font)
        left, below = _MARGIN, top + _LINE + _MARGIN // 2
        for tile in tiles:
            sheet.paste(Image.fromarray(framed(tile)), (left, below))
            tile_height, tile_width = tile.picture.shape[:2]
            for number, line in enumerate(tile.lines):
                at = left, below + tile_height + 4 + number * _LINE
                draw.text(at, _fitting(line, tile_width, font), _INK, font)
            left += tile_width + _MARGIN
        top += tall + 2 * _MARGIN + _LINE
    return sheet


def sheet_font(text: str) -> FreeTypeFont | ImageFont:
    """What `text` is written in: Pillow's own font, or for Chinese one of the system's, where it has any."""
    from PIL import ImageFont

    for name in _CHINESE if max(text, default="") >= "\u2e80" else ():
        with suppress(OSError):
            return ImageFont.truetype(name, _TEXT)
    return ImageFont.load_default(size=_TEXT)


def _fitting(text: str, width: int, font: FreeTypeFont | ImageFont) -> str:
    """`text`, or its end where it is wider than `width` pixels: files of a camera differ in their ends."""
    if font.getlength(text) <= width:
        return text
    ends = (f"…{text[cut:]}" for cut in range(1, len(text) + 1))
    return next((end for end in ends if font.getlength(end) <= width), "")


def framed(tile: Tile) -> npt.NDArray[np.uint8]:
    """The tile's picture, dark outside its crop, with a line along the crop's edge."""
    crop = tile.crop
    rows, columns = slice(crop.y, crop.y + crop.height), slice(crop.x, crop.x + crop.width)
    drawn = tile.picture // _DARKEN
    drawn[rows, columns] = _FRAME
    inner = tuple(slice(cut.start + 2, max(cut.start + 2, cut.stop - 2)) for cut in (rows, columns))
    drawn[inner] = tile.picture[inner]
    return drawn


def _tile(probe: Probe, take: Take, index: int) -> Tile:
    number, within = _file_of(take, index)
    path, frames = take.files[number].path, take.frames.files[number]
    frame = frame_at(take, number, within)
    scale = min(Fraction(_TILE_SIDE, max(frame.width, frame.height)), Fraction(1))
    small = frame.reformat(
        width=max(1, round(frame.width * scale)), height=max(1, round(frame.height * scale)), format="rgb24"
    )
    turned = np.rot90(small.to_ndarray(), -(take.rotate // 90))
    picture: npt.NDArray[np.uint8] = np.ascontiguousarray(turned[:, ::-1] if take.mirrored else turned)
    crop = take.crop
    shown = Crop(*(round(value * scale) for value in (crop.x, crop.y, crop.width, crop.height)))
    time = frames.base + int(frames.pts[within] - frames.pts[0]) * frames.time_base
    lines = (
        probe.session.written(path),
        f"frame {index} at {duration_for_people(time)}",
        (f"turned by {take.rotate}°" if take.rotate else "not turned")
        + (", mirrored" if take.mirrored else ""),
        f"crop {crop.width}x{crop.height} at {crop.x}, {crop.y}",
    )
    return Tile(picture, shown, lines)


def _file_of(take: Take, index: int) -> tuple[int, int]:
    """The file that holds the take's frame `index`, and the frame's index within it."""
    for number, frames in enumerate(take.frames.files):
        if index < len(frames.pts):
            return number, index
        index -= len(frames.pts)
    raise IndexError("the take has no such frame")


def frame_at(take: Take, number: int, within: int) -> VideoFrame:
    """Frame `within` of the take's file `number`, as coded.

    Decoding starts at the key frame before it, and one key frame earlier where what comes out begins
    too late, as it does after a key frame of an open GOP.  A frame that never comes out is stood in for
    by the one before it.

    Raises
    ------
    MediaError
        Nothing decodes.
    """
    file, frames = take.files[number], take.frames.files[number]
    keys = file.keys[file.keys <= within][: -_TRIES - 1 : -1].tolist()
    wanted = int(frames.pts[within])
    for key in dict.fromkeys((*keys, 0)):
        best = None
        for frame in _decoded_from(file.path, file.stream, key, frames):
            if frame.pts is None or frame.pts > wanted:
                break
            best = frame
            if frame.pts == wanted:
                return best
        if best is not None:
            return best
    raise MediaError(
        file.path,
        expected="frames that decode",
        found=f"none at frame {within}",
        remedy="check that the file plays, or copy it from the camera again",
    )


def _decoded_from(path: Path, stream: int, key: int, frames: FileFrames) -> Iterator[VideoFrame]:
    """Frames from a key frame on; none where decoding fails."""
    import av

    try:
        with opened(path) as container:
            video = next(video for video in container.streams.video if video.index == stream)
            if key:
                container.seek(int(frames.pts[key]), stream=video)
            yield from container.decode(video)
    except av.FFmpegError:
        return
