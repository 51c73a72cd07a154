"""From what the core says of a file's sound to a :class:`Track`, or to the reason why not.

Streams are the core's dicts (``_core.probe``).  Only :func:`first_sample_time` reads a file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..descriptions import wrong
from ..errors import MediaError, UnsupportedMediaError
from ..session import Session
from .types import Take, Track, TrackFile

MAX_SAMPLE_RATE = 768_000
"""Samples a second: no recorder has more."""

_SIXTEEN_BIT = ("u8", "u8p", "s16", "s16p")


def sound_streams(streams: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The streams of a file that hold sound that can be decoded, in their order."""
    return [
        stream
        for stream in streams
        if stream["type"] == "audio"
        and stream["channels"] > 0
        and 0 < stream["sample_rate"] <= MAX_SAMPLE_RATE
        and stream["sample_fmt"] not in ("none", "unknown")
    ]


def _track(path: Path, stream: dict[str, Any], channel: int, own_audio: bool, start: Fraction) -> Track:
    exact = stream["lossless"] and stream["sample_fmt"] in _SIXTEEN_BIT
    return Track(
        path=path,
        stream=stream["index"],
        channel=channel,
        sample_rate=stream["sample_rate"],
        bits=16 if exact else 24,
        codec=stream["codec"],
        lossless=bool(stream["lossless"]),
        own_audio=own_audio,
        start=start,
    )


def mic_track(session: Session, side: str, streams: Sequence[dict[str, Any]]) -> Track:
    """The track that session.toml names: channels are counted through all of the file's sound streams.

    Raises
    ------
    UnsupportedMediaError
        The file has no sound.
    DescriptionError
        It has not that many channels.
    """
    mic = session.side(side).mic
    assert mic is not None
    found = sound_streams(streams)
    if not found:
        raise UnsupportedMediaError(
            mic.file,
            expected="sound",
            found=", ".join(stream["type"] for stream in streams) or "no stream at all",
            remedy=f"correct `{side}.mic` in session.toml",
        )
    channel = mic.channel
    for stream in found:
        if channel < stream["channels"]:
            return _track(mic.file, stream, channel, own_audio=False, start=Fraction(0))
        channel -= stream["channels"]
    count = sum(stream["channels"] for stream in found)
    raise wrong(
        session.path,
        [side, "mic", "channel"],
        expected=f"a channel from 0 to {count - 1} of {mic.file.name}",
        found=str(mic.channel),
        remedy="name a channel that the file has",
    )


def own_track(files: Sequence[tuple[Path, dict[str, Any] | None, Fraction]]) -> Track | None:
    """A take's own sound, its first channel: of each file the path, the sound stream and its start.

    Starts are in seconds from the take's first frame.  None if no file has sound.

    Raises
    ------
    UnsupportedMediaError
        The files' sound is not of one sample rate.
    """
    heard = [(path, stream, start) for path, stream, start in files if stream is not None]
    if not heard:
        return None
    path, first, start = heard[0]
    for other_path, stream, _ in heard[1:]:
        if stream["sample_rate"] != first["sample_rate"]:
            raise UnsupportedMediaError(
                other_path,
                expected=f"the sample rate of {path.name}, {first['sample_rate']}",
                found=str(stream["sample_rate"]),
                remedy="make two sessions of the two",
            )
    later = tuple(TrackFile(path, stream["index"], start) for path, stream, start in heard[1:])
    return replace(_track(path, first, 0, own_audio=True, start=start), later=later)


def take_track(side: str, take: Take) -> Track:
    """The take's own sound as the side's track.

    Raises
    ------
    UnsupportedMediaError
        The take has none.
    """
    if take.sound is None:
        raise UnsupportedMediaError(
            take.files[0].path,
            expected="sound, because no other microphone is named",
            found="none",
            remedy=f"give `mic` under [{side}] in session.toml",
        )
    return take.sound


def first_sample_time(path: Path, stream: int) -> Fraction:
    """Time of the first sample that comes out of the decoder, in seconds on the container's clock.

    Decoded, because only the decoder knows what an encoder's priming takes off.

    Raises
    ------
    MediaError
        The stream cannot be decoded.
    """
    import av

    try:
        with av.open(
            f"file:{os.fspath(path)}", options={"protocol_whitelist": "file"}, metadata_errors="replace"
        ) as container:
            sound = next(sound for sound in container.streams.audio if sound.index == stream)
            frame = next(container.decode(sound))
            if frame.pts is None or frame.time_base is None:
                return Fraction(0)
            return frame.pts * Fraction(frame.time_base)
    except (av.FFmpegError, StopIteration) as error:
        raise MediaError(
            path,
            expected="sound that can be decoded",
            found=str(error) or "none",
            remedy="copy the file from the camera again, or name another microphone",
        ) from error
