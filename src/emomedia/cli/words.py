"""How the words that a run found are shown: the first of them, with their times."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import stages
from ..session import SIDES

SHOWN = 5
"""Stretches of speech that are shown."""

NONE = "  words   none: without --asr-model turns come from voice activity alone"


def words_summary(speech_file: Path, *, given: bool) -> tuple[dict[str, Any], list[str]]:
    """What the file speech.json says of words: for machines, and in lines for people.

    `given`: the turns are the user's own, and need no words from there.
    """
    transcript = stages.read(speech_file).get("transcript")
    if transcript is None:
        return {"words": None}, [] if given else [NONE]
    segments = sorted(
        ((segment, side) for side in SIDES for segment in transcript[side]),
        key=lambda pair: (pair[0]["start"], pair[1]),
    )
    words = sum(len(segment["words"]) for segment, _ in segments)
    flagged = sum(bool(segment["flags"]) for segment, _ in segments)
    language = f"language {transcript['language']}, " if segments else ""
    lines = [
        f"  words   {words} in {len(segments)} stretches of speech, {flagged} of them doubtful; "
        f"{language}model {transcript['model']['name']}"
    ]
    for segment, side in segments[:SHOWN]:
        lines += _segment_lines(segment, side)
    if len(segments) > SHOWN:
        lines.append(f"          … {len(segments) - SHOWN} more in {speech_file}")
    return {"words": words, "flagged": flagged}, lines


def _segment_lines(segment: Mapping[str, Any], side: str) -> list[str]:
    times = "  ".join(f"{word['text'].strip()} {float(word['start']):.2f}" for word in segment["words"])
    stretch = f"{float(segment['start']):7.2f} to {float(segment['end']):.2f} s"
    doubts = f"  ({', '.join(segment['flags'])})" if segment["flags"] else ""
    text = segment["text"] or "no text kept"
    return [f"    {side:<5} {stretch}  {text}{doubts}", *([f"          {times}"] if times else [])]
