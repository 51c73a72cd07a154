"""The samples of one audio stream, block by block, at the places that the container gives them.

Blocks come in the stream's own format: what is done to samples is for :mod:`emomedia.audio.track`.
Memory is bounded by the largest packet, not by the length of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from struct import unpack_from
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
import numpy.typing as npt

from .. import containers
from ..errors import EmomediaError, MediaError, MediaNotFoundError, UnsupportedMediaError
from .places import JITTER, Hole, Places
from .rows import break_in_row

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

BLOCK = 1 << 16
"""Samples in one of the blocks that a gap is filled with."""

Lost = Callable[[int, int], None]
"""Told the samples ``[first, end)`` that are zeros because the file lacks them or they do not decode."""

_COPY_AGAIN = "copy the file from the recorder again"

_PREROLL = 8192
"""Samples to start early after a seek, so that codecs with memory (AAC: two frames) have settled."""

_MOST_BROKEN = 1000
"""Packets at the head of a file that may fail to decode, 20 s of AAC, before it counts as not decodable."""

_CHECKED = {"err_detect": "crccheck+explode"}
"""FLAC has a checksum per packet, which libav compares only when asked to."""

_UNTRIMMED = {"flags2": "+skip_manual"}
"""ALAC's last packet knows its length; libav takes what a CAF file says of it off a second time."""

_UNDELAYED = ("flac", "alac")
"""Codecs that give a frame for every packet; libav's ALAC decoder passes over some broken ones in silence."""

_PLAIN = re.compile(r"pcm_[sfu](8|16|24|32|64)(?:le|be)?")
"""Codecs whose packets are nothing but samples, and the bits of one."""


def unheard(_first: int, _end: int) -> None:
    """A :data:`Lost` that ignores everything."""


@contextmanager
def opened(path: Path, stream: int) -> Iterator[tuple[InputContainer, AudioStream]]:
    """Open an audio stream for reading; libav's errors become emomedia's, with the file's name.

    What is let in is :func:`emomedia.containers.opened`'s to say; other streams' packets are not even read.

    Raises
    ------
    MediaNotFoundError
        If there is no such file, or it may not be read.
    MediaError
        If the file is broken, or reading it fails in the ``with`` block.
    UnsupportedMediaError
        If the stream is not sound.
    """
    from av.stream import Discard

    with _translated(path), containers.opened(path, only=stream) as container:
        found = container.streams[stream] if stream < len(container.streams) else None
        if found is None or found.type != "audio" or found.codec_context is None:
            raise UnsupportedMediaError(
                path,
                expected=f"sound in stream {stream}",
                found="something else, or no such stream",
                remedy="probe the file again, or name another",
            )
        for other in container.streams:
            other.discard = Discard.default if other.index == stream else Discard.all
        audio = cast("AudioStream", found)
        codec = audio.codec_context
        if codec.name == "flac":
            codec.options = _CHECKED
        elif codec.name == "alac" and container.format.name == "caf":
            codec.options = _UNTRIMMED
        yield container, audio


def metadata(path: Path) -> dict[str, str]:
    """What a file's container says about itself, by libav's names.

    Raises
    ------
    MediaError, MediaNotFoundError
        As :func:`opened`.
    """
    with _translated(path), containers.opened(path) as container:
        return dict(container.metadata)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """libav's errors as emomedia's."""
    import av

    try:
        yield
    except EmomediaError:
        raise
    except (FileNotFoundError, PermissionError) as error:
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


def decode(
    path: Path, stream: int, sample_rate: int, first: int = 0, lost: Lost = unheard
) -> Iterator[npt.NDArray[Any]]:
    """Yield the stream's samples from sample `first` on, without a hole.

    Sample 0 is the first that is presented; edit lists and encoder priming are applied by libav.  Gaps
    longer than :data:`~emomedia.audio.places.JITTER` and packets that do not decode are filled with
    zeros at their place, and told to `lost`; samples that come twice are dropped.

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
        As :func:`opened`; also for a stream without a sample, and for times that make no sense.
    """
    with opened(path, stream) as (container, audio):
        _check_row(path, container)
        pieces = _pieces(path, container, audio)
        broken, head = _head(path, pieces)
        origin = _origin(broken, head)
        per_tick = (audio.time_base or Fraction(1, sample_rate)) * sample_rate
        second = [*islice(pieces, 1)]
        lengths = head.samples, getattr(second[0], "samples", 0) if second else 0
        gapless = container.format.name == "ogg"
        # libav puts a page's first packet off where Vorbis changes its block size between two pages.
        misdated = gapless and audio.codec_context.name == "vorbis"
        seekable = not misdated and (per_tick <= 1 or not _PLAIN.fullmatch(audio.codec_context.name))
        if seekable and _seek(container, audio, origin + int((first - _PREROLL) / per_tick)):
            pieces = _pieces(path, container, audio)
        else:
            pieces = chain(broken, [head], second, pieces)
        if gapless and abs(origin * per_tick) > JITTER * sample_rate:
            _refuse_loss(path, f"none before {float(origin * per_tick / sample_rate):.3f} s")
        places = Places(path, sample_rate, origin, per_tick, first, lengths, gapless, misdated)
        channels, block = head.layout.nb_channels, _samples(path, head)
        for piece in pieces:
            if isinstance(piece, Hole):
                places.skip(piece)
                continue
            _check_format(path, piece, sample_rate, channels)
            block = _samples(path, piece)
            begin, found = places.place, places.next(piece.pts, len(block))
            yield from _lost(block, begin, found, lost)
            if len(block := block[max(0, begin - found) :]):
                yield block
        yield from _lost(block, places.place, places.end_of_holes, lost)


def first_time(path: Path, stream: int) -> Fraction:
    """Time of a stream's sample 0 in seconds on its container's clock.

    Raises
    ------
    MediaError, MediaNotFoundError, UnsupportedMediaError
        As :func:`decode`.
    """
    with opened(path, stream) as (container, audio):
        return _origin(*_head(path, _pieces(path, container, audio))) * (audio.time_base or Fraction(0))


def _pieces(path: Path, container: InputContainer, audio: AudioStream) -> Iterator[AudioFrame | Hole]:
    """The frames of the packets that decode, and holes for those that do not."""
    import av

    for packet in _packets(path, container, audio):
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            yield _hole(packet, _complaint(error))
            continue
        if not frames and packet.size and audio.codec_context.name in _UNDELAYED:
            yield _hole(packet, "a packet without a frame")
        yield from frames


def _packets(path: Path, container: InputContainer, audio: AudioStream) -> Iterator[Packet[AudioStream]]:
    """The stream's packets, as long as they leave no doubt where their samples belong.

    Only the last one may end within a sample: elsewhere the header's block size is a lie.
    """
    plain = _PLAIN.fullmatch(audio.codec_context.name)
    block = audio.codec_context.channels * int(plain[1]) // 8 if plain else 1
    ragged = False
    for packet in container.demux(audio):
        if packet.size and ragged:
            _refuse_loss(path, "a block size in the header that does not go with its samples")
        ragged = packet.size % block != 0
        yield packet


def _check_row(path: Path, container: InputContainer) -> None:
    """In files without times, refuse what libav would pass over."""
    kind = container.format.name
    if kind in ("aac", "mp3") and (place := break_in_row(path, kind)) is not None:
        _refuse_loss(path, f"no packet at byte {place}")


def _refuse_loss(path: Path, found: str) -> NoReturn:
    """Nothing in the file says how much is missing, so nothing after it has a definite place."""
    raise MediaError(
        path,
        expected="sound in which every sample has a definite time",
        found=found,
        remedy="copy the file from the recorder again, or save it as WAV in an audio editor",
    )


def _hole(packet: Packet[AudioStream], complaint: str) -> Hole:
    begin = packet.pts
    if begin is None:
        return Hole(None, None, complaint)
    end = begin + (packet.duration or 0)
    if packet.has_sidedata("skip_samples") and packet.time_base:  # priming: what is never presented
        skipped = unpack_from("<I", bytes(packet.get_sidedata("skip_samples")))[0]
        begin += round(Fraction(skipped, packet.stream.rate or 1) / packet.time_base)
    return Hole(begin, end, complaint)


def _head(path: Path, pieces: Iterator[AudioFrame | Hole]) -> tuple[list[Hole], AudioFrame]:
    """The first frame, and the holes before it."""
    broken: list[Hole] = []
    for piece in pieces:
        if not isinstance(piece, Hole):
            return broken, piece
        broken.append(piece)
        if len(broken) > _MOST_BROKEN:
            break
    found = f"none ({broken[0].complaint})" if broken else "none"
    raise MediaError(path, expected="sound", found=found, remedy=_COPY_AGAIN)


def _origin(broken: list[Hole], head: AudioFrame) -> int:
    """Tick of the first sample that is presented."""
    begins = [hole.begin for hole in broken[:1] if hole.begin is not None]
    return min([*begins, head.pts or 0])


def _seek(container: InputContainer, audio: AudioStream, tick: int) -> bool:
    """Go to a packet at or before `tick` of the stream's clock, the last one, if that is not its start.

    libav does not find some places near a FLAC file's end; then it is an earlier packet.
    """
    import av

    start = audio.start_time or 0
    if tick <= start:
        return False
    while True:
        try:
            container.seek(tick, stream=audio)
            return True
        except av.error.FFmpegError:
            if tick == start:
                raise
            tick = max(start, tick - BLOCK)


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


def _lost(like: npt.NDArray[Any], first: int, end: int, lost: Lost) -> Iterator[npt.NDArray[Any]]:
    """Zero samples ``first … end - 1`` in the format of the block `like`, split into blocks."""
    value = 128 if like.dtype == np.uint8 else 0
    if first < end:
        lost(first, end)
    for begin in range(first, end, BLOCK):
        yield np.full((min(BLOCK, end - begin), like.shape[1]), value, like.dtype)
