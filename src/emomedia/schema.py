"""What descriptions, stage files and an audit's lines may say, as pydantic models; complaints in one line.

Only the shape of the files and what can be judged of one value is decided here; what several values
say together is for the modules :mod:`emomedia.session`, ``turns`` and ``plan``, which import this module when
they read a description and not before, because pydantic takes a while to import.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from .descriptions import ID_RULE, MAX_DIGITS, is_id, is_text, key_text, show, wrong
from .errors import DescriptionError

MAX_SECONDS = 1_000_000
"""No time of a session is further from zero: eleven days."""

MAX_CAMERA_DISTANCE = 100
"""Metres; a larger number was meant in another unit."""

MAX_PIXELS = 1 << 16
"""No frame is wider or higher."""

MAX_CHANNEL = 1 << 10
"""No recorder has more channels."""

MAX_FRAMES = 1 << 31
"""No session has more frames."""

_RATE = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})")

_PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def _refusal(expected: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("emomedia", "{expected}", {"expected": expected, "remedy": remedy})


def _number(expected: str, least: int, most: int) -> Callable[[Any], Fraction]:
    """A validator of exact numbers from `least` to `most`; binary floats, NaN and booleans are refused."""

    def validate(value: Any) -> Fraction:
        exact = isinstance(value, int | Decimal | Fraction) and not isinstance(value, bool)
        if isinstance(value, Decimal):
            exponent = value.as_tuple().exponent
            exact = isinstance(exponent, int) and -MAX_DIGITS <= exponent <= MAX_DIGITS
        if not exact or not least <= value <= most:
            raise _refusal(expected, "write a plain decimal number such as 12.5")
        return Fraction(value)

    return validate


def _whole(expected: str, least: int, most: int) -> Callable[[Any], int]:
    def validate(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _refusal(expected, "write a whole number")
        return value

    return validate


def _rotation(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in (0, 90, 180, 270):
        raise _refusal("0, 90, 180 or 270", "give the degrees clockwise that make the picture upright")
    return value


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise _refusal(ID_RULE, "choose another id")
    return value


def _text(expected: str, *, line: bool) -> Callable[[Any], str]:
    """A validator of text; with `line` it is one line that says something."""

    def validate(value: Any) -> str:
        good = isinstance(value, str) and is_text(value)
        if not good or (line and (not value.strip() or not value.isprintable())):
            raise _refusal(expected, "write it in quotes, on one line" if line else "write it in quotes")
        return str(value)

    return validate


def _line_id(value: Any) -> str:
    """An id of a script, which may be a number there."""
    if type(value) is int and 0 <= value <= MAX_FRAMES:
        return str(value)
    return _text("a whole number or a line of text", line=True)(value)


def _rate(value: Any) -> Fraction:
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _refusal("frames per second as a fraction such as '25/1'", "correct it")
    return Fraction(int(match[1]), int(match[2]))


def _pair(value: Any) -> tuple[int, int]:
    good = isinstance(value, list) and len(value) == 2
    if not good or not all(type(part) is int and 0 <= part <= MAX_FRAMES for part in value):
        raise _refusal("a pair of whole numbers", "correct it")
    return value[0], value[1]


def _stretch(value: Any) -> tuple[Fraction, Fraction]:
    number = _number("", 0, MAX_SECONDS)
    try:
        start, end = (number(part) for part in value)
    except (TypeError, ValueError):
        start, end = Fraction(1), Fraction(0)
    if start > end:
        raise _refusal("two times in seconds, the later one last", "correct it")
    return start, end


def _local_path(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value or not is_text(value):
        raise _refusal("the path of a file", "write it in quotes, relative to the description's folder")
    if _PROTOCOL.match(value):
        raise _refusal(
            "the path of a local file", "copy the media here, or write './' before a name with a colon"
        )
    return value


def _paths(value: Any) -> tuple[str, ...]:
    files = value if isinstance(value, list) else [value]
    if not files:
        raise _refusal("a file, or a list of files", "name the take's files in order")
    return tuple(_local_path(file) for file in files)


Time = Annotated[
    Fraction,
    PlainValidator(_number("seconds on the session clock, 0 or later and under eleven days", 0, MAX_SECONDS)),
]
Offset = Annotated[
    Fraction, PlainValidator(_number("seconds, less than eleven days either way", -MAX_SECONDS, MAX_SECONDS))
]
Distance = Annotated[
    Fraction, PlainValidator(_number(f"metres, 0 to {MAX_CAMERA_DISTANCE}", 0, MAX_CAMERA_DISTANCE))
]
Rate = Annotated[Fraction, PlainValidator(_rate)]
Stretch = Annotated[tuple[Fraction, Fraction], PlainValidator(_stretch)]
Index = Annotated[int, PlainValidator(_whole("a whole number of 63 bits", -(1 << 62), 1 << 62))]
Pair = Annotated[tuple[int, int], PlainValidator(_pair)]
Count = Annotated[int, PlainValidator(_whole("a whole number, 0 or more", 0, MAX_FRAMES))]
Probability = Annotated[Fraction, PlainValidator(_number("a probability, 0 to 1", 0, 1))]
Position = Annotated[int, PlainValidator(_whole("a whole number of pixels, 0 or more", 0, MAX_PIXELS))]
Length = Annotated[int, PlainValidator(_whole("a whole number of pixels, 1 or more", 1, MAX_PIXELS))]
Age = Annotated[int, PlainValidator(_whole("years, 0 to 150", 0, 150))]
Channel = Annotated[int, PlainValidator(_whole("the number of a channel, 0 or more", 0, MAX_CHANNEL))]
Rotation = Annotated[int, PlainValidator(_rotation)]
Id = Annotated[str, PlainValidator(_identifier)]
Label = Annotated[str, PlainValidator(_text("a line of text", line=True))]
LineId = Annotated[str, PlainValidator(_line_id)]
Text = Annotated[str, PlainValidator(_text("text", line=False))]
LocalPath = Annotated[str, PlainValidator(_local_path)]
LocalPaths = Annotated[tuple[str, ...], PlainValidator(_paths)]


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
    """speech.json, as far as the turns are found from it."""

    session: Id
    left: ActivityTable
    right: ActivityTable
    transcript: TranscriptTable | None = None


class VoiceRow(OpenTable):
    path: Text
    sha256: Text
    side: Literal["left", "right"]


class AloneRow(OpenTable):
    side: Literal["left", "right"]
    path: Text
    sha256: Text
    bytes: Index
    width: Length
    height: Length


class SideRow(OpenTable):
    take_first_frame: Index
    track_first_sample: Index
    sample_count: Index
    filled_samples: Index
    damaged_samples: Index
    clipped_samples: Index
    damaged_frames: Index


class ActorsRow(OpenTable):
    left: str | None
    right: str | None


def _measures(value: Any) -> dict[str, Any]:
    """A side's measures by name: numbers, boxes of four numbers, or null."""
    if not isinstance(value, dict) or not all(_is_measure(*pair) for pair in value.items()):
        raise _refusal("numbers, boxes of four of them, or null by name", "correct it")
    return dict(value)


def _is_measure(name: str, value: Any) -> bool:
    box = name.endswith("_box") and isinstance(value, list) and len(value) == 4
    return value is None or all(type(number) in (int, float) for number in (value if box else [value]))


class QualityRow(OpenTable):
    left: Annotated[dict[str, Any], PlainValidator(_measures)] = {}
    right: Annotated[dict[str, Any], PlainValidator(_measures)] = {}
    sync_residual_ms: float | None = None
    transcript_flags: list[str] | None = None
    measured: dict[str, Any] = {}


class ProvenanceRow(OpenTable):
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


_Model = TypeVar("_Model", bound=BaseModel)

_PLAIN = {
    "missing": ("a value", "add it"),
    "model_type": ("a table of keys", "correct it"),
    "dict_type": ("a table of keys", "correct it"),
    "list_type": ("a list", "correct it"),
    "bool_type": ("true or false", "correct it"),
    "string_type": ("text", "correct it"),
    "float_type": ("a decimal number", "correct it"),
    "finite_number": ("a finite number", "correct it"),
    "literal_error": ("one of the words for it", "correct it"),
}
"""pydantic's own error types that these models can give: what belongs there, and the remedy."""


def validate(model: type[_Model], value: Any, source: str | os.PathLike[str]) -> _Model:
    """`value`, as TOML or JSON gave it, as a `model`.

    Raises
    ------
    DescriptionError
        With the first thing that is wrong; a key that nobody knows comes before a missing one.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        first = min(problems, key=lambda problem: problem["type"] != "extra_forbidden")
        raise _translated(model, first, source) from None


def _translated(
    model: type[BaseModel], problem: ErrorDetails, source: str | os.PathLike[str]
) -> DescriptionError:
    location = list(problem["loc"])
    if problem["type"] == "extra_forbidden":
        return _unknown_key(_table_at(model, location[:-1]), location, source)
    found = "nothing" if problem["type"] == "missing" else show(problem["input"])
    context = problem.get("ctx", {})
    expected, remedy = _PLAIN.get(problem["type"], (problem["msg"], "correct it"))
    expected = context.get("expected", expected)
    return wrong(source, location, expected=expected, found=found, remedy=context.get("remedy", remedy))


def _unknown_key(
    table: type[BaseModel], location: list[int | str], source: str | os.PathLike[str]
) -> DescriptionError:
    known = [name for name in table.model_fields if name != "made_from"]
    nearest = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0)
    key = show(str(location[-1]))
    return wrong(
        source,
        key_text(location),
        expected=f"one of the keys {', '.join(known)}",
        found=f"the unknown key {key}",
        remedy=f"the nearest is '{nearest[0]}': correct or remove it",
    )


def _table_at(model: type[BaseModel], location: list[int | str]) -> type[BaseModel]:
    """The table whose keys stand at `location` within `model`."""
    for part in location:
        if isinstance(part, str):
            model = _tables_in(model.model_fields[part].annotation)[0]
    return model


def _tables_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [table for part in getattr(annotation, "__args__", ()) for table in _tables_in(part)]
