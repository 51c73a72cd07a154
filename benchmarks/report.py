"""What a run of the suite leaves: a table for people, results.json, README.md and the charts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from emomedia.files import write_bytes

from .bars import OURS, Bar, Measured, all_bars
from .machine import machine, versions
from .measuring import HERE, Record, Store

RESULTS = HERE / "results"


def finish(store: Store, smoke: bool) -> None:
    """Print what the store holds; from a full run also write benchmarks/results/."""
    records = store.all()
    if not records:
        return
    console = Console(width=120)
    console.print(_cost_table(records))
    if smoke:
        return
    bars = all_bars(records, machine()["cores"])
    console.print(_bar_table(bars))
    write(RESULTS, records, bars)


def write(folder: Path, records: Sequence[Record], bars: Sequence[Bar]) -> None:
    """results.json, README.md, charts."""
    from .charts import draw

    folder.mkdir(parents=True, exist_ok=True)
    body = {
        "machine": machine(),
        "versions": versions(),
        "bars": [{**asdict(bar), "met": bar.met} for bar in bars],
        "costs": list(_costs(records)),
        "records": [asdict(record) for record in records],
    }
    write_bytes(folder / "results.json", (json.dumps(body, indent=1) + "\n").encode())
    charts = draw(folder, records, body["machine"])
    write_bytes(folder / "README.md", _markdown(body, bars, charts).encode())


def _costs(records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    """Per contender the medians of its rounds, with the spread of the wall time; milliseconds a frame."""
    measured = Measured(records)
    for group in dict.fromkeys(record.group for record in records):
        for case in measured.cases(group):
            for contender in measured.contenders(group, case):
                rounds = measured.of(group, case, contender)
                walls = [1000 * r.cost.wall_s / r.frames for r in rounds]
                peaks = [r.cost.peak_mb for r in rounds if r.cost.peak_mb is not None]
                yield {
                    "group": group,
                    "case": case,
                    "contender": _label(rounds[0]),
                    "rounds": len(rounds),
                    "wall_ms": median(walls),
                    "wall_ms_least": min(walls),
                    "wall_ms_most": max(walls),
                    "cpu_ms": median(1000 * r.cost.cpu_s / r.frames for r in rounds),
                    "peak_mb": median(peaks) if peaks else None,
                }


def _label(record: Record) -> str:
    """The contender with its version; of emomedia's kernels also whether they were chosen or forced."""
    name = str(record.facts.get("name", record.contender))
    if record.group == "compose" and name.startswith("emomedia"):
        return f"{name}, {'chosen' if record.contender == OURS else 'forced'}"
    return name


def _cost_table(records: Sequence[Record]) -> Table:
    table = Table("what", "on", "by", "rounds", title="Milliseconds a frame: medians")
    for title in ("wall", "least", "most", "CPU", "peak MB"):
        table.add_column(title, justify="right")
    for cost in _costs(records):
        times = (f"{cost[key]:.2f}" for key in ("wall_ms", "wall_ms_least", "wall_ms_most", "cpu_ms"))
        peak = "" if cost["peak_mb"] is None else f"{cost['peak_mb']:.0f}"
        table.add_row(cost["group"], cost["case"], cost["contender"], str(cost["rounds"]), *times, peak)
    return table


_VERDICTS = {True: "met", False: "MISSED", None: ""}


def _bar_row(bar: Bar) -> list[str]:
    limit = "" if bar.limit is None else f"{'≥' if bar.at_least else '≤'} {bar.limit:g}"
    spread = "" if bar.low == bar.high else f"{bar.low:.3g} to {bar.high:.3g}"
    return [bar.name, f"{bar.value:.3g} {bar.unit}", spread, limit, _VERDICTS[bar.met]]


_BAR_COLUMNS = ("measured", "median", "rounds", "bar", "")


def _bar_table(bars: Sequence[Bar]) -> Table:
    table = Table(*_BAR_COLUMNS, title="Against the bars")
    for bar in bars:
        table.add_row(*_bar_row(bar), style="red" if bar.met is False else None)
    return table


def _markdown(body: dict[str, Any], bars: Sequence[Bar], charts: Sequence[str]) -> str:
    lines = [
        "# Results",
        "",
        "Written by `make bench`; how to read them: [benchmarks.md](../../docs/benchmarks.md).",
        "",
    ]
    for chart in charts:
        lines += [
            "<picture>",
            f'  <source media="(prefers-color-scheme: dark)" srcset="{chart}-dark.svg">',
            f'  <img src="{chart}-light.svg" alt="{chart.replace("_", " ")}">',
            "</picture>",
            "",
        ]
    lines += _markdown_table(_BAR_COLUMNS, map(_bar_row, bars))
    for title in ("machine", "versions"):
        lines += ["", f"## {title.capitalize()}", ""]
        lines += _markdown_table((title, ""), ([name, _text(value)] for name, value in body[title].items()))
    return "\n".join(lines) + "\n"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {content}" for name, content in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def _markdown_table(columns: Sequence[str], rows: Any) -> list[str]:
    return [
        "| " + " | ".join(columns) + " |",
        "|" + " --- |" * len(columns),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
