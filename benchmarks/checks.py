"""Whether what was timed is right: every clip's frames counted, their marks read, dB against composites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from emomedia import _core
from emomedia.engine import core_take
from emomedia.options import Options
from emomedia.run import run_stage
from emomedia.session import SIDES, Crop
from emomedia.simulate import read

from .footage import Footage, Session

_MARKS_EVERY = 12
"""Frames from one whose marks are read to the next; the first and the last are read too."""

LEAST_CLIP_PSNR = 36.0
"""dB against the composite, below which a clip does not show it."""


def check_clip(path: Path, footage: Footage, first: int, end: int) -> None:
    """The clip shows frames first … end - 1 of both takes and no others.  Raises AssertionError."""
    count = 0
    for number, frame in enumerate(decoded(path)):
        count += 1
        if number % _MARKS_EVERY == 0 or number == end - first - 1:
            assert marks(frame, footage) == {(first + number) % footage.period}, f"{path}: frame {number}"
    assert count == end - first, f"{path}: {count} frames instead of {end - first}"


def marks(composite: np.ndarray, footage: Footage) -> set[int]:
    """The source frames that a composite shows, by their marks."""
    luma = composite[: composite.shape[0] * 2 // 3]
    half = luma.shape[1] // 2
    found = [read(side, footage.size, Crop(*footage.crop)) for side in (luma[:, :half], luma[:, half:])]
    assert [mark.side for mark in found] == list(SIDES)
    return {mark.index for mark in found}


def decoded(path: Path) -> Iterator[np.ndarray]:
    """A clip's pictures as uint8[height * 3 / 2, width]: Y, then Cb and Cr, tight."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="yuv420p")


def clip_quality(path: Path, composites: np.ndarray, first: int) -> dict[str, float]:
    """dB of a clip's pictures against the composites that it was made from, and bytes of its pictures."""
    squares = samples = 0
    for number, frame in enumerate(decoded(path)):
        difference = frame.ravel().astype(np.int16) - composites[(first + number) % len(composites)]
        squares += int(np.square(difference, dtype=np.int32).sum(dtype=np.int64))
        samples += difference.size
    psnr = float(10 * np.log10(255**2 * samples / squares))
    assert psnr >= LEAST_CLIP_PSNR, f"{path}: {psnr:.1f} dB"
    with av.open(str(path)) as container:
        size = sum(packet.size for packet in container.demux(video=0))
    return {"psnr_db": psnr, "bytes": size}


def own_composites(session: Session, path: Path) -> np.ndarray:
    """emomedia's composites of one period as uint8[frames, samples], made unless `path` holds this core's."""
    frames, size = session.footage.period, 1920 * 1080 * 3 // 2
    if not path.exists() or path.stat().st_mtime < Path(_core.__file__).stat().st_mtime:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        pipeline = run_stage(session.description, path.parent / "probed", Options(), "probe")
        core = _core.Composites(*(core_take(pipeline.probe.takes[side]) for side in SIDES))
        with part.open("wb") as file:
            for number in range(frames):
                for plane in core.render(number, number)[:3]:
                    file.write(np.ascontiguousarray(plane).tobytes())
        part.rename(path)
    return np.memmap(path, np.uint8, "r", shape=(frames, size))
