"""EmoDialogCN's prompt files: scenes of lines, each with a speaker and an emotion.

A file is a JSON object that has a scene under each of its keys, or a list of such objects::

    {"dialogue": {"topic_label": "Weather", "num_utterances": 2, "utterances": [
        {"utterance_id": 1, "speaker_id": "A", "emotion_label": "Joy", "text": "你好！"}, …]}}

Keys beside those are left alone: prompts come with notes of their authors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from ..descriptions import description_error, show
from ..errors import DescriptionError, MediaNotFoundError
from ..files import error_text, read_small
from ..stages import parse

MAX_BYTES = 16 << 20
"""Bytes that a script may have."""

MAX_LINES = 10_000
"""Lines that the scripts of a session may have together."""

MAX_LINE = 2_000
"""Characters that a line may have: ten minutes of speech."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one actor is to say; `id` and `speaker` as the script spells them."""

    id: str
    speaker: str
    text: str
    emotion: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """One dialogue of the script: its lines in their order; `key` is what its file calls it."""

    name: str
    topic: str | None
    lines: tuple[Line, ...]
    key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Script:
    """The scenes in the order in which they are to be played; no two lines have the same id."""

    scenes: tuple[Scene, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of all scenes."""
        return tuple(line for scene in self.scenes for line in scene.lines)

    def only(self, name: str) -> Script:
        """The scenes that their files call `name` alone; all of them where none is."""
        chosen = tuple(scene for scene in self.scenes if scene.key == name)
        return Script(chosen) if chosen else self


def read_script(paths: Sequence[Path]) -> Script:
    """The scenes of prompt files, in the order of the files and in them; see :func:`read_scripts`."""
    found = read_scripts(paths)
    return Script(tuple(scene for path in paths for scene in found[path].scenes))


def read_scripts(paths: Sequence[Path]) -> dict[Path, Script]:
    """The scripts of a session by their files, each read once.

    Where a line's id comes twice among all of them, the scene's name is put before it.

    Raises
    ------
    MediaNotFoundError
        A file is not there.
    DescriptionError
        A file is no prompt file, or has more in it than a session can.
    """
    found = {path: _read(path) for path in dict.fromkeys(paths)}
    scenes = [scene for own in found.values() for scene in own]
    lines = sum(len(scene.lines) for scene in scenes)
    if lines > MAX_LINES:
        raise description_error(
            paths[-1],
            "",
            expected=f"at most {MAX_LINES} lines in the scripts of a session",
            found=str(lines),
            remedy="name only the scripts that this session plays",
        )
    named = iter(list(_unambiguous(scenes)))
    return {path: Script(tuple(islice(named, len(own)))) for path, own in found.items()}


def _read(path: Path) -> list[Scene]:
    from ..schema.tables import PromptTable
    from ..schema.validation import validate

    scenes = []
    for location, name, value in _entries(path, _json(path)):
        table = validate(PromptTable, value, f"{path}: {location}" if location else path)
        lines = [
            Line(str(entry.utterance_id), str(entry.speaker_id), entry.text, entry.emotion_label)
            for entry in table.utterances
        ]
        _check_lines(lines, path, location)
        own_name = path.stem if name == "dialogue" else name
        scenes.append(Scene(own_name, table.topic_label, tuple(lines), own_name))
    return scenes


def _json(path: Path) -> Any:
    try:
        return parse(read_small(path, MAX_BYTES))
    except FileNotFoundError as error:
        raise MediaNotFoundError(
            path, expected="a script", found="nothing", remedy="correct the path"
        ) from error
    except (OSError, ValueError) as error:
        raise description_error(
            path,
            "",
            expected="a script in JSON and UTF-8",
            found=error_text(error),
            remedy="correct the file",
        ) from None


def _entries(path: Path, value: Any) -> Iterable[tuple[str, str, Any]]:
    """Place, name and table of each scene in a file."""
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(isinstance(entry, dict) and entry for entry in listed):
        raise description_error(
            path,
            "",
            expected='scenes as {"dialogue": {"topic_label": …, "utterances": […]}}, or a list of them',
            found=show(value),
            remedy="correct the file",
        )
    for number, entry in enumerate(listed):
        for name, table in entry.items():
            place = f"[{number}]." if isinstance(value, list) else ""
            yield place + show(name), name, table


def _check_lines(lines: Sequence[Line], path: Path, location: str) -> None:
    for number, line in enumerate(lines):
        if len(line.text) > MAX_LINE:
            raise _wrong_line(path, location, number, f"at most {MAX_LINE} characters", str(len(line.text)))
    twice = [line_id for line_id, count in Counter(line.id for line in lines).items() if count > 1]
    if twice:
        number = max(number for number, line in enumerate(lines) if line.id == twice[0])
        raise _wrong_line(path, location, number, "an utterance_id of its own", f"{show(twice[0])} again")


def _wrong_line(path: Path, location: str, number: int, expected: str, found: str) -> DescriptionError:
    place = f"{location}.utterances[{number}]"
    return description_error(path, place, expected=expected, found=found, remedy="correct the line")


def _unambiguous(scenes: Sequence[Scene]) -> Iterable[Scene]:
    """The scenes with names of their own, and ids that no two lines share."""
    names = Counter(scene.name for scene in scenes)
    named = [
        replace(scene, name=f"{scene.name}.{number}") if names[scene.name] > 1 else scene
        for number, scene in enumerate(scenes)
    ]
    shared = Counter(line.id for scene in named for line in scene.lines)
    for scene in named:
        lines = (
            replace(line, id=f"{scene.name}/{line.id}") if shared[line.id] > 1 else line
            for line in scene.lines
        )
        yield replace(scene, lines=tuple(lines))
