"""What a worker does: stages that are made by different workers leave what one alone would."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import many
from emomedia.batch.task import Advanced, Task, TaskRunner
from emomedia.options import Options
from emomedia.run import inspect_session

MODEL = Path(__file__).parent.parent / "data/tiny-whisper-zh-synth"


def test_each_task_recognises_with_the_cores_that_it_is_granted(tmp_path):
    (path,) = many.make_sessions(tmp_path, 1)
    options = Options(asr_model=MODEL, workers=1)
    pipeline = inspect_session(path, None, options)
    assert pipeline.recognition is not None and pipeline.recognition.options.workers == 1
    pipeline.set_options(replace(options, workers=4))
    assert pipeline.recognition.options.workers == 4


def test_what_a_task_leaves_and_says_does_not_depend_on_who_does_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr("emomedia.quality.measure.opencv_name", lambda: None)
    (path,) = many.make_sessions(tmp_path / "in", 1)
    options = Options(preset="ultrafast", workers=1)
    seconds: dict[str, float] = {}
    notes: list[str] = []
    stage: str | None = "probe"
    while stage is not None:
        runner = TaskRunner()
        outcome = runner.run(Task(path, tmp_path / "out", options, stage, dict(seconds)), lambda _: None)
        runner.close()
        assert isinstance(outcome, Advanced), outcome
        seconds |= {done.stage: done.seconds for done in outcome.stages if done.outcome == "made"}
        notes += outcome.notes
        stage = outcome.next
    body = json.loads((tmp_path / "out/s00/run.json").read_text())
    assert body["engine"]["bottleneck"]
    assert body["clips_made"] == body["clips"] > 0
    told_seconds = body["stage_seconds"]
    assert {stage: told_seconds[stage] for stage in seconds} == pytest.approx(seconds, abs=1e-3)
    assert body["wall_seconds"] == pytest.approx(sum(told_seconds.values()), abs=0.01)
    silent, unmeasured = notes
    assert "nobody is heard" in silent and "not measured" in unmeasured
