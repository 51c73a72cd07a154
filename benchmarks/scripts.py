"""How many turns come to the right line of the script, by how freely the actors improvise.

    python -m benchmarks.scripts [--sessions N] [--seed S]

Scripts and actors are made up (``improvised.py``); a table with a line for each share of changed characters,
then the time that a session of 400 turns takes, then the bars: exit status 1 if one isn't met.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from random import Random

from emomedia.scripts import match

from .improvised import played, written_script

BARS = {0.3: 0.98, 0.5: 0.90}
"""Share of changed characters, and of turns to the right line."""

TURNS, SECONDS = 400, 1.0


@dataclass
class Score:
    """Turns that say a line, turns that say none, lines that nobody said; how many were told right."""

    said: int = 0
    said_right: int = 0
    own: int = 0
    own_right: int = 0
    dropped: int = 0
    dropped_right: int = 0
    confident: int = 0
    confident_right: int = 0

    def add(self, random: Random, scenes: int, lines: int, share: float) -> None:
        script = written_script(random, scenes, lines)
        play = played(random, script, share)
        matched = match(play.turns, script)
        for found, known, confidence in zip(matched.lines, play.truth, matched.confidence, strict=True):
            right = bool(set(found) & set(known)) and set(found) <= set(known) if known else not found
            self.said += bool(known)
            self.said_right += bool(known) and right
            self.own += not known
            self.own_right += not known and right
            self.confident += confidence > 0.9
            self.confident_right += confidence > 0.9 and right
        self.dropped += len(play.dropped)
        self.dropped_right += len(play.dropped & set(matched.unmatched(len(script.lines))))

    @property
    def share(self) -> float:
        """Of the turns that say a line, how many came to it."""
        return self.said_right / self.said

    def line(self) -> str:
        return (
            f"{self.share:8.2%} of {self.said:5} turns to their line  "
            f"{self.own_right / max(1, self.own):8.2%} of {self.own:4} turns without one  "
            f"{self.dropped_right / max(1, self.dropped):8.2%} of {self.dropped:4} lines left out  "
            f"{self.confident_right / max(1, self.confident):8.2%} of confident ones"
        )


def score(share: float, sessions: int, seed: int) -> Score:
    """Sessions of 1 to 12 scenes of about 12 lines."""
    found = Score()
    for number in range(sessions):
        random = Random(f"{seed} {number} {share}")
        found.add(random, random.randint(1, 12), 12, share)
    return found


def seconds_of_long_session(seed: int) -> tuple[int, float]:
    """Turns of a session of over :data:`TURNS`; seconds of a core to match them, compiled, best of three."""
    random = Random(seed)
    script = written_script(random, 34, 12)
    play = played(random, script, 0.3)
    match(play.turns[:20], script)
    seconds = []
    for _ in range(3):
        begin = time.process_time()
        match(play.turns, script)
        seconds.append(time.process_time() - begin)
    return len(play.turns), min(seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=60)
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.sessions} sessions a line")
    met = True
    for share in (0.0, 0.15, 0.3, 0.4, 0.5, 0.6):
        found = score(share, options.sessions, options.seed)
        met &= found.share >= BARS.get(share, 0)
        print(f"{share:4.0%} changed  {found.line()}", flush=True)
    turns, seconds = seconds_of_long_session(options.seed)
    met &= turns >= TURNS and seconds < SECONDS
    print(f"{turns} turns in {seconds:.2f} s of a core")
    print("bars met" if met else f"bars NOT met: {BARS}, {TURNS} turns in {SECONDS} s")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
