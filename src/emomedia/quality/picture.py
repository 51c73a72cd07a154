"""What a clip's pictures are like, from the values of its frames (:mod:`emomedia.quality.pixels`).  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..session import SIDES
from .pixels import LEVELS, PER_HALF, SCALE, VALUES

UNCHANGED = 0.04
"""Code values by which the means of 4×4 pixels of two frames may differ, root mean square, and count as the
same picture.  Repeated frames differ by 0 to 0.02 after H.264; people who sit still by 0.08 and more."""

REPEATED, MOVING = 0.1, 1.0
"""A frame repeats the one before, though it was coded again, if it changes by less than this share of what
both its neighbours do, and those move: by so many code values."""

FROZEN_RUN = 5
"""Frames without a change that are a picture standing still, 0.2 s at 25 fps; fewer are duplicates."""

STANDING_RUN, STANDING = 12, 0.4
"""Frames, half a second and less, that stand still if none of them is further than so many code values from
the one before them.  Where a repeated picture was coded again, its frames differ from each other by up to
0.27, and do not move away from it; people who sit still are 0.7 and more away after twelve frames."""

LEAST_SHARP = 10.0
"""Percentile of the frames' sharpness that counts: a clip is as sharp as all but a tenth of it.  Frames of
one shot differ by 6 % and less."""

BLACK_SHARE = 0.98
"""Share of nearly black pixels that makes a frame black: FFmpeg's blackdetect."""

Measures = dict[str, Any]
Values = npt.NDArray[np.float32]


def picture_measures(
    values: Values, pixels: int, colour_range: str, sources: Sequence[npt.NDArray[np.int64]] | None = None
) -> dict[str, Measures]:
    """Both sides' measures of consecutive frames.

    Parameters
    ----------
    values : float32[frames, 2 · PER_HALF]
    pixels : int
        Of a half.
    sources : (left, right), optional
        The take's frame that each frame shows, int64[frames]: a picture that is shown twice because the
        plan says so is no duplicate.
    """
    return {
        side: _side(
            values[:, number * PER_HALF : (number + 1) * PER_HALF].astype(np.float64),
            pixels,
            colour_range,
            None if sources is None else sources[number],
        )
        for number, side in enumerate(SIDES)
    }


def _side(
    values: npt.NDArray[np.float64], pixels: int, colour_range: str, source: npt.NDArray[np.int64] | None
) -> Measures:
    luma, sharpness, shadows, highlights, centre, black = values[:, : len(VALUES)].T
    change = changes(values, pixels)
    unchanged = change < UNCHANGED
    frozen = in_long_runs(unchanged) | standing(values, pixels)
    planned = np.zeros(len(unchanged), np.bool_) if source is None else np.diff(source) == 0
    low, high = (float(level) for level in LEVELS[colour_range][:2])
    return {
        "sharpness": _rounded(np.percentile(sharpness, LEAST_SHARP)),
        "exposure": _rounded((luma.mean() - low) / (high - low)),
        "shadows_share": _rounded(shadows.mean()),
        "highlights_share": _rounded(highlights.mean()),
        "centre_highlights_share": _rounded(centre.mean()),
        "flicker": _rounded(flicker(luma - low)),
        "frozen_frames": int(frozen.sum()),
        "black_frames": int((black >= BLACK_SHARE).sum()),
        "duplicate_frames": int(((unchanged | repeated(change)) & ~frozen & ~planned).sum()),
    }


def changes(values: npt.NDArray[np.float64], pixels: int) -> npt.NDArray[np.float64]:
    """How far each frame is from the one before: root mean square in code values, float64[frames - 1]."""
    return _distances(values[1:], values[:-1], pixels)


def standing(values: npt.NDArray[np.float64], pixels: int) -> npt.NDArray[np.bool_]:
    """Whether the picture stands still from each frame to the next, but for the noise of coding it again."""
    result = np.zeros(max(0, len(values) - 1), np.bool_)
    first = values[:-STANDING_RUN]
    furthest = np.zeros(len(first))
    for later in range(1, STANDING_RUN + 1):
        there = values[later : later + len(first)]
        np.maximum(furthest, _distances(there, first, pixels), out=furthest)
    for start in np.flatnonzero(furthest < STANDING):
        result[start : start + STANDING_RUN] = True
    return result


def _distances(
    one: npt.NDArray[np.float64], other: npt.NDArray[np.float64], pixels: int
) -> npt.NDArray[np.float64]:
    steps = one[:, len(VALUES) :] - other[:, len(VALUES) :]
    result: npt.NDArray[np.float64] = np.sqrt((steps**2).sum(axis=1) / (pixels / SCALE**2)) / SCALE**2
    return result


def repeated(change: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Whether a frame is a single one that repeats the one before during movement."""
    result = np.zeros(len(change), np.bool_)
    around = np.minimum(change[:-2], change[2:])
    result[1:-1] = (around > MOVING) & (change[1:-1] < REPEATED * around)
    return result


def in_long_runs(unchanged: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Those of the true values that stand in runs of at least :data:`FROZEN_RUN`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], unchanged, [False]]).astype(np.int8)))
    result = np.zeros(len(unchanged), np.bool_)
    for start, end in edges.reshape(-1, 2):
        result[start:end] = end - start >= FROZEN_RUN
    return result


def flicker(luma: npt.NDArray[np.float64]) -> float | None:
    """Fluctuation of the frames' mean luma from one to the next, in percent of it.

    The standard deviation of what no slow change explains, from second differences, whose variance is six
    times that of independent values (Gasser, Sroka and Jennen-Steinmetz 1986).  None for black or for less
    than three frames.
    """
    if len(luma) < 3 or luma.mean() <= 0:
        return None
    bends = luma[:-2] - 2 * luma[1:-1] + luma[2:]
    return float(100 * np.sqrt((bends**2).mean() / 6) / luma.mean())


def dropped_frames(times: npt.NDArray[np.float64], interval: float) -> int:
    """Frames that a camera left out between those at `times`, float64[n] in seconds."""
    missing = np.rint(np.diff(times) / interval) - 1
    return int(np.maximum(missing, 0).sum())


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 4)
