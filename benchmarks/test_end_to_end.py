"""From takes to clips: emomedia, what it cannot avoid (decode and encode alone), and what users do instead.

Rounds are outside and contenders inside, so that they take turns and a round's ratios are of one time.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from emomedia.dataset.verify import verify as verify_output

from . import native_peers
from .checks import check_clip, clip_quality, own_composites
from .conftest import Measure, Scale, scale_of
from .contenders import (
    CRF,
    PRESET,
    Contender,
    emomedia_run,
    ffmpeg_once,
    ffmpeg_per_clip,
    newer_ffmpeg,
    raw_composites,
    reference,
)
from .footage import FOOTAGE, Session, make
from .measuring import BUILD, Cost, run

REFERENCE_FRAMES = 25
ALONE = ("decode alone", "encode alone")
NEWER = "ffmpeg 7 or later, well written"


def _contenders(case: str) -> dict[str, Contender | None]:
    """By name; None where this system lacks it."""
    newer = newer_ffmpeg()
    every: list[Contender] = [
        emomedia_run(2),
        ffmpeg_once("ffmpeg", "ffmpeg, well written"),
        emomedia_run(1),
        ffmpeg_per_clip("ffmpeg"),
        reference(REFERENCE_FRAMES),
    ]
    found: dict[str, Contender | None] = {contender.name: contender for contender in every}
    found[NEWER] = ffmpeg_once(newer, NEWER) if newer else None
    if case == "hevc-10":
        return {name: found[name] for name in ("emomedia, 2 workers", "ffmpeg, well written")}
    if case == "long":
        return {name: found[name] for name in ("emomedia, 2 workers",)}
    return found


def _cases(scale: Scale) -> list[str]:
    return ["smoke"] if scale.smoke else ["h264-8", "hevc-10", *(["long"] if scale.long else [])]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    scale = scale_of(metafunc.config)
    if "contender" in metafunc.fixturenames:
        every = [
            (case, number, name)
            for case in _cases(scale)
            for number in range(1 if case == "long" else scale.rounds)
            for name in (*_contenders(case), *(ALONE if case != "long" else ()))
            if number == 0 or not name.startswith("reference")
        ]
        metafunc.parametrize(("session", "number", "contender"), every, indirect=["session"])


@pytest.fixture(scope="module")
def session(request: pytest.FixtureRequest) -> Session:
    return make(FOOTAGE[request.param])


def test_run(session: Session, number: int, contender: str, out: Path, measure: Measure) -> None:
    footage = session.footage
    if contender in ALONE:
        work, verify = (_decode if contender == ALONE[0] else _encode)(session, out)
        frames = _decoded_frames(session) if contender == ALONE[0] else footage.frames
        measure("end to end", footage.name, contender, number, frames, work, verify)
        return
    chosen = _contenders(footage.name)[contender]
    if chosen is None:
        pytest.skip("no ffmpeg 7 here: name one by BENCH_FFMPEG, or install the extra `bench`")
    commands = chosen.commands(session, out)

    def verify_clips() -> dict[str, Any]:
        return _verify(session, chosen, out, number)

    frames = chosen.frames or footage.frames
    measure("end to end", footage.name, contender, number, frames, lambda: run(commands), verify_clips)


def _verify(session: Session, contender: Contender, out: Path, number: int) -> dict[str, Any]:
    """Every clip's frames; in the first round the dialogue's dB against the contender's own composites."""
    footage = session.footage
    if contender.name.startswith("emomedia"):
        findings = [str(finding) for checked in verify_output(out) for finding in checked.findings]
        assert not findings, findings
    wanted = [("bench_000", 0, contender.frames)] if contender.frames else footage.clips
    for clip, first, end in wanted:
        check_clip(contender.clip(out, clip), footage, first, end)
    if number > 0 or footage.name == "long":
        return {}
    ours = contender.name.startswith(("emomedia", "reference"))
    composites = _own(session) if ours else _ffmpegs(session)
    return clip_quality(contender.clip(out, "bench_000"), composites, 0)


def _own(session: Session) -> np.ndarray:
    return own_composites(session, BUILD / "work" / session.footage.folder.name / "emomedia.yuv")


def _ffmpegs(session: Session) -> np.ndarray:
    """FFmpeg's composites of one period, before any encoder."""
    path = BUILD / "work" / session.footage.folder.name / "ffmpeg.yuv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        run([raw_composites(session, "ffmpeg", part)])
        part.rename(path)
    return np.memmap(path, np.uint8, "r").reshape(session.footage.period, -1)


Alone = tuple[Callable[[], Cost], Callable[[], dict[str, Any]]]


def _decoded_frames(session: Session) -> int:
    """Two periods: the takes repeat after each."""
    return min(2 * session.footage.period, session.footage.frames)


def _decode(session: Session, out: Path) -> Alone:
    """Both takes, one after the other, by libav on one thread."""
    del out
    width, height = session.footage.size
    bytes_of = 1 if session.footage.depth == 8 else 2
    luma = {side: np.empty((height, width * bytes_of), np.uint8) for side in session.takes}
    frames = _decoded_frames(session)
    library = native_peers.Library()

    def work() -> Cost:
        begin = time.perf_counter()
        cpu = sum(library.decode(path, frames, luma[side]) for side, path in session.takes.items())
        return Cost(time.perf_counter() - begin, cpu)

    def verify() -> dict[str, Any]:
        for side, path in session.takes.items():
            assert np.array_equal(luma[side], _frame(path, frames - 1, bytes_of)), (
                f"{path}: frame {frames - 1}"
            )
        return {}

    return work, verify


def _frame(path: Path, number: int, sample_bytes: int) -> np.ndarray:
    """A frame's luma as PyAV's libav decodes it, as bytes."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        frame = next(frame for n, frame in enumerate(container.decode(video=0)) if n == number)
        plane = np.frombuffer(frame.planes[0], np.uint8).reshape(frame.height, -1)
        return plane[:, : frame.width * sample_bytes]


def _encode(session: Session, out: Path) -> Alone:
    """emomedia's composites of the dialogue, by one encoder, with IDR pictures where a run has them."""
    composites, footage = _own(session), session.footage
    library, path = native_peers.Library(), out / "alone.h264"

    def work() -> Cost:
        begin = time.perf_counter()
        cpu = library.encode(composites, (1920, 1080), footage.frames, PRESET, CRF, footage.key_frames, path)
        return Cost(time.perf_counter() - begin, cpu)

    def verify() -> dict[str, Any]:
        check_clip(path, footage, 0, footage.frames)
        return clip_quality(path, composites, 0)

    return work, verify


@pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="no NVIDIA GPU here")
def test_gpu_peers() -> None:
    pytest.skip("emomedia has no GPU engine yet that PyNvVideoCodec or DALI could be compared with")
