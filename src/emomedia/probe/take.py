"""From what the core says of a take's files to a :class:`Take`, or to the reason why not.

Nothing here reads a file.  Streams and scans are the core's dicts (``_core.probe``, ``_core.scan``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import numpy as np

from ..descriptions import description_error
from ..errors import UnsupportedMediaError
from ..options import Interlaced
from ..session import Crop, Session
from ..timeline import FileFrames, TakeFrames, rate_text
from .rate import Cadence, Times, find_cadence
from .types import SUBSAMPLING, Picture, Take, TakeFile

MAX_SIDE = 16_384
"""Pixels: no camera's picture is wider or higher."""

MIN_SIDE = 16
"""Pixels: the smallest width or height that is a picture of somebody."""

SMALLEST_CROP = (8, 9)
"""Pixels across and down."""

MAX_FRAMES = 10_500_000
"""A take of 24 hours at 120 frames a second."""

MAX_SECONDS = 24 * 3600

MOST_ASPECT = 4
"""No anamorphic format stretches pixels further."""

_MEASURABLE = 10
"""Frames that a file needs before its rate is compared with that of the take's other files."""

SITINGS = ("left", "center", "topleft")

_MEANT = {
    "range": "limited",
    "matrix": "bt709",
    "primaries": "bt709",
    "transfer": "bt709",
    "siting": "left",
}
"""What counts where a file leaves it unspecified."""

FIELDS = ("progressive", "top first", "bottom first")

DEEPEST = 12
"""Bits per sample that compose holds at the most."""

_FIELDS = {"tt": "top first", "bt": "top first", "bb": "bottom first", "tb": "bottom first"}
"""Which field is shown first, by libav's field orders (stored order, then shown order)."""

_FROM_DECODER = (
    "width", "height", "bit_depth", "sub_x", "sub_y", "pix_fmt", "chroma", "composable", "alpha",
)  # fmt: skip
_FROM_EITHER = ("range", "matrix", "primaries", "transfer", "siting")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a take: its path, its video stream's dict and its scan's dict, as the core gives them.

    `container` is the name of its format, `timecode` that of any of its streams.
    """

    path: Path
    stream: dict[str, Any]
    scan: dict[str, Any]
    container: str = ""
    timecode: str | None = None


def video_stream(path: Path, streams: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The stream that shows the actor: the largest picture that is no cover image, the first of equals.

    Raises
    ------
    UnsupportedMediaError
        There is none.
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
    return max(candidates, key=lambda s: s["width"] * s["height"])


def as_decoded(stream: dict[str, Any], decoded: dict[str, Any]) -> dict[str, Any]:
    """`stream` corrected by what its first decoded frame says.

    A frame knows its size and its pixels.  Its colours count where it states them, since they are of the
    coded stream itself, and the container's where it does not; it is of two fields if either says so.
    """
    found = stream | {name: decoded[name] for name in _FROM_DECODER}
    found |= {name: decoded[name] for name in _FROM_EITHER if decoded[name] != "unspecified"}
    return found | ({"field_order": decoded["field_order"]} if decoded["field_order"] in _FIELDS else {})


def refuse_unsuitable(path: Path, stream: dict[str, Any], interlaced: Interlaced = "deinterlace") -> None:
    """Refuse a stream (:func:`as_decoded`) that cannot be treated right.

    Raises
    ------
    UnsupportedMediaError
        With the first reason.
    """
    size = f"{stream['width']}x{stream['height']}"
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
            not stream["composable"] or stream["chroma"] not in SUBSAMPLING,
            "planar Y'CbCr, 4:2:0, 4:2:2 or 4:4:4, 8 to 12 bits",
            _pixels_found(stream),
            transcode + " of such pixels (ffmpeg -pix_fmt yuv422p10le)",
        ),
        (
            interlaced == "refuse" and fields_of(stream) != "progressive",
            "whole frames, as --interlaced refuse asks for",
            f"interlaced fields ({fields_of(stream)})",
            "leave the option out to have them deinterlaced",
        ),
        (
            not aspect_is_usual(_aspect(stream)),
            f"pixels at most {MOST_ASPECT} times as wide as high or as high as wide",
            f"pixels of aspect {_aspect(stream)}",
            "correct the take's pixel aspect ratio",
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


def fields_of(stream: dict[str, Any]) -> str:
    """``progressive``, ``top first`` or ``bottom first``."""
    return _FIELDS.get(stream["field_order"], "progressive")


def aspect_is_usual(aspect: Fraction) -> bool:
    """Whether a pixel of that width by height is one that a camera could mean."""
    return Fraction(1, MOST_ASPECT) <= aspect <= MOST_ASPECT


def _aspect(stream: dict[str, Any]) -> Fraction:
    """A coded pixel's width by its height; square where nothing is said."""
    across, down = stream["sample_aspect"]
    return Fraction(across, down) if across > 0 and down > 0 else Fraction(1)


def _pixels_found(stream: dict[str, Any]) -> str:
    kind = stream["chroma"] if ":" in stream["chroma"] else "another layout"
    return f"{stream['pix_fmt']} ({kind}, {stream['bit_depth']} bits)"


def picture_of(stream: dict[str, Any], interlaced: Interlaced = "deinterlace") -> Picture:
    """What the frames of a video stream have in common, the unspecified resolved."""
    values = {name: stream[name] for name in ("width", "height", "bit_depth", "chroma", *_FROM_EITHER)}
    resolved = {key: _MEANT[key] for key in _MEANT if values[key] == "unspecified"}
    fields = "progressive" if interlaced == "keep" else fields_of(stream)
    return Picture(**values | resolved, fields=fields, aspect=rate_text(_aspect(stream)))


def largest_crop(
    width: int, height: int, aspect: Fraction = Fraction(1), shape: tuple[int, int] = (8, 9)
) -> Crop:
    """The largest part of a picture that is shown in a `shape`, in its middle; `aspect` is its pixels'."""
    across, down = shape
    if width * aspect * down <= height * across:
        crop_width, crop_height = width, floor(width * aspect * down / across)
    else:
        crop_width, crop_height = floor(height * across / (down * aspect)), height
    return Crop((width - crop_width) // 2, (height - crop_height) // 2, crop_width, crop_height)


def make_take(
    session: Session, side: str, files: Sequence[FoundFile], interlaced: Interlaced = "deinterlace"
) -> Take:
    """The take of `side` from its files, all of them suitable (:func:`refuse_unsuitable`), without sound.

    Raises
    ------
    UnsupportedMediaError
        There is no frame, no rate, no right angle, or the files are not of one recording.
    DescriptionError
        The crop does not fit the picture.
    """
    described = session.side(side)
    declared = described.rotate is None
    rotate, mirrored = _declared_orientation(files) if declared else (described.rotate or 0, False)
    picture = picture_of(files[0].stream, interlaced)
    _refuse_other_pictures(files, interlaced)
    size = picture.upright_size(rotate)
    crop = described.crop or largest_crop(*size, picture.upright_aspect(rotate))
    _refuse_crop(session, side, crop, size)
    cadence = _cadence(files)
    frames = _frames(files, cadence)
    _refuse_endless(files[-1].path, frames)
    return Take(
        **asdict(picture),
        files=tuple(_take_file(file) for file in files),
        frames=frames,
        rotate=rotate,
        mirrored=mirrored,
        crop=crop,
        lut=described.lut,
        alpha=files[0].stream["alpha"],
        rate=cadence.rate,
        variable=cadence.variable,
        missing=cadence.missing,
    )


def _take_file(file: FoundFile) -> TakeFile:
    return TakeFile(
        file.path,
        file.stream["index"],
        file.stream["codec"],
        np.flatnonzero(file.scan["key"]),
        container=file.container,
        timecode=file.timecode,
        hidden=file.scan["hidden"],
        open_gops=file.scan["leading"] > 0,
        undecodable=file.scan["undecodable"],
    )


def _declared_orientation(files: Sequence[FoundFile]) -> tuple[int, bool]:
    """The turn clockwise and the mirror that the files' display matrices ask for."""
    first = files[0].stream
    for file in files:
        if file.stream["rotate"] is None:
            raise UnsupportedMediaError(
                file.path,
                expected="a display matrix that turns the picture by 0, 90, 180 or 270 degrees",
                found="another angle",
                remedy="give `rotate` in session.toml",
            )
        if (file.stream["rotate"], file.stream["mirrored"]) != (first["rotate"], first["mirrored"]):
            raise UnsupportedMediaError(
                file.path,
                expected=f"the rotation of {files[0].path.name}, {_orientation_text(first)}",
                found=_orientation_text(file.stream),
                remedy="give `rotate` in session.toml, or describe them as two sessions",
            )
    return int(first["rotate"]), bool(first["mirrored"])


def _orientation_text(stream: dict[str, Any]) -> str:
    return f"{stream['rotate']} degrees" + (" and a mirror" if stream["mirrored"] else "")


def _refuse_endless(path: Path, frames: TakeFrames) -> None:
    if frames.end > MAX_SECONDS:
        raise UnsupportedMediaError(
            path,
            expected=f"a take of at most {MAX_SECONDS // 3600} hours",
            found=f"frames up to {float(frames.end) / 3600:.1f} hours after the first",
            remedy="rewrap the file, whose times may have a jump, or split the session",
        )


def _refuse_other_pictures(files: Sequence[FoundFile], interlaced: Interlaced) -> None:
    first = picture_of(files[0].stream, interlaced)
    for file in files[1:]:
        other = picture_of(file.stream, interlaced)
        differing = [f.name for f in fields(Picture) if getattr(first, f.name) != getattr(other, f.name)]
        if differing:
            raise UnsupportedMediaError(
                file.path,
                expected="a take whose files are alike: "
                + ", ".join(f"{name} {getattr(first, name)}" for name in differing),
                found=", ".join(f"{name} {getattr(other, name)}" for name in differing),
                remedy="describe them as two sessions",
            )


def _refuse_crop(session: Session, side: str, crop: Crop, size: tuple[int, int]) -> None:
    inside = (
        crop.x >= 0 and crop.y >= 0 and crop.x + crop.width <= size[0] and crop.y + crop.height <= size[1]
    )
    if inside and crop.width >= SMALLEST_CROP[0] and crop.height >= SMALLEST_CROP[1]:
        return
    raise description_error(
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
                remedy="describe them as two sessions",
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
