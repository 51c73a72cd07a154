"""A line of clips.jsonl, the audit, as a model."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from .tables import OpenTable
from .values import Count, Id, Index, Length, Rate, Text, refusal


class VoiceRow(OpenTable):
    """A FLAC file of one actor, untouched or clean."""

    path: Text
    sha256: Text
    side: Literal["left", "right"]


class AloneRow(OpenTable):
    """An MP4 file of one side alone."""

    side: Literal["left", "right"]
    path: Text
    sha256: Text
    bytes: Index
    width: Length
    height: Length


class SideRow(OpenTable):
    """Where the clip lies in one side's take and track, and what of it is damaged."""

    take_first_frame: Index
    track_first_sample: Index
    sample_count: Index
    filled_samples: Index
    damaged_samples: Index
    clipped_samples: Index
    damaged_frames: Index


class ActorsRow(OpenTable):
    """Who is on which side."""

    left: str | None
    right: str | None


def _measures(value: Any) -> dict[str, Any]:
    """A side's measures by name: numbers, boxes of four numbers, or null."""
    if not isinstance(value, dict) or not all(_is_measure(*pair) for pair in value.items()):
        raise refusal("numbers, boxes of four of them, or null by name", "correct it")
    return dict(value)


def _is_measure(name: str, value: Any) -> bool:
    box = name.endswith("_box") and isinstance(value, list) and len(value) == 4
    return value is None or all(type(number) in (int, float) for number in (value if box else [value]))


Measures = Annotated[dict[str, Any], PlainValidator(_measures)]


class QualityRow(OpenTable):
    """What was measured of a clip; `measured` says by what."""

    left: Measures = Field(default_factory=dict)
    right: Measures = Field(default_factory=dict)
    sync_residual_ms: float | None = None
    transcript_flags: list[str] | None = None
    measured: dict[str, Any] = Field(default_factory=dict)


class ProvenanceRow(OpenTable):
    """What a clip was made by; `key` is the digest of all that its files depend on."""

    key: Text


class TurnRow(OpenTable):
    """A turn on its clip's clock."""

    id: Id
    speaker: Literal["left", "right"]
    start: float
    end: float
    text: str | None
    emotion: str | None
    backchannel: bool
    overlap_s: float
    gap_s: float | None
    flags: list[str]


class WordRow(OpenTable):
    """A word on its clip's clock."""

    text: str
    start: float
    end: float
    probability: float | None
    speaker: Literal["left", "right"]
    turn: Id


class ClipRow(OpenTable):
    """One line of clips.jsonl."""

    id: Id
    kind: Literal["dialogue", "turn"]
    session: Id
    dialogue: Id | None
    speaker: Literal["left", "right"] | None
    actors: ActorsRow | None = None
    path: Text
    sha256: Text
    bytes: Index
    audio: list[VoiceRow]
    clean: list[VoiceRow]
    sides: list[AloneRow]
    first_frame: Count
    frame_count: Count
    fps: Rate
    start: float
    end: float
    sample_count: Index
    damaged_frames: Index
    left: SideRow
    right: SideRow
    text: str | None
    topic: str | None
    emotion: str | None
    turns: list[TurnRow] | None = None
    words: list[WordRow] | None = None
    quality: QualityRow
    keep: bool
    reasons: list[str]
    provenance: ProvenanceRow
