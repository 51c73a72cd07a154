"""How long the speech stage takes for hours of two tracks, and how much memory.

    python -m benchmarks.long_voices [--hours H] [--folder DIR]

Five minutes of a simulated room, repeated; times on the clock and on the cores, without making the sound.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from emomedia.audio.conform import Pcm
from emomedia.session import SIDES
from emomedia.speech import speech_session
from emomedia.voice.clean import clean_tracks, masks
from tests.rooms import converse, tracks

MINUTES = 5


def repeated(folder: Path, times: int) -> dict[str, Pcm]:
    """Two tracks of `times` times five minutes, in `folder`; says how much of them is overlap."""
    conversation = converse(60 * MINUTES, 5, overlap=0.6)
    both = conversation.active["left"] & conversation.active["right"]
    print(f"{both.mean():.1%} overlap, {times * MINUTES} minutes")
    short = tracks(folder, conversation.in_room(bleed_db=-15))
    long = {}
    for side in SIDES:
        path = folder / f"{side}.long.pcm"
        with path.open("wb") as file:
            for _ in range(times):
                with short[side].path.open("rb") as source:
                    shutil.copyfileobj(source, file)
        samples = times * short[side].samples
        long[side] = replace(short[side], path=path, samples=samples, covered=(0, samples))
        short[side].path.unlink()
    return long


@contextmanager
def timed(name: str) -> Iterator[None]:
    wall, core = time.monotonic(), time.process_time()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, core = time.monotonic() - wall, time.process_time() - core
    print(f"{name:12} {wall:6.1f} s, {core:6.1f} s of one core, peak {peak:.0f} MiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, default=None, help="where the tracks lie meanwhile")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        times = max(1, round(options.hours * 60 / MINUTES))
        with ProcessPoolExecutor(1) as another:  # whose memory does not count here
            pcm = another.submit(repeated, folder, times).result()
        with timed("whose voice"):
            body = speech_session("s", pcm)
        with timed("overlaps"):
            _, report = clean_tracks(pcm, masks(body), folder / "sound")
        applied = np.mean([told[side]["applied"] for told in report for side in SIDES])
        print(f"{len(report)} overlaps, {applied:.0%} of the tracks in them changed")


if __name__ == "__main__":
    main()
