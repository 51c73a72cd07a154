"""Times against peers that are measured in turn with them: what the regression guard compares."""

from __future__ import annotations

import shutil
from statistics import median

from .checks import check_clip
from .contenders import Contender, emomedia_run, ffmpeg_once
from .footage import FOOTAGE, Session, make
from .kernels import TASKS, entries
from .measuring import BUILD, run

ROUNDS = 15
FRAMES = 6
RUN_ROUNDS = 3
PEERS = ("zimg", "swscale-fast")


def ratios() -> dict[str, float]:
    """Medians over rounds of emomedia's CPU time by a peer's, by "ratio, <what>"."""
    return {**_compose(), **_run()}


def _compose() -> dict[str, float]:
    found = {}
    for name, task in TASKS.items():
        with entries(task) as contenders:
            wanted = [contenders[kind].contender for kind in ("chosen", *PEERS)]
            rounds = [[contender.run(FRAMES) for contender in wanted] for _ in range(ROUNDS)]
        for number, peer in enumerate(PEERS, 1):
            found[f"ratio, compose, {name}, to {peer}"] = median(times[0] / times[number] for times in rounds)
    return found


def _run() -> dict[str, float]:
    """A whole run of a small session, process and all, by the well-written FFmpeg command."""
    session = make(FOOTAGE["smoke"])
    contenders = emomedia_run(1), ffmpeg_once("ffmpeg", "ffmpeg")
    rounds = [[_cpu(contender, session) for contender in contenders] for _ in range(RUN_ROUNDS)]
    return {"ratio, small run, to ffmpeg": median(ours / theirs for ours, theirs in rounds)}


def _cpu(contender: Contender, session: Session) -> float:
    out = BUILD / "work/check"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    cost = run(contender.commands(session, out))
    for clip, first, end in session.footage.clips:
        check_clip(contender.clip(out, clip), session.footage, first, end)
    shutil.rmtree(out)
    return cost.cpu_s
