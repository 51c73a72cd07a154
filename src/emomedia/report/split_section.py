"""The page's section about splits: what an export would make of the kept clips.  Pure."""

from __future__ import annotations

from collections import Counter
from html import escape

from ..dataset.splits import FRACTIONS, NAMES, Splits, make_splits, scenes
from ..errors import StageError
from .columns import Columns
from .gather import Gathered
from .markup import anchor, section, table
from .sections import clips_with

_COLUMNS = ("session", "actors", "start", "end", "emotion", "topic")


def splits(gathered: Gathered, columns: Columns) -> str:
    """Shares, actors and sessions of each split, and what a reader has to know of them."""
    kept = gathered.table.filter(gathered.table["keep"]).select(_COLUMNS).to_pylist()
    if not kept:
        return section("splits", "Splits", "<p>No clip is kept.</p>")
    try:
        found = make_splits(scenes(kept))
    except StageError as error:
        return section("splits", "Splits", f"<p>Not known: {escape(str(error))}</p>")
    shares = ", ".join(f"{fraction:g}" for fraction in FRACTIONS)
    text = (
        "<p>What <code>emomedia export</code> makes of the kept clips by default: "
        f"{', '.join(NAMES)} at {shares}, sharing no actor and no dialogue.</p>"
    )
    text += table(("split", "clips", "share of time", "actors", "sessions"), _rows(found, columns))
    notes = "".join(f"<li>{escape(notice)}</li>" for notice in found.notices)
    return section("splits", "Splits", text + (f"<ul>{notes}</ul>" if notes else ""))


def _rows(found: Splits, columns: Columns) -> list[tuple[str, ...]]:
    total = sum(found.seconds.values()) or 1.0
    sessions = Counter(found.of_session.values())
    rows: list[tuple[str, ...]] = []
    for name in NAMES:
        actors = [actor for actor, split in found.of_actor.items() if split == name]
        clips = clips_with(columns, actors)
        count = anchor(f"{clips:,}", clips, actor=actors, keep="yes") if clips else "0"
        rows.append(
            (name, count, f"{found.seconds[name] / total:.1%}", f"{len(actors):,}", f"{sessions[name]:,}")
        )
    return rows
