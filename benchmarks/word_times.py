"""How near word times are to the truth, beside faster-whisper's own, with the tiny Whisper.

    python -m benchmarks.word_times [--condition NAME ...]

Its held-out utterances (tests/asr/heard.py) as they are, in noise, and laid into conversations in simulated
rooms, where the speech stage finds the activity.  Ends with status 1 where a bar is not met: median 40 ms,
95th percentile 150 ms, and half of faster-whisper's own error for both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soxr

from emomedia.asr.refine import refined
from emomedia.asr.types import Word
from emomedia.session import SIDES
from emomedia.simulate.room import Room, record
from emomedia.speech import speech_session
from tests.asr import heard
from tests.asr.heard import Said
from tests.rooms import RATE as ROOM_RATE
from tests.rooms import tracks

MEDIAN_MS, NINETY_FIFTH_MS = 40.0, 150.0
NOISE_DB = 15.0
GAP = 0.5
"""Seconds from one utterance to the next, of the other actor."""

Activity = list[tuple[float, float]]
Situation = tuple[Said, Activity]


def clean() -> Iterator[Situation]:
    for said in heard.held_out():
        yield said, said.activity


def noisy() -> Iterator[Situation]:
    rng = np.random.default_rng(5)
    for said in heard.held_out():
        level = np.sqrt(np.mean(said.sound[said.sound != 0] ** 2) / 10 ** (NOISE_DB / 10))
        yield said.heard_as(said.sound + rng.normal(0, level, len(said.sound))), said.activity


def in_room(room: Room) -> Iterator[Situation]:
    """The utterances in turn by two actors, and their activity as the speech stage finds it."""
    said = heard.held_out()
    lengths = [len(one.sound) * ROOM_RATE // heard.RATE for one in said]
    step = round(GAP * ROOM_RATE)
    begins = np.cumsum([step, *[length + step for length in lengths]]) // 480 * 480
    voices = {side: np.zeros(begins[-1], np.float32) for side in SIDES}
    for n, (one, begin) in enumerate(zip(said, begins, strict=False)):
        sound = soxr.resample(one.sound, heard.RATE, ROOM_RATE, quality="VHQ")
        sound *= 10 ** (-26 / 20) / np.sqrt(np.mean(sound**2))
        voices[SIDES[n % 2]][begin : begin + len(sound)] = sound
    recording = record(voices, ROOM_RATE, room)
    with tempfile.TemporaryDirectory() as folder:
        found = speech_session("words", tracks(Path(folder), recording))
    heard_by = {side: soxr.resample(recording.track(side), ROOM_RATE, heard.RATE) for side in SIDES}
    for n, (one, begin) in enumerate(zip(said, begins, strict=False)):
        start, side = begin / ROOM_RATE, SIDES[n % 2]
        first = round(start * heard.RATE)
        sound = heard_by[side][first : first + len(one.sound)]
        length = len(sound) / heard.RATE
        own = [(a - start, b - start) for a, b in found[side]["activity"]]
        yield one.heard_as(sound), [(max(0, a), min(b, length)) for a, b in own if b > 0 and a < length]


CONDITIONS: dict[str, Callable[[], Iterator[Situation]]] = {
    "clean": clean,
    "noise": noisy,
    "room": lambda: in_room(Room(reverberation=0.3, seed=1)),
    "live room": lambda: in_room(Room(reverberation=0.5, noise_db=-50.0, seed=2)),
}


@dataclass
class Score:
    """Errors of word edges, seconds."""

    errors: list[np.ndarray] = field(default_factory=list)

    def add(self, said: Said, words: list[Word] | tuple[Word, ...]) -> None:
        self.errors.append(heard.edge_errors(said, words))

    def ms(self) -> np.ndarray:
        """Median and 95th percentile."""
        return 1000 * np.percentile(np.abs(np.concatenate(self.errors)), (50, 95))

    def line(self) -> str:
        (median, high), count = self.ms(), sum(map(len, self.errors))
        return f"median {median:6.1f} ms  95 % {high:6.1f} ms  of {count} edges"


def measure(situations: Iterator[Situation]) -> dict[str, Score]:
    scores = {"faster-whisper": Score(), "attention": Score(), "refined": Score()}
    for said, activity in situations:
        scores["faster-whisper"].add(said, heard.own_words(said.sound))
        words = heard.aligned_words(said.sound, (activity[0][0], activity[-1][1])) if activity else []
        scores["attention"].add(said, words)
        scores["refined"].add(said, refined(words, said.sound, 0.0, activity))
    return scores


def met(scores: dict[str, Score]) -> bool:
    limits = np.minimum([MEDIAN_MS, NINETY_FIFTH_MS], scores["faster-whisper"].ms() / 2)
    return bool((scores["refined"].ms() <= limits).all())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--condition", nargs="*", choices=CONDITIONS, default=list(CONDITIONS))
    failed = False
    for name in parser.parse_args().condition:
        scores = measure(CONDITIONS[name]())
        for method, score in scores.items():
            print(f"{name:10} {method:15} {score.line()}", flush=True)
        print(f"{name:10} {'bars met' if met(scores) else 'BARS NOT MET'}", flush=True)
        failed |= not met(scores)
    sys.exit(failed)


if __name__ == "__main__":
    main()
