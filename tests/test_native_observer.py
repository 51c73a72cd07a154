"""A native function sees each composite inside the core, and what it measures comes out of the report."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emomedia import _core
from emomedia.engine import core_take, make_job, run_engine
from emomedia.native_observer import NativeObserver
from emomedia.options import Options
from emomedia.pipeline import Pipeline
from emomedia.run import open_session
from emomedia.session import SIDES
from emomedia.work import Work

HEADER = Path(__file__).parents[1] / "csrc/include"
SOURCE = """
#include "emomedia/observer.h"
void look(void* context, int64_t frame, uint32_t damaged, const uint8_t* y, const uint8_t* u,
          const uint8_t* v, int64_t y_stride, int64_t u_stride, int64_t v_stride, int32_t width,
          int32_t height, int32_t depth, float* measures) {
  const uint8_t* planes[3] = {y, u, v};
  const int64_t strides[3] = {y_stride, u_stride, v_stride};
  for (int p = 0; p < 3; ++p) {
    const int w = p ? (width + 1) / 2 : width, h = p ? (height + 1) / 2 : height;
    uint64_t sum = 0;
    for (int row = 0; row < h; ++row) {
      const uint8_t* line = planes[p] + row * strides[p];
      for (int x = 0; x < w; ++x) sum += depth > 8 ? ((const uint16_t*)line)[x] : line[x];
    }
    measures[p] = (float)((double)sum / ((double)w * h));
  }
  measures[3] = (float)(frame + *(const int*)context);
  measures[4] = (float)damaged;
}
"""


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    """The mean of each plane, the frame's number with an addend, the damaged sides: from a plain C file."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("observer")
    (folder / "look.c").write_text(SOURCE)
    command = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", f"-I{HEADER}"]
    subprocess.run([*command, "-o", folder / "look.so", folder / "look.c"], check=True)
    library = ctypes.CDLL(str(folder / "look.so"))
    address = ctypes.cast(library.look, ctypes.c_void_p).value
    addend = ctypes.c_int(1000)
    yield NativeObserver("look", "1", ("y", "u", "v", "frame", "damaged"), address, ctypes.addressof(addend))
    del library, addend


def work_of(pipeline: Pipeline, observer: NativeObserver | None) -> Work:
    return Work(
        plan=pipeline.plan,
        takes=pipeline.probe.takes,
        clocks={side: pipeline.sync[side]["take"] for side in SIDES},
        find_sound=lambda: pipeline.sound,
        media="m",
        options=pipeline.options,
        observer=observer,
    )


def observed(session: Path, out: Path, observer: NativeObserver | None, **choices: Any) -> tuple[Work, Any]:
    options = Options(turns=session.parent / "turns.json", preset="ultrafast", **choices)
    with open_session(session, out, options) as pipeline:
        work = work_of(pipeline, observer)
        for place in (pipeline.folder.clips, pipeline.folder.spool):
            place.mkdir(parents=True, exist_ok=True)
        job = make_job(work, work.plan.clips, pipeline.folder)
        return work, run_engine(_core.Engine(job), lambda: None, lambda *_: None)


def composite_means(work: Work, frame: int, depth: int) -> list[float]:
    left, right = (core_take(work.takes[side]) for side in SIDES)
    reader = _core.Composites(left, right, depth=depth)
    sources = [int(work.source_indices(side, frame, 1)[0]) for side in SIDES]
    return [float(plane.mean()) for plane in reader.render(*sources)[:3]]


@pytest.mark.parametrize("depth", [8, 10])
def test_an_observer_sees_the_composites_that_are_encoded(simulated, tmp_path, look, depth):
    session = simulated(size=(270, 480), seconds=Fraction(4))
    work, report = observed(session, tmp_path, look, depth=depth)
    shown = sorted({n for span in work.plan.spans for n in range(span.first_frame, span.end_frame)})
    assert report.measured_frames.dtype == np.int64
    assert report.measured_frames.tolist() == shown
    assert (report.measures.dtype, report.measures.shape) == (np.float32, (len(shown), 5))
    assert (report.measures[:, 3] == np.array(shown) + 1000).all()
    assert not report.measures[:, 4].any()
    for row in (0, len(shown) // 2, -1):
        means = composite_means(work, shown[row], depth)
        assert report.measures[row, :3] == pytest.approx(means, rel=1e-6)
    assert {time.stage: time.seconds > 0 for time in report.stages}["observe"]


def test_measures_are_the_same_for_any_number_of_workers_and_when_resumed(
    simulated, tmp_path, look, monkeypatch
):
    monkeypatch.setattr("emomedia.plan.chunk_frames", lambda *_: 20)
    session = simulated(size=(270, 480), seconds=Fraction(4))
    _, one = observed(session, tmp_path / "1", look, workers=1)
    _, three = observed(session, tmp_path / "3", look, workers=3)
    assert one.composed_frames > 0
    assert np.array_equal(one.measures, three.measures)
    spools = sorted((tmp_path / "1/sim/spool").iterdir())
    spools[0].unlink()
    _, resumed = observed(session, tmp_path / "1", look, workers=2)
    assert 0 < resumed.composed_frames < one.composed_frames
    assert np.array_equal(resumed.measures, one.measures)


def test_another_observer_or_version_takes_no_spool_of_this_one(simulated, tmp_path, look):
    session = simulated(size=(270, 480), seconds=Fraction(4))
    work, first = observed(session, tmp_path, look)
    newer = NativeObserver("look", "2", look.measures, look.address, look.context)
    _, second = observed(session, tmp_path, newer)
    unseen, third = observed(session, tmp_path, None)
    assert first.resumed_frames == second.resumed_frames == third.resumed_frames == 0
    assert third.measures.shape == (0, 0)
    assert {time.stage: time.seconds for time in third.stages}["observe"] == 0.0
    chunk = work.plan.chunks[0]
    keys = {work.chunk_keys[chunk], unseen.chunk_keys[chunk]}
    assert len(keys) == 2


def test_an_observer_without_a_function_or_a_measure_is_refused():
    for choices in ({"address": 0, "measures": 1}, {"address": 1, "measures": 0}):
        with pytest.raises(ValueError, match="an address and at least one measure"):
            _core.Observer(**choices)


def test_the_documented_example_works(simulated, tmp_path):
    numba = pytest.importorskip("numba")
    text = (Path(__file__).parents[1] / "docs/observer.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {"numba": numba}
    exec(code, names)
    session = simulated(size=(270, 480), seconds=Fraction(4))
    work, report = observed(session, tmp_path, names["observer"])
    assert report.measures[0, 0] == pytest.approx(
        composite_means(work, int(report.measured_frames[0]), 8)[0], rel=1e-4
    )
