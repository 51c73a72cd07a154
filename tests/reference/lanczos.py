"""An independent float64 model of what compose should do: geometry and Lanczos-3, nothing of the core.

Positions are luma pixels of the upright picture, pixel 0's centre at 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COSITED = {"left": (True, False), "center": (False, False), "topleft": (True, True)}
"""Whether a chroma sample shares its first luma pixel's centre, across and down."""


@dataclass(frozen=True)
class Case:
    width: int
    height: int
    sub_x: int = 2
    sub_y: int = 2
    siting: str = "left"
    rotate: int = 0
    mirrored: bool = False
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    out: tuple[int, int] = (96, 108)
    depth: int = 8
    out_depth: int = 8

    @property
    def coded_shapes(self) -> list[tuple[int, int]]:
        chroma = -(-self.height // self.sub_y), -(-self.width // self.sub_x)
        return [(self.height, self.width), chroma, chroma]

    def arguments(self):
        return (
            self.width,
            self.height,
            self.sub_x,
            self.sub_y,
            self.siting,
            self.rotate,
            self.mirrored,
            self.crop,
            *self.out,
        )


def coded_positions(case: Case, plane: int, axis: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Centres of a coded plane's samples along x (axis 0) or y, the first luma pixel of each, spacing."""
    spacing = (1, 1) if plane == 0 else (case.sub_x, case.sub_y)
    count = case.coded_shapes[plane][1 - axis]
    first = np.arange(count) * spacing[axis]
    cosited = COSITED[case.siting][axis]
    return first + (0.0 if cosited or spacing[axis] == 1 else 0.5), first, spacing[axis]


def upright_positions(case: Case, plane: int, axis: int) -> tuple[np.ndarray, np.ndarray, int]:
    """As `coded_positions`, along an axis of the upright picture, ascending."""
    swapped = case.rotate in (90, 270)
    coded_axis = 1 - axis if swapped else axis
    length = (case.width, case.height)[coded_axis]
    centre, first, spacing = coded_positions(case, plane, coded_axis)
    backwards = {0: (False, False), 90: (True, False), 180: (True, True), 270: (False, True)}[case.rotate][
        axis
    ]
    if backwards != (case.mirrored and axis == 0):
        return (length - 1 - centre)[::-1], (length - spacing - first)[::-1], spacing
    return centre, first, spacing


def output_positions(case: Case, plane: int, axis: int) -> tuple[np.ndarray, float]:
    """Where the output samples lie in the upright source picture, and their spacing there."""
    out, ratio = case.out[axis], case.crop[2 + axis] / case.out[axis]
    if plane == 0:
        here, step = np.arange(out, dtype=float), 1
    else:
        here, step = np.arange(out // 2) * 2 + (0.0 if axis == 0 else 0.5), 2
    return case.crop[axis] + (here + 0.5) * ratio - 0.5, step * ratio


def lanczos3(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


def weights(case: Case, plane: int, axis: int) -> np.ndarray:
    """float64[outputs, samples of the whole upright plane]; taps beyond the crop lie on its edge."""
    centre, first, spacing = upright_positions(case, plane, axis)
    target, out_spacing = output_positions(case, plane, axis)
    begin, end = case.crop[axis], case.crop[axis] + case.crop[2 + axis]
    touched = np.flatnonzero((first + spacing > begin) & (first < end))
    reach = 4 * int(np.ceil(max(1.0, out_spacing / spacing)))
    index = np.arange(-reach, len(centre) + reach)
    position = centre[0] + spacing * index
    stretch = max(1.0, out_spacing / spacing)
    dense = lanczos3((position[None, :] - target[:, None]) / spacing / stretch)
    dense /= dense.sum(axis=1, keepdims=True)
    folded = np.zeros((len(target), len(centre)))
    for column, k in enumerate(np.clip(index, touched[0], touched[-1])):
        folded[:, k] += dense[:, column]
    return folded


def model(case: Case, plane: int, upright: np.ndarray) -> np.ndarray:
    """float64[rows, cols], unrounded, in units of the output's depth."""
    scaled = weights(case, plane, 1) @ upright.astype(float) @ weights(case, plane, 0).T
    return scaled * 2.0 ** (case.out_depth - case.depth)


def quantised(dense: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tables by the contract: 14 bits, each row's rounding error on its largest coefficient."""
    coeff = np.floor(np.abs(dense) * 2**14 + 0.5) * np.sign(dense)
    rows = np.arange(len(coeff))
    coeff[rows, coeff.argmax(axis=1)] += 2**14 - coeff.sum(axis=1)
    used = [np.flatnonzero(row) for row in coeff]
    taps = max(row[-1] - row[0] + 1 for row in used)
    last = max(row[-1] for row in used)
    start = np.array([min(row[0], last + 1 - taps) for row in used], dtype=np.int32)
    return start, coeff[rows[:, None], start[:, None] + np.arange(taps)].astype(np.int16)


def model_tables(case: Case) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    return [(*quantised(weights(case, plane, 1)), *quantised(weights(case, plane, 0))) for plane in range(3)]
