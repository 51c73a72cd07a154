"""The pictures of one side alone, made beside the composite: their size, and what of the take they show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .errors import DescriptionError
from .options import Size
from .probe.take import SMALLEST_CROP, largest_crop
from .probe.types import Probe, Take
from .session import Crop, SideName

_HALF = (8, 9)
"""The shape of a composite's half."""


@dataclass(frozen=True, slots=True)
class SidePicture:
    """One side of each composite as a picture of its own, `width` by `height` pixels.

    `crop` is what it shows of its take, in upright luma pixels.
    """

    side: SideName
    width: int
    height: int
    crop: Crop


def side_pictures(probe: Probe, sides: Iterable[SideName], size: Size) -> tuple[SidePicture, ...]:
    """The pictures of `sides` alone, each of `size`.

    Raises
    ------
    DescriptionError
        Nothing of that shape is to be had from a side's take.
    """
    described = probe.session
    return tuple(
        SidePicture(side, *size, side_crop(probe.takes[side], described.side(side).crop, size))
        for side in sides
    )


def side_crop(take: Take, described: Crop | None, size: Size) -> Crop:
    """What a side alone shows of its take.

    A picture of the shape of the composite's half shows what that shows.  One of another shape shows the
    largest part of that shape, in the middle of `described`, the crop that the description gives, or of
    the whole picture where it gives none.

    Raises
    ------
    DescriptionError
        That part is next to nothing.
    """
    if size.width * _HALF[1] == size.height * _HALF[0]:
        return take.crop
    within = described or Crop(0, 0, *take.upright_size(take.rotate))
    inner = largest_crop(within.width, within.height, take.upright_aspect(take.rotate), size)
    if min(inner.width, inner.height) < SMALLEST_CROP[0]:
        raise DescriptionError(
            f"--side-size {size.width}x{size.height}",
            expected=f"a shape of which {SMALLEST_CROP[0]} pixels each way fit into "
            f"the {within.width}x{within.height} that are shown of {take.files[0].path.name}",
            found=f"{inner.width}x{inner.height}",
            remedy="choose another size, or a larger crop in session.toml",
        )
    return Crop(within.x + inner.x, within.y + inner.y, inner.width, inner.height)
