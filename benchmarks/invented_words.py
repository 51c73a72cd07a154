"""How many words are written where nobody speaks: over noise, music, singing and the other actor.

    python -m benchmarks.invented_words [--seconds S]

Activity as the speech stage finds it; what it lets through is played to the tiny Whisper, which knows nothing
but Mandarin and writes it over anything.  Ten minutes of noise, music and bleed must have no words: status
1 if they have.  Singing, and music and noise under the other actor's speech, are shown beside them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import soxr

from emomedia.asr.guard import flags_of
from emomedia.asr.types import Segment, Word
from emomedia.session import SIDES
from emomedia.speech import speech_session
from tests.asr import heard
from tests.asr.nonsense import KNOWN, recorded
from tests.rooms import RATE, tracks

MUST = ({"noise"}, {"music"}, {"bleed"})
SHOWN = ({"singing"}, {"music", "bleed"}, {"noise", "bleed"})


def let_through(kinds: set[str], seconds: float, seed: int) -> tuple[float, list[Segment]]:
    """Seconds sent where an actor is silent, and what is heard there; the right one speaks in bleed."""
    recording = recorded(kinds, seconds, seed)
    with tempfile.TemporaryDirectory() as folder:
        found = speech_session("s", tracks(Path(folder), recording))
    total, segments = 0.0, []
    for side in SIDES[: 1 if "bleed" in kinds else 2]:
        track = soxr.resample(recording.track(side), RATE, heard.RATE)
        for start, end in found[side]["activity"]:
            if end > KNOWN + 0.2:
                total += end - start
                segments += transcribed(track[round(start * heard.RATE) : round(end * heard.RATE)])
    return total, segments


def transcribed(sound) -> list[Segment]:
    found, _ = heard.recogniser().transcribe(
        sound, language="zh", word_timestamps=True, condition_on_previous_text=False
    )
    segments = []
    for part in found:
        words = tuple(Word(w.word, w.start, w.end, w.probability) for w in part.words or ())
        measures = part.avg_logprob, part.no_speech_prob, part.compression_ratio
        heard_here = Segment("left", part.start, part.end, part.text, words, "zh", *measures)
        segments.append(heard_here)
    return segments


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=200.0, help="of each kind")
    seconds = parser.parse_args().seconds
    invented = 0
    for seed, kinds in enumerate((*MUST, *SHOWN)):
        total, segments = let_through(kinds, seconds, seed)
        unflagged = [one for one in segments if not flags_of(one, one.end - one.start)]
        words = sum(len(one.words) for one in segments)
        left = sum(len(one.words) for one in unflagged)
        name = " and ".join(sorted(kinds))
        print(
            f"{name:16} {seconds:5.0f} s: {total:6.2f} s sent, {words} words, {left} not flagged", flush=True
        )
        invented += words if kinds in MUST else 0
    print("bar met" if invented == 0 else f"BAR NOT MET: {invented} words")
    sys.exit(invented > 0)


if __name__ == "__main__":
    main()
