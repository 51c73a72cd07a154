"""session.json: a :class:`Probe` as values for JSON, and back.

Integers and text alone: rates and times are ``"numerator/denominator"``, frame times and key frames
are runs (:mod:`.runs`), paths stand as in session.toml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import StageError
from ..session import SIDES, Crop, Session
from ..timeline import FileFrames, TakeFrames, rate_text
from .runs import from_runs, to_runs
from .take import MAX_FRAMES
from .types import Picture, Probe, Take, TakeFile, Track, TrackFile

FILE_NAME = "session.json"

_FRACTION = re.compile(r"-?[0-9]{1,60}(/[0-9]{1,60})?")


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


def from_body(body: Mapping[str, Any], session: Session) -> Probe:
    """The probe that session.json holds.

    Raises
    ------
    StageError
        Something in it is missing, or not what it should be.
    """
    try:
        if body["session"] != session.id:
            raise ValueError(f"the session {body['session']!r} instead of {session.id!r}")
        takes: dict[str, Take] = {side: _take(body[side]["take"], session) for side in SIDES}
        tracks: dict[str, Track] = {side: _track(body[side]["track"], session) for side in SIDES}
        return Probe(session, takes, tracks, _positive(body["rate"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        found = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise StageError(
            FILE_NAME,
            expected="what the probe writes",
            found=found,
            remedy="correct the file, or delete it to have it made anew",
        ) from error


def _take(body: Mapping[str, Any], session: Session) -> Take:
    files = [_file(file, session) for file in body["files"]]
    if not files:
        raise ValueError("a take without files")
    picture: dict[str, Any] = {field.name: _typed(body[field.name], field.type) for field in fields(Picture)}
    crop = Crop(**{field.name: _whole(body["crop"][field.name]) for field in fields(Crop)})
    return Take(
        **picture,
        files=tuple(file for file, _ in files),
        frames=TakeFrames(tuple(frames for _, frames in files), _positive(body["interval"])),
        rotate=_whole(body["rotate"]),
        mirrored=bool(body["mirrored"]),
        lut=None if body["lut"] is None else session.path.parent / _text(body["lut"]),
        alpha=bool(body["alpha"]),
        crop=crop,
        rate=_positive(body["rate"]),
        variable=bool(body["variable"]),
        missing=_whole(body["missing"]),
        sound=None if body["sound"] is None else _track(body["sound"], session),
    )


def _file(body: Mapping[str, Any], session: Session) -> tuple[TakeFile, FileFrames]:
    pts = from_runs(body["frames"], MAX_FRAMES)
    keys = from_runs(body["keys"], MAX_FRAMES)
    if not pts.size or (np.diff(pts) <= 0).any():
        raise ValueError("frames whose times do not increase")
    if (np.diff(keys) <= 0).any() or (keys < 0).any() or (keys >= pts.size).any():
        raise ValueError("key frames that are no frames")
    path = session.path.parent / _text(body["path"])
    file = TakeFile(
        path,
        _whole(body["stream"]),
        _text(body["codec"]),
        keys,
        container=_text(body["container"]),
        timecode=None if body["timecode"] is None else _text(body["timecode"]),
        hidden=_whole(body["hidden"]),
        undecodable=_whole(body["undecodable"]),
    )
    return file, FileFrames(_positive(body["time_base"]), _fraction(body["base"]), pts)


def _track(body: Mapping[str, Any], session: Session) -> Track:
    folder = session.path.parent
    return Track(
        path=folder / _text(body["path"]),
        stream=_whole(body["stream"]),
        channel=_whole(body["channel"]),
        sample_rate=_whole(body["sample_rate"]),
        bits=_whole(body["bits"]),
        codec=_text(body["codec"]),
        lossless=bool(body["lossless"]),
        own_audio=bool(body["own_audio"]),
        start=_fraction(body["start"]),
        later=tuple(
            TrackFile(folder / _text(file["path"]), _whole(file["stream"]), _fraction(file["start"]))
            for file in body["later"]
        ),
        time_reference=None if body.get("time_reference") is None else _whole(body["time_reference"]),
    )


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} where a whole number belongs")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} where text belongs")
    return value


def _fraction(value: Any) -> Fraction:
    if not _FRACTION.fullmatch(_text(value)):
        raise ValueError(f"{value!r} where a fraction such as '1/25' belongs")
    return Fraction(value)


def _positive(value: Any) -> Fraction:
    number = _fraction(value)
    if number <= 0:
        raise ValueError(f"{value!r} where a number above zero belongs")
    return number


def _typed(value: Any, kind: Any) -> int | str:
    return _whole(value) if kind in (int, "int") else _text(value)
