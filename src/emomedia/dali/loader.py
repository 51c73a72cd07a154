"""Batches of aligned pictures and sound of both actors: shuffled, sharded, resumed where they ended.

What comes, and in which order, is decided by :mod:`.schedule` alone.  Threads read the windows of the
batches to come, DALI makes batches of them; both work ahead of the training loop, and neither changes what
it gets.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil
from os import PathLike
from pathlib import Path
from typing import Any

from ..descriptions import show
from ..errors import DescriptionError
from ..files import canonical_json
from ..timeline import SAMPLE_RATE
from .clips import Row, read_clips
from .graph import Arrays, device_number, pipeline, require_dali
from .options import NAMES, LoaderOptions
from .reader import Reader, Sample
from .schedule import Indices, Schedule, windows


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Windows of clips, as DALI's tensors on the loader's device.

    They are DLPack producers: ``torch.from_dlpack(batch.video["speaker"])`` shares their memory, on the GPU,
    where they have ``__cuda_array_interface__`` too, as on the CPU, where ``numpy.asarray`` takes them.  Each
    stays as long as it, or what was made of it, is kept.

    Attributes
    ----------
    video : dict
        "speaker" and "listener", or for dialogues "left" and "right" →
        uint8[batch, frames, height, width, 3], R'G'B' of full range.
    sound : dict
        The same actors → float32[batch, samples] at 48 kHz, full scale 1.0; their FLAC files' values.
    samples : tuple of int
        How many each window has.  Where rates do not divide 48000, or differ from clip to clip, windows
        differ in length, and zeros follow the shorter ones.
    clips : tuple of dict
        Each window's clip as the index has it: ``id``, ``text``, ``emotion``, ``speaker`` (a side) and so on.
    first_frames : tuple of int
        Where in its clip each window begins.
    """

    video: dict[str, Any]
    sound: dict[str, Any]
    samples: tuple[int, ...]
    clips: tuple[Row, ...]
    first_frames: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Planned:
    """The windows of one batch, and what is being read of them."""

    windows: list[tuple[Row, int]]
    samples: list[Future[Sample]]


class Loader:
    """Batches from the kept clips of a finished dataset.

    A clip is cut into windows, one every `step` frames from its first on; clips shorter than a window give
    none.  Iterating gives the batches that are left of the current epoch; the next iteration is the next
    epoch, or continues where a loop was left.  One loop at a time.

    Parameters
    ----------
    out : path
        The output folder of ``emomedia run``.

    Attributes
    ----------
    epoch : int
        The epoch that the next batch belongs to, from 0 on.

    Raises
    ------
    MissingToolError
        DALI is not installed, or the GPU that was asked for is not there.
    DescriptionError
        There are too few windows for a batch, or there is no such device.
    StageError
        `out` has no index.
    """

    def __init__(self, out: str | PathLike[str], options: LoaderOptions) -> None:
        require_dali()
        self._options, self._device = options, device_number(options.device)
        self._clips = read_clips(Path(out), options.kind, options.where)
        self._clip_of, self._first_of = windows(
            self._clips["frame_count"].to_numpy(), options.frames, options.step or options.frames
        )
        self._schedule = Schedule(
            window_count=len(self._clip_of),
            batch_size=options.batch_size,
            seed=options.seed,
            rank=options.rank,
            world_size=options.world_size,
            drop_last=options.drop_last,
        )
        if not len(self._schedule):
            raise _too_few(out, options, len(self._clip_of), len(self._clips))
        rates = [Fraction(rate) for rate in self._clips["fps"].unique().to_pylist()]
        self._reader = Reader(
            out=Path(out),
            frames=options.frames,
            most_samples=max(ceil(options.frames / rate * SAMPLE_RATE) for rate in rates),
            decoded=self._device is None,
        )
        self.epoch = 0
        self._given = 0

    def __len__(self) -> int:
        """Batches in a whole epoch."""
        return len(self._schedule)

    def __iter__(self) -> Iterator[Batch]:
        left = self._schedule.batches(self.epoch)[self._given :]
        with _Threads(self._options.threads) as pool:
            for batch in self._made(self._ready(left, pool)):
                self._given += 1
                yield batch
        self.epoch, self._given = self.epoch + 1, 0

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands, as plain values: after the last batch that was given.

        The states of all ranks are equal where `drop_last` is, so one is good for all.
        """
        return {"epoch": self.epoch, "batches_given": self._given, "order": self._order_digest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after the batch at which `state` was taken.

        Raises
        ------
        DescriptionError
            The state is of other clips or windows, or of another order; what is left would be something else.
        """
        own = self._order_digest
        if state["order"] != own:
            raise DescriptionError(
                "load_state_dict",
                expected=f"a state of these clips, windows, seed, batch and world size ({own[:12]}…)",
                found=show(state["order"]),
                remedy="make the loader with the same options, on the same dataset",
            )
        self.epoch, self._given = int(state["epoch"]), int(state["batches_given"])

    @cached_property
    def _order_digest(self) -> str:
        """Of all that decides which batches there are, but the rank."""
        options = self._options
        chosen = [options.kind, options.frames, options.batch_size, options.seed, options.world_size]
        digest = hashlib.sha256(canonical_json([*chosen, options.drop_last]).encode())
        for clip in zip(self._clips["id"].to_pylist(), self._clips["sha256"].to_pylist(), strict=True):
            digest.update(canonical_json(clip).encode())
        digest.update(self._first_of.tobytes())
        return digest.hexdigest()

    def _ready(self, batches: Sequence[Indices], pool: ThreadPoolExecutor) -> Iterator[_Planned]:
        """The batches in order, `ahead` of them being read before they are asked for."""
        waiting: deque[_Planned] = deque()
        for numbers in batches:
            planned = [(self._row(number), int(self._first_of[number])) for number in numbers]
            waiting.append(_Planned(planned, [pool.submit(self._reader, *window) for window in planned]))
            if len(waiting) > self._options.ahead:
                yield waiting.popleft()
        yield from waiting

    def _row(self, number: int) -> Row:
        (row,) = self._clips.slice(self._clip_of[number], 1).to_pylist()
        return dict(row)

    def _made(self, planned: Iterator[_Planned]) -> Iterator[Batch]:
        """What DALI makes of the batches; it takes two before it gives the first."""
        taken: deque[tuple[_Planned, Arrays]] = deque()

        def source() -> Arrays:
            batch = next(planned)
            arrays = tuple(list(column) for column in zip(*(s.result() for s in batch.samples), strict=True))
            taken.append((batch, arrays))  # DALI may read the arrays where they are
            return arrays

        graph = pipeline(
            source,
            batch_size=self._options.batch_size,
            frames=self._options.frames,
            size=self._options.size,
            threads=self._options.threads,
            device=self._device,
            decoder=None if self._device is None else "mixed",
        )
        while True:
            try:
                outputs = graph.run()
            except StopIteration:
                return
            batch, _ = taken.popleft()
            yield self._batch(batch.windows, [each.as_tensor() for each in outputs])

    def _batch(self, planned: list[tuple[Row, int]], tensors: Sequence[Any]) -> Batch:
        rows, firsts = zip(*planned, strict=True)
        names = NAMES[self._options.kind]
        return Batch(
            video=dict(zip(names, tensors[:2], strict=True)),
            sound=dict(zip(names, tensors[2:], strict=True)),
            samples=tuple(len(self._reader.samples(*window)) for window in planned),
            clips=rows,
            first_frames=firsts,
        )


def _too_few(out: str | PathLike[str], options: LoaderOptions, windows: int, clips: int) -> DescriptionError:
    return DescriptionError(
        out,
        expected=f"windows for a batch of {options.batch_size} on each of {options.world_size} ranks",
        found=f"{windows} of {options.frames} frames in {clips} wanted {options.kind} clips",
        remedy="choose fewer frames, a smaller batch, or drop_last=False",
    )


class _Threads(ThreadPoolExecutor):
    """A pool that does not begin what nobody waits for any more."""

    def __exit__(self, *_: object) -> None:
        self.shutdown(wait=True, cancel_futures=True)
