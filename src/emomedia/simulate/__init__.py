"""Footage with known truth: two takes, a recorder's file, and what exactly is in them."""

from .camera import Camera
from .options import SimulateOptions
from .pattern import Mark, MarkError, draw, read
from .recorder import RecorderOptions
from .session import is_simulated, simulate

__all__ = [
    "Camera",
    "Mark",
    "MarkError",
    "RecorderOptions",
    "SimulateOptions",
    "draw",
    "is_simulated",
    "read",
    "simulate",
]
