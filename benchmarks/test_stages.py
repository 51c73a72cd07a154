"""Each stage alone, on the first session's takes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emomedia import _core
from emomedia.engine import make_job, run_engine
from emomedia.options import Options
from emomedia.pipeline import Pipeline
from emomedia.run import open_session
from emomedia.session import SIDES
from emomedia.stages import digest
from emomedia.work import Work

from .checks import check_clip
from .conftest import Measure, Scale, scale_of
from .footage import FOOTAGE, Session, make
from .measuring import Cost

STAGES = ("probe", "sync", "speech", "plan")
STARTS = {"import": ["-c", "import emomedia"], "help": ["-m", "emomedia", "--help"]}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rounds = range(scale_of(metafunc.config).rounds)
    if "stage" in metafunc.fixturenames:
        metafunc.parametrize(("number", "stage"), [(n, stage) for n in rounds for stage in STAGES])
    elif "start" in metafunc.fixturenames:
        quick = range(scale_of(metafunc.config).quick_rounds)
        metafunc.parametrize(("number", "start"), [(n, start) for n in quick for start in STARTS])
    else:
        metafunc.parametrize("number", rounds)


@pytest.fixture(scope="module")
def session(scale: Scale) -> Session:
    return make(FOOTAGE["smoke" if scale.smoke else "h264-8"])


@pytest.fixture
def pipeline(session: Session, tmp_path: Path) -> Iterator[Pipeline]:
    """The session in an empty output folder, its turns given."""
    options = Options(turns=session.turns, pad=0, workers=1)
    with open_session(session.description, tmp_path / "out", options) as pipeline:
        yield pipeline


def _nothing(*_: object) -> None:
    pass


def _timed(work: object) -> Cost:
    begin, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - begin, time.process_time() - cpu)


def test_stage(stage: str, number: int, session: Session, pipeline: Pipeline, measure: Measure) -> None:
    """What comes before the stage is made first, untimed; speech includes conforming the tracks."""
    before = {"probe": [], "sync": ["probe"], "speech": ["probe", "sync"], "plan": ["probe", "sync", "turns"]}
    for earlier in before[stage]:
        getattr(pipeline, earlier)

    def verify() -> dict[str, object]:
        assert (pipeline.folder.path / ("session.json" if stage == "probe" else f"{stage}.json")).exists()
        if stage == "plan":
            assert [(c.id, c.first_frame, c.end_frame) for c in pipeline.plan.clips] == session.footage.clips
        return {}

    frames = session.footage.seconds * 25
    measure(
        "stage",
        session.footage.name,
        stage,
        number,
        frames,
        lambda: _timed(lambda: getattr(pipeline, stage)),
        verify,
    )


def test_cut_of_packets(number: int, session: Session, pipeline: Pipeline, measure: Measure) -> None:
    """Clips from spools that are whole already: packets copied, sound encoded, nothing decoded."""
    work, folder = _work(pipeline), pipeline.folder
    for place in (folder.clips, folder.audio, folder.spool):
        place.mkdir(parents=True, exist_ok=True)
    run_engine(_core.Engine(make_job(work, work.plan.clips, folder)), _nothing, _nothing)
    shutil.rmtree(folder.clips)
    folder.clips.mkdir()
    job = make_job(work, work.plan.clips, folder)
    reports = []

    def cut() -> None:
        reports.append(run_engine(_core.Engine(job), _nothing, _nothing))

    def verify() -> dict[str, object]:
        assert reports[0].composed_frames == 0
        for clip, first, end in session.footage.clips:
            check_clip(folder.clip(clip), session.footage, first, end)
        return {}

    measure(
        "stage",
        session.footage.name,
        "cut of packets",
        number,
        session.footage.frames,
        lambda: _timed(cut),
        verify,
    )


def _work(pipeline: Pipeline) -> Work:
    """As the pipeline's own cut has it."""
    clocks = {side: pipeline.sync[side]["take"] for side in SIDES}
    media = digest(pipeline.sources.read)
    plan = pipeline.plan
    return Work(plan, pipeline.probe.takes, clocks, lambda: pipeline.sound, media, pipeline.options)


def test_start(start: str, number: int, measure: Measure) -> None:
    """From nothing to the package imported, and to the help printed."""
    command = [sys.executable, *STARTS[start]]
    outputs = []

    def work() -> Cost:
        begin = time.perf_counter()
        outputs.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return Cost(time.perf_counter() - begin, 0)

    def verify() -> dict[str, object]:
        assert start == "import" or "Usage" in outputs[0]
        return {}

    measure("start", "process", start, number, 1, work, verify)
