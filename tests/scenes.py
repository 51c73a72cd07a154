"""Sessions and speech.json in a few words, for the tests of turns."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from emomedia.session import SIDES, Dialogue, Session, Side

FOOTAGE = Fraction(0), Fraction(100)


def session(dialogues=(), excluded=()) -> Session:
    side = Side("A", (Path("a.mp4"),))
    return Session("s", Path("/s/session.toml"), side, side, tuple(dialogues), tuple(excluded))


def scene(name: str, start, end) -> Dialogue:
    return Dialogue(name, Fraction(start), Fraction(end), "Topic", "Joy")


def spoken(left, right) -> dict:
    """What speech.json says of activity."""
    return {"left": {"activity": left}, "right": {"activity": right}}


def segment(start, end, *words, flags=()) -> dict:
    """A segment of a transcript, its words spread evenly over it."""
    step = (end - start) / max(1, len(words))
    return {
        "start": start,
        "end": end,
        "text": "".join(words),
        "words": [
            {"text": text, "start": start + n * step, "end": start + (n + 1) * step, "probability": 0.9}
            for n, text in enumerate(words)
        ],
        "flags": list(flags),
    }


def heard(left, right) -> dict:
    """speech.json of units (start, end, text), each a segment of one word, of none for an empty text."""
    sides = dict(zip(SIDES, (left, right), strict=True))
    transcript = {
        side: [segment(start, end, text) for start, end, text in said if text] for side, said in sides.items()
    }
    return spoken(*([[start, end] for start, end, _ in said] for said in sides.values())) | {
        "transcript": transcript
    }
