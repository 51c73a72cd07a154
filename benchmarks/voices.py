"""How well the speech stage tells whose voice it is, beside Silero alone and a plain comparison of energy.

    python -m benchmarks.voices [--rooms N] [--seconds S]

Conversations of speakers by whom no threshold was set, in simulated rooms (tests/rooms.py): a table with a
line for each level of bleed and each method.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emomedia.session import SIDES
from emomedia.speech import held, lasting, listen, ranges, speech_session
from tests.rooms import Conversation, converse, f1, marked, runs, tracks

from .measured import Bar

BLEEDS = (-30, -18, -12, -10, -6)
F1_BARS = {-18: 0.97, -10: 0.93}
OVERLAP_BLEED, OVERLAP_BAR = -18, 0.90
QUIET_BLEED = -12
"""At which and below which no turn may be invented from bleed."""

Found = dict[str, np.ndarray]
"""Activity by side, bool[frames of 10 ms]."""


@dataclass
class Score:
    """What one method got right at one level of bleed."""

    f1: list[float] = field(default_factory=list)
    overlap_f1: list[float] = field(default_factory=list)
    edge_ms: list[float] = field(default_factory=list)
    invented: int = 0

    def add(self, found: Found, known: Found) -> None:
        self.f1 += [f1(found[side], known[side]) for side in SIDES]
        self.overlap_f1.append(f1(found["left"] & found["right"], known["left"] & known["right"]))
        for side in SIDES:
            self.edge_ms += edge_errors(found[side], known[side])
            self.invented += invented(found[side], known[side])

    def line(self) -> str:
        edges = np.percentile(self.edge_ms, (50, 95))
        return (
            f"{np.mean(self.f1):.3f} (least {min(self.f1):.3f})  overlaps {np.mean(self.overlap_f1):.3f} "
            f"(least {min(self.overlap_f1):.3f})  edges {edges[0]:.0f} and {edges[1]:.0f} ms  "
            f"invented {self.invented}"
        )


def edge_errors(found: np.ndarray, known: np.ndarray) -> list[float]:
    """Milliseconds from each known start and end to the nearest one found."""
    errors = []
    for which in (0, 1):
        places = np.array([run[which] for run in runs(found)])
        for run in runs(known):
            errors.append(10.0 * np.abs(places - run[which]).min() if len(places) else 1e6)
    return errors


def invented(found: np.ndarray, known: np.ndarray) -> int:
    """Stretches in which, and within 50 ms of which, the actor does not speak."""
    return sum(not known[max(0, first - 5) : end + 5].any() for first, end in runs(found))


def silero_alone(pcm: dict) -> Found:
    return {side: _frames(ranges(lasting(held(listen(pcm[side]).speech))), pcm[side]) for side in SIDES}


def energy_compared(pcm: dict) -> Found:
    """Louder than the other track at equal gains, and within 30 dB of the track's loud parts."""
    level = {}
    for side in SIDES:
        sound = pcm[side].array.astype(np.float64)
        power = (sound[: len(sound) // 480 * 480].reshape(-1, 480) ** 2).mean(axis=1)
        power = np.convolve(power, np.full(5, 0.2), "same")
        level[side] = 10 * np.log10(power + 1) - 10 * np.log10(np.percentile(power, 95) + 1)
    left = (level["left"] > level["right"]) & (level["left"] > -30)
    right = (level["right"] > level["left"]) & (level["right"] > -30)
    return {"left": left, "right": right}


def judged(pcm: dict) -> Found:
    body = speech_session("s", pcm)
    return {side: _frames(body[side]["activity"], pcm[side]) for side in SIDES}


def _frames(found: list, pcm) -> np.ndarray:
    return marked(found, pcm.samples // 480)


def bars(bleed: float, score: Score) -> list[Bar]:
    """What is demanded of the speech stage at some levels of bleed."""
    found = []
    if bleed in F1_BARS:
        found.append(Bar("F1", float(np.mean(score.f1)), F1_BARS[bleed], "", True))
    if bleed == OVERLAP_BLEED:
        found.append(Bar("overlaps' F1", float(np.mean(score.overlap_f1)), OVERLAP_BAR, "", True))
    if bleed <= QUIET_BLEED:
        found.append(Bar("turns invented from bleed", score.invented, 0))
    median, most = np.percentile(score.edge_ms, (50, 95))
    return [*found, Bar("edges, median", median, 15, "ms"), Bar("edges, 95 of 100", most, 60, "ms")]


METHODS = {"whose voice": judged, "Silero alone": silero_alone, "energy": energy_compared}


def measure(conversations: list[Conversation], bleed_db: float, **room) -> dict[str, Score]:
    scores: dict[str, Score] = defaultdict(Score)
    for seed, conversation in enumerate(conversations):
        recording = conversation.in_room(bleed_db=bleed_db, seed=1000 + seed, **room)
        with tempfile.TemporaryDirectory() as folder:
            pcm = tracks(Path(folder), recording)
            for name, method in METHODS.items():
                scores[name].add(method(pcm), conversation.active)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rooms", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--bleed", type=float, nargs="*", default=BLEEDS)
    parser.add_argument("--reverberation", type=float, default=0.3)
    options = parser.parse_args()
    conversations = [converse(options.seconds, 100 + seed) for seed in range(options.rooms)]
    for bleed in options.bleed:
        scores = measure(conversations, bleed, reverberation=options.reverberation)
        for name, score in scores.items():
            print(f"{bleed:5.0f} dB  {name:13} F1 {score.line()}", flush=True)
        for bar in bars(bleed, scores["whose voice"]):
            print(f"    {bar}", flush=True)


if __name__ == "__main__":
    main()
