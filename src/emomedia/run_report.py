"""run.json: how a session's clips were made, as far as that varies from run to run."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__, _core, stages
from .files import read_small, write_bytes
from .layout import SessionFolder
from .workload import workload

if TYPE_CHECKING:
    from .pipeline import Pipeline

Body = dict[str, Any]


def write_run_report(pipeline: Pipeline, wall_seconds: float) -> None:
    """run.json: what varies from run to run, of the last one that made clips and of what was made since."""
    result = pipeline.cut
    body: Body = {
        "version": __version__,
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "instruction_set": _core.compose_kernel(),
        },
        "workers": pipeline.options.worker_count,
        "wall_seconds": round(wall_seconds, 3),
        "stage_seconds": {stage: round(seconds, 3) for stage, seconds in pipeline.seconds.items()},
        "clips": len(result.rows),
        "clips_made": result.made,
    }
    if result.report is not None and result.placement is not None:
        body["engine"] = workload(result.report, result.placement) | {"encoder": pipeline.encoder.as_json()}
    if not result.made:
        body = _since(_run_report(pipeline.folder), body, pipeline.made)
    write_bytes(pipeline.folder.run_report, (json.dumps(body, indent=1) + "\n").encode())


def _run_report(folder: SessionFolder) -> Body:
    """The content of run.json; empty if it is not valid."""
    try:
        body = stages.parse(read_small(folder.run_report, stages.MAX_BYTES), float)
    except (OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _since(before: Body, now: Body, made: Collection[str]) -> Body:
    """The report of the run that made the clips, with the stages that were `made` since then."""
    if not before.get("clips_made"):
        return now
    try:
        earlier, seconds = before["stage_seconds"], {stage: now["stage_seconds"][stage] for stage in made}
        more = sum(took - earlier.get(stage, 0) for stage, took in seconds.items())
        kept = {
            name: before[name] for name in ("machine", "workers", "clips_made", "engine") if name in before
        }
        times = {"wall_seconds": round(before["wall_seconds"] + more, 3), "stage_seconds": earlier | seconds}
    except (AttributeError, KeyError, TypeError):  # somebody else's run.json
        return now
    return now | times | kept


def _processor() -> str:
    """The processor's name as Linux reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
