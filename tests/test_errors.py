"""Every error class: declared once, a fitting builtin, and raised by an example."""

from __future__ import annotations

import copy
import importlib
import inspect
import os
import pickle
import pkgutil
import sqlite3
import wave
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

import emomedia
from emomedia import _core, cutting, errors, stages
from emomedia.asr.folder import model_folder
from emomedia.audio.conform import conform
from emomedia.batch.ledger import as_output_errors
from emomedia.batch.progress import Failed, Figures, refuse_failed
from emomedia.dataset.audit import check_frames
from emomedia.errors import EmomediaError
from emomedia.files import locked, write_bytes
from emomedia.probe import Track
from emomedia.probe.take import video_stream
from emomedia.simulate.voices import synthesised
from emomedia.timeline import Clock
from emomedia.turns import parse_turns

ERRORS = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, EmomediaError) and value is not EmomediaError
]


def write_take(path: Path, frames=3) -> Path:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 64
        for n in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((96, 64), 16 + n, np.uint8), format="yuv420p")
            frame.pts = n
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


# --- one example for each class: from what users do wherever that is quick, else from the deciding function


def description(_folder, _patch):
    parse_turns({"session": "s", "turns": 3}, Path("turns.json"))


def media_not_found(folder, _patch):
    stages.media_fingerprint(folder / "none.mp4")


def media(folder, _patch):
    (folder / "a.mp4").write_bytes(bytes(1000))
    _core.probe(str(folder / "a.mp4"))


def unsupported_media(_folder, _patch):
    video_stream(Path("a.wav"), [{"type": "audio"}])


def damaged_media(_folder, _patch):
    work = SimpleNamespace(takes={"left": SimpleNamespace(files=[SimpleNamespace(path=Path("a.mp4"))])})
    cutting._refuse_damage(work, [SimpleNamespace(frame_count=100)], [(2, 0)])


def sync(folder, _patch):
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 4800))
    track = Track(folder / "a.wav", 0, 0, 48_000, 16, "pcm_s16le", True, False, Fraction(0))
    conform(track, Clock(Fraction(1000)), 48_000, folder, "left")


def stage(folder, _patch):
    (folder / "sync.json").write_text("{")
    stages.read(folder / "sync.json")


def output(folder, _patch):
    (folder / "file").touch()
    write_bytes(folder / "file" / "a", b"")


def output_busy(folder, _patch):
    with locked(folder), locked(folder):
        pass


def output_full(_folder, _patch):
    """SQLite's word for a full disk: a database that may not grow."""
    with closing(sqlite3.connect(":memory:")) as db, as_output_errors(Path("ledger.sqlite")):
        db.execute("PRAGMA max_page_count = 1")
        db.execute("CREATE TABLE t (x)")


def batch(folder, _patch):
    failed = (Failed("s", "probe", "MediaError", "broken"),)
    refuse_failed(Figures(2, 1, failed, 0, 0, None, None, (), "", "done"), folder)


def verify(folder, _patch):
    check_frames(write_take(folder / "a.mp4", 3), 4)


def missing_tool(_folder, patch):
    patch.setenv("PATH", "")
    synthesised()


def run_job(folder, frames_of_clip, stall_seconds):
    """A chunk of one frame, and a clip that says how many it has."""
    (folder / "a.pcm").write_bytes(bytes(2 * 4800))
    file = _core.TakeFile(
        str(write_take(folder / "a.mp4", 1)), 0, np.zeros(1, np.int64), np.ones(1, np.uint8)
    )
    picture = {"width": 64, "height": 64, "bit_depth": 8, "sub_x": 2, "sub_y": 2}
    take = _core.Take(files=[file], **picture, siting="left", rotate=0, crop=(0, 0, 64, 64))
    sound = _core.PcmSource(str(folder / "a.pcm"), 16)
    tags = ("limited", "bt709", "bt709", "bt709")
    video = _core.VideoSettings(
        width=64, height=64, rate=(25, 1), tags=tags, preset="ultrafast", crf="30", gop=10
    )
    shown = np.zeros(1, np.int64)
    chunk = _core.Chunk(first_frame=0, spans=[1], left=shown, right=shown, spools=[str(folder / "a.spool")])
    clip = _core.Clip(
        paths=[str(folder / "out.mp4")], first_frame=0, frame_count=frames_of_clip,
        first_sample=0, sample_count=3840, chunks=[0],
    )  # fmt: skip
    job = _core.Job(
        left=take, right=take, left_sound=sound, right_sound=sound, video=video, audio_bit_rate=64_000,
        chunks=[chunk], clips=[clip], workers=1, stall_seconds=stall_seconds,
    )  # fmt: skip
    run = _core.Engine(job)
    run.start()
    run.wait(30)
    run.finish()


def engine(folder, _patch):
    """A job that contradicts itself: a clip of two frames, of which its chunk has one."""
    run_job(folder, 2, stall_seconds=60.0)


def stalled(folder, _patch):
    """The spool is a pipe that nobody reads, so that opening it never ends."""
    os.mkfifo(folder / ".a.spool.part")
    run_job(folder, 1, stall_seconds=1.0)


def device(_folder, _patch):
    """A GPU of a number that no machine has."""
    _core.open_gpu(1000)


def model(folder, _patch):
    model_folder(folder)


EXAMPLES: dict[type[EmomediaError], Callable[[Path, pytest.MonkeyPatch], None]] = {
    errors.DescriptionError: description,
    errors.MediaNotFoundError: media_not_found,
    errors.MediaError: media,
    errors.UnsupportedMediaError: unsupported_media,
    errors.DamagedMediaError: damaged_media,
    errors.StalledError: stalled,
    errors.SyncError: sync,
    errors.StageError: stage,
    errors.OutputError: output,
    errors.OutputBusyError: output_busy,
    errors.OutputFullError: output_full,
    errors.BatchError: batch,
    errors.VerifyError: verify,
    errors.MissingToolError: missing_tool,
    errors.EngineError: engine,
    errors.DeviceError: device,
    errors.ModelError: model,
}

BUILTINS = {
    errors.DescriptionError: ValueError,
    errors.MediaNotFoundError: FileNotFoundError,
    errors.MediaError: ValueError,
    errors.UnsupportedMediaError: ValueError,
    errors.DamagedMediaError: ValueError,
    errors.StalledError: TimeoutError,
    errors.SyncError: ValueError,
    errors.StageError: ValueError,
    errors.OutputError: OSError,
    errors.OutputBusyError: BlockingIOError,
    errors.OutputFullError: OSError,
    errors.BatchError: RuntimeError,
    errors.VerifyError: ValueError,
    errors.MissingToolError: FileNotFoundError,
    errors.EngineError: RuntimeError,
    errors.DeviceError: RuntimeError,
    errors.ModelError: ValueError,
}


def test_every_error_has_an_example_and_every_example_an_error():
    assert set(ERRORS) == set(EXAMPLES) == set(BUILTINS)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_the_example_raises_just_this_error(kind, tmp_path, monkeypatch):
    with pytest.raises(kind) as caught:
        EXAMPLES[kind](tmp_path, monkeypatch)
    error = caught.value
    assert type(error) is kind
    assert isinstance(error, BUILTINS[kind])
    message = str(error)
    assert "\n" not in message
    for part in (error.subject, error.expected, error.found, error.remedy):
        assert part and part in message


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_survives_the_way_between_processes(kind):
    error = kind(Path("a.mp4"), expected="this", found="that", remedy="do it")
    for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(copied) is kind
        assert str(copied) == "a.mp4: expected this, found that; do it"
        assert (copied.subject, copied.expected, copied.found, copied.remedy) == (
            "a.mp4",
            "this",
            "that",
            "do it",
        )


def test_errors_are_declared_in_one_place():
    """No class of an emomedia error hides in another module."""
    for module in pkgutil.walk_packages(emomedia.__path__, "emomedia."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, waiting = set(), [EmomediaError]
    while waiting:
        children = waiting.pop().__subclasses__()
        found.update(children)
        waiting += children
    assert {kind.__module__ for kind in found} == {"emomedia.errors"}
    assert found == set(ERRORS)
