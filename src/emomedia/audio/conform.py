"""A track brought onto the session clock: one raw file of 48 kHz samples, sample 0 at session time 0.

The samples are the track's own wherever neither its rate nor its clock needs correcting.  Otherwise
soxr resamples it at the exact ratio, and 16-bit tracks are dithered.  Memory does not depend on length.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise, takewhile
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import SyncError
from ..files import writing
from ..probe.types import Track
from ..timeline import SAMPLE_RATE, Clock
from ._pcm import cut, quantise, to_real
from .decode import BLOCK, Lost
from .track import PcmBlock, blocks, rebatched

UNCORRECTED = Fraction(1, 1000)
"""Seconds that drift may displace a track by, anywhere in the session, and still be left alone.

A millisecond is what sound needs for 34 cm, and less than half a frame at any rate up to 500 fps; below
it a track keeps its very samples.
"""

_MARGIN_SECONDS = Fraction(1, 20)
_FADE = 480
"""Samples, 10 ms, over which one line of a clock goes over into the next: they differ by half a sample."""


@dataclass(frozen=True, slots=True)
class Pcm:
    """A conformed track on disk: raw, mono, little-endian, 48 kHz, sample 0 at session time 0.

    Attributes
    ----------
    path : Path
    bits : int
        16: int16 samples.  24: int32 samples that hold 24-bit values.
    samples : int
        Length; the track's samples, and zeros where it has none.
    first_sample : int
        Index within the track (its first sample is 0, counted at 48 kHz) of session sample 0;
        negative if the track begins later.
    later : tuple of (int, int)
        Where the track's clock has steps or bends: session samples from which on another index holds,
        and that index less the session sample, in order.
    covered : (int, int)
        The samples ``[first, end)`` that the track itself gives.
    corrected : bool
        Whether it was resampled, so that its samples are not the track's own.
    damaged : tuple of (int, int)
        Runs of samples ``[first, end)`` within `covered` that are zeros because the track lacks them, or
        because they do not decode; in order.
    source : Path
        The track's (first) file.
    """

    path: Path
    bits: int
    samples: int
    first_sample: int
    covered: tuple[int, int]
    corrected: bool = False
    damaged: tuple[tuple[int, int], ...] = ()
    source: Path = Path()
    later: tuple[tuple[int, int], ...] = ()

    def track_sample(self, session_sample: int) -> int:
        """The index within the track of a sample of the session clock."""
        number = bisect_right(self.later, session_sample, key=itemgetter(0))
        return session_sample + (self.later[number - 1][1] if number else self.first_sample)

    @property
    def array(self) -> PcmBlock:
        """The samples, mapped read-only: int16[samples] or int32[samples]."""
        kind = np.dtype("<i2" if self.bits == 16 else "<i4")
        if self.samples == 0:
            return np.empty(0, kind)
        return np.memmap(self.path, kind, mode="r", shape=(self.samples,))

    def cut(self, first: int, end: int) -> PcmBlock:
        """Samples ``first … end - 1`` of the session clock as a fresh array, zeros where there are none."""
        return cut(self.array, first, end)

    def blocks(self, first: int, end: int) -> Iterator[PcmBlock]:
        """The same samples in blocks, no more of them in memory at a time than one block holds."""
        for begin in range(first, end, BLOCK):
            yield self.cut(begin, min(end, begin + BLOCK))

    def filled_samples(self, first: int, end: int) -> int:
        """How many of the samples ``first … end - 1`` lie before the track's beginning or after its end."""
        return end - first - max(0, min(end, self.covered[1]) - max(first, self.covered[0]))

    def damaged_samples(self, first: int, end: int) -> int:
        """How many of the samples ``first … end - 1`` are lost within the track."""
        near = bisect_right(self.damaged, first, key=itemgetter(1))
        runs = takewhile(lambda run: run[0] < end, islice(self.damaged, near, None))
        return sum(min(end, run[1]) - max(first, run[0]) for run in runs)

    def clipped_samples(self, first: int, end: int) -> int:
        """How many of the samples ``first … end - 1`` are at full scale, where whatever is louder ends up."""
        top = 1 << (self.bits - 1)
        return sum(
            int(np.count_nonzero(block == top - 1) + np.count_nonzero(block == -top))
            for block in self.blocks(first, end)
        )


def conform(track: Track, clock: Clock, samples: int, folder: Path, name: str) -> Pcm:
    """Write ``folder/name.pcm``: the track's sound from session time 0 on, `samples` long.

    The track's first sample lands on the sample nearest to ``clock.offset``.  The file is scratch: it is
    neither synced nor renamed, and counts only while the run lasts that made it.

    Raises
    ------
    OutputError
        If there is no room for it.
    SyncError
        If no sample of the track falls into the session.
    MediaError, MediaNotFoundError, UnsupportedMediaError
        If the track cannot be read.
    """
    runs = _runs(track, clock, samples)
    corrected = runs[0].corrected
    lost: list[tuple[int, int]] = []
    path = folder / f"{name}.pcm"
    with _written(path) as file:
        if samples > 0:  # holes, mapped on a disk that is full by then, would end the process by SIGBUS
            os.posix_fallocate(file.fileno(), 0, samples * (2 if track.bits == 16 else 4))
        ends = [_write_run(file, track, run, samples, lost) for run in runs]
    begin, end = runs[0].begin, max(ends)
    covered = max(0, begin), min(samples, end)
    if covered[0] >= covered[1]:
        path.unlink()
        raise SyncError(
            track.path,
            expected=f"sound between 0 and {samples / SAMPLE_RATE:.3f} s on the session clock",
            found=f"a track from {begin / SAMPLE_RATE:.3f} s to {end / SAMPLE_RATE:.3f} s",
            remedy="correct 'mic_offset' in session.toml, or name the right recording",
        )
    lost += [(end, run.begin) for end, run in zip(ends, runs[1:], strict=False) if end < run.begin]
    damaged = (_inside(covered, run) for run in sorted(lost))
    whole = tuple(run for run in damaged if run[0] < run[1])
    later = tuple(
        (run.begin, round(Fraction(run.first * SAMPLE_RATE, track.sample_rate)) - run.begin)
        for run in runs[1:]
    )
    return Pcm(path, track.bits, samples, -begin, covered, corrected, whole, track.path, later)


@dataclass(frozen=True, slots=True)
class _Run:
    """Samples ``[first, end)`` of a track (None: all there are) that go to session sample `begin` and on.

    Attributes
    ----------
    ratio : Fraction
        Session samples per sample of the track.
    corrected : bool
        Whether it is resampled by that ratio.
    before, after : int
        Samples to read on either side, where it goes on what the run before ended with or is gone on with:
        a resampler needs them, and the two are crossfaded.
    """

    first: int
    end: int | None
    begin: int
    ratio: Fraction
    corrected: bool
    before: int = 0
    after: int = 0


def _runs(track: Track, clock: Clock, samples: int) -> list[_Run]:
    """Which part of the track goes where: one run for each line of its clock."""
    corrected = needs_correction(track.sample_rate, clock, samples)
    rate, runs = track.sample_rate, list[_Run]()
    starts: list[int | None] = [0, *(round(start * rate) for start, _ in clock.later), None]
    for (first, end), (_, line) in zip(pairwise(starts), clock.pieces, strict=True):
        assert first is not None
        ratio = SAMPLE_RATE * line.speed / rate if corrected else Fraction(1)
        run = _Run(first, end, round(line.to_session(Fraction(first, rate)) * SAMPLE_RATE), ratio, corrected)
        goes_on = runs[-1].begin + (first - runs[-1].first) * runs[-1].ratio if runs else None
        if goes_on is not None and abs(goes_on - run.begin) <= 1:
            margin = round(_MARGIN_SECONDS * rate) if corrected else 0
            runs[-1] = replace(runs[-1], after=margin)
            run = replace(run, begin=round(goes_on), before=min(margin, first))
        runs.append(run)
    return runs


def _write_run(file: BinaryIO, track: Track, run: _Run, samples: int, lost: list[tuple[int, int]]) -> int:
    """Write one run and return the session sample at which it ends; adds what the track lacks to `lost`."""
    lacking: list[tuple[int, int]] = []
    if run.corrected:
        early = round(run.before * run.ratio)
        source = _resampled(track, run, lacking)
    else:
        early, source = 0, _plain(track, run, lacking)
    end = _write_at(file, source, run.begin - early, samples, run.begin if early else None)
    for missing in lacking:
        first, last = (max(run.first, edge if run.end is None else min(edge, run.end)) for edge in missing)
        begins, ends = (run.begin + round((edge - run.first) * run.ratio) for edge in (first, last))
        lost.append((begins, ends))
    return end


def _inside(limits: tuple[int, int], run: Sequence[int]) -> tuple[int, int]:
    """The part of a run ``[first, end)`` within `limits`."""
    return max(run[0], limits[0]), min(run[1], limits[1])


def _noted(runs: list[tuple[int, int]]) -> Lost:
    """Add to `runs`; one that starts where the last one ended extends it."""

    def note(first: int, end: int) -> None:
        if runs and runs[-1][1] == first:
            first = runs.pop()[0]
        runs.append((first, end))

    return note


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for writing; it is removed if that fails."""
    whole = False
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w+b") as file:
                yield file
        whole = True
    finally:
        if not whole and path.is_file():
            path.unlink()


def needs_correction(sample_rate: int, clock: Clock, samples: int) -> bool:
    """Whether a track has to be resampled: its rate is not 48 kHz, or its drift reaches :data:`UNCORRECTED`.

    Drift displaces the sample at local time ``u`` by ``u · drift``; what counts is the worst within the
    session's `samples`.  Each line of a clock with steps displaces from its own beginning on.
    """
    if sample_rate != SAMPLE_RATE:
        return True
    last = max(Fraction(0), clock.to_local(Fraction(samples, SAMPLE_RATE)))
    starts = [Fraction(0), *(start for start, _ in clock.later)]
    ends = [*starts[1:], last]
    return any(
        abs(line.drift_ppm) * max(Fraction(0), min(end, last) - start) >= UNCORRECTED * 1_000_000
        for start, end, (_, line) in zip(starts, ends, clock.pieces, strict=True)
    )


def _write_at(
    file: BinaryIO, source: Iterable[PcmBlock], begin: int, samples: int, faded: int | None = None
) -> int:
    """Write blocks from session sample `begin` on, what falls into ``[0, samples)``; return the end seen.

    With `faded` nothing is written before that sample, and what comes there fades in over what is there.
    """
    place = begin
    least = 0 if faded is None else max(0, faded)
    for block in source:
        inside = block[max(0, least - place) : max(0, samples - place)]
        if len(inside):
            at = max(least, place)
            if faded is not None and at < faded + _FADE:
                inside = _crossfaded(file, inside, at, at - faded)
            file.seek(at * inside.itemsize)
            file.write(inside.astype(inside.dtype.newbyteorder("<"), copy=False).tobytes())
        place += len(block)
        if place >= samples:
            break
    return place


def _crossfaded(file: BinaryIO, block: PcmBlock, at: int, into: int) -> PcmBlock:
    """`block`, which begins `into` samples into a fade at sample `at` of `file`, over what is there."""
    count = min(len(block), _FADE - into)
    file.seek(at * block.itemsize)
    kind = block.dtype.newbyteorder("<")
    there = np.frombuffer(file.read(count * block.itemsize), kind).astype(np.float64)
    share = (np.arange(into, into + len(there)) + 0.5) / _FADE
    mixed = block.copy()
    mixed[: len(there)] = np.rint(there * (1 - share) + block[: len(there)] * share)
    return mixed


def _plain(track: Track, run: _Run, lost: list[tuple[int, int]]) -> Iterator[PcmBlock]:
    """The run's own samples; adds the samples that the track lacks to `lost`."""
    first = run.first - run.before
    left = None if run.end is None else run.end + run.after - first
    for block in blocks(track, first, _noted(lost)):
        yield block if left is None else block[:left]
        if left is not None:
            left -= len(block)
            if left <= 0:
                return


def _resampled(track: Track, run: _Run, lost: list[tuple[int, int]]) -> Iterator[PcmBlock]:
    """The run's samples at 48 kHz of the session clock; adds the samples that the track lacks to `lost`."""
    import soxr

    stream = soxr.ResampleStream(1.0, float(run.ratio), 1, dtype="float64", quality="VHQ")
    place = 0
    for block, last in _with_last(rebatched(_plain(track, run, lost))):
        real = stream.resample_chunk(to_real(block, np.float64), last=last)
        yield quantise(real, track.bits, place)
        place += len(real)


def _with_last(source: Iterable[PcmBlock]) -> Iterator[tuple[PcmBlock, bool]]:
    """Each block with whether it is the last one."""
    blocks_left = iter(source)
    block = next(blocks_left, None)
    while block is not None:
        following = next(blocks_left, None)
        yield block, following is None
        block = following
