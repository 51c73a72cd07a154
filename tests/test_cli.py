"""The command line from outside: exit statuses, one-line errors, Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from emomedia.cli.app import app
from emomedia.cli.values import (
    parse_crf,
    parse_language,
    parse_layout,
    parse_prompt,
    parse_rate,
    parse_seconds,
    parse_side_size,
)
from emomedia.dataset.index import read_index
from emomedia.errors import DescriptionError, ModelError


def emomedia(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emomedia", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_help_and_version():
    assert "session" in emomedia("--help").stdout
    assert emomedia("--version").stdout.strip()


def test_wrong_usage_ends_with_2():
    assert emomedia("run").returncode == 2
    assert emomedia("run", "session.toml", "--out", "out", "--pad", "-1").returncode == 2
    assert emomedia("run", "session.toml", "--out", "out", "--encoder", "none").returncode == 2
    assert emomedia("run", "session.toml", "--out", "out", "--layout", "left").returncode == 2
    assert emomedia("run", "session.toml", "--out", "out", "--side-size", "961x1080").returncode == 2


def test_an_error_is_one_line_and_1(tmp_path):
    ended = emomedia("run", tmp_path / "missing.toml", "--out", tmp_path / "out")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "missing.toml" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_probe_tells_machines_in_json_lines(simulated):
    session = simulated(size=(270, 480), seconds=Fraction(4))
    ended = emomedia("probe", session, "--json")
    assert ended.returncode == 0
    assert json.loads(ended.stdout.splitlines()[-1])["session"] == "sim"


def test_a_run_ends_with_its_bottleneck(simulated, tmp_path):
    session = simulated(size=(180, 320), seconds=Fraction(3), dialogues=1)
    given = ("run", session, "--turns", session.parent / "turns.json", "--preset", "ultrafast")
    ended = emomedia(*given, "--out", tmp_path / "people", "--workers", "1")
    assert ended.returncode == 0, ended.stderr
    assert re.fullmatch(
        r"bottleneck: \w+ing, \d+% of the workers' time; 1 worker busy \d+%", ended.stdout.splitlines()[-1]
    )
    lines = emomedia(*given, "--out", tmp_path / "machines", "--json").stdout.splitlines()
    assert json.loads(lines[-1])["bottleneck"] in ("decode", "compose", "encode")
    again = emomedia(*given, "--out", tmp_path / "people")
    assert "bottleneck" not in again.stdout, "nothing was made"


def test_the_cut_gives_no_verdict(simulated, tmp_path):
    session = simulated(size=(180, 320), seconds=Fraction(3), dialogues=1)
    given = (session, "--turns", session.parent / "turns.json", "--preset", "ultrafast", "--out", tmp_path)
    ended = emomedia("cut", *given)
    assert ended.returncode == 0, ended.stderr
    assert f"2 of 2 unchecked, in no export yet: emomedia check {tmp_path}" in ended.stdout
    table = read_index(tmp_path, ["keep", "reasons"])
    assert table.to_pylist() == [{"keep": False, "reasons": ["unchecked"]}] * 2
    exported = emomedia("export", tmp_path, "--format", "hf", "--to", tmp_path / "hf")
    assert f"judge them with 'emomedia check {tmp_path}'" in exported.stderr
    made = [json.loads(line) for line in emomedia("run", *given, "--json").stdout.splitlines()]
    outcomes = {line["stage"]: line["outcome"] for line in made if line["event"] == "stage_ends"}
    assert (outcomes["cut"], outcomes["check"]) == ("fresh", "made")
    assert (tmp_path / "report.html").is_file()
    assert " of 2 kept" in emomedia("cut", *given).stdout


def test_the_turns_are_told_with_how_the_floor_passes(simulated, tmp_path):
    session = simulated(size=(180, 320), seconds=Fraction(3), dialogues=1)
    given = json.loads((session.parent / "turns.json").read_text())
    ended = emomedia("turns", session, "--turns", session.parent / "turns.json", "--out", tmp_path)
    assert ended.returncode == 0, ended.stderr
    told = next(line for line in ended.stdout.splitlines() if "backchannels" in line)
    assert told.startswith(f"  1 dialogues, {len(given['turns'])} turns, among them ")
    replaced = "turns found from the sound replace those that --turns gave to an earlier run"
    assert replaced not in ended.stdout
    found, again = (emomedia("turns", session, "--out", tmp_path).stdout for _ in ("found", "again"))
    assert (replaced in found, replaced in again) == (True, False)
    assert "right: nobody is heard on the track; if the actor speaks, correct `mic`" in found


@pytest.mark.alone
def test_ctrl_c_stops_within_a_second_and_leaves_nothing_half_written(simulated, tmp_path):
    session = simulated(size=(270, 480), seconds=Fraction(9), dialogues=2)
    command = [sys.executable, "-m", "emomedia", "run", str(session), "--out", str(tmp_path)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # in case it is ignored
    )  # fmt: skip
    spool = tmp_path / "sim/spool"
    deadline = time.monotonic() + 60
    while not spool.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - begin < 2  # a second, and the interpreter's own end on a busy machine
    assert process.returncode == 1
    assert said.count("\n") == 1
    assert not [path for path in tmp_path.rglob(".*.part") if "clips" in Path(path).parts]


def test_rates_are_exact():
    assert parse_rate("25") == 25
    assert parse_rate("29.97") == Fraction(30000, 1001)
    assert parse_rate("24000/1001") == Fraction(24000, 1001)
    for text in ("fast", "0", "1e9", "1/0"):
        with pytest.raises(typer.BadParameter):
            parse_rate(text)


def test_numbers_are_exact_and_bounded():
    assert parse_seconds("0.1") == Fraction(1, 10)
    assert parse_crf("20.5") == Fraction(41, 2)
    for parse, text in ((parse_seconds, "-0.1"), (parse_seconds, "nan"), (parse_crf, "52"), (parse_crf, "x")):
        with pytest.raises(typer.BadParameter):
            parse(text)


def test_a_layout_names_each_picture_once_and_the_composite_always():
    assert parse_layout("composite") == {"composite"}
    assert parse_layout("right, composite,left") == {"composite", "left", "right"}
    for text, said in (
        ("left,right", "lacks the composite.*write composite,left,right"),
        ("composite,middle", "'middle' is not one of composite, left, right"),
        ("composite,left,left", "left is named more than once"),
        ("composite,", "'' is not one"),
        ("", "'' is not one"),
    ):
        with pytest.raises(typer.BadParameter, match=said):
            parse_layout(text)


def test_a_language_is_a_code_and_a_prompt_is_text():
    assert (parse_language("zh"), parse_prompt("张三")) == ("zh", "张三")
    for parse, text in ((parse_language, "Chinese"), (parse_prompt, "\udcff")):
        with pytest.raises(typer.BadParameter):
            parse(text)


def test_sizes_of_sides_are_even_and_bounded():
    assert parse_side_size("1080x1920") == (1080, 1920)
    assert parse_side_size("16x4096") == (16, 4096)
    for text in ("1081x1920", "1080x1919", "14x16", "16x4098", "1080", "x", "1080x-2", "1080×1920", "²x16"):
        with pytest.raises(typer.BadParameter):
            parse_side_size(text)


def test_a_batch_refuses_at_once_what_would_end_every_session(tmp_path):
    for side in ("left", "right"):
        (tmp_path / f"{side}.mp4").write_bytes(b"")
    sides = "".join(f'[{side}]\nactor = "{side}"\nvideo = "{side}.mp4"\n' for side in ("left", "right"))
    (tmp_path / "session.toml").write_text(f'id = "s"\n{sides}')
    for option in ("--asr-model", "--profile"):
        given = [
            "batch",
            str(tmp_path / "session.toml"),
            "--out",
            str(tmp_path / "out"),
            option,
            f"{tmp_path}/none",
        ]
        error = CliRunner().invoke(app, given).exception
        assert isinstance(error, ModelError | DescriptionError) and f"{tmp_path}/none" in str(error)
    assert not (tmp_path / "out").exists()


def test_a_session_in_which_nobody_speaks_ends_without_clips_and_says_so(simulated, tmp_path):
    session = simulated(size=(180, 320), seconds=Fraction(3), dialogues=1)
    (tmp_path / "none.json").write_text('{"session": "sim", "dialogues": [], "turns": []}')
    given = ("--turns", tmp_path / "none.json", "--out", tmp_path / "out")
    ended = emomedia("run", session, *given)
    assert ended.returncode == 0, ended.stderr
    assert "no clips: there are no turns" in ended.stdout and "*.mp4" not in ended.stdout
