"""session.toml: what it may say, and the one line that refuses anything else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from emomedia.errors import DescriptionError, EmomediaError, MediaNotFoundError
from emomedia.schema.tables import DialogueTable, SessionTable, SideTable
from emomedia.session import Crop, Dialogue, Mic
from emomedia.session_file import load_session
from emomedia.stages import digest
from emomedia.turns import parse_turns

SIDES = """
id = "250418_s01"
[left]
actor = "A017"
video = ["A001C003.MP4", "A001C004.MP4"]
{left}
[right]
actor = "A052"
video = "B001C003.MP4"
{right}
"""

DIALOGUE = """
[[dialogue]]
id = "{id}"
start = {start}
end = {end}
"""

EXCLUDE = """
[[exclude]]
start = {start}
end = {end}
"""


def described(left="", right="", *tables):
    return SIDES.format(left=left, right=right) + "".join(tables)


def scene(name, start, end):
    return DIALOGUE.format(id=name, start=start, end=end)


def excluded(start, end):
    return EXCLUDE.format(start=start, end=end)


@pytest.fixture
def folder(tmp_path):
    for name in ("A001C003.MP4", "A001C004.MP4", "B001C003.MP4", "recorder.wav", "scripts.json"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.fixture
def load(folder):
    def load(text):
        (folder / "session.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_session(folder / "session.toml")

    return load


@pytest.fixture
def refused(folder, load):
    """Load text that must be refused; the key that the message names, and the error."""

    def refused(text, kind=DescriptionError):
        with pytest.raises(kind) as caught:
            load(text)
        message = str(caught.value)
        assert "\n" not in message
        assert message.startswith(str(folder))
        return caught.value.subject.removeprefix(f"{folder}/session.toml").removeprefix(": "), caught.value

    return refused


def test_the_shortest_description_leaves_everything_to_be_found(load, folder):
    session = load(described())
    assert session.id == "250418_s01"
    assert session.left.video == (folder / "A001C003.MP4", folder / "A001C004.MP4")
    assert session.right.video == (folder / "B001C003.MP4",)
    assert (session.left.offset, session.right.offset) == (0, None)
    assert (session.left.mic, session.left.rotate, session.left.crop, session.left.mic_offset) == (None,) * 4
    assert session.left.camera_distance == 0
    assert (session.dialogues, session.excluded) == ((), ())


def test_everything_that_the_design_shows_is_read_exactly(load, folder):
    session = load(
        described(
            """
            mic = { file = "recorder.wav", channel = 0 }
            rotate = 90
            crop = { x = 0, y = 410, width = 2160, height = 2430 }
            mic_offset = -0.1
            camera_distance = 1.2
            """,
            """
            mic = { file = "recorder.wav", channel = 1 }
            offset = 0.12
            """,
            scene("b", 75.3, 80),
            scene("a", "12.000000000000000000000001", 75.3)
            + 'topic = "General Entertainment"\nemotion = "Joy"\nscript = "scripts.json"\n',
            excluded(90, 92.5),
            excluded(80, 91),
        )
    )
    assert session.side("left").mic == Mic(folder / "recorder.wav", 0)
    assert session.side("right").mic == Mic(folder / "recorder.wav", 1)
    assert session.left.crop == Crop(0, 410, 2160, 2430)
    assert (session.left.rotate, session.left.mic_offset) == (90, Fraction(-1, 10))
    assert (session.left.camera_distance, session.right.offset) == (Fraction(6, 5), Fraction(3, 25))
    assert session.dialogues[0] == Dialogue(
        "a",
        12 + Fraction(1, 10**24),
        Fraction(753, 10),
        "General Entertainment",
        "Joy",
        folder / "scripts.json",
    )
    assert [dialogue.id for dialogue in session.dialogues] == ["a", "b"]
    assert session.excluded == ((80, 91), (90, Fraction(185, 2)))


def test_the_documentation_names_every_key_and_its_examples_are_read(load, folder):
    page = (Path(__file__).parents[1] / "docs/session.md").read_text(encoding="utf-8")
    toml, turns = (page.partition(f"```{kind}\n")[2].partition("```")[0] for kind in ("toml", "json"))
    for name in ("prompts.json", "scene-1.json", "log-to-709.cube"):
        (folder / name).touch()
    session = load(toml)
    (turn,) = parse_turns(json.loads(turns, parse_float=Decimal), Path("turns.json"), session).turns
    assert (turn.dialogue, turn.words[0].text) == (session.dialogues[0].id, "你")
    shown = tomllib.loads(toml)
    assert set(shown) == set(SessionTable.model_fields)
    assert set(shown["left"] | shown["right"]) == set(SideTable.model_fields)
    assert set(shown["dialogue"][0]) == set(DialogueTable.model_fields)


def test_paths_are_written_back_as_they_were_given(load, folder):
    (folder / "cards").mkdir()
    for name in ("cards/../cards/B.MP4", "./A:30.MP4"):
        (folder / name).touch()
        session = load(described().replace("B001C003.MP4", name))
        assert session.path.is_absolute()
        assert session.right.video == (folder / name,)
        assert session.written(session.right.video[0]) == name.removeprefix("./")


def test_a_path_outside_the_folder_stays_absolute_in_what_is_written(load, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("card") / "B.MP4"
    elsewhere.touch()
    session = load(described().replace("B001C003.MP4", str(elsewhere)))
    assert session.written(session.right.video[0]) == str(elsewhere)


def test_a_relative_description_path_gives_absolute_media_paths(load, folder, monkeypatch):
    load(described())
    monkeypatch.chdir(folder)
    session = load_session(Path("session.toml"))
    assert session.left.video[0] == folder / "A001C003.MP4"
    with pytest.raises(DescriptionError, match=r"^session\.toml: id: "):
        Path("session.toml").write_text(described().replace("250418_s01", ".s"))
        load_session(Path("session.toml"))


@pytest.mark.parametrize("name", ["s", "会话_1", "a.b-c_9", "x" * 100, "字" * 66])
def test_ids_may_be_of_any_script(load, name):
    assert load(described().replace("250418_s01", name)).id == name


@pytest.mark.parametrize(
    "name",
    ["", ".s", "a b", "a/b", "..", "x" * 101, "字" * 67, "s\\n", "a:b", "clips.parquet", "report.html"],
)
def test_ids_that_no_file_can_have_are_refused(refused, name):
    assert refused(described().replace("250418_s01", name))[0] == "id"


def test_a_byte_order_mark_and_crlf_do_no_harm(load):
    assert load(b"\xef\xbb\xbf" + described().replace("\n", "\r\n").encode()).id == "250418_s01"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (described("widht = 3"), "left.widht"),
        (described("crop = { x = 0, y = 0, widht = 1, height = 1 }"), "left.crop.widht"),
        (described("", "mic = { file = 'recorder.wav', chanel = 1 }"), "right.mic.chanel"),
        (described("", "", scene("a", 1, 2), scene("b", 2, 3) + "strat = 1\n"), "dialogue[1].strat"),
        (described("", "", "[[dialogue]]\nid = 'a'\nstrat = 1\nend = 2\n"), "dialogue[0].strat"),
        (described("", "", "[[exclude]]\nstart = 1\nend = 2\nwhy = 'slate'\n"), "exclude[0].why"),
        (described("", "", "[made_from]\nhash = 'x'\n"), "made_from"),
        (described("", "", "[['odd\\nkey']]\n"), r"'odd\nkey'"),
    ],
)
def test_unknown_keys_are_refused_by_name(refused, text, key):
    assert refused(text)[0] == key


def test_an_unknown_key_is_answered_with_the_nearest_known_one(refused):
    error = refused(described("crop = { x = 0, y = 0, widht = 1, height = 1 }"))[1]
    assert "the nearest is 'width'" in error.remedy
    assert "the unknown key 'widht'" in error.found


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (described().replace('id = "250418_s01"', ""), "id"),
        (described().replace('actor = "A017"', ""), "left.actor"),
        (described().replace('video = "B001C003.MP4"', ""), "right.video"),
        ("id = 's'\n[left]\nactor = 'a'\nvideo = 'A001C003.MP4'", "right"),
        (described("mic = { channel = 1 }"), "left.mic.file"),
        (described("crop = { x = 0, y = 0, width = 1 }"), "left.crop.height"),
        (described("", "", "[[dialogue]]\nid = 'a'\nstart = 1\n"), "dialogue[0].end"),
        (described("", "", "[[exclude]]\nend = 1\n"), "exclude[0].start"),
    ],
)
def test_missing_keys_are_named(refused, text, key):
    found, error = refused(text)
    assert found == key
    assert error.found == "nothing"


@pytest.mark.parametrize(
    "value", ["true", "nan", "inf", "-inf", "'1.0'", "1e999999999", "1e-999999999", "-1", "1e7"]
)
@pytest.mark.parametrize("key", ["start", "end"])
def test_times_are_finite_numbers_of_the_session_clock(refused, key, value):
    times = {"start": 1, "end": 2} | {key: value}
    assert refused(described("", "", DIALOGUE.format(id="a", **times)))[0] == f"dialogue[0].{key}"
    assert refused(described("", "", EXCLUDE.format(**times)))[0] == f"exclude[0].{key}"


@pytest.mark.parametrize(
    "line",
    [
        "rotate = 45",
        "rotate = true",
        "rotate = 90.0",
        "rotate = -90",
        "offset = nan",
        "offset = true",
        "mic_offset = inf",
        "mic_offset = 00:00:01",
        "mic_offset = -1e7",
        "camera_distance = -0.1",
        "camera_distance = 120",
        "actor = 7",
        "actor = ''",
        "actor = ' '",
        "actor = 'A\tB'",
        "video = []",
        "video = 5",
        "video = ['B001C003.MP4', 5]",
        "video = ''",
        "video = { file = 'B001C003.MP4' }",
        "video = ['B001C003.MP4', 'B001C003.MP4']",
        "crop = 3",
        "mic = 'recorder.wav'",
        "mic.file = 'recorder.wav'\nmic.channel = -1",
        "mic.file = 'recorder.wav'\nmic.channel = true",
        "crop = { x = -1, y = 0, width = 1, height = 1 }",
        "crop = { x = 0, y = 1.5, width = 1, height = 1 }",
        "crop = { x = 0, y = 0, width = 0, height = 1 }",
        "crop = { x = 0, y = 0, width = 1, height = 99999 }",
    ],
)
def test_values_of_the_wrong_kind_are_refused_at_their_key(refused, line):
    key = line.split("=")[0].split(".")[0].strip()
    usual = {"actor": "actor = 'A052'", "video": "video = 'B001C003.MP4'"}
    right = [text for name, text in usual.items() if name != key] + [line]
    before = described().partition('actor = "A052"')[0]
    assert refused(before + "\n".join(right))[0].startswith(f"right.{key}")


@pytest.mark.parametrize(
    "name", ["http://host/a.mp4", "concat:a|b", "file:a.mp4", "pipe:0", "rtsp+tcp://x", "a\\u0000b"]
)
def test_only_local_files_are_media(refused, name):
    assert refused(described().replace("B001C003.MP4", name))[0] == "right.video"
    assert refused(described(f'mic = {{ file = "{name}" }}'))[0] == "left.mic.file"


def test_the_left_take_begins_at_zero(load, refused):
    assert load(described("offset = 0.0")).left.offset == 0
    assert refused(described("offset = 0.1"))[0] == "left.offset"


def test_two_sides_cannot_share_a_track(load, refused):
    mic = "mic = { file = 'recorder.wav', channel = 1 }"
    assert refused(described(mic, mic.replace("rec", "./rec")))[0] == "right.mic"
    assert load(described(mic, mic.replace("1", "0"))).right.mic.channel == 0
    assert load(described(mic, mic.replace("recorder.wav", "scripts.json"))).right.mic.channel == 1


def test_a_file_is_in_a_take_once(refused):
    assert refused(described().replace("A001C004", "A001C003"))[0] == "left.video[1]"


@pytest.mark.parametrize(
    ("tables", "key"),
    [
        ([scene("a", 2, 2)], "dialogue[0].end"),
        ([scene("a", 2, 1.5)], "dialogue[0].end"),
        ([scene("a", 1, 2), scene("a", 2, 3)], "dialogue[1].id"),
        ([scene("a", 1, 2), scene("b", 1.999, 3)], "dialogue[1].start"),
        ([scene("b", 1.5, 1.7), scene("a", 1, 2)], "dialogue[0].start"),
        ([excluded(3, 3)], "exclude[0].end"),
        ([scene("b", 5, 6), scene("a", 1, 2), excluded(1.9, 3)], "dialogue[1]"),
        ([scene("a", 1, 2), excluded(0, 10)], "dialogue[0]"),
        ([scene("a", 1, 2), excluded(1.4, 1.5)], "dialogue[0]"),
    ],
)
def test_times_that_contradict_each_other_are_refused(refused, tables, key):
    assert refused(described("", "", *tables))[0] == key


def test_stretches_may_touch(load):
    session = load(described("", "", scene("a", 1, 2), scene("b", 2, 3), excluded(0, 1), excluded(3, 4)))
    assert len(session.dialogues) == 2


@pytest.mark.parametrize(
    "text", ["id = ", b"\xff\xfe", "a = " + "[" * 20000, "a = " + "9" * 5000, "id = 'a'\nid = 'b'"]
)
def test_what_is_no_toml_is_refused(refused, text):
    assert "TOML" in refused(text)[1].expected


@pytest.mark.parametrize(
    ("line", "name", "key"),
    [
        ("mic = { file = 'none.wav' }", "none.wav", "left.mic.file"),
        ("mic = { file = '.' }", "", "left.mic.file"),
    ],
)
def test_missing_media_are_named_with_their_key(folder, refused, line, name, key):
    error = refused(described(line), MediaNotFoundError)[1]
    assert error.subject == str(folder / name)
    assert key in error.expected


def test_every_named_file_must_be_there(folder, load, refused):
    os.mkfifo(folder / "pipe.MP4")
    with_script = scene("a", 1, 2) + 'script = "scripts.json"\n'
    load(described("", "", with_script))
    assert refused(described().replace("C004", "C005"), MediaNotFoundError)[1].found == "nothing"
    assert refused(described().replace("A001C004", "pipe"), MediaNotFoundError)[1].found != "nothing"
    refused(described("", "", with_script.replace("scripts", "script")), MediaNotFoundError)


def test_a_missing_description_says_so(folder):
    with pytest.raises(MediaNotFoundError, match="no such file"):
        load_session(folder / "none.toml")
    with pytest.raises(FileNotFoundError):
        load_session(folder)


def test_the_canonical_form_is_the_same_however_it_is_written(load):
    text = described("rotate = 90", "", scene("a", 1, 2), excluded(4, 5))
    canonical = load(text).canonical()
    assert load("# a comment\n" + text.replace("rotate = 90", "rotate=90 # lying")).canonical() == canonical
    assert load(text.replace("start = 1", "start = 1.00")).canonical() == canonical
    changed = [
        described("rotate = 180", "", scene("a", 1, 2), excluded(4, 5)),
        described("rotate = 90", "", scene("a", 1, 3), excluded(4, 5)),
        described("rotate = 90", "", scene("a", 1, 2), excluded(4, 6)),
        text.replace("A052", "A053"),
        text.replace('id = "a"', 'id = "a"\ntopic = "food"'),
        described("rotate = 90\nmic = { file = 'recorder.wav' }", "", scene("a", 1, 2), excluded(4, 5)),
        described("rotate = 90", "offset = 0.1", scene("a", 1, 2), excluded(4, 5)),
    ]
    digests = {digest(load(one).canonical()) for one in changed}
    assert len(digests | {digest(canonical)}) == len(changed) + 1


def test_long_values_are_shortened_and_shown_on_one_line(refused):
    error = refused(described().replace("250418_s01", "x\\n" * 500))[1]
    assert len(error.found) <= 80
    assert r"x\nx" in error.found


def test_every_refusal_is_an_emomedia_error_and_a_builtin():
    assert issubclass(DescriptionError, EmomediaError) and issubclass(DescriptionError, ValueError)


def test_pydantic_is_not_imported_before_a_description_is_read():
    modules = "emomedia.session_file, emomedia.turns, emomedia.plan"
    code = f"import sys, {modules}; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
