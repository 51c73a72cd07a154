"""Searches a folder for the files of cameras and recorders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ..containers import opened
from ..errors import MediaNotFoundError
from .pairing import MediaFile

CAMERA_SUFFIXES = {".mp4", ".mov", ".mxf", ".mkv", ".mts", ".m2ts", ".avi"}
RECORDER_SUFFIXES = {".wav", ".w64", ".flac", ".aif", ".aiff", ".caf", ".m4a", ".mp3"}

_SKIPPED_FOLDERS = {"proxy", "proxies", "sub", "thmbnl"}
_AUDIT = "clips.jsonl"
"""A folder with this file is an output of emomedia, not footage."""

_TIME = re.compile(r"\d\d:\d\d:\d\d")


def scan(folder: Path) -> tuple[list[MediaFile], list[str]]:
    """The camera and recorder files below `folder`, and a line about each that cannot be read.

    Raises
    ------
    MediaNotFoundError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise MediaNotFoundError(
            folder,
            expected="a folder of camera and recorder files",
            found="a file" if folder.exists() else "nothing",
            remedy="name the folder with the footage",
        )
    files, troubles = [], []
    for path in media_paths(folder):
        name = path.relative_to(folder).as_posix()
        found = _look_at(path, PurePosixPath(name))
        if isinstance(found, str):
            troubles.append(f"{name}: {found}")
        else:
            files.append(found)
    return files, troubles


def media_paths(folder: Path) -> Iterator[Path]:
    """Files below `folder` that are called like media, in order; proxies and outputs are left out."""
    for place, folders, names in os.walk(folder):
        if _AUDIT in names:
            folders.clear()
            continue
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name.lower() not in _SKIPPED_FOLDERS
        )
        for name in sorted(names):
            path = Path(place, name)
            known = path.suffix.lower() in CAMERA_SUFFIXES | RECORDER_SUFFIXES
            if known and not name.startswith(".") and path.is_file():
                yield path


def _look_at(path: Path, name: PurePosixPath) -> MediaFile | str:
    """What a file is, or why that is unknown."""
    import av

    if any("\ud800" <= letter <= "\udfff" for letter in name.as_posix()):
        return "its name is not UTF-8"
    try:
        with opened(path) as container:
            pictures = [stream for stream in container.streams.video if not _is_cover(stream)]
            contexts = [stream.codec_context for stream in container.streams.audio]
            # None: of a codec that libav does not know
            channels = max((context.channels for context in contexts if context is not None), default=0)
            seconds = (container.duration or 0) / av.time_base
            metadata = dict(container.metadata)
    except (av.FFmpegError, OSError, ValueError) as error:
        return f"it cannot be read ({error})"
    if not pictures and not channels:
        return "it has neither pictures nor sound"
    began = creation_time(metadata)
    start = path.stat().st_mtime - seconds if began is None else began
    return MediaFile(name, "camera" if pictures else "recorder", start, seconds, channels)


def _is_cover(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def creation_time(metadata: Mapping[str, str]) -> float | None:
    """When a recording began, in seconds since 1970, as a container's metadata has it.

    Broadcast WAV has the time of day apart from the date.  Times without a zone count as UTC.
    """
    text = metadata.get("creation_time", "")
    if _TIME.fullmatch(text):
        text = f"{metadata.get('date', '')}T{text}"
    try:
        began = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (began if began.tzinfo else began.replace(tzinfo=UTC)).timestamp()
