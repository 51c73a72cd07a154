"""Colours: what a take's code values mean, and how two takes are brought to one meaning."""

from .conversion import AffineRows, ColourMap, Colours, conversion, target_colours
from .cube import Cube, read_cube

__all__ = ["AffineRows", "ColourMap", "Colours", "Cube", "conversion", "read_cube", "target_colours"]
