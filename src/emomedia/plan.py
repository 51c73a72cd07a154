"""The plan: turns and dialogues become cut points, spans, chunks and clips.

Pure integer arithmetic without I/O; any input that passed :mod:`emomedia.turns` yields a plan.

* A *cut point* is a frame at which some clip begins or ends.
* A *span* is the frames between two neighbouring cut points that some clip needs, or a part of them if
  they are too many for one worker.
* A *chunk* is a run of adjacent spans that one encoder writes.
* A *clip* is a run of adjacent spans that is output.

Spans consist of whole closed GOPs, so clips that overlap share them, and their frames are encoded once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil
from operator import attrgetter
from typing import Literal

from .session import Dialogue, SideName
from .timeline import frames_covering
from .turns import Turn, TurnsFile

CHUNK_SECONDS = 2
"""A chunk is no longer than this where it can be.

A core may wait for the work of a chunk at the end of a run, and a killed run loses it.  A chunk costs
an encoder's start, a sixtieth of a second.
"""

Frames = tuple[int, int]
"""A run of frames: the first, and one past the last."""

_first_span = attrgetter("first_span")


@dataclass(frozen=True, slots=True)
class Span:
    """The frames ``first_frame … first_frame + frame_count − 1`` of the composite."""

    first_frame: int
    frame_count: int

    @property
    def end_frame(self) -> int:
        """One past the last frame."""
        return self.first_frame + self.frame_count


@dataclass(frozen=True, slots=True)
class Chunk:
    """The spans ``first_span … first_span + span_count − 1`` of the plan, without a gap."""

    first_span: int
    span_count: int


@dataclass(frozen=True, slots=True)
class Clip:
    """An output: its frames, and the spans of the plan that are just these frames."""

    id: str
    kind: Literal["dialogue", "turn"]
    dialogue: str | None
    speaker: SideName | None
    first_frame: int
    frame_count: int
    first_span: int
    span_count: int

    @property
    def end_frame(self) -> int:
        """One past the last frame."""
        return self.first_frame + self.frame_count


@dataclass(frozen=True, slots=True)
class Plan:
    """What the engine makes of a session.

    Attributes
    ----------
    rate : Fraction
        Composite frames per second.
    footage : (first, end)
        The frames that both takes cover, half-open.
    spans : tuple of Span
        In order, disjoint.
    chunks : tuple of Chunk
        In order; every span is in just one.
    clips : tuple of Clip
        By first frame, dialogue before turn, then id.
    """

    session: str
    rate: Fraction
    footage: Frames
    spans: tuple[Span, ...]
    chunks: tuple[Chunk, ...]
    clips: tuple[Clip, ...]

    def chunk_spans(self, chunk: Chunk) -> tuple[Span, ...]:
        """The spans of `chunk`."""
        return self.spans[chunk.first_span : chunk.first_span + chunk.span_count]

    def clip_chunks(self, clip: Clip) -> tuple[Chunk, ...]:
        """The chunks that hold the spans of `clip`, in order."""
        first = bisect_right(self.chunks, clip.first_span, key=_first_span) - 1
        end = bisect_left(self.chunks, clip.first_span + clip.span_count, key=_first_span)
        return self.chunks[first:end]


def make_plan(
    turns_file: TurnsFile,
    excluded: Sequence[tuple[Fraction, Fraction]],
    rate: Fraction,
    footage: Frames,
    pad: Fraction,
    gop: int,
) -> Plan:
    """Plan the clips of all dialogues and turns in `turns_file`.

    Parameters
    ----------
    excluded : sequence of (start, end)
        Seconds on the session clock that are never shown: no clip has a frame that touches one.
    rate : Fraction
        Composite frames per second.
    footage : (first, end)
        The frames that both takes cover, half-open.
    pad : Fraction
        Seconds, 0 or more, added on both sides of a turn as far as its dialogue, the footage and what
        is excluded allow.  A turn's own frames are never given up for the dialogue's edge.
    gop : int
        Frames from one IDR picture to the next.  A long span is split at its IDR pictures alone, so that
        workers who share it leave no mark on the clips.

    Returns
    -------
    Plan
        A turn or dialogue of which no frame may be shown has no clip in it.
    """
    allowed = allowed_frames(footage, [frames_covering(start, end, rate) for start, end in excluded])
    frames_of = _dialogue_frames(turns_file.dialogues, rate, allowed)
    wanted: list[tuple[Dialogue | Turn, Frames]] = [
        (dialogue, frames_of[dialogue.id]) for dialogue in turns_file.dialogues
    ]
    for turn in turns_file.turns:
        bounds = None if turn.dialogue is None else frames_of.get(turn.dialogue)
        wanted.append((turn, _turn_frames(turn, bounds, rate, pad, allowed)))
    wanted = [(what, frames) for what, frames in wanted if frames[0] < frames[1]]
    wanted.sort(key=lambda entry: (entry[1][0], isinstance(entry[0], Turn), entry[0].id))
    length = chunk_frames(rate, gop)
    spans = _spans([frames for _, frames in wanted], length)
    clips = tuple(_clip(what, frames, spans) for what, frames in wanted)
    return Plan(turns_file.session, rate, footage, spans, _chunks(spans, clips, length), clips)


def chunk_frames(rate: Fraction, gop: int) -> int:
    """Frames of a long chunk: the least number of whole GOPs that last :data:`CHUNK_SECONDS`."""
    return max(2, ceil(CHUNK_SECONDS * rate / gop) * gop)


def allowed_frames(footage: Frames, excluded: Sequence[Frames]) -> list[Frames]:
    """The runs of frames of the footage of which nothing is excluded, in order."""
    runs = []
    free = footage[0]
    for first, end in sorted(excluded):
        if free < min(first, footage[1]):
            runs.append((free, min(first, footage[1])))
        free = max(free, end)
    if free < footage[1]:
        runs.append((free, footage[1]))
    return runs


def _longest_allowed(frames: Frames, allowed: Sequence[Frames]) -> tuple[Frames, Frames]:
    """The longest part of `frames` that lies in one allowed run, and that run; the first of equals.

    A checked turn or dialogue shares at most its first and its last frame with what is excluded, so
    there is but one part.
    """
    best, home = (frames[0], frames[0]), (frames[0], frames[0])
    number = max(0, bisect_right(allowed, frames[0], key=lambda run: run[0]) - 1)
    while number < len(allowed) and allowed[number][0] < frames[1]:
        run = allowed[number]
        part = max(frames[0], run[0]), min(frames[1], run[1])
        if part[1] - part[0] > best[1] - best[0]:
            best, home = part, run
        number += 1
    return best, home


def _dialogue_frames(
    dialogues: Sequence[Dialogue], rate: Fraction, allowed: Sequence[Frames]
) -> dict[str, Frames]:
    return {
        dialogue.id: _longest_allowed(frames_covering(dialogue.start, dialogue.end, rate), allowed)[0]
        for dialogue in dialogues
    }


def _turn_frames(
    turn: Turn, bounds: Frames | None, rate: Fraction, pad: Fraction, allowed: Sequence[Frames]
) -> Frames:
    """A turn's own frames and the padding that `bounds`, its dialogue's frames, and `allowed` leave."""
    own, home = _longest_allowed(frames_covering(turn.start, turn.end, rate), allowed)
    first, end = frames_covering(turn.start - pad, turn.end + pad, rate)
    lowest, highest = home if bounds is None else (max(home[0], bounds[0]), min(home[1], bounds[1]))
    return max(first, min(own[0], lowest)), min(end, max(own[1], highest))


def _spans(wanted: Sequence[Frames], longest: int) -> tuple[Span, ...]:
    """The stretches between neighbouring cut points that at least one of the `wanted` runs covers.

    One of more than `longest` frames is split after every `longest` of them, like its GOPs: no part is a
    single frame.
    """
    steps: dict[int, int] = {}
    for first, end in wanted:
        steps[first] = steps.get(first, 0) + 1
        steps[end] = steps.get(end, 0) - 1
    cut_points = sorted(steps)
    depths = accumulate(steps[point] for point in cut_points)
    return tuple(
        span
        for stretch, depth in zip(pairwise(cut_points), depths, strict=False)
        if depth > 0
        for span in _split(stretch, longest)
    )


def _split(frames: Frames, longest: int) -> list[Span]:
    first, end = frames
    starts = range(first, max(first + 1, end - 1), longest)
    return [Span(start, stop - start) for start, stop in pairwise([*starts, end])]


def _clip(what: Dialogue | Turn, frames: Frames, spans: Sequence[Span]) -> Clip:
    first_span = bisect_right(spans, frames[0], key=lambda span: span.first_frame) - 1
    last_span = bisect_right(spans, frames[1] - 1, key=lambda span: span.first_frame) - 1
    turn = what if isinstance(what, Turn) else None
    return Clip(
        id=what.id,
        kind="turn" if turn else "dialogue",
        dialogue=turn.dialogue if turn else what.id,
        speaker=turn.speaker if turn else None,
        first_frame=frames[0],
        frame_count=frames[1] - frames[0],
        first_span=first_span,
        span_count=last_span - first_span + 1,
    )


def _chunks(spans: Sequence[Span], clips: Sequence[Clip], length: int) -> tuple[Chunk, ...]:
    """Partition `spans`; a chunk ends where :func:`_edges` must, or may and the next span is too much.

    It has `length` frames at the most, as far as that may be.
    """
    chunks = []
    first, frames = 0, 0
    following = [span.frame_count for span in spans[1:]] + [0]
    for number, edge in enumerate(chunk_edges(spans, clips)):
        frames += spans[number].frame_count
        if edge == "must" or (edge == "may" and frames + following[number] > length):
            chunks.append(Chunk(first, number + 1 - first))
            first, frames = number + 1, 0
    return tuple(chunks)


def chunk_edges(spans: Sequence[Span], clips: Sequence[Clip]) -> list[Literal["must", "may", "never"]]:
    """For each span, whether a chunk ends after it.

    It must before a gap, after the last span, and at a dialogue's edge; elsewhere it may.  It never
    does where a clip goes on into the next span and either of the two spans is a single frame: the two
    encoders' neighbouring IDR pictures in that clip would carry the same ``idr_pic_id``.
    """
    crossing = _clips_crossing(len(spans), clips)
    dialogue_edges = {
        frame for clip in clips if clip.kind == "dialogue" for frame in (clip.first_frame, clip.end_frame)
    }
    edges: list[Literal["must", "may", "never"]] = []
    for number, (span, following) in enumerate(pairwise(spans)):
        if span.end_frame != following.first_frame:
            edges.append("must")
        elif crossing[number] and min(span.frame_count, following.frame_count) < 2:
            edges.append("never")
        else:
            edges.append("must" if span.end_frame in dialogue_edges else "may")
    return edges + ["must"] * bool(spans)


def _clips_crossing(span_count: int, clips: Sequence[Clip]) -> list[int]:
    """For each span, the number of clips that hold both it and the next one."""
    steps = [0] * (span_count + 1)
    for clip in clips:
        steps[clip.first_span] += 1
        steps[clip.first_span + clip.span_count - 1] -= 1
    return list(accumulate(steps))
