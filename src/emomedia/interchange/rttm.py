"""RTTM: who speaks when, one line per turn, for scoring diarisation (NIST's rich transcription, 2009)."""

from __future__ import annotations

from ..turns import TurnsFile


def write(turns_file: TurnsFile) -> str:
    """A SPEAKER line for each turn in order of start, to the millisecond; sides are the speakers' names."""
    lines = []
    for turn in sorted(turns_file.turns, key=lambda turn: (turn.start, turn.id)):
        first, end = round(turn.start * 1000), round(turn.end * 1000)
        times = f"{first / 1000:.3f} {(end - first) / 1000:.3f}"
        lines.append(f"SPEAKER {turns_file.session} 1 {times} <NA> <NA> {turn.speaker} <NA> <NA>\n")
    return "".join(lines)
