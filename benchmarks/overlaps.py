"""How clean the overlaps get: gain in SI-SDR against the own voice's image at that microphone.

    python -m benchmarks.overlaps [--rooms N] [--seconds S] [--bleed DB ...]

Conversations of real speakers in simulated rooms (tests/rooms.py).  Who speaks when is found by the speech
stage, or, as a second line, known.  A mixture is one track of a whole true overlap, however much of it was
found; one that is left alone counts with a gain of zero.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from emomedia.audio._pcm import to_real
from emomedia.session import SIDES
from emomedia.speech import attributed
from emomedia.voice.clean import clean_tracks
from tests.rooms import Conversation, converse, runs, si_sdr, tracks

from .measured import Bar

BAR_BLEED = -12.0
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


def mixtures(conversation: Conversation, seed: int, is_known: bool, **room) -> Iterator[Mixture]:
    """Every true overlap that is long enough, on both sides."""
    recording = conversation.in_room(seed=seed, **room)
    with tempfile.TemporaryDirectory() as folder:
        pcm = tracks(Path(folder), recording)
        known = conversation.active
        active = known if is_known else attributed(pcm)
        cleaned, _ = clean_tracks(pcm, active, Path(folder) / "clean")
        for first, end in runs(known["left"] & known["right"]):
            if end - first < SHORTEST:
                continue
            here = first * 480, end * 480
            for side in SIDES:
                image = recording.own[side][slice(*here)]
                before = si_sdr(to_real(pcm[side].cut(*here)), image)
                after = si_sdr(to_real(cleaned[side].cut(*here)), image)
                yield Mixture(before, after, cleaned[side].touched(*here))


def told(found: list[Mixture]) -> str:
    gains = np.array([mixture.gain for mixture in found])
    least, tenth, median = np.percentile(gains, (0, 10, 50))
    before = np.median([mixture.before for mixture in found])
    applied = sum(mixture.applied for mixture in found)
    return (
        f"{len(found)} mixtures, {applied} changed, {before:.1f} dB before; "
        f"gain median {median:.1f} dB, tenth percentile {tenth:.1f} dB, least {least:.1f} dB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rooms", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--bleed", type=float, nargs="*", default=(-18.0, -12.0, -6.0))
    parser.add_argument("--seed", type=int, default=200, help="of the first conversation")
    parser.add_argument("--others", action="store_true", help="the speakers by whom thresholds were set")
    parser.add_argument("--noise", type=float, default=-62.0)
    options = parser.parse_args()
    conversations = [
        converse(options.seconds, options.seed + number, held_out=not options.others)
        for number in range(options.rooms)
    ]
    for bleed in options.bleed:
        room = {"bleed_db": bleed, "noise_db": options.noise}
        for name, is_known in (("found", False), ("known", True)):
            each = [mixtures(c, 2000 + seed, is_known, **room) for seed, c in enumerate(conversations)]
            measured = list(chain.from_iterable(each))
            print(f"{bleed:5.0f} dB, {name}: {told(measured)}", flush=True)
            if bleed == BAR_BLEED and not is_known:
                gains = np.array([mixture.gain for mixture in measured])
                print(Bar("gain at -12 dB, median", np.median(gains), 8, "dB", True))
                print(Bar("gain at -12 dB, least", gains.min(), 3, "dB", True), flush=True)


if __name__ == "__main__":
    main()
