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
    write_sessions(tmp_path / "out", {"a": ("A1", "A2"), "b": ("A2", "A3")})
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
    assert events[-1]["clips"] == 20
    assert (tmp_path / "to/README.md").is_file()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "csv"], "none of"),
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
