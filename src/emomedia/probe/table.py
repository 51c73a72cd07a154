"""The probe for people: one table, and remarks on what deserves a second look."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..session import SIDES, Session
from ..timeline import STANDARD_RATES
from .types import Probe, Take, Track

if TYPE_CHECKING:
    from rich.table import Table

_HIGH_DYNAMIC_RANGE = {"arib-std-b67": "HLG", "smpte2084": "PQ"}

_STRETCH = Fraction(1, 100)
"""How far a crop's shape may be from 8:9 before a remark is made."""


def table(probe: Probe) -> Table:
    """A rich table with one column per side."""
    from rich.table import Table
    from rich.text import Text

    made = Table(title=probe.session.id, title_justify="left", show_lines=False)
    made.add_column("")
    columns = []
    for side in SIDES:
        made.add_column(f"{side}: {probe.session.side(side).actor}")
        columns.append(_rows(probe, side))
    for name in columns[0]:
        made.add_row(name, *(Text(column[name]) for column in columns))
    return made


def _rows(probe: Probe, side: str) -> dict[str, str]:
    take, track, session = probe.takes[side], probe.tracks[side], probe.session
    width, height = take.upright_size(take.rotate)
    crop = take.crop
    return {
        "take": "\n".join(session.written(file.path) for file in take.files),
        "container": take.files[0].container,
        "codec": f"{take.files[0].codec}, {take.bit_depth} bit, {take.chroma}",
        "picture": f"{width}x{height}{_orientation_text(take)}{_pixels_text(take)}",
        "crop": f"{crop.width}x{crop.height} at {crop.x}, {crop.y}",
        "colour": f"{take.range} range, {take.matrix}, {take.transfer}"
        + (f", by {take.lut.name}" if take.lut else ""),
        "rate": rate_for_people(take.rate) + (" (variable)" if take.variable else ""),
        "frames": f"{take.frames.count}" + (f" ({take.missing} missing)" if take.missing else ""),
        "duration": duration_for_people(take.frames.end),
        "first frame": f"at {_container_time(take)} s of the container's clock",
        "key frames": f"every {_key_distance(take)} frames at most"
        + (", open GOPs" if any(file.open_gops for file in take.files) else ""),
        "timecode": take.files[0].timecode or "none",
        "track": _track_text(track, session),
        "sound": f"{track.codec}, {track.sample_rate} Hz, {track.bits} bit"
        + ("" if track.lossless else ", lossy"),
        "first sample": _first_sample(track, session.side(side).mic_offset),
    }


def _container_time(take: Take) -> str:
    first = take.frames.files[0]
    return f"{float(int(first.pts[0]) * first.time_base):.3f}".rstrip("0").rstrip(".")


def _orientation_text(take: Take) -> str:
    return (f", turned by {take.rotate}°" if take.rotate else "") + (", mirrored" if take.mirrored else "")


def _pixels_text(take: Take) -> str:
    """What there is to say of pixels that are not square or not of one moment."""
    aspect = take.upright_aspect(take.rotate)
    fields = "" if take.fields == "progressive" else f", interlaced, {take.fields}"
    return (f", pixels {aspect.numerator}:{aspect.denominator}" if aspect != 1 else "") + fields


def _track_text(track: Track, session: Session) -> str:
    return (
        "the take's own sound"
        if track.own_audio
        else f"{session.written(track.path)}, channel {track.channel}"
    )


def _first_sample(track: Track, declared: Fraction | None) -> str:
    """When a track begins: after its take where it is the take's own sound, else on the session clock."""
    if declared is not None:
        return f"{float(declared):+.4f} s, declared"
    if track.own_audio:
        return f"{float(track.start):+.4f} s"
    if track.time_reference is None:
        return "found by sync"
    seconds = Fraction(track.time_reference, track.sample_rate)
    return f"found by sync; {duration_for_people(seconds)} after midnight, says the file"


def rate_for_people(rate: Fraction) -> str:
    """``25 fps``, ``29.97 fps``."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".") + " fps"


def duration_for_people(seconds: Fraction) -> str:
    """``0:44:03.2``: hours, minutes, seconds."""
    tenths = round(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{tenths // 10:02}.{tenths % 10}"


def _key_distance(take: Take) -> int:
    """The most frames that lie from one place where decoding can start to the next."""
    longest = 0
    for file, frames in zip(take.files, take.frames.files, strict=True):
        places = np.concatenate([[0], file.keys, [frames.pts.size]])
        longest = max(longest, int(np.diff(places).max()))
    return longest


def remarks(probe: Probe) -> list[str]:
    """What was taken as it is but might not be what the user meant, one sentence each."""
    found = []
    for side in SIDES:
        take, track = probe.takes[side], probe.tracks[side]
        found += [f"{side}: {text}" for text in _take_remarks(take) + _track_remarks(track)]
    left, right = (probe.takes[side] for side in SIDES)
    if {left.lut, right.lut} == {None}:
        found += [
            f"the takes' colour {name} differ: {getattr(left, name)} and {getattr(right, name)}"
            + ("." if name == "primaries" else "; the right one's is converted.")
            for name in ("range", "matrix", "primaries")
            if getattr(left, name) != getattr(right, name)
        ]
    return found


def _take_remarks(take: Take) -> list[str]:
    width, height = take.upright_size(take.rotate)
    shape = Fraction(take.crop.width * 9, take.crop.height * 8) * take.upright_aspect(take.rotate)
    rate = rate_for_people(take.rate)
    hidden, undecodable = (
        sum(getattr(file, name) for file in take.files) for name in ("hidden", "undecodable")
    )
    conditions = (
        (take.variable, f"the frame rate is variable; it counts as {rate}."),
        (take.missing > 0, f"{take.missing} frames are missing; the frame before each is shown longer."),
        (take.rate not in STANDARD_RATES, f"{rate} is no usual frame rate."),
        (width > height, f"the upright picture is {width}x{height}, wider than high; is `rotate` right?"),
        (
            abs(shape - 1) > _STRETCH,
            f"the crop is not 8:9; people will look {float(1 / shape):.2f} times as wide.",
        ),
        (take.fields != "progressive", "frames are interlaced; they are deinterlaced."),
        (
            take.transfer in _HIGH_DYNAMIC_RANGE and take.lut is None,
            f"the footage is {_HIGH_DYNAMIC_RANGE.get(take.transfer)}, and so will the clips be; "
            "give a `lut` to have Rec. 709, or --depth 10 to keep its shades.",
        ),
        (take.alpha, "transparency is ignored."),
        (hidden > 0, f"{hidden} frames are hidden by an edit list."),
        (undecodable > 0, f"{undecodable} frames before the first key frame cannot be decoded; left out."),
    )
    return [text for holds, text in conditions if holds]


def _track_remarks(track: Track) -> list[str]:
    conditions = (
        (track.own_audio, "the track is the camera's own sound."),
        (not track.lossless and not track.own_audio, f"the track is lossy ({track.codec})."),
    )
    return [text for holds, text in conditions if holds]
