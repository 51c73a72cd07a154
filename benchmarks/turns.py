"""How near the turns come to those of conversations that are known, with words and without.

    python -m benchmarks.turns [--talks N] [--seconds S] [--rooms N]

First conversations of events (tests/conversations.py), then real voices in simulated rooms through the speech
stage (tests/voiced.py): a line for each method, then whether the bars are met.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from emomedia.session import SIDES, Dialogue, Session, Side
from emomedia.speech import speech_session
from emomedia.turn_taking import find_turns, units
from emomedia.turn_taking.ranges import joined
from emomedia.turns import Turn
from tests.conversations import Talk, simulated, speech_of
from tests.rooms import tracks
from tests.turn_scores import Score
from tests.voiced import voiced

from .plain_turns import plain_turns

HELD_OUT = 100
"""The first number of the conversations that nothing was chosen by."""

BARS = {"turns": 0.95, "backchannels": 0.85, "median": 20.0, "p95": 80.0}

Scores = dict[str, Score]


def turns_by_method(talk: Talk, speech: Mapping[str, Any]) -> Iterator[tuple[str, list[Turn]]]:
    """The turns of `speech`, which has a transcript, by each method's name."""
    end = Fraction(round(talk.seconds) + 60)
    side = Side("A", (Path("a.mp4"),))
    session = Session("s", Path("s.toml"), side, side, (Dialogue("d", Fraction(0), end),), ())
    silent = {side: speech[side] for side in SIDES}
    yield "with words", list(find_turns(session, speech, (Fraction(0), end)).turns)
    yield "without words", list(find_turns(session, silent, (Fraction(0), end)).turns)
    spoken = (unit for s in SIDES for unit in units(joined(speech[s]["activity"]), [(Fraction(0), end)], s))
    yield "before", plain_turns(spoken)


def events(talks: int, seconds: float) -> Scores:
    """Scores by method over conversations of events."""
    scores: Scores = defaultdict(Score)
    shares = []
    for seed in range(HELD_OUT, HELD_OUT + talks):
        talk = simulated(seconds, seed)
        shares.append(talk.overlap_share)
        for name, turns in turns_by_method(talk, speech_of(talk, seed)):
            scores[name].add(talk, turns)
    print(f"{talks} conversations of {seconds:.0f} s, {np.mean(shares):.1%} of the speech overlapped")
    return scores


def rooms(count: int, seconds: float, bleed_db: float = -18.0) -> Scores:
    """Scores by method over real voices in rooms, the words as a recogniser would hear them."""
    scores: Scores = defaultdict(Score)
    for seed in range(HELD_OUT, HELD_OUT + count):
        talk = simulated(seconds, seed)
        recording = voiced(talk, seed).in_room(bleed_db=bleed_db, seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            body = speech_session("s", tracks(Path(folder), recording))
        transcript = speech_of(talk, seed)["transcript"]
        for name, turns in turns_by_method(talk, body | {"transcript": transcript}):
            scores[name].add(talk, turns)
    print(f"{count} conversations of {seconds:.0f} s of real voices, bleed {bleed_db:.0f} dB")
    return scores


def show(scores: Scores) -> None:
    for name, score in scores.items():
        median, most = score.edges
        print(
            f"  {name:14} F1 of turns {score.f1:.3f}, of backchannels {score.backchannel_f1:.3f}; "
            f"edges {median:.0f} and {most:.0f} ms; {score.true} turns, "
            f"{score.true_backchannels} of them backchannels",
            flush=True,
        )


def missed(score: Score) -> list[str]:
    """The bars that `score` doesn't reach."""
    median, most = score.edges
    reached = {
        "turns": score.f1 >= BARS["turns"],
        "backchannels": score.backchannel_f1 >= BARS["backchannels"],
        "median": median <= BARS["median"],
        "p95": most <= BARS["p95"],
    }
    return [name for name, met in reached.items() if not met]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--talks", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rooms", type=int, default=16)
    options = parser.parse_args()
    found = {"events": events(options.talks, options.seconds)}
    show(found["events"])
    if options.rooms:
        found["rooms"] = rooms(options.rooms, 100.0)
        show(found["rooms"])
    for place, scores in found.items():
        for name in ("with words", "without words"):
            print(f"bars, {place} {name}: {', '.join(missed(scores[name])) or 'none'} missed")
    return 1 if missed(found["events"]["with words"]) else 0


if __name__ == "__main__":
    sys.exit(main())
