"""The reference engine on the beginning of a session: ``reference_run.py SESSION.toml FRAMES OUT``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from emomedia.options import Options
from emomedia.plan import Clip, Plan, Span
from emomedia.reference.engine import cut
from emomedia.run import run_stage
from emomedia.session import SIDES


def main() -> None:
    description, frames, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        pipeline = run_stage(description, Path(folder), Options(), "sync")
        clip = Clip("bench_000", "dialogue", "bench_000", None, 0, frames, 0, 1)
        plan = Plan("bench", pipeline.probe.rate, (0, frames), (Span(0, frames),), (), (clip,))
        clocks = {side: pipeline.sync[side]["take"] for side in SIDES}
        cut(pipeline.probe, clocks, plan, out)


if __name__ == "__main__":
    main()
