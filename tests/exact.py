"""Checks of a finished output folder against a simulated session's truth, by other means than the engine's.

The frames that clips must show are worked out here from the time rule and truth.json alone, with
fractions; clips are decoded by PyAV, the marks in their frames read.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import floor
from pathlib import Path
from typing import Any

import av
import numpy as np

from emomedia.session import SIDES, Crop, Session
from emomedia.session_file import load_session
from emomedia.simulate import read

HALF = 960


@dataclass(frozen=True)
class Truth:
    """A simulated session: when the takes' frames are, and what is shown of them."""

    folder: Path

    @cached_property
    def takes(self) -> dict[str, dict[str, Any]]:
        return json.loads((self.folder / "truth.json").read_text())["takes"]

    @cached_property
    def times(self) -> dict[str, list[Fraction]]:
        """Each side's frames' times on the session clock, in seconds."""
        return {side: _times(take) for side, take in self.takes.items()}

    def source_frame(self, side: str, frame: int, rate: Fraction) -> int:
        """Index of the take's frame that composite frame `frame` shows: the last one begun by then."""
        half_tick = Fraction(self.takes[side]["time_base"]) / 2
        return bisect_right(self.times[side], Fraction(frame) / rate + half_tick) - 1

    def crop(self, side: str, described: Session) -> Crop:
        """What is shown of the side's upright picture: by default the largest 8:9 of the display."""
        if described.side(side).crop:
            return described.side(side).crop
        (width, height), aspect = self.takes[side]["size"], Fraction(self.takes[side]["pixel_aspect"])
        across = min(width, floor(height * Fraction(8, 9) / aspect))
        down = min(height, floor(width * aspect * Fraction(9, 8)))
        return Crop((width - across) // 2, (height - down) // 2, across, down)


def _times(take: dict[str, Any]) -> list[Fraction]:
    """A camera's next file begins one frame after the last frame of the one before."""
    tick, times = Fraction(take["time_base"]), []
    base = Fraction(str(take["offset"]))
    for file in take["files"]:
        times += [base + number * tick for number in file["pts"]]
        base = times[-1] + _interval(take)
    assert len(times) == take["frames"]
    return times


def _interval(take: dict[str, Any]) -> Fraction:
    """One over the rate, or the median of a variable rate."""
    if take["timing"] != "variable":
        return 1 / Fraction(take["fps"])
    steps = sorted(later - earlier for file in take["files"] for earlier, later in pairwise(file["pts"]))
    return steps[(len(steps) - 1) // 2] * Fraction(take["time_base"])


def rows_of(out: Path) -> list[dict[str, Any]]:
    (audit,) = out.glob("*/clips.jsonl")
    return [json.loads(line) for line in audit.read_text().splitlines()]


def wrong_frames(session: Path, out: Path) -> tuple[int, int]:
    """How many frames of all clips show another source frame than they should, and how many there are."""
    truth = Truth(session.parent)
    described = load_session(session)
    wrong = total = 0
    for row in rows_of(out):
        rate = Fraction(row["fps"])
        shown = _marks(out / row["path"], truth, described)
        assert len(shown) == row["frame_count"], row["id"]
        for number, marks in enumerate(shown):
            for side in SIDES:
                total += 1
                expected = truth.source_frame(side, row["first_frame"] + number, rate)
                wrong += marks[side] != expected
        for side in SIDES:
            assert row[side]["take_first_frame"] == truth.source_frame(side, row["first_frame"], rate)
    return wrong, total


def _marks(clip: Path, truth: Truth, described: Session) -> list[dict[str, int]]:
    marks = []
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            luma = frame.to_ndarray()[: frame.height]
            found = {}
            for place, side in enumerate(SIDES):
                take = truth.takes[side]
                half = luma[:, place * HALF : (place + 1) * HALF]
                aspect = Fraction(take["pixel_aspect"])
                mark = read(half, tuple(take["size"]), truth.crop(side, described), aspect)
                assert mark.side == side
                found[side] = mark.index
            marks.append(found)
    return marks


def decoded_sound(path: Path) -> np.ndarray:
    """A file's sound as its decoder gives it with edit lists applied: [channels, samples], own dtype."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def lag(voice: np.ndarray, decoded: np.ndarray) -> int:
    """By how many samples `decoded` comes later than `voice`, where they agree best."""
    count = min(len(voice), len(decoded))
    size = 2 * count
    product = np.fft.rfft(decoded[:count], size) * np.conj(np.fft.rfft(voice[:count], size))
    lag = int(np.argmax(np.fft.irfft(product)))
    return lag - size if lag > count else lag


def tree(out: Path) -> dict[str, bytes]:
    """Every file that must not vary from run to run."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in ("run.json", "report.html")
    }
