"""DALI's pipeline: from a batch's files or frames to the halves and voices that training takes.

The graph is the same on the GPU and on the CPU except for its start: DALI decodes H.264 and HEVC on NVDEC
only, so on the CPU it is given frames.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..colour.conversion import luma_weights
from ..descriptions import show
from ..errors import DescriptionError, MissingToolError
from ..options import COMPOSITE_SIZE

HALF = COMPOSITE_SIZE.width // 2

Decoder = Literal["mixed", "cpu"]
Arrays = tuple[list[npt.NDArray[Any]], ...]
"""Each input's samples."""


def require_dali() -> Any:
    """DALI's Python package.

    Raises
    ------
    MissingToolError
        It is not installed.
    """
    try:
        import nvidia.dali
        import nvidia.dali.fn
    except ImportError as error:
        raise MissingToolError(
            "emomedia.dali",
            expected="the package nvidia-dali-cuda130",
            found=str(error),
            remedy="run 'pip install emomedia[dali]', or, for drivers older than 580, "
            "'pip install nvidia-dali-cuda120'",
        ) from error
    return nvidia.dali


def device_number(device: str) -> int | None:
    """The GPU that ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:1"`` means; None for the CPU.

    Raises
    ------
    DescriptionError
        It is none of these.
    MissingToolError
        There is no such GPU, or no driver for it.
    """
    named = re.fullmatch(r"auto|cpu|cuda(?::([0-9]{1,3}))?", device)
    if named is None:
        raise DescriptionError(
            "device",
            expected="'auto', 'cpu', 'cuda' or 'cuda:' and a number",
            found=show(device),
            remedy="correct it",
        )
    if device == "cpu" or (device == "auto" and not _gpu_count()):
        return None
    number = int(named[1] or 0)
    if number >= _gpu_count():
        raise MissingToolError(
            device,
            expected="an NVIDIA GPU and its driver",
            found=f"{_gpu_count()} that DALI can use",
            remedy="choose another device, or 'cpu'",
        )
    return number


def _gpu_count() -> int:
    """GPUs that DALI can use; without a driver it is not even asked, since it would complain aloud."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    return int(require_dali().backend.GetCUDADeviceCount())


def pipeline(
    source: Callable[[], Arrays],
    *,
    batch_size: int,
    frames: int,
    size: tuple[int, int] | None,
    threads: int,
    device: int | None,
    decoder: Decoder | None,
) -> Any:
    """A built pipeline that gives, batch after batch, (video, video, sound, sound) of two actors.

    Parameters
    ----------
    source : callable
        Gives a batch's inputs, or raises StopIteration.  Frames are read where they are: they have to stay as
        they are until the batch's outputs have come.  For each sample: int32[1], the column at which the
        first actor's half begins; float32[n] twice, the voices of the first and of the second; then without a
        decoder the composites, uint8[frames, height, width, 3], and with one the uint8[m] of an MP4, int32[],
        how many frames to pass over in it, and the float32[3, 3] of :func:`correction`.
    batch_size : int
        The largest.
    size : (width, height) or None
        What the halves are scaled to.
    device : int or None
        The GPU that scales, and on which everything ends.
    decoder : {"mixed", "cpu"} or None
        DALI's decoder: NVDEC, or libav, which in DALI knows neither H.264 nor HEVC.
    """
    dali = require_dali()
    fn, types = dali.fn, dali.types
    inputs = [("", types.INT32, 1), ("", types.FLOAT, 1), ("", types.FLOAT, 1)]
    if decoder is None:
        inputs += [("FHWC", types.UINT8, 4)]
    else:
        inputs += [("", types.UINT8, 1), ("", types.INT32, 0), ("", types.FLOAT, 2)]
    in_place = decoder is None  # frames are large; what a GPU is given is small, and may be read late
    layouts, kinds, ranks = (list(column) for column in zip(*inputs, strict=True))
    graph = dali.Pipeline(batch_size=batch_size, num_threads=threads, device_id=device)
    with graph:
        begin, first, second, *pictures = fn.external_source(
            source, len(inputs), layout=layouts, dtype=kinds, ndim=ranks, no_copy=in_place
        )
        if decoder is None:
            (composites,), matrix = pictures, None
        else:
            file, lead, matrix = pictures
            composites = fn.decoders.video(
                file,
                device=decoder,
                start_frame=lead,
                sequence_length=frames,
                pad_mode="none",
                affine=False,  # all processes of a machine would be pinned to the same cores
            )
        halves = [_half(dali, composites, at, size, matrix) for at in (begin, HALF - begin)]
        voices = [first, second] if device is None else [first.gpu(), second.gpu()]
        graph.set_outputs(*halves, *voices)
    graph.build()
    return graph


def _half(dali: Any, composites: Any, begin: Any, size: tuple[int, int] | None, matrix: Any) -> Any:
    """The half that begins at column `begin`, scaled, its colours corrected by `matrix`."""
    half = dali.fn.slice(composites, start=begin, shape=[HALF], axis_names="W")
    if size is not None:
        half = dali.fn.resize(half, size=[size[1], size[0]])
    if matrix is not None:
        half = dali.fn.coord_transform(half, M=matrix, dtype=dali.types.UINT8)
    return half


def correction(matrix: str) -> npt.NDArray[np.float32]:
    """What brings R'G'B' that was decoded by BT.601 to what the clip's own matrix gives: float32[3, 3].

    DALI's decoders know the range of a stream, but take every matrix for BT.601's.
    """
    meant = _from_chroma(matrix) @ np.linalg.inv(_from_chroma("smpte170m"))
    return meant.astype(np.float32)


def _from_chroma(matrix: str) -> npt.NDArray[np.float64]:
    """R'G'B' of Y', Cb and Cr, chroma from -1/2 to 1/2."""
    red, green, blue = (float(weight) for weight in luma_weights(matrix))
    return np.array(
        [
            [1, 0, 2 * (1 - red)],
            [1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
            [1, 2 * (1 - blue), 0],
        ]
    )
