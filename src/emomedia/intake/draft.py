"""A guessed session as the text of a session.toml for the user to check."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from ..session import SIDES
from .pairing import Draft, Recording

_SEEN_TO_BE_WRONG = (
    "# Under a side whose take 'emomedia probe FILE --proof p.png' shows turned or cropped wrongly:",
    "# rotate = 90  # degrees clockwise to upright",
    "# crop = { x = 0, y = 410, width = 2160, height = 2430 }  # pixels of the upright picture",
)
_LOOKS_LIKE_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def draft_text(draft: Draft, left_over: Sequence[str] = ()) -> str:
    """The description of `draft`, its guesses in comments; `left_over` is listed at the end."""
    lines = ["# Drafted by emomedia init: look it over, above all what is marked with (?)."]
    lines += [f"# {_one_line(note)}" for note in draft.notes]
    lines += [f"id = {_quoted(draft.id)}"]
    for side in SIDES:
        lines += ["", f"[{side}]", f"actor = {_quoted(side)}  # (?) who is it?", _video(draft.takes[side])]
        if side in draft.mics:
            file, channel = draft.mics[side]
            lines.append(f"mic = {{ file = {_path(file.path)}, channel = {channel} }}  # (?)")
    lines += ["", *_SEEN_TO_BE_WRONG, "", "# Dialogues are found from the sound unless they are given here:"]
    lines += ["# [[dialogue]]", f'# id = "{draft.id}_000"', "# start = 12.0", "# end = 75.3"]
    if left_over:
        lines += ["", "# Files that are in no session:"]
        lines += [f"# {_one_line(text)}" for text in left_over]
    return "\n".join(lines) + "\n"


def _video(recording: Recording) -> str:
    paths = [_path(file.path) for file in recording]
    value = paths[0] if len(paths) == 1 else f"[{', '.join(paths)}]"
    minutes = sum(file.seconds for file in recording) / 60
    return f"video = {value}  # {minutes:.1f} min"


def _path(path: PurePosixPath) -> str:
    text = path.as_posix()
    return _quoted(f"./{text}" if _LOOKS_LIKE_URL.match(text) else text)


def _quoted(text: str) -> str:
    """`text` as a basic string of TOML, whose escapes are JSON's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
