"""What a batch is told for all its sessions: the options of a run, and refusals before anything is begun."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from emomedia.batch.run import _everywhere
from emomedia.cli.app import app
from emomedia.options import Options


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--profile", "a profile in TOML"),
        ("--asr-model", "expected a folder"),
        ("--face-model", "an ONNX model"),
        ("--person-model", "an ONNX model"),
        ("--lut", "expected"),
    ],
)
def test_what_no_session_could_use_is_refused_at_once(tmp_path, option, said):
    if option.endswith("model"):
        pytest.importorskip("onnxruntime")
    (tmp_path / "session.toml").write_text("id = 3")
    out = tmp_path / "out"
    gone = str(tmp_path / "gone")
    result = CliRunner().invoke(app, ["batch", str(tmp_path), "--out", str(out), option, gone])
    assert result.exit_code == 1
    assert gone in str(result.exception) and said in str(result.exception)
    assert not (out / ".batch").exists()


def test_workers_find_shared_files_from_wherever_they_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text("")
    found = _everywhere(Options(profile=Path("p.toml"), turns=Path("turns.json")))
    assert found.profile == tmp_path / "p.toml"
    assert found.turns == Path("turns.json")
