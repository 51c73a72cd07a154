"""A plot of how well a session's clocks hold: every window's distance from its clock, over time.  Pure."""

from __future__ import annotations

from html import escape
from typing import Any

from ..session import SIDES

WIDTH, ROW, HEAD, FOOT = 900, 130, 22, 26
_LEFT, _RIGHT = 52, 12

_LEAST_MS = 1.0
"""Milliseconds either way that every row shows; farther than :data:`_MOST_MS` is drawn at the edge."""

_MOST_MS = 12.0
_TICKS = (10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)

_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#555}.t{fill:#222;font-weight:600}"
    ".a{stroke:#bbb;fill:none}.z{stroke:#888}.on{fill:#2a6fb0}.off{fill:#c9c9c9}.s{stroke:#c0392b}"
    ".w{fill:#c0392b}@media(prefers-color-scheme:dark){text{fill:#aaa}.t{fill:#eee}.a{stroke:#555}"
    ".off{fill:#666}.on{fill:#6db3f2}}"
)


def sync_plot(body: dict[str, Any]) -> str:
    """The content of a sync.json as SVG: a row for each recording whose place was found by sound.

    Dots are windows: blue ones bear the clock out, grey ones do not (silence, the other actor, a noise).
    Red lines are steps.  Empty if nothing was found by sound.

    Parameters
    ----------
    body : dict
        As :func:`emomedia.sync.sync_session` returns it, or as read from the file.
    """
    rows = [
        (f"{side} {kind}", body[side][kind])
        for side in SIDES
        for kind in ("take", "track")
        if body.get(side, {}).get(kind, {}).get("windows", {}).get("at")
    ]
    if not rows:
        return ""
    times = [float(time) for _, entry in rows for time in entry["windows"]["at"]]
    span = min(times), max(max(times), min(times) + 1)
    height = len(rows) * (HEAD + ROW) + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-label="Distance of every window from its clock, over time"><style>{_STYLE}</style>'
    ]
    for number, (name, entry) in enumerate(rows):
        parts += _row(name, entry, span, number * (HEAD + ROW))
    parts += _axis(span, height - FOOT)
    return "".join([*parts, "</svg>"])


def _row(name: str, entry: dict[str, Any], span: tuple[float, float], top: int) -> list[str]:
    windows = entry["windows"]
    values = [float(value) for value in windows["residual_ms"]]
    counted = [abs(value) for value, on in zip(values, windows["counts"], strict=True) if on]
    reach = min(_MOST_MS, max(_LEAST_MS, 1.2 * max(counted, default=0.0)))
    middle = top + HEAD + ROW / 2
    parts = [
        f'<text class="t" x="{_LEFT}" y="{top + 15}">{escape(_title(name, entry))}</text>',
        f'<rect class="a" x="{_LEFT}" y="{top + HEAD}" width="{WIDTH - _LEFT - _RIGHT}" height="{ROW}"/>',
        f'<path class="z" d="M{_LEFT} {middle:.1f}H{WIDTH - _RIGHT}"/>',
    ]
    for value in (reach, 0.0, -reach):
        y = middle - value / reach * ROW / 2 + (10 if value > 0 else 4 if value == 0 else -2)
        parts.append(f'<text x="{_LEFT - 4}" y="{y:.1f}" text-anchor="end">{value:.1f} ms</text>')
    for time, value, on in sorted(
        zip(windows["at"], values, windows["counts"], strict=True), key=lambda window: bool(window[2])
    ):
        y = middle - max(-1.0, min(1.0, value / reach)) * ROW / 2
        kind = "on" if on else "off"
        parts.append(f'<circle class="{kind}" cx="{_x(float(time), span):.1f}" cy="{y:.1f}" r="2"/>')
    for step in entry.get("steps", []):
        x = _x(float(step["session"]), span)
        words = f"{1000 * float(step['seconds']):+.1f} ms"
        parts.append(f'<path class="s" d="M{x:.1f} {top + HEAD}v{ROW}"/>')
        parts.append(f'<text class="w" x="{x + 4:.1f}" y="{top + HEAD + 13}">{words}</text>')
    return parts


def _title(name: str, entry: dict[str, Any]) -> str:
    title = f"{name}: {float(entry['offset']):+.4f} s, {float(entry['drift_ppm']):+.1f} ppm"
    return (
        f"{title}, confidence {float(entry['confidence']):.2f}, residual {float(entry['residual_ms']):.2f} ms"
    )


def _axis(span: tuple[float, float], top: int) -> list[str]:
    """Times under the rows, at most a dozen."""
    length = span[1] - span[0]
    tick = next((each for each in _TICKS if length / each <= 12), _TICKS[-1])
    first = int(-(-span[0] // tick)) * tick
    return [
        f'<text x="{_x(time, span):.1f}" y="{top + 16}" text-anchor="middle">{_clock_time(time)}</text>'
        for time in range(first, int(span[1]) + 1, tick)
    ]


def _clock_time(seconds: int) -> str:
    sign, seconds = ("−" if seconds < 0 else ""), abs(seconds)
    hours, minutes = divmod(seconds // 60, 60)
    text = f"{minutes:02d}:{seconds % 60:02d}"
    return f"{sign}{hours}:{text}" if hours else sign + text


def _x(time: float, span: tuple[float, float]) -> float:
    return _LEFT + (time - span[0]) / (span[1] - span[0]) * (WIDTH - _LEFT - _RIGHT)
