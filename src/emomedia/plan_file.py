"""plan.json: a plan as values for JSON and back, and the rules that one of the user's own must keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from .descriptions import description_error, file_name, show
from .plan import Chunk, Clip, Frames, Plan, Span, chunk_edges
from .timeline import rate_text

_REMEDY = "correct the plan, or delete it so that it is made again"


def to_body(plan: Plan) -> dict[str, Any]:
    """plan.json's object; spans and chunks are pairs (first, count)."""
    return {
        "session": plan.session,
        "rate": rate_text(plan.rate),
        "footage": list(plan.footage),
        "spans": [[span.first_frame, span.frame_count] for span in plan.spans],
        "chunks": [[chunk.first_span, chunk.span_count] for chunk in plan.chunks],
        "clips": [{field.name: getattr(clip, field.name) for field in fields(clip)} for clip in plan.clips],
    }


def from_body(body: dict[str, Any], source: Path) -> Plan:
    """The plan in `body`, a JSON object read from `source`; it may be the user's own.

    Raises
    ------
    DescriptionError
        It is not a plan: a key is unknown or missing, spans overlap, a clip's spans are not its
        frames, a chunk has a gap or an edge where it must not have one.
    """
    from .schema.tables import PlanTable
    from .schema.validation import validate

    table = validate(PlanTable, body, source)
    plan = Plan(
        session=table.session,
        rate=table.rate,
        footage=table.footage,
        spans=tuple(Span(*pair) for pair in table.spans),
        chunks=tuple(Chunk(*pair) for pair in table.chunks),
        clips=tuple(
            Clip(**{field.name: getattr(clip, field.name) for field in fields(Clip)}) for clip in table.clips
        ),
    )
    for check in (_check_spans, _check_clips, _check_chunks):
        check(plan, source)
    return plan


def check_plan(plan: Plan, session: str, rate: Fraction, footage: Frames, source: Path) -> None:
    """Refuse a plan, read from `source`, of another session, another rate, or frames that are not there.

    Raises
    ------
    DescriptionError
        It is one.
    """
    rules = (
        ("session", plan.session == session, show(session), show(plan.session)),
        ("rate", plan.rate == rate, rate_text(rate), rate_text(plan.rate)),
        (
            "footage",
            footage[0] <= plan.footage[0] and plan.footage[1] <= footage[1],
            f"frames within {footage[0]} to {footage[1]}",
            f"{plan.footage[0]} to {plan.footage[1]}",
        ),
    )
    for key, right, expected, found in rules:
        if not right:
            raise description_error(source, key, expected=expected, found=found, remedy=_REMEDY)


def _check_spans(plan: Plan, source: Path) -> None:
    free = plan.footage[0]
    for number, span in enumerate(plan.spans):
        if span.first_frame < free or span.frame_count < 1 or span.end_frame > plan.footage[1]:
            raise description_error(
                source,
                ["spans", number],
                expected=f"at least one frame, from {free} on and before {plan.footage[1]}",
                found=f"{span.frame_count} from {span.first_frame} on",
                remedy=_REMEDY,
            )
        free = span.end_frame


def _check_clips(plan: Plan, source: Path) -> None:
    gaps = _gaps_before(plan.spans)
    seen: set[str] = set()
    for number, clip in enumerate(plan.clips):
        location: list[str | int] = ["clips", number]
        if file_name(clip.id) in seen:
            raise description_error(
                source, [*location, "id"], expected="a unique id", found=show(clip.id), remedy=_REMEDY
            )
        seen.add(file_name(clip.id))
        last = clip.first_span + clip.span_count - 1
        adjacent = 0 <= clip.first_span <= last < len(plan.spans) and gaps[clip.first_span] == gaps[last]
        frames = (plan.spans[clip.first_span].first_frame, plan.spans[last].end_frame) if adjacent else None
        if frames != (clip.first_frame, clip.end_frame):
            raise description_error(
                source,
                location,
                expected="adjacent spans with exactly its frames",
                found=f"{clip.frame_count} frames from {clip.first_frame} on, "
                f"{clip.span_count} spans from {clip.first_span} on",
                remedy=_REMEDY,
            )


def _gaps_before(spans: Sequence[Span]) -> list[int]:
    """For each span, how many gaps there are between neighbouring spans up to it."""
    gaps = (one.end_frame != other.first_frame for one, other in pairwise(spans))
    return list(accumulate(gaps, initial=0))


def _check_chunks(plan: Plan, source: Path) -> None:
    edges = chunk_edges(plan.spans, plan.clips)
    first = 0
    for number, chunk in enumerate(plan.chunks):
        last = first + chunk.span_count - 1
        fits = chunk.first_span == first and first <= last < len(plan.spans)
        if not fits or edges[last] == "never" or "must" in edges[first:last]:
            raise description_error(
                source,
                ["chunks", number],
                expected=f"adjacent spans from {first} on, up to an edge that the rules of chunks allow",
                found=f"{chunk.span_count} from {chunk.first_span} on",
                remedy=_REMEDY,
            )
        first = last + 1
    if first != len(plan.spans):
        raise description_error(
            source,
            "chunks",
            expected=f"all {len(plan.spans)} spans",
            found=f"{first} of them",
            remedy=_REMEDY,
        )
