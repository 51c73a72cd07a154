"""The page's sections about sessions: how well their clocks hold, how fast they went, what failed.  Pure."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from ..session import SIDES
from .columns import Columns
from .gather import Gathered, SessionFacts
from .markup import anchor, decimal, details, hours, long_table, percent, section
from .sync_plot import sync_plot

MOST_PICTURES = 12
"""Sessions whose sync is drawn: those with the largest residuals."""


def _clips_of(columns: Columns) -> Counter[str]:
    words = columns.words["session"]
    counts = np.bincount(columns.numbers["session"], minlength=len(words)).tolist()
    return Counter(dict(zip(words, counts, strict=True)))


def synchronisation(gathered: Gathered, columns: Columns) -> str:
    """How well each recording's clock holds."""
    clips, rows = _clips_of(columns), []
    for session in gathered.sessions:
        for side in SIDES:
            for kind in ("take", "track"):
                entry = (session.sync or {}).get(side, {}).get(kind)
                if entry:
                    rows.append(_sync_row(session.id, clips[session.id], f"{side} {kind}", entry))
    if not rows:
        return section("sync", "Sync", "<p>No session has a sync.json.</p>")
    rows.sort(key=lambda row: -row[0])
    head = ("session", "recording", "method", "offset, s", "drift, ppm", "residual, ms", "confidence")
    pictures = "".join(_sync_pictures(gathered.sessions))
    return section("sync", "Sync", long_table(head, [row[1] for row in rows]) + pictures)


def _sync_row(session: str, clips: int, recording: str, entry: Mapping[str, Any]) -> tuple[float, list[str]]:
    residual = entry.get("residual_ms")
    cells = [
        anchor(session, clips, session=session),
        escape(recording),
        escape(str(entry.get("method", "–"))),
        decimal(entry.get("offset"), 4),
        decimal(entry.get("drift_ppm"), 2),
        decimal(residual, 3),
        decimal(entry.get("confidence"), 2),
    ]
    return (float(residual) if isinstance(residual, int | float) else -1.0), cells


def _sync_pictures(sessions: Sequence[SessionFacts]) -> Iterable[str]:
    """Drawings of the sessions that hold worst; as pictures of their own, whose style stays with them."""
    drawn = []
    for session in sessions:
        try:
            picture = sync_plot(session.sync) if session.sync else ""
            residuals = [
                float(session.sync[side][kind].get("residual_ms") or 0.0)
                for side in SIDES
                for kind in ("take", "track")
                if session.sync
            ]
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        if picture:
            drawn.append((-max(residuals, default=0.0), session.id, picture))
    for _, name, picture in sorted(drawn)[:MOST_PICTURES]:
        data = base64.b64encode(picture.encode()).decode()
        image = (
            f'<img class="sync" alt="Distance of every window from its clock in {escape(name)}" '
            f'src="data:image/svg+xml;base64,{data}">'
        )
        yield details(f"{name}: distance from the clock over time", image)


def throughput(gathered: Gathered, columns: Columns) -> str:
    """How fast the last run of each session was, and what held it up."""
    clips, rows = _clips_of(columns), []
    wall = footage = 0.0
    held: Counter[str] = Counter()
    for session in gathered.sessions:
        run = session.run or {}
        engine, seconds = run.get("engine") or {}, run.get("wall_seconds")
        if not isinstance(seconds, int | float) or not run.get("clips_made"):
            continue
        bottleneck = str(engine.get("bottleneck", "–"))
        held[bottleneck] += 1
        speed = None if session.footage_seconds is None else session.footage_seconds / max(seconds, 1e-9)
        wall, footage = wall + seconds, footage + (session.footage_seconds or 0.0)
        rows.append(
            [
                anchor(session.id, clips[session.id], session=session.id),
                decimal(session.footage_seconds, 1),
                decimal(seconds, 1),
                decimal(speed, 2),
                escape(bottleneck),
                percent(engine.get("busy_share")),
            ]
        )
    if not rows:
        return section(
            "throughput", "Throughput", "<p>No session has a run.json of a run that made clips.</p>"
        )
    most = ", ".join(f"{name} in {count}" for name, count in held.most_common())
    text = ""
    if gathered.batch_seconds:
        text = (
            f"<p>The batch worked for {hours(gathered.batch_seconds / 3600)} hours: "
            f"{footage / gathered.batch_seconds:.2f} times as fast as these sessions play.</p>"
        )
    text += (
        f"<p>{hours(footage / 3600)} hours of footage in {hours(wall / 3600)} hours, session by session: "
        f"{footage / max(wall, 1e-9):.2f} times as fast as it plays. Bottleneck: {escape(most)} sessions.</p>"
    )
    head = ("session", "footage, s", "run, s", "times real time", "bottleneck", "workers busy")
    return section("throughput", "Throughput", text + long_table(head, rows))


def failures(gathered: Gathered) -> str:
    """Sessions without clips, and files that could not be read."""
    text = "<p>Every session has clips.</p>"
    if gathered.failures:
        rows = (f"<dt>{escape(session)}</dt><dd>{escape(cause)}</dd>" for session, cause in gathered.failures)
        text = f'<dl class="causes">{"".join(rows)}</dl>'
    if gathered.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in gathered.notes)
        title = f"{len(gathered.notes)} files that could not be read, or are not as the index has them"
        text += details(title, f"<ul>{notes}</ul>")
    return section("failures", "Failures", text)
