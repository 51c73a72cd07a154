"""clips.jsonl: one line for each clip that was written, with all that is known of it.

Rows are plain dicts in a fixed order of keys, so that a session's audit has one spelling.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from .. import __version__, _core
from ..descriptions import is_text, show
from ..errors import DescriptionError, StageError, VerifyError
from ..files import canonical_json, error_text, read_small, sha256, write_bytes
from ..layout import SessionFolder
from ..plan import Clip
from ..session import SIDES
from ..sides import SidePicture
from ..stages import MAX_BYTES, parse
from ..timeline import rate_text
from ..turns import TurnsFile
from ..work import Work
from .spoken import spoken, turns_in

Row = dict[str, Any]

UNCHECKED = "unchecked"
"""The reason of a clip that nobody has judged yet: until the check stage has seen it, it is not kept."""


def read_rows(path: Path) -> list[Row]:
    """The rows of a session's clips.jsonl; none where there is no such file.

    Raises
    ------
    StageError
        A line is not the audit of a clip of that session, or names files that are not that clip's own.
    """
    try:
        lines = read_small(path, MAX_BYTES).splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise _broken(path, "a JSON object on every line", error_text(error)) from error
    folder = SessionFolder(path.parent.parent, path.parent.name)
    return [_row(line, f"{path}: line {number}", folder) for number, line in enumerate(lines, start=1)]


def count_rows(path: Path) -> int:
    """How many lines a clips.jsonl has, valid or not; 0 if it cannot be read."""
    try:
        return len(read_small(path, MAX_BYTES).splitlines())
    except (OSError, ValueError):
        return 0


def _row(line: bytes, source: str, folder: SessionFolder) -> Row:
    """A checked row.  Its paths follow from its ids, so that none leads to another place."""
    from ..schema.audit import ClipRow
    from ..schema.validation import validate

    try:
        row = parse(line, _finite)
        validate(ClipRow, row, source)
    except DescriptionError as error:
        raise _broken(error.subject, error.expected, error.found) from None
    except ValueError as error:
        raise _broken(source, "a JSON object", str(error)) from error
    if b"\\u" in line and not is_text(canonical_json(row)):
        raise _broken(source, "text that UTF-8 can hold", "half of a UTF-16 pair")
    expected = {"session": folder.session, "path": folder.relative(folder.clip(row["id"]))}
    found = {key: row[key] for key in expected}
    for side, voice in zip(SIDES, row["audio"], strict=False):
        expected[f"audio.{side}"] = folder.relative(folder.voice(row["id"], side))
        found[f"audio.{side}"] = voice["path"] if voice["side"] == side else voice["side"]
    for number, voice in enumerate(row["clean"]):
        expected[f"clean[{number}]"] = folder.relative(folder.clean_voice(row["id"], voice["side"]))
        found[f"clean[{number}]"] = voice["path"]
    for number, made in enumerate(row["sides"]):
        expected[f"sides[{number}]"] = folder.relative(folder.side_clip(row["id"], made["side"]))
        found[f"sides[{number}]"] = made["path"]
    for key, value in expected.items():
        if found[key] != value:
            raise _broken(f"{source}: {key}", show(value), show(found[key]))
    if len(row["audio"]) != len(SIDES):
        raise _broken(f"{source}: audio", "one file of each side", show(row["audio"]))
    for key in ("clean", "sides"):
        sides = [made["side"] for made in row[key]]
        if sides != [side for side in SIDES if side in sides]:
            raise _broken(f"{source}: {key}", "left before right, each once", show(row[key]))
    return dict(row)


def named_files(row: Row) -> list[Row]:
    """All files that a row names (``path``, ``sha256``): composite, voices, clean voices, sides alone."""
    return [row, *row["audio"], *row["clean"], *row["sides"]]


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{show(text)}, a number out of all bounds")
    return value


def _broken(subject: str | Path, expected: str, found: str) -> StageError:
    return StageError(subject, expected=expected, found=found, remedy="delete clips.jsonl and run again")


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows as an audit has them: by first frame, dialogue before turn, then id."""
    return sorted(rows, key=lambda row: (row["first_frame"], row["kind"] == "turn", row["id"]))


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a clips.jsonl atomically, its rows in order."""
    write_bytes(path, "".join(canonical_json(row) + "\n" for row in in_order(rows)).encode())


def clip_row(work: Work, clip: Clip, turns: TurnsFile, folder: SessionFolder, damaged: Sequence[int]) -> Row:
    """The audit of one clip, from the plan and from the files that were written.

    Parameters
    ----------
    damaged : (left, right)
        Frames of each take in this clip that were missing or concealed by the decoder.

    Raises
    ------
    VerifyError
        A file does not hold the frames that the plan asks for.
    """
    path = folder.clip(clip.id)
    check_frames(path, clip.frame_count)
    rate = work.plan.rate
    row: Row = {
        "id": clip.id,
        "kind": clip.kind,
        "session": work.plan.session,
        "dialogue": clip.dialogue,
        "speaker": clip.speaker,
        "actors": None,
        "path": folder.relative(path),
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
        "audio": [_voice_row(folder, folder.voice(clip.id, side), side) for side in SIDES],
        "clean": _clean_rows(work, clip, folder),
        "sides": [_alone_row(folder, clip, picture) for picture in work.sides],
        "first_frame": clip.first_frame,
        "frame_count": clip.frame_count,
        "fps": rate_text(rate),
        "start": float(clip.first_frame / rate),
        "end": float(clip.end_frame / rate),
        "sample_count": work.samples_of(clip)[1],
        "damaged_frames": sum(damaged),
    }
    row |= {side: _side_row(work, clip, side, damaged[number]) for number, side in enumerate(SIDES)}
    row |= {"text": None, "topic": None, "emotion": None, "turns": [], "words": []}
    row |= {"quality": {}, "keep": False, "reasons": [UNCHECKED]}
    row["provenance"] = {
        "version": __version__,
        "libraries": _core.library_versions(),
        "settings": work.encoding,
        "models": {},
        "key": work.clip_key(clip),
    }
    if work.encoder.card is not None:
        row["provenance"]["encoded_on"] = work.encoder.card.as_json()
    return described(row, clip, turns, work)


def described(row: Row, clip: Clip, turns: TurnsFile, work: Work) -> Row:
    """`row` with everything that can change without the clip's frames: actors, words, topic."""
    whose: Row = {"kind": clip.kind, "dialogue": clip.dialogue, "speaker": clip.speaker}
    whose["actors"] = {side: work.actors.get(side) for side in SIDES}
    provenance = row["provenance"] | {"models": dict(work.models)}
    said = _words(clip, turns) | spoken(clip, turns, work.plan.rate)
    return row | whose | said | {"provenance": provenance}


def _clean_rows(work: Work, clip: Clip, folder: SessionFolder) -> list[Row]:
    """The voices that were cleaned: none of them where there was nothing to clean."""
    if work.cleaning is None:
        return []
    first, count = work.samples_of(clip)
    sides = work.cleaning.touched(first, first + count)
    return [_voice_row(folder, folder.clean_voice(clip.id, side), side) for side in sides]


def _voice_row(folder: SessionFolder, path: Path, side: str) -> Row:
    return {"path": folder.relative(path), "sha256": sha256(path), "side": side}


def _alone_row(folder: SessionFolder, clip: Clip, picture: SidePicture) -> Row:
    """The clip of one side alone: its file and its size in pixels."""
    path = folder.side_clip(clip.id, picture.side)
    check_frames(path, clip.frame_count)
    return {
        "side": picture.side,
        "path": folder.relative(path),
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
        "width": picture.width,
        "height": picture.height,
    }


def _side_row(work: Work, clip: Clip, side: str, damaged: int) -> Row:
    """What of one side the clip shows and holds as sound.

    `filled_samples` counts samples before the track's beginning or after its end, `damaged_samples` those
    within it that are missing or do not decode; both are zeros.  `clipped_samples` are at full scale:
    there the recorder was too loud, or a float track goes beyond what FLAC can hold.
    """
    sound = work.sound[side]
    first, count = work.samples_of(clip)
    return {
        "take_first_frame": int(work.source_indices(side, clip.first_frame, 1)[0]),
        "track_first_sample": sound.track_sample(first),
        "sample_count": count,
        "filled_samples": sound.filled_samples(first, first + count),
        "damaged_samples": sound.damaged_samples(first, first + count),
        "clipped_samples": sound.clipped_samples(first, first + count),
        "damaged_frames": damaged,
    }


def _words(clip: Clip, turns: TurnsFile) -> Row:
    """The clip's transcript, and topic and emotion: a turn's own, or its dialogue's."""
    dialogue = None if clip.dialogue is None else turns.dialogue_of.get(clip.dialogue)
    mine = turns_in(clip, turns)
    said = [turn.text for turn in mine if turn.text]
    named = [*mine, dialogue] if clip.kind == "turn" else [dialogue]
    return {
        "text": "\n".join(said) if said else None,
        "topic": next((part.topic for part in named if part and part.topic), None),
        "emotion": next((part.emotion for part in named if part and part.emotion), None),
    }


def check_frames(path: Path, frame_count: int) -> None:
    """Make sure that the file just written holds `frame_count` frames, the first one shown at zero."""
    pts = _core.frame_times(str(path), 0)
    if len(pts) != frame_count or pts[0] != 0:
        raise VerifyError(
            path,
            expected=f"{frame_count} frames from time zero on",
            found=f"{len(pts)} from tick {pts[0] if len(pts) else 'none'} on",
            remedy="run again; if it happens again, report it with the session's plan.json",
        )
