"""How long sync and the speech stage take for hours of sound, and how much memory.

    python -m benchmarks.long_voices [--hours H] [--folder DIR] [--without-cleaning]

Five minutes of a simulated room, repeated, each time in another order; two tracks, and two cameras with noise
as loud as the voices.  Times on the clock and on the cores, without making the sound.  The sound takes 2.8 GB
an hour, and sync's proxies 0.24 GB.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import wave
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from emomedia.audio._pcm import to_real
from emomedia.audio.align import THRESHOLD
from emomedia.audio.conform import Pcm
from emomedia.probe.types import Track
from emomedia.session import SIDES
from emomedia.speech import speech_session
from emomedia.sync.recordings import Recordings
from emomedia.timeline import SAMPLE_RATE
from emomedia.voice.clean import clean_tracks, masks
from tests.audio.sounds import to_s16, track
from tests.rooms import converse, tracks

from .measured import Bar

MINUTES, PIECES = 5, 30
PIECE = MINUTES * 60 * SAMPLE_RATE // PIECES
FAR = round(0.002 * SAMPLE_RATE)
"""Samples by which the camera hears the other actor later than its own."""

NOISE = 0.02


@dataclass(frozen=True)
class Long:
    """By side a conformed track, the same as a recorder's file, and a camera's sound."""

    pcm: dict[str, Pcm]
    files: dict[str, Track]
    cameras: dict[str, Track]


def repeated(folder: Path, times: int) -> Long:
    """`times` times five minutes, in `folder`; says how much of them is overlap."""
    conversation = converse(60 * MINUTES, 5, overlap=0.6)
    both = conversation.active["left"] & conversation.active["right"]
    print(f"{both.mean():.1%} overlap, {times * MINUTES} minutes")
    short = tracks(folder, conversation.in_room(bleed_db=-15))
    arrays = {side: short[side].array for side in SIDES}
    real = {side: to_real(arrays[side]) for side in SIDES}
    rng = np.random.default_rng(0)
    cameras = {
        side: to_s16(real[side] + np.roll(real[other], FAR) + NOISE * rng.standard_normal(len(real[side])))
        for side, other in zip(SIDES, SIDES[::-1], strict=True)
    }
    orders = [rng.permutation(PIECES) for _ in range(times)]
    pcm, files, seen = {}, {}, {}
    for side in SIDES:
        path = folder / f"{side}.long.pcm"
        with path.open("wb") as file:
            for piece in _pieces(arrays[side], orders):
                file.write(piece.astype(piece.dtype.newbyteorder("<")).tobytes())
        samples = times * PIECES * PIECE
        pcm[side] = replace(short[side], path=path, samples=samples, covered=(0, samples))
        files[side] = _written(folder / f"{side}.wav", _pieces(to_s16(real[side]), orders))
        seen[side] = _written(folder / f"{side}.camera.wav", _pieces(cameras[side], orders))
    return Long(pcm, files, seen)


def _pieces(sound: np.ndarray, orders: list[np.ndarray]) -> Iterator[np.ndarray]:
    for order in orders:
        for number in order:
            yield sound[number * PIECE : (number + 1) * PIECE]


def _written(path: Path, pieces: Iterator[np.ndarray]) -> Track:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        for piece in pieces:
            file.writeframesraw(piece.tobytes())
    return track(path, bits=16)


@dataclass
class Spent:
    """Seconds on the clock, and of all cores."""

    wall: float = 0.0
    core: float = 0.0


@contextmanager
def timed(name: str) -> Iterator[Spent]:
    wall, core, spent = time.monotonic(), time.process_time(), Spent()
    yield spent
    spent.wall, spent.core = time.monotonic() - wall, time.process_time() - core
    print(
        f"{name:12} {spent.wall:6.1f} s, {spent.core:6.1f} s of one core, peak {peak_mib():.0f} MiB",
        flush=True,
    )


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def synced(long: Long, folder: Path) -> None:
    """Every recording's place, as the sync stage asks for it."""
    with Recordings(folder) as recordings:
        pairs = [(long.cameras[side], long.files[other]) for side in SIDES for other in SIDES]
        for match in recordings.aligned(pairs):
            assert match and match.confidence >= THRESHOLD and abs(match.offset) < 0.01, match


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, default=None, help="where the sound lies meanwhile")
    parser.add_argument("--without-cleaning", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
        times = max(1, round(options.hours * 60 / MINUTES))
        with ProcessPoolExecutor(1) as another:  # whose memory does not count here
            long = another.submit(repeated, folder, times).result()
        with timed("sync") as sync:
            synced(long, folder)
        with timed("whose voice") as voice:
            body = speech_session("s", long.pcm)
        hours = times * MINUTES / 60
        print(Bar("sync and whose voice, an hour", (sync.wall + voice.wall) / hours, 45, "s"))
        if not options.without_cleaning:
            with timed("overlaps") as overlaps:
                _, report = clean_tracks(long.pcm, masks(body), folder / "sound")
            applied = np.mean([told[side]["applied"] for told in report for side in SIDES])
            print(f"{len(report)} overlaps, {applied:.0%} of the tracks in them changed")
            total = (sync.wall + voice.wall + overlaps.wall) / hours
            print(Bar("with overlaps cleaned, an hour", total, 90, "s"))
        print(Bar("memory", peak_mib(), 1024, "MiB"))


if __name__ == "__main__":
    main()
