"""Which windows of which clips come, and in which order: pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


def windows(frame_counts: Indices, frames: int, step: int) -> tuple[Indices, Indices]:
    """All windows of `frames` frames that begin at a multiple of `step` and lie within their clip.

    Returns
    -------
    (clip, first) : int64[n] each
        Index of the clip, and of the window's first frame in the clip; by clip, then by frame.
    """
    counts = np.maximum(0, (frame_counts - frames) // step + 1)
    clip = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return clip, (np.arange(len(clip)) - before[clip]) * step


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The batches of one rank.

    Attributes
    ----------
    window_count : int
        Windows of the dataset; the schedule deals in their numbers.
    seed : int or None
        Each epoch has an order of its own that follows from it; None keeps the order of the windows.
    rank, world_size : int
        Every `world_size`-th window of that order, from the `rank`-th on, is this rank's.
    drop_last : bool
        Leave out the windows at an epoch's end that do not fill a batch on every rank, so that all ranks
        have equally many batches of equal size.
    """

    window_count: int
    batch_size: int
    seed: int | None
    rank: int
    world_size: int
    drop_last: bool

    def __len__(self) -> int:
        """Batches in an epoch."""
        if self.drop_last:
            return self.window_count // (self.world_size * self.batch_size)
        own = len(range(self.rank, self.window_count, self.world_size))
        return -(-own // self.batch_size)

    def batches(self, epoch: int) -> list[Indices]:
        """Numbers of the windows of each of the epoch's batches."""
        own = self._order(epoch)[self.rank :: self.world_size]
        return [own[number * self.batch_size :][: self.batch_size] for number in range(len(self))]

    def _order(self, epoch: int) -> Indices:
        """By random keys: NumPy vouches for the bits of its generators, not for its shuffling."""
        if self.seed is None:
            return np.arange(self.window_count)
        bits = np.random.PCG64(np.random.SeedSequence([self.seed, epoch]))
        return np.argsort(bits.random_raw(self.window_count), kind="stable")
