"""Looking into simulated takes with PyAV: upright planes by the display matrix, times, sound."""

from __future__ import annotations

import json
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from emomedia.simulate import Camera

PLAIN = {field.name: getattr(Camera(size=(180, 320)), field.name) for field in fields(Camera)}
"""All of a camera's choices, for a right one that takes nothing over from the left one."""


def truth_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


def upright_planes(frame: av.VideoFrame) -> list[np.ndarray]:
    """The frame's planes, turned and mirrored as its display matrix says."""
    kind = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
    matrix = [1, 0, 0, 1]
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = np.sign(np.frombuffer(bytes(data), np.int32)[:5]).tolist()
            matrix = [a, b, c, d]
    return [
        _displayed(np.frombuffer(plane, kind).reshape(plane.height, -1)[:, : plane.width], *matrix)
        for plane in frame.planes
    ]


def _displayed(stored: np.ndarray, a: int, b: int, c: int, d: int) -> np.ndarray:
    """QuickTime's matrix: a point goes to ``x' = a x + c y``, ``y' = b x + d y``."""
    return stored[::d, ::a] if a else stored.T[::b, ::c]


def shown_frames(path: Path) -> list[tuple[Fraction, av.VideoFrame]]:
    """The frames that a file shows, each with its time in the container."""
    with av.open(str(path)) as container:
        return [(frame.pts * frame.time_base, frame) for frame in container.decode(video=0)]


def heard(path: Path) -> tuple[Fraction, np.ndarray]:
    """A file's sound, float[samples] of its left channel, and when its first sample is in the container."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    left = [_left(frame) for frame in frames]
    return frames[0].pts * frames[0].time_base, np.concatenate(left)


def _left(frame: av.AudioFrame) -> np.ndarray:
    values = frame.to_ndarray()
    return values[0] if frame.format.is_planar else values[0, ::2] / 32768.0
