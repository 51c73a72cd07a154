"""A track as one run of samples: its channel picked out, at its depth, its files one after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..errors import UnsupportedMediaError
from ..probe.types import Track, TrackFile
from ._pcm import pick, to_real
from .decode import BLOCK, Lost, decode, unheard

PcmBlock = npt.NDArray[np.int16 | np.int32]


def blocks(track: Track, first: int = 0, lost: Lost = unheard) -> Iterator[PcmBlock]:
    """Yield the track's samples from sample `first` on, at its own rate, without a hole.

    Before its first sample, for a negative `first`, the track is silent.

    Where a take has several files, each one's sound stands at its own time: a gap between two files
    is filled with zeros, and what the earlier one records beyond the next one's start is left out.

    Parameters
    ----------
    lost : callable
        Told the samples ``[first, end)`` of the track that are zeros because no file has them, or
        because they do not decode.

    Yields
    ------
    int16[n] (bits 16) or int32[n] (24-bit values, bits 24)

    Raises
    ------
    MediaError, MediaNotFoundError, UnsupportedMediaError
        As :func:`emomedia.audio.decode.decode`, and for a track without the channel.
    """
    place = first
    for file, begin, end in _files(track):
        if end is not None and end <= place:
            continue
        if max(place, 0) < begin:
            lost(max(place, 0), begin)
        yield from _silence(track.bits, begin - place)
        place = max(place, begin)
        for block in _channel(track, file, place - begin, _within(lost, begin, end)):
            block = block if end is None else block[: end - place]
            if len(block) == 0:
                break
            yield block
            place += len(block)


def rebatched(source: Iterable[PcmBlock], size: int = BLOCK) -> Iterator[PcmBlock]:
    """The same samples in blocks of one size, so that nothing depends on the packets they came in."""
    waiting: list[PcmBlock] = []
    count = 0
    for block in source:
        waiting.append(block)
        count += len(block)
        if count >= size:
            joined = np.concatenate(waiting)
            for begin in range(0, count - size + 1, size):
                yield joined[begin : begin + size]
            rest = joined[count - count % size :]
            waiting, count = [rest], len(rest)
    if count:
        yield np.concatenate(waiting)


def stretch(track: Track, first: int, count: int) -> npt.NDArray[np.float32]:
    """Samples ``first … first + count - 1`` of the track as reals; zeros beyond its ends.

    Returns
    -------
    float32[count]
        Full scale 1.0.
    """
    target = np.zeros(count, np.float32)
    place = 0
    for block in blocks(track, first):
        part = to_real(block[: count - place])
        target[place : place + len(part)] = part
        place += len(part)
        if place == count:
            break
    return target


def _files(track: Track) -> Iterator[tuple[TrackFile, int, int | None]]:
    """Each file with its first sample's index in the track, and the next file's."""
    files = (TrackFile(track.path, track.stream, track.start), *track.later)
    places = [round((file.start - track.start) * track.sample_rate) for file in files]
    for (file, begin), (_, end) in pairwise([*zip(files, places, strict=True), (None, None)]):
        if file is not None and begin is not None:
            yield file, begin, end


def _within(lost: Lost, begin: int, end: int | None) -> Lost:
    """Tells `lost` of a file's samples as of the track's: the file counts from `begin` on, until `end`."""

    def of_file(first: int, last: int) -> None:
        last = begin + last if end is None else min(begin + last, end)
        if begin + first < last:
            lost(begin + first, last)

    return of_file


def _channel(track: Track, file: TrackFile, first: int, lost: Lost) -> Iterator[PcmBlock]:
    for block in decode(file.path, file.stream, track.sample_rate, first, lost):
        try:
            picked = pick(block, track.channel, track.bits)
        except (IndexError, TypeError) as error:
            raise UnsupportedMediaError(
                file.path,
                expected=f"channel {track.channel} with samples that fit {track.bits} bits",
                found=str(error),
                remedy="correct 'channel' in session.toml (the first is 0), or probe again",
            ) from error
        yield picked


def _silence(bits: int, count: int) -> Iterator[PcmBlock]:
    for begin in range(0, count, BLOCK):
        yield np.zeros(min(BLOCK, count - begin), np.int16 if bits == 16 else np.int32)
