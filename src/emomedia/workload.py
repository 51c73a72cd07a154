"""How the engine's workers spent a run: what run.json says about it, and one line for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .session import SIDES

if TYPE_CHECKING:
    from . import _core
    from .placement import Placement

_DOING = {
    "decode": "decoding",
    "compose": "composing",
    "observe": "observing",
    "encode": "encoding",
    "write": "writing",
    "sound": "encoding sound",
}


def workload(report: _core.Report, placement: Placement) -> dict[str, Any]:
    """run.json's object on an engine's run.

    ``busy_seconds`` are seconds that passed by stage, over all workers, ``cpu_seconds`` those of them on a
    core: where they are much fewer the stage waited, for the disk or for other programs.  ``wait_seconds``
    are those in which a worker found nothing to do.  Shares are of the workers' time, which is the run's
    times their number.  ``decoded_on`` tells by side what decoded the take, and why the cores did where a GPU
    should have; ``gpus`` what went over their buses and the most of their memory that was taken, in bytes;
    ``gpus_refused`` which others were done without, and why.
    """
    busy = {time.stage: time.seconds for time in report.stages if time.stage != "wait"}
    cpu = {time.stage: time.cpu_seconds for time in report.stages if time.stage != "wait"}
    total = report.wall_seconds * report.workers or 1.0
    decoded = report.shown_frames + report.lead_in_frames + report.surplus_frames
    return {
        "wall_seconds": round(report.wall_seconds, 3),
        "workers": report.workers,
        "busy_seconds": {stage: round(seconds, 3) for stage, seconds in busy.items()},
        "cpu_seconds": {stage: round(seconds, 3) for stage, seconds in cpu.items()},
        "wait_seconds": round(total - sum(busy.values()), 3),
        "shares": {stage: round(seconds / total, 4) for stage, seconds in busy.items()},
        "busy_share": round(sum(busy.values()) / total, 4),
        "bottleneck": max(busy, key=lambda stage: busy[stage]),
        "composed_frames": report.composed_frames,
        "resumed_frames": report.resumed_frames,
        "decoded_frames": decoded,
        "shown_frames": report.shown_frames,
        "lead_in_frames": report.lead_in_frames,
        "surplus_frames": report.surplus_frames,
        "lead_in_share": round(report.lead_in_frames / max(1, decoded), 4),
        "decoded_on": decoded_on(report, placement),
        "gpus": [
            {
                "index": index,
                "workers": placement.gpu_of.count(index),
                "bytes_to_host": usage.bytes_to_host,
                "bytes_to_device": usage.bytes_to_device,
                "peak_memory": usage.peak_memory,
            }
            for index, usage in zip(placement.gpus, report.gpus, strict=True)
        ],
        "gpus_refused": list(placement.shut.values()),
    }


def decoded_on(report: _core.Report, placement: Placement) -> dict[str, str]:
    """By side what decoded the take."""
    where: dict[str, str] = {}
    for side, on_gpu, left in zip(SIDES, placement.on_gpu, report.left_gpu, strict=True):
        if on_gpu:
            where[side] = f"GPU, at times the cores: {left}" if left else "GPU"
        else:
            where[side] = f"cores: {placement.cores[side]}" if side in placement.cores else "cores"
    return where


def bottleneck_line(work: dict[str, Any]) -> str:
    """`work`, from :func:`workload`, in one line."""
    stage, workers = work["bottleneck"], work["workers"]
    line = (
        f"bottleneck: {_DOING[stage]}, {work['shares'][stage]:.0%} of the workers' time; "
        f"{workers} worker{'s' if workers != 1 else ''} busy {work['busy_share']:.0%}"
    )
    on_gpu = [
        f"{side} on {where}" for side, where in work["decoded_on"].items() if work["gpus"] or ":" in where
    ]
    if on_gpu:
        line += "; decoded: " + ", ".join(on_gpu)
    without = work["gpus_refused"] if work["gpus"] else []  # of none at all the cores' reason tells
    return line + ("; without " + ", ".join(without) if without else "")
