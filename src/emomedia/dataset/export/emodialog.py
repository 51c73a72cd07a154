"""EmoDialogCN's own layout: a video of each side of a dialogue, and the prompts' JSON over all of them.

``videos/<dialogue>_left.mp4`` and ``videos/<dialogue>_right.mp4`` of the dialogues whose sides were made
alone (``--layout composite,left,right``), ``scripts/prompt.json``; and beside these ``dialogues.jsonl``, the
dialogues' rows of the index, with the times of turns and words.

The prompts' JSON has exactly their keys: by dialogue `topic_label`, `num_utterances` and `utterances`, each
of these with `utterance_id` (the turn's id), `speaker_id` (0 on the left, 1 on the right), `emotion_label`
and `text`.  They are all turns of the dialogue, as its video shows them, including those whose own clips
were rejected.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...errors import StageError
from ...files import canonical_json
from ...session import SIDES
from .selection import Row, Selection, media_file, media_of, plain

SCRIPT = "scripts/prompt.json"
ROWS = "dialogues.jsonl"


def write_emodialog(selection: Selection, folder: Path, advance: Callable[[int], None]) -> list[str]:
    """Write the layout in `folder`; `advance` is called for each dialogue.

    Returns
    -------
    list of str
        The names of the files.

    Raises
    ------
    StageError
        There is no dialogue, or one whose turns are not known, or a file that the index names is not there.
    """
    count = selection.table["kind"].to_pylist().count("dialogue")
    if not count:
        raise StageError(
            selection.out, expected="dialogues to export", found="none",
            remedy="give the sessions dialogues, or use another --format",
        )  # fmt: skip
    (folder / "videos").mkdir()
    (folder / "scripts").mkdir()
    names = [SCRIPT, ROWS]
    scripts: dict[str, Any] = {}
    with (folder / ROWS).open("w", encoding="utf-8") as file:
        for row in (row for name, _, clips in selection.parts() if name == "dialogues" for row in clips):
            names += _videos(selection, row, folder)
            scripts |= prompts([row])
            file.write(canonical_json(plain(row)) + "\n")
            advance(1)
    advance(len(selection.table) - count)
    (folder / SCRIPT).write_text(canonical_json(scripts), "utf-8")
    return names


def _videos(selection: Selection, row: Row, folder: Path) -> Iterator[str]:
    """Copy a dialogue's sides; their names.

    Raises StageError where its turns are not known.
    """
    if row["turns"] is None:
        raise StageError(
            f"{row['session']}: {row['id']}", expected="the dialogue's turns in its audit", found="none",
            remedy="run the session again to record them",
        )  # fmt: skip
    media = media_of(row)
    for side in SIDES:
        if f"{side}_video" in media:
            name = f"videos/{row['id']}_{side}.mp4"
            shutil.copyfile(media_file(selection.out, media[f"{side}_video"]), folder / name)
            yield name


def prompts(dialogues: list[Row]) -> dict[str, Any]:
    """The prompts' JSON: the dialogues by id, their turns in order of start."""
    return {
        row["id"]: {
            "topic_label": row["topic"],
            "num_utterances": len(row["turns"]),
            "utterances": [
                {
                    "utterance_id": turn["id"],
                    "speaker_id": SIDES.index(turn["speaker"]),
                    "emotion_label": turn["emotion"],
                    "text": turn["text"] or "",
                }
                for turn in row["turns"]
            ],
        }
        for row in dialogues
    }
