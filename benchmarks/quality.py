"""What the quality stage finds of planted faults, and what it rejects of good footage.

    python -m benchmarks.quality [pictures|sound|sync] [--variants N] [--conversations N]

Pictures are of the real people among the shared recordings, as halves of composites; sound is of real people
in simulated rooms, with the speech stage's own word on who speaks when.  The bars: each fault found with a
recall of 0.95 at least, at most 2 % of good clips rejected.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from emomedia.quality.measure import Tools
from emomedia.quality.profile import judge, read_profile
from tests.planted import Clip, picture_clips, reasons, sound_clips, sync_clips

RECALL, FALSE_ALARMS = 0.95, 0.02


@dataclass
class Score:
    """How often a fault was found, by what it is called."""

    found: int = 0
    planted: int = 0

    @property
    def share(self) -> float:
        return self.found / self.planted if self.planted else 0.0


def scores(clips: Iterable[Clip], told: bool = False) -> dict[str, Score]:
    """Per fault how often it is found; under ``good`` how often a good clip is rejected."""
    rules = read_profile()
    seen = {"left": True, "right": True}
    found: dict[str, Score] = defaultdict(Score)
    for clip in clips:
        verdict = judge(clip.row, rules, seen)
        faults = {
            reason.removeprefix(f"{side}: ").partition(" (")[0]
            for reason in verdict.reasons
            for side in ([clip.side] if clip.side else ["left", "right"])
        }
        score = found[clip.fault or "good"]
        score.planted += 1
        right = not verdict.keep if clip.fault is None else bool(faults & set(reasons(clip.fault)))
        score.found += right
        if told and right == (clip.fault is None):
            print("   ", clip.fault or "good", verdict.reasons)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="pictures, sound, sync; all by default")
    parser.add_argument("--variants", type=int, default=3, help="of each shot")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--conversations", type=int, default=8)
    parser.add_argument("--sessions", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--verbose", action="store_true", help="tell each mistake")
    choices = parser.parse_args()
    tools = replace(Tools.found(), dnsmos=None)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        kinds = {
            "pictures": picture_clips(choices.variants, choices.frames, tools),
            "sound": sound_clips(choices.conversations, choices.seconds, Path(folder), tools),
            "sync": sync_clips(choices.sessions, Path(folder)),
        }
        for kind in choices.kinds or kinds:
            clips = kinds[kind]
            found = scores(clips, choices.verbose)
            good = found.pop("good")
            meets = good.share <= FALSE_ALARMS
            failed |= not meets
            print(
                f"{kind}: good clips rejected {good.found} of {good.planted}, {good.share:.1%}"
                f"{'' if meets else '  NOT MET'}"
            )
            for fault, score in found.items():
                meets = score.share >= RECALL
                failed |= not meets
                print(
                    f"  {fault:14} {score.found:4} of {score.planted:4}  {score.share:.3f}"
                    f"{'' if meets else '  NOT MET'}"
                )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
