"""How clean the overlaps get: gain in SI-SDR against the own voice's image at that microphone.

    python -m benchmarks.overlaps [--rooms N] [--seconds S] [--bleed DB ...]

Conversations of speakers by whom no threshold was set, in simulated rooms (tests/rooms.py).  What is known of
who speaks is what the speech stage finds; mixtures that it leaves alone count with a gain of zero.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emomedia.audio._pcm import to_real
from emomedia.session import SIDES
from emomedia.speech import attributed
from emomedia.voice.clean import clean_tracks
from tests.rooms import Conversation, converse, runs, si_sdr, tracks

SHORTEST = 20
"""Frames of 10 ms of an overlap that is measured."""


@dataclass(frozen=True)
class Mixture:
    """One track of one overlap, in dB."""

    before: float
    after: float
    applied: bool

    @property
    def gain(self) -> float:
        return self.after - self.before


def mixtures(conversation: Conversation, seed: int, **room) -> Iterator[Mixture]:
    """Every overlap that is there and long enough, on both sides."""
    recording = conversation.in_room(seed=seed, **room)
    with tempfile.TemporaryDirectory() as folder:
        pcm = tracks(Path(folder), recording)
        cleaned, _ = clean_tracks(pcm, attributed(pcm), Path(folder) / "clean")
        for first, end in runs(conversation.active["left"] & conversation.active["right"]):
            if end - first < SHORTEST:
                continue
            here = first * 480, end * 480
            for side in SIDES:
                image = recording.own[side][slice(*here)]
                before = si_sdr(to_real(pcm[side].cut(*here)), image)
                after = si_sdr(to_real(cleaned[side].cut(*here)), image)
                yield Mixture(before, after, cleaned[side].touched(*here))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rooms", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--bleed", type=float, nargs="*", default=(-18.0, -12.0, -6.0))
    parser.add_argument("--noise", type=float, default=-62.0)
    options = parser.parse_args()
    conversations = [converse(options.seconds, 200 + seed) for seed in range(options.rooms)]
    for bleed in options.bleed:
        room = {"bleed_db": bleed, "noise_db": options.noise}
        found = [m for seed, c in enumerate(conversations) for m in mixtures(c, 2000 + seed, **room)]
        gains = np.array([mixture.gain for mixture in found])
        before = np.median([mixture.before for mixture in found])
        applied = sum(mixture.applied for mixture in found)
        print(
            f"{bleed:5.0f} dB  {len(found)} mixtures, {applied} changed  before {before:.1f} dB  gain median "
            f"{np.median(gains):.1f} dB, tenth percentile {np.percentile(gains, 10):.1f} dB, least {gains.min():.1f} dB",
            flush=True,
        )


if __name__ == "__main__":
    main()
