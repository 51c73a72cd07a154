"""Running a batch, from its list to the index."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from .. import _core
from ..dataset.index import write_index
from ..encoder import choose
from ..errors import OutputError, StageError
from ..files import locked
from ..layout import SessionFolder
from ..options import Options
from ..run import output_folder
from .head import Batch, Summary, Watcher
from .ledger import FOLDER_NAME, Ledger
from .needs import machine_room
from .sessions import SHARED_FILES, Entry, descriptions, entries, refuse_taken, shared_ids
from .workers import Executor, LocalWorkers


def run_batch(
    what: Sequence[str],
    out: Path,
    options: Options,
    watcher: Watcher,
    *,
    retry: bool = False,
    ray: str | None = None,
) -> Summary:
    """Bring every session that `what` names up to date in the folder `out`, and make the index.

    Parameters
    ----------
    what : sequence of str
        See :func:`emomedia.batch.sessions.descriptions`.
    retry : bool
        Also try sessions again that were set aside, though nothing of theirs has changed.
    ray : str, optional
        Address of a Ray cluster whose nodes see the media and `out` under the same paths.

    Raises
    ------
    DescriptionError
        `what` names nothing.
    OutputBusyError
        Another batch works in `out`.
    OutputError
        `out` cannot be written.
    MissingToolError
        Ray is asked for and not installed.
    DeviceError
        The clips are to be made by an encoder that this machine does not have.
    DescriptionError, ModelError, UnsupportedMediaError, MediaNotFoundError
        A profile, model or table that the options name is none, or words cannot be found as asked for
        (:func:`emomedia.asr.stage.asked_model`).
    """
    begin = time.process_time()
    _core.compose_kernel()  # refuses what EMOMEDIA_CPU says here, not in every worker
    paths, options = descriptions(what, watcher.note), _everywhere(options)
    _refuse_wrong_files(options)
    out = output_folder(out)
    with (
        locked(out / FOLDER_NAME),
        closing(Ledger(out)) as ledger,
        _workers(options, ray, ledger, watcher) as executor,
    ):
        if ledger.put_aside is not None:
            watcher.note(f"{ledger.path}: {ledger.put_aside}; set aside and rebuilt from the stage files")
        had = {id: known.path for id, known in ledger.known().items()}
        found = refuse_taken(entries(paths, options), out, had)
        if ray is None:  # other machines are asked when they begin to cut
            _require_encoder(found, options, out)
        for note in shared_ids(found):
            watcher.note(note)
        summary = Batch(found, out, executor, ledger, watcher, retry=retry).run()
    head_cpu = time.process_time() - begin
    try:
        write_index(out)
    except StageError as error:  # one session's audit, which it fails by itself if it is of this batch
        watcher.note(f"not in the index: {error}")
    return replace(summary, head_cpu_seconds=head_cpu)


def _everywhere(options: Options) -> Options:
    """`options` whose paths mean the same to workers in other folders; ``--turns`` is each session's own."""
    named = ((name, getattr(options, name)) for name in SHARED_FILES)
    return replace(options, **{name: path.absolute() for name, path in named if path is not None})


def _refuse_wrong_files(options: Options) -> None:
    """Refuse now, once, what every session would fail by, some of them after hours."""
    from ..quality.profile import read_profile

    read_profile(options.profile)
    if options.lut is not None:
        from ..colour import read_cube

        read_cube(options.lut)
    if options.asr_model is not None:
        from ..asr.stage import asked_model

        asked_model(options)
    if options.face_model is not None or options.person_model is not None:
        from ..quality.measure import Tools

        Tools.found(options.face_model, options.person_model)


def _require_encoder(found: Sequence[Entry], options: Options, out: Path) -> None:
    """Choose the encoder for all sessions, and require it now if one of them has no clips yet."""
    encoder = choose(options, out)
    if any(not SessionFolder(out, entry.id).audit.exists() for entry in found if entry.error is None):
        _ = encoder.card


@contextmanager
def _workers(options: Options, ray: str | None, ledger: Ledger, watcher: Watcher) -> Iterator[Executor]:
    """Where tasks run; however the batch ends, they are stopped first and the ledger says how it ended."""
    executor = _executor(options, ray)
    try:
        yield executor
    except BaseException as error:
        with suppress(OutputError):
            ledger.record_facts(state="stopped")
        if not isinstance(error, Exception):
            watcher.note("stopping within seconds; a second Ctrl-C stops at once, which is equally safe")
        raise
    finally:
        executor.close()
        with suppress(OutputError):
            ledger.record_stop()


def _executor(options: Options, ray: str | None) -> Executor:
    if ray is None:
        return LocalWorkers(machine_room(options))
    from .ray_cluster import RayTasks

    return RayTasks(ray, options)
