"""What is fuzzed in Python: a function of bytes for each description that somebody may write by hand.

An entry returns where the bytes are a right description or raise an :class:`EmomediaError`; anything
else that comes out of it is a finding.  ``driver.py`` runs it under atheris, ``test_replay.py`` without.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType

from emomedia import _core, plan, plan_file, stages, sync, turns
from emomedia.audio._pcm import pick
from emomedia.audio.decode import decode
from emomedia.colour import conversion, read_cube
from emomedia.colour.conversion import REC709
from emomedia.dataset.audit import read_rows, write_rows
from emomedia.errors import EmomediaError
from emomedia.interchange import eaf, from_tiers, textgrid, to_tiers
from emomedia.probe import body as probe_body
from emomedia.probe.track import first_sample_time, sound_streams, time_reference
from emomedia.probe.types import Take
from emomedia.quality.measure import SessionFacts
from emomedia.quality.profile import faces_seen, judge, read_profile, usual_of
from emomedia.schema.tables import SpeechTable
from emomedia.schema.validation import validate
from emomedia.scripts import match, read_script
from emomedia.session import Session
from emomedia.session_file import load_session
from emomedia.turn_taking import find_turns
from emomedia.voice.clean import masks

from .examples import SESSION, SESSION_JSON, TURNS
from .examples import rows as clip_rows

Entry = Callable[[bytes], None]

_FOOTAGE = (0, 500)
"""Composite frames of the example's takes, at 25 a second."""


@cache
def _folder() -> Path:
    """A folder in memory with the files that the example session names, empty."""
    memory = Path("/dev/shm")
    folder = tempfile.TemporaryDirectory(prefix="emomedia-fuzz-", dir=memory if memory.is_dir() else None)
    _kept.append(folder)
    path = Path(folder.name)
    for name in ("a.mp4", "b.mp4", "c.mp4", "recorder.wav", "scripts.json"):
        (path / name).touch()
    return path


_kept: list[tempfile.TemporaryDirectory[str]] = []


def _written(name: str, data: bytes) -> Path:
    path = _folder() / name
    path.write_bytes(data)
    return path


@cache
def _session() -> Session:
    return load_session(_written("session.toml", SESSION.encode()))


@contextlib.contextmanager
def _no_refusal() -> Iterator[None]:
    """What emomedia wrote itself it must read: a refusal in here is a finding."""
    try:
        yield
    except EmomediaError as error:
        raise AssertionError(f"refused what was written: {error}") from error


def session(data: bytes) -> None:
    """session.toml; what was read has a meaning, and that a digest."""
    described = load_session(_written("other.toml", data))
    assert len(stages.digest(described.canonical())) == 64


def _stage(data: bytes) -> tuple[Path, dict[str, object]]:
    """The bytes as a stage file: its path, and its object once its freshness has been told."""
    path = _written("stage.json", data)
    body = stages.read(path)
    stages.found(path, "hash")
    return path, body


def turns_json(data: bytes) -> None:
    """turns.json: read, checked against a session, planned; the plan and the turns come back the same."""
    path, body = _stage(data)
    read = turns.parse_turns(body, path, _session())
    stages.write(path, turns.to_body(read), "hash")
    with _no_refusal():
        again = turns.parse_turns(stages.read(path), path, _session())
    assert [turn.id for turn in again.turns] == [turn.id for turn in read.turns]
    rate = Fraction(25)
    turns.check_turns(read, _session(), (_FOOTAGE[0] / rate, _FOOTAGE[1] / rate), path)
    made = plan.make_plan(read, _session().excluded, rate, _FOOTAGE, Fraction(1, 10), gop=50)
    with _no_refusal():
        assert plan_file.from_body(plan_file.to_body(made), path) == made


def plan_json(data: bytes) -> None:
    """plan.json; what was read is written the same."""
    path, body = _stage(data)
    read = plan_file.from_body(body, path)
    with _no_refusal():
        assert plan_file.from_body(plan_file.to_body(read), path) == read


def probe_json(data: bytes) -> None:
    """session.json, the probe's; what was read is written the same."""
    _, body = _stage(data)
    read = probe_body.from_body(body, _session())
    written = probe_body.to_body(read)
    with _no_refusal():
        assert probe_body.to_body(probe_body.from_body(written, _session())) == written


def sync_json(data: bytes) -> None:
    """sync.json; every clock goes both ways."""
    _, body = _stage(data)
    for kinds in sync.clocks(body).values():
        for clock in kinds.values():
            there = clock.to_session(Fraction(1, 3))
            assert clock.later or clock.to_local(there) == Fraction(1, 3)
            clock.to_local(there)


def speech_json(data: bytes) -> None:
    """speech.json: turns are found by it, and clips have facts."""
    path, body = _stage(data)
    validate(SpeechTable, body, path)
    found = find_turns(_session(), body, (Fraction(0), Fraction(20)))
    with _no_refusal():
        turns.check_turns(found, _session(), (Fraction(0), Fraction(20)), path)
    masks(body)
    SessionFacts(body, {}, turns.to_body(found)["turns"]).of(clip_rows()[0])


def profile(data: bytes) -> None:
    """A profile; every clip can be judged by it."""
    rules = read_profile(_written("profile.toml", data))
    audited = clip_rows()
    usual = usual_of(audited, rules)
    for row in audited:
        judge(row, rules, faces_seen(audited), usual)


def sound(data: bytes) -> None:
    """A file with sound: its streams are heard from their beginning, and from within."""
    path = _written("sound", data)
    for stream in sound_streams(_core.probe(str(path))["streams"]):
        first_sample_time(path, stream["index"])
        time_reference(path)
        for first in (0, 100):
            heard = decode(path, stream["index"], stream["sample_rate"], first)
            for block in islice(heard, 20):
                pick(block, 0, 24)


def clips(data: bytes) -> None:
    """clips.jsonl; what was read is written the same."""
    (_folder() / "out" / "s1").mkdir(parents=True, exist_ok=True)
    path = _written("out/s1/clips.jsonl", data)
    rows = read_rows(path)
    write_rows(path, rows)
    with _no_refusal():
        assert sorted(map(repr, read_rows(path))) == sorted(map(repr, rows))


@cache
def _take() -> Take:
    return probe_body.from_body(SESSION_JSON, _session()).takes["left"]


def cube(data: bytes) -> None:
    """A .cube file; what was read gives numbers that the color kernel holds."""
    colours = conversion(_take(), REC709, 8, read_cube(_written("a.cube", data)))
    assert colours is not None
    limit = 1 << 31
    for rows, largest in ((colours.to_output, 1 << 15), (colours.to_cube or (), 4095)):
        for *factors, offset in rows:
            assert sum(abs(factor) * largest for factor in factors) + abs(offset) + (1 << 12) < limit


def _tiers(data: bytes, form: ModuleType) -> None:
    """A file corrected by hand; what was read, where tiers can show it, is written and read the same."""
    path = _folder() / "given"
    tiers = form.read(data, path)
    read = turns.parse_turns(stages.as_read(from_tiers(tiers, form.TICK, path, _session())), path, _session())
    written = form.write(to_tiers(read, form.TICK)).encode()
    with _no_refusal():
        body = stages.as_read(from_tiers(form.read(written, path), form.TICK, path, _session()))
        again = turns.parse_turns(body, path, _session())
    order = sorted(read.turns, key=lambda turn: (turn.start, turn.id))
    assert list(again.turns) == order


def textgrid_file(data: bytes) -> None:
    """A TextGrid."""
    _tiers(data, textgrid)


def eaf_file(data: bytes) -> None:
    """An ELAN document."""
    _tiers(data, eaf)


def script(data: bytes) -> None:
    """A prompt file; what was read is matched with turns."""
    read = read_script([_written("script.json", data)])
    matched = match(turns.parse_turns(stages.as_read(TURNS), Path("turns.json")).turns, read)
    assert len(matched.unmatched(len(read.lines))) <= len(read.lines)


ENTRIES: dict[str, Entry] = {
    "session": session,
    "turns": turns_json,
    "plan": plan_json,
    "probe": probe_json,
    "sync": sync_json,
    "speech": speech_json,
    "profile": profile,
    "sound": sound,
    "clips": clips,
    "cube": cube,
    "textgrid": textgrid_file,
    "eaf": eaf_file,
    "script": script,
}


def run(entry: str, data: bytes) -> None:
    """Run an entry; what it may raise is caught."""
    with contextlib.suppress(EmomediaError):
        ENTRIES[entry](data)
