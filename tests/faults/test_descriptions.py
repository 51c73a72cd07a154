"""Bad descriptions and stage files: what is wrong with each, and what the one line about it must say.

Each case takes a finished session, changes one of its files, and runs it again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from emomedia.errors import EmomediaError
from emomedia.observer import Silent
from emomedia.options import Options
from emomedia.quality.folder import check_folder
from emomedia.run import run

Edit = Callable[[bytes], bytes]


def put(*way: Any) -> Edit:
    """Set the value at a way of keys, given before it, in a JSON file, or in the first line of an audit."""
    *keys, last, value = way

    def edit(data: bytes) -> bytes:
        first, _, rest = data.partition(b"\n") if data.startswith(b'{"id"') else (data, b"", b"")
        whole = json.loads(first)
        place = whole
        for key in keys:
            place = place[key]
        place[last] = value
        return json.dumps(whole).encode(errors="surrogatepass") + b"\n" + rest

    return edit


def swap(old: str, new: str) -> Edit:
    def edit(data: bytes) -> bytes:
        assert old.encode() in data
        return data.replace(old.encode(), new.encode(), 1)

    return edit


def raw(data: bytes) -> Edit:
    return lambda _: data


def more(text: str) -> Edit:
    return lambda data: data + text.encode()


SCENE = '\n[[dialogue]]\nid = "{}"\nstart = {}\nend = {}\n'
DEEP = b"[" * 100_000

SESSION_TOML = {
    "empty": (raw(b""), ["id", "a value", "nothing", "add it"]),
    "no TOML": (swap("id =", "id ="[:2]), ["TOML in UTF-8", "line 1"]),
    "UTF-16": (lambda data: data.decode().encode("utf-16"), ["TOML in UTF-8", "codec", "correct the file"]),
    "latin-1": (lambda data: data + "# Ä".encode("latin-1"), ["TOML in UTF-8", "codec"]),
    "too large": (lambda data: data + b"#" * (1 << 20), ["more than 1 MiB"]),
    "too deep": (lambda data: data + b"x = " + DEEP, ["TOML in UTF-8", "nesting"]),
    "a key twice": (more('\n[left]\nactor = "x"\n'), ["TOML in UTF-8", "twice"]),
    "an unknown key": (swap("actor", "acter"), ["left.acter", "unknown key 'acter'", "'actor'"]),
    "id with a separator": (swap('"sim"', '"../sim"'), ["id:", "an id (", "'../sim'", "choose another"]),
    "id of dots": (swap('"sim"', '".."'), ["id:", "no dot in front", "'..'"]),
    "id with a line feed": (swap('"sim"', '"a\\nb"'), ["id:", r"a\nb"]),
    "overlong id": (swap('"sim"', f'"{"a" * 101}"'), ["id:", "100"]),
    "id of too many bytes": (swap('"sim"', f'"{"话" * 70}"'), ["id:", "200 bytes"]),
    "reserved id": (swap('"sim"', '"clips.parquet"'), ["id:", "name of a file there", "choose another id"]),
    "id of another type": (swap('"sim"', "7"), ["id:", "an id (", "found 7"]),
    "a list for a table": (swap("[left]", "[[left]]"), ["left", "a table of keys", "a list of 1"]),
    "text for a table": (
        swap("mic = ", 'mic = "a.wav" #'),
        ["left.mic", "of keys (file, channel)", "'a.wav'"],
    ),
    "NaN": (swap("offset = ", "offset = nan #"), ["offset", "seconds", "NaN"]),
    "infinite": (swap("offset = ", "offset = inf #"), ["offset", "seconds", "Infinity"]),
    "huge": (swap("offset = ", "offset = 1e99999 #"), ["offset", "less than eleven days", "1E+99999"]),
    "beyond decimals": (swap("offset = ", "offset = 1e99999999999999999999 #"), ["out of all bounds"]),
    "hexadecimal without end": (swap("offset = ", f"offset = 0x{'f' * 9000} #"), ["a number of 36000 bits"]),
    "end before start": (
        more(SCENE.format("x", 2, 1)),
        ["dialogue[", "].end", "after the start, 2", "found 1"],
    ),
    "an id twice": (
        more(SCENE.format("x", 3.1, 3.2) + SCENE.format("X", 3.3, 3.4)),
        ["dialogue[", "].id", "'X'", "rename"],
    ),
    "overlapping": (
        more(SCENE.format("x", 3.1, 3.3) + SCENE.format("y", 3.2, 3.4)),
        ["].start", "3.3 or later", "within 'x'"],
    ),
    "outside the footage": (
        more(SCENE.format("x", 900, 901)),
        ["dialogue", "within the footage", "900 to 901 s"],
    ),
    "excluded": (more("\n[[exclude]]\nstart = 0\nend = 4\n"), ["dialogue[0]", "excluded", "0 to 4 s"]),
    "not local": (
        swap('"left.mp4"', '"http://x/left.mp4"'),
        ["left.video", "a local file", "'http:", "copy"],
    ),
    "not there": (swap('"left.mp4"', '"none.mp4"'), ["none.mp4", "left.video", "nothing", "put it there"]),
    "a folder": (swap('"left.mp4"', '"/"'), ["left.video", "a folder"]),
    "overlong path": (swap('"left.mp4"', f'"{"a" * 300}.mp4"'), ["left.video", "name too long"]),
    "the same take twice": (swap('"left.mp4"', '["left.mp4", "./left.mp4"]'), ["left.video[1]", "once"]),
    "the same channel twice": (
        swap("channel = 1", "channel = 0"),
        ["right.mic", "a different track from left.mic"],
    ),
    "no such channel": (swap("channel = 1", "channel = 7"), ["right.mic.channel", "0 to 1", "found 7"]),
    "crop outside": (
        swap("[right]", "crop = { x = 0, y = 0, width = 9000, height = 9000 }\n[right]"),
        ["left.crop", "inside the upright 180x320", "9000x9000"],
    ),
}
TURNS = {
    "empty": (raw(b""), ["a JSON object", "line 1"]),
    "no object": (raw(b"[]"), ["a JSON object", "list"]),
    "UTF-16": (lambda data: data.decode().encode("utf-16"), ["in UTF-8", "codec"]),
    "too large": (lambda data: data + b" " * (64 << 20), ["more than 64 MiB"]),
    "too deep": (raw(b'{"turns": ' + DEEP), ["nested without end"]),
    "a key twice": (raw(b'{"session": "sim", "session": "sim"}'), ["the key 'session' twice"]),
    "NaN": (put("turns", 0, "end", float("nan")), ["NaN", "no JSON number"]),
    "beyond decimals": (raw(b'{"a": 1e99999999999999999999}'), ["out of all bounds"]),
    "huge": (put("turns", 0, "end", 10**18), ["turns[0].end", "seconds", str(10**18)]),
    "half a character": (put("turns", 0, "text", "\ud800"), ["turns[0].text", "text", "\\ud800"]),
    "end before start": (put("turns", 0, "end", 0), ["turns[0].end", "after the start", "found 0"]),
    "outside the footage": (put("turns", 0, "end", 99), ["turns[0]", "within the footage", "to 99 s"]),
    "unknown side": (
        put("turns", 0, "speaker", "middle"),
        ["turns[0].speaker", "'left' or 'right'", "'middle'"],
    ),
    "unknown dialogue": (put("turns", 0, "dialogue", "x"), ["turns[0].dialogue", "null or the id", "'x'"]),
    "id with a separator": (put("turns", 0, "id", "a/b"), ["turns[0].id", "an id (", "'a/b'"]),
    "id with a zero": (put("turns", 0, "id", "a\0"), ["turns[0].id", r"a\x00"]),
    "a dialogue's id": (put("turns", 0, "id", "SIM_000"), ["turns[0].id", "dialogue 'sim_000'", "rename"]),
    "another session": (put("session", "x"), ["session: ", "'sim'", "'x'"]),
    "an unknown key": (put("turns", 0, "strat", 1), ["turns[0].strat", "unknown key", "'start'"]),
}
PLAN = {
    "another session": (put("session", "x"), ["session", "'sim'", "'x'", "delete it"]),
    "another rate": (put("rate", "24/1"), ["rate", "25/1", "24/1"]),
    "frames that are not there": (put("footage", [0, 10**9]), ["footage", "frames within 0 to", str(10**9)]),
    "id with a separator": (put("clips", 0, "id", "../../x"), ["clips[0].id", "an id (", "'../../x'"]),
    "an id twice": (put("clips", 1, "id", "SIM_000"), ["clips[1].id", "a unique id", "'SIM_000'"]),
    "spans that overlap": (put("spans", 1, [0, 5]), ["spans[1]", "at least one frame", "5 from 0"]),
    "a number for a list": (put("chunks", 1), ["chunks", "a list", "found 1"]),
}
SYNC = {
    "nothing": (put("left", "track", None), ["left.track", "an 'offset'", "nothing", "delete sync.json"]),
    "text": (put("right", "take", "offset", "1"), ["right.take.offset", "a number", "'1'", "correct it"]),
    "huge": (put("right", "take", "offset", 1e300), ["right.take.offset", "1000000", "1E+300"]),
    "without end": (
        lambda data: put("right", "take", "offset", "?")(data).replace(b'"?"', b"1e-999999999"),
        ["right.take.offset", "a number", "1E-999999999"],
    ),
    "a moved left take": (put("left", "take", "offset", 1), ["left.take", "offset 0", "offset 1"]),
    "another session": (put("session", "x"), ["session", "'sim'", "'x'"]),
    "a residual in words": (
        put("left", "track", "residual_ms", "small"), ["left.track.residual_ms", "a number", "'small'"]
    ),
    "no windows": (put("right", "take", "windows", [1]), ["right.take.windows", "lists at, residual_ms"]),
    "a window in words": (
        put("left", "track", "windows", {"at": [1, "2"]}), ["left.track.windows.at[1]", "a number", "'2'"]
    ),
}  # fmt: skip
SPEECH = {
    "no activity": (put("left", {}), ["left.activity", "a value", "add it"]),
    "backwards": (put("left", "activity", [[2, 1]]), ["left.activity[0]", "two times", "a list of 2"]),
    "noise in words": (put("left", "noise_db", "low"), ["left.noise_db", "decibels", "'low'"]),
    "noise beyond all": (put("right", "snr_db", 1e308), ["right.snr_db", "decibels", "1E+308"]),
    "no flags": (put("right", "flags", None), ["right.flags", "a list", "null"]),
}
PROBE = {
    "another session": (put("session", "x"), ["session", "'x'"]),
    "no picture": (put("left", "take", "width", 2**31), ["left", "width", "a whole number"]),
    "turned askew": (put("left", "take", "rotate", 45), ["left", "turned by 45 degrees"]),
    "crop outside": (put("right", "take", "crop", "x", 999), ["right", "a crop of", "at 999"]),
    "rate without end": (put("rate", "1e999999999"), ["rate", "a fraction", "1e999999999"]),
    "deep pixels": (put("left", "take", "bit_depth", 16), ["left", "pixels of 16 bits"]),
    "too many frames": (
        put("left", "take", "files", 0, "frames", [[0, 512, 10**9]]), ["left", "runs of more than"]
    ),
}  # fmt: skip
AUDIT = {
    "no JSON": (raw(b"{\n"), ["line 1", "a JSON object", "delete clips.jsonl"]),
    "no object": (raw(b"[]\n"), ["line 1", "a table of keys", "a list of 0"]),
    "a path outside": (put("path", "../../etc/passwd"), ["line 1: path", "sim/clips/", "'../../etc/passwd'"]),
    "an absolute path": (put("path", "/etc/passwd"), ["line 1: path", "'/etc/passwd'"]),
    "a voice outside": (put("audio", 0, "path", "../x.flac"), ["line 1: audio.left", "sim/audio/", "'../x"]),
    "voices lost": (put("audio", []), ["line 1: audio", "each side"]),
    "id with a separator": (put("id", "a/b"), ["line 1: id", "an id (", "'a/b'"]),
    "text for bytes": (put("bytes", "many"), ["line 1: bytes", "a whole number", "'many'"]),
    "no key": (put("provenance", {}), ["line 1: provenance.key", "a value"]),
    "another session": (put("session", "x"), ["line 1: session", "'sim'", "'x'"]),
    "not a number": (put("start", float("nan")), ["line 1", "NaN"]),
}  # fmt: skip
CASES = [
    (file, name)
    for file, cases in (
        ("in/session.toml", SESSION_TOML), ("in/turns.json", TURNS), ("out/sim/turns.json", TURNS),
        ("out/sim/plan.json", PLAN), ("out/sim/sync.json", SYNC), ("out/sim/speech.json", SPEECH),
        ("out/sim/session.json", PROBE), ("out/sim/clips.jsonl", AUDIT),
    )
    for name in cases
]  # fmt: skip
TABLES = {"session.toml": SESSION_TOML, "turns.json": TURNS, "plan.json": PLAN, "sync.json": SYNC,
          "speech.json": SPEECH, "session.json": PROBE, "clips.jsonl": AUDIT}  # fmt: skip


@pytest.fixture(scope="module")
def finished(simulated, tmp_path_factory):
    """A folder with a session's description and media in ``in`` and a finished run's output in ``out``."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copytree(simulated(size=(180, 320), seconds=Fraction(3)).parent, folder / "in")
    run(folder / "in/session.toml", folder / "out", Options(preset="ultrafast"))
    return folder


def place(finished: Path, folder: Path) -> None:
    """A copy of the finished session whose media keep their dates, so that all of it is fresh."""
    shutil.copytree(finished, folder, dirs_exist_ok=True)


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{file}: {name}" for file, name in CASES])
def test_the_one_line_says_what_is_wrong_where(finished, tmp_path, file, name):
    place(finished, tmp_path)
    path = tmp_path / file
    edit, parts = TABLES[path.name][name]
    path.write_bytes(edit(path.read_bytes()))
    given = path if file == "in/turns.json" else None
    with pytest.raises(EmomediaError) as caught:
        run(tmp_path / "in/session.toml", tmp_path / "out", Options(preset="ultrafast", turns=given))
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 700
    missing = [part for part in [path.name, *parts] if part not in message]
    assert missing == [], message


@pytest.mark.parametrize(
    ("file", "name"),
    [("sync.json", "no windows"), ("speech.json", "noise in words"), ("turns.json", "unknown side")],
)
def test_the_check_alone_says_it_too(finished, tmp_path, file, name):
    place(finished, tmp_path)
    path = tmp_path / "out/sim" / file
    edit, parts = TABLES[file][name]
    path.write_bytes(edit(path.read_bytes()))
    with pytest.raises(EmomediaError) as caught:
        check_folder(tmp_path / "out", None, Options(), Silent())
    assert [part for part in [path.name, *parts] if part not in str(caught.value)] == []


@pytest.mark.parametrize("codec", ["utf-8-sig", "crlf"])
@pytest.mark.parametrize("file", ["in/session.toml", "out/sim/turns.json", "out/sim/clips.jsonl"])
def test_what_editors_add_is_no_fault(finished, tmp_path, file, codec):
    place(finished, tmp_path)
    path = tmp_path / file
    text = path.read_text()
    path.write_bytes(text.replace("\n", "\r\n").encode() if codec == "crlf" else text.encode(codec))
    assert run(tmp_path / "in/session.toml", tmp_path / "out", Options(preset="ultrafast")).made == 0


def test_a_dialogue_may_be_called_like_its_session(finished, tmp_path):
    place(finished, tmp_path)
    path = tmp_path / "in/session.toml"
    path.write_text(path.read_text().replace('"sim_000"', '"sim"'))
    rows = run(path, tmp_path / "out", Options(preset="ultrafast")).rows
    assert rows[0]["path"] == "sim/clips/sim.mp4"
