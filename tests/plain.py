"""Takes of which a test decides just what it is about."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from emomedia.probe.types import Take, TakeFile
from emomedia.session import Crop
from emomedia.timeline import TakeFrames

PLAIN: dict[str, Any] = {
    "width": 90, "height": 160, "bit_depth": 8, "chroma": "4:2:0", "range": "limited", "matrix": "bt709",
    "primaries": "bt709", "transfer": "bt709", "siting": "left", "rotate": 0, "crop": Crop(0, 0, 80, 90),
    "rate": Fraction(25), "variable": False,
}  # fmt: skip
"""Upright, small, SDR, at 25 frames a second."""


def plain_take(files: tuple[TakeFile, ...], frames: TakeFrames, **choices: object) -> Take:
    """A take of these files and frames; whatever `choices` leave open is :data:`PLAIN`."""
    return Take(files=files, frames=frames, **PLAIN | choices)
