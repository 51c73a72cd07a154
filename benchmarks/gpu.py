"""What only a GPU can be measured with: ``python -m benchmarks.gpu --program PATH --out FOLDER [GROUP ...]``.

The native program (benchmarks/native/gpu) measures what the card can do at the most, the kernel, and
decoding alone against decoding and composing; here come other libraries' decode loops, whole runs of
``emomedia cut`` and x264 alone on all cores, the bars, ``gpu.json`` and a chart.  One round each, since GPU
machines are dear.  gpu.json is written after each part; one that fails is told there and stops no other.
Where groups of parts are named, gpu.json in the folder is gone on with.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emomedia
from emomedia import _core
from emomedia.encoder import driver

from .charts import THEMES, Line, Panel, draw_chart
from .footage import FOOTAGE, make
from .gpu_peers import PEERS
from .machine import machine, versions

CASES = {"gpu-h264-8": "H.264, 8 bit", "gpu-hevc-10": "HEVC, 10 bit"}
SECONDS = 3.0
SESSIONS = (16, 32)
"""Decoders at a time."""
MACS = 71e6
"""Multiply-adds of a 4K take's half: 14 taps down 1080 x 2160 samples and along 1080 x 960, half as many
again for the chroma."""
BYTES = 2160 * 2430 * 1.5 + 960 * 1080 * 1.5
"""Read and written at the least, 8 bits."""


@dataclass(frozen=True)
class Bar:
    """What is asked for, and how it is computed; `least` of None asks for at most `most`."""

    what: str
    measure: Callable[[], float]
    least: float | None = None
    most: float | None = None

    def outcome(self) -> dict[str, Any]:
        """As gpu.json has it; `value` is None where a part of the measurements is missing."""
        try:
            value = self.measure()
        except (LookupError, ZeroDivisionError, ValueError):
            return {"what": self.what, "value": None, "met": False}
        met = (self.least is None or value >= self.least) and (self.most is None or value <= self.most)
        return {"what": self.what, "value": round(value, 4), "met": met}


def card() -> dict[str, Any]:
    """The GPU that is measured, as its driver tells."""
    began = time.perf_counter()
    found = _core.find_gpus()
    took = time.perf_counter() - began
    if not found.gpus:
        raise SystemExit(f"no GPU: {found.reason}")
    gpu = found.gpus[0]
    engines = {f"{limit.codec} {limit.depth}": limit.engines for limit in gpu.decodes if limit.chroma == 420}
    return {
        "name": gpu.name,
        "memory": gpu.memory,
        "driver": driver(found),
        "driver_cuda": found.driver,
        "engines": engines,
        "found_in_seconds": round(took, 3),
    }


def native(program: Path, *arguments: str) -> list[dict[str, Any]]:
    """The JSON lines of one call of the native program; files by their names and their folders' alone."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise SystemExit(f"{program.name} {' '.join(arguments)}: {done.stderr.strip()}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [row | {"file": "/".join(Path(row["file"]).parts[-2:])} if "file" in row else row for row in rows]


MIDDLE = (0.1, 0.9)
"""Of a run's composites: all workers are at work then."""


def progress_of_cut(lines: Iterable[str]) -> list[tuple[float, int, float]]:
    """Times, composites and their share of all, from what ``emomedia cut --json`` says, as it says it."""
    seen = []
    for line in lines:
        event = json.loads(line)
        if (event["event"], event.get("stage")) == ("progress", "cut"):
            seen.append((time.monotonic(), event["done"], event["done"] / event["total"]))
    return seen


def steady_rate(seen: list[tuple[float, int, float]]) -> float:
    """Composites a second in the middle of a run."""
    middle = [(at, done) for at, done, share in seen if MIDDLE[0] <= share <= MIDDLE[1]]
    (began, before), (ended, after) = middle[0], middle[-1]
    return round((after - before) / (ended - began), 1)


def runs(case: str, out: Path, *arguments: str) -> dict[str, Any]:
    """One ``emomedia cut`` of a case, sound as it is: run.json's engine, and its steady rate."""
    session = make(FOOTAGE[case]).description
    turns = next(session.parent.glob("*.turns.json"))
    command = [
        sys.executable,
        "-m",
        "emomedia",
        "cut",
        session,
        "--out",
        out,
        "--turns",
        turns,
        "--clean",
        "off",
        "--json",
        "--encoder",
        "libx264",
        *arguments,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = progress_of_cut(process.stdout)
    if process.returncode != 0:
        raise SystemExit(f"emomedia cut ended with status {process.returncode}")
    report: dict[str, Any] = json.loads(next(out.glob("*/run.json")).read_text())
    return report["engine"] | {"steady_s": steady_rate(seen), "stage_seconds": report["stage_seconds"]}


RAW = "-f rawvideo -pix_fmt yuv420p -s 1920x1080 -r 25"
X264 = "-threads 1 -c:v libx264 -preset veryfast -crf 20 -f null -"


def ffmpeg(*arguments: str) -> list[str]:
    return ["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments]


def x264_alone(case: str, work: Path) -> float:
    """Composites a second that x264 encodes with a single-threaded encoder on every core, as a run does."""
    raw, count = work / "composites.yuv", 75
    session = make(FOOTAGE[case]).description
    with raw.open("wb") as file, emomedia.frames(session, stretches=[(0, count)]) as frames:
        for frame in frames:
            file.write(memoryview(frame.i420))
    cores = len(os.sched_getaffinity(0))
    began = time.monotonic()
    running = [subprocess.Popen(ffmpeg(*RAW.split(), "-i", str(raw), *X264.split())) for _ in range(cores)]
    if any(process.wait() for process in running):
        raise SystemExit("x264 alone failed")
    return cores * count / (time.monotonic() - began)


def same_clips(one: Path, other: Path) -> bool:
    def clips(out: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in out.glob("*/clips/*.mp4")}

    return clips(one) == clips(other) != {}


def peer(name: str, take: str, sessions: int) -> dict[str, Any]:
    """One call of a peer's loop, in a process of its own; it says itself why it was skipped."""
    command = [sys.executable, "-m", "benchmarks.gpu_peers", name, take, str(sessions), str(SECONDS)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        done.check_returncode()
    except subprocess.SubprocessError as error:
        return {"what": name, "sessions": sessions, "skipped": str(error)}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


Part = tuple[str | None, str, Callable[[], Any]]
"""The case that it belongs to, its name in gpu.json, and what measures it."""


def _take(case: str) -> str:
    return str(make(FOOTAGE[case]).description.parent / "left.mp4")


def _kernel(program: Path, _: Path) -> Iterator[Part]:
    yield None, "ceilings", lambda: native(program, "ceilings")[0]
    yield None, "kernel", lambda: native(program, "kernel")


def _decoding(program: Path, _: Path) -> Iterator[Part]:
    def each(what: str, case: str) -> list[dict[str, Any]]:
        return [native(program, what, _take(case), str(count), str(SECONDS))[0] for count in SESSIONS]

    for case in CASES:
        yield case, "check", lambda case=case: native(program, "check", _take(case), "10")[0]
        for what in ("decode", "compose"):
            yield case, what, lambda what=what, case=case: each(what, case)


def _whole(_: Path, work: Path) -> Iterator[Part]:
    """Of nine minutes, like sessions: in short ones decoders' opening and the last chunks weigh much."""
    for case in CASES:
        yield case, "run", lambda case=case: runs(f"{case}-long", work / f"{case}-long", "--device", "cuda")
        yield case, "x264_s", lambda case=case: x264_alone(case, work)
    first = next(iter(CASES))
    yield first, "cores_run", lambda: runs(first, work / "cores", "--device", "cpu")
    yield first, "short_run", lambda: runs(first, work / first, "--device", "cuda")
    yield first, "same_clips", lambda: same_clips(work / first, work / "cores")


def _others(program: Path, _: Path) -> Iterator[Part]:
    for case in CASES:
        yield case, "peers", lambda case=case: [peer(name, _take(case), SESSIONS[0]) for name in PEERS]
        yield (
            case,
            "copy",
            lambda case=case: native(program, "copy", _take(case), str(SESSIONS[-1]), str(SECONDS)),
        )


GROUPS: dict[str, Callable[[Path, Path], Iterator[Part]]] = {
    "kernel": _kernel,
    "decode": _decoding,
    "whole": _whole,
    "peers": _others,
}
"""Of parts, the most wanted first; of the native program and a folder to work in."""


def measure(parts: Iterator[Part], result: dict[str, Any], keep: Callable[[], None]) -> list[str]:
    """Each part's outcome put into `result`, as gpu.json has it, and kept; the names of those that failed."""
    failed = []
    for case, name, work in parts:
        began = time.monotonic()
        try:
            (result if case is None else result[case])[name] = work()
            outcome = "done"
        except (Exception, SystemExit) as error:  # minutes are lent: the others are still worth having
            outcome = f"failed: {type(error).__name__}: {error}"
            failed.append(f"{case or 'all'} {name}")
        print(f"{time.monotonic() - began:6.1f} s  {case or 'all'} {name}: {outcome}", flush=True)
        keep()
    return failed


def fastest(rows: list[dict[str, Any]]) -> float:
    """The best rate of some calls; of peers that were skipped there is none."""
    return max(row["frames_s"] for row in rows if "frames_s" in row)


def bars(result: dict[str, Any]) -> Iterator[Bar]:
    """What docs/gpu.md asks for."""

    def roofline() -> float:
        ceilings = result["ceilings"]
        upright = next(each for each in result["kernel"] if (each["rotate"], each["depth"]) == (0, 8))
        return max(MACS / ceilings["imad_s"], BYTES / ceilings["copy_bytes_s"]) * 1e6 / upright["us"]

    yield Bar("kernel, 8 bits upright, share of the roofline", roofline, least=0.5)
    first = next(iter(CASES))
    yield Bar("clips equal to the cores'", lambda: float(result[first]["same_clips"]), least=1)
    for case, title in CASES.items():
        yield from _case_bars(result, case, title)


def _case_bars(result: dict[str, Any], case: str, title: str) -> Iterator[Bar]:
    found = result[case]

    def alone() -> float:
        return fastest([*found["decode"], *found.get("peers", [])])

    def composing() -> float:
        depth = 10 if "10" in case else 8
        ours = [each["us"] for each in result["kernel"] if each["depth"] == depth and each["blocks"] == 0]
        return max(ours) / 1e6 * alone()

    def whole() -> float:
        run = found["run"]
        return run["composed_frames"] / run["wall_seconds"] / min(alone() / 2, found["x264_s"])

    def crossed() -> float:
        run = found["run"]
        return run["gpus"][0]["bytes_to_host"] / (run["composed_frames"] * 1920 * 1080 * 1.5)

    def equal() -> float:
        return found["check"]["equal"] / found["check"]["frames"]

    yield Bar(f"{title}: composites equal to the cores'", equal, least=1)
    yield Bar(
        f"{title}: decoded and composed, share of the fastest loop that decodes alone",
        lambda: fastest(found["compose"]) / alone(),
        least=0.9,
    )
    yield Bar(f"{title}: composing, share of decoding's time a frame", composing, most=0.05)
    yield Bar(f"{title}: whole run, share of the slower of NVDEC and x264", whole, least=0.9)
    yield Bar(f"{title}: bytes over the bus, composites' worth", crossed, most=1.0)


def chart_lines(found: dict[str, Any]) -> Iterator[Line]:
    """Composites a second, of what was measured."""
    if "decode" in found:
        yield Line("libav on NVDEC alone", [fastest(found["decode"]) / 2], ours=False)
    for row in found.get("peers", []):
        if "frames_s" in row:
            yield Line(f"{row['what']} alone", [row["frames_s"] / 2], ours=False)
    if "compose" in found:
        yield Line("decoded and composed", [fastest(found["compose"]) / 2], ours=True)
    if "x264_s" in found:
        yield Line("x264 alone, all cores", [found["x264_s"]], ours=False)
    for name, device in (("run", "cuda"), ("cores_run", "cpu")):
        if name in found:
            rate = found[name]["composed_frames"] / found[name]["wall_seconds"]
            yield Line(f"emomedia cut --device {device}", [rate], ours=True)


def chart(result: dict[str, Any], out: Path, stamp: str) -> None:
    lines = {title: list(chart_lines(result[case])) for case, title in CASES.items()}
    panels = [Panel(f"{title}: composites a second", each) for title, each in lines.items() if each]
    for theme in THEMES if panels else ():
        draw_chart(out / f"gpu-{theme.name}.svg", "Two 4K takes on a GPU", panels, theme, stamp)


def _told_of_run(found: dict[str, Any]) -> str:
    run = found["run"]
    composites, seconds, steady = run["composed_frames"], run["wall_seconds"], run["steady_s"]
    words = f"whole run {composites / seconds:.1f} composites/s, bottleneck {run['bottleneck']}"
    words += f"; in its middle {steady}, so beginning and end cost {seconds - composites / steady:.1f} s"
    if "x264_s" in found:
        shares = [rate / found["x264_s"] for rate in (composites / seconds, steady)]
        words += "; of x264 alone {:.3f} and {:.3f}".format(*shares)
    return words


def told(result: dict[str, Any]) -> Iterator[str]:
    """What is worth reading first, a line each."""
    for bar in result["bars"]:
        if bar["value"] is not None:
            yield f"{'met ' if bar['met'] else 'MISS'}  {bar['value']:8.3f}  {bar['what']}"
    for case, title in CASES.items():
        if "run" in result[case]:
            yield f"{title}: {_told_of_run(result[case])}"
        for row in result[case].get("peers", []):
            yield f"{title}: {row['what']} {row.get('frames_s', row.get('skipped'))}"


def gone_on_with(before: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """`result` with what was measured before; refused if that was on another card, whose times are others."""
    was, now = before["gpu"]["name"], result["gpu"]["name"]
    if was != now:
        raise SystemExit(f"gpu.json is of {was}, this is {now}: choose another --out")
    return result | before


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what needs a GPU.")
    parser.add_argument("--program", type=Path, required=True, help="emomedia_gpu_bench")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="where gpu.json and the chart go"
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"some of: {', '.join(GROUPS)}")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "gpu.json"
    result: dict[str, Any] = {"machine": machine(), "gpu": card(), "versions": versions()}
    result |= {case: {} for case in CASES}
    if arguments.groups and file.exists():
        result = gone_on_with(json.loads(file.read_text()), result)

    def keep() -> None:
        result["bars"] = [bar.outcome() for bar in bars(result)]
        file.write_text(json.dumps(result, indent=1) + "\n")

    failed = []
    with tempfile.TemporaryDirectory() as work:
        for group in arguments.groups or GROUPS:
            failed += measure(GROUPS[group](arguments.program, Path(work)), result, keep)
    for line in told(result):
        print(line)
    chart(result, arguments.out, f"{result['gpu']['name']}, {result['machine']['cores']} cores; one round")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")
    if result[next(iter(CASES))].get("same_clips") is False:
        raise SystemExit("the clips are not equal to the cores'")


if __name__ == "__main__":
    main()
