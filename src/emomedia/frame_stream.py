"""Composites for other programs: :func:`frames` gives them in order, each in the core's own buffer.

The core decodes and composes ahead, on one thread for each take; no frame is copied on its way to NumPy
or, by DLPack, to anything else.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias, TypeVar, cast, overload

import numpy as np
import numpy.typing as npt

from .descriptions import show
from .errors import DescriptionError
from .options import Options
from .session import SIDES, SideName
from .timeline import rate_text, source_frames

if TYPE_CHECKING:
    from . import _core
    from .pipeline import Pipeline
    from .plan import Frames as Run

Samples = npt.NDArray[Any]
"""uint8, or uint16 for 10 bits."""

DeviceSamples: TypeAlias = "_core.DeviceArray"
S = TypeVar("S", bound="Samples | DeviceSamples")
"""What a frame's samples are: in the host's memory, or in a GPU's."""

Seconds = float | Decimal | Fraction

SIZE = (1920, 1080)
AHEAD = 8
"""Frames made before they are asked for: a third of a second of work that evens out key frames' cost."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame(Generic[S]):
    """One composite, left actor in the left half: Y'CbCr 4:2:0, in the colours of the session's clips.

    The samples lie in a buffer of the core that is this frame's alone: they may be written to, and stay
    until the last array or tensor over them is gone, whatever becomes of the frame and its stream.  Arrays
    made from it share that buffer; nothing is copied.  It is a DLPack producer: ``numpy.from_dlpack(frame)``
    and ``torch.from_dlpack(frame)`` give ``i420``.

    In a GPU's memory the samples are whole when the frame is given: no stream needs to wait for them.
    Arrays there have ``shape``, ``__dlpack__`` and ``__cuda_array_interface__``, which
    ``cupy.asarray(frame.y)``, ``torch.from_dlpack(frame.y)`` and ``jax.dlpack.from_dlpack(frame.y)`` take.
    Work on them may be queued and the arrays dropped: a buffer is written to again only after all that the
    GPU had to do by then.

    Attributes
    ----------
    number : int
        Index of the composite, as in plan.json and clips.jsonl.
    rate : Fraction
        Composites per second.
    i420 : uint8[height * 3 / 2, width]
        The whole buffer, without padding: Y, below it U and V; uint16 for 10 bits.
    damaged : tuple of {"left", "right"}
        Sides whose take's frame is missing or was concealed by the decoder.
    """

    number: int
    rate: Fraction
    i420: S
    damaged: tuple[SideName, ...]

    @property
    def time(self) -> Fraction:
        """Seconds on the session clock."""
        return self.number / self.rate

    @property
    def y(self) -> S:
        """Luma, uint8 or uint16[height, width]."""
        return self._part(0, self._size)

    @property
    def u(self) -> S:
        """Blue difference, uint8 or uint16[height / 2, width / 2]."""
        return self._chroma(0)

    @property
    def v(self) -> S:
        """Red difference, shaped as `u`."""
        return self._chroma(1)

    @property
    def _size(self) -> tuple[int, int]:
        rows, width = self.i420.shape
        return rows * 2 // 3, width

    def _chroma(self, place: int) -> S:
        height, width = self._size
        shape = height // 2, width // 2
        return self._part(height * width + place * shape[0] * shape[1], shape)

    def _part(self, first: int, shape: tuple[int, int]) -> S:
        """`shape` samples of the buffer from the one at `first` on."""
        whole: Samples | DeviceSamples = self.i420
        if isinstance(whole, np.ndarray):
            return cast(S, whole.reshape(-1)[first : first + shape[0] * shape[1]].reshape(shape))
        return cast(S, whole.part(first, shape))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if isinstance(self.i420, np.ndarray):
            raise AttributeError("the samples are in the host's memory")
        return self.i420.__cuda_array_interface__

    def __dlpack__(self, **request: Any) -> Any:
        """The samples as DLPack hands them over; `request` is the array API's, as far as NumPy knows it."""
        return self.i420.__dlpack__(**request)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.i420.__dlpack_device__()


class Frames(Iterator[Frame[S]]):
    """Composites in order, each given once; made by :func:`frames`.

    Its two threads end with the last frame, with an error, with :meth:`close` or the ``with`` block, when
    the iterator is collected, and with the interpreter.  Frames that were given out stay.

    Attributes
    ----------
    rate : Fraction
        Composites per second.
    stretches : tuple of (first_frame, frame_count)
        What it gives in all; ``len()`` is the number of frames.
    """

    def __init__(
        self, stream: _core.FrameStream, rate: Fraction, stretches: Sequence[tuple[int, int]]
    ) -> None:
        self.rate = rate
        self.stretches = tuple(stretches)
        self._stream = stream
        self._close: Callable[[], object] = weakref.finalize(self, stream.close)

    def __len__(self) -> int:
        return sum(count for _, count in self.stretches)

    def __next__(self) -> Frame[S]:
        try:
            made = self._stream.next()
        except BaseException:
            self.close()
            raise
        if made is None:
            self.close()
            raise StopIteration
        number, samples, damage = made
        damaged = tuple(side for bit, side in enumerate(SIDES) if damage >> bit & 1)
        return Frame(number, self.rate, cast(S, samples), damaged)

    def close(self) -> None:
        """End the threads; from then on there is no further frame."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@overload
def frames(
    session: str | PathLike[str],
    *,
    start: Seconds | None = None,
    end: Seconds | None = None,
    stretches: Sequence[tuple[int, int]] | None = None,
    clip: str | None = None,
    out: str | PathLike[str] | None = None,
    options: Options | None = None,
    size: tuple[int, int] = ...,
    ahead: int = ...,
    device: Literal["cpu"] = "cpu",
) -> Frames[Samples]: ...


@overload
def frames(
    session: str | PathLike[str],
    *,
    start: Seconds | None = None,
    end: Seconds | None = None,
    stretches: Sequence[tuple[int, int]] | None = None,
    clip: str | None = None,
    out: str | PathLike[str] | None = None,
    options: Options | None = None,
    size: tuple[int, int] = ...,
    ahead: int = ...,
    device: Literal["cuda"],
) -> Frames[DeviceSamples]: ...


def frames(
    session: str | PathLike[str],
    *,
    start: Seconds | None = None,
    end: Seconds | None = None,
    stretches: Sequence[tuple[int, int]] | None = None,
    clip: str | None = None,
    out: str | PathLike[str] | None = None,
    options: Options | None = None,
    size: tuple[int, int] = SIZE,
    ahead: int = AHEAD,
    device: Literal["cpu", "cuda"] = "cpu",
) -> Frames[Any]:
    """The composites of a session, before encoding, in order.

    What is shown is chosen by time, or by frame numbers, or by a clip's id; by default it is all footage.
    Frames are equal in every bit to those that the clips are encoded from, where no take is damaged; at
    damage they depend on where reading began, and each stretch is read from its own beginning.

    Parameters
    ----------
    session : path
        The session.toml.
    start, end : seconds on the session clock, optional
        The frames on display in ``[start, end)``; floats count as the decimals they print as.  What
        session.toml excludes is left out.
    stretches : sequence of (first_frame, frame_count), optional
        Composite frames by number, in any order, over one another if need be.
    clip : str, optional
        The id of a finished clip in `out`.
    out : path, optional
        Output folder of the session.  Its session.json and sync.json are used where they are fresh or the
        user's own.  What is missing or stale there, or everything without `out`, is computed again, which
        reads the takes once from end to end.  Nothing is written.
    options : Options, optional
        ``fps``, ``interlaced``, ``lut`` and ``depth`` count here, as in a run.
    size : (int, int)
        Width, a multiple of 4, and height, even, of the composite in pixels.
    ahead : int
        Frames that may be begun before they are asked for.  Besides the frames that the caller keeps, two
        decoders and at most twice as many buffers and one are in memory, 3 MB each at 1080p and 8 bits.
    device : {"cpu", "cuda"}
        In whose memory the samples come.  With ``cuda``, the GPU that decodes the most of the takes does what
        it can, and the cores the rest; from a frame that is damaged on, that take is the cores' until the
        next stretch.

    Raises
    ------
    DescriptionError
        Frames were asked for that are not in the footage or are excluded; there is no such clip;
        EMOMEDIA_CPU names no instruction set that this processor runs.
    DeviceError
        ``cuda`` was asked for and no GPU can be used; at a frame, that it failed there.
    EmomediaError
        Whatever the stages up to sync raise, at once; what a take turns out to be, and StalledError for
        one that hangs, at the frame that it concerns.
    """
    from .run import inspect_session

    chosen = options or Options()
    pipeline = inspect_session(Path(session), None if out is None else Path(out), chosen)
    if sum(choice is not None for choice in (stretches, clip, start if end is None else end)) > 1:
        raise _wrong("a time, or stretches, or a clip", "more than one of them", "choose one")
    if clip is not None:
        wanted = [_clip_stretch(pipeline, clip, has_out=out is not None)]
    elif stretches is not None:
        wanted = _checked(pipeline, stretches)
    else:
        wanted = _stretches_between(pipeline, start, end)
    return Frames(_open(pipeline, wanted, size, ahead, device), pipeline.probe.rate, wanted)


def _open(
    pipeline: Pipeline,
    stretches: Sequence[tuple[int, int]],
    size: tuple[int, int],
    ahead: int,
    device: Literal["cpu", "cuda"],
) -> _core.FrameStream:
    from . import _core
    from .colour import target_colours
    from .engine import core_colour, core_take
    from .placement import Placement, placed_for_frames

    placement = Placement(1)
    if device == "cuda":
        placement = placed_for_frames(pipeline.probe.takes, _core.find_gpus())
    probe, depth = pipeline.probe, pipeline.options.depth
    takes = [probe.takes[side] for side in SIDES]
    target = target_colours(probe.takes)
    left, right = (core_take(take, core_colour(take, target, depth)) for take in takes)

    def source(side: str, first: int, count: int) -> npt.NDArray[np.int64]:
        clock = pipeline.sync[side]["take"]
        return source_frames(probe.takes[side].frames, clock, probe.rate, first, count).index

    sources = [
        (first, source("left", first, count), source("right", first, count)) for first, count in stretches
    ]
    return _core.FrameStream(
        left,
        right,
        sources,
        width=size[0],
        height=size[1],
        depth=depth,
        ahead=ahead,
        gpu=_core.open_gpu(placement.gpus[0]) if placement.gpus else None,
        on_gpu=placement.on_gpu,
    )


def _allowed(pipeline: Pipeline) -> list[Run]:
    """The runs of frames, half-open, that may be shown."""
    from .plan import allowed_frames
    from .timeline import frames_covering

    excluded = [frames_covering(*times, pipeline.probe.rate) for times in pipeline.session.excluded]
    return allowed_frames(pipeline.footage, excluded)


def _stretches_between(
    pipeline: Pipeline, start: Seconds | None, end: Seconds | None
) -> list[tuple[int, int]]:
    rate, (first, last) = pipeline.probe.rate, pipeline.footage
    begin = first if start is None else _frame_at(start, rate, floor)
    until = last if end is None else _frame_at(end, rate, ceil)
    if not first <= begin <= until <= last:
        raise _wrong(
            f"a stretch within the footage, {_seconds(first, rate)} to {_seconds(last, rate)} s",
            f"{_seconds(begin, rate)} to {_seconds(until, rate)} s",
            "correct `start` or `end`",
        )
    parts = [(max(begin, one), min(until, other)) for one, other in _allowed(pipeline)]
    return [(one, other - one) for one, other in parts if one < other]


def _frame_at(time: Seconds, rate: Fraction, rounded: Callable[[Fraction], int]) -> int:
    """The frame at `time`.  A float that is as near to a frame's time as floats come means that frame."""
    exact = Fraction(str(time)) if isinstance(time, float) else Fraction(time)
    near = round(exact * rate)
    return near if float(near / rate) == float(exact) else rounded(exact * rate)


def _seconds(frame: int, rate: Fraction) -> str:
    return f"{float(frame / rate):.6g}"


def _checked(pipeline: Pipeline, stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """`stretches` as they are, if all of their frames may be shown."""
    allowed = _allowed(pipeline)
    for first, count in stretches:
        if count < 0 or not any(one <= first and first + count <= other for one, other in allowed):
            raise _wrong(
                f"frames {' or '.join(f'{one} to {other - 1}' for one, other in allowed)}",
                f"{count} from {first} on",
                "correct the stretch; what the description excludes is not shown",
            )
    return [(int(first), int(count)) for first, count in stretches]


def _clip_stretch(pipeline: Pipeline, clip: str, *, has_out: bool) -> tuple[int, int]:
    from .dataset.audit import read_rows

    audit = pipeline.folder.audit
    rows = {row["id"]: row for row in read_rows(audit)} if has_out else {}
    row = rows.get(clip)
    if row is None:
        raise _wrong(
            f"one of the {len(rows)} clips of {audit}" if has_out else "an output folder with a `clip`",
            show(clip),
            "correct the id, or run the session first",
        )
    if row["fps"] != rate_text(pipeline.probe.rate):
        raise _wrong(
            f"the rate of the clip, {row['fps']}",
            rate_text(pipeline.probe.rate),
            "give the `options` that the session was run with",
        )
    return _checked(pipeline, [(row["first_frame"], row["frame_count"])])[0]


def _wrong(expected: str, found: str, remedy: str) -> DescriptionError:
    return DescriptionError("frames", expected=expected, found=found, remedy=remedy)
