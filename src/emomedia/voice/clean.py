"""Clean tracks: the overlaps of a session without the other actor's voice, everything else as it was.

What is cleaned is kept as patches on disk, one section of sound in memory at a time; a clean track is the
untouched one with its patches over it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ..audio._pcm import quantise, to_real
from ..audio.conform import Pcm
from ..audio.decode import BLOCK
from ..audio.track import PcmBlock
from ..files import writing
from ..session import SIDES, SideName
from ..timeline import SAMPLE_RATE
from .activity import runs, without_short
from .sections import Section, sections
from .separation import Separated, separate

Mask = npt.NDArray[np.bool_]
Run = tuple[int, int]

COLUMN = SAMPLE_RATE // 100
"""Samples of 10 ms."""

SHORTEST = 5
"""Columns; shorter overlaps are left alone."""

SILENCE_GAIN = 0.1
"""What is left, 20 dB less, of a track where its actor is silent, if that is asked for."""

_FADE = SAMPLE_RATE // 100


@dataclass(slots=True, eq=False)
class CleanTrack:
    """A track with patches over it.

    Attributes
    ----------
    track : Pcm
    path : Path
        The patches' samples, one after the other, as raw as the track's.
    patches : list of (int, int, int)
        First sample of the session clock, one past the last, and the place in `path`; in order.
    silences : list of (int, int)
        Runs of samples that are attenuated.
    """

    track: Pcm
    path: Path
    patches: list[tuple[int, int, int]] = field(default_factory=list)
    silences: list[Run] = field(default_factory=list)

    def touched(self, first: int, end: int) -> bool:
        """Whether any of the samples ``first … end - 1`` differs from the track's, as far as is known."""
        return any(True for _ in _meeting(self.patches, first, end)) or any(
            True for _ in _meeting(self.silences, first, end)
        )

    def cut(self, first: int, end: int) -> PcmBlock:
        """Samples ``first … end - 1`` of the session clock, of the track's type."""
        block = self.track.cut(first, end)
        for start, stop, place in _meeting(self.patches, first, end):
            begin, last = max(start, first), min(stop, end)
            with self.path.open("rb") as file:
                file.seek((place + begin - start) * block.itemsize)
                raw = file.read((last - begin) * block.itemsize)
            block[begin - first : last - first] = np.frombuffer(raw, block.dtype.newbyteorder("<"))
        for start, stop in _meeting(self.silences, first, end):
            begin, last = max(start, first), min(stop, end)
            gain = 1 - (1 - SILENCE_GAIN) * _faded(start, stop)[begin - start : last - start]
            here = slice(begin - first, last - first)
            block[here] = quantise(to_real(block[here], np.float64) * gain, self.track.bits, begin)
        return block

    def blocks(self, first: int, end: int) -> Iterator[PcmBlock]:
        """The same samples in blocks."""
        for begin in range(first, end, BLOCK):
            yield self.cut(begin, min(end, begin + BLOCK))


def _meeting(ordered: Sequence[Any], first: int, end: int) -> Iterator[Any]:
    """Those of the disjoint runs, in order, that share samples with ``[first, end)``."""
    number = bisect_right(ordered, first, key=lambda run: run[1])
    while number < len(ordered) and ordered[number][0] < end:
        yield ordered[number]
        number += 1


def _faded(start: int, stop: int) -> npt.NDArray[np.float64]:
    """One over a run of samples, with raised cosines of 10 ms, or of half the run, at its ends."""
    fade = min(_FADE, (stop - start) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade) if fade else np.zeros(0)
    return np.concatenate([ramp, np.ones(stop - start - 2 * fade), ramp[::-1]])


def overlaps(active: Mapping[SideName, Mask]) -> list[Run]:
    """Columns ``[first, end)`` in which both speak, where that is long enough to be cleaned."""
    return runs(without_short(active["left"] & active["right"], SHORTEST))


@dataclass(frozen=True, slots=True, eq=False)
class Cleaning:
    """What of a session's tracks is cleaned, known before any of it is.

    Attributes
    ----------
    activity : str
        Digest of all that the clean sound depends on besides the tracks.
    overlaps : tuple of (int, int)
        Runs of samples of the session clock that may be changed, in order; None if any may.
    find : callable
        Gives the clean tracks by side; called only when a clip is to be made.
    """

    activity: str
    overlaps: tuple[Run, ...] | None
    find: Callable[[], Mapping[SideName, CleanTrack]]

    def cache_key(self, first: int, end: int) -> list[str]:
        """What the clean sound of the samples ``first … end - 1`` depends on; nothing where there is none."""
        concerned = self.overlaps is None or any(True for _ in _meeting(self.overlaps, first, end))
        return [self.activity] if concerned else []

    def touched(self, first: int, end: int) -> list[SideName]:
        """The sides whose tracks differ from the untouched ones there."""
        return [side for side in SIDES if self.find()[side].touched(first, end)]


def masks(speech: Mapping[str, Any]) -> dict[SideName, Mask]:
    """Who speaks when, every 10 ms, by the content of a speech.json."""
    ranges = {side: [[_column(time) for time in pair] for pair in speech[side]["activity"]] for side in SIDES}
    columns = max((end for side in SIDES for _, end in ranges[side]), default=0)
    found = {side: np.zeros(columns, np.bool_) for side in SIDES}
    for side in SIDES:
        for first, end in ranges[side]:
            found[side][first:end] = True
    return found


def _column(time: Any) -> int:
    return max(0, round(float(time) * SAMPLE_RATE / COLUMN))


def clean_tracks(
    pcm: Mapping[str, Pcm], active: Mapping[SideName, Mask], folder: Path, *, silences: bool = False
) -> tuple[dict[SideName, CleanTrack], list[dict[str, Any]]]:
    """Clean the overlaps of both tracks.

    Parameters
    ----------
    pcm : mapping by side
        The conformed tracks.
    active : mapping by side of bool[n]
        Who speaks when, every 10 ms.
    folder : Path
        Where the patches are written; scratch, like the conformed tracks.
    silences : bool
        Whether each track is also attenuated where its actor is silent.

    Returns
    -------
    tracks : dict by side
    report : list of dict
        For each overlap ``start`` and ``end`` in seconds and by side what was done (:func:`_report`).

    Raises
    ------
    OutputError
        If there is no room for the patches.
    """
    tracks = {side: CleanTrack(pcm[side], folder / f"{side}.clean.pcm") for side in SIDES}
    both = overlaps(active)
    report: list[dict[str, Any]] = []
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tracks["left"].path.open("wb") as left, tracks["right"].path.open("wb") as right:
            files: dict[SideName, BinaryIO] = {"left": left, "right": right}
            for section in sections(active, both):
                report += _kept(_cleaned(section, pcm, active), tracks, files)
    if silences:
        for side in SIDES:
            whole = np.pad(active[side], (0, max(0, -(-pcm[side].samples // COLUMN) - len(active[side]))))
            tracks[side].silences = [(first * COLUMN, end * COLUMN) for first, end in runs(~whole)]
    return tracks, report


@dataclass(frozen=True, slots=True, eq=False)
class _Cleaned:
    """An overlap ``[first, end)`` in samples, and what became of it by side."""

    first: int
    end: int
    patches: dict[SideName, PcmBlock | None]
    report: dict[SideName, dict[str, Any]]


def _cleaned(section: Section, pcm: Mapping[str, Pcm], active: Mapping[SideName, Mask]) -> list[_Cleaned]:
    begin, stop = section.first * COLUMN, min(section.end * COLUMN, *(pcm[side].samples for side in SIDES))
    sound = {side: to_real(pcm[side].cut(begin, stop)) for side in SIDES}
    near = {side: active[side][section.first : section.end] for side in SIDES}
    made = separate(sound, near)
    cleaned = []
    for start, last in section.overlaps:
        here = start * COLUMN, min(last * COLUMN, stop)
        patches: dict[SideName, PcmBlock | None] = {}
        report: dict[SideName, dict[str, Any]] = {}
        for side in SIDES:
            track = sound[side][here[0] - begin : here[1] - begin].astype(np.float64)
            change = made[side].sound(here[0] - begin, here[1] - begin) - track
            change *= _faded(*here)
            report[side] = _report(made[side], change, track)
            patches[side] = quantise(track + change, pcm[side].bits, here[0]) if made[side].helps else None
        cleaned.append(_Cleaned(*here, patches, report))
    return cleaned


def _report(
    made: Separated, change: npt.NDArray[np.float64], track: npt.NDArray[np.float64]
) -> dict[str, Any]:
    """What speech.json says of an overlap on one side, levels in dB.

    ``bleed_db`` and ``noise_db``: by how much these were changed where they are alone, close by;
    ``own_db``: what was taken off the own voice where it is alone; ``changed_db``: what was changed in the
    overlap, relative to the track.
    """
    if not made.helps:
        return {"applied": False}
    power = float(np.sum(track * track)) + 1e-20
    levels = {
        "bleed_db": None if made.gain_db is None else -made.gain_db,
        "own_db": made.change_db,
        "noise_db": None if made.noise_db is None else -made.noise_db,
        "changed_db": float(10 * np.log10((np.sum(change * change) + 1e-20) / power)),
    }
    report = {name: None if value is None else round(value, 1) for name, value in levels.items()}
    return {"applied": True} | report


def _kept(
    made: Sequence[_Cleaned], tracks: Mapping[SideName, CleanTrack], files: Mapping[SideName, BinaryIO]
) -> list[dict[str, Any]]:
    """Write the patches of a section; its report for speech.json."""
    report = []
    for one in made:
        for side in SIDES:
            patch = one.patches[side]
            if patch is not None:
                place = files[side].tell() // patch.itemsize
                files[side].write(patch.astype(patch.dtype.newbyteorder("<"), copy=False).tobytes())
                tracks[side].patches.append((one.first, one.end, place))
        report.append({"start": one.first / SAMPLE_RATE, "end": one.end / SAMPLE_RATE} | one.report)
    return report
