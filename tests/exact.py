"""Checks of a finished output folder against a simulated session's truth, by other means than the engine's.

The frames that clips must show are worked out here from the time rule and truth.json alone, with
fractions; clips are decoded by PyAV, the marks in their frames read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import av
import numpy as np

from emomedia.session import SIDES, load_session
from emomedia.simulate import read

HALF = 960


@dataclass(frozen=True)
class Truth:
    """A simulated session: the takes' rates and offsets, and what the description crops."""

    folder: Path

    @property
    def body(self) -> dict[str, Any]:
        return json.loads((self.folder / "truth.json").read_text())

    def source_frame(self, side: str, frame: int, rate: Fraction) -> int:
        """Index of the take's frame that composite frame `frame` shows: the last one begun by then."""
        take = self.body["takes"][side]
        fps = Fraction(take["fps"])
        offset = Fraction(str(take["offset"]))
        half_tick = Fraction(1, 180_000)
        return min(floor((Fraction(frame) / rate - offset + half_tick) * fps), take["frames"] - 1)


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


def _marks(clip: Path, truth: Truth, session: Any) -> list[dict[str, int]]:
    from emomedia.probe.take import largest_crop

    marks = []
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            luma = frame.to_ndarray()[: frame.height]
            found = {}
            for place, side in enumerate(SIDES):
                size = tuple(truth.body["takes"][side]["size"])
                crop = session.side(side).crop or largest_crop(*size)
                mark = read(luma[:, place * HALF : (place + 1) * HALF], size, crop)
                assert mark.side == side
                found[side] = mark.index
            marks.append(found)
    return marks


def decoded_sound(path: Path) -> np.ndarray:
    """A file's sound as its decoder gives it with edit lists applied: [channels, samples], own dtype."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def tree(out: Path) -> dict[str, bytes]:
    """Every file that must not vary from run to run."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in ("run.json", "report.html")
    }
