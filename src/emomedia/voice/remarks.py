"""What speech.json's flags mean for users, who can still act before the clips are cut.  Pure."""

from __future__ import annotations

from typing import Any

from ..session import SIDES

_REMARKS = {
    "swapped": "the cameras hear the wrong voices louder; if the microphones were exchanged, exchange the "
    "`mic` of left and right in session.toml",
    "duplicate": "both tracks are one recording, so whose voice it is cannot be known; name the files or "
    "channels of two microphones in session.toml",
    "silent": "nobody is heard on the track; if the actor speaks, correct `mic` in session.toml",
}


def remarks(body: dict[str, Any]) -> list[str]:
    """What a person should know of a speech.json, one line a flag; nothing of flags that ask for nothing."""
    found = {flag: [side for side in SIDES if flag in body[side]["flags"]] for flag in _REMARKS}
    return [f"{' and '.join(sides)}: {_REMARKS[flag]}" for flag, sides in found.items() if sides]
