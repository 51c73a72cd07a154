"""Faults of the file system and of the machine: one line, status 1, and nothing left that should not be."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import pytest

from emomedia import cutting, stopping
from emomedia.cli.display import JsonDisplay, PeopleDisplay
from emomedia.dataset.audit import write_rows
from emomedia.dataset.index import write_index
from emomedia.dataset.verify import verify
from emomedia.errors import (
    DamagedMediaError,
    EmomediaError,
    MediaError,
    MediaNotFoundError,
    OutputError,
)
from emomedia.files import sha256
from emomedia.intake import init_folder
from emomedia.intake.pairing import day_of
from emomedia.options import Options
from emomedia.pipeline import STAGES
from emomedia.run import run
from exact import tree

from .disk import mounting_refused, small_disk

FAST = Options(preset="ultrafast")
SMALL = {"size": (180, 320), "seconds": Fraction(3)}


@pytest.fixture
def home(simulated, tmp_path):
    """A copy of a small session that a test may spoil: the folder of its session.toml."""
    folder = tmp_path / "in"
    shutil.copytree(simulated(**SMALL).parent, folder)
    return folder


@pytest.fixture(scope="module")
def finished(simulated, tmp_path_factory):
    out = tmp_path_factory.mktemp("finished") / "out"
    run(simulated(**SMALL), out, FAST)
    return out


def command(home: Path, out: Path, *more: str) -> list[str]:
    given = [str(home / "session.toml"), "--out", str(out), "--preset", "ultrafast"]
    return [sys.executable, "-m", "emomedia", "run", *given, *more]


def refused(arguments: list[str], **how: object) -> str:
    """The one line on standard error with which a command ends with status 1."""
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False, **how)  # type: ignore[call-overload]
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.startswith("emomedia: ") and ended.stderr.count("\n") == 1, ended.stderr
    return str(ended.stderr)


def clips_and_parts(out: Path) -> list[str]:
    places = [*out.glob("*/clips/*"), *out.glob("*/audio/*"), *out.rglob(".*.part")]
    return sorted(path.name for path in places)


# --- folders


def bound_by_modes(arguments: list[str]) -> str:
    """As :func:`refused`, without root's right to pass over modes.

    Another user might not even reach the interpreter: root's home is closed to everybody.
    """
    bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    return refused([*bound, *arguments])


@pytest.mark.parametrize("mode", [0o555, 0o000])
@pytest.mark.parametrize("place", ["out", "out/sim", "out/sim/clips"])
def test_without_rights_in_the_output_folder(home, tmp_path, place, mode):
    out = tmp_path / "out"
    if place == "out/sim/clips":
        run(home / "session.toml", out, FAST)
        shutil.rmtree(tmp_path / place)
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place).chmod(mode)
    said = bound_by_modes(command(home, out))
    assert str(out) in said
    assert "permission denied" in said.lower()
    assert "check permissions" in said or "make it writable" in said


@pytest.mark.parametrize("name", ["left.mp4", "recorder.wav", "session.toml"])
def test_media_that_may_not_be_read(home, tmp_path, name):
    (home / name).chmod(0)
    said = bound_by_modes(command(home, tmp_path / "out"))
    assert name in said and "permission denied" in said.lower()


def test_an_output_folder_that_is_a_file(home, tmp_path):
    (tmp_path / "out").touch()
    for out in (tmp_path / "out", tmp_path / "out/below"):
        said = refused(command(home, out))
        assert str(out) in said and "choose another --out" in said


@pytest.mark.skipif(mounting_refused() is not None, reason=str(mounting_refused()))
def test_a_file_system_that_is_read_only(home, tmp_path):
    with small_disk(tmp_path / "disk", 1 << 24) as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        said = refused(command(home, disk / "out"))
    assert "read-only file system" in said and "make it writable" in said


@pytest.mark.parametrize("place", ["", "clips", "audio", "spool", "sound"])
def test_nothing_is_removed_behind_a_link(home, tmp_path, place):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.mp4").write_bytes(b"x")
    link = tmp_path / "out/sim" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    with pytest.raises(OutputError, match="a link to another place; remove the link"):
        run(home / "session.toml", tmp_path / "out", FAST)
    assert (elsewhere / "precious.mp4").read_bytes() == b"x"


def test_nothing_is_removed_that_emomedia_did_not_make(home, tmp_path):
    clips = tmp_path / "out/sim/clips"
    clips.mkdir(parents=True)
    (clips / "holiday.mp4").write_bytes(b"x")
    with pytest.raises(OutputError, match="a folder that emomedia did not make; choose another --out"):
        run(home / "session.toml", tmp_path / "out", FAST)
    assert (clips / "holiday.mp4").read_bytes() == b"x"


def test_a_link_in_a_clip_s_place_is_no_clip(simulated, finished, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    clip = next(out.glob("*/clips/*.mp4"))
    clip.rename(tmp_path / "moved.mp4")
    clip.symlink_to(tmp_path / "moved.mp4")
    (tmp_path / "moved.mp4").chmod(0o444)
    found = [finding for checked in verify(out) for finding in checked.findings]
    assert [(finding.path, finding.found) for finding in found] == [(clip, "a link to one")]
    assert run(simulated(**SMALL), out, FAST).made == 1
    assert clip.is_file() and not clip.is_symlink()
    assert tree(out) == tree(finished)


def test_a_name_s_line_feeds_and_colours_stay_in_the_line(home, tmp_path):
    said = refused(command(home, tmp_path / "a\nb\x1b[31m" / "\udcff"))
    assert r"a\x0ab\x1b[31m" in said and "UTF-8" in said


# --- media that change


def test_a_take_that_is_written_to_meanwhile(home, tmp_path, monkeypatch):
    make = cutting._make

    def meddle(*arguments):
        report = make(*arguments)
        with (home / "left.mp4").open("ab") as file:
            file.write(b"more")
        return report

    monkeypatch.setattr(cutting, "_make", meddle)
    with pytest.raises(MediaError, match="changed during the run; wait until it is fully copied"):
        run(home / "session.toml", tmp_path / "out", FAST)
    assert clips_and_parts(tmp_path / "out") == []
    assert not (tmp_path / "out/sim/spool").exists()


@pytest.mark.parametrize("name", ["left.mp4", "recorder.wav"])
@pytest.mark.parametrize("change", ["gone", "cut short"])
def test_media_that_go_while_the_engine_runs(home, tmp_path, monkeypatch, name, change):
    make = cutting.make_job

    def meddle(*arguments):
        job = make(*arguments)
        if change == "gone":
            (home / name).unlink()
        else:
            os.truncate(home / name, (home / name).stat().st_size // 2)
        return job

    monkeypatch.setattr(cutting, "make_job", meddle)
    with pytest.raises((MediaError, MediaNotFoundError), match=name.partition(".")[0]):
        run(home / "session.toml", tmp_path / "out", FAST)
    assert clips_and_parts(tmp_path / "out") == []


def test_too_much_damage_leaves_neither_clips_nor_spools(simulated, tmp_path, monkeypatch):
    monkeypatch.setattr(cutting, "DAMAGE_LIMIT", -1)
    monkeypatch.setattr(cutting, "_refuse_lost_sound", lambda *_: None)  # told before the engine runs
    with pytest.raises(DamagedMediaError, match="damaged frames"):
        run(simulated(**SMALL), tmp_path, FAST)
    assert clips_and_parts(tmp_path) == []
    assert not (tmp_path / "sim/spool").exists()


def test_other_failures_keep_the_spools_and_no_clip(simulated, finished, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "trouble")

    monkeypatch.setattr(cutting, "clip_row", fail)
    with pytest.raises(OutputError, match="input/output error"):
        run(simulated(**SMALL), tmp_path, FAST)
    assert clips_and_parts(tmp_path) == []
    assert list((tmp_path / "sim/spool").iterdir())
    monkeypatch.undo()
    report = run(simulated(**SMALL), tmp_path, FAST).report
    assert report is not None and report.resumed_frames > 0 and report.composed_frames == 0
    assert tree(tmp_path) == tree(finished)


def test_metadata_in_no_known_encoding_is_no_fault(home, tmp_path):
    """Recorders write titles in whatever encoding their makers use."""
    for name in ("left.mp4", "right.mp4"):
        shutil.move(home / name, home / "plain.mp4")
        with av.open(str(home / "plain.mp4")) as source, av.open(str(home / name), "w") as target:
            target.metadata["title"] = "the title"
            streams = [target.add_stream_from_template(stream) for stream in source.streams]
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    target.mux(packet)
        (home / "plain.mp4").unlink()
        data = (home / name).read_bytes()
        assert b"the title" in data
        (home / name).write_bytes(data.replace(b"the title", "标题标题 ".encode("gbk")))
    info = b"INFOINAM\x04\0\0\0" + "标题".encode("gbk")
    wave = (home / "recorder.wav").read_bytes() + b"LIST" + len(info).to_bytes(4, "little") + info
    (home / "recorder.wav").write_bytes(wave[:4] + (len(wave) - 8).to_bytes(4, "little") + wave[8:])
    assert run(home / "session.toml", tmp_path / "out", FAST).made > 0
    (home / "session.toml").unlink()
    (description,) = init_folder(home)
    assert "cannot be read" not in description.read_text()


# --- the clock


@pytest.mark.parametrize("now", [-(10**9), 4 * 10**9])
def test_nothing_depends_on_the_time_of_day(simulated, finished, tmp_path, monkeypatch, now):
    monkeypatch.setattr(time, "time", lambda: float(now))
    monkeypatch.setattr(time, "time_ns", lambda: now * 10**9)
    run(simulated(**SMALL), tmp_path, FAST)
    assert tree(tmp_path) == tree(finished)


@pytest.mark.parametrize("date", [0, 2**40])
def test_media_of_any_date(home, tmp_path, date):
    for path in home.iterdir():
        os.utime(path, (date, date))
    assert run(home / "session.toml", tmp_path / "out", FAST).made > 0
    assert run(home / "session.toml", tmp_path / "out", FAST).made == 0
    (home / "session.toml").unlink()
    assert len(init_folder(home)) == 1


# --- descriptors and memory


def test_fifty_failing_sessions_leak_no_descriptor(home, tmp_path):
    (home / "right.mp4").write_bytes((home / "right.mp4").read_bytes()[:5000])

    def opened() -> int:
        for _ in range(10):
            with contextlib.suppress(EmomediaError):
                run(home / "session.toml", tmp_path / "out", FAST)
        return len(list(Path("/proc/self/fd").iterdir()))

    first = opened()
    assert max(opened() for _ in range(4)) <= first


def limited(limit: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that a limit strikes when all is imported; `limit` is Python code that sets it."""
    code = f"""
import os, resource, sys, av, soxr
import emomedia.audio.conform, emomedia.cli.app, emomedia.run
import emomedia.schema.audit, emomedia.schema.validation
from pathlib import Path
from emomedia.cli import main
{limit}
sys.argv[0] = 'emomedia'
main()"""
    given = [sys.executable, "-c", code, *arguments]
    return subprocess.run(given, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("spare", [1, 2, 3])
def test_too_few_descriptors(home, tmp_path, spare):
    top = f"max(int(path.name) for path in Path('/proc/self/fd').iterdir()) + {spare}"
    ended = limited(
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({top},) * 2)", *command(home, tmp_path / "out")[3:]
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("emomedia: ") and ended.stderr.count("\n") == 1, ended.stderr
    assert "too many open files" in ended.stderr.lower()
    assert clips_and_parts(tmp_path / "out") == []


@pytest.mark.parametrize("mebibytes", [8, 40, 76, 200])
def test_too_little_memory(home, tmp_path, mebibytes):
    """libx264 has a line of its own when it gets no memory: only the last one is emomedia's.

    So would onnxruntime, OpenCV and numba while they are imported, and OpenBLAS where it multiplies first, on
    each of its threads; that is not what is tested.
    """
    most = f"int(Path('/proc/self/statm').read_text().split()[0]) * 4096 + ({mebibytes} << 20)"
    loaded = "import emomedia.quality.seen; from emomedia.quality.measure import Tools; Tools.found(); "
    loaded += "import numpy; numpy.ones((512, 512)) @ numpy.ones((512, 512)); "
    ended = limited(
        f"{loaded}resource.setrlimit(resource.RLIMIT_AS, ({most},) * 2)",
        *command(home, tmp_path / "out", "--workers", "1")[3:],
    )
    assert ended.returncode == 1
    *others, last = ended.stderr.splitlines()
    assert last.startswith("emomedia: ")
    assert all(line.startswith("x264 [error]: malloc") for line in others), ended.stderr
    assert clips_and_parts(tmp_path / "out") == []


# --- stopping


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_within_any_stage(home, tmp_path, stage, number):
    """It may begin before the interpreter has noticed, and turns and plan are over in no time."""
    process = subprocess.Popen(
        command(home, tmp_path / "out", "--json"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # in case it is ignored
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line) == {"event": "stage_begins", "stage": stage}:
            break
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said == "emomedia: stopped; finished work is kept, run the same command to continue\n"
    left = clips_and_parts(tmp_path / "out")
    assert not [name for name in left if stage != "check" or name.endswith(".part")]


@pytest.mark.parametrize("kind", [JsonDisplay, PeopleDisplay])
def test_a_stop_that_a_library_loses_is_noticed_when_the_stage_goes_on(kind, monkeypatch):
    monkeypatch.setattr(stopping, "_asked", False)
    display = kind()
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        stopping.listen()
        display.stage_ends("probe", "made", 1.0)
        with contextlib.suppress(BaseException):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
    finally:
        signal.signal(signal.SIGTERM, before)
    for tell in (lambda: display.progress("cut", 1, 2), lambda: display.stage_ends("cut", "made", 1.0)):
        with pytest.raises(stopping.Stop):
            tell()


def test_a_signal_that_is_ignored_stays_ignored():
    """As nohup asks for."""
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); from emomedia.cli import main\n"
    code += "import sys; sys.argv = ['emomedia', '--version']\ntry: main()\nexcept SystemExit: pass\n"
    code += "assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_signal_while_the_interpreter_clears_up_changes_no_status():
    code = "import os, signal, sys\nfrom emomedia.cli.stopping import listen\nlisten()\nclass Late:\n"
    code += "  def __del__(self, kill=os.kill, me=os.getpid(), number=signal.SIGINT): kill(me, number)\n"
    code += "late = Late()\nsys.exit(1)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1


# --- what is verified


@pytest.mark.parametrize("name", ["clips.parquet", "sim/clips/sim_000.mp4", "sim/audio/sim_000.left.flac"])
@pytest.mark.parametrize("data", [b"", b"PAR1", b"garbage" * 1000])
def test_products_that_are_none(finished, tmp_path, name, data):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    (out / name).write_bytes(data)
    said = refused([sys.executable, "-m", "emomedia", "verify", str(out)])
    assert name in said and "1 that are not" in said


def test_products_whose_audit_is_wrong_too(finished, tmp_path):
    """Hashes that agree do not make a FLAC file a clip, nor one voice another."""
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    clip, voice = out / "sim/clips/sim_000.mp4", out / "sim/audio/sim_000_000.left.flac"
    audit = out / "sim/clips.jsonl"
    rows = [json.loads(line) for line in audit.read_text().splitlines()]
    shutil.copy(voice, clip)
    rows[0]["sha256"] = sha256(clip)
    rows[0]["audio"][0]["sha256"] = sha256(voice)
    shutil.copy(voice, out / rows[0]["audio"][0]["path"])
    write_rows(audit, rows)
    write_index(out)
    found = {finding.path.name: finding.found for checked in verify(out) for finding in checked.findings}
    assert found["sim_000.mp4"] == "no video in it"
    assert int(found["sim_000.left.flac"]) > 0


def test_an_audit_that_is_a_pipe_is_not_waited_for(tmp_path):
    (tmp_path / "sim").mkdir()
    os.mkfifo(tmp_path / "sim/clips.jsonl")
    assert "not a regular file" in refused([sys.executable, "-m", "emomedia", "verify", str(tmp_path)])


@pytest.mark.parametrize("seconds", [1e15, -1e15, float("inf"), float("nan")])
def test_a_date_beyond_the_calendar_names_a_session_all_the_same(seconds):
    assert day_of(seconds) == "000000"
    assert day_of(0) == "700101"


# --- the world outside


def test_no_library_reports_on_this_machine(tmp_path):
    """onnxruntime would: it leaves an id for that in the home folder."""
    code = "import emomedia.speech; emomedia.speech._Network()"
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    home.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", code], env=home, check=True)
    assert list(tmp_path.iterdir()) == []
