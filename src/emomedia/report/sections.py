"""The page's sections about clips: what came in and went out, figures, distributions, framing.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from html import escape

import numpy as np

from ..dataset.actors import Actor
from ..dataset.figures import Figures, People
from ..session import SIDES
from .columns import BOXES, NOTHING, Columns
from .gather import Gathered
from .markup import anchor, details, hours, long_table, scroll, section, table, tiles, to_section
from .plots import (
    Histogram,
    heat_counts,
    heat_svg,
    heat_table,
    histogram_svg,
    histogram_table,
    make_histogram,
)

_MEASURES = (
    ("length", "Length of turns", "s"),
    ("gap", "Gap before a turn", "s, negative: overlap"),
    ("overlap", "Overlap in a turn", "s"),
    ("loudness", "Loudness of the speaker", "LUFS"),
    ("dnsmos", "DNSMOS of the speaker, overall", ""),
    ("snr", "SNR of the speaker", "dB"),
    ("sharpness", "Sharpness of the less sharp side", ""),
    ("left_fill", "Left actor's share of the half", "share"),
    ("right_fill", "Right actor's share of the half", "share"),
    ("sync", "Residual of sync", "ms"),
)


def in_and_out(gathered: Gathered, columns: Columns, found: Figures) -> str:
    """What came in and what went out."""
    entries = [*_came_in(gathered, len(columns)), *_kept(found), _rejected(columns, found)]
    return section("in-out", "In and out", tiles(entries) + _reasons(found))


_Tile = tuple[str, str, str]
"""Its title, its figure and a remark."""


def _came_in(gathered: Gathered, clips: int) -> list[_Tile]:
    footage = [each.footage_seconds for each in gathered.sessions]
    known = [seconds for seconds in footage if seconds is not None]
    return [
        ("Sessions with clips", anchor(f"{len(gathered.sessions):,}", clips), ""),
        (
            "Sessions without clips",
            to_section("failures", f"{len(gathered.failures):,}"),
            "failed or unfinished",
        ),
        (
            "Raw hours",
            anchor(hours(sum(known) / 3600), clips) if known else "–",
            _unknown(len(footage) - len(known)),
        ),
    ]


def _kept(found: Figures) -> list[_Tile]:
    dialogues, turns = {"kind": "dialogue", "keep": "yes"}, {"kind": "turn", "keep": "yes"}
    return [
        (
            "Dialogues kept",
            anchor(f"{found.dialogues:,}", found.dialogues, **dialogues),
            _of(found, "dialogue"),
        ),
        ("Turns kept", anchor(f"{found.turns:,}", found.turns, **turns), _of(found, "turn")),
        (
            "Hours of dialogues kept",
            anchor(hours(found.dialogue_hours), found.dialogues, **dialogues),
            "",
        ),
        (
            "Hours of turns kept",
            anchor(hours(found.turn_hours), found.turns, **turns),
            "each is also in its dialogue",
        ),
    ]


def _rejected(columns: Columns, found: Figures) -> _Tile:
    rejected = sum(found.rejected.values())
    lengths, turns = columns.numbers["length"].astype(np.float64), _turns(columns)
    away = columns.numbers["keep"] == 0
    lost = [hours(float(lengths[away & kind].sum()) / 3600) for kind in (~turns, turns)]
    return (
        "Clips rejected",
        anchor(f"{rejected:,}", rejected, keep="no"),
        f"{lost[0]} hours of dialogues, {lost[1]} of turns",
    )


def _reasons(found: Figures) -> str:
    reasons = [
        (anchor(reason, count, reason=reason, keep="no"), f"{count:,}")
        for reason, count in found.reasons.most_common()
    ]
    if not reasons:
        return "<p>No clip was rejected.</p>"
    heading = "<h3>Why clips were rejected</h3><p>A clip may have several reasons.</p>"
    return heading + table(("reason", "clips"), reasons)


def _unknown(count: int) -> str:
    return f"unknown for {count} sessions" if count else "of what both takes cover"


def _of(found: Figures, kind: str) -> str:
    return f"{found.rejected[kind]:,} more rejected"


def dataset(columns: Columns, found: Figures, known: People, actors: Mapping[str, Actor]) -> str:
    """The rows by which EmoDialogCN describes itself, of the clips that are kept."""
    mean = found.turns_per_dialogue
    clips = found.dialogues + found.turns
    turns, dialogues = {"kind": "turn", "keep": "yes"}, {"kind": "dialogue", "keep": "yes"}
    rows = [
        ("Actors", anchor(f"{len(found.actors):,}", clips, keep="yes")),
        ("Emotions", anchor(f"{len(found.emotions):,}", clips, keep="yes")),
        ("Topics", anchor(f"{len(found.topics):,}", clips, keep="yes")),
        ("Dialogues", anchor(f"{found.dialogues:,}", found.dialogues, **dialogues)),
        ("Utterances", anchor(f"{found.turns:,}", found.turns, **turns)),
        ("of these, backchannels", _backchannels(columns)),
        ("Utterances per dialogue", "–" if mean is None else anchor(f"{mean:.2f}", found.turns, **turns)),
        ("Hours", anchor(hours(found.dialogue_hours), found.dialogues, **dialogues)),
    ]
    text = "<div>" + table(("of what is kept", "figure"), rows + _people(columns, found, known, actors))
    if known.unknown and (known.genders or known.ages or known.regions):
        text += f"<p>{len(known.unknown)} actors are not in the table of actors.</p>"
    text += "</div>"
    for title, name, counter in (
        ("Emotions", "emotion", found.emotions),
        ("Topics", "topic", found.topics),
        ("Actors", "actor", found.actors),
    ):
        text += _counted(title, name, counter)
    return section("dataset", "The dataset", f'<div class="columns">{text}</div>')


def _backchannels(columns: Columns) -> str:
    numbers = columns.numbers
    count = int(((numbers["backchannel"] == 1) & (numbers["keep"] == 1)).sum())
    return anchor(f"{count:,}", count, kind="turn", keep="yes", backchannel="yes")


def _people(
    columns: Columns, found: Figures, known: People, actors: Mapping[str, Actor]
) -> list[tuple[str, str]]:
    """Rows about the actors that the table of actors knows; they lead to the clips of those who are meant."""
    there = [actors[name] for name in found.actors if name in actors]

    def row(title: str, text: str, who: Collection[str]) -> tuple[str, str]:
        return escape(title), anchor(text, clips_with(columns, who), actor=sorted(who), keep="yes")

    rows = [
        row(f"Gender: {gender}", f"{count:,}", {actor.id for actor in there if actor.gender == gender})
        for gender, count in sorted(known.genders.items())
    ]
    if known.mean_age is not None:
        ages = f"{known.mean_age:.1f} ({min(known.ages)} to {max(known.ages)})"
        rows.append(row("Mean age", ages, {actor.id for actor in there if actor.age is not None}))
    return rows + [
        row(f"Region: {region}", f"{count:,}", {actor.id for actor in there if actor.region == region})
        for region, count in known.regions.most_common()
    ]


def clips_with(columns: Columns, who: Collection[str]) -> int:
    """Kept clips in which any of these actors is."""
    places = [number for number, name in enumerate(columns.words["actor"]) if name in who]
    numbers = columns.numbers
    there = np.isin(numbers["left_actor"], places) | np.isin(numbers["right_actor"], places)
    return int((there & (numbers["keep"] == 1)).sum())


def _counted(title: str, name: str, counter: Counter[str]) -> str:
    if not counter:
        return ""
    rows = [
        (anchor(word, count, **{name: word, "keep": "yes"}), f"{count:,}")
        for word, count in counter.most_common()
    ]
    return f"<div><h3>{title}: {len(counter):,}</h3>{long_table((name, 'clips kept'), rows)}</div>"


_TITLES = {"picture": "Frames seen in", "face": "Faces", "person": "Persons", "dnsmos": "DNSMOS"}
_SEEN = {"engine": "the engine, before they were encoded", "clip": "the encoded clip"}


def measured(gathered: Gathered) -> str:
    """What found faces, persons and ratings, and where the frames were seen."""
    rows = []
    for what, counts in gathered.tools.items():
        names = [(_SEEN.get(name, name), count) for name, count in counts.most_common()]
        several = len(names) > 1
        by = "; ".join(f"{name} (of {count:,} clips)" if several else name for name, count in names)
        rows.append((_TITLES[what], escape(by or "nothing")))
    return section("measured", "How it was measured", table(("what", "by"), rows))


def _turns(columns: Columns) -> np.ndarray:
    """Which clips are turns, bool[clips]."""
    kinds = columns.words["kind"]
    turns: np.ndarray = columns.numbers["kind"] == (kinds.index("turn") if "turn" in kinds else -2)
    return turns


def histograms(columns: Columns) -> list[Histogram]:
    """One for each measure that any turn has."""
    numbers, turns = columns.numbers, _turns(columns)
    keep = numbers["keep"][turns].astype(bool)
    plots = [
        make_histogram(name, title, unit, numbers[name][turns], keep, "turn")
        for name, title, unit in _MEASURES
    ]
    return [plot for plot in plots if plot.count]


def distributions(columns: Columns) -> str:
    """A histogram of each measure, over all turns."""
    drawn = []
    for plot in histograms(columns):
        unit = f"{escape(plot.unit)} · " if plot.unit else ""
        caption = f"{escape(plot.title)} <span>{unit}{plot.count:,} turns</span>"
        as_table = details("As a table", scroll(histogram_table(plot)))
        drawn.append(f"<figure><figcaption>{caption}</figcaption>{histogram_svg(plot)}{as_table}</figure>")
    key = (
        '<p><span class="key">kept</span> <span class="key no">rejected</span>; a bar leads to its clips.</p>'
    )
    return section("distributions", "Distributions", key + f'<div class="plots">{"".join(drawn)}</div>')


def framing(columns: Columns) -> str:
    """Where faces and bodies are in each half, as EmoDialogCN shows its framing."""
    numbers, drawn = columns.numbers, []
    wanted = _turns(columns) & (numbers["keep"] == 1)
    for side in SIDES:
        for name, word in zip(BOXES, ("face", "body"), strict=True):
            edges = [numbers[f"{side}_{name}_{edge}"] for edge in ("x0", "y0", "x1", "y1")]
            clips = int((wanted & (edges[0] != NOTHING)).sum())
            if clips:
                counts = heat_counts(edges, wanted, NOTHING)
                drawn.append(_heat(f"{side}_{name}", f"{side.capitalize()} {word}", counts, clips))
    text = "<p>Not measured: no kept turn has the box of a face or a body.</p>"
    if drawn:
        text = (
            "<p>In how many of the kept turns each cell of the half, 60 pixels wide, is within the box: "
            f'the stronger its colour, the more.</p><div class="heats">{"".join(drawn)}</div>'
        )
    return section("framing", "Framing", text)


def _heat(box: str, title: str, counts: np.ndarray, clips: int) -> str:
    caption = f"<figcaption>{title} <span>{clips:,} turns</span></figcaption>"
    as_table = details("As a table", scroll(heat_table(box, counts)))
    return f"<figure>{caption}{heat_svg(box, title, counts, clips)}{as_table}</figure>"
