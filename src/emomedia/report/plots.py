"""Plots as SVG within the page: histograms and heat maps whose every bar and cell is a link.  Pure.

A link asks the page for the clips that the bar counts.  For keyboards and screen readers there
is a table of the same links beside each plot, so that the drawing's own are left out of the order of tabs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

import numpy as np

WIDTH, HEIGHT = 360, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 4, 4, 16, 22

_LETTER = 7
"""How wide a digit is, generously."""

_BINS = 24

CELLS = (16, 18)
"""Columns and rows of a heat map: squares of 60 pixels of a half."""

_CELL = 10


@dataclass(frozen=True)
class Histogram:
    """How many clips have which values.

    Attributes
    ----------
    name, title, unit : str
        Column of the page, what people call it, and its unit.
    edges : float64[bins + 1]
        Bin `n` holds ``edges[n] <= value < edges[n + 1]``.
    kept, rejected : int64[bins]
    kind : str
        Kind of the clips that are counted.
    """

    name: str
    title: str
    unit: str
    edges: np.ndarray
    kept: np.ndarray
    rejected: np.ndarray
    kind: str

    @property
    def count(self) -> int:
        return int(self.kept.sum() + self.rejected.sum())


def make_histogram(
    name: str, title: str, unit: str, values: np.ndarray, keep: np.ndarray, kind: str
) -> Histogram:
    """Count float32 `values`, NaN being none, in bins of a round width; each tail has one bin."""
    known = np.isfinite(values)
    values, keep = values[known].astype(np.float64), keep[known].astype(bool)
    edges = _edges(values)
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    counts = [np.bincount(place[part], minlength=len(edges) - 1) for part in (keep, ~keep)]
    return Histogram(name, title, unit, edges, counts[0], counts[1], kind)


def _edges(values: np.ndarray) -> np.ndarray:
    """Round numbers over the middle 98 % of `values`; what lies outside falls into a first and last bin."""
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = np.quantile(values, [0.01, 0.99])
    wide = max(high - low, 0.01 * abs(high))
    step = _round_step(wide / _BINS) if wide else 1.0
    edges = np.arange(np.floor(low / step), np.floor(high / step) + 2) * step
    edges = np.array([float(number(float(edge))) for edge in edges])  # as the links write them
    if values.min() < edges[0]:
        edges = np.concatenate([[-np.inf], edges])
    if values.max() >= edges[-1]:
        edges = np.concatenate([edges, [np.inf]])
    return edges


def _round_step(step: float) -> float:
    """1, 2 or 5 times a power of ten, not under `step`."""
    power = 10.0 ** np.floor(np.log10(step))
    return float(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * 0.999))


def number(value: float) -> str:
    """A number for people and for links: no digits that say nothing."""
    return f"{value:.10g}"


def span(low: float, high: float) -> str:
    """``2..2.5``; an end that is open is left out.  What links and the page's script mean by a range."""
    return f"{number(low) if np.isfinite(low) else ''}..{number(high) if np.isfinite(high) else ''}"


def link(**wanted: str) -> str:
    """The address within the page of the clips that are `wanted`."""
    return escape("#" + urlencode(wanted))


def histogram_svg(plot: Histogram) -> str:
    """The drawing of a histogram: kept clips below, rejected ones on top of them."""
    total = plot.kept + plot.rejected
    most, bars = max(1, int(total.max(initial=0))), len(total)
    wide = (WIDTH - _LEFT - _RIGHT) / max(1, bars)
    high = HEIGHT - _TOP - _BOTTOM
    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(plot.title)}: {plot.count} clips; a table of the same follows">'
    ]
    for index in range(bars):
        if not total[index]:
            continue
        x = _LEFT + index * wide
        tall, lower = (float(count) / most * high for count in (total[index], plot.kept[index]))
        base = HEIGHT - _BOTTOM
        words = f"{_range_text(plot, index)}: {plot.kept[index]} kept, {plot.rejected[index]} rejected"
        parts.append(
            f'<a href="{_bar_link(plot, index)}" tabindex="-1" data-count="{total[index]}">'
            f"<title>{escape(words)}</title>"
            f'<rect class="hit" x="{x:.2f}" y="{_TOP}" width="{wide:.2f}" height="{high}"/>'
            f'<rect class="no" x="{x + 0.5:.2f}" y="{base - tall:.2f}" width="{wide - 1:.2f}" '
            f'height="{tall - lower:.2f}"/><rect class="yes" x="{x + 0.5:.2f}" y="{base - lower:.2f}" '
            f'width="{wide - 1:.2f}" height="{lower:.2f}"/></a>'
        )
    parts.append(f'<path class="axis" d="M{_LEFT} {HEIGHT - _BOTTOM}H{WIDTH - _RIGHT}"/>')
    parts += _ticks(plot, wide)
    return "".join([*parts, "</svg>"])


def _ticks(plot: Histogram, wide: float) -> list[str]:
    """Round numbers under the axis, about five, and how many clips the highest bar has."""
    finite = [index for index, edge in enumerate(plot.edges) if np.isfinite(edge)]
    first, last = (float(plot.edges[index]) for index in (finite[0], finite[-1]))
    step = _round_step((last - first) / 5)
    values = [number * step for number in range(math.ceil(first / step - 1e-9), int(last / step + 1e-9) + 1)]
    ticks: list[tuple[float, float, str]] = []
    for value in values:
        x = _LEFT + (finite[0] + (value - first) / (last - first) * (len(finite) - 1)) * wide
        text = number(round(value, 10))
        half = _LETTER * len(text) / 2
        middle = min(max(x, half), WIDTH - half)
        if not ticks or middle - ticks[-1][1] >= half + _LETTER * (len(ticks[-1][2]) / 2 + 1):
            ticks.append((x, middle, text))
    base, most = HEIGHT - _BOTTOM, int((plot.kept + plot.rejected).max(initial=0))
    return [
        *(f'<path class="axis" d="M{x:.1f} {base}v3"/>' for x, _, _ in ticks),
        *(f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{text}</text>' for _, x, text in ticks),
        f'<path class="most" d="M{_LEFT} {_TOP}H{WIDTH - _RIGHT}"/>',
        f'<text x="{WIDTH - _RIGHT}" y="{_TOP - 4}" text-anchor="end">{most:,}</text>',
    ]


def _range_text(plot: Histogram, index: int) -> str:
    low, high = (float(edge) for edge in plot.edges[index : index + 2])
    unit = f" {plot.unit}" if plot.unit else ""
    if not np.isfinite(low):
        return f"below {number(high)}{unit}"
    if not np.isfinite(high):
        return f"{number(low)}{unit} and more"
    return f"{number(low)} to {number(high)}{unit}"


def _bar_link(plot: Histogram, index: int) -> str:
    low, high = (float(edge) for edge in plot.edges[index : index + 2])
    return link(kind=plot.kind, **{plot.name: span(low, high)})


def histogram_table(plot: Histogram) -> str:
    """The histogram's bins that hold clips, as a table of links."""
    rows = [
        f'<tr><th scope="row"><a href="{_bar_link(plot, index)}" data-count="{kept + rejected}">'
        f"{escape(_range_text(plot, index))}</a></th><td>{kept}</td><td>{rejected}</td></tr>"
        for index, (kept, rejected) in enumerate(zip(plot.kept.tolist(), plot.rejected.tolist(), strict=True))
        if kept + rejected
    ]
    return (
        '<table><thead><tr><th scope="col">range</th><th scope="col">kept</th><th scope="col">rejected</th>'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def heat_counts(edges: Sequence[np.ndarray], wanted: np.ndarray, nothing: int) -> np.ndarray:
    """In how many clips a box covers each cell's middle, int64[rows, columns].

    Parameters
    ----------
    edges : four of uint8[clips]
        Left, top, right and bottom in shares of ``nothing - 1``; `nothing` where there is no box.
    wanted : bool[clips]
    """
    columns, rows = CELLS
    use = wanted & (edges[0] != nothing)
    x0, y0, x1, y1 = (edge[use].astype(np.float64) / (nothing - 1) for edge in edges)
    middles = [(np.arange(size) + 0.5) / size for size in CELLS]
    across = ((x0[:, None] <= middles[0]) & (middles[0] < x1[:, None])).astype(np.float32)
    down = ((y0[:, None] <= middles[1]) & (middles[1] < y1[:, None])).astype(np.float32)
    counts: np.ndarray = np.rint(down.T @ across).astype(np.int64).reshape(rows, columns)
    return counts


def heat_svg(box: str, title: str, counts: np.ndarray, clips: int) -> str:
    """The drawing of a heat map, as large as its half: the darker, the more clips have the box there."""
    rows, columns = counts.shape
    parts = [
        f'<svg class="heat" viewBox="0 0 {columns * _CELL} {rows * _CELL}" role="img" '
        f'aria-label="{escape(title)}, of {clips} clips; a table of the same follows">'
    ]
    for row in range(rows):
        for column in range(columns):
            count = int(counts[row, column])
            if not count:
                continue
            share = count / max(1, clips)
            parts.append(
                f'<a href="{_cell_link(box, row, column)}" tabindex="-1" data-count="{count}">'
                f"<title>{share:.0%} of the clips: {count}</title>"
                f'<rect x="{column * _CELL}" y="{row * _CELL}" width="{_CELL}" height="{_CELL}" '
                f'fill-opacity="{share:.3f}"/></a>'
            )
    return "".join([*parts, "</svg>"])


def _cell_link(box: str, row: int, column: int) -> str:
    return link(kind="turn", keep="yes", cell=f"{box}.{column}.{row}")


def heat_table(box: str, counts: np.ndarray) -> str:
    """The heat map's cells as a table of links, rows from above."""
    rows = []
    for row, line in enumerate(counts.tolist()):
        cells = "".join(
            f'<td><a href="{_cell_link(box, row, column)}" data-count="{count}">{count}</a></td>'
            if count
            else "<td></td>"
            for column, count in enumerate(line)
        )
        rows.append(f'<tr><th scope="row">{row + 1}</th>{cells}</tr>')
    heads = "".join(f'<th scope="col">{column + 1}</th>' for column in range(counts.shape[1]))
    return (
        f'<table class="cells"><thead><tr><td></td>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )
