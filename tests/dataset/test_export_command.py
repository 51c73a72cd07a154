"""``emomedia export`` and ``emomedia report`` as they are called."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from audits import write_sessions
from emomedia.cli.app import app
from emomedia.cli.exported import LAYOUTS
from emomedia.dataset.export import FORMATS


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return (
        result.exit_code,
        result.output if result.exception is None else f"{result.output}{result.exception}",
    )


@pytest.fixture
def out(tmp_path):
    write_sessions(tmp_path / "out", {name: (f"A{n}", f"A{(n + 1) % 6}") for n, name in enumerate("abcdef")})
    return tmp_path / "out"


def test_the_command_knows_the_layouts_that_there_are():
    assert set(LAYOUTS) == set(FORMATS)


def test_export_tells_what_it_wrote_and_what_could_not_be_divided(out, tmp_path):
    status, text = call(
        "export", str(out), "--format", "hf", "--no-media", "--all", "--to", str(tmp_path / "to"), "--json"
    )
    assert status == 0
    events = [json.loads(line) for line in text.splitlines()]
    assert any("all actors are connected" in event.get("text", "") for event in events)
    assert events[-1]["clips"] == 60
    assert (tmp_path / "to/README.md").is_file()


def test_sessions_that_connect_the_actors_are_left_out_when_asked_and_told_of(out, tmp_path):
    to = tmp_path / "to"
    status, text = call(
        "export", str(out), "--format", "hf", "--no-media", "--all", "--leave-out", "--to", str(to), "--json"
    )
    assert status == 0
    ends = json.loads(text.splitlines()[-1])
    told = json.loads((to / "splits.json").read_text())
    assert ends["clips"] == 30 and all(ends["splits"].values())
    assert ends["left_out"] == told["left_out"]
    assert len(told["left_out"]) == 3 and set(told["sessions"]) == set("abcdef") - set(told["left_out"])
    card = (to / "README.md").read_text()
    assert "3 sessions with 50.0% of the time are left out" in card
    assert "Left out are 4 dialogues of 0.01 hours and 17 turns of 0.01 hours" in card


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "csv"], "one of"),
        (["--format", "hf", "--splits", "a,b,c"], "0.8,0.1,0.1"),
        (["--format", "hf", "--splits", "0.5,0.1,0.1"], "add up to 1"),
    ],
)
def test_wrong_options_are_refused(out, tmp_path, options, said):
    status, text = call("export", str(out), "--to", str(tmp_path / "to"), *options)
    assert status != 0
    assert said in text
    assert not (tmp_path / "to").exists()


def test_report_says_where_the_page_is(out):
    status, text = call("report", str(out), "--json")
    assert status == 0
    assert json.loads(text)["report"] == str(out / "report.html")
    assert (out / "report.html").is_file()


@pytest.mark.parametrize("command", [("report",), ("export", "--format", "hf", "--to", "to")])
def test_a_described_session_without_its_output_folder_is_refused(tmp_path, command):
    (tmp_path / "session.toml").write_text("")
    status, text = call(*command, str(tmp_path / "session.toml"))
    assert status != 0
    assert "name the folder of its clips with --out" in text
