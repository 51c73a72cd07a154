"""What only a GPU can be measured with: ``python -m benchmarks.gpu --program PATH --out FOLDER``.

The native program (benchmarks/native/gpu) measures what the card can do at the most, the kernel, and
decoding alone against decoding and composing; here come whole runs of ``emomedia run`` and x264 alone on all
cores, the bars, ``gpu.json`` and a chart.  One round each: GPU machines are dear.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .charts import THEMES, Line, Panel, draw_chart
from .footage import FOOTAGE, make
from .machine import machine

CASES = {"gpu-h264-8": "H.264, 8 bit", "gpu-hevc-10": "HEVC, 10 bit"}
SECONDS = 3.0
SAME = "clips equal to the cores'"
MACS = 71e6
"""Multiply-adds of a 4K take's half: 14 taps down 1080 x 2160 samples and along 1080 x 960, half as many
again for the chroma."""
BYTES = 2160 * 2430 * 1.5 + 960 * 1080 * 1.5
"""Read and written at the least, 8 bits."""


@dataclass(frozen=True)
class Bar:
    """A value that is asked for, and what came out; `least` of None asks for at most `most`."""

    what: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool:
        return (self.least is None or self.value >= self.least) and (
            self.most is None or self.value <= self.most
        )


def native(program: Path, *arguments: str) -> list[dict[str, Any]]:
    """The JSON lines of one call of the native program."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise SystemExit(f"{program.name} {' '.join(arguments)}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def runs(case: str, out: Path, *arguments: str) -> dict[str, Any]:
    """One ``emomedia run`` of a case; run.json."""
    session = make(FOOTAGE[case]).description
    turns = next(session.parent.glob("*.turns.json"))
    command = [
        sys.executable,
        "-m",
        "emomedia",
        "run",
        session,
        "--out",
        out,
        "--turns",
        turns,
        "--json",
        "--encoder",
        "libx264",
        *arguments,
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)
    report: dict[str, Any] = json.loads(next(out.glob("*/run.json")).read_text())
    return report


RAW = "-f rawvideo -pix_fmt yuv420p -s 1920x1080 -r 25"
X264 = "-threads 1 -c:v libx264 -preset veryfast -crf 20 -f null -"


def ffmpeg(*arguments: str) -> list[str]:
    return ["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments]


def x264_alone(out: Path, work: Path) -> float:
    """Composites a second that x264 encodes with a single-threaded encoder on every core, as a run does."""
    clip = max((out.glob("*/clips/*.mp4")), key=lambda path: path.stat().st_size)
    raw, frames = str(work / "composites.yuv"), 75
    subprocess.run(ffmpeg("-i", str(clip), "-an", "-frames:v", str(frames), *RAW.split(), raw), check=True)
    cores = len(os.sched_getaffinity(0))
    began = time.monotonic()
    running = [subprocess.Popen(ffmpeg(*RAW.split(), "-i", raw, *X264.split())) for _ in range(cores)]
    if any(process.wait() for process in running):
        raise SystemExit("x264 alone failed")
    return cores * frames / (time.monotonic() - began)


def same_clips(one: Path, other: Path) -> bool:
    def clips(out: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in out.glob("*/clips/*.mp4")}

    return clips(one) == clips(other) != {}


def measured(program: Path, work: Path, sessions: int) -> dict[str, Any]:
    """Everything, as gpu.json has it."""
    result: dict[str, Any] = {"ceilings": native(program, "ceilings")[0], "kernel": native(program, "kernel")}
    for case in CASES:
        take = str(make(FOOTAGE[case]).description.parent / "left.mp4")
        found: dict[str, Any] = {"check": native(program, "check", take, "10")[0]}
        for what in ("decode", "compose"):
            found[what] = native(program, what, take, str(sessions), str(SECONDS))[0]
        report = runs(case, work / case, "--device", "cuda")
        found["run"] = report["engine"] | {"stage_seconds": report["stage_seconds"]}
        found["x264_s"] = x264_alone(work / case, work)
        result[case] = found
    first = next(iter(CASES))
    cores = runs(first, work / "cores", "--device", "cpu")
    result[first]["cores_run"] = cores["engine"]
    result[first]["same_clips"] = same_clips(work / first, work / "cores")
    return result


def bars(result: dict[str, Any]) -> Iterator[Bar]:
    """What docs/gpu.md asks for."""
    ceilings = result["ceilings"]
    roofline = max(MACS / ceilings["imad_s"], BYTES / ceilings["copy_bytes_s"]) * 1e6
    upright = next(each for each in result["kernel"] if (each["rotate"], each["depth"]) == (0, 8))
    yield Bar("kernel, 8 bits upright, share of the roofline", roofline / upright["us"], least=0.5)
    yield Bar(SAME, float(result[next(iter(CASES))]["same_clips"]), least=1)
    for case, title in CASES.items():
        found = result[case]
        depth = 10 if "10" in case else 8
        half = max(each["us"] for each in result["kernel"] if each["depth"] == depth) / 1e6
        decode, compose, run = found["decode"]["frames_s"], found["compose"]["frames_s"], found["run"]
        yield Bar(
            f"{title}: composites equal to the cores'",
            found["check"]["equal"] / found["check"]["frames"],
            least=1,
        )
        yield Bar(f"{title}: decoded and composed, share of decoded alone", compose / decode, least=0.9)
        yield Bar(f"{title}: composing, share of decoding's time a frame", half * decode, most=0.05)
        rate = run["composed_frames"] / run["wall_seconds"]
        slowest = min(decode / 2, found["x264_s"])
        yield Bar(f"{title}: whole run, share of the slower of NVDEC and x264", rate / slowest, least=0.9)
        crossed = run["gpus"][0]["bytes_to_host"] / (run["composed_frames"] * 1920 * 1080 * 1.5)
        yield Bar(f"{title}: bytes over the bus, composites' worth", crossed, most=1.0)


def chart(result: dict[str, Any], out: Path, stamp: str) -> None:
    panels = []
    for case, title in CASES.items():
        found = result[case]
        run = found["run"]
        lines = [
            Line("NVDEC alone", [found["decode"]["frames_s"] / 2], ours=False),
            Line("decoded and composed", [found["compose"]["frames_s"] / 2], ours=True),
            Line("x264 alone, all cores", [found["x264_s"]], ours=False),
            Line("emomedia run --device cuda", [run["composed_frames"] / run["wall_seconds"]], ours=True),
        ]
        if "cores_run" in found:
            cores = found["cores_run"]
            lines.append(
                Line(
                    "emomedia run --device cpu", [cores["composed_frames"] / cores["wall_seconds"]], ours=True
                )
            )
        panels.append(Panel(f"{title}: composites a second", lines))
    for theme in THEMES:
        draw_chart(out / f"gpu-{theme.name}.svg", "Two 4K takes on a GPU", panels, theme, stamp)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what needs a GPU.")
    parser.add_argument("--program", type=Path, required=True, help="emomedia_gpu_bench")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="where gpu.json and the chart go"
    )
    parser.add_argument("--sessions", type=int, default=16, help="decoders at a time")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        result = measured(arguments.program, Path(work), arguments.sessions)
    asked = list(bars(result))
    body = {
        "machine": machine(),
        **result,
        "bars": [{"what": bar.what, "value": round(bar.value, 4), "met": bar.met} for bar in asked],
    }
    (arguments.out / "gpu.json").write_text(json.dumps(body, indent=1) + "\n")
    for bar in asked:
        print(f"{'met ' if bar.met else 'MISS'}  {bar.value:8.3f}  {bar.what}")
    if not result[next(iter(CASES))]["same_clips"]:
        raise SystemExit(f"not {SAME}")
    chart(result, arguments.out, f"{result['ceilings']['gpu']}, {body['machine']['cores']} cores; one round")


if __name__ == "__main__":
    main()
