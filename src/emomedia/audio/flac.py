"""FLAC files: 48 kHz, mono, 16 or 24 bit, the same bytes for the same samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..timeline import SAMPLE_RATE
from .track import PcmBlock, rebatched

_ENCODER = {"flags": "+bitexact", "lpc_type": "fixed"}
"""Integer predictors only: the others are found with floats, whose last bits vary with the processor.
The files are 2 to 5 % larger for it (measured on speech at 24 bit)."""

_MUXER = {"fflags": "+bitexact", "metadata_header_padding": "0"}


def write_flac(path: Path, blocks: Iterable[PcmBlock], bits: int) -> None:
    """Write the samples of all `blocks` to `path`; nothing in the file says when or by what it was made.

    Callers give the file its final name (:func:`emomedia.files.atomic`, which also translates errors).

    Parameters
    ----------
    blocks : iterable of int16[n] (bits 16) or int32[n] (24-bit values, bits 24)
        At 48 kHz, at least one sample in all; the file does not depend on how long each block is.
    bits : int
        16 or 24.

    Raises
    ------
    ValueError
        If there are no samples, or a block's type does not fit `bits`.
    OSError
        If the file cannot be written.
    """
    checked = _checked(blocks, bits)
    first = next(checked, None)
    if first is None:
        raise ValueError(f"no samples are no track of {bits} bits")
    import av
    from av.audio.frame import AudioFrame

    sample_format = "s16" if bits == 16 else "s32"
    options = _ENCODER | {"bits_per_raw_sample": str(bits)}
    with av.open(f"file:{path.absolute()}", "w", format="flac", options=_MUXER) as container:
        stream = container.add_stream(
            "flac", rate=SAMPLE_RATE, options=options, layout="mono", format=sample_format
        )
        container.start_encoding()
        place = 0
        for samples in rebatched(chain([first], checked), stream.codec_context.frame_size):
            block: npt.NDArray[Any] = np.ascontiguousarray(samples[None])
            aligned = block if bits == 16 else block << 8  # libav keeps 24 bits at the top of 32
            frame = AudioFrame.from_ndarray(aligned, format=sample_format, layout="mono")
            frame.sample_rate = SAMPLE_RATE
            frame.pts = place
            place += len(samples)
            container.mux(stream.codec_context.encode(frame))
        container.mux(stream.codec_context.encode(None))


def _checked(blocks: Iterable[PcmBlock], bits: int) -> Iterator[PcmBlock]:
    """The blocks that hold something; one that cannot be of such a track is refused."""
    kind = {16: np.dtype(np.int16), 24: np.dtype(np.int32)}.get(bits)
    for block in blocks:
        if block.ndim != 1 or block.dtype != kind:
            raise ValueError(f"{block.dtype}{list(block.shape)} is no track of {bits} bits")
        if len(block):
            yield block
