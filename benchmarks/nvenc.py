"""What a card with NVENC reaches: ``python -m benchmarks.nvenc --program PATH --out FOLDER``.

Whole runs by each of its encoders against NVDEC alone (the native program of benchmarks/native/gpu) and
against NVENC alone, fed with the run's own composites by FFmpeg with the core's settings.  Without NVENC it
says so and ends well, unless EMOMEDIA_REQUIRE_NVENC is set.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from emomedia.encoder import Encoder
from emomedia.errors import EmomediaError

from .footage import FOOTAGE, make
from .gpu import CASES, RAW, SECONDS, Part, card, ffmpeg, measure, native, runs
from .machine import machine, versions

ENCODERS = ("h264_nvenc", "hevc_nvenc")
SESSIONS = 8
"""Encoders at a time for NVENC alone: what consumer cards have, and more than any card has engines."""
FRAMES, LOOPS = 100, 10
LEAST = 0.9
"""Of the slower of NVDEC and NVENC, what a whole run is asked to reach."""


def nvenc_alone(out: Path, work: Path, encoder: str) -> float:
    """Composites a second that NVENC encodes when nothing but their upload is between."""
    clip = max(out.glob("*/clips/*.mp4"), key=lambda path: path.stat().st_size)
    raw = str(work / "composites.yuv")
    subprocess.run(ffmpeg("-i", str(clip), "-an", "-frames:v", str(FRAMES), *RAW.split(), raw), check=True)
    settings = f"-c:v {encoder} -preset p3 -tune hq -rc constqp -qp 20 -bf 0 -g 999999 -f null -"
    command = ffmpeg("-stream_loop", str(LOOPS - 1), *RAW.split(), "-i", raw, *settings.split())
    began = time.monotonic()
    running = [subprocess.Popen(command) for _ in range(SESSIONS)]
    codes = [process.wait() for process in running]
    if any(codes):
        raise SystemExit(f"{encoder} alone failed")
    return SESSIONS * FRAMES * LOOPS / (time.monotonic() - began)


def measured(program: Path, work: Path, encoder: str, case: str) -> dict[str, Any]:
    take = str(make(FOOTAGE[case]).description.parent / "left.mp4")
    decode = native(program, "decode", take, "16", str(SECONDS))[0]["frames_s"] / 2
    out = work / f"{case}-{encoder}"
    run = runs(case, out, "--device", "cuda", "--encoder", encoder)["engine"]
    alone = nvenc_alone(out, work, encoder)
    rate = run["composed_frames"] / run["wall_seconds"]
    share = rate / min(decode, alone)
    return {
        "run": run,
        "run_s": rate,
        "nvdec_s": decode,
        "nvenc_s": alone,
        "share": share,
        "met": share >= LEAST,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what needs a card with NVENC.")
    parser.add_argument("--program", type=Path, required=True, help="emomedia_gpu_bench")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where nvenc.json goes")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    body: dict[str, Any] = {"machine": machine(), "gpu": card(), "versions": versions()}
    failed = []

    def keep() -> None:
        (arguments.out / "nvenc.json").write_text(json.dumps(body, indent=1) + "\n")

    for encoder in ENCODERS:
        try:
            there = Encoder(encoder).card
        except EmomediaError as error:
            if os.environ.get("EMOMEDIA_REQUIRE_NVENC"):
                raise SystemExit(str(error)) from error
            print(f"no {encoder}: {error.found}")
            body[encoder] = {"refused": error.found}
            keep()
            continue
        assert there is not None
        body[encoder] = there.as_json()
        for case in CASES:
            with tempfile.TemporaryDirectory() as work:
                parts: list[Part] = [
                    (encoder, case, partial(measured, arguments.program, Path(work), encoder, case))
                ]
                failed += measure(iter(parts), body, keep)
            if case in body[encoder]:
                print(verdict(body[encoder][case], f"{CASES[case]}, {encoder}"))
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def verdict(found: dict[str, Any], what: str) -> str:
    met = "met " if found["met"] else "MISS"
    return f"{met}  {found['share']:8.3f}  {what}: run, of the slower engine alone"


if __name__ == "__main__":
    main()
