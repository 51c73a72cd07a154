"""A finished dataset in the layouts that others load: Hugging Face's, WebDataset's, EmoDialogCN's."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import OutputError
from ...files import part_path, read_small, sha256, sync_folder, writing
from ...layout import SessionFolder
from ...stages import MAX_BYTES, parse
from ..figures import figures
from ..splits import Splits
from .card import card
from .croissant import croissant
from .emodialog import write_emodialog
from .huggingface import configs, write_huggingface
from .selection import MEDIA, ExportOptions, Selection, media_file, media_of, rows, select
from .tarred import write_shards

__all__ = ["FORMATS", "ExportOptions", "Exported", "export"]

FORMATS: dict[str, Callable[[Selection, Path, Callable[[int], None]], list[str]]] = {
    "hf": write_huggingface,
    "webdataset": write_shards,
    "emodialog": write_emodialog,
}


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes
    ----------
    files : tuple of str
        The format's own, relative to the folder; beside them are README.md, croissant.json, splits.json
        and splits.csv.
    """

    folder: Path
    clips: int
    files: tuple[str, ...]
    splits: Splits = field(repr=False)


def export(
    out: Path,
    layout: str,
    folder: Path,
    options: ExportOptions | None = None,
    advance: Callable[[int, int], None] = lambda *_: None,
) -> Exported:
    """Write the clips of `out` in `layout` to `folder`, which appears whole or not at all.

    Parameters
    ----------
    layout : str
        One of :data:`FORMATS`.
    advance : callable
        Called with the number of clips done and of all clips.

    Raises
    ------
    StageError
        There is no index, no clip to export, a file that the index names is not there, or sessions were
        made without what the layout needs.
    DescriptionError
        The fractions or the table of actors are wrong.
    OutputError
        `folder` is there already, has no room for the media, or cannot be written.
    """
    options = options or ExportOptions()
    folder = folder.absolute()
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise OutputError(
            folder,
            expected="a new folder",
            found="one that holds something",
            remedy="remove it, or choose another --to",
        )
    selection = select(out.resolve(), options)
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        advance(done, len(selection.table))

    part = part_path(folder)
    _refuse_little_room(folder, sum(path.stat().st_size for path in _media(selection, layout)))
    try:
        with writing(folder):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            names = FORMATS[layout](selection, part, count)
            _describe(selection, layout, folder.name, part, names)
            _publish(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Exported(folder, len(selection.table), tuple(names), selection.splits)


def _media(selection: Selection, layout: str) -> Iterator[Path]:
    """The files that go into an export; a missing one is found now, not after hours."""
    wanted = {"left_video", "right_video"} if layout == "emodialog" else set(MEDIA)
    if layout == "hf" and not selection.options.media:
        return
    for row in rows(selection.table.select(["kind", "path", "audio", "clean", "sides"])):
        if layout != "emodialog" or row["kind"] == "dialogue":
            for name, path in media_of(row).items():
                if name in wanted:
                    yield media_file(selection.out, path)


def _refuse_little_room(folder: Path, needed: int) -> None:
    place = next(parent for parent in folder.parents if parent.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise OutputError(
            folder,
            expected=f"room for {needed / 1e9:.1f} GB of media",
            found=f"{free / 1e9:.1f} GB",
            remedy="free space, choose another --to, or export tables alone: --format hf --no-media",
        )


def _publish(part: Path, folder: Path) -> None:
    """Sync all below `part` and give it its name."""
    for place, _, files in os.walk(part):
        for name in files:
            with (Path(place) / name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(place))
    if folder.exists():
        folder.rmdir()
    part.rename(folder)
    sync_folder(folder.parent)


def _describe(selection: Selection, layout: str, folder_name: str, folder: Path, names: list[str]) -> None:
    """Card, Croissant metadata and splits of an export whose files `names` are written."""
    options, table = selection.options, selection.table
    (folder / "splits.json").write_text(
        json.dumps(selection.splits.as_json(), indent=1, ensure_ascii=False), "utf-8"
    )
    (folder / "splits.csv").write_text(_splits_csv(selection), "utf-8")
    name = options.name or folder_name
    found = figures(table)
    made = json.loads(next(selection.whole(table[:1]))["provenance"])
    made["language"] = _language(selection)
    parts = configs(names) if layout == "hf" else []
    text = card(layout, name, selection, made, parts)
    (folder / "README.md").write_text(text, "utf-8")
    summary = (
        f"{found.dialogues} dialogues and {found.turns} turns of {len(found.actors)} actors, frame-exact"
    )
    digest = sha256(folder / "splits.csv")
    metadata: dict[str, Any] = croissant(
        layout, name, options.license, summary, names, digest, selection.columns
    )
    (folder / "croissant.json").write_text(json.dumps(metadata, indent=1, ensure_ascii=False), "utf-8")


def _language(selection: Selection) -> str | None:
    """The transcript's language, as the first exported session's speech.json names it."""
    folder = SessionFolder(selection.out, selection.table["session"][0].as_py())
    try:
        transcript = parse(read_small(folder.stage("speech"), MAX_BYTES)).get("transcript") or {}
        language = transcript.get("language")
    except (OSError, ValueError, AttributeError):
        return None
    return language if isinstance(language, str) else None


def _splits_csv(selection: Selection) -> str:
    columns = ["id", "kind", "session", "dialogue", "split"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row[name] for name in columns] for row in rows(selection.table.select(columns)))
    return text.getvalue()
