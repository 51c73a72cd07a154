"""The graph as a GPU has it, on the CPU: DALI's own decoder reads what a GPU's would be given.

DALI decodes neither H.264 nor HEVC without NVDEC, but VP9, so the clip is VP9 here.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from emomedia.dali.clips import read_clips
from emomedia.dali.graph import correction, device_number, pipeline, require_dali
from emomedia.dali.reader import Reader
from emomedia.errors import DescriptionError, MissingToolError

from .needs import need_dali

FIRSTS = (0, 3, 10, 17)
FRAMES = 5


@pytest.fixture(scope="module")
def vp9(dataset, tmp_path_factory):
    """A turn's row, and the folder in which its clip is VP9."""
    need_dali()
    out = tmp_path_factory.mktemp("vp9")
    row = next(row for row in read_clips(dataset, "turn").to_pylist() if row["speaker"] == "right")
    for file in row["audio"]:
        (out / file["path"]).parent.mkdir(parents=True, exist_ok=True)
        (out / file["path"]).symlink_to(dataset / file["path"])
    (out / row["path"]).parent.mkdir()
    write_vp9(dataset / row["path"], out / row["path"], Fraction(row["fps"]))
    return out, row


def write_vp9(source: Path, target: Path, rate: Fraction) -> None:
    options = {"deadline": "realtime", "cpu-used": "8", "crf": "10", "b": "0"}
    with av.open(source) as given, av.open(target, "w") as made:
        stream = made.add_stream("libvpx-vp9", rate=rate, options=options)
        stream.width, stream.height, stream.gop_size = 1920, 1080, 8
        stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1
        for number, frame in enumerate(islice(given.decode(video=0), FIRSTS[-1] + FRAMES)):
            frame.pts, frame.time_base, frame.pict_type = number, 1 / rate, 0
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))


def outputs(vp9, size, decoder):
    out, row = vp9
    read = Reader(out=out, frames=FRAMES, most_samples=FRAMES * 1602, decoded=decoder is None)
    batch = iter([tuple(list(column) for column in zip(*(read(row, n) for n in FIRSTS), strict=True))])
    made = pipeline(
        lambda: next(batch),
        batch_size=len(FIRSTS),
        frames=FRAMES,
        size=size,
        threads=1,
        device=None,
        decoder=decoder,
    )
    return [np.asarray(each.as_tensor()) for each in made.run()]


@pytest.mark.parametrize("size", [None, (96, 108)])
def test_dalis_decoder_gives_the_windows_frames_in_the_clips_colours(vp9, size):
    *found, found_first, found_second = outputs(vp9, size, "cpu")
    *expected, first, second = outputs(vp9, size, None)
    assert np.array_equal(found_first, first) and np.array_equal(found_second, second)
    for half, wanted in zip(found, expected, strict=True):
        assert half.shape == wanted.shape
        for sample in range(len(FIRSTS)):
            off = [
                [difference(half[sample, k], wanted[sample, n]) for n in range(FRAMES)] for k in range(FRAMES)
            ]
            assert np.argmin(off, axis=1).tolist() == list(range(FRAMES))
            assert np.diag(off).max() < 1.5


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(np.int16) - other).mean())


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
def test_the_correction_makes_of_bt_601s_colours_the_matrix_own(matrix):
    """On colours in R'G'B': their Y'CbCr by the matrix, decoded as BT.601 says, corrected, are they again."""
    red, blue = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}[matrix]
    colours = np.random.default_rng(0).uniform(0, 1, (50, 3))
    luma = colours @ [red, 1 - red - blue, blue]
    cb, cr = (colours[:, 2] - luma) / (2 - 2 * blue), (colours[:, 0] - luma) / (2 - 2 * red)
    red_601, blue_601 = luma + 1.402 * cr, luma + 1.772 * cb
    green_601 = (luma - 0.299 * red_601 - 0.114 * blue_601) / 0.587
    decoded = np.stack([red_601, green_601, blue_601], axis=1)
    assert np.allclose(decoded @ correction(matrix).T, colours, atol=1e-6)


def test_without_dali_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "nvidia.dali", None)
    with pytest.raises(MissingToolError, match=r"run 'pip install emomedia\[dali\]'"):
        require_dali()


def test_devices_are_named_as_elsewhere():
    assert device_number("cpu") is None
    for wrong in ("gpu", "cuda:", "cuda:x", "CPU", ""):
        with pytest.raises(DescriptionError, match="device: expected 'auto', 'cpu', 'cuda' or 'cuda:'"):
            device_number(wrong)


def test_a_gpu_that_is_not_there_is_refused_and_auto_does_without(monkeypatch):
    monkeypatch.setattr("emomedia.dali.graph._gpu_count", lambda: 0)
    assert device_number("auto") is None
    with pytest.raises(MissingToolError, match="cuda: expected an NVIDIA GPU and its driver, found 0"):
        device_number("cuda")
    monkeypatch.setattr("emomedia.dali.graph._gpu_count", lambda: 2)
    assert [device_number(name) for name in ("auto", "cuda", "cuda:1")] == [0, 0, 1]
    with pytest.raises(MissingToolError, match="cuda:2: expected"):
        device_number("cuda:2")
