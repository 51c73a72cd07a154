"""Turns exported from a finished session, corrected, and given back: only what was corrected is made anew."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from emomedia.cli.app import app
from emomedia.errors import MediaNotFoundError, OutputError
from emomedia.options import Options
from emomedia.run import run

TURNS = {
    "session": "sim",
    "dialogues": [{"id": "a", "start": 0, "end": 1.5}, {"id": "b", "start": 1.6, "end": 2.8}],
    "turns": [
        {"id": "a0", "dialogue": "a", "speaker": "left", "start": 0.1, "end": 0.7204},
        {"id": "a1", "dialogue": "a", "speaker": "right", "start": 0.6, "end": 1.4},
        {"id": "b0", "dialogue": "b", "speaker": "left", "start": 1.7, "end": 2.3},
    ],
}


@pytest.fixture(scope="module")
def finished(simulated, tmp_path_factory) -> tuple[Path, Path]:
    """A session's description and the output folder of its run."""
    session = simulated(size=(180, 320), seconds=Fraction(3), dialogues=1)
    folder = tmp_path_factory.mktemp("exported")
    text = session.read_text().replace('"left.mp4"', f'"{session.parent}/left.mp4"')
    text = text.replace('"right.mp4"', f'"{session.parent}/right.mp4"').replace(
        'file = "', f'file = "{session.parent}/'
    )
    (folder / "session.toml").write_text(text.partition("[[dialogue]]")[0])
    (folder / "turns.json").write_text(json.dumps(TURNS))
    run(folder / "session.toml", folder / "out", Options(preset="ultrafast", turns=folder / "turns.json"))
    return folder / "session.toml", folder / "out"


def command(out: Path, form: str, to: Path) -> Result:
    return CliRunner().invoke(app, ["export", str(out), "--format", form, "--to", str(to)])


def exported(out: Path, form: str, to: Path) -> list[str]:
    ended = command(out, form, to)
    assert ended.exit_code == 0, ended.output
    return sorted(path.relative_to(to).as_posix() for path in to.rglob("*") if path.is_file())


@pytest.mark.parametrize("form", ["eaf", "TextGrid"])
def test_untouched_nothing_is_made_again(finished, tmp_path, form):
    session, out = finished
    before = (out / "sim/clips.jsonl").read_bytes()
    assert exported(out / "sim", form.lower(), tmp_path) == [f"sim.{form}"]
    result = run(session, out, Options(preset="ultrafast", turns=tmp_path / f"sim.{form}"))
    assert result.made == 0
    assert (out / "sim/clips.jsonl").read_bytes() == before


def test_a_turn_corrected_in_elan_costs_its_own_dialogue(finished, tmp_path):
    session, out = finished
    exported(out, "eaf", tmp_path)
    path = tmp_path / "sim.eaf"
    first = run(session, out, Options(preset="ultrafast", turns=path)).rows
    path.write_text(path.read_text().replace('"2300"', '"2500"'))
    result = run(session, out, Options(preset="ultrafast", turns=path))
    pairs = zip(result.rows, first, strict=True)
    assert [row["id"] for row, before in pairs if row["sha256"] != before["sha256"]] == ["b", "b0"]
    assert result.made == 2


def test_subtitles_lie_beside_the_clips(finished, tmp_path):
    _, out = finished
    assert exported(out, "srt", tmp_path) == ["clips/a.srt", "clips/b.srt", "sim.srt"]
    assert exported(out, "emodialog-json", tmp_path / "json") == ["a.json", "b.json"]


def test_no_sessions_files_replace_those_of_another(tmp_path):
    for name, dialogue in (("one", "d"), ("two", "D")):
        (tmp_path / "out" / name).mkdir(parents=True)
        dialogues = [{"id": dialogue, "start": 0, "end": 2}]
        turns = [{"id": "t", "dialogue": dialogue, "speaker": "left", "start": 0, "end": 1}]
        body = {"session": name, "dialogues": dialogues, "turns": turns}
        (tmp_path / "out" / name / "turns.json").write_text(json.dumps(body))
    error = command(tmp_path / "out", "emodialog-json", tmp_path / "to").exception
    assert isinstance(error, OutputError) and "it again in session 'two'" in str(error)
    assert exported(tmp_path / "out", "rttm", tmp_path / "rttm") == ["one.rttm", "two.rttm"]
    assert exported(tmp_path / "out/two", "emodialog-json", tmp_path / "two") == ["D.json"]


def test_of_a_described_session_its_own_turns_are_exported_found_first_if_need_be(finished, tmp_path):
    session, _ = finished
    out = tmp_path / "out"
    (out / "other").mkdir(parents=True)
    (out / "other/turns.json").write_text(json.dumps({"session": "other", "turns": []}))
    given = ["export", str(session), "--out", str(out), "--format", "rttm", "--to", str(tmp_path / "to")]
    ended = CliRunner().invoke(app, given)
    assert ended.exit_code == 0, ended.output
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["sim.rttm"]
    assert (out / "sim/turns.json").is_file() and not (out / "sim/plan.json").exists()


def test_elan_finds_the_takes(finished, tmp_path):
    _, out = finished
    exported(out, "eaf", tmp_path)
    assert 'RELATIVE_MEDIA_URL="./left.mp4"' in (tmp_path / "sim.eaf").read_text()


def test_a_folder_without_turns_is_refused(tmp_path):
    error = command(tmp_path, "eaf", tmp_path).exception
    assert isinstance(error, MediaNotFoundError)
    assert "no turns.json" in str(error)


def test_an_unknown_format_is_wrong_usage(tmp_path):
    ended = command(tmp_path, "docx", tmp_path)
    assert ended.exit_code == 2
    assert "textgrid" in ended.output
