"""The index and the report over 100,000 clips: how long until they are made, asked, opened and filtered.

    python -m benchmarks.report_page [--clips N] [--folder DIR]

A made-up dataset without media, its sessions as EmoDialogCN's: --clips 290284 is as many as the paper has.
Bars: a query of the index within 50 ms, the page opened within 2 s, a filter of its list within 100 ms.
The page's times are the browser's own; without Chromium they are left out.  Not to be run at a real-time
priority: the browser's threads would wait for each other for ever.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

TESTS = Path(__file__).parent.parent / "tests"
sys.path.insert(0, str(TESTS))

import pyarrow as pa  # noqa: E402
import pyarrow.compute as pc  # noqa: E402

from audits import session_rows  # noqa: E402
from emomedia.dataset.audit import write_rows  # noqa: E402
from emomedia.dataset.index import read_index, write_index  # noqa: E402
from emomedia.report import write_report  # noqa: E402
from report.browser import Browser, find_chromium  # noqa: E402

DIALOGUES, TURNS = 7, 12
"""Of a session, and of a dialogue; 21,880 and 268,404 in some 3,000 sessions, as the paper has them."""

WORDS = "一個人說的話大約是二十個字所以這裡也一樣"
"""Of each turn."""

ACTORS = 119

FILTERS = {
    "a word of the transcript": "q=一個",
    "kind and verdict": "kind=turn&keep=yes",
    "an actor": "actor=A007",
    "an emotion, a topic": "emotion=Joy&topic=Food",
    "a range": "kind=turn&sharpness=10..20",
    "a cell of the heat map": "kind=turn&keep=yes&cell=left_face.8.7",
    "in another order": "sort=snr-down",
    "all of it": "all",
}
QUERIES: dict[str, tuple[list[str], Callable[[pa.Table], pa.Table]]] = {
    "kept turns of an actor": (
        ["id", "kind", "keep", "actors.left"],
        lambda table: table.filter(pc.field("keep") & (pc.field("actors", "left") == "A007")),
    ),
    "turns by sharpness": (
        ["id", "kind", "quality.left.sharpness"],
        lambda table: table.filter(pc.field("quality", "left", "sharpness") > 40),
    ),
    "hours by emotion": (
        ["emotion", "start", "end"],
        lambda table: table.group_by("emotion").aggregate([("start", "sum"), ("end", "sum")]),
    ),
    "one session": (["id", "session", "path"], lambda table: table.filter(pc.field("session") == "s0007")),
}


def make(out: Path, clips: int) -> None:
    """Audits and syncs of so many clips."""
    for number in range(max(1, clips // (DIALOGUES * (TURNS + 1)))):
        name = f"s{number:04}"
        actors = (f"A{number % ACTORS:03}", f"A{(number + 1) % ACTORS:03}")
        rows = session_rows(name, actors, DIALOGUES, number, TURNS, WORDS)
        (out / name).mkdir(parents=True)
        write_rows(out / name / "clips.jsonl", rows)
        entry = {"offset": 0.0, "drift_ppm": 1.0, "residual_ms": 0.4, "method": "sound", "confidence": 0.9}
        sync = {side: {"take": entry, "track": entry} for side in ("left", "right")}
        for stage, body in {
            "plan": {"footage": [0, 1000 * DIALOGUES], "rate": "25/1"}, "sync": sync,
            "run": {"wall_seconds": 300.0, "clips_made": len(rows), "engine": {"bottleneck": "decode"}},
        }.items():  # fmt: skip
            (out / name / f"{stage}.json").write_text(json.dumps(body))


def timed(work: Callable[[], object]) -> float:
    """Milliseconds on the clock."""
    begin = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begin)


def queries(out: Path) -> Iterator[tuple[str, float, float]]:
    """What was asked, the median of its times, and its bar."""
    for name, (columns, ask) in QUERIES.items():
        yield (
            f"query: {name}",
            median(timed(lambda c=columns, a=ask: a(read_index(out, c))) for _ in range(7)),
            50,
        )


def in_browser(page: Path, profile: Path) -> Iterator[tuple[str, float, float]]:
    """The same of the page: what a reader waits for."""
    browser = Browser(profile)
    try:
        opened = []
        for _ in range(3):
            browser.open(page.as_uri())
            browser.wait("performance.getEntriesByName('ready').length", 60)
            opened.append(browser.run("performance.getEntriesByName('ready')[0].startTime"))
        yield "page: opened", median(opened), 2000
        for name, fragment in FILTERS.items():
            times = []
            for _ in range(5):
                browser.run("location.hash = '#emotion=none'")
                browser.wait("location.hash === '#emotion=none' && page.found.length === 0")
                browser.run("performance.clearMeasures()")
                browser.run(f"location.hash = '#{fragment}'")
                browser.wait("performance.getEntriesByName('filter', 'measure').length")
                times.append(browser.run("performance.getEntriesByName('filter', 'measure')[0].duration"))
            yield f"filter: {name}", median(times), 100
    finally:
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="kept, and used again where it is there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = arguments.folder or Path(scratch) / "OUT"
        rows: list[tuple[str, float, float | None]] = []
        if not out.exists():
            make(out, arguments.clips)
            rows.append(("index: made from nothing", timed(lambda: write_index(out)), None))
        rows.append(("index: again, all as it was", timed(lambda: write_index(out)), None))
        rows += queries(out)
        rows.append(("page: written", timed(lambda: write_report(out)), None))
        size = (out / "report.html").stat().st_size / 1e6
        if find_chromium() is None:
            print("no Chromium here: the page was not opened")
        else:
            rows += in_browser(out / "report.html", Path(scratch) / "profile")
    print(
        f"{len(read_index(out, ['id'])) if out.exists() else arguments.clips:,} clips, page of {size:.1f} MB"
    )
    for name, found, bar in rows:
        verdict = "" if bar is None else f"bar {bar:5.0f} ms  {'met' if found <= bar else 'MISSED'}"
        print(f"{name:45} {found:9.1f} ms  {verdict}")
    if any(bar is not None and found > bar for _, found, bar in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
