"""EmoDialogCN's JSON: a dialogue as its prompt is, with what was said and when."""

from __future__ import annotations

from typing import Any

from ..session import Dialogue
from ..turns import Turn, TurnsFile, decimal


def dialogue_body(turns_file: TurnsFile, dialogue: Dialogue) -> dict[str, Any]:
    """The JSON object of one dialogue; times are seconds on the session clock.

    The keys are those of the prompts that :func:`emomedia.scripts.read_script` reads, and of each utterance
    also its turn's id, its times, its words with theirs, what else turns.json has of it, and the script's
    line that it says (``script_id``).
    """
    turns = turns_file.turns_of.get(dialogue.id, [])
    return {
        "dialogue": {
            "topic_label": dialogue.topic,
            "num_utterances": len(turns),
            "dialogue_id": dialogue.id,
            "start": float(decimal(dialogue.start)),
            "end": float(decimal(dialogue.end)),
            "utterances": [_utterance(number, turn, dialogue) for number, turn in enumerate(turns, start=1)],
        }
    }


def _utterance(number: int, turn: Turn, dialogue: Dialogue) -> dict[str, Any]:
    return {
        "utterance_id": number,
        "speaker_id": turn.speaker,
        "emotion_label": turn.emotion or dialogue.emotion,
        "text": turn.text or "",
        "turn_id": turn.id,
        "start": float(decimal(turn.start)),
        "end": float(decimal(turn.end)),
        "words": [
            {"text": word.text, "start": float(decimal(word.start)), "end": float(decimal(word.end))}
            for word in turn.words
        ],
        "backchannel": turn.backchannel,
        "overlap_s": float(decimal(turn.overlap_s)),
        "gap_s": None if turn.gap_s is None else float(decimal(turn.gap_s)),
        "flags": list(turn.flags),
        "script_id": None if turn.script is None else turn.script.utterance_id,
    }
