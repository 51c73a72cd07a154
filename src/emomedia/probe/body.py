"""session.json: a :class:`Probe` as values for JSON, and back.

Integers and text alone: rates and times are ``"numerator/denominator"``, frame times and key frames
are runs (:mod:`.runs`), paths stand as in session.toml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..descriptions import is_text, show
from ..errors import StageError
from ..session import SIDES, Crop, Session
from ..timeline import FileFrames, TakeFrames, rate_text
from .runs import from_runs, to_runs
from .take import (
    DEEPEST,
    FIELDS,
    MAX_FRAMES,
    MAX_SIDE,
    MIN_SIDE,
    SITINGS,
    SMALLEST_CROP,
    aspect_is_usual,
)
from .track import MAX_SAMPLE_RATE, TIME_REFERENCE_DIGITS
from .types import SUBSAMPLING, Picture, Probe, Take, TakeFile, Track, TrackFile

FILE_NAME = "session.json"

_MOST = 1 << 31
"""No whole number in it is as large, the core's being of 32 bits; but samples since midnight may be."""

_FRACTION = re.compile(r"-?[0-9]{1,60}/[0-9]{1,60}")
"""Python's own reading also takes '1e999999999', and a lifetime."""


def to_body(probe: Probe) -> dict[str, Any]:
    """The content of session.json."""
    sides: dict[str, Any] = {
        side: {
            "take": _take_body(probe.session, probe.takes[side]),
            "track": _track_body(probe.session, probe.tracks[side]),
        }
        for side in SIDES
    }
    return {"session": probe.session.id, "rate": rate_text(probe.rate), **sides}


def _take_body(session: Session, take: Take) -> dict[str, Any]:
    return {
        **{field.name: getattr(take, field.name) for field in fields(Picture)},
        "rotate": take.rotate,
        "mirrored": take.mirrored,
        "crop": asdict(take.crop),
        "lut": None if take.lut is None else session.written(take.lut),
        "alpha": take.alpha,
        "rate": rate_text(take.rate),
        "variable": take.variable,
        "missing": take.missing,
        "interval": rate_text(take.frames.interval),
        "files": [
            _file_body(session, file, frames)
            for file, frames in zip(take.files, take.frames.files, strict=True)
        ],
        "sound": None if take.sound is None else _track_body(session, take.sound),
    }


def _file_body(session: Session, file: TakeFile, frames: FileFrames) -> dict[str, Any]:
    return {
        "path": session.written(file.path),
        "stream": file.stream,
        "codec": file.codec,
        "container": file.container,
        "timecode": file.timecode,
        "hidden": file.hidden,
        "open_gops": file.open_gops,
        "undecodable": file.undecodable,
        "time_base": rate_text(frames.time_base),
        "base": rate_text(frames.base),
        "frames": [list(run) for run in to_runs(frames.pts)],
        "keys": [list(run) for run in to_runs(file.keys)],
    }


def _track_body(session: Session, track: Track) -> dict[str, Any]:
    return {
        "path": session.written(track.path),
        "stream": track.stream,
        "channel": track.channel,
        "sample_rate": track.sample_rate,
        "bits": track.bits,
        "codec": track.codec,
        "lossless": track.lossless,
        "own_audio": track.own_audio,
        "start": rate_text(track.start),
        "later": [
            {"path": session.written(file.path), "stream": file.stream, "start": rate_text(file.start)}
            for file in track.later
        ],
        "time_reference": track.time_reference,
    }


def from_body(body: Mapping[str, Any], session: Session, source: Path = Path(FILE_NAME)) -> Probe:
    """The probe that session.json, read from `source`, holds.

    Raises
    ------
    StageError
        Something in it is missing, not what it should be, or beyond what the probe lets in.
    """
    where = ""
    try:
        if body["session"] != session.id:
            raise ValueError(f"the session {show(body['session'])} instead of {show(session.id)}")
        takes: dict[str, Take] = {}
        tracks: dict[str, Track] = {}
        for side in SIDES:
            where = f": {side}"
            takes[side] = _take(body[side]["take"], session)
            tracks[side] = _track(body[side]["track"], session)
        where = ""
        return Probe(session, takes, tracks, _positive(body, "rate"))
    except (KeyError, TypeError, AttributeError, ValueError, ZeroDivisionError) as error:
        found = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise StageError(
            f"{source}{where}",
            expected="what the probe writes",
            found=found,
            remedy="correct the file, or delete it so that it is made again",
        ) from error


def _take(body: Mapping[str, Any], session: Session) -> Take:
    files = [_file(file, session) for file in body["files"]]
    if not files:
        raise ValueError("a take without files")
    values: dict[str, Any] = {field.name: _typed(body, field.name, field.type) for field in fields(Picture)}
    picture = Picture(**values)
    rotate = _whole(body, "rotate")
    crop = Crop(**{field.name: _whole(body["crop"], field.name) for field in fields(Crop)})
    _refuse_picture(picture, rotate, crop)
    return Take(
        **asdict(picture),
        files=tuple(file for file, _ in files),
        frames=TakeFrames(tuple(frames for _, frames in files), _positive(body, "interval")),
        rotate=rotate,
        mirrored=bool(body["mirrored"]),
        lut=None if body["lut"] is None else session.path.parent / _text(body, "lut"),
        alpha=bool(body["alpha"]),
        crop=crop,
        rate=_positive(body, "rate"),
        variable=bool(body["variable"]),
        missing=_whole(body, "missing"),
        sound=None if body["sound"] is None else _track(body["sound"], session),
    )


def _refuse_picture(picture: Picture, rotate: int, crop: Crop) -> None:
    """The core trusts these numbers: what the probe would have refused in a take is refused here too."""
    size = picture.upright_size(rotate)
    width, height = SMALLEST_CROP
    kind = picture.bit_depth, picture.chroma, picture.siting
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in size) or rotate not in (0, 90, 180, 270):
        raise ValueError(f"a picture of {size[0]}x{size[1]} turned by {rotate} degrees")
    if not 8 <= kind[0] <= DEEPEST or kind[1] not in SUBSAMPLING or kind[2] not in SITINGS:
        raise ValueError(f"pixels of {kind[0]} bits, {show(kind[1])}, sited {show(kind[2])}")
    if picture.fields not in FIELDS or picture.range not in ("limited", "full"):
        raise ValueError(f"fields {show(picture.fields)}, range {show(picture.range)}")
    if not _FRACTION.fullmatch(picture.aspect) or not aspect_is_usual(Fraction(picture.aspect)):
        raise ValueError(f"aspect = {show(picture.aspect)}, where one such as '1/1' belongs")
    if (
        crop.width < width
        or crop.height < height
        or crop.x + crop.width > size[0]
        or crop.y + crop.height > size[1]
    ):
        raise ValueError(f"a crop of {crop.width}x{crop.height} at {crop.x}, {crop.y} in {size[0]}x{size[1]}")


def _file(body: Mapping[str, Any], session: Session) -> tuple[TakeFile, FileFrames]:
    pts = from_runs(body["frames"], MAX_FRAMES)
    keys = from_runs(body["keys"], MAX_FRAMES)
    if not pts.size or (np.diff(pts) <= 0).any():
        raise ValueError("frames whose times do not increase")
    if (np.diff(keys) <= 0).any() or (keys < 0).any() or (keys >= pts.size).any():
        raise ValueError("key frames that are no frames")
    path = session.path.parent / _text(body, "path")
    file = TakeFile(
        path,
        _whole(body, "stream"),
        _text(body, "codec"),
        keys,
        container=_text(body, "container"),
        timecode=None if body["timecode"] is None else _text(body, "timecode"),
        hidden=_whole(body, "hidden"),
        open_gops=bool(body["open_gops"]),
        undecodable=_whole(body, "undecodable"),
    )
    return file, FileFrames(_positive(body, "time_base"), _fraction(body, "base"), pts)


def _track(body: Mapping[str, Any], session: Session) -> Track:
    folder = session.path.parent
    track = Track(
        path=folder / _text(body, "path"),
        stream=_whole(body, "stream"),
        channel=_whole(body, "channel"),
        sample_rate=_whole(body, "sample_rate"),
        bits=_whole(body, "bits"),
        codec=_text(body, "codec"),
        lossless=bool(body["lossless"]),
        own_audio=bool(body["own_audio"]),
        start=_fraction(body, "start"),
        later=tuple(
            TrackFile(folder / _text(file, "path"), _whole(file, "stream"), _fraction(file, "start"))
            for file in body["later"]
        ),
        time_reference=(
            None
            if body.get("time_reference") is None
            else _whole(body, "time_reference", 10**TIME_REFERENCE_DIGITS)
        ),
    )
    if track.bits not in (16, 24) or not 0 < track.sample_rate <= MAX_SAMPLE_RATE:
        raise ValueError(f"sound of {track.bits} bits and {track.sample_rate} Hz")
    return track


def _whole(body: Mapping[str, Any], key: str, end: int = _MOST) -> int:
    value = body[key]
    if type(value) is not int or not 0 <= value < end:
        raise _misplaced(body, key, "a whole number")
    return value


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body[key]
    if not isinstance(value, str) or not is_text(value):
        raise _misplaced(body, key, "text")
    return value


def _fraction(body: Mapping[str, Any], key: str) -> Fraction:
    if not _FRACTION.fullmatch(_text(body, key)):
        raise _misplaced(body, key, "a fraction such as '25/1'")
    return Fraction(body[key])


def _positive(body: Mapping[str, Any], key: str) -> Fraction:
    number = _fraction(body, key)
    if number <= 0:
        raise _misplaced(body, key, "a number above zero")
    return number


def _typed(body: Mapping[str, Any], key: str, kind: Any) -> int | str:
    return _whole(body, key) if kind in (int, "int") else _text(body, key)


def _misplaced(body: Mapping[str, Any], key: str, belongs: str) -> ValueError:
    return ValueError(f"{key} = {show(body[key])}, where {belongs} belongs")
