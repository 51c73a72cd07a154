"""Pictures that look like footage, and how far composites of them are from the ideal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emomedia import _core
from emomedia.reference.compose import Plane, Planes, compose_half, plane_filters
from tests.reference.lanczos import Case, model

from .native_peers import Task


def take_picture(task: Task, seed: int = 0) -> Planes:
    """A lit person before a wall, as coded: soft shapes, fine texture, hard edges, grain."""
    random = np.random.default_rng(seed)
    width, height = task.coded_size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    ramp = 70 + 60 * np.sin(x / 311) * np.cos(y / 457)
    cloth = 24 * np.sign(np.sin(x / 7 + np.sin(y / 90)))
    figure = np.hypot((x - width / 2) / width, (y - height / 2) / height) < 0.3
    luma = ramp + figure * (50 + cloth) + random.normal(0, 4, (height, width))
    small = ramp[::2, ::2].shape
    cb, cr = (128 + amount * figure[::2, ::2] + random.normal(0, 2, small) for amount in (-18, 30))
    scale, top = 1 << (task.depth - 8), (1 << task.depth) - 1
    kind = np.uint16 if task.depth > 8 else np.uint8
    first, second, third = (np.clip(np.rint(p * scale), 0, top).astype(kind) for p in (luma, cb, cr))
    return first, second, third


def expected(task: Task, planes: Planes) -> Planes:
    """The composite's half by the NumPy reference."""
    tables = _core.compose_filters(*task.coded_size, 2, 2, "left", task.rotate, False, task.crop, *task.out)
    return compose_half(planes, plane_filters(tables), task.rotate, task.depth)


def ideal(task: Task, planes: Planes) -> list[np.ndarray]:
    """float64[rows, cols] of each plane by Lanczos-3, unrounded, clipped, edges clamped."""
    case = Case(*task.coded_size, rotate=task.rotate, crop=task.crop, out=task.out, depth=task.depth)
    turned = (np.rot90(plane, -(task.rotate // 90)) for plane in planes)
    return [np.clip(model(case, number, plane), 0, 255) for number, plane in enumerate(turned)]


def psnr(planes: Sequence[Plane], exact: Sequence[np.ndarray]) -> float:
    """Of all samples together, in dB of 8 bits."""
    squares = sum(float(np.square(a.astype(float) - b).sum()) for a, b in zip(planes, exact, strict=True))
    return float(10 * np.log10(255**2 * sum(b.size for b in exact) / squares))


def largest_difference(planes: Sequence[Plane], exact: Sequence[np.ndarray]) -> int:
    """In whole code values, of the planes against the ideal ones rounded."""
    return max(int(np.abs(a.astype(int) - np.rint(b)).max()) for a, b in zip(planes, exact, strict=True))
