"""Running a session: locks its folder, brings its stages up to date, writes the index and run.json."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Literal

from . import _core
from .cutting import CutResult
from .dataset.index import write_index
from .errors import OutputError
from .files import is_utf8, locked, remove_leftovers, writing
from .layout import SessionFolder
from .observer import Observer, Silent
from .options import Options
from .pipeline import STAGES, Pipeline
from .run_report import write_run_report
from .session import with_lut
from .session_file import load_session

_NOWHERE = Path(os.devnull)
"""Below it there is no file."""


@contextmanager
def open_session(
    description: Path, out: Path, options: Options, observer: Observer | None = None
) -> Iterator[Pipeline]:
    """The pipeline of the session described in the file `description`, its folder locked by this process.

    Raises
    ------
    DescriptionError
        The description is not one, or EMOMEDIA_CPU names no instruction set that this processor runs.
    OutputBusyError
        Another process works on this session in this output folder.
    OutputError
        The session's folder cannot be written, or holds what emomedia did not make.
    """
    _core.compose_kernel()  # refuses what EMOMEDIA_CPU says now, not when the first frame is composed
    session = with_lut(load_session(description), options.lut)
    folder = SessionFolder(output_folder(out), session.id)
    folder.refuse_foreign()
    with locked(folder.path):
        with writing(folder.path):
            remove_leftovers(folder.path)
        shutil.rmtree(folder.sound, ignore_errors=True)
        try:
            pipeline = Pipeline(session, folder, options, observer or Silent())
            _ = pipeline.recognition  # refuses a folder without a model before any work
            pipeline.require_turns()
            yield pipeline
        finally:
            shutil.rmtree(folder.sound, ignore_errors=True)


def inspect_session(description: Path, out: Path | None, options: Options) -> Pipeline:
    """The pipeline of a session for inspection: nothing is written, nothing is locked.

    Stage files in `out`, where it is given, are used as in a run; the errors are those of the stages.
    """
    _core.compose_kernel()  # refuses as in a run
    session = with_lut(load_session(description), options.lut)
    folder = SessionFolder(_NOWHERE if out is None else out.resolve(), session.id)
    return Pipeline(session, folder, options, writes=False)


def output_folder(out: Path) -> Path:
    """`out` as libav can take it: absolute, without links, in UTF-8."""
    with writing(out):
        folder = out.resolve()
    if not is_utf8(folder):
        raise OutputError(
            folder, expected="a path in UTF-8", found="another encoding", remedy="choose another --out"
        )
    return folder


def run(
    description: str | PathLike[str],
    out: str | PathLike[str],
    options: Options,
    observer: Observer | None = None,
    *,
    through: Literal["cut", "check"] = "check",
) -> CutResult:
    """The main job: one session from its description to clips, audit, index and run.json.

    If it goes only `through` the cut, the quality in the audit stays as it was.
    """
    _core.return_large_buffers()  # else the engine starts with memory that the stages before it freed
    with open_session(Path(description), Path(out), options, observer) as pipeline:
        begin = time.monotonic()
        pipeline.refuse_wrong_files()
        pipeline.require_encoder()
        for stage in STAGES[: STAGES.index(through) + 1]:
            getattr(pipeline, stage)
        result = pipeline.cut if through == "cut" else replace(pipeline.cut, rows=pipeline.check)
        write_run_report(pipeline, time.monotonic() - begin)
    write_index(Path(out).resolve())
    return result


def run_stage(
    description: str | PathLike[str],
    out: str | PathLike[str],
    options: Options,
    stage: Literal["probe", "sync", "speech", "turns", "plan"],
    observer: Observer | None = None,
) -> Pipeline:
    """Bring `stage`, one before the cut, up to date, and any missing or stale stage before it."""
    with open_session(Path(description), Path(out), options, observer) as pipeline:
        getattr(pipeline, stage)
        return pipeline
