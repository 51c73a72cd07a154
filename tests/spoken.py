"""Mandarin that the tiny model was made for: utterances with exact times, laid on two actors' tracks."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np

from emomedia.session import SIDES

from .rooms import RATE, conformed

DATA = Path(__file__).parent / "data"
MODEL = DATA / "tiny-whisper-zh-synth"
MANDARIN = DATA / "mandarin"

PUNCTUATION = "，。？！,.?! "


@dataclass(frozen=True)
class Utterance:
    """`sound` is the whole file, float32[n] at 16 kHz; times within it in seconds."""

    name: str
    text: str
    start: float
    end: float
    characters: tuple[tuple[str, float, float], ...]
    sound: np.ndarray


@dataclass(frozen=True)
class Said:
    """An utterance on a side of the session clock; times in seconds."""

    side: str
    utterance: Utterance
    shift: float

    @property
    def start(self) -> float:
        return self.utterance.start + self.shift

    @property
    def end(self) -> float:
        return self.utterance.end + self.shift


@dataclass(frozen=True)
class Laid:
    """Dry voices by side at 48 kHz, and what they say, in order."""

    voices: dict[str, np.ndarray]
    said: tuple[Said, ...]

    @property
    def seconds(self) -> float:
        return len(self.voices["left"]) / RATE

    def activity(self) -> dict[str, list[tuple[float, float]]]:
        return {side: [(one.start, one.end) for one in self.said if one.side == side] for side in SIDES}

    def tracks(self, folder: Path, *, bleed_db: float | None = -18.0, noise_db: float = -66.0) -> dict:
        """Conformed tracks with the other voice 4 ms late, and noise."""
        found = {}
        for number, side in enumerate(SIDES):
            heard = self.voices[side].copy()
            if bleed_db is not None:
                late = np.roll(self.voices[SIDES[1 - number]], 210)
                heard += late * np.float32(10 ** (bleed_db / 20))
            noise = np.random.default_rng(number).standard_normal(len(heard), np.float32)
            found[side] = conformed(folder / f"{side}.pcm", heard + noise * np.float32(10 ** (noise_db / 20)))
        return found


@cache
def mandarin() -> tuple[Utterance, ...]:
    """The held-out utterances, which the tiny model never heard."""
    with (MANDARIN / "utterances.tsv").open(encoding="utf-8") as file:
        return tuple(_utterance(row) for row in csv.DictReader(file, delimiter="\t"))


def _utterance(row: dict[str, str]) -> Utterance:
    with av.open(str(MANDARIN / row["file"])) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    characters = []
    for part in row["chars"].split():
        character, times = part.split(":")
        first, last = times.split("-")
        characters.append((character, float(first), float(last)))
    sound = sound.astype(np.float32) / 32768
    return Utterance(
        row["file"], row["text"], float(row["start"]), float(row["end"]), tuple(characters), sound
    )


def laid(chosen: Iterable[Utterance], seed: int = 0, *, overlap: float = 0.0) -> Laid:
    """Utterances one after the other by the two actors in turn, with pauses of 0.2 to 1.2 s.

    Parameters
    ----------
    overlap : float
        How often one begins up to half a second before the last one has ended.
    """
    import soxr

    rng = np.random.default_rng(seed)
    said: list[Said] = []
    place = 0.5
    free = dict.fromkeys(SIDES, 0.0)
    for number, utterance in enumerate(chosen):
        side = SIDES[number % 2] if rng.random() < 0.85 else SIDES[1 - number % 2]
        gap = -rng.uniform(0.1, 0.5) if rng.random() < overlap else rng.uniform(0.2, 1.2)
        start = round(max(place + gap, free[side]), 3)
        said.append(Said(side, utterance, round(start - utterance.start, 3)))
        place = said[-1].end
        free[side] = place + 0.7
    voices = {side: np.zeros(round((place + 1) * RATE), np.float32) for side in SIDES}
    for one in said:
        first, last = round(one.utterance.start * 16_000), round(one.utterance.end * 16_000)
        sound = soxr.resample(one.utterance.sound[first:last], 16_000, RATE, quality="VHQ")
        begin = round(one.start * RATE)
        voices[one.side][begin : begin + len(sound)] += 0.5 * sound
    return Laid(voices, tuple(said))


def bare(text: str) -> str:
    """The characters that count."""
    return "".join(character for character in text if character not in PUNCTUATION)


def edits(right: str, found: str) -> int:
    """The least number of characters to insert, delete and replace (Levenshtein)."""
    row = list(range(len(found) + 1))
    for number, character in enumerate(right, start=1):
        before, row = row, [number]
        for place, other in enumerate(found, start=1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (character != other)))
    return row[-1]


def error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Character errors of (right, found) texts, over the right ones' characters."""
    pairs = [(bare(right), bare(found)) for right, found in pairs]
    return sum(edits(*pair) for pair in pairs) / sum(len(right) for right, _ in pairs)


def heard_text(transcript: dict, one: Said) -> str:
    """The words of a transcript whose middles lie where an utterance was said."""
    return "".join(
        word["text"]
        for segment in transcript[one.side]
        for word in segment["words"]
        if one.start - 0.3 <= (float(word["start"]) + float(word["end"])) / 2 <= one.end + 0.3
    )
