"""The probe stage: what a session's takes and tracks are, and whether they can be processed correctly.

The core reads the files (``_core.probe``, ``_core.scan``); :mod:`.take` and :mod:`.track` decide what
that means; :mod:`.body` writes it to session.json and reads it back; :mod:`.table` shows it to people.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from ..colour import read_cube, target_colours
from ..options import Interlaced
from ..session import SIDES, Session
from .body import from_body, to_body
from .runs import from_runs, to_runs
from .table import remarks, table
from .take import FoundFile, as_decoded, make_take, refuse_unsuitable, video_stream
from .track import first_sample_time, mic_track, own_track, sound_streams, take_track, time_reference
from .types import Picture, Probe, Take, TakeFile, Track, TrackFile

__all__ = [
    "Picture",
    "Probe",
    "Take",
    "TakeFile",
    "Track",
    "TrackFile",
    "from_body",
    "from_runs",
    "probe_session",
    "remarks",
    "table",
    "to_body",
    "to_runs",
]


class Core(Protocol):
    """What the probe needs of ``emomedia._core``."""

    def probe(self, path: str) -> dict[str, Any]: ...

    def scan(self, path: str, stream: int) -> dict[str, Any]: ...


def probe_session(
    session: Session,
    fps: Fraction | None = None,
    interlaced: Interlaced = "deinterlace",
    core: Core | None = None,
) -> Probe:
    """Find out what the media of `session` are.

    Reads every file of the takes once from end to end (packets only), of the tracks the headers.

    Parameters
    ----------
    fps : Fraction, optional
        The composite's frame rate; the left take's if there is none.
    interlaced : {"deinterlace", "keep", "refuse"}
        What becomes of takes whose frames are two fields.
    core : optional
        What reads the files, ``emomedia._core`` by default.

    Raises
    ------
    MediaError
        A file cannot be read as media.
    UnsupportedMediaError
        A file is of a kind that cannot be treated right, or the two takes do not go together.
    DescriptionError
        The description names a crop or a channel that is not there, or a `lut` that is none.
    """
    if core is None:
        from .. import _core

        core = _core
    takes: dict[str, Take] = {side: _probe_take(session, side, core, interlaced) for side in SIDES}
    target_colours(takes)
    for take in takes.values():
        if take.lut is not None:
            read_cube(take.lut)
    tracks: dict[str, Track] = {side: _probe_track(session, side, takes[side], core) for side in SIDES}
    return Probe(session, takes, tracks, fps or takes["left"].rate)


def _probe_take(session: Session, side: str, core: Core, interlaced: Interlaced) -> Take:
    files, sounds = [], []
    for path in session.side(side).video:
        media = core.probe(str(path))
        streams = media["streams"]
        stream = video_stream(path, streams)
        scan = core.scan(str(path), stream["index"])
        stream = as_decoded(stream, scan["decoded"])
        refuse_unsuitable(path, stream, interlaced)
        timecodes = [one["timecode"] for one in (stream, *streams) if one["timecode"]]
        files.append(FoundFile(path, stream, scan, media["format"], next(iter(timecodes), None)))
        sounds.append(next(iter(sound_streams(streams)), None))
    take = make_take(session, side, files, interlaced)
    return replace(take, sound=_own_sound(take, sounds))


def _own_sound(take: Take, sounds: list[dict[str, Any] | None]) -> Track | None:
    placed: list[tuple[Path, dict[str, Any] | None, Fraction]] = []
    for file, frames, sound in zip(take.files, take.frames.files, sounds, strict=True):
        start = frames.base - int(frames.pts[0]) * frames.time_base
        if sound is not None:
            start += first_sample_time(file.path, sound["index"])
        placed.append((file.path, sound, start))
    return own_track(placed)


def _probe_track(session: Session, side: str, take: Take, core: Core) -> Track:
    mic = session.side(side).mic
    if mic is not None:
        found = core.probe(str(mic.file))
        track = mic_track(session, side, found["streams"])
        broadcast = found.get("format") == "wav"
        return replace(track, time_reference=time_reference(mic.file)) if broadcast else track
    return take_track(side, take)
