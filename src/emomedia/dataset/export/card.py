"""The data card: README.md with the front matter that dataset hubs read, filled from the figures.  Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..figures import Figures, People, figures, people
from ..splits import NAMES
from .selection import Selection

_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_LETTERS = {1_000: "1K", 10_000: "10K", 100_000: "100K", 1_000_000: "1M"}
_MOST_LISTED = 40

_MEDIA = {
    True: "The media are in them. torchcodec decodes them as rows are read; of a dataset loaded with "
    "`streaming=True`, `turns.decode(False)` has the files' bytes without it.\n",
    False: "The media are not in them.\n",
}

_LAYOUTS = {
    "hf": "Parquet files by part and split:\n\n"
    "```python\nfrom datasets import load_dataset\n\n"
    'turns = load_dataset("PATH_OF_THIS_FOLDER", "turns", split="train")\n```\n',
    "webdataset": "WebDataset shards, `<part>-<split>-<number>.tar`; a clip's members are `.json`, `.mp4`, "
    "`.left.flac` and `.right.flac`:\n\n"
    "```python\nimport webdataset\n\n"
    'turns = webdataset.WebDataset("turns-train-000000.tar", shardshuffle=False)\n```\n',
    "emodialog": "EmoDialogCN's layout: `videos/<dialogue>_<side>.mp4` and `scripts/prompt.json`; "
    "`dialogues.jsonl` has the dialogues' rows of the index, with the times of turns and words; "
    "`splits.csv` has the split of each dialogue.\n",
}


def card(
    layout: str, name: str, selection: Selection, made: Mapping[str, Any], configs: list[dict[str, Any]]
) -> str:
    """README.md.

    Parameters
    ----------
    made : mapping
        How the clips were made: `version`, `libraries`, `settings` of one of them, and the transcript's
        `language` or None.
    configs : list
        The front matter's ``configs``; empty where the layout has none.
    """
    found, license_id = figures(selection.table), selection.options.license
    known = people(found, selection.actors)
    front: dict[str, Any] = {
        "pretty_name": name,
        "language": [made["language"]] if made.get("language") else [],
        "license": license_id or "other",
        "size_categories": [size_category(len(selection.table))],
        "task_categories": ["video-classification", "audio-classification", "automatic-speech-recognition"],
        "tags": ["dialogue", "emotion", "audio-visual"],
        "configs": configs,
    }
    lines = ["---", *(f"{key}: {_yaml(value)}" for key, value in front.items() if value), "---", ""]
    lines += [
        f"# {_plain(name)}",
        "",
        "Frame-exact clips of two people talking face to face: 1920×1080, left actor ",
    ]
    lines[-1] += "in the left half, right actor in the right, each with a track of their own."
    lines += ["", "## Figures", "", *_figures(found, known), "", "## Splits", "", *_splits(selection)]
    lines += ["", "## Layout", "", _LAYOUTS[layout]]
    if layout == "hf":
        lines += [_MEDIA[selection.options.media]]
    lines += ["## Quality", "", *_quality(selection.judged), "", "## How it was made", "", *_made(made)]
    return "\n".join(lines) + "\n"


def size_category(clips: int) -> str:
    """The hub's word for a number of examples."""
    above = next((size for size in _SIZES if clips < size), None)
    if above is None:
        return "1M<n<10M"
    below = _SIZES[_SIZES.index(above) - 1] if above != _SIZES[0] else None
    return f"{_LETTERS[below]}<n<{_LETTERS[above]}" if below else "n<1K"


def table_2(found: Figures, known: People) -> list[tuple[str, str]]:
    """Names and values by which EmoDialogCN describes itself."""
    mean = found.turns_per_dialogue
    rows = [
        ("Actors", f"{len(found.actors):,}"),
        ("Emotions", f"{len(found.emotions):,}"),
        ("Topics", f"{len(found.topics):,}"),
        ("Dialogues", f"{found.dialogues:,}"),
        ("Utterances", f"{found.turns:,}"),
        ("Utterances per dialogue", "–" if mean is None else f"{mean:.2f}"),
        ("Hours of dialogues", f"{found.dialogue_hours:.2f}"),
        ("Hours of turns", f"{found.turn_hours:.2f}"),
    ]  # fmt: skip
    rows += [(f"Gender: {gender}", f"{count:,}") for gender, count in sorted(known.genders.items())]
    if known.mean_age is not None:
        rows.append(("Mean age", f"{known.mean_age:.1f} ({min(known.ages)}–{max(known.ages)})"))
    if known.regions:
        rows.append(("Regions", f"{len(known.regions):,}"))
    return rows


def _figures(found: Figures, known: People) -> list[str]:
    rejected = sum(found.rejected.values())
    lines = [f"Of the clips that were kept; {rejected:,} rejected ones are here too (`keep`).", ""]
    lines = [*(lines if rejected else ()), "| | |", "| --- | --- |"]
    lines += [f"| {_cell(name)} | {_cell(value)} |" for name, value in table_2(found, known)]
    for title, counter in (("Emotion", found.emotions), ("Topic", found.topics)):
        if counter:
            lines += ["", *_counts(title, counter)]
    return lines


def _counts(title: str, counter: Counter[str]) -> list[str]:
    lines = [f"| {title} | clips |", "| --- | --- |"]
    lines += [f"| {_cell(name)} | {count:,} |" for name, count in counter.most_common(_MOST_LISTED)]
    if len(counter) > _MOST_LISTED:
        lines.append(f"| {len(counter) - _MOST_LISTED} more | |")
    return lines


def _splits(selection: Selection) -> list[str]:
    splits = selection.splits
    total = sum(splits.seconds.values()) or 1.0
    actors = Counter(splits.of_actor.values())
    sessions = Counter(splits.of_session.values())
    rule = (
        "The actors are divided so that little has to be left out and"
        if splits.left_out
        else "Sessions that share an actor, directly or through others, stay together "
        f"(groups: {splits.components}), and the groups are divided so that"
    )
    lines = [
        f"No actor and no dialogue is in two splits. {rule} time, emotions and topics come near "
        f"the fractions (seed {splits.seed}). `splits.json` names every actor and session, `splits.csv` "
        "every clip.",
        "",
        "| split | wanted | share of time | actors | sessions |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, fraction in zip(NAMES, splits.fractions, strict=True):
        share = splits.seconds[name] / total
        lines.append(f"| {name} | {fraction:.1%} | {share:.1%} | {actors[name]} | {sessions[name]} |")
    lines += [line for notice in splits.notices for line in ("", f"Note: {notice}.")]
    if splits.left_out:
        lost = selection.left_out
        lines += [
            "",
            f"Left out are {lost.dialogues:,} dialogues of {lost.dialogue_hours:.2f} hours and "
            f"{lost.turns:,} turns of {lost.turn_hours:.2f} hours; `splits.json` names their sessions.",
        ]
    return lines


def _quality(found: Figures) -> list[str]:
    rejected = sum(found.rejected.values())
    if not rejected:
        return ["No clip was rejected."]
    lines = [f"{rejected:,} clips were rejected. A clip may have several reasons:", ""]
    return lines + _counts("Reason", found.reasons)


def _made(made: Mapping[str, Any]) -> list[str]:
    settings = ", ".join(f"{key} {value}" for key, value in made["settings"].items())
    lines = [f"By emomedia {made['version']}: {_plain(settings) or 'default settings'}."]
    lines.append(f"Libraries: {_plain(', '.join(made['libraries']))}.")
    lines.append(
        "Every clip's row says from which frames and samples it was cut, with the SHA-256 of its files."
    )
    return lines


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """`text` on one line, without anything that Markdown or HTML would interpret."""
    text = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#" else letter for letter in text)


def _yaml(value: Any) -> str:
    """`value` as YAML: JSON, which YAML 1.2 takes as it is."""
    return json.dumps(value, ensure_ascii=False)
