"""emomedia.frames: what is shown, whose the memory is, and how it ends."""

from __future__ import annotations

import gc
import json
import re
import runpy
import shutil
import subprocess
import sys
import time
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import emomedia
from emomedia.descriptions import show
from emomedia.errors import DescriptionError, MediaError, MediaNotFoundError
from emomedia.options import Options
from emomedia.pipeline import STAGES
from emomedia.probe import probe_session
from emomedia.reference.engine import composites
from emomedia.run import run, run_stage
from emomedia.session_file import load_session
from emomedia.sync import clocks, sync_session

from .exact import rows_of

NTSC = Fraction(30000, 1001)
SIZE = (96, 54)
SMALL = {"size": (180, 320), "seconds": Fraction(3), "dialogues": 1}

pytestmark = pytest.mark.alone


@pytest.fixture
def session(simulated):
    return simulated(**SMALL)


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def threads_once_gone(most: int) -> int:
    """The system lists a thread for a moment after it was joined."""
    until = time.monotonic() + 2
    while threads() > most and time.monotonic() < until:
        time.sleep(0.01)
    return threads()


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096


def copied(session: Path, folder: Path) -> Path:
    return Path(shutil.copytree(session.parent, folder / "copy")) / session.name


def wanted_from_reference(session, stretches, depth, fps=None):
    probe = probe_session(load_session(session), fps)
    found = {side: each["take"] for side, each in clocks(sync_session(probe)).items()}
    return composites(probe, found, stretches, size=SIZE, depth=depth)


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"codec": "hevc", "depth": 10, "right_offset": Fraction("0.217")},
        {"fps": NTSC, "right_offset": Fraction("-0.3"), "right": {"fps": Fraction(25), "rotate": 90}},
    ],
    ids=["h264", "hevc, 10 bit, right later", "29.97, right earlier, 25 and lying"],
)
def test_frames_equal_the_reference_in_every_bit(simulated, kind, depth):
    session = simulated(**SMALL, **kind)
    with emomedia.frames(session, size=SIZE, options=Options(depth=depth)) as given:
        (stretch,) = given.stretches
        count = 0
        for frame, (number, planes) in zip(
            given, wanted_from_reference(session, [stretch], depth), strict=True
        ):
            assert frame.number == number
            assert frame.time == number / given.rate
            assert frame.damaged == ()
            for found, wanted in zip((frame.y, frame.u, frame.v), planes, strict=True):
                assert found.dtype == wanted.dtype
                assert np.array_equal(found, wanted), number
            count += 1
    assert count == len(given) > 60


def test_stretches_come_in_the_order_asked_for_and_do_not_depend_on_each_other(session):
    stretches = [(40, 5), (3, 2), (41, 3)]
    numbers, pictures = [], {}
    for frame in emomedia.frames(session, stretches=stretches, size=SIZE):
        numbers.append(frame.number)
        if frame.number in pictures:
            assert np.array_equal(pictures[frame.number], frame.i420)
        pictures[frame.number] = frame.i420
    assert numbers == [40, 41, 42, 43, 44, 3, 4, 41, 42, 43]


def test_seconds_mean_the_frames_on_display(simulated):
    session = simulated(**SMALL, fps=NTSC)

    def numbers(start, end):
        given = emomedia.frames(session, start=start, end=end, size=SIZE)
        given.close()
        assert given.rate == NTSC
        return [first + n for first, count in given.stretches for n in range(count)]

    assert numbers(1, Fraction("1.1")) == [29, 30, 31, 32]
    for first, end in [(7, 9), (11, 12), (59, 71)]:  # as an audit writes these frames' times
        assert numbers(float(first / NTSC), float(end / NTSC)) == list(range(first, end))


def test_what_the_description_excludes_is_not_shown(session, tmp_path):
    described = copied(session, tmp_path)
    described.write_text(
        described.read_text().split("[[dialogue]]")[0] + "[[exclude]]\nstart = 1.0\nend = 1.5\n"
    )
    given = emomedia.frames(described, size=SIZE, start=0.5, end=2)
    given.close()
    assert given.stretches == ((12, 13), (38, 12))
    with pytest.raises(DescriptionError, match="excludes"):
        emomedia.frames(described, size=SIZE, stretches=[(20, 10)])


def test_a_clip_of_a_finished_session(session, tmp_path):
    run(session, tmp_path, Options(preset="ultrafast"))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    row = rows_of(tmp_path)[-1]
    with emomedia.frames(session, clip=row["id"], out=tmp_path, size=SIZE) as given:
        numbers = [frame.number for frame in given]
    assert numbers == list(range(row["first_frame"], row["first_frame"] + row["frame_count"]))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    with pytest.raises(DescriptionError, match=show("other")):
        emomedia.frames(session, clip="other", out=tmp_path)
    with pytest.raises(DescriptionError, match="the rate of the clip, 25/1, found 30/1"):
        emomedia.frames(session, clip=row["id"], out=tmp_path, options=Options(fps=Fraction(30)))


def test_stage_files_are_used_while_fresh_and_nothing_is_written(session, tmp_path, monkeypatch):
    run_stage(session, tmp_path / "out", Options(), "sync")

    def probed(*_):
        raise AssertionError("probed again")

    with monkeypatch.context() as patch:
        patch.setattr("emomedia.pipeline.probe_session", probed)
        emomedia.frames(session, out=tmp_path / "out", size=SIZE).close()
        with pytest.raises(AssertionError, match="probed again"):
            emomedia.frames(session, out=tmp_path / "out", size=SIZE, options=Options(fps=Fraction(30)))
    given = emomedia.frames(session, out=tmp_path / "none", size=SIZE, options=Options(fps=Fraction(30)))
    given.close()
    assert given.rate == 30
    assert not (tmp_path / "none").exists()
    own = tmp_path / "out/sim/sync.json"
    body = json.loads(own.read_text())
    body["right"]["take"]["offset"] = 0.5
    own.write_text(json.dumps(body))
    assert emomedia.frames(session, out=tmp_path / "out", size=SIZE).stretches == ((13, 62),)


def test_nothing_is_copied(session):
    with emomedia.frames(session, size=SIZE) as given:
        frame = next(given)
        h, w = SIZE[1], SIZE[0]
        assert frame.i420.shape == (h * 3 // 2, w)
        assert frame.i420.flags.c_contiguous
        assert frame.i420.flags.writeable
        assert frame.i420.ctypes.data % 64 == 0
        tensor = np.from_dlpack(frame)
        assert tensor.ctypes.data == frame.i420.ctypes.data
        for plane in (frame.y, frame.u, frame.v):
            assert plane.flags.c_contiguous
            assert np.shares_memory(plane, frame.i420)
            assert np.shares_memory(plane, tensor)
        assert not np.shares_memory(frame.y, frame.u)
        assert not np.shares_memory(frame.u, frame.v)
        assert frame.y.size + frame.u.size + frame.v.size == frame.i420.size
        frame.v[-1, -1] ^= 255
        assert tensor[-1, -1] == frame.v[-1, -1]


@pytest.mark.parametrize("hold", [lambda frame: frame.u, np.from_dlpack, lambda frame: memoryview(frame.y)])
def test_a_buffer_is_used_again_when_the_last_that_looks_at_it_is_gone(session, hold):
    with emomedia.frames(session, size=SIZE) as given:
        first = next(given)
        place, held = first.i420.ctypes.data, hold(first)
        del first
        kept = list(islice(given, 20))
        assert place not in {frame.i420.ctypes.data for frame in kept}
        del held
        kept += islice(given, 20)
        assert place in {frame.i420.ctypes.data for frame in kept}


def test_what_is_kept_outlives_the_frame_the_stream_and_whatever_comes_after(session):
    given = emomedia.frames(session, size=SIZE)
    first = next(given)
    view, tensor, before = first.u[2:, 3:], np.from_dlpack(first), first.i420.copy()
    del first
    for frame in given:
        frame.i420[:] = 255
    del given, frame
    gc.collect()
    others = [np.full(before.shape, 7, np.uint8) for _ in range(200)]
    assert np.array_equal(tensor, before)
    assert np.array_equal(view, before[SIZE[1] :].reshape(2, SIZE[1] // 2, -1)[0][2:, 3:])
    del others


def test_all_frames_may_be_kept(session):
    kept = list(emomedia.frames(session, size=SIZE))
    assert len({frame.i420.ctypes.data for frame in kept}) == len(kept) == 75
    singly = [frame.i420.copy() for frame in emomedia.frames(session, size=SIZE)]
    assert all(np.array_equal(frame.i420, one) for frame, one in zip(kept, singly, strict=True))


def test_memory_is_bounded_for_a_slow_consumer_and_for_a_long_session(session):
    """A frame at 1080p takes 3 MB, all of them 233 MB."""
    with emomedia.frames(session, ahead=4) as given:
        next(given)
        before = resident_bytes()
        time.sleep(1)
        for _ in given:
            assert resident_bytes() - before < 60e6


@pytest.mark.parametrize(
    "ended_by", ["close", "with", "break", "collection", "an exception", "the last frame"]
)
def test_the_threads_end(session, ended_by):
    before = threads()
    given = emomedia.frames(session, size=SIZE)
    next(given)
    assert threads() == before + 2
    if ended_by == "close":
        given.close()
    elif ended_by == "with":
        with given:
            pass
    elif ended_by == "break":
        for _ in given:
            break
        del given, _
    elif ended_by == "collection":
        ring = [given]
        ring.append(ring)
        del given, ring
        gc.collect()
    elif ended_by == "the last frame":
        assert len(list(given)) == 74
    else:
        del given
        with pytest.raises(ZeroDivisionError):
            for _ in emomedia.frames(session, size=SIZE):
                raise ZeroDivisionError
    assert threads_once_gone(before) == before


def test_a_closed_stream_has_no_further_frame(session):
    given = emomedia.frames(session, size=SIZE)
    kept = next(given)
    given.close()
    given.close()
    assert list(given) == []
    assert kept.y.any()


INTERRUPTED = """
import fcntl, os, signal, sys, threading, time
from pathlib import Path
import emomedia

def handle(*_):
    handled.append(time.monotonic())
    raise KeyboardInterrupt

def interrupt():
    asked.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)

def threads():
    return len(list(Path("/proc/self/task").iterdir()))

def threads_once_gone(most):
    # The system lists a thread for a moment after it was joined.
    until = time.monotonic() + 2
    while threads() > most and time.monotonic() < until:
        time.sleep(0.01)
    return threads()

asked, handled = [], []
signal.signal(signal.SIGINT, handle)
signal.signal(signal.SIGIO, signal.SIG_IGN)
given = emomedia.frames(sys.argv[1], size=(96, 54), ahead=1)
next(given)
before = threads() - 2
second = os.open(sys.argv[2], os.O_RDWR)
try:
    fcntl.fcntl(second, fcntl.F_SETLEASE, fcntl.F_WRLCK)
except OSError:
    sys.exit("no leases on this file system")
timers = threading.Timer(1, interrupt), threading.Timer(3, os.close, [second])
for timer in timers:
    timer.start()
try:
    list(given)
except KeyboardInterrupt:
    timers[1].join()
    print(handled[0] - asked[0], len(list(given)), threads_once_gone(before) - before)
"""


def test_ctrl_c_while_waiting_for_a_frame(simulated, tmp_path):
    """The second file of a take is one that whoever opens it waits for, until a lease on it is given back."""
    session = copied(simulated(**SMALL, parts=2), tmp_path)
    second = sorted(session.parent.glob("right*"))[-1]
    command = [sys.executable, "-c", INTERRUPTED, session, second]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "no leases" in ended.stderr:
        pytest.skip(ended.stderr)
    seconds, frames, left = ended.stdout.split()
    assert float(seconds) < 1
    assert (frames, left) == ("0", "0")


ENDING = """
import atexit, sys, time
from pathlib import Path

def threads():
    return len(list(Path("/proc/self/task").iterdir()))

def threads_once_gone(most):
    until = time.monotonic() + 2
    while threads() > most and time.monotonic() < until:
        time.sleep(0.01)
    return threads()

atexit.register(lambda: print(threads_once_gone(before) - before))  # called after what is registered later
import emomedia
given = emomedia.frames(sys.argv[1], size=(96, 54))
before = threads() - 2
kept = next(given)
"""


def test_an_interpreter_that_ends_with_an_open_stream_ends_its_threads_first(session):
    command = [sys.executable, "-c", ENDING, session]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "0\n", "")


def test_errors_come_at_the_frame_that_they_concern(simulated, tmp_path):
    session = copied(simulated(**SMALL, parts=2), tmp_path)
    given = emomedia.frames(session, size=SIZE)
    last = sorted(session.parent.glob("left*"))[-1]
    last.unlink()
    numbers = []
    with pytest.raises(MediaNotFoundError, match=last.name):
        for frame in given:
            numbers.append(frame.number)
    assert 30 < len(numbers) < 45
    assert numbers == list(range(len(numbers)))
    with pytest.raises(MediaNotFoundError):
        emomedia.frames(session, size=SIZE)


def break_frame(path: Path, number: int) -> None:
    """Make a part of the frame's packet undecodable."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    broken = sorted(packets, key=lambda packet: packet.pts)[number]
    assert broken.pos is not None
    data = bytearray(path.read_bytes())
    data[broken.pos + broken.size // 3 : broken.pos + broken.size * 2 // 3] = bytes(broken.size // 3)
    path.write_bytes(data)


def test_damage_is_told_and_does_not_depend_on_what_was_read_before(simulated, tmp_path):
    """A broken key frame is concealed by what the decoder gave before, if it gave something."""
    session = copied(simulated(**SMALL | {"seconds": Fraction(4)}, gop=50), tmp_path)
    break_frame(session.parent / "right.mp4", 50)
    alone = list(emomedia.frames(session, size=SIZE, stretches=[(50, 20)]))
    assert {frame.damaged for frame in alone} == {("right",)}
    after = list(emomedia.frames(session, size=SIZE, stretches=[(30, 20), (50, 20)]))
    assert {frame.damaged for frame in after[:20]} == {()}
    for one, other in zip(alone, after[20:], strict=True):
        assert (one.number, one.damaged) == (other.number, other.damaged)
        assert np.array_equal(one.i420, other.i420), one.number


@pytest.mark.parametrize(
    "asked",
    [
        {"start": -1},
        {"end": 60},
        {"start": 2, "end": 1},
        {"stretches": [(70, 6)]},
        {"stretches": [(3, -1)]},
        {"clip": "x"},
        {"start": 1, "stretches": [(0, 1)]},
        {"end": 1, "clip": "x"},
    ],
    ids=str,
)
def test_what_cannot_be_given_is_refused(session, asked):
    with pytest.raises(DescriptionError, match="frames: expected"):
        emomedia.frames(session, size=SIZE, **asked)


def test_sizes_that_have_no_whole_chroma_are_refused(session):
    with pytest.raises(ValueError, match="multiple of 4"):
        emomedia.frames(session, size=(98, 54))


def test_media_that_are_none_are_refused_at_once(tmp_path, session):
    copy = copied(session, tmp_path)
    take = next(path for path in copy.parent.iterdir() if "left" in path.name)
    take.write_bytes(b"no media at all")
    with pytest.raises(MediaError):
        emomedia.frames(copy)


def test_the_example_tells_the_variance_of_each_halfs_laplacian(session):
    example = runpy.run_path(str(Path(__file__).parent.parent / "examples/sharpness.py"))
    told = list(example["sharpness"](session, start=1, end=1.2, size=SIZE))
    assert len(told) == 5
    for frame, (number, *values) in zip(
        emomedia.frames(session, start=1, end=1.2, size=SIZE), told, strict=True
    ):
        assert frame.number == number
        for half, value in zip(np.split(frame.y.astype(float), 2, axis=1), values, strict=True):
            edges = np.diff(half, 2, axis=0)[:, 1:-1] + np.diff(half, 2, axis=1)[1:-1]
            assert value == pytest.approx(edges.var())


def test_the_examples_of_the_documentation_run(session, tmp_path, monkeypatch, capsys):
    pages = (Path(__file__).parents[1] / "docs" / name for name in ("frames.md", "library.md"))
    *examples, library = re.findall(r"```python\n(.*?)```", "".join(map(Path.read_text, pages)), re.DOTALL)
    run(session, tmp_path / "OUT", Options(preset="ultrafast"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "session.toml").symlink_to(session)
    for media in session.parent.iterdir():
        if media.name != "session.toml":
            (tmp_path / media.name).symlink_to(media)
    assert len(examples) == 3
    found: dict[str, Any] = {}
    for example in examples:
        exec(example, found)
    assert len(capsys.readouterr().out.splitlines()) == 26
    assert found["rgb"].shape == (1080, 1920, 3)
    assert found["rgb"].std() > 10

    exec(library, found)
    stages = [line.split(":")[0] for line in capsys.readouterr().out.splitlines() if ": " in line]
    assert stages == [*STAGES[:4], *STAGES]
    assert len(found["brightness"]) == found["result"].rows[0]["frame_count"]
    assert found["table"].num_rows == len(found["result"].rows)
