"""Compose alone: emomedia's kernels and their native peers on the same pictures, one thread.

``python -m benchmarks.kernels`` measures all in turn and prints a table; EMOMEDIA_CPU forces the kernels.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from .native_peers import Contender, Library, PeerError, Pool, Task, buffers_beyond_cache, peers_of
from .pictures import expected, ideal, largest_difference, psnr, take_picture

LEAST_PSNR = 45.0
"""dB against float64 Lanczos-3, below which a peer does not do the same work."""

TASKS = {
    "upright 8 bit": Task(),
    "upright 10 bit": Task(depth=10),
    "rotated 8 bit": Task(rotate=90),
    "rotated 10 bit": Task(rotate=90, depth=10),
}


@dataclass
class Entry:
    """A contender, how good its pictures are, and its rounds so far."""

    contender: Contender
    psnr: float
    largest: int
    exact: bool
    seconds: list[float] = field(default_factory=list)


@contextmanager
def entries(task: Task, buffers: int | None = None, cpus: tuple[str, ...] = ()) -> Iterator[dict[str, Entry]]:
    """The contenders of a task, each verified on the task's picture.

    They are "chosen" (emomedia as it is), those of `cpus` (instruction sets forced, where this processor
    has them) and the peers' names.  Raises AssertionError where emomedia's picture is not the reference's,
    bit for bit, or a peer's is below LEAST_PSNR.
    """
    picture = take_picture(task)
    pool = Pool(Library(), task, picture, buffers or buffers_beyond_cache(task))
    reference, exact = expected(task, picture), ideal(task, picture)
    found: dict[str, Entry] = {}
    for name, kind, library in _kinds(task, cpus):
        try:
            contender = Contender(pool, kind, library)
        except PeerError:
            if library is None:
                raise
            continue
        if library is not None and contender.name != f"emomedia {name}":
            contender.close()  # a build without these kernels
            continue
        contender.run(1)
        found[name] = verified(contender, reference, exact)
    try:
        yield found
    finally:
        for entry in found.values():
            entry.contender.close()
        pool.close()


def _kinds(task: Task, cpus: tuple[str, ...]) -> list[tuple[str, str, Library | None]]:
    """Name, kind and library of each contender; forced kernels need a copy of the library each."""
    forced: list[tuple[str, str, Library | None]] = [(cpu, "emomedia", Library(cpu)) for cpu in cpus]
    return [("chosen", "emomedia", None), *forced, *((kind, kind, None) for kind in peers_of(task.rotate))]


def verified(contender: Contender, reference: tuple[np.ndarray, ...], exact: list[np.ndarray]) -> Entry:
    """The contender as an entry, if what it made last is right."""
    planes = contender.planes()
    entry = Entry(
        contender,
        psnr=psnr(planes, exact),
        largest=largest_difference(planes, exact),
        exact=all(np.array_equal(a, b) for a, b in zip(planes, reference, strict=True)),
    )
    assert entry.exact or not contender.name.startswith("emomedia"), f"{contender.name}: not the reference's"
    assert entry.psnr >= LEAST_PSNR, f"{contender.name}: {entry.psnr:.1f} dB"
    return entry


def main() -> None:
    """Measure and print; see --help."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="rounds, in which all take turns")
    parser.add_argument("--frames", type=int, default=10, help="pictures a round")
    parser.add_argument("--buffers", type=int, help="pictures to read in turn; default: beyond the caches")
    parser.add_argument(
        "--cpu", nargs="*", default=[], help="instruction sets to force beside the chosen one"
    )
    parser.add_argument("--task", choices=TASKS, nargs="*", default=list(TASKS))
    options = parser.parse_args()
    for name in options.task:
        with entries(TASKS[name], options.buffers, tuple(options.cpu)) as found:
            for _ in range(options.rounds):
                for entry in found.values():
                    entry.seconds.append(entry.contender.run(options.frames) / options.frames)
            _print(name, list(found.values()))


def _print(name: str, found: list[Entry]) -> None:
    print(f"\n{name}: ms a picture (median, least, most), times emomedia's, dB, largest difference")
    ours = median(found[0].seconds)  # the chosen kernels
    for entry in found:
        ms = [1000 * seconds for seconds in sorted(entry.seconds)]
        print(
            f"  {entry.contender.name:62} {median(ms):7.2f} {ms[0]:7.2f} {ms[-1]:7.2f} "
            f"{median(entry.seconds) / ours:6.2f}x {entry.psnr:6.2f} {entry.largest:3}"
        )


if __name__ == "__main__":
    main()
