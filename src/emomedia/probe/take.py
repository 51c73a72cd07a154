"""From what the core says of a take's files to a :class:`Take`, or to the reason why not.

Nothing here reads a file.  Streams and scans are the core's dicts (``_core.probe``, ``_core.scan``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..descriptions import wrong
from ..errors import UnsupportedMediaError
from ..session import Crop, Session
from ..timeline import FileFrames, TakeFrames, rate_text
from .rate import Cadence, Times, find_cadence
from .types import Picture, Take, TakeFile

MAX_SIDE = 16_384
"""Pixels: no camera's picture is wider or higher."""

MIN_SIDE = 16
"""Pixels: the smallest width or height that is a picture of somebody."""

SMALLEST_CROP = (8, 9)
"""Pixels across and down."""

MAX_FRAMES = 10_500_000
"""A take of 24 hours at 120 frames a second."""

_MEASURABLE = 10
"""Frames that a file needs for its rate to be told from that of the take's other files."""

PIXEL_FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv420p10le", "yuv422p10le")
"""libav's names of what compose takes: planar Y'CbCr, 4:2:0 or 4:2:2, 8 or 10 bits."""

SITINGS = ("left", "center", "topleft")

_MEANT = {
    "range": "limited",
    "matrix": "bt709",
    "primaries": "bt709",
    "transfer": "bt709",
    "siting": "left",
}
"""What counts where a file leaves it unspecified."""

_SAME_MATRIX = {"bt470bg": "smpte170m"}
_SAME_TRANSFER = {"smpte170m": "bt709", "bt2020-10": "bt709", "bt2020-12": "bt709"}
"""Different names of the same formula (H.273)."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a take: its path, its video stream's dict and its scan's dict, as the core gives them."""

    path: Path
    stream: dict[str, Any]
    scan: dict[str, Any]


def video_stream(path: Path, streams: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The stream that shows the actor: the largest picture that is no cover image, the first of equals.

    Raises
    ------
    UnsupportedMediaError
        There is none, or it is of a kind that cannot be treated right.
    """
    candidates = [s for s in streams if s["type"] == "video" and not s["attached_picture"]]
    if not candidates:
        kinds = ", ".join(s["type"] for s in streams) or "no stream at all"
        raise UnsupportedMediaError(
            path,
            expected="a video stream",
            found=kinds,
            remedy="name the camera's file as `video` in session.toml",
        )
    stream = max(candidates, key=lambda s: s["width"] * s["height"])
    _refuse_unsuitable(path, stream)
    return stream


def _refuse_unsuitable(path: Path, stream: dict[str, Any]) -> None:
    size = f"{stream['width']}x{stream['height']}"
    aspect = Fraction(*stream["sample_aspect"]) if stream["sample_aspect"][1] else Fraction(0)
    sides = stream["width"], stream["height"]
    transcode = "convert the take to H.264, HEVC or ProRes"
    reasons = (
        (
            not all(MIN_SIDE <= side <= MAX_SIDE for side in sides),
            f"a picture of {MIN_SIDE} to {MAX_SIDE} pixels each way",
            size,
            transcode + " of such a size",
        ),
        (
            stream["pix_fmt"] not in PIXEL_FORMATS,
            "planar Y'CbCr, 4:2:0 or 4:2:2, 8 or 10 bits",
            _pixels_found(stream),
            transcode + " of such pixels (ffmpeg -pix_fmt yuv420p10le)",
        ),
        (
            stream["field_order"] not in ("progressive", "unknown"),
            "whole frames (progressive)",
            f"interlaced fields ({stream['field_order']})",
            "deinterlace the take first, for example with ffmpeg's bwdif filter",
        ),
        (
            aspect not in (0, 1),
            "square pixels",
            f"pixels of aspect {aspect.numerator}:{aspect.denominator}",
            "scale the take to square pixels first",
        ),
        (
            bool(stream["flip"]),
            "a picture that is not mirrored",
            "a display matrix that mirrors it",
            "mirror the take back first, for example with ffmpeg's hflip filter",
        ),
        (
            stream["siting"] not in (*SITINGS, "unspecified"),
            "chroma sited left, center or topleft",
            stream["siting"],
            transcode + " with left-sited chroma",
        ),
    )
    for unsuitable, expected, found, remedy in reasons:
        if unsuitable:
            raise UnsupportedMediaError(path, expected=expected, found=found, remedy=remedy)


def _pixels_found(stream: dict[str, Any]) -> str:
    kind = stream["chroma"] if ":" in stream["chroma"] else "another layout"
    return f"{stream['pix_fmt']} ({kind}, {stream['bit_depth']} bits)"


def picture_of(stream: dict[str, Any]) -> Picture:
    """What the frames of a video stream have in common, the unspecified resolved."""
    values = {field.name: stream[field.name] for field in fields(Picture)}
    resolved = {key: _MEANT[key] for key in _MEANT if values[key] == "unspecified"}
    return Picture(**values | resolved)


def largest_crop(width: int, height: int) -> Crop:
    """The largest 8:9 rectangle of a picture, in its middle."""
    if width * 9 <= height * 8:
        crop_width, crop_height = width, width * 9 // 8
    else:
        crop_width, crop_height = height * 8 // 9, height
    return Crop((width - crop_width) // 2, (height - crop_height) // 2, crop_width, crop_height)


def make_take(session: Session, side: str, files: Sequence[FoundFile]) -> Take:
    """The take of `side` from its files, all of them suitable (:func:`video_stream`), without sound.

    Raises
    ------
    UnsupportedMediaError
        There is no frame, no rate, no right angle, or the files are not of one recording.
    DescriptionError
        The crop does not fit the picture.
    """
    described = session.side(side)
    rotate = described.rotate if described.rotate is not None else _declared_rotation(files)
    picture = picture_of(files[0].stream)
    _refuse_other_pictures(files)
    crop = described.crop or largest_crop(*picture.upright_size(rotate))
    _refuse_crop(session, side, crop, picture.upright_size(rotate))
    cadence = _cadence(files)
    return Take(
        **asdict(picture),
        files=tuple(
            TakeFile(file.path, file.stream["index"], file.stream["codec"], np.flatnonzero(file.scan["key"]))
            for file in files
        ),
        frames=_frames(files, cadence),
        rotate=rotate,
        crop=crop,
        rate=cadence.rate,
        variable=cadence.variable,
        missing=cadence.missing,
    )


def _declared_rotation(files: Sequence[FoundFile]) -> int:
    for file in files:
        if file.stream["rotate"] is None:
            raise UnsupportedMediaError(
                file.path,
                expected="a display matrix that turns the picture by 0, 90, 180 or 270 degrees",
                found="another angle",
                remedy="give `rotate` in session.toml",
            )
        if file.stream["rotate"] != files[0].stream["rotate"]:
            raise UnsupportedMediaError(
                file.path,
                expected=f"the rotation of {files[0].path.name}, {files[0].stream['rotate']} degrees",
                found=f"{file.stream['rotate']} degrees",
                remedy="give `rotate` in session.toml, or make two sessions of the two",
            )
    return int(files[0].stream["rotate"])


def _refuse_other_pictures(files: Sequence[FoundFile]) -> None:
    first = picture_of(files[0].stream)
    for file in files[1:]:
        other = picture_of(file.stream)
        differing = [f.name for f in fields(Picture) if getattr(first, f.name) != getattr(other, f.name)]
        if differing:
            raise UnsupportedMediaError(
                file.path,
                expected="a take whose files are alike: "
                + ", ".join(f"{name} {getattr(first, name)}" for name in differing),
                found=", ".join(f"{name} {getattr(other, name)}" for name in differing),
                remedy="make two sessions of the two",
            )


def _refuse_crop(session: Session, side: str, crop: Crop, size: tuple[int, int]) -> None:
    inside = (
        crop.x >= 0 and crop.y >= 0 and crop.x + crop.width <= size[0] and crop.y + crop.height <= size[1]
    )
    if inside and crop.width >= SMALLEST_CROP[0] and crop.height >= SMALLEST_CROP[1]:
        return
    raise wrong(
        session.path,
        [side, "crop"],
        expected=f"at least {SMALLEST_CROP[0]}x{SMALLEST_CROP[1]} pixels inside the upright "
        f"{size[0]}x{size[1]} picture",
        found=f"{crop.width}x{crop.height} at {crop.x}, {crop.y}",
        remedy="correct `crop` or `rotate`; `emomedia probe --proof FILE.png` shows both",
    )


def _cadence(files: Sequence[FoundFile]) -> Cadence:
    for file in files:
        if not 0 < len(file.scan["pts"]) <= MAX_FRAMES:
            raise UnsupportedMediaError(
                file.path,
                expected=f"1 to {MAX_FRAMES} frames",
                found=str(len(file.scan["pts"])),
                remedy="copy the file from the camera again",
            )
    cadence = _cadence_of(files)
    if cadence is None:
        raise UnsupportedMediaError(
            files[0].path,
            expected="two frames, or a declared frame rate",
            found="neither",
            remedy="copy the file from the camera again",
        )
    _refuse_other_rates(files)
    return cadence


def _refuse_other_rates(files: Sequence[FoundFile]) -> None:
    measured = [(file, _cadence_of([file])) for file in files if len(file.scan["pts"]) >= _MEASURABLE]
    constant = [
        (file.path, found.rate) for file, found in measured if found is not None and not found.variable
    ]
    for path, rate in constant[1:]:
        if rate != constant[0][1]:
            raise UnsupportedMediaError(
                path,
                expected=f"the frame rate of {constant[0][0].name}, {rate_text(constant[0][1])}",
                found=rate_text(rate),
                remedy="make two sessions of the two",
            )


def _cadence_of(files: Sequence[FoundFile]) -> Cadence | None:
    declared = [
        Fraction(*file.stream[key])
        for key in ("frame_rate", "avg_rate")
        for file in files
        if file.stream[key][1]
    ]
    return find_cadence([_times(file) for file in files], declared)


def _times(file: FoundFile) -> Times:
    return Fraction(*file.stream["time_base"]), np.asarray(file.scan["pts"], dtype=np.int64)


def _frames(files: Sequence[FoundFile], cadence: Cadence) -> TakeFrames:
    """Each file's first frame comes one interval after the previous file's last."""
    placed = []
    base = Fraction(0)
    for file in files:
        time_base, pts = _times(file)
        placed.append(FileFrames(time_base, base, pts))
        base += int(pts[-1] - pts[0]) * time_base + cadence.interval
    return TakeFrames(tuple(placed), cadence.interval)


def refuse_different_takes(left: Take, right: Take) -> None:
    """Takes whose code values mean different colours are never put into one picture.

    Raises
    ------
    UnsupportedMediaError
        They differ in range, matrix or transfer.
    """
    for name, same in (("range", {}), ("matrix", _SAME_MATRIX), ("transfer", _SAME_TRANSFER)):
        one, other = getattr(left, name), getattr(right, name)
        if same.get(one, one) != same.get(other, other):
            raise UnsupportedMediaError(
                right.files[0].path,
                expected=f"the left take's colour {name}, {one}",
                found=other,
                remedy="convert one of the takes, so that both are coded alike",
            )
