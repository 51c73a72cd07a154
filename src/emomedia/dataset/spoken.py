"""What is said in a clip, turn by turn and word by word, on the clip's own clock.  Pure.

The one place that brings turns.json to clips: the audit has what these functions give, the index and the
exports have it from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ..plan import Clip
from ..turns import Turn, TurnsFile, decimal


def turns_in(clip: Clip, turns: TurnsFile) -> Sequence[Turn]:
    """A dialogue's turns in order of start, or the turn that the clip is of."""
    if clip.kind == "dialogue":
        return turns.turns_of.get(clip.dialogue, [])
    return [turns.turn_of[clip.id]] if clip.id in turns.turn_of else []


def spoken(clip: Clip, turns: TurnsFile, rate: Fraction) -> dict[str, list[dict[str, Any]]]:
    """`turns` and `words` of a clip's row, both in order of start.

    Times are seconds from the clip's first frame.  What begins before it, as a turn may that reaches out of
    its dialogue, begins below zero.
    """
    said, zero = turns_in(clip, turns), clip.first_frame / rate

    def seconds(time: Fraction) -> float:
        return float(decimal(time - zero))

    words = [
        {
            "text": word.text,
            "start": seconds(word.start),
            "end": seconds(word.end),
            "probability": None if word.probability is None else float(decimal(word.probability)),
            "speaker": turn.speaker,
            "turn": turn.id,
        }
        for turn in said
        for word in turn.words
    ]
    return {
        "turns": [
            {
                "id": turn.id,
                "speaker": turn.speaker,
                "start": seconds(turn.start),
                "end": seconds(turn.end),
                "text": turn.text,
                "emotion": turn.emotion or _emotion_of(turn, turns),
                "backchannel": turn.backchannel,
                "overlap_s": float(decimal(turn.overlap_s)),
                "gap_s": None if turn.gap_s is None else float(decimal(turn.gap_s)),
                "flags": list(turn.flags),
            }
            for turn in said
        ],
        "words": sorted(words, key=lambda word: word["start"]),
    }


def _emotion_of(turn: Turn, turns: TurnsFile) -> str | None:
    dialogue = None if turn.dialogue is None else turns.dialogue_of.get(turn.dialogue)
    return None if dialogue is None else dialogue.emotion
