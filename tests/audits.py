"""Audits of a made-up dataset, in the shape that the stages write: no media, but every column."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np

from emomedia.dataset.audit import write_rows
from emomedia.dataset.index import MEASURES, write_index
from emomedia.session import SIDES
from fuzz.examples import rows as example_rows

Row = dict[str, Any]

EMOTIONS = ("Joy", "Anger", "Fear", None)
TOPICS = ("Weather", "Food", "Work")
TURNS = 4
SAID = "你好"


def quality(rng: np.random.Generator) -> Row:
    """Measures of both sides; here and there one that could not be measured."""
    measured: Row = {}
    for side in SIDES:
        values = {name: round(float(rng.uniform(0, 50)), 3) for name in MEASURES}
        values |= {"dnsmos_ovrl": round(float(rng.uniform(1, 5)), 3), "loudness_lufs": None}
        x, y = rng.uniform(0.3, 0.5, 2).round(3).tolist()
        measured[side] = values | {"face_box": [x, y, 0.2, 0.2], "person_box": [x - 0.2, y, 0.5, 0.4]}
    return measured | {"sync_residual_ms": 0.4, "transcript_flags": ["loop"] if rng.random() < 0.1 else []}


def said(turns: list[tuple[int, str]], zero: float, last: int, words: str) -> Row:
    """Turns and words of a clip that begins `zero` seconds after its dialogue; a turn every two seconds."""
    told: Row = {"turns": [], "words": []}
    for place, clip in turns:
        start, who = 2.0 * (place - 1) - zero, {"speaker": SIDES[place % 2]}
        told["turns"].append(
            {"id": clip, **who, "start": start + 0.1, "end": start + 1.9, "text": f"{clip} {words}",
             "emotion": None, "backchannel": place == last, "overlap_s": 0.1, "gap_s": 0.2, "flags": []}
        )  # fmt: skip
        told["words"] += [
            {"text": text, "start": round(start + 0.1 + number * 1.8 / len(words), 3),
             "end": round(start + (number + 1) * 1.8 / len(words), 3), "probability": 0.9, **who,
             "turn": clip}
            for number, text in enumerate(words)
        ]  # fmt: skip
    return told


def session_rows(
    session: str, actors: tuple[str, str], dialogues: int, seed: int, turns: int = TURNS, words: str = SAID
) -> list[Row]:
    """One session's audit: so many turns in each dialogue, all of the same words; about one clip in five is
    rejected."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(dialogues):
        dialogue = f"{session}_{number:03}"
        ids = [dialogue, *(f"{dialogue}_{turn:03}" for turn in range(turns))]
        emotion = EMOTIONS[int(rng.integers(len(EMOTIONS)))]
        topic = TOPICS[int(rng.integers(len(TOPICS)))]
        for place, clip in enumerate(ids):
            row = copy.deepcopy(example_rows()[min(place, 1)])
            first, count = 1000 * number + 50 * max(0, place - 1), 50 if place else 50 * turns
            row |= {
                "id": clip, "session": session, "dialogue": dialogue, "kind": "turn" if place else "dialogue",
                "speaker": SIDES[place % 2] if place else None, "path": f"{session}/clips/{clip}.mp4",
                "actors": dict(zip(SIDES, actors, strict=True)), "clean": [], "sides": [],
                "audio": [
                    {"path": f"{session}/audio/{clip}.{side}.flac", "sha256": "0" * 64, "side": side}
                    for side in SIDES
                ],
                "first_frame": first, "frame_count": count, "start": first / 25, "end": (first + count) / 25,
                "text": f"{clip} {words}", "emotion": emotion, "topic": topic, "quality": quality(rng),
            }  # fmt: skip
            spoken = [(place, clip)] if place else list(enumerate(ids))[1:]
            row |= said(spoken, 2.0 * max(0, place - 1), turns, words)
            if rng.random() < 0.2:
                row |= {"keep": False, "reasons": ["left: blurred (sharpness 12 < 40)"]}
            rows.append(row)
    return rows


def write_sessions(out: Path, sessions: dict[str, tuple[str, str]], dialogues: int = 2) -> None:
    """Audits and index of `sessions`, each with its two actors, in `out`."""
    for number, (session, actors) in enumerate(sessions.items()):
        (out / session).mkdir(parents=True)
        write_rows(out / session / "clips.jsonl", session_rows(session, actors, dialogues, number))
    write_index(out)


def rng_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
