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
from typing import TYPE_CHECKING, Any

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
"""Samples per block of silence in a gap, and bytes per packet asked of the WAV demuxer."""

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

    options = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS, "max_size": str(BLOCK)}
    try:
        with av.open(f"file:{path.absolute()}", options=options) as container:
            if stream >= len(container.streams) or container.streams[stream].type != "audio":
                raise UnsupportedMediaError(
                    path,
                    expected=f"sound in stream {stream}",
                    found="something else, or no such stream",
                    remedy="probe the file again, or name another",
                )
            for other in container.streams:
                other.discard = Discard.default if other.index == stream else Discard.all
            yield container, container.streams[stream]
    except (av.error.FileNotFoundError, av.error.PermissionError) as error:
        raise MediaNotFoundError(
            path,
            expected="a readable file",
            found=error.strerror.lower(),
            remedy="correct its path in session.toml, or its permissions",
        ) from error
    except av.error.FFmpegError as error:
        log = f" ({error.log[2].strip()})" if error.log else ""
        raise MediaError(
            path,
            expected="readable sound",
            found=f"{error.strerror.lower()}{log}",
            remedy="replace the file by an intact copy",
        ) from error


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
            raise MediaError(path, expected="sound", found="none", remedy="replace the file by an intact copy")
        channels, origin = head.layout.nb_channels, _time(head) or Fraction(0)
        if _seek(container, audio, origin + Fraction(first - _PREROLL, sample_rate)):
            frames = container.decode(audio)
        else:
            frames = chain([head], frames)
        for frame in frames:
            _check_format(path, frame, sample_rate, channels)
            block = _samples(path, frame)
            time = _time(frame)
            block_place = place if time is None else round((time - origin) * sample_rate)
            if abs(block_place - place) <= JITTER * sample_rate and place > first:
                block_place = place
            yield from _silence(block, block_place - place)
            place = max(place, block_place)
            block = block[place - block_place :]
            if len(block):
                yield block
                place += len(block)


def _time(frame: AudioFrame) -> Fraction | None:
    """Seconds on the container's clock; None for a frame that follows the one before."""
    if frame.pts is None or frame.time_base is None:
        return None
    return frame.pts * Fraction(frame.time_base)


def _seek(container: InputContainer, audio: AudioStream, time: Fraction) -> bool:
    """Go to the last packet at or before `time` seconds on the container's clock, unless that is its start."""
    if audio.time_base is None or time <= (audio.start_time or 0) * audio.time_base:
        return False
    container.seek(int(time / audio.time_base), stream=audio)
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
