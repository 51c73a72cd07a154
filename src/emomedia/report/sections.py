"""The page's sections as HTML.  Pure; whatever comes from outside is escaped here, and nowhere else.

A figure that counts clips is a link to them: it carries their number, and the list behind it has as many.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from ..dataset.figures import Figures, People
from ..session import SIDES
from ..sync_picture import sync_picture
from .columns import BOXES, NOTHING, Columns
from .gather import Gathered, SessionFacts
from .plots import (
    Histogram,
    heat_counts,
    heat_svg,
    heat_table,
    histogram_svg,
    histogram_table,
    make_histogram,
)

MOST_PICTURES = 12
"""Sessions whose sync is drawn: those with the largest residuals."""

_MEASURES = (
    ("length", "Length of turns", "s"), ("gap", "Gap before a turn (negative: overlap)", "s"),
    ("overlap", "Overlap in a turn", "s"), ("loudness", "Loudness of the speaker", "LUFS"),
    ("dnsmos", "DNSMOS of the speaker, overall", ""), ("snr", "SNR of the speaker", "dB"),
    ("sharpness", "Sharpness, of the less sharp side", ""), ("left_fill", "Share of the half that the left actor fills", ""),
    ("right_fill", "Share of the half that the right actor fills", ""), ("sync", "Residual of sync", "ms"),
)  # fmt: skip


def anchor(text: str, count: int, **wanted: str | Sequence[str]) -> str:
    """A figure that leads to the `count` clips that it is of."""
    from urllib.parse import urlencode

    address = escape("#" + urlencode(wanted, doseq=True))
    return f'<a href="{address}" data-count="{count}">{escape(text)}</a>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already; the first of a row is its heading."""
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def section(name: str, title: str, content: str) -> str:
    return f'<section aria-labelledby="{name}-title"><h2 id="{name}-title">{escape(title)}</h2>{content}</section>'


def _tiles(entries: Iterable[tuple[str, str, str]]) -> str:
    tiles = (
        f"<div><dt>{escape(name)}</dt><dd>{value}<small>{escape(note)}</small></dd></div>"
        for name, value, note in entries
    )
    return f'<dl class="tiles">{"".join(tiles)}</dl>'


def in_and_out(gathered: Gathered, columns: Columns, found: Figures) -> str:
    """What came in and what went out."""
    footage = [each.footage_seconds for each in gathered.sessions]
    known = [seconds for seconds in footage if seconds is not None]
    rejected = sum(found.rejected.values())
    lengths = columns.numbers["length"].astype(np.float64)
    lost = float(lengths[columns.numbers["keep"] == 0].sum()) / 3600
    entries = [
        ("Sessions", anchor(f"{len(gathered.sessions):,}", len(columns)), f"{len(gathered.failures)} without clips"),
        ("Raw hours", anchor(f"{sum(known) / 3600:.2f}", len(columns)), _unknown(len(footage) - len(known))),
        ("Dialogues kept", anchor(f"{found.dialogues:,}", found.dialogues, kind="dialogue", keep="yes"), _of(found, "dialogue")),
        ("Turns kept", anchor(f"{found.turns:,}", found.turns, kind="turn", keep="yes"), _of(found, "turn")),
        ("Hours of dialogues kept", anchor(f"{found.dialogue_hours:.2f}", found.dialogues, kind="dialogue", keep="yes"), ""),
        ("Hours of turns kept", anchor(f"{found.turn_hours:.2f}", found.turns, kind="turn", keep="yes"), "each is also in its dialogue"),
        ("Clips rejected", anchor(f"{rejected:,}", rejected, keep="no"), f"{lost:.2f} hours"),
    ]  # fmt: skip
    reasons = [
        (anchor(reason, count, reason=reason, keep="no"), f"{count:,}")
        for reason, count in found.reasons.most_common()
    ]
    text = "<p>No clip was rejected, or no quality stage was run.</p>"
    if reasons:
        text = "<h3>Why clips were rejected</h3><p>A clip may have several reasons.</p>" + table(
            ("reason", "clips"), reasons
        )
    return section("in-out", "In and out", _tiles(entries) + text)


def _unknown(count: int) -> str:
    return f"unknown of {count} sessions" if count else "of what both takes cover"


def _of(found: Figures, kind: str) -> str:
    return f"{found.rejected[kind]:,} more rejected"


def dataset(found: Figures, known: People) -> str:
    """The rows by which EmoDialogCN describes itself, of the clips that are kept."""
    mean = found.turns_per_dialogue
    clips = found.dialogues + found.turns
    kept = {"keep": "yes"}
    rows = [
        ("Actors", anchor(f"{len(found.actors):,}", _with(found.actors, clips), **kept)),
        ("Emotions", anchor(f"{len(found.emotions):,}", clips, **kept)),
        ("Topics", anchor(f"{len(found.topics):,}", clips, **kept)),
        ("Dialogues", anchor(f"{found.dialogues:,}", found.dialogues, kind="dialogue", **kept)),
        ("Utterances", anchor(f"{found.turns:,}", found.turns, kind="turn", **kept)),
        ("Utterances per dialogue", "–" if mean is None else anchor(f"{mean:.2f}", found.turns, kind="turn", **kept)),
        ("Hours", anchor(f"{found.dialogue_hours:.2f}", found.dialogues, kind="dialogue", **kept)),
    ]  # fmt: skip
    rows += [(f"Gender: {escape(name)}", f"{count:,}") for name, count in sorted(known.genders.items())]
    if known.mean_age is not None:
        rows.append(("Mean age", f"{known.mean_age:.1f} ({min(known.ages)} to {max(known.ages)})"))
    if known.regions:
        rows.append(("Regions", f"{len(known.regions):,}"))
    text = table(("of the clips that are kept", "figure"), rows)
    for title, name, counter in (
        ("Emotions", "emotion", found.emotions), ("Topics", "topic", found.topics), ("Actors", "actor", found.actors)
    ):  # fmt: skip
        text += _details(title, name, counter)
    if known.regions:
        lines = [(escape(region), f"{count:,}") for region, count in known.regions.most_common()]
        text += f"<details><summary>Regions</summary>{table(('region', 'actors'), lines)}</details>"
    if known.unknown and (known.genders or known.ages or known.regions):
        text += f"<p>{len(known.unknown)} actors are not in the table of actors.</p>"
    return section("dataset", "The dataset", text)


def _with(_: Counter[str], clips: int) -> int:
    return clips


def _details(title: str, name: str, counter: Counter[str]) -> str:
    if not counter:
        return ""
    rows = [
        (anchor(word, count, **{name: word, "keep": "yes"}), f"{count:,}")
        for word, count in counter.most_common()
    ]
    return (
        f"<details><summary>{title}: {len(counter):,}</summary>{table((name, 'clips kept'), rows)}</details>"
    )


def histograms(columns: Columns) -> list[Histogram]:
    """One for each measure that any turn has."""
    numbers = columns.numbers
    turns = numbers["kind"] == (
        columns.words["kind"].index("turn") if "turn" in columns.words["kind"] else -2
    )
    keep = numbers["keep"][turns].astype(bool)
    plots = [
        make_histogram(name, title, unit, numbers[name][turns], keep, "turn")
        for name, title, unit in _MEASURES
    ]
    return [plot for plot in plots if plot.count]


def distributions(columns: Columns) -> str:
    """A histogram of each measure, over all turns."""
    figures = "".join(
        f"<figure><figcaption>{escape(plot.title)} <span>{escape(plot.unit)} · {plot.count:,} turns</span></figcaption>"
        f"{histogram_svg(plot)}<details><summary>As a table</summary>"
        f'<div class="scroll" tabindex="0">{histogram_table(plot)}</div></details></figure>'
        for plot in histograms(columns)
    )
    key = (
        '<p><span class="key">kept</span> <span class="key no">rejected</span>; a bar leads to its clips.</p>'
    )
    return section("distributions", "Distributions", key + f'<div class="plots">{figures}</div>')


def framing(columns: Columns) -> str:
    """Where faces and bodies are, in each half: as in the paper's figure 5."""
    numbers, figures = columns.numbers, []
    kind = columns.words["kind"].index("turn") if "turn" in columns.words["kind"] else -2
    wanted = (numbers["kind"] == kind) & (numbers["keep"] == 1)
    for side in SIDES:
        for name, word in zip(BOXES, ("face", "body"), strict=True):
            edges = [numbers[f"{side}_{name}_{edge}"] for edge in ("x0", "y0", "x1", "y1")]
            clips = int((wanted & (edges[0] != NOTHING)).sum())
            if not clips:
                continue
            counts, box, title = (
                heat_counts(edges, wanted, NOTHING),
                f"{side}_{name}",
                f"{side.capitalize()} {word}",
            )
            figures.append(
                f"<figure><figcaption>{title} <span>{clips:,} turns</span></figcaption>{heat_svg(box, title, counts, clips)}"
                f'<details><summary>As a table</summary><div class="scroll" tabindex="0">{heat_table(box, counts)}</div>'
                "</details></figure>"
            )
    if not figures:
        return section(
            "framing", "Framing", "<p>Not measured: no kept turn has a face's or a body's box.</p>"
        )
    text = "<p>In how many of the kept turns a cell of the half, 60 pixels wide, lies within the box; the darker, the more.</p>"
    return section("framing", "Framing", text + f'<div class="heats">{"".join(figures)}</div>')


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
    return section("sync", "Sync", table(head, [row[1] for row in rows]) + pictures)


def _sync_row(session: str, clips: int, recording: str, entry: Mapping[str, Any]) -> tuple[float, list[str]]:
    residual = entry.get("residual_ms")
    cells = [
        anchor(session, clips, session=session), escape(recording), escape(str(entry.get("method", "–"))),
        _number(entry.get("offset"), 4), _number(entry.get("drift_ppm"), 2), _number(residual, 3),
        _number(entry.get("confidence"), 2),
    ]  # fmt: skip
    return (float(residual) if isinstance(residual, int | float) else -1.0), cells


def _number(value: Any, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "–"


def _sync_pictures(sessions: Sequence[SessionFacts]) -> Iterable[str]:
    """Drawings of the sessions that hold worst; as pictures of their own, whose style stays with them."""
    drawn = []
    for session in sessions:
        try:
            picture = sync_picture(session.sync) if session.sync else ""
            residuals = [
                float(session.sync[side][kind].get("residual_ms") or 0.0)
                for side in SIDES for kind in ("take", "track") if session.sync
            ]  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        if picture:
            drawn.append((-max(residuals, default=0.0), session.id, picture))
    for _, name, picture in sorted(drawn)[:MOST_PICTURES]:
        data = base64.b64encode(picture.encode()).decode()
        yield (
            f"<details><summary>{escape(name)}: distance from the clock over time</summary>"
            f'<img class="sync" alt="Distance of every window from its clock in {escape(name)}" '
            f'src="data:image/svg+xml;base64,{data}"></details>'
        )


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
        rows.append([
            anchor(session.id, clips[session.id], session=session.id), _number(session.footage_seconds, 1),
            _number(seconds, 1), _number(speed, 2), escape(bottleneck), _percent(engine.get("busy_share")),
        ])  # fmt: skip
    if not rows:
        return section(
            "throughput", "Throughput", "<p>No session has a run.json of a run that made clips.</p>"
        )
    told = ", ".join(f"{name} in {count}" for name, count in held.most_common())
    text = (
        f"<p>{footage / 3600:.2f} hours of footage in {wall / 3600:.2f} hours, session by session: "
        f"{footage / max(wall, 1e-9):.2f} times as fast as it plays. Bottleneck: {escape(told)} sessions.</p>"
    )
    head = ("session", "footage, s", "run, s", "times real time", "bottleneck", "workers busy")
    return section("throughput", "Throughput", text + table(head, rows))


def _percent(value: Any) -> str:
    return f"{value:.0%}" if isinstance(value, int | float) else "–"


def failures(gathered: Gathered) -> str:
    """Sessions without clips, and files that could not be read."""
    text = "<p>Every session has clips.</p>"
    if gathered.failures:
        rows = [(escape(session), escape(cause)) for session, cause in gathered.failures]
        text = table(("session", "cause"), rows)
    if gathered.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in gathered.notes)
        text += f"<details><summary>{len(gathered.notes)} files that could not be read</summary><ul>{notes}</ul></details>"
    return section("failures", "Failures", text)
