"""One window of one clip, read and made ready for DALI."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..session import SIDES, SideName
from ..timeline import sample_at
from .clips import Row
from .graph import HALF, correction
from .media import Window, excerpt, pictures, voice

Sample = tuple[npt.NDArray[Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads windows of `frames` frames; calls may come from any thread.

    Attributes
    ----------
    out : Path
        The dataset.
    most_samples : int
        Length of the sound; what a window has less is zeros at its end.
    decoded : bool
        Give the frames; otherwise the packets, for a decoder elsewhere.
    """

    out: Path
    frames: int
    most_samples: int
    decoded: bool

    def __call__(self, row: Row, first: int) -> Sample:
        """The inputs that :func:`~emomedia.dali.graph.pipeline` names, for the window that begins at `first`.

        Raises
        ------
        MediaError, MediaNotFoundError, UnsupportedMediaError
            As the functions of :mod:`.media`.
        """
        window = Window(self.out / row["path"], Fraction(row["fps"]), first, self.frames)
        sides = _sides(row)
        begin = np.array([HALF * SIDES.index(sides[0])], np.int32)
        voices = [self._voice(row, side, self.samples(row, first)) for side in sides]
        if self.decoded:
            return begin, *voices, pictures(window)
        piece = excerpt(window)
        return begin, *voices, piece.mp4, np.array(piece.lead, np.int32), correction(piece.matrix)

    def samples(self, row: Row, first: int) -> range:
        """The window's samples in its clip's FLAC files: those of its frames on the session clock."""
        rate, frame = Fraction(row["fps"]), row["first_frame"]
        begin, start, end = (sample_at(frame + n, rate) for n in (0, first, first + self.frames))
        return range(start - begin, end - begin)

    def _voice(self, row: Row, side: SideName, samples: range) -> npt.NDArray[np.float32]:
        (path,) = (self.out / file["path"] for file in row["audio"] if file["side"] == side)
        own = voice(path, samples.start, len(samples))
        return np.pad(own, (0, self.most_samples - len(own)))


def _sides(row: Row) -> tuple[SideName, SideName]:
    """The speaker's side and the listener's; of a dialogue left and right."""
    return ("right", "left") if row["speaker"] == "right" else ("left", "right")
