"""The samples of one audio stream, block by block, at the places that the container gives them.

Blocks come in the stream's own format: what is done to samples is for :mod:`emomedia.audio.track`.
Memory is bounded by the largest packet, not by the length of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import MediaError, MediaNotFoundError, UnsupportedMediaError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

DEMUXERS = "wav,w64,flac,aiff,caf,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mxf,mpegts,avi,ogg,mp3,aac"
"""The containers that sound is read from."""

JITTER = Fraction(1, 200)
"""Seconds by which a packet's time may be off without a gap: containers round to milliseconds."""

BLOCK = 1 << 16
"""Samples in one of the blocks that a gap is filled with."""

_COPY_AGAIN = "copy the file from the recorder again"

_PREROLL = 8192
"""Samples to start early after a seek, so that codecs with memory (AAC: two frames) have settled."""


@contextmanager
def opened(path: Path, stream: int) -> Iterator[tuple[InputContainer, AudioStream]]:
    """Open an audio stream for reading; libav's errors become emomedia's, with the file's name.

    Only local files and :data:`DEMUXERS` are let in; the other streams' packets are not even read.

    Raises
    ------
    MediaNotFoundError
        If there is no such file, or it may not be read.
    MediaError
        If the file, or a packet that is asked for in the ``with`` block, is broken.
    UnsupportedMediaError
        If the stream is not sound.
    """
    import av
    from av.stream import Discard

    options = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}
    try:
        with av.open(f"file:{path.absolute()}", options=options, metadata_errors="replace") as container:
            if stream >= len(container.streams) or container.streams[stream].type != "audio":
                raise UnsupportedMediaError(
                    path,
                    expected=f"sound in stream {stream}",
                    found="something else, or no such stream",
                    remedy="probe the file again, or name another",
                )
            for other in container.streams:
                other.discard = Discard.default if other.index == stream else Discard.all
            yield container, cast("AudioStream", container.streams[stream])
    except (av.error.FileNotFoundError, av.error.PermissionError) as error:
        raise MediaNotFoundError(
            path,
            expected="a readable file",
            found=_complaint(error),
            remedy="correct its path in session.toml, or its permissions",
        ) from error
    except av.error.FFmpegError as error:
        raise MediaError(
            path,
            expected="readable sound",
            found=_complaint(error),
            remedy=_COPY_AGAIN,
        ) from error


def _complaint(error: Exception) -> str:
    """What libav says: its error in words, and its last log line if it wrote one."""
    words = (getattr(error, "strerror", None) or str(error)).lower()
    log = getattr(error, "log", None)
    return f"{words} ({log[2].strip()})" if log else words


def decode(path: Path, stream: int, sample_rate: int, first: int = 0) -> Iterator[npt.NDArray[Any]]:
    """Yield the stream's samples from sample `first` on, without a hole.

    Sample 0 is the first that the decoder gives; edit lists and encoder priming are applied by libav.
    Gaps longer than :data:`JITTER` are filled with zeros, samples that come twice are dropped.

    Parameters
    ----------
    sample_rate : int
        In Hz, as probed; a stream that changes its rate is refused.
    first : int
        Sample to begin with; reached by seeking, so lossy codecs may differ in the last bits from what
        they give when decoded from the start.

    Yields
    ------
    uint8, int16, int32, float32 or float64 [n, channels]
        int32 is left-aligned, reals have full scale 1.0.

    Raises
    ------
    MediaError, MediaNotFoundError, UnsupportedMediaError
        As :func:`opened`; also for a stream without a sample.
    """
    place = first
    with opened(path, stream) as (container, audio):
        frames = container.decode(audio)
        head = next(frames, None)
        if head is None:
            raise MediaError(path, expected="sound", found="none", remedy=_COPY_AGAIN)
        channels, origin = head.layout.nb_channels, head.pts or 0
        per_tick = (audio.time_base or Fraction(1, sample_rate)) * sample_rate
        jitter = int(JITTER * sample_rate)
        if _seek(container, audio, origin + int((first - _PREROLL) / per_tick)):
            frames = container.decode(audio)
        else:
            frames = chain([head], frames)
        for frame in frames:
            _check_format(path, frame, sample_rate, channels)
            block = _samples(path, frame)
            found = place if frame.pts is None else _nearest(frame.pts - origin, per_tick)
            if abs(found - place) > jitter or place == first:
                yield from _silence(block, found - place)
                block = block[max(0, place - found) :]
                place = max(place, found)
            if len(block):
                yield block
                place += len(block)


def _nearest(ticks: int, per_tick: Fraction) -> int:
    """``round(ticks · per_tick)``, half up, in integers: it is asked once a packet."""
    return (2 * ticks * per_tick.numerator + per_tick.denominator) // (2 * per_tick.denominator)


def _seek(container: InputContainer, audio: AudioStream, tick: int) -> bool:
    """Go to the last packet at or before `tick` of the stream's clock, if that is not its start."""
    if tick <= (audio.start_time or 0):
        return False
    container.seek(tick, stream=audio)
    return True


def _check_format(path: Path, frame: AudioFrame, sample_rate: int, channels: int) -> None:
    if frame.sample_rate != sample_rate or frame.layout.nb_channels != channels:
        raise UnsupportedMediaError(
            path,
            expected=f"sound of {sample_rate} Hz in {channels} channels throughout",
            found=f"{frame.sample_rate} Hz in {frame.layout.nb_channels} channels",
            remedy="convert the file to one format",
        )


def _samples(path: Path, frame: AudioFrame) -> npt.NDArray[Any]:
    """The frame's samples [n, channels]; a view where libav keeps the channels apart."""
    try:
        samples = frame.to_ndarray()
    except (ValueError, KeyError) as error:
        raise UnsupportedMediaError(
            path,
            expected="samples of 8, 16, 24 or 32 bits, or float",
            found=frame.format.name,
            remedy="convert the file to 24-bit WAV",
        ) from error
    return samples.T if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels)


def _silence(like: npt.NDArray[Any], count: int) -> Iterator[npt.NDArray[Any]]:
    """`count` zero samples in the format of the block `like`, split into blocks."""
    value = 128 if like.dtype == np.uint8 else 0
    for begin in range(0, count, BLOCK):
        yield np.full((min(BLOCK, count - begin), like.shape[1]), value, like.dtype)
