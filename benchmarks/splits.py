"""How near the splits come to their fractions, and what leaving out sessions costs, for casts of many shapes.

    python -m benchmarks.splits [--actors 5,30,120]

Made-up casts: sessions of 20 to 60 dialogues, seven emotions of different weight, ten topics.  Printed for
each: the share of time that is left out, and by how many points of a share any split is off at most.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator

from emomedia.dataset.splits import NAMES, Scene, Splits, make_splits

Pairs = list[tuple[int, int]]

EMOTIONS = {"Neutral": 3, "Joy": 3, "Anger": 1, "Fear": 1, "Sadness": 1, "Surprise": 1, "Disgust": 0.5}
TOPICS = tuple(f"topic {number}" for number in range(10))

SESSIONS = 3.4
"""For each actor: some 400 of 119, as in EmoDialogCN."""

TROUPE = 6


def _mixed(actors: int, rng: random.Random, within: float) -> Pairs:
    """Sessions of two drawn actors; such a share of them both of one troupe."""
    troupes = [range(first, min(first + TROUPE, actors)) for first in range(0, actors - 1, TROUPE)]
    drawn = (
        rng.sample(rng.choice(troupes) if rng.random() < within else range(actors), 2)
        for _ in range(int(actors * SESSIONS))
    )
    return [(one, other) for one, other in drawn]


SHAPES: dict[str, Callable[[int, random.Random], Pairs]] = {
    "pairs, always the same two": lambda n, _: [(a, a + 1) for a in range(0, n - 1, 2) for _ in range(7)],
    "troupes of six": lambda n, rng: _mixed(n, rng, 1.0),
    "troupes, one session in ten across": lambda n, rng: _mixed(n, rng, 0.9),
    "a ring, each meets two": lambda n, _: [(a, (a + 1) % n) for a in range(n) for _ in range(3)],
    "mixing freely": lambda n, rng: _mixed(n, rng, 0.0),
    "two casts, each meets the other": lambda n, rng: [
        (rng.randrange(n // 2), rng.randrange(n // 2, n)) for _ in range(int(n * SESSIONS))
    ],
    "everyone meets everyone": lambda n, _: [(a, b) for a in range(n) for b in range(a)],
    "one meets all": lambda n, _: [(0, a) for a in range(1, n) for _ in range(3)],
}


def cast(pairs: Pairs, rng: random.Random) -> list[Scene]:
    """Sessions of these pairs."""
    sessions = []
    for number, pair in enumerate(pairs):
        seconds = {("all", ""): 0.0}
        for _ in range(rng.randint(20, 60)):
            length, topic = rng.uniform(30, 150), rng.choice(TOPICS)
            emotion = rng.choices(list(EMOTIONS), list(EMOTIONS.values()))[0]
            for key in (("all", ""), ("emotion", emotion), ("topic", topic)):
                seconds[key] = seconds.get(key, 0.0) + length
        sessions.append(Scene(f"s{number:04}", (f"A{pair[0]:03}", f"A{pair[1]:03}"), seconds))
    return sessions


def off(sessions: list[Scene], splits: Splits) -> dict[str, float]:
    """By subject, how far a split's share of any of its values is from its fraction at most."""
    found: dict[str, float] = {}
    for key in {key for scene in sessions for key in scene.seconds}:
        held = dict.fromkeys(NAMES, 0.0)
        for scene in sessions:
            if scene.session in splits.of_session:
                held[splits.of_session[scene.session]] += scene.seconds.get(key, 0.0)
        total = sum(held.values()) or 1.0
        worst = max(
            abs(held[name] / total - part) for name, part in zip(NAMES, splits.fractions, strict=True)
        )
        found[key[0]] = max(found.get(key[0], 0.0), worst)
    return found


def rows(actors: int) -> Iterator[str]:
    """A line of a Markdown table for each shape."""
    for shape, pairs in SHAPES.items():
        rng = random.Random(f"{shape} {actors}")
        sessions = cast(pairs(actors, rng), rng)
        begin = time.process_time()
        splits = make_splits(sessions, leave_out=True)
        seconds, far = time.process_time() - begin, off(sessions, splits)
        empty = ", ".join(name for name in NAMES if not splits.seconds[name])
        points = " | ".join(f"{100 * far[subject]:.1f}" for subject in ("all", "emotion", "topic"))
        yield (
            f"| {shape} | {actors} | {len(sessions)} | {splits.lost_share:.1%} | {points} | {empty or '–'} "
            f"| {seconds:.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--actors", default="2,5,30,120")
    counts = [int(count) for count in parser.parse_args().actors.split(",")]
    print("| cast | actors | sessions | left out | time | emotions | topics | empty | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for count in counts:
        for line in rows(count):
            print(line, flush=True)


if __name__ == "__main__":
    main()
