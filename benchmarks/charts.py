"""The charts under benchmarks/results: horizontal bars of medians with their spread, in light and dark."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .bars import FFMPEG, ONE, OURS, PER_CLIP, TWO, Measured, Value, cpu, floor_seconds, wall
from .measuring import Record

CASES = {"h264-8": "H.264, 8 bit", "hevc-10": "HEVC, 10 bit", "smoke": "small"}
NEWER = "ffmpeg 7 or later, well written"


@dataclass(frozen=True)
class Theme:
    """Colours of a chart, for pages of that ground."""

    name: str
    ground: str
    ink: str
    faint: str
    ours: str
    others: str


THEMES = (
    Theme("light", "#ffffff", "#1f2328", "#d8dee4", "#0969da", "#9aa4b2"),
    Theme("dark", "#0d1117", "#e6edf3", "#30363d", "#58a6ff", "#6e7681"),
)


@dataclass(frozen=True)
class Line:
    """One bar: the median, the least and the most of its rounds."""

    label: str
    values: Sequence[float]
    ours: bool

    @property
    def middle(self) -> float:
        return median(self.values)


@dataclass(frozen=True)
class Panel:
    """Bars of one unit, and a line that none can be left of."""

    title: str
    lines: Sequence[Line]
    floor: float | None = None
    floor_label: str = ""


def draw(folder: Path, records: Sequence[Record], machine: dict[str, Any]) -> list[str]:
    """Write ``<chart>-<theme>.svg`` for every chart that the records suffice for; the charts' names."""
    measured = Measured(records)
    charts = {
        "compose": (_compose(measured), "Composing one 4K take to its half: CPU ms a picture on one core"),
        "end_to_end": (_end_to_end(measured, machine["cores"]), "From two 4K takes to clips: ms a composite"),
    }
    stamp = (
        f"{machine['processor']}, {machine['cores']} cores; medians, lines from the least to the most round"
    )
    drawn = []
    for name, (panels, title) in charts.items():
        if panels:
            for theme in THEMES:
                draw_chart(folder / f"{name}-{theme.name}.svg", title, panels, theme, stamp)
            drawn.append(name)
    return drawn


def _compose(measured: Measured) -> list[Panel]:
    panels = []
    for case in measured.cases("compose"):
        peers = [measured.fastest(case, pair) for pair in (("zimg", "zimg-32"), ("swscale", "swscale-fast"))]
        lines: dict[str, Line] = {}  # by label: what was chosen is also one of those that were forced
        for kind in (OURS, "avx2", "scalar", *filter(None, peers)):
            rounds = measured.of("compose", case, kind)
            if rounds:
                label = rounds[0].facts["name"].split(" after")[0].split(" (")[0]
                line = Line(label, [1000 * cpu(r) for r in rounds], label.startswith("emomedia"))
                lines.setdefault(label, line)
        panels.append(Panel(case, list(lines.values())))
    return panels


def _end_to_end(measured: Measured, cores: int) -> list[Panel]:
    panels = []
    for case in measured.cases("end to end"):
        if case not in CASES:
            continue
        floor = floor_seconds(measured, case)
        least = 1000 * median(floor) if floor else None
        label = "decode + encode alone"
        kinds: tuple[tuple[str, Value, float | None, str], ...] = (
            ("wall", wall, least and least / cores, f"({label}) / {cores} cores"),
            ("CPU", cpu, least, label),
        )
        for kind, value, limit, floor_label in kinds:
            lines = [
                Line(
                    name,
                    [1000 * v for v in measured.values("end to end", case, name, value)],
                    name in (TWO, ONE),
                )
                for name in (TWO, ONE, FFMPEG, NEWER, PER_CLIP)
                if measured.of("end to end", case, name)
            ]
            panels.append(Panel(f"{CASES[case]}: {kind}", lines, limit, floor_label))
    return panels


def draw_chart(path: Path, title: str, panels: Sequence[Panel], theme: Theme, stamp: str) -> None:
    """Two panels to a row, below a title, above a stamp."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    import matplotlib.pyplot as plt

    heights = [max(len(panel.lines) for panel in panels[n : n + 2]) for n in range(0, len(panels), 2)]
    size = (11, 0.9 + 0.75 * len(heights) + 0.34 * sum(heights))
    # Dates and random ids left out: the same results are the same file.
    plt.rcParams.update({"svg.hashsalt": "emomedia", "svg.fonttype": "path", "font.size": 10})
    figure, axes = plt.subplots(
        len(heights), 2, figsize=size, height_ratios=heights, facecolor=theme.ground, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    figure.suptitle(title, color=theme.ink, fontsize=13, fontweight="bold", x=0.01, ha="left")
    for axis, panel in zip(axes.flat, panels, strict=False):
        _panel(axis, panel, theme)
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    figure.supxlabel(stamp, color=theme.others, fontsize=8, x=0.01, ha="left")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _panel(axis: Any, panel: Panel, theme: Theme) -> None:
    axis.set_facecolor(theme.ground)
    longest = max(max(line.values) for line in panel.lines)
    for place, line in enumerate(panel.lines):
        colour = theme.ours if line.ours else theme.others
        axis.barh(place, line.middle, height=0.62, color=colour)
        axis.plot([min(line.values), max(line.values)], [place, place], color=theme.ink, linewidth=1)
        axis.text(
            max(line.values) + longest * 0.015, place, _number(line.middle), va="center", color=theme.ink,
            fontweight="bold" if line.ours else "normal",
        )  # fmt: skip
    if panel.floor is not None:
        axis.axvline(panel.floor, color=theme.ink, linewidth=1, linestyle=(0, (3, 2)))
        below = len(panel.lines) - 0.45
        axis.text(panel.floor, below, panel.floor_label, color=theme.ink, fontsize=8, va="top", ha="center")
    axis.set_yticks(range(len(panel.lines)), [line.label for line in panel.lines], color=theme.ink)
    axis.set_title(panel.title, color=theme.ink, fontsize=10, loc="left", pad=10)
    axis.set_xlim(0, longest * 1.15)
    axis.set_ylim(len(panel.lines) - 0.5, -0.6)
    axis.set_xticks([])
    axis.tick_params(axis="y", length=0)
    for edge in ("top", "right", "bottom"):
        axis.spines[edge].set_visible(False)
    axis.spines["left"].set_color(theme.faint)


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"
