"""How well sync finds offset, drift and steps, and refuses what does not belong together.

    python -m benchmarks.clocks [--sessions N] [--snr DB] [--only sync|drift|steps|cameras|foreign]

Real speech in simulated rooms (tests/audio/rooms.py): two actors with a close microphone each on one
recorder, two cameras at 2 and 2.8 m from the mouths, noise at the cameras `--snr` dB below the voices.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from emomedia.audio.align import THRESHOLD, Match, align
from emomedia.audio.proxy import Proxy, make_proxy
from emomedia.audio.steps import Hearing, Step, locate
from tests.audio.rooms import RATE, Session, recorded, session, utterances

from .measured import Bar

SPEAKERS, FOREIGN = "BAC009S076[4-8]*.wav", "BAC009S0[79][07][0-3]*.wav"
SHORTEST_STEP, LONGEST_STEP = 0.0213, 15.0
STEPS_SECONDS = 150.0
AUDIBLE_DB = 6.0
"""Below the noise of the better camera, where a voice counts as lost in it."""


def aligned(stack: ExitStack, reference: np.ndarray, other: np.ndarray, between: bool = False) -> Found:
    proxies = [stack.enter_context(make_proxy([sound], RATE)) for sound in (reference, other)]
    match = align(*proxies, between=between)
    assert match is not None
    return Found(proxies[0], proxies[1], match)


@dataclass(frozen=True)
class Found:
    """A pair of recordings and how they lie to each other."""

    reference: Proxy
    other: Proxy
    match: Match

    def off_ms(self, begin: float, ppm: float, time: float) -> float:
        """By how much the clock is off at one of the recording's seconds."""
        found = self.match.offset + self.match.drift_ppm * 1e-6 * time
        return 1000 * abs(found - begin - ppm * 1e-6 * time)


def sync_bars(said: list[np.ndarray], sessions: int, snr: float) -> Iterator[Bar]:
    """Offset and drift of each actor's track against his own camera."""
    off, ppms, confidences = [], [], []
    for seed in range(sessions):
        rng = np.random.default_rng(1000 + seed)
        begin, ppm, seconds = rng.uniform(0, 6), rng.uniform(-150, 150), rng.uniform(60, 120)
        made = session(seconds, said, seed, snr)
        with ExitStack() as stack:
            found = aligned(stack, made.cameras[0], recorded(made.microphones[0], begin, ppm))
        confidences.append(found.match.confidence)
        off += [found.off_ms(begin + made.late, ppm, time) for time in (0.0, seconds - begin)]
        ppms.append(abs(found.match.drift_ppm - ppm))
    yield Bar("offset, median", np.median(off), 0.5, "ms")
    yield Bar("offset, worst", max(off), 2.0, "ms")
    yield Bar(f"good audio accepted of {sessions}", _accepted(confidences), 100, "%", True)


def drift_bars(said: list[np.ndarray], snr: float) -> Iterator[Bar]:
    """Drift over half an hour."""
    made = session(1800, said, 77, snr)
    with ExitStack() as stack:
        found = aligned(stack, made.cameras[0], recorded(made.microphones[0], 2.0, 63.0))
    yield Bar("drift of 30 min", abs(found.match.drift_ppm - 63.0), 1.0, "ppm")


def foreign_bars(said: list[np.ndarray], sessions: int, snr: float) -> Iterator[Bar]:
    """The track of other speakers, of the same ones on another day, and two rooms' cameras."""
    others = utterances(FOREIGN)
    confidences = []
    for seed in range(sessions):
        mine, day = session(60, said, 500 + seed, snr), session(60, said, 600 + seed, snr)
        strangers = session(60, others, 700 + seed, snr).microphones[0].astype(np.float32)
        pairs = [(strangers, False), (day.microphones[0].astype(np.float32), False), (day.cameras[1], True)]
        for other, between in pairs:
            with ExitStack() as stack:
                confidences.append(aligned(stack, mine.cameras[0], other, between).match.confidence)
    refused = 100 - _accepted(confidences)
    yield Bar(f"wrong audio refused of {len(confidences)}", refused, 100, "%", True)


def camera_bars(said: list[np.ndarray], sessions: int, snr: float) -> Iterator[Bar]:
    """Two cameras whose own sound is all there is."""
    off, confidences = [], []
    for seed in range(sessions):
        rng = np.random.default_rng(3000 + seed)
        begin, ppm, seconds = rng.uniform(0, 6), rng.uniform(-150, 150), rng.uniform(60, 120)
        made = session(seconds, said, 3000 + seed, snr)
        with ExitStack() as stack:
            found = aligned(stack, made.cameras[0], recorded(made.cameras[1], begin, ppm), between=True)
        confidences.append(found.match.confidence)
        off.append(found.off_ms(begin, ppm, (seconds - begin) / 2))
    yield Bar("cameras alone: offset, median", np.median(off), 0.5, "ms")
    yield Bar("cameras alone: offset, worst", max(off), 2.0, "ms")
    yield Bar(f"cameras alone: accepted of {sessions}", _accepted(confidences), 100, "%", True)


@dataclass(frozen=True)
class Stepped:
    """A planted step and what was made of it."""

    at: float
    seconds: float
    found: Step | None
    audible_ms: float
    """How much a camera can hear of a voice between the true place and the one found."""

    @property
    def off_ms(self) -> float:
        return np.inf if self.found is None else 1000 * abs(self.found.time - self.at)

    @property
    def is_told(self) -> bool:
        return self.found is not None and abs(self.found.time - self.at) <= self.found.within + 0.005


def stepped(said: list[np.ndarray], seed: int, snr: float) -> Stepped:
    """A recorder that loses, or doubles, a piece of both channels."""
    rng = np.random.default_rng(2000 + seed)
    made, ppm = session(STEPS_SECONDS, said, 2000 + seed, snr), rng.uniform(-100, 100)
    at = round(rng.uniform(60, 90) * RATE)
    lost = round(np.exp(rng.uniform(np.log(SHORTEST_STEP), np.log(LONGEST_STEP))) * RATE)
    whole = [recorded(microphone, 1.0, ppm) for microphone in made.microphones]
    with ExitStack() as stack:
        both = [
            aligned(stack, camera, np.concatenate([track[:at], track[at + lost :]]))
            for camera, track in zip(made.cameras, whole, strict=True)
        ]
        found = _together(both)
    between = sorted((at / RATE, found.time if found else at / RATE))
    return Stepped(at / RATE, lost / RATE, found, 1000 * _audible(made, 1.0, between, lost / RATE))


def _together(both: Sequence[Found]) -> Step | None:
    """The one step of both channels, as the sync stage looks it up."""
    steps = [found.match.steps for found in both]
    if any(len(found) != 1 for found in steps):
        return None
    hearings = [
        Hearing(found.reference, found.other, step.lines) for found, (step,) in zip(both, steps, strict=True)
    ]
    spans = [step.span for (step,) in steps]
    return locate(hearings, (min(span[0] for span in spans), max(span[1] for span in spans)))


def _audible(made: Session, begin: float, between: Sequence[float], lost: float) -> float:
    """Seconds of `between` in which a camera hears a voice, on the recorder's clock before or after."""
    first, end = (round((begin + time) * RATE) for time in between)
    return min(
        float(made.audible(AUDIBLE_DB)[first + shift : end + shift].sum()) / RATE
        for shift in (0, round(lost * RATE))
    )


def step_bars(said: list[np.ndarray], sessions: int, snr: float, is_long: bool) -> Iterator[Bar]:
    found = [stepped(said, seed, snr) for seed in range(sessions)]
    for one in found if is_long else []:
        told = f"{one.found.time:.3f} ± {one.found.within:.3f}" if one.found else "not found"
        print(
            f"    {one.seconds:7.3f} s at {one.at:.3f}: {told}, off {one.off_ms:.0f} ms, "
            f"of which {one.audible_ms:.0f} ms can be heard"
        )
    off = np.array([one.off_ms for one in found])
    audible = np.array([one.audible_ms if one.found else np.inf for one in found])
    yield Bar(f"steps: place of {sessions}, median", np.median(off), 50, "ms")
    yield Bar("steps: within 50 ms", _share(off <= 50), 100, "%", True)
    yield Bar("steps: within 50 ms that can be heard", _share(audible <= 50), 100, "%", True)
    yield Bar("steps: within what is told", _share(np.array([one.is_told for one in found])), 100, "%", True)


def _accepted(confidences: list[float]) -> float:
    return _share(np.array(confidences) >= THRESHOLD)


def _share(true: np.ndarray) -> float:
    return 100 * float(np.mean(true))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--snr", type=float, default=0.0)
    parser.add_argument("--only", choices=("sync", "drift", "steps", "cameras", "foreign"))
    parser.add_argument("--each", action="store_true", help="print every step")
    options = parser.parse_args()
    said, count, snr = utterances(SPEAKERS), options.sessions, options.snr
    parts = {
        "sync": sync_bars(said, count, snr),
        "drift": drift_bars(said, snr),
        "steps": step_bars(said, count, snr, options.each),
        "cameras": camera_bars(said, count, snr),
        "foreign": foreign_bars(said, count, snr),
    }
    for name, bars in parts.items():
        if options.only in (None, name):
            for bar in bars:
                print(bar, flush=True)


if __name__ == "__main__":
    main()
