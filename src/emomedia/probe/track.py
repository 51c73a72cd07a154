"""From what the core says of a file's sound to a :class:`Track`, or to the reason why not.

Streams are the core's dicts (``_core.probe``).  Only :func:`first_sample_time` reads a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..descriptions import description_error
from ..errors import UnsupportedMediaError
from ..session import Session
from .types import Take, Track, TrackFile

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 4000, 768_000
"""Samples a second: telephones have 8000, and no recorder has more."""

MAX_CHANNELS = 64
"""Channels of one stream: the largest recorders have as many."""

TIME_REFERENCE_DIGITS = 20
"""Of samples since midnight, which a broadcast WAV counts in 64 bits; a tag of that name may say anything."""

_SIXTEEN_BIT = ("u8", "u8p", "s16", "s16p")


def sound_streams(streams: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The streams of a file that hold sound that can be decoded, in their order.

    Limits stand here, so that no buffer is ever made for what a header claims beyond them.
    """
    return [
        stream
        for stream in streams
        if stream["type"] == "audio"
        and 0 < stream["channels"] <= MAX_CHANNELS
        and MIN_SAMPLE_RATE <= stream["sample_rate"] <= MAX_SAMPLE_RATE
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


def _in_words(stream: dict[str, Any]) -> str:
    if stream["type"] != "audio":
        return str(stream["type"])
    codec = stream["codec"] if stream["codec"] != "none" else "unknown"
    return f"sound of codec {codec}, {stream['channels']} channels, {stream['sample_rate']} Hz"


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
            expected=f"sound of up to {MAX_CHANNELS} channels and {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz",
            found=", ".join(_in_words(stream) for stream in streams) or "no stream at all",
            remedy=f"correct `{side}.mic` in session.toml",
        )
    channel = mic.channel
    for stream in found:
        if channel < stream["channels"]:
            return _track(mic.file, stream, channel, own_audio=False, start=Fraction(0))
        channel -= stream["channels"]
    count = sum(stream["channels"] for stream in found)
    raise description_error(
        session.path,
        [side, "mic", "channel"],
        expected=f"a channel from 0 to {count - 1} of {mic.file.name}",
        found=str(mic.channel),
        remedy="name a channel that the file has",
    )


def own_track(files: Sequence[tuple[Path, dict[str, Any] | None, Fraction]]) -> Track | None:
    """A take's own sound, its first channel: of each file the path, the sound stream and its start.

    It has the depth of the deepest file: a camera's settings may change between two of them.
    Starts are in seconds from the take's first frame.  None if no file has sound.

    Raises
    ------
    UnsupportedMediaError
        The files' sound is not of one sample rate.
    """
    heard = [(path, stream, start) for path, stream, start in files if stream is not None]
    if not heard:
        return None
    path, first, _ = heard[0]
    for other_path, stream, _ in heard[1:]:
        if stream["sample_rate"] != first["sample_rate"]:
            raise UnsupportedMediaError(
                other_path,
                expected=f"the sample rate of {path.name}, {first['sample_rate']}",
                found=str(stream["sample_rate"]),
                remedy="describe them as two sessions",
            )
    tracks = [_track(path, stream, 0, own_audio=True, start=start) for path, stream, start in heard]
    return replace(
        tracks[0],
        bits=max(track.bits for track in tracks),
        lossless=all(track.lossless for track in tracks),
        later=tuple(TrackFile(track.path, track.stream, track.start) for track in tracks[1:]),
    )


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
            expected="sound, because the description names no other microphone",
            found="none",
            remedy=f"give `mic` under [{side}] in session.toml",
        )
    return take.sound


def first_sample_time(path: Path, stream: int) -> Fraction:
    """Time of the first sample that is presented, in seconds on the container's clock.

    Decoded, because only the decoder knows what an encoder's priming takes off.

    Raises
    ------
    MediaError
        The stream cannot be decoded.
    """
    from ..audio.decode import first_time

    return first_time(path, stream)


def time_reference(path: Path) -> int | None:
    """What a broadcast WAV says of when it began (EBU Tech 3285): samples since midnight.

    Raises
    ------
    MediaError, MediaNotFoundError
        The file cannot be read.
    """
    from ..audio.decode import metadata

    text = metadata(path).get("time_reference", "")
    return int(text) if text.isdecimal() and len(text) <= TIME_REFERENCE_DIGITS else None
