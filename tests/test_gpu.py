"""The machine's own GPU: the bytes of the cores, frames in its memory.  Skipped where there is none."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emomedia
from emomedia import _core
from emomedia.layout import SessionFolder
from emomedia.options import PICTURES, Options
from emomedia.run import run
from emomedia.session_file import load_session

pytestmark = pytest.mark.gpu

KINDS: dict[str, dict[str, Any]] = {
    "h264": {"right_offset": Fraction("0.52")},
    "h264 on its side": {"rotate": 90},
    "hevc 10 bit, long open GOPs": {
        "codec": "hevc",
        "depth": 10,
        "rotate": 270,
        "gop": 250,
        "open_gop": True,
    },
    "29.97 in two files": {"fps": Fraction(30000, 1001), "parts": 2},
    "hevc 12 bit": {"codec": "hevc", "depth": 12},
    "vp9": {"codec": "vp9"},
    "av1 10 bit": {"codec": "av1", "depth": 10},
}
SIZE = {"size": (540, 960), "seconds": Fraction(4)}


@pytest.fixture(scope="module", autouse=True)
def gpu():
    found = _core.find_gpus()
    if not found.gpus:
        if os.environ.get("EMOMEDIA_REQUIRE_CUDA"):
            pytest.fail(f"EMOMEDIA_REQUIRE_CUDA: {found.reason}")
        pytest.skip(f"needs an NVIDIA GPU: {found.reason}")
    return found.gpus[0]


OPEN = """
import ctypes
from emomedia import _core

def contexts():
    flags, active = ctypes.c_uint(), ctypes.c_int()
    for number in numbers:
        assert driver.cuDevicePrimaryCtxGetState(number, ctypes.byref(flags), ctypes.byref(active)) == 0
        yield active.value

numbers = [gpu.index for gpu in _core.find_gpus().gpus]
driver = ctypes.CDLL("libcuda.so.1")
before = list(contexts())
gpu = _core.open_gpu(numbers[-1])
assert all(gpu.free_memory < gpu.memory for gpu in _core.find_gpus().gpus)
print(before, list(contexts()))
"""


def test_memory_is_taken_of_those_that_are_used_alone():
    """In a process of its own: which has a context on a GPU, hundreds of megabytes, once it is open."""
    done = subprocess.run([sys.executable, "-c", OPEN], capture_output=True, text=True, check=True)
    gpus = len(_core.find_gpus().gpus)
    none = [0] * gpus
    assert done.stdout.strip() == f"{none} {[*none[1:], 1]}"


def made(session: Path, out: Path, device: Any, **choices: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Every clip's bytes and run.json; by libx264, since NVENC's are no core's."""
    choices = {"preset": "ultrafast", "encoder": "libx264", "device": device} | choices
    options = Options(turns=session.parent / "turns.json", **choices)
    run(session, out, options, through="cut")
    folder = SessionFolder(out.resolve(), load_session(session).id)
    clips = {path.name: path.read_bytes() for path in sorted(folder.clips.iterdir())}
    return clips, json.loads(folder.run_report.read_text())


@pytest.mark.parametrize("kind", KINDS)
def test_clips_have_the_bytes_that_the_cores_make(simulated, tmp_path, kind, gpu):
    codec, depth = KINDS[kind].get("codec", "h264"), KINDS[kind].get("depth", 8)
    if not any((limit.codec, limit.chroma, limit.depth) == (codec, 420, depth) for limit in gpu.decodes):
        pytest.skip(f"{gpu.name} does not decode {codec} with {depth} bits")
    session = simulated(**SIZE, **KINDS[kind])
    there, report = made(session, tmp_path / "gpu", "cuda", layout=PICTURES, workers=3)
    here, _ = made(session, tmp_path / "cores", "cpu", layout=PICTURES, workers=2)
    assert len(there) > 3
    assert there == here
    assert report["engine"]["decoded_on"] == {"left": "GPU", "right": "GPU"}
    # What leaves the card is the composites, whose halves the sides alone are.
    composite = 1920 * 1080 * 3 // 2
    assert report["engine"]["gpus"][0]["bytes_to_host"] == report["engine"]["composed_frames"] * composite


def test_what_the_gpu_does_not_decode_the_cores_do(simulated, tmp_path):
    session = simulated(**SIZE, depth=10)  # H.264 in 10 bits: no GPU before Blackwell
    found = _core.find_gpus().gpus[0]
    if any(limit.codec == "h264" and limit.depth == 10 for limit in found.decodes):
        pytest.skip(f"{found.name} decodes H.264 in 10 bits")
    there, report = made(session, tmp_path / "gpu", "auto")
    here, _ = made(session, tmp_path / "cores", "cpu")
    assert there == here
    assert (
        report["engine"]["decoded_on"]["left"]
        == f"cores: {found.name} does not decode h264 4:2:0 with 10 bits"
    )


def host_frames(session: Path) -> list[np.ndarray]:
    with emomedia.frames(session, start=1, end=2) as frames:
        return [frame.i420.copy() for frame in frames]


def test_frames_in_its_memory_are_those_of_the_host(simulated):
    cupy = pytest.importorskip("cupy")
    session = simulated(**SIZE)
    expected = host_frames(session)
    with emomedia.frames(session, start=1, end=2, device="cuda") as frames:
        for frame, here in zip(frames, expected, strict=True):
            assert np.array_equal(cupy.asnumpy(cupy.asarray(frame)), here)
            assert np.array_equal(cupy.asnumpy(cupy.from_dlpack(frame)), here)
            assert np.array_equal(cupy.asnumpy(cupy.asarray(frame.y)), here[:1080])
            assert np.array_equal(
                cupy.asnumpy(cupy.asarray(frame.v)).reshape(-1), here.reshape(-1)[-960 * 540 :]
            )


def test_the_example_computes_there_what_it_computes_here(simulated):
    pytest.importorskip("cupy")
    example = runpy.run_path(str(Path(__file__).parent.parent / "examples/sharpness.py"))
    session = simulated(**SIZE)
    here, there = (list(example["sharpness"](session, device, start=1, end=2)) for device in ("cpu", "cuda"))
    assert len(here) == 25
    assert there == here


def test_capsules_are_of_the_version_that_is_asked_for(simulated):
    with emomedia.frames(simulated(**SIZE), start=1, end=2, device="cuda") as frames:
        frame = next(frames)
        assert '"dltensor"' in repr(frame.__dlpack__())
        assert '"dltensor_versioned"' in repr(frame.__dlpack__(stream=1, max_version=(1, 0), copy=False))
        with pytest.raises(BufferError):
            frame.__dlpack__(copy=True)
        with pytest.raises(BufferError):
            frame.__dlpack__(dl_device=(1, 0))


def test_torch_and_jax_take_them_without_a_copy(simulated):
    torch = pytest.importorskip("torch")
    session = simulated(**SIZE)
    expected = host_frames(session)
    with emomedia.frames(session, start=1, end=2, device="cuda") as frames:
        frame = next(frames)
        tensor = torch.from_dlpack(frame)
        assert tensor.data_ptr() == frame.__cuda_array_interface__["data"][0]
        assert np.array_equal(tensor.cpu().numpy(), expected[0])
        jax = pytest.importorskip("jax")
        assert np.array_equal(np.asarray(jax.dlpack.from_dlpack(next(frames).y)), expected[1][:1080])


def test_a_buffer_waits_for_work_that_its_owner_queued_and_left(simulated):
    """Arrays are dropped while the GPU has still to read them; the stream must not write over them."""
    cupy = pytest.importorskip("cupy")
    session = simulated(**SIZE)
    expected = [float(frame[:1080].astype(np.float64).sum()) for frame in host_frames(session)]
    ballast = cupy.ones((4096, 4096), cupy.float32)
    sums = []
    with (
        cupy.cuda.Stream(non_blocking=True),
        emomedia.frames(session, start=1, end=2, device="cuda", ahead=2) as frames,
    ):
        for frame in frames:
            ballast = ballast @ ballast * 1e-4  # keeps the queue long
            sums.append(cupy.asarray(frame.y).astype(cupy.float64).sum())
            del frame
        assert [float(each) for each in sums] == expected
