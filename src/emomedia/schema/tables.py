"""session.toml, turns.json, plan.json, speech.json, prompt files and tables of actors, as models."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from .values import (
    Age,
    Channel,
    Count,
    Decibels,
    Distance,
    Id,
    Label,
    Length,
    LineId,
    LocalPath,
    LocalPaths,
    Offset,
    Pair,
    Position,
    Probability,
    Rate,
    Rotation,
    Stretch,
    Text,
    Time,
)  # fmt: skip


class Table(BaseModel):
    """A table of a description: no key beside those declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CropTable(Table):
    x: Position
    y: Position
    width: Length
    height: Length


class MicTable(Table):
    file: LocalPath
    channel: Channel = 0


class SideTable(Table):
    actor: Label
    video: LocalPaths
    mic: MicTable | None = None
    rotate: Rotation | None = None
    crop: CropTable | None = None
    mic_offset: Offset | None = None
    camera_distance: Distance = Fraction(0)
    offset: Offset | None = None
    lut: LocalPath | None = None


class DialogueTable(Table):
    id: Id
    start: Time
    end: Time
    topic: Label | None = None
    emotion: Label | None = None
    script: LocalPath | None = None


class ExcludeTable(Table):
    start: Time
    end: Time


class SessionTable(Table):
    """session.toml."""

    id: Id
    script: LocalPaths = ()
    left: SideTable
    right: SideTable
    dialogue: list[DialogueTable] = []
    exclude: list[ExcludeTable] = []


class WordTable(Table):
    text: Text
    start: Time
    end: Time
    probability: Probability | None = None


class ScriptedTable(Table):
    utterance_id: Label
    confidence: Probability
    further: list[Label] = []


class TurnTable(Table):
    id: Id
    dialogue: Id | None
    speaker: Literal["left", "right"]
    start: Time
    end: Time
    text: Text | None = None
    words: list[WordTable] | None = None
    overlap_s: Time = Fraction(0)
    gap_s: Offset | None = None
    backchannel: bool = False
    flags: list[Label] = []
    script: ScriptedTable | None = None
    emotion: Label | None = None
    topic: Label | None = None


class UnmatchedTable(Table):
    unmatched: list[Label] = []


class TurnsTable(Table):
    """turns.json; `made_from` is the stamp of :mod:`emomedia.stages`."""

    session: Id
    turns: list[TurnTable]
    dialogues: list[DialogueTable] | None = None
    script: UnmatchedTable | None = None
    made_from: dict[str, Any] | None = None


class ActorTable(Table):
    id: Label
    gender: Label | None = None
    age: Age | None = None
    region: Label | None = None


class ActorsTable(Table):
    """actors.toml or actors.csv."""

    actor: list[ActorTable]


class ClipTable(Table):
    id: Id
    kind: Literal["dialogue", "turn"]
    dialogue: Id | None
    speaker: Literal["left", "right"] | None
    first_frame: Count
    frame_count: Count
    first_span: Count
    span_count: Count


class PlanTable(Table):
    """plan.json."""

    session: Id
    rate: Rate
    footage: Pair
    spans: list[Pair]
    chunks: list[Pair]
    clips: list[ClipTable]
    made_from: dict[str, Any] | None = None


class OpenTable(BaseModel):
    """A table of a file that emomedia writes and may add keys to."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class UtteranceTable(OpenTable):
    utterance_id: LineId
    speaker_id: LineId
    emotion_label: Label | None = None
    text: Text


class PromptTable(OpenTable):
    """One scene of a prompt file."""

    topic_label: Label | None = None
    utterances: list[UtteranceTable]


class ActivityTable(OpenTable):
    activity: list[Stretch]
    noise_db: Decibels | None = None
    snr_db: Decibels | None = None
    flags: list[Label] = []


class SegmentTable(OpenTable):
    start: Time
    end: Time
    text: Text
    words: list[WordTable]
    flags: list[Label]


class TranscriptModel(OpenTable):
    name: Text
    sha256: Text


class TranscriptTable(OpenTable):
    model: TranscriptModel
    language: Text | None
    left: list[SegmentTable]
    right: list[SegmentTable]


class SpeechTable(OpenTable):
    """speech.json, as far as turns are found and clips judged by it."""

    session: Id
    left: ActivityTable
    right: ActivityTable
    transcript: TranscriptTable | None = None
