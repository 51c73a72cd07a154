"""`emomedia init FOLDER`: drafts a session.toml for each session that a folder seems to hold."""

from __future__ import annotations

from pathlib import Path

from ..errors import OutputError
from ..files import write_bytes
from .draft import draft_text
from .pairing import Draft, MediaFile, Paired, pair
from .scan import scan

__all__ = ["Draft", "MediaFile", "Paired", "draft_text", "init_folder", "pair", "scan"]


def init_folder(folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write a description for each session in `folder`; returns their paths.

    One session's is ``session.toml``, several sessions' are ``<id>.toml``, all of them in `folder`.

    Raises
    ------
    MediaNotFoundError
        If there is no such folder, or not two cameras' files in it.
    OutputError
        If a description is there already and `overwrite` is false; then nothing is written.
    """
    files, troubles = scan(folder)
    paired = pair(files, str(folder))
    drafts = paired.drafts
    paths = [folder / ("session.toml" if len(drafts) == 1 else f"{draft.id}.toml") for draft in drafts]
    for path in paths:
        if path.exists() and not overwrite:
            raise OutputError(
                path,
                expected="no description yet",
                found="one",
                remedy="look at it, or replace it with --force",
            )
    for path, draft in zip(paths, drafts, strict=True):
        write_bytes(path, draft_text(draft, [*paired.left_over, *troubles]).encode())
    return paths
